/* A context to JSON and back. */
#include "orchestrator/run/task.h"

#include "core/files.h"

#include <string.h>

static pen_json *paths_to_json(const char *key, const char *path)
{
    pen_json *entry = pen_json_object();
    pen_json_set_string(entry, "key", key);
    pen_json_set_string(entry, "path", path); /* NULL: an optional input that is not there */
    return entry;
}

pen_status pen_task_write(const char *path, const struct pen_component *component,
                          const struct pen_component_context *context, double ranks_timeout_s, struct pen_error *err)
{
    pen_json *task = pen_json_object(), *inputs = pen_json_array(), *outputs = pen_json_array();
    pen_json_set_string(task, "component", component->name);
    pen_json_set_string(task, "pipeline", context->pipeline);
    pen_json_set_string(task, "node", context->node);
    pen_json_set_string(task, "device", context->device);
    pen_json_set_string(task, "base_directory", context->base_directory);
    pen_json_set_string(task, "checkpoints", context->checkpoints);
    pen_json_set_bool(task, "resume", context->resume);
    pen_json_set_double(task, "ranks_timeout", ranks_timeout_s);
    pen_json_set(task, "options",
                 context->options == NULL ? pen_json_null() : pen_config_to_json_marked(context->options));
    pen_json_set(task, "configuration",
                 context->configuration == NULL ? pen_json_null() : pen_json_copy(context->configuration));
    for (int64_t i = 0; i < context->n_inputs; i++) {
        pen_json_push(inputs, paths_to_json(context->inputs[i].key, context->inputs[i].path));
    }
    for (int64_t i = 0; i < context->n_outputs; i++) {
        pen_json_push(outputs, paths_to_json(context->outputs[i].key, context->outputs[i].path));
    }
    pen_json_set(task, "inputs", inputs);
    pen_json_set(task, "outputs", outputs);
    pen_status status = pen_json_write_file(task, path, err);
    pen_json_free(task);
    return status;
}

static pen_status read_ports(struct pen_task *task, const char *path, struct pen_error *err)
{
    const pen_json *inputs = NULL, *outputs = NULL;
    struct pen_component_context *context = &task->context;
    PEN_TRY(pen_json_need_array(task->document, "inputs", path, &inputs, err));
    PEN_TRY(pen_json_need_array(task->document, "outputs", path, &outputs, err));
    struct pen_component_input *in = pen_arena_alloc(&task->arena, pen_json_size(inputs), sizeof *in);
    struct pen_component_output *out = pen_arena_alloc(&task->arena, pen_json_size(outputs), sizeof *out);
    if (in == NULL || out == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading %s", path);
    }
    for (int64_t i = 0; i < pen_json_size(inputs); i++) {
        PEN_TRY(pen_json_need_string(pen_json_at(inputs, i), "key", path, &in[i].key, err));
        in[i].path = pen_json_string_or(pen_json_get(pen_json_at(inputs, i), "path"), NULL);
    }
    context->inputs = in;
    context->n_inputs = pen_json_size(inputs);
    context->outputs = out;
    for (int64_t i = 0; i < pen_json_size(outputs); i++) {
        PEN_TRY(pen_json_need_string(pen_json_at(outputs, i), "key", path, &out[i].key, err));
        PEN_TRY(pen_json_need_string(pen_json_at(outputs, i), "path", path, &out[i].path, err));
        out[i].properties = pen_json_object();
        context->n_outputs = i + 1;
    }
    return PEN_OK;
}

static pen_status read_options(struct pen_task *task, struct pen_error *err)
{
    const pen_json *options = pen_json_get(task->document, "options");
    struct pen_config_node *node = NULL;
    if (options == NULL || pen_json_is_null(options)) {
        return PEN_OK;
    }
    PEN_TRY(pen_config_from_json_marked(&task->arena, options, &node, err));
    task->context.options = node;
    return PEN_OK;
}

pen_status pen_task_read(struct pen_task *task, const char *path, const struct pen_component *const *table,
                         struct pen_error *err)
{
    struct pen_component_context *context = &task->context;
    const char *component = NULL;
    *task = (struct pen_task){.document = NULL};
    PEN_TRY(pen_json_read_file(path, &task->document, err));
    PEN_TRY(pen_json_need_string(task->document, "component", path, &component, err));
    PEN_TRY(pen_json_need_string(task->document, "pipeline", path, &context->pipeline, err));
    PEN_TRY(pen_json_need_string(task->document, "node", path, &context->node, err));
    PEN_TRY(pen_json_need_string(task->document, "device", path, &context->device, err));
    PEN_TRY(pen_json_need_string(task->document, "base_directory", path, &context->base_directory, err));
    PEN_TRY(pen_json_need_double(task->document, "ranks_timeout", path, &task->ranks_timeout_s, err));
    for (int64_t i = 0; table[i] != NULL; i++) {
        if (strcmp(table[i]->name, component) == 0) {
            task->component = table[i];
        }
    }
    if (task->component == NULL) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: there is no component '%.80s'", path, component);
    }
    context->arena = &task->arena;
    context->checkpoints = pen_json_string_or(pen_json_get(task->document, "checkpoints"), NULL);
    context->configuration = pen_json_get(task->document, "configuration");
    context->resume = pen_json_bool_or(pen_json_get(task->document, "resume"), false);
    PEN_TRY(read_options(task, err));
    return read_ports(task, path, err);
}

void pen_task_deinit(struct pen_task *task)
{
    for (int64_t i = 0; i < task->context.n_outputs; i++) {
        pen_json_free(task->context.outputs[i].properties);
    }
    pen_json_free(task->document);
    pen_arena_deinit(&task->arena);
}
