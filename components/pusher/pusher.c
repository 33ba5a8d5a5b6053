/* Pusher: reads the blessing, pushes or says why not, and writes down what it did. */
#include "components/pusher/pusher.h"

#include "components/pusher/publish.h"
#include "core/files.h"

#include <stdlib.h>
#include <string.h>

struct pusher_options {
    const char *directory;
    int64_t keep;
};

static const struct pen_option option_table[] = {
    {"directory", PEN_OPTION_STRING, offsetof(struct pusher_options, directory), NULL, 0, 0, NULL,
     "where versions go; default serving/<pipeline>, beside the pipeline file"},
    {"keep", PEN_OPTION_INT, offsetof(struct pusher_options, keep), "5", 1, 1e9, NULL,
     "newest versions kept; older ones are removed after a push"},
    {NULL, PEN_OPTION_BOOL, 0, NULL, 0, 0, NULL, NULL}};

static pen_status read_options(const struct pen_component_context *context, struct pusher_options *options,
                               const char **directory, struct pen_error *err)
{
    PEN_TRY(pen_config_options(context->arena, options, sizeof *options, option_table, context->options, context->node,
                               err));
    const char *given = options->directory;
    if (given == NULL || given[0] == '\0') {
        given = pen_arena_printf(context->arena, "serving/%s", context->pipeline);
    }
    *directory = given != NULL ? pen_component_path(context, given) : NULL;
    if (*directory == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: pusher options");
    }
    return PEN_OK;
}

/* *why is the verdict of the Evaluator when it withheld its blessing. */
static pen_status read_blessing(struct pen_component_context *context, bool *blessed, const char **why,
                                struct pen_error *err)
{
    const char *folder = pen_component_input(context, "blessing");
    *blessed = true;
    *why = "there is no evaluator, so no blessing was needed";
    if (folder == NULL) {
        return PEN_OK;
    }
    char path[PEN_PATH_BYTES];
    pen_json *root = NULL;
    PEN_TRY(pen_path_join(path, folder, "blessing.json", err));
    PEN_TRY(pen_json_read_file(path, &root, err));
    const pen_json *value = pen_json_get(root, "blessed");
    pen_status status = PEN_OK;
    if (!pen_json_is_bool(value)) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_DATA, "%s: expected blessed: true or false", path);
    } else {
        *blessed = pen_json_bool_or(value, false);
        *why = pen_arena_strdup(context->arena,
                                pen_json_string_or(pen_json_at(pen_json_get(root, "reasons"), 0), "no reason given"));
        if (*why == NULL) {
            status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_MEMORY, "out of memory: reading %s", path);
        }
    }
    pen_json_free(root);
    return status;
}

/* What the manifest tells beside the files: pipeline, node, blessing, overall metrics. The caller frees it. */
static pen_json *manifest_facts(struct pen_component_context *context, const char *why)
{
    pen_json *facts = pen_json_object();
    pen_json_set_string(facts, "pipeline", context->pipeline);
    pen_json_set_string(facts, "blessing", why);
    const char *folder = pen_component_input(context, "evaluation");
    const char *path = folder != NULL ? pen_arena_printf(context->arena, "%s/evaluation.json", folder) : NULL;
    pen_json *root = NULL;
    if (path != NULL && pen_json_read_file(path, &root, NULL) == PEN_OK) {
        const pen_json *overall = pen_json_at(pen_json_get(root, "slices"), 0);
        pen_json *evaluation = pen_json_object();
        const char *key = NULL;
        const pen_json *value = NULL;
        for (int64_t i = 0; pen_json_member(pen_json_get(overall, "metrics"), i, &key, &value); i++) {
            const pen_json *number = pen_json_get(value, "value");
            pen_json_set(evaluation, key, number != NULL ? pen_json_copy(number) : pen_json_null());
        }
        pen_json_set(facts, "evaluation", evaluation);
        pen_json_set_int(facts, "evaluation_rows", pen_json_int_or(pen_json_get(overall, "rows"), 0));
    }
    pen_json_free(root);
    return facts;
}

static pen_status write_record(struct pen_component_context *context, const struct pen_push *push,
                               const char *directory, const char *reason, struct pen_error *err)
{
    const char *output = pen_component_output(context, "pushed");
    pen_json *properties = pen_component_properties(context, "pushed");
    pen_json *root = pen_json_object();
    struct pen_text text = {0};
    char path[PEN_PATH_BYTES], digest[PEN_SHA256_HEX_BYTES] = "";
    const char *version_path = NULL;
    if (push != NULL) {
        char *whole = realpath(directory, NULL);
        version_path =
            pen_arena_printf(context->arena, "%s/%lld", whole != NULL ? whole : directory, (long long)push->version);
        free(whole);
        pen_push_digest(directory, push->version, digest);
    }
    pen_json_set_int(root, "schema", 1);
    pen_json_set_bool(root, "pushed", push != NULL);
    pen_json_set_string(root, "path", version_path);
    pen_json_set(root, "version", push != NULL ? pen_json_int(push->version) : pen_json_null());
    pen_json_set_string(root, "digest", push != NULL ? digest : NULL);
    pen_json_set_string(root, "reason", reason);
    pen_json_set_bool(properties, "pushed", push != NULL);
    pen_json_set_string(properties, "path", version_path);
    pen_json_set(properties, "version", push != NULL ? pen_json_int(push->version) : pen_json_null());
    pen_status status = pen_json_print(root, PEN_JSON_INDENT, &text, err);
    if (status == PEN_OK) {
        status = pen_path_join(path, output, "pushed.json", err);
    }
    if (status == PEN_OK) {
        status = pen_file_write_atomic(path, text.data, text.size_bytes, err);
    }
    pen_text_deinit(&text);
    pen_json_free(root);
    return status;
}

static const char *tell(struct pen_arena *arena, const struct pen_push *push)
{
    long long version = push->version;
    if (push->already_there) {
        return pen_arena_printf(arena, "version %lld already holds this model; nothing was done", version);
    }
    if (push->n_pruned > 0) {
        return pen_arena_printf(arena, "pushed as version %lld; %lld old version%s removed", version,
                                (long long)push->n_pruned, push->n_pruned == 1 ? "" : "s");
    }
    return pen_arena_printf(arena, "pushed as version %lld", version);
}

static pen_status run(struct pen_component_context *context, struct pen_error *err)
{
    struct pusher_options options;
    struct pen_push push = {0};
    const char *directory = NULL, *why = NULL;
    bool blessed = false;
    PEN_TRY(read_options(context, &options, &directory, err));
    PEN_TRY(read_blessing(context, &blessed, &why, err));
    if (!blessed) {
        const char *reason = pen_arena_printf(context->arena, "nothing pushed: %s", why);
        return write_record(context, NULL, directory, reason, err);
    }
    pen_json *facts = manifest_facts(context, why);
    pen_status status = pen_push_model(context->arena, directory, pen_component_input(context, "model"), options.keep,
                                       facts, &push, err);
    pen_json_free(facts);
    if (status != PEN_OK) {
        return status;
    }
    return write_record(context, &push, directory, tell(context->arena, &push), err);
}

static pen_status fingerprint(const struct pen_component_context *context, pen_json *key, struct pen_error *err)
{
    struct pusher_options options;
    const char *directory = NULL;
    char digest[PEN_SHA256_HEX_BYTES];
    PEN_TRY(read_options(context, &options, &directory, err));
    int64_t current = pen_push_current(directory);
    pen_push_digest(directory, current, digest);
    pen_json_set_string(key, "directory", directory);
    pen_json_set_int(key, "current", current);
    pen_json_set_string(key, "current_digest", digest);
    return PEN_OK;
}

static const struct pen_component_port inputs[] = {
    {"model", "Model", false, "trainer", "the model to push"},
    {"blessing", "ModelBlessing", true, "evaluator", "the Evaluator's verdict; without one every model is pushed"},
    {"evaluation", "ModelEvaluation", true, "evaluator", "overall metrics for the manifest"},
    {NULL, NULL, false, NULL, NULL}};
static const struct pen_component_port outputs[] = {
    {"pushed", "PushedModel", false, NULL, "where the model went, or why it did not"}, {NULL, NULL, false, NULL, NULL}};

const struct pen_component pen_pusher = {.name = "pusher",
                                         .version = 1,
                                         .description = "publishes a blessed model as the next version, atomically",
                                         .options = option_table,
                                         .options_bytes = sizeof(struct pusher_options),
                                         .inputs = inputs,
                                         .outputs = outputs,
                                         .run = run,
                                         .fingerprint = fingerprint};
