/* Choosing among earlier executions. */
#include "orchestrator/run/reuse.h"

#include "core/log.h"
#include "orchestrator/run/manifest.h"

#include <string.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

bool pen_reuse_is_intact(const struct pen_run *run, const pen_json *output)
{
    struct pen_text path = {0};
    struct pen_error problem = PEN_ERROR_INIT;
    pen_text_printf(&path, "%s/%s", run->metadata.root, text_of(output, "uri"));
    pen_status status =
        pen_manifest_verify(pen_text_view(&path), text_of(output, "hash"), run->options->paranoid, &problem);
    pen_text_deinit(&path);
    if (status != PEN_OK) {
        pen_log(PEN_LOG_WARNING, "%s is not used again: %s", text_of(output, "id"), problem.message);
    }
    return status == PEN_OK;
}

/* The record, when all its outputs are still what was published. */
static const pen_json *if_intact(struct pen_run *run, const pen_json *record)
{
    const char *port = NULL;
    const pen_json *output = NULL;
    const pen_json *outputs = record == NULL ? NULL : pen_metadata_member(&run->metadata, record, "outputs");
    for (int64_t i = 0; pen_json_member(outputs, i, &port, &output); i++) {
        if (!pen_reuse_is_intact(run, output)) {
            return NULL;
        }
    }
    return outputs == NULL ? NULL : record;
}

const pen_json *pen_reuse_cached(struct pen_run *run, const struct pen_node *node, const char *key)
{
    const struct pen_metadata_query query = {.node = node->name, .key = key, .has_outputs = true};
    if (run->options->no_cache || node->component->never_cached) {
        return NULL;
    }
    return if_intact(run, pen_metadata_newest(&run->metadata, &query));
}

const pen_json *pen_reuse_last(struct pen_run *run, const struct pen_node *node)
{
    const struct pen_metadata_query in_run = {.run = run->resumed, .node = node->name, .has_outputs = true};
    const struct pen_metadata_query ever = {.node = node->name, .has_outputs = true};
    const pen_json *record = run->resumed == NULL ? NULL : pen_metadata_newest(&run->metadata, &in_run);
    return if_intact(run, record != NULL ? record : pen_metadata_newest(&run->metadata, &ever));
}

/* Index of the node's newest record in this run, whatever came of it; -1: none. */
static int64_t newest_in_run(struct pen_run *run, const struct pen_node *node)
{
    const struct pen_metadata_query query = {.run = run->name, .node = node->name};
    return pen_metadata_seek(&run->metadata, run->metadata.n_executions - 1, -1, &query);
}

const pen_json *pen_reuse_of_run(struct pen_run *run, const struct pen_node *node)
{
    int64_t index = newest_in_run(run, node);
    for (int64_t i = 0; i < node->n_inputs; i++) {
        int64_t producer = node->inputs[i].node;
        if (producer >= 0 && newest_in_run(run, &run->pipeline->nodes[producer]) > index) {
            return NULL;
        }
    }
    const pen_json *record = index < 0 ? NULL : pen_metadata_execution(&run->metadata, index);
    const char *status = text_of(record, "status");
    bool has_outputs = strcmp(status, "succeeded") == 0 || strcmp(status, "cached") == 0;
    return has_outputs ? if_intact(run, record) : NULL;
}

bool pen_reuse_was_skipped(struct pen_run *run, const struct pen_node *node)
{
    int64_t index = newest_in_run(run, node);
    return index >= 0 &&
           pen_json_bool_or(pen_json_get(pen_metadata_execution(&run->metadata, index), "condition"), false);
}

const pen_json *pen_reuse_resumed(struct pen_run *run, const struct pen_node *node)
{
    const struct pen_metadata_query query = {.run = run->resumed, .node = node->name, .has_outputs = true};
    if (run->resumed == NULL) {
        return NULL;
    }
    for (int64_t i = 0; i < node->n_inputs; i++) {
        int64_t producer = node->inputs[i].node;
        if (producer >= 0 && pen_json_get(run->continued, run->pipeline->nodes[producer].name) == NULL) {
            return NULL;
        }
    }
    const pen_json *record = if_intact(run, pen_metadata_newest(&run->metadata, &query));
    if (record != NULL) {
        pen_json_set_bool(run->continued, node->name, true);
    }
    return record;
}

pen_status pen_reuse_find_run(struct pen_run *run, const char **resumed, struct pen_error *err)
{
    const char *name = run->options->resume;
    *resumed = NULL;
    if (name == NULL) {
        return PEN_OK;
    }
    const pen_json *found = NULL;
    PEN_TRY(pen_metadata_choose_run(&run->metadata, strcmp(name, "last") == 0 ? NULL : name, &found, err));
    if (strcmp(text_of(found, "status"), "succeeded") == 0 || strcmp(text_of(found, "status"), "cached") == 0) {
        PEN_FAIL(err, PEN_ERR_USAGE, "--resume: %s ended well, there is nothing to continue; run without --resume",
                 text_of(found, "run"));
    }
    *resumed = pen_arena_strdup(&run->arena, text_of(found, "run"));
    return *resumed == NULL ? pen_error_set(err, __FILE__, __LINE__, PEN_ERR_MEMORY, "out of memory: starting a run")
                            : PEN_OK;
}
