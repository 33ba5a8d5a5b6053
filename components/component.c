/* Small helpers every component uses. */
#include "components/component.h"

#include "core/communicator.h"

#include "core/files.h"

#include <string.h>

const struct pen_component *pen_component_find(const char *name)
{
    for (int64_t i = 0; pen_components[i] != NULL; i++) {
        if (strcmp(pen_components[i]->name, name) == 0) {
            return pen_components[i];
        }
    }
    return NULL;
}

const char *pen_component_input(const struct pen_component_context *context, const char *key)
{
    for (int64_t i = 0; i < context->n_inputs; i++) {
        if (strcmp(context->inputs[i].key, key) == 0) {
            return context->inputs[i].path;
        }
    }
    return NULL;
}

static struct pen_component_output *find_output(const struct pen_component_context *context, const char *key)
{
    for (int64_t i = 0; i < context->n_outputs; i++) {
        if (strcmp(context->outputs[i].key, key) == 0) {
            return &context->outputs[i];
        }
    }
    return NULL;
}

const char *pen_component_output(const struct pen_component_context *context, const char *key)
{
    const struct pen_component_output *output = find_output(context, key);
    PEN_ASSERT(output != NULL);
    return output->path;
}

pen_json *pen_component_properties(const struct pen_component_context *context, const char *output_key)
{
    const struct pen_component_output *output = find_output(context, output_key);
    PEN_ASSERT(output != NULL);
    return output->properties;
}

const char *pen_component_path(const struct pen_component_context *context, const char *path)
{
    if (path[0] == '/' || context->base_directory == NULL || context->base_directory[0] == '\0') {
        return path;
    }
    return pen_arena_printf(context->arena, "%s/%s", context->base_directory, path);
}

pen_status pen_component_splits(const struct pen_component_context *context, const char *examples,
                                const char *const **names, int64_t *n_names, struct pen_error *err)
{
    pen_json *root = NULL;
    const char *path = pen_arena_printf(context->arena, "%s/examples.json", examples);
    if (path == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading %s/examples.json", examples);
    }
    PEN_TRY(pen_json_read_file(path, &root, err));
    pen_status status = PEN_OK;
    const pen_json *splits = NULL;
    PEN_TRY_GOTO(cleanup, pen_json_need_object(root, "splits", path, &splits, err));
    int64_t count = pen_json_size(splits);
    const char **list = pen_arena_alloc(context->arena, count + 1, sizeof *list);
    const char *key = NULL;
    const pen_json *value = NULL;
    for (int64_t i = 0; list != NULL && pen_json_member(splits, i, &key, &value); i++) {
        list[i] = pen_arena_strdup(context->arena, key);
        if (list[i] == NULL) {
            list = NULL;
        }
    }
    if (list == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: reading %s", path);
    }
    *names = list;
    *n_names = count;
cleanup:
    pen_json_free(root);
    return status;
}

pen_status pen_component_check_split(const struct pen_component_context *context, const char *option, const char *split,
                                     const char *const *names, int64_t n_names, struct pen_error *err)
{
    char quoted[PEN_QUOTE_BYTES];
    for (int64_t i = 0; i < n_names; i++) {
        if (strcmp(names[i], split) == 0) {
            return PEN_OK;
        }
    }
    const char *near = pen_nearest_name(split, names, n_names);
    const char *such = near != NULL ? near : n_names > 0 ? names[0] : "train";
    const struct pen_config_node *node = pen_config_get(context->options, option);
    return pen_config_error(node, err, "%s%soption %s: expected a split of the examples, such as '%s', found '%s'",
                            node == NULL ? context->node : "", node == NULL ? ": " : "", option, such,
                            pen_quote(quoted, split, strlen(split)));
}

const char *pen_component_split_path(const struct pen_component_context *context, const char *examples,
                                     const char *split)
{
    return pen_arena_printf(context->arena, "%s/split-%s.h5", examples, split);
}

struct pen_communicator *pen_component_ranks(const struct pen_component_context *context)
{
    return context->ranks != NULL ? context->ranks : pen_communicator_one();
}
