/* Looking up what a run needs from earlier ones. */
#include "orchestrator/run/provided.h"

#include "core/files.h"
#include "core/hash.h"
#include "orchestrator/run/reuse.h"

#include <string.h>

enum { MOST_CANDIDATES = 16 };

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static pen_status out_of_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: looking up earlier artifacts");
}

/* The output object of an artifact id, through the execution that made it. */
static const pen_json *artifact(struct pen_metadata *metadata, const char *id)
{
    const pen_json *producer = NULL;
    return id[0] == '\0' ? NULL : pen_metadata_find_artifact(metadata, id, &producer);
}

/* Does a node of the pipeline by this name give blessings? */
static bool gives_blessings(const struct pen_pipeline *pipeline, const char *name)
{
    for (int64_t i = 0; i < pipeline->n_nodes; i++) {
        const struct pen_component_port *port = pipeline->nodes[i].component->outputs;
        for (; port->key != NULL && strcmp(pipeline->nodes[i].name, name) == 0; port++) {
            if (strcmp(port->type, "ModelBlessing") == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Did this execution bless a model? Then the model's output object. */
static const pen_json *blessed_model(struct pen_metadata *metadata, const pen_json *execution)
{
    const char *port = NULL;
    const pen_json *output = NULL;
    const pen_json *outputs = pen_metadata_member(metadata, execution, "outputs");
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

/* Blessed models that are still what was published, newest first, at most `most`. */
static pen_json *blessed_models(struct pen_run *run, const char *except_hash, int64_t most)
{
    static const struct pen_metadata_query query = {.has_outputs = true};
    struct pen_metadata *metadata = &run->metadata;
    pen_json *models = pen_json_array();
    int64_t last = -1; /* an unchanged pipeline blesses the same again and again */
    for (int64_t i = pen_metadata_seek(metadata, metadata->n_executions - 1, -1, &query);
         i >= 0 && pen_json_size(models) < most; i = pen_metadata_seek(metadata, i - 1, -1, &query)) {
        if (pen_metadata_number(metadata, i) == last) {
            continue;
        }
        const pen_json *execution = pen_metadata_execution(metadata, i);
        if (!gives_blessings(run->pipeline, text_of(execution, "node"))) {
            continue;
        }
        last = pen_metadata_number(metadata, i);
        const pen_json *model = blessed_model(metadata, execution);
        if (model == NULL || strcmp(text_of(model, "hash"), except_hash) == 0 || listed(models, text_of(model, "id")) ||
            !pen_reuse_is_intact(run, model)) {
            continue;
        }
        struct pen_text path = {0};
        pen_text_printf(&path, "%s/%s", metadata->root, text_of(model, "uri"));
        pen_json *entry = pen_json_object();
        pen_json_set_string(entry, "path", pen_text_view(&path));
        pen_json_set_string(entry, "id", text_of(model, "id"));
        pen_json_set_string(entry, "hash", text_of(model, "hash"));
        pen_json_set_string(entry, "created", text_of(execution, "time"));
        pen_json_set_bool(entry, "blessed", true);
        pen_json_push(models, entry);
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

static pen_status provide_candidates(struct pen_run *run, struct pen_provided *provided, struct pen_error *err)
{
    char folder[PEN_PATH_BYTES];
    char file[PEN_PATH_BYTES];
    const char *trained = text_of(pen_json_get(pen_json_get(run->outputs, "trainer"), "model"), "hash");
    pen_json *root = pen_json_object();
    pen_json *models = blessed_models(run, trained, MOST_CANDIDATES);
    pen_status status = identify(models, &run->arena, provided, err);
    pen_json_set_int(root, "schema", 1);
    pen_json_set(root, "models", models);
    PEN_TRY_GOTO(cleanup, status);
    if (run->folder == NULL) {
        goto cleanup;
    }
    PEN_TRY_GOTO(cleanup, pen_path_join(folder, run->folder, "candidates", err));
    PEN_TRY_GOTO(cleanup, pen_directory_create(folder, err));
    PEN_TRY_GOTO(cleanup, pen_path_join(file, folder, "candidates.json", err));
    PEN_TRY_GOTO(cleanup, pen_json_write_file(root, file, err));
    provided->path = pen_arena_strdup(&run->arena, folder);
    status = provided->path == NULL ? out_of_memory(err) : PEN_OK;
cleanup:
    pen_json_free(root);
    return status;
}

static pen_status provide_artifact(struct pen_run *run, const pen_json *artifact, struct pen_provided *provided,
                                   struct pen_error *err)
{
    provided->path = pen_arena_printf(&run->arena, "%s/%s", run->metadata.root, text_of(artifact, "uri"));
    provided->id = pen_arena_strdup(&run->arena, text_of(artifact, "id"));
    provided->hash = pen_arena_strdup(&run->arena, text_of(artifact, "hash"));
    return provided->path == NULL || provided->id == NULL || provided->hash == NULL ? out_of_memory(err) : PEN_OK;
}

static pen_status provide_base_model(struct pen_run *run, const struct pen_node *node, struct pen_provided *provided,
                                     struct pen_error *err)
{
    bool warm_start = false;
    const struct pen_config_node *option = pen_config_get(node->options, "warm_start");
    if (option != NULL) {
        PEN_TRY(pen_config_bool(option, "warm_start", &warm_start, err));
    }
    if (!warm_start) {
        return PEN_OK;
    }
    pen_json *models = blessed_models(run, "", 1);
    const pen_json *model = artifact(&run->metadata, text_of(pen_json_at(models, 0), "id"));
    pen_status status = model == NULL ? PEN_OK : provide_artifact(run, model, provided, err);
    pen_json_free(models);
    return status;
}

static int64_t span_of(const pen_json *output)
{
    return pen_json_int_or(pen_json_get(pen_json_get(output, "properties"), "span"), -1);
}

static pen_status provide_previous_statistics(struct pen_run *run, struct pen_provided *provided, struct pen_error *err)
{
    static const struct pen_metadata_query query = {.has_outputs = true};
    struct pen_metadata *metadata = &run->metadata;
    int64_t span = span_of(pen_json_get(pen_json_get(run->outputs, "example_gen"), "examples"));
    int64_t best = -1;
    const pen_json *chosen = NULL;
    for (int64_t i = span < 0 ? -1 : pen_metadata_seek(metadata, metadata->n_executions - 1, -1, &query); i >= 0;
         i = pen_metadata_seek(metadata, i - 1, -1, &query)) {
        const pen_json *execution = pen_metadata_execution(metadata, i);
        const pen_json *output = pen_json_get(pen_metadata_member(metadata, execution, "outputs"), "statistics");
        int64_t earlier = span_of(artifact(metadata, text_of(pen_json_get(execution, "inputs"), "examples")));
        if (output != NULL && earlier >= 0 && earlier < span && earlier > best && pen_reuse_is_intact(run, output)) {
            best = earlier;
            chosen = output;
        }
    }
    return chosen == NULL ? PEN_OK : provide_artifact(run, chosen, provided, err);
}

int64_t pen_provided_after(const struct pen_pipeline *pipeline, const char *port)
{
    const char *name = strcmp(port, "candidates") == 0            ? "trainer"
                       : strcmp(port, "previous_statistics") == 0 ? "example_gen"
                                                                  : NULL;
    int64_t node = -1;
    return name != NULL && pen_pipeline_find(pipeline, name, &node, NULL) == PEN_OK ? node : -1;
}

pen_status pen_provide_input(struct pen_run *run, const struct pen_node *node, const char *port,
                             struct pen_provided *provided, struct pen_error *err)
{
    *provided = (struct pen_provided){NULL, "", ""};
    if (strcmp(port, "candidates") == 0) {
        return provide_candidates(run, provided, err);
    }
    if (strcmp(port, "base_model") == 0) {
        return provide_base_model(run, node, provided, err);
    }
    if (strcmp(port, "previous_statistics") == 0) {
        return provide_previous_statistics(run, provided, err);
    }
    return PEN_OK;
}
