/* penstock runs, status, logs: what happened below a root. */
#include "core/files.h"
#include "orchestrator/cli/verbs.h"
#include "orchestrator/metadata/metadata.h"

#include <string.h>

enum { LOG_LIMIT_BYTES = 64 << 20 };

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

static pen_status print_and_free(struct pen_text *text, struct pen_error *err)
{
    pen_status status = pen_text_check(text, err);
    if (status == PEN_OK) {
        status = pen_cli_print(pen_text_view(text), err);
    }
    pen_text_deinit(text);
    return status;
}

static pen_status run_runs(struct pen_cli *cli, struct pen_error *err)
{
    struct pen_metadata metadata;
    PEN_TRY(open_root(cli, &metadata, err));
    pen_status status = PEN_OK;
    if (cli->args.json) {
        pen_json *document = pen_json_object();
        pen_json_set_int(document, "schema", 1);
        pen_json_set(document, "runs", pen_json_copy(metadata.runs));
        status = pen_cli_print_json(document, err);
        pen_json_free(document);
    } else {
        struct pen_text text = {0};
        for (int64_t i = 0; i < pen_json_size(metadata.runs); i++) {
            const pen_json *run = pen_json_at(metadata.runs, i);
            pen_text_printf(&text, "%-8s %-10s %-24s %8.3f s  %s %s\n", text_of(run, "run"), text_of(run, "status"),
                            text_of(run, "time"), pen_json_number_or(pen_json_get(run, "seconds"), 0),
                            text_of(run, "device"), text_of(run, "pushed"));
        }
        status = print_and_free(&text, err);
    }
    pen_metadata_close(&metadata);
    return status;
}

/* The run named on the line, or the newest. */
static pen_status choose_run(const struct pen_cli *cli, const struct pen_metadata *metadata, int64_t position,
                             const pen_json **run, struct pen_error *err)
{
    const char *name = cli->args.positionals.n_items > position ? cli->args.positionals.items[position] : NULL;
    *run = pen_metadata_find_run(metadata, name);
    if (*run == NULL) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "%s has no run '%.80s'; penstock runs lists them", metadata->root,
                 name == NULL ? "(any)" : name);
    }
    return PEN_OK;
}

static pen_status status_of(const struct pen_cli *cli, const struct pen_metadata *metadata, struct pen_error *err)
{
    const pen_json *run = NULL;
    PEN_TRY(choose_run(cli, metadata, 0, &run, err));
    pen_json *nodes = pen_json_array();
    struct pen_text text = {0};
    pen_text_printf(&text, "%s %s\n", text_of(run, "run"), text_of(run, "status"));
    for (int64_t i = 0; i < pen_json_size(metadata->executions); i++) {
        const pen_json *execution = pen_json_at(metadata->executions, i);
        if (strcmp(text_of(execution, "run"), text_of(run, "run")) == 0) {
            pen_text_printf(&text, "%-20s %-10s %8.3f s  %s\n", text_of(execution, "node"),
                            text_of(execution, "status"), pen_json_number_or(pen_json_get(execution, "seconds"), 0),
                            text_of(execution, "message"));
            pen_json *node = pen_json_object();
            pen_json_set_string(node, "node", text_of(execution, "node"));
            pen_json_set_string(node, "status", text_of(execution, "status"));
            pen_json_set_double(node, "seconds", pen_json_number_or(pen_json_get(execution, "seconds"), 0));
            pen_json_set_string(node, "message", text_of(execution, "message"));
            pen_json_push(nodes, node);
        }
    }
    pen_json *document = pen_json_object();
    pen_json_set_int(document, "schema", 1);
    pen_json_set_string(document, "run", text_of(run, "run"));
    pen_json_set_string(document, "status", text_of(run, "status"));
    pen_json_set(document, "nodes", nodes);
    pen_status status = PEN_OK;
    if (cli->args.json) {
        status = pen_cli_print_json(document, err);
        pen_text_deinit(&text);
    } else {
        status = print_and_free(&text, err);
    }
    pen_json_free(document);
    return status;
}

static pen_status run_status(struct pen_cli *cli, struct pen_error *err)
{
    struct pen_metadata metadata;
    PEN_TRY(open_root(cli, &metadata, err));
    pen_status status = status_of(cli, &metadata, err);
    pen_metadata_close(&metadata);
    return status;
}

/* The newest log of the node: from the run it last executed in. */
static pen_status print_log(struct pen_cli *cli, const struct pen_metadata *metadata, const char *node,
                            struct pen_error *err)
{
    struct pen_text text = {0};
    for (int64_t i = pen_json_size(metadata->runs) - 1; i >= 0; i--) {
        const char *run = text_of(pen_json_at(metadata->runs, i), "run");
        const char *path = pen_arena_printf(&cli->arena, "%s/runs/%s/%s.log", metadata->root, run, node);
        if (path != NULL && pen_path_exists(path)) {
            pen_status status = pen_file_read(path, LOG_LIMIT_BYTES, &text, err);
            if (status != PEN_OK) {
                pen_text_deinit(&text);
                return status;
            }
            return print_and_free(&text, err);
        }
    }
    PEN_FAIL(err, PEN_ERR_NOT_FOUND, "%s has no log of a node '%.80s'", metadata->root, node);
}

static pen_status run_logs(struct pen_cli *cli, struct pen_error *err)
{
    struct pen_metadata metadata;
    PEN_TRY(open_root(cli, &metadata, err));
    pen_status status = PEN_OK;
    if (cli->args.positionals.n_items == 1) {
        status = print_log(cli, &metadata, cli->args.positionals.items[0], err);
    } else {
        const pen_json *run = pen_metadata_find_run(&metadata, NULL);
        for (int64_t i = 0; status == PEN_OK && i < pen_json_size(metadata.executions); i++) {
            const pen_json *execution = pen_json_at(metadata.executions, i);
            if (strcmp(text_of(execution, "run"), text_of(run, "run")) == 0 &&
                strcmp(text_of(execution, "status"), "cached") != 0) {
                status = print_log(cli, &metadata, text_of(execution, "node"), err);
            }
        }
    }
    pen_metadata_close(&metadata);
    return status;
}

const struct pen_verb pen_verb_runs = {
    .name = "runs", .arguments = "", .summary = "list the runs below a root", .run = run_runs};

const struct pen_verb pen_verb_status = {
    .name = "status",
    .arguments = "[RUN]",
    .summary = "what each node of a run did; the newest run when none is named",
    .n_positionals_max = 1,
    .run = run_status,
};

const struct pen_verb pen_verb_logs = {
    .name = "logs",
    .arguments = "[NODE]",
    .summary = "the newest log of a node; of all nodes of the newest run when none is named",
    .n_positionals_max = 1,
    .run = run_logs,
};
