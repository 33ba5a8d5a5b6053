/* penstock runs, logs: what happened below a root. */
#include "core/files.h"
#include "orchestrator/cli/verbs.h"
#include "orchestrator/metadata/notes.h"

#include <string.h>

enum { LOG_LIMIT_BYTES = 64 << 20, RUNS_SHOWN = 50 };

struct runs_values {
    const char *last;
    struct pen_config_strings tags;
};

static const struct pen_arg runs_args[] = {
    {"last", 'n', PEN_ARG_TEXT, offsetof(struct runs_values, last), "N", "the newest N, 50 when left out; or all"},
    {"tag", 0, PEN_ARG_MANY, offsetof(struct runs_values, tags), "TAG",
     "only those with this tag; several: with all of them"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* Index of the first of the newest n runs that have the tags; n < 0: all of them. */
static int64_t first_of(struct pen_metadata *metadata, int64_t n, const struct pen_config_strings *tags)
{
    int64_t first = metadata->n_runs;
    for (int64_t i = metadata->n_runs - 1; i >= 0 && n != 0; i--) {
        if (pen_run_has_tags(pen_metadata_run(metadata, i), tags)) {
            first = i;
            n--;
        }
    }
    return first;
}

static pen_status list_runs(const struct pen_cli *cli, struct pen_metadata *metadata, int64_t n, struct pen_error *err)
{
    const struct pen_config_strings *tags = &((const struct runs_values *)cli->values)->tags;
    pen_json *document = pen_json_object();
    pen_json *list = pen_json_array();
    struct pen_text text = {0};
    for (int64_t i = first_of(metadata, n, tags); i < metadata->n_runs; i++) {
        const pen_json *run = pen_metadata_run(metadata, i);
        if (!pen_run_has_tags(run, tags)) {
            continue;
        }
        pen_json_push(list, pen_json_copy(run));
        pen_text_printf(&text, "%-8s %-10s %-24s %8.3f s  %s %s", text_of(run, "run"), text_of(run, "status"),
                        text_of(run, "time"), pen_json_number_or(pen_json_get(run, "seconds"), 0),
                        text_of(run, "device"), text_of(run, "pushed"));
        pen_cli_say_run(run, &text);
        pen_text_append_char(&text, '\n');
    }
    pen_json_set_int(document, "schema", 1);
    pen_json_set(document, "runs", list);
    pen_status status = pen_metadata_check(metadata, err);
    if (status == PEN_OK) {
        status = pen_cli_answer(cli, document, &text, err);
    }
    pen_text_deinit(&text);
    pen_json_free(document);
    return status;
}

static pen_status run_runs(struct pen_cli *cli, struct pen_error *err)
{
    const struct runs_values *values = cli->values;
    struct pen_metadata metadata;
    int64_t n = RUNS_SHOWN;
    if (values->last != NULL && strcmp(values->last, "all") == 0) {
        n = -1;
    } else if (values->last != NULL && (!pen_parse_int64(values->last, strlen(values->last), &n) || n < 1)) {
        PEN_FAIL(err, PEN_ERR_USAGE, "option --last: expected 1 or more, or all; found '%.40s'", values->last);
    }
    const char *root = NULL;
    PEN_TRY(pen_cli_root(cli, &root, err));
    PEN_TRY(n < 0 || values->tags.n_items > 0 ? pen_metadata_open(&metadata, root, false, err)
                                              : pen_metadata_open_recent(&metadata, root, n, err));
    pen_status status = list_runs(cli, &metadata, n, err);
    pen_metadata_close(&metadata);
    return status;
}

/* One log: its text, or {node, path, lines} into the list. */
static pen_status add_log(const char *path, const char *node, struct pen_text *text, pen_json *list,
                          struct pen_error *err)
{
    struct pen_text log = {0};
    pen_json *lines = pen_json_array();
    pen_status status = pen_file_read(path, LOG_LIMIT_BYTES, &log, err);
    pen_text_append_bytes(text, pen_text_view(&log), log.size_bytes);
    for (const char *line = pen_text_view(&log); status == PEN_OK && *line != '\0';) {
        size_t size = strcspn(line, "\n");
        pen_json_push(lines, pen_json_string_bytes(line, size));
        line += size + (line[size] == '\n');
    }
    pen_json *entry = pen_json_object();
    pen_json_set_string(entry, "node", node);
    pen_json_set_string(entry, "path", path);
    pen_json_set(entry, "lines", lines);
    pen_json_push(list, entry);
    pen_text_deinit(&log);
    return status;
}

/* The newest run in which the node left a log. */
static pen_status find_run_of_log(struct pen_cli *cli, struct pen_metadata *metadata, const char *node,
                                  const char **run, struct pen_error *err)
{
    for (int64_t i = metadata->n_runs - 1; i >= 0; i--) {
        *run = text_of(pen_metadata_run(metadata, i), "run");
        const char *path = pen_arena_printf(&cli->arena, "%s/runs/%s/%s.log", metadata->root, *run, node);
        if (path != NULL && pen_path_exists(path)) {
            return PEN_OK;
        }
    }
    PEN_FAIL(err, PEN_ERR_NOT_FOUND, "%s has no log of a node '%.80s'", metadata->root, node);
}

/* Of all its attempts in the run. */
static pen_status add_logs(struct pen_cli *cli, const char *root, const char *run, const char *node,
                           struct pen_text *text, pen_json *list, struct pen_error *err)
{
    const char *path = "";
    for (int64_t attempt = 1; path != NULL; attempt++) {
        path = pen_arena_printf(&cli->arena, "%s/runs/%s/%s.try-%lld.log", root, run, node, (long long)attempt);
        if (path == NULL || !pen_path_exists(path)) {
            break;
        }
        PEN_TRY(add_log(path, node, text, list, err));
    }
    path = pen_arena_printf(&cli->arena, "%s/runs/%s/%s.log", root, run, node);
    /* a node may fail before its process starts */
    return path != NULL && pen_path_exists(path) ? add_log(path, node, text, list, err) : PEN_OK;
}

static pen_status gather_logs(struct pen_cli *cli, struct pen_metadata *metadata, const char **run,
                              struct pen_text *text, pen_json *list, struct pen_error *err)
{
    if (cli->args.positionals.n_items == 1) {
        const char *node = cli->args.positionals.items[0];
        PEN_TRY(find_run_of_log(cli, metadata, node, run, err));
        return add_logs(cli, metadata->root, *run, node, text, list, err);
    }
    *run = text_of(pen_metadata_find_run(metadata, NULL), "run");
    const struct pen_metadata_query query = {.run = *run, .is_first_hand = true};
    for (int64_t i = pen_metadata_seek(metadata, 0, 1, &query); i >= 0;
         i = pen_metadata_seek(metadata, i + 1, 1, &query)) {
        const pen_json *execution = pen_metadata_execution(metadata, i);
        if (pen_json_get(execution, "attempt") == NULL) { /* the first attempt; the others' logs are with it */
            PEN_TRY(add_logs(cli, metadata->root, *run, text_of(execution, "node"), text, list, err));
        }
    }
    return pen_metadata_check(metadata, err);
}

static pen_status run_logs(struct pen_cli *cli, struct pen_error *err)
{
    struct pen_metadata metadata;
    struct pen_text text = {0};
    const char *run = "";
    PEN_TRY(pen_cli_open_root(cli, &metadata, err));
    pen_json *document = pen_json_object();
    pen_json *list = pen_json_array();
    pen_status status = gather_logs(cli, &metadata, &run, &text, list, err);
    pen_json_set_int(document, "schema", 1);
    pen_json_set_string(document, "run", run);
    pen_json_set(document, "logs", list);
    pen_metadata_close(&metadata);
    if (status == PEN_OK) {
        status = pen_cli_answer(cli, document, &text, err);
    }
    pen_text_deinit(&text);
    pen_json_free(document);
    return status;
}

const struct pen_verb pen_verb_runs = {
    .name = "runs",
    .arguments = "",
    .summary = "list the runs below a root, the newest last",
    .examples = "  penstock runs --last 5\n  penstock runs --tag lr --last all\n",
    .args = runs_args,
    .values_bytes = sizeof(struct runs_values),
    .run = run_runs,
};

const struct pen_verb pen_verb_logs = {
    .name = "logs",
    .arguments = "[NODE]",
    .summary = "the newest log of a node, of all its attempts; of all nodes of the newest run when none is named",
    .n_positionals_max = 1,
    .run = run_logs,
};
