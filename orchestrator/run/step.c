/* Joining a run by its name, and telling what has come of it. */
#include "orchestrator/run/step.h"

#include "orchestrator/run/provided.h"
#include "orchestrator/run/reuse.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* The names Airflow allows: they are folder names and need no quotes in a shell. */
static bool is_run_name(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~:+-";
    size_t size = strlen(name);
    return size > 0 && size < PEN_RUN_NAME_BYTES && strchr(".~:+-", name[0]) == NULL && strspn(name, allowed) == size;
}

/* "run-12": given by the runner itself. */
static bool is_own_name(const char *name)
{
    return strncmp(name, "run-", 4) == 0 && name[4] != '\0' && strspn(name + 4, "0123456789") == strlen(name + 4);
}

static pen_status find_run(struct pen_run *run, struct pen_error *err)
{
    const char *name = run->options->run;
    char quoted[PEN_QUOTE_BYTES];
    if (!is_run_name(name)) {
        PEN_FAIL(err, PEN_ERR_USAGE,
                 "--run: expected a name of letters, digits and _.~:+- that begins with a letter, digit or _, at most "
                 "%d bytes; found '%s'",
                 PEN_RUN_NAME_BYTES - 1, pen_quote(quoted, name, strlen(name)));
    }
    (void)snprintf(run->name, sizeof run->name, "%s", name);
    const pen_json *found = pen_metadata_find_run(&run->metadata, name);
    PEN_TRY(pen_metadata_check(&run->metadata, err));
    run->joined = found != NULL;
    if (found == NULL && is_own_name(name)) {
        PEN_FAIL(err, PEN_ERR_USAGE,
                 "--run: %s has no run '%.80s' to join, and names of that form are given by penstock; use another",
                 run->metadata.root, name);
    }
    if (found != NULL && strcmp(text_of(found, "pipeline"), run->pipeline->name) != 0) {
        PEN_FAIL(err, PEN_ERR_USAGE, "--run: '%.80s' is a run of pipeline %s, not of %s; use another name", name,
                 text_of(found, "pipeline"), run->pipeline->name);
    }
    return PEN_OK;
}

static pen_status need(struct pen_run *run, const struct pen_node *node, int64_t before, struct pen_error *err)
{
    if (before >= 0 && pen_reuse_of_run(run, &run->pipeline->nodes[before]) == NULL &&
        !pen_reuse_was_skipped(run, &run->pipeline->nodes[before])) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "node %s: node %s has not succeeded in run %s yet; its step comes first",
                 node->name, run->pipeline->nodes[before].name, run->name);
    }
    return PEN_OK;
}

pen_status pen_step_enter(struct pen_run *run, struct pen_error *err)
{
    int64_t index = -1;
    PEN_TRY(find_run(run, err));
    PEN_TRY(pen_pipeline_find(run->pipeline, run->options->only, &index, err));
    const struct pen_node *node = &run->pipeline->nodes[index];
    for (int64_t i = 0; i < node->n_inputs; i++) {
        int64_t before = node->inputs[i].node;
        PEN_TRY(
            need(run, node, before >= 0 ? before : pen_provided_after(run->pipeline, node->inputs[i].port->key), err));
    }
    for (int64_t i = 0; i < node->n_after; i++) {
        PEN_TRY(need(run, node, node->after[i], err));
    }
    return pen_metadata_check(&run->metadata, err);
}

const char *pen_step_status(struct pen_run *run)
{
    bool cached = true;
    bool failed = false;
    bool open = false;
    for (int64_t i = 0; i < run->pipeline->n_nodes; i++) {
        const struct pen_node *node = &run->pipeline->nodes[i];
        const struct pen_metadata_query query = {.run = run->name, .node = node->name};
        const char *status = text_of(pen_metadata_newest(&run->metadata, &query), "status");
        failed = failed || strcmp(status, "failed") == 0;
        bool skipped = pen_reuse_was_skipped(run, node);
        open = open || (!skipped && pen_reuse_of_run(run, node) == NULL);
        cached = cached && (skipped || strcmp(status, "cached") == 0);
    }
    return failed ? "failed" : open ? "open" : cached ? "cached" : "succeeded";
}

double pen_step_seconds(struct pen_run *run)
{
    double seconds = 0;
    for (int64_t i = 0; i < run->pipeline->n_nodes; i++) {
        const struct pen_metadata_query query = {.run = run->name, .node = run->pipeline->nodes[i].name};
        seconds += pen_json_number_or(pen_json_get(pen_metadata_newest(&run->metadata, &query), "seconds"), 0);
    }
    return seconds;
}
