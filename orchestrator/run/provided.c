/* Looking up what a run needs from earlier ones. */
#include "orchestrator/run/provided.h"

#include "core/files.h"

#include <string.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static pen_status out_of_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: looking up earlier artifacts");
}

/* The output object of an artifact id, through the execution that made it. */
static const pen_json *artifact(const struct pen_metadata *metadata, const char *id)
{
    const pen_json *producer = NULL;
    return id[0] == '\0' ? NULL : pen_metadata_find_artifact(metadata, id, &producer);
}

/* Did this execution bless a model? Then the model's output object. */
static const pen_json *blessed_model(const struct pen_metadata *metadata, const pen_json *execution)
{
    const char *port = NULL;
    const pen_json *output = NULL;
    const pen_json *outputs = pen_json_get(execution, "outputs");
    for (int64_t i = 0; pen_json_member(outputs, i, &port, &output); i++) {
        if (strcmp(text_of(output, "type"), "ModelBlessing") == 0 &&
            pen_json_bool_or(pen_json_get(pen_json_get(output, "properties"), "blessed"), false)) {
            return artifact(metadata, text_of(pen_json_get(execution, "inputs"), "model"));
        }
    }
    return NULL;
}

static bool listed(const pen_json *models, const char *id)
{
    for (int64_t i = 0; i < pen_json_size(models); i++) {
        if (strcmp(text_of(pen_json_at(models, i), "id"), id) == 0) {
            return true;
        }
    }
    return false;
}

/* The content hash of the model trained in this run, or "". */
static const char *trained_hash(const pen_json *outputs)
{
    return text_of(pen_json_get(pen_json_get(outputs, "trainer"), "model"), "hash");
}

static pen_json *blessed_models(const struct pen_metadata *metadata, const char *except_hash)
{
    pen_json *models = pen_json_array();
    for (int64_t i = pen_json_size(metadata->executions) - 1; i >= 0; i--) {
        const pen_json *execution = pen_json_at(metadata->executions, i);
        if (strcmp(text_of(execution, "status"), "succeeded") != 0 &&
            strcmp(text_of(execution, "status"), "cached") != 0) {
            continue;
        }
        const pen_json *model = blessed_model(metadata, execution);
        if (model == NULL || strcmp(text_of(model, "hash"), except_hash) == 0 || listed(models, text_of(model, "id"))) {
            continue;
        }
        struct pen_text path = {0};
        pen_text_printf(&path, "%s/%s", metadata->root, text_of(model, "uri"));
        if (pen_path_is_directory(pen_text_view(&path))) {
            pen_json *entry = pen_json_object();
            pen_json_set_string(entry, "path", pen_text_view(&path));
            pen_json_set_string(entry, "id", text_of(model, "id"));
            pen_json_set_string(entry, "hash", text_of(model, "hash"));
            pen_json_set_string(entry, "created", text_of(execution, "time"));
            pen_json_set_bool(entry, "blessed", true);
            pen_json_push(models, entry);
        }
        pen_text_deinit(&path);
    }
    return models;
}

/* The hash of a list of candidates: that of their content hashes. */
static pen_status identify(const pen_json *models, struct pen_arena *arena, struct pen_provided *provided,
                           struct pen_error *err)
{
    char hash[PEN_SHA256_HEX_BYTES];
    struct pen_text identity = {0};
    for (int64_t i = 0; i < pen_json_size(models); i++) {
        pen_text_printf(&identity, "%s\n", text_of(pen_json_at(models, i), "hash"));
    }
    pen_sha256_of(pen_text_view(&identity), identity.size_bytes, hash);
    pen_status status = pen_text_check(&identity, err);
    pen_text_deinit(&identity);
    provided->hash = pen_arena_strdup(arena, hash);
    return status == PEN_OK && provided->hash == NULL ? out_of_memory(err) : status;
}

pen_status pen_provide_identity(const struct pen_metadata *metadata, const pen_json *outputs, struct pen_arena *arena,
                                struct pen_provided *provided, struct pen_error *err)
{
    pen_json *models = blessed_models(metadata, trained_hash(outputs));
    pen_status status = identify(models, arena, provided, err);
    pen_json_free(models);
    return status;
}

static pen_status provide_candidates(struct pen_arena *arena, const struct pen_metadata *metadata,
                                     const pen_json *outputs, const char *scratch, struct pen_provided *provided,
                                     struct pen_error *err)
{
    char folder[PEN_PATH_BYTES];
    char file[PEN_PATH_BYTES];
    pen_json *root = pen_json_object();
    pen_json *models = blessed_models(metadata, trained_hash(outputs));
    pen_status status = identify(models, arena, provided, err);
    pen_json_set_int(root, "schema", 1);
    pen_json_set(root, "models", models);
    PEN_TRY_GOTO(cleanup, status);
    PEN_TRY_GOTO(cleanup, pen_path_join(folder, scratch, "candidates", err));
    PEN_TRY_GOTO(cleanup, pen_directory_create(folder, err));
    PEN_TRY_GOTO(cleanup, pen_path_join(file, folder, "candidates.json", err));
    PEN_TRY_GOTO(cleanup, pen_json_write_file(root, file, err));
    provided->path = pen_arena_strdup(arena, folder);
    status = provided->path == NULL ? out_of_memory(err) : PEN_OK;
cleanup:
    pen_json_free(root);
    return status;
}

static pen_status provide_output(struct pen_arena *arena, const struct pen_metadata *metadata, const pen_json *output,
                                 struct pen_provided *provided, struct pen_error *err)
{
    provided->path = pen_arena_printf(arena, "%s/%s", metadata->root, text_of(output, "uri"));
    provided->id = pen_arena_strdup(arena, text_of(output, "id"));
    provided->hash = pen_arena_strdup(arena, text_of(output, "hash"));
    return provided->path == NULL || provided->id == NULL || provided->hash == NULL ? out_of_memory(err) : PEN_OK;
}

static pen_status provide_base_model(struct pen_arena *arena, const struct pen_metadata *metadata,
                                     const struct pen_node *node, struct pen_provided *provided, struct pen_error *err)
{
    bool warm_start = false;
    const struct pen_config_node *option = pen_config_get(node->options, "warm_start");
    if (option != NULL) {
        PEN_TRY(pen_config_bool(option, "warm_start", &warm_start, err));
    }
    for (int64_t i = pen_json_size(metadata->executions) - 1; warm_start && i >= 0; i--) {
        const pen_json *model = blessed_model(metadata, pen_json_at(metadata->executions, i));
        if (model != NULL) {
            return provide_output(arena, metadata, model, provided, err);
        }
    }
    return PEN_OK;
}

static int64_t span_of(const pen_json *output)
{
    return pen_json_int_or(pen_json_get(pen_json_get(output, "properties"), "span"), -1);
}

static pen_status provide_previous_statistics(struct pen_arena *arena, const struct pen_metadata *metadata,
                                              const pen_json *outputs, struct pen_provided *provided,
                                              struct pen_error *err)
{
    int64_t span = span_of(pen_json_get(pen_json_get(outputs, "example_gen"), "examples"));
    int64_t best = -1;
    const pen_json *chosen = NULL;
    for (int64_t i = pen_json_size(metadata->executions) - 1; span >= 0 && i >= 0; i--) {
        const pen_json *execution = pen_json_at(metadata->executions, i);
        const pen_json *output = pen_json_get(pen_json_get(execution, "outputs"), "statistics");
        int64_t earlier = span_of(artifact(metadata, text_of(pen_json_get(execution, "inputs"), "examples")));
        if (output != NULL && earlier >= 0 && earlier < span && earlier > best) {
            best = earlier;
            chosen = output;
        }
    }
    return chosen == NULL ? PEN_OK : provide_output(arena, metadata, chosen, provided, err);
}

pen_status pen_provide_input(struct pen_arena *arena, const struct pen_metadata *metadata, const struct pen_node *node,
                             const char *port, const pen_json *outputs, const char *scratch,
                             struct pen_provided *provided, struct pen_error *err)
{
    *provided = (struct pen_provided){NULL, "", ""};
    if (strcmp(port, "candidates") == 0) {
        return provide_candidates(arena, metadata, outputs, scratch, provided, err);
    }
    if (strcmp(port, "base_model") == 0) {
        return provide_base_model(arena, metadata, node, provided, err);
    }
    if (strcmp(port, "previous_statistics") == 0) {
        return provide_previous_statistics(arena, metadata, outputs, provided, err);
    }
    return PEN_OK;
}
