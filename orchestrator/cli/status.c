/* penstock status: what each node of a run did, does now and is to do; again and again until the run has ended. */
#include "core/log.h"
#include "orchestrator/cli/display.h"
#include "orchestrator/daemon/process.h"
#include "orchestrator/metadata/notes.h"
#include "orchestrator/run/live.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NEAR = 50 /* runs that are read before the whole history is */, PLAIN_SECONDS = 2 };
static const struct timespec pause_between = {.tv_nsec = 500000000};

struct values {
    bool follow;
};

static const struct pen_arg args[] = {
    {"follow", 'f', PEN_ARG_FLAG, offsetof(struct values, follow), NULL,
     "go on until the run has ended; with --json: wait for it"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* The run named on the line, or the newest. */
static pen_status find_run(const struct pen_cli *cli, struct pen_metadata *metadata, const char *root,
                           const pen_json **run, struct pen_error *err)
{
    const char *name = cli->args.positionals.n_items > 0 ? cli->args.positionals.items[0] : NULL;
    PEN_TRY(pen_metadata_open_recent(metadata, root, NEAR, err));
    *run = pen_metadata_find_run(metadata, name);
    if (*run != NULL) {
        return PEN_OK;
    }
    pen_metadata_close(metadata);
    PEN_TRY(pen_metadata_open(metadata, root, false, err));
    pen_status status = pen_metadata_choose_run(metadata, name, run, err);
    if (status != PEN_OK) {
        pen_metadata_close(metadata);
    }
    return status;
}

static void add_node(pen_json *nodes, const pen_json *execution)
{
    pen_json *node = pen_json_object();
    pen_json_set_string(node, "node", text_of(execution, "node"));
    pen_json_set_string(node, "status", text_of(execution, "status"));
    pen_json_set_double(node, "seconds", pen_json_number_or(pen_json_get(execution, "seconds"), 0));
    pen_json_set_int(node, "attempt", pen_json_int_or(pen_json_get(execution, "attempt"), 1));
    pen_json_set_string(node, "failure", text_of(execution, "failure"));
    pen_json_set_string(node, "message", text_of(execution, "message"));
    pen_json_push(nodes, node);
}

static bool has_node(const pen_json *nodes, const char *name, const char *status)
{
    for (int64_t i = 0; i < pen_json_size(nodes); i++) {
        const pen_json *node = pen_json_at(nodes, i);
        if (strcmp(text_of(node, "node"), name) == 0 &&
            (status == NULL || strcmp(text_of(node, "status"), status) == 0)) {
            return true;
        }
    }
    return false;
}

static void add_unfinished_node(pen_json *nodes, const char *name, const char *status)
{
    pen_json *node = pen_json_object();
    pen_json_set_string(node, "node", name);
    pen_json_set_string(node, "status", status);
    pen_json_push(nodes, node);
}

/* Nodes that run: as one that has ended, and its progress. */
static void add_running(pen_json *nodes, const pen_json *live)
{
    for (int64_t i = 0; i < pen_json_size(live); i++) {
        struct pen_text said = {0};
        const pen_json *progress = pen_json_at(live, i);
        pen_live_describe(progress, &said);
        pen_json *node = pen_json_object();
        pen_json_set_string(node, "node", text_of(progress, "node"));
        pen_json_set_string(node, "status", "running");
        pen_json_set_double(node, "seconds", pen_json_number_or(pen_json_get(progress, "seconds"), 0));
        pen_json_set_string(node, "message", pen_text_view(&said));
        pen_json_set(node, "progress", pen_json_copy(progress));
        pen_json_push(nodes, node);
        pen_text_deinit(&said);
    }
}

/* Of a run that goes on: the node that runs, and those whose turn has not come. The journal was read before the
 * progress: a node that has ended in between still runs. */
static void add_unfinished(pen_json *nodes, struct pen_metadata *metadata, const pen_json *run)
{
    pen_json *started = pen_metadata_started(metadata), *live = pen_live_read(metadata->root, text_of(run, "run"));
    const pen_json *selected = pen_json_get(run, "nodes");
    const char *name = text_of(started, "node");
    add_running(nodes, live);
    if (strcmp(text_of(started, "run"), text_of(run, "run")) == 0 && !has_node(nodes, name, "running")) {
        add_unfinished_node(nodes, name, "running");
    }
    for (int64_t i = 0; i < pen_json_size(selected); i++) {
        name = pen_json_string_or(pen_json_at(selected, i), "");
        if (!has_node(nodes, name, NULL)) {
            add_unfinished_node(nodes, name, "pending");
        }
    }
    pen_json_free(live);
    pen_json_free(started);
}

/* What came of the hooks of a run that had any. */
static void add_kept_hooks(pen_json *document, const char *root, const char *run)
{
    char path[PEN_PATH_BYTES];
    pen_json *hooks = NULL;
    const int length = snprintf(path, sizeof path, "%s/runs/%s/hooks.json", root, run);
    if (length > 0 && (size_t)length < sizeof path && pen_path_exists(path) &&
        pen_json_read_file(path, &hooks, NULL) == PEN_OK) {
        pen_json_set(document, "hooks", hooks);
    }
}

/* unfinished: the word for a run that has no end. */
static pen_status read_run(const struct pen_cli *cli, const char *root, const char *unfinished, pen_json **document,
                           struct pen_error *err)
{
    static const char *const said[] = {"name", "tags", "notes"};
    struct pen_metadata metadata;
    const pen_json *run = NULL;
    PEN_TRY(find_run(cli, &metadata, root, &run, err));
    const char *name = text_of(run, "run"), *word = text_of(run, "status");
    const char *status = strcmp(word, "running") == 0 ? unfinished : word;
    pen_json *nodes = pen_json_array();
    const struct pen_metadata_query query = {.run = name};
    for (int64_t i = pen_metadata_seek(&metadata, 0, 1, &query); i >= 0;
         i = pen_metadata_seek(&metadata, i + 1, 1, &query)) {
        add_node(nodes, pen_metadata_execution(&metadata, i));
    }
    if (strcmp(status, "running") == 0) {
        add_unfinished(nodes, &metadata, run);
    }
    *document = pen_json_object();
    pen_json_set_int(*document, "schema", 1);
    pen_json_set_string(*document, "run", name);
    pen_json_set_string(*document, "status", status);
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        if (pen_json_get(run, said[i]) != NULL) {
            pen_json_set(*document, said[i], pen_json_copy(pen_json_get(run, said[i])));
        }
    }
    pen_json_set(*document, "nodes", nodes);
    add_kept_hooks(*document, root, name);
    pen_status checked = pen_metadata_check(&metadata, err);
    pen_metadata_close(&metadata);
    if (checked != PEN_OK) {
        pen_json_free(*document);
        *document = NULL;
    }
    return checked;
}

/* A run that has no end and that nobody is at any more was abandoned: the next writer records that. The journal is read
 * again after nobody was found, for the run may have ended between the two. */
static pen_status look(const struct pen_cli *cli, const char *root, pen_json **document, struct pen_error *err)
{
    int64_t pid = 0;
    PEN_TRY(read_run(cli, root, "running", document, err));
    if (strcmp(text_of(*document, "status"), "running") != 0 || pen_process_writer(root, &pid, NULL) != PEN_OK ||
        pid != 0) {
        return PEN_OK;
    }
    pen_json_free(*document);
    *document = NULL;
    return read_run(cli, root, "abandoned", document, err);
}

/* ---- in words ---- */

static void add_head(struct pen_text *text, const pen_json *document)
{
    pen_text_printf(text, "%s %s", text_of(document, "run"), text_of(document, "status"));
    pen_cli_say_run(document, text);
    pen_text_append_char(text, '\n');
}

static void add_line(struct pen_text *text, const pen_json *node)
{
    const int64_t attempt = pen_json_int_or(pen_json_get(node, "attempt"), 1);
    const char *failure = text_of(node, "failure");
    pen_text_printf(text, "%-20s %-10s %8.3f s  ", text_of(node, "node"), text_of(node, "status"),
                    pen_json_number_or(pen_json_get(node, "seconds"), 0));
    if (attempt > 1) {
        pen_text_printf(text, "attempt %lld  ", (long long)attempt);
    }
    pen_text_printf(text, "%s%s%s\n", failure, failure[0] == '\0' ? "" : ": ", text_of(node, "message"));
}

/* Hooks that did not do what they are for. */
static void add_hooks(struct pen_text *text, const pen_json *hooks)
{
    for (int64_t i = 0; i < pen_json_size(hooks); i++) {
        const pen_json *hook = pen_json_at(hooks, i);
        if (!pen_json_bool_or(pen_json_get(hook, "ok"), true)) {
            pen_text_printf(text, "%s failed: %s\n", text_of(hook, "hook"), text_of(hook, "message"));
        }
    }
}

static pen_status answer(const struct pen_cli *cli, const pen_json *document, struct pen_error *err)
{
    struct pen_text text = {0};
    const pen_json *nodes = pen_json_get(document, "nodes");
    add_head(&text, document);
    pen_cli_say_notes(document, &text);
    for (int64_t i = 0; i < pen_json_size(nodes); i++) {
        add_line(&text, pen_json_at(nodes, i));
    }
    add_hooks(&text, pen_json_get(document, "hooks"));
    pen_status status = pen_cli_answer(cli, document, &text, err);
    pen_text_deinit(&text);
    return status;
}

/* ---- again and again ---- */

struct follower {
    bool is_terminal, line_is_drawn;
    int64_t n_told; /* nodes whose end was told */
    struct pen_text last;
    double last_at;
};

static bool has_ended(const pen_json *node)
{
    return strcmp(text_of(node, "status"), "running") != 0 && strcmp(text_of(node, "status"), "pending") != 0;
}

/* What has ended since the last look gets a line that stays. */
static void add_ended(struct follower *follower, struct pen_text *text, const pen_json *nodes)
{
    for (int64_t i = follower->n_told; i < pen_json_size(nodes); i++) {
        const pen_json *node = pen_json_at(nodes, i);
        if (!has_ended(node)) {
            return;
        }
        add_line(text, node);
        follower->n_told = i + 1;
    }
}

/* The node that runs: a line that is drawn anew; elsewhere a line every now and then, when it says something new. */
static pen_status tell_running(struct follower *follower, const pen_json *nodes, struct pen_error *err)
{
    const pen_json *node = pen_json_at(nodes, follower->n_told);
    const char *message = text_of(node, "message");
    const double now = pen_clock_seconds();
    if (strcmp(text_of(node, "status"), "running") != 0) {
        return PEN_OK;
    }
    if (follower->is_terminal) {
        pen_display_line(stdout, text_of(node, "node"), message[0] == '\0' ? "running" : message);
        follower->line_is_drawn = true;
        return PEN_OK;
    }
    struct pen_text text = {0};
    pen_text_printf(&text, "%-20s %s\n", text_of(node, "node"), message[0] == '\0' ? "running" : message);
    pen_status status = PEN_OK;
    if (now - follower->last_at >= PLAIN_SECONDS && strcmp(pen_text_view(&text), pen_text_view(&follower->last)) != 0) {
        follower->last_at = now;
        pen_text_reset(&follower->last);
        pen_text_append(&follower->last, pen_text_view(&text));
        status = pen_cli_print(pen_text_view(&text), err);
    }
    pen_text_deinit(&text);
    return status;
}

static pen_status tell(struct follower *follower, const pen_json *document, bool has_ended, struct pen_error *err)
{
    struct pen_text text = {0};
    const pen_json *nodes = pen_json_get(document, "nodes");
    add_ended(follower, &text, nodes);
    if (has_ended) {
        add_head(&text, document);
    }
    if (follower->line_is_drawn && text.size_bytes > 0) {
        pen_display_erase(stdout);
        follower->line_is_drawn = false;
    }
    pen_status status = pen_cli_print(pen_text_view(&text), err);
    pen_text_deinit(&text);
    return status == PEN_OK ? tell_running(follower, nodes, err) : status;
}

/* *document: what the run ended as. */
static pen_status follow(const struct pen_cli *cli, const char *root, pen_json **document, struct pen_error *err)
{
    struct follower follower = {.is_terminal = isatty(STDOUT_FILENO) == 1};
    pen_status status = PEN_OK;
    for (;;) {
        status = look(cli, root, document, err);
        PEN_TRY_GOTO(cleanup, status);
        const char *word = text_of(*document, "status");
        const bool has_ended = strcmp(word, "running") != 0 && strcmp(word, "open") != 0;
        if (!cli->args.json) {
            PEN_TRY_GOTO(cleanup, tell(&follower, *document, has_ended, err));
        }
        if (has_ended) {
            break;
        }
        pen_json_free(*document);
        *document = NULL;
        (void)nanosleep(&pause_between, NULL);
        if (pen_cancel_requested()) {
            PEN_FAIL_GOTO(cleanup, err, PEN_ERR_CANCELLED, "stopped looking; the run goes on");
        }
    }
cleanup:
    if (follower.line_is_drawn) {
        pen_display_erase(stdout);
    }
    pen_text_deinit(&follower.last);
    return status;
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    const char *root = NULL;
    pen_json *document = NULL;
    PEN_TRY(pen_cli_root(cli, &root, err));
    pen_status status = values->follow ? follow(cli, root, &document, err) : look(cli, root, &document, err);
    if (status == PEN_OK && (!values->follow || cli->args.json)) {
        status = answer(cli, document, err);
    }
    pen_json_free(document);
    return status;
}

const struct pen_verb pen_verb_status = {
    .name = "status",
    .arguments = "[RUN]",
    .summary = "what each node of a run did, does and is to do; the newest run when none is named",
    .examples = "  penstock status --follow\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_max = 1,
    .run = run,
};
