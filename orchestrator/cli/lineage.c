/* penstock artifacts, lineage, why: what was made, of what, and why again. */
#include "orchestrator/cli/verbs.h"
#include "orchestrator/metadata/metadata.h"

#include <string.h>

struct values {
    const char *type;
};

static const struct pen_arg artifacts_args[] = {
    {"type", 0, PEN_ARG_TEXT, offsetof(struct values, type), "TYPE", "only artifacts of this type: Model, Schema, ..."},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

/* Executions that made something, rather than took it from the cache. */
static const struct pen_metadata_query made = {.has_outputs = true, .is_first_hand = true};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static pen_status open_root(struct pen_cli *cli, struct pen_metadata *metadata, struct pen_error *err)
{
    const char *root = NULL;
    PEN_TRY(pen_cli_root(cli, &root, err));
    return pen_metadata_open(metadata, root, false, err);
}

/* Prints one of the two, when all that was asked of the metadata could be read, and lets go of everything. */
static pen_status finish(struct pen_cli *cli, struct pen_metadata *metadata, pen_json *document, struct pen_text *text,
                         struct pen_error *err)
{
    pen_status status = pen_metadata_check(metadata, err);
    pen_metadata_close(metadata);
    if (status == PEN_OK) {
        status = pen_cli_answer(cli, document, text, err);
    }
    pen_text_deinit(text);
    pen_json_free(document);
    return status;
}

static pen_status run_artifacts(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    struct pen_metadata metadata;
    struct pen_text text = {0};
    PEN_TRY(open_root(cli, &metadata, err));
    pen_json *list = pen_json_array();
    for (int64_t i = pen_metadata_seek(&metadata, 0, 1, &made); i >= 0;
         i = pen_metadata_seek(&metadata, i + 1, 1, &made)) {
        const pen_json *execution = pen_metadata_execution(&metadata, i);
        const char *port = NULL;
        const pen_json *output = NULL;
        for (int64_t k = 0; pen_json_member(pen_json_get(execution, "outputs"), k, &port, &output); k++) {
            if (values->type == NULL || strcmp(values->type, text_of(output, "type")) == 0) {
                pen_json_push(list, pen_json_copy(output));
                pen_text_printf(&text, "%-36s %-18s %s  %s\n", text_of(output, "id"), text_of(output, "type"),
                                text_of(execution, "time"), text_of(output, "uri"));
            }
        }
    }
    pen_json *document = pen_json_object();
    pen_json_set_int(document, "schema", 1);
    pen_json_set(document, "artifacts", list);
    return finish(cli, &metadata, document, &text, err);
}

/* What the artifact was made of, as a tree; depth bounds a journal that was tampered with. */
static pen_json *upstream(struct pen_metadata *metadata, const char *id, int depth, struct pen_text *text)
{
    const pen_json *producer = NULL;
    const pen_json *output = pen_metadata_find_artifact(metadata, id, &producer);
    pen_json *tree = pen_json_object();
    pen_json *inputs = pen_json_array();
    pen_text_printf(text, "%*s%s  %s\n", 2 * depth, "", id, text_of(output, "type"));
    pen_json_set_string(tree, "id", id);
    pen_json_set_string(tree, "type", text_of(output, "type"));
    pen_json_set_string(tree, "uri", text_of(output, "uri"));
    pen_json_set_string(tree, "run", text_of(producer, "run"));
    const char *port = NULL;
    const pen_json *input = NULL;
    for (int64_t i = 0; depth < 32 && pen_json_member(pen_json_get(producer, "inputs"), i, &port, &input); i++) {
        if (pen_json_string_or(input, "")[0] != '\0') {
            pen_json_push(inputs, upstream(metadata, pen_json_string_or(input, ""), depth + 1, text));
        }
    }
    pen_json_set(tree, "made_of", inputs);
    return tree;
}

/* Artifacts made directly of this one. */
static pen_json *downstream(struct pen_metadata *metadata, const char *id, struct pen_text *text)
{
    pen_json *list = pen_json_array();
    for (int64_t i = pen_metadata_seek(metadata, 0, 1, &made); i >= 0;
         i = pen_metadata_seek(metadata, i + 1, 1, &made)) {
        const pen_json *execution = pen_metadata_execution(metadata, i);
        const char *port = NULL;
        const pen_json *value = NULL;
        bool uses = false;
        for (int64_t k = 0; pen_json_member(pen_json_get(execution, "inputs"), k, &port, &value); k++) {
            uses = uses || strcmp(pen_json_string_or(value, ""), id) == 0;
        }
        for (int64_t k = 0; uses && pen_json_member(pen_json_get(execution, "outputs"), k, &port, &value); k++) {
            pen_text_printf(text, "  %s  %s\n", text_of(value, "id"), text_of(value, "type"));
            pen_json_push(list, pen_json_string(text_of(value, "id")));
        }
    }
    return list;
}

static pen_status run_lineage(struct pen_cli *cli, struct pen_error *err)
{
    struct pen_metadata metadata;
    struct pen_text text = {0};
    PEN_TRY(open_root(cli, &metadata, err));
    const pen_json *producer = NULL;
    const char *name = cli->args.positionals.items[0];
    const pen_json *output = pen_metadata_find_artifact(&metadata, name, &producer);
    if (output == NULL) {
        pen_status status =
            pen_error_set(err, __FILE__, __LINE__, PEN_ERR_NOT_FOUND,
                          "%s has no artifact '%.80s'; penstock artifacts lists what there is", metadata.root, name);
        pen_metadata_close(&metadata);
        return status;
    }
    const char *id = text_of(output, "id");
    pen_json *document = pen_json_object();
    pen_json_set_int(document, "schema", 1);
    pen_text_append(&text, "made of\n");
    pen_json_set(document, "artifact", upstream(&metadata, id, 1, &text));
    pen_text_append(&text, "used for\n");
    pen_json_set(document, "used_for", downstream(&metadata, id, &text));
    return finish(cli, &metadata, document, &text, err);
}

/* The last two executions of the node whose keys differ. */
static pen_status run_why(struct pen_cli *cli, struct pen_error *err)
{
    struct pen_metadata metadata;
    struct pen_text text = {0};
    const char *node = cli->args.positionals.items[0];
    PEN_TRY(open_root(cli, &metadata, err));
    const pen_json *last = NULL;
    const pen_json *before = NULL;
    const struct pen_metadata_query query = {.node = node};
    for (int64_t i = pen_metadata_seek(&metadata, metadata.n_executions - 1, -1, &query); i >= 0 && before == NULL;
         i = pen_metadata_seek(&metadata, i - 1, -1, &query)) {
        const pen_json *execution = pen_metadata_execution(&metadata, i);
        if (text_of(execution, "key")[0] == '\0') {
            continue; /* skipped, or it failed before its key was known */
        }
        if (last == NULL) {
            last = execution;
        } else if (strcmp(text_of(execution, "key"), text_of(last, "key")) != 0) {
            before = execution;
        }
    }
    if (last == NULL) {
        pen_status status =
            pen_error_set(err, __FILE__, __LINE__, PEN_ERR_NOT_FOUND,
                          "%s: node '%.80s' never ran here; penstock status lists the nodes", metadata.root, node);
        pen_metadata_close(&metadata);
        return status;
    }
    pen_json *changes = before == NULL ? pen_json_array()
                                       : pen_json_differences(pen_metadata_member(&metadata, before, "parts"),
                                                              pen_metadata_member(&metadata, last, "parts"));
    pen_text_printf(&text, "%s: %s in %s\n", node, text_of(last, "status"), text_of(last, "run"));
    if (before == NULL) {
        pen_text_append(&text, "nothing it was made of ever changed\n");
    } else {
        pen_text_printf(&text, "since %s:\n", text_of(before, "run"));
    }
    for (int64_t i = 0; i < pen_json_size(changes); i++) {
        pen_text_printf(&text, "  %s\n", pen_json_string_or(pen_json_at(changes, i), ""));
    }
    pen_json *document = pen_json_object();
    pen_json_set_int(document, "schema", 1);
    pen_json_set_string(document, "node", node);
    pen_json_set_string(document, "status", text_of(last, "status"));
    pen_json_set_string(document, "run", text_of(last, "run"));
    pen_json_set_string(document, "compared_with", before == NULL ? NULL : text_of(before, "run"));
    pen_json_set(document, "changes", changes);
    return finish(cli, &metadata, document, &text, err);
}

const struct pen_verb pen_verb_artifacts = {
    .name = "artifacts",
    .arguments = "",
    .summary = "list what was made",
    .examples = "  penstock artifacts --type Model\n",
    .args = artifacts_args,
    .values_bytes = sizeof(struct values),
    .run = run_artifacts,
};

const struct pen_verb pen_verb_lineage = {
    .name = "lineage",
    .arguments = "ARTIFACT",
    .summary = "what an artifact was made of, and what was made of it",
    .examples = "  penstock lineage model\n",
    .n_positionals_min = 1,
    .n_positionals_max = 1,
    .run = run_lineage,
};

const struct pen_verb pen_verb_why = {
    .name = "why",
    .arguments = "NODE",
    .summary = "what changed between the last two different executions of a node",
    .examples = "  penstock why trainer\n",
    .n_positionals_min = 1,
    .n_positionals_max = 1,
    .run = run_why,
};
