/* penstock why: why a node ran again. */
#include "orchestrator/cli/verbs.h"

#include <string.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* The last two executions of the node whose keys differ. */
static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    struct pen_metadata metadata;
    struct pen_text text = {0};
    const char *node = cli->args.positionals.items[0];
    PEN_TRY(pen_cli_open_root(cli, &metadata, err));
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
    return pen_cli_finish(cli, &metadata, PEN_OK, document, &text, err);
}

const struct pen_verb pen_verb_why = {
    .name = "why",
    .arguments = "NODE",
    .summary = "what changed between the last two different executions of a node",
    .examples = "  penstock why trainer\n",
    .n_positionals_min = 1,
    .n_positionals_max = 1,
    .run = run,
};
