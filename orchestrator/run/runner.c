/* A run: nodes one after another, what each did in the journal. Execution of one node: execution.c. */
#include "orchestrator/run/runner.h"

#include "core/files.h"
#include "core/log.h"
#include "orchestrator/run/attempts.h"
#include "orchestrator/run/device.h"
#include "orchestrator/run/leftovers.h"
#include "orchestrator/run/outcome.h"
#include "orchestrator/run/reuse.h"
#include "orchestrator/run/selection.h"
#include "orchestrator/run/skip.h"
#include "orchestrator/run/step.h"
#include "orchestrator/run/tell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static pen_json *names_of(const struct pen_pipeline *pipeline, const bool *selected)
{
    pen_json *names = pen_json_array();
    for (int64_t i = 0; i < pipeline->n_nodes; i++) {
        if (selected[i]) {
            pen_json_push(names, pen_json_string(pipeline->nodes[i].name));
        }
    }
    return names;
}

static pen_status record_start(struct pen_run *run, const bool *selected, const char *reason, const char *key,
                               struct pen_error *err)
{
    pen_json *start = pen_json_object();
    pen_json_set_string(start, "run", run->name);
    pen_json_set_string(start, "pipeline", run->pipeline->name);
    pen_json_set_string(start, "file", run->pipeline->file);
    pen_json_set_string(start, "device", run->device);
    pen_json_set_string(start, "device_reason", reason);
    if (key[0] != '\0') {
        pen_json_set_string(start, "device_key", key);
    }
    if (run->resumed != NULL) {
        pen_json_set_string(start, "resumes", run->resumed);
    }
    if (run->options->run == NULL) {
        pen_json_set(start, "nodes", names_of(run->pipeline, selected));
    }
    return pen_metadata_record(&run->metadata, "run_start", start, err);
}

static pen_status record_join(struct pen_run *run, struct pen_error *err)
{
    pen_json *join = pen_json_object();
    pen_json_set_string(join, "run", run->name);
    pen_json_set_string(join, "node", run->options->only);
    return pen_metadata_record(&run->metadata, "run_join", join, err);
}

static pen_status make_run_folder(struct pen_run *run, struct pen_error *err)
{
    char absolute[PEN_PATH_BYTES];
    if (realpath(run->metadata.root, absolute) != NULL) {
        (void)snprintf(run->metadata.root, sizeof run->metadata.root, "%s", absolute);
    }
    if (run->name[0] == '\0') {
        (void)snprintf(run->name, sizeof run->name, "run-%lld", (long long)run->metadata.n_runs + 1);
    }
    run->folder = pen_arena_printf(&run->arena, "%s/runs/%s", run->metadata.root, run->name);
    if (run->folder == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: starting a run");
    }
    return pen_directory_create(run->folder, err);
}

/* One that is selected: skipped after a failure and when its condition does not hold, else tried. */
static pen_status run_node(struct pen_run *run, const struct pen_node *node, pen_status failure, pen_json **record,
                           struct pen_error *err)
{
    const char *reason = failure == PEN_ERR_CANCELLED ? "the run was cancelled" : "a node before it failed";
    struct pen_error problem = PEN_ERROR_INIT;
    run->attempt = 1;
    if (failure != PEN_OK) {
        pen_status skipped = pen_skip(run, node, reason, false, record, &problem);
        if (skipped != PEN_OK) {
            pen_log(PEN_LOG_WARNING, "that %s was skipped could not be recorded: %s", node->name, problem.message);
        }
        return failure;
    }
    pen_status status = pen_skip_reason(run, node, &reason, &problem);
    if (status != PEN_OK) {
        status = pen_execution_fail(run, node, record, &problem);
        if (err != NULL) {
            *err = problem;
        }
        return status;
    }
    return reason != NULL ? pen_skip(run, node, reason, true, record, err) : pen_attempts_run(run, node, record, err);
}

static pen_status run_nodes(struct pen_run *run, const bool *selected, struct pen_error *err)
{
    pen_status failure = PEN_OK;
    for (int64_t i = 0; i < run->pipeline->n_nodes; i++) {
        const struct pen_node *node = &run->pipeline->nodes[i];
        pen_json *record = NULL;
        if (!selected[i]) {
            if (failure == PEN_OK) {
                pen_execution_stand_in(run, node);
            }
            continue;
        }
        failure = run_node(run, node, failure, &record, err);
        if (record == NULL) { /* the journal itself failed */
            return failure;
        }
        pen_outcome_add(run, record);
        pen_json_free(record);
    }
    return failure;
}

static pen_status finish(struct pen_run *run, pen_status failure, double seconds, pen_json **outcome,
                         struct pen_error *err)
{
    const char *status = failure == PEN_OK              ? (pen_outcome_is_cached(run) ? "cached" : "succeeded")
                         : failure == PEN_ERR_CANCELLED ? "cancelled"
                                                        : "failed";
    if (run->options->run != NULL) {
        seconds = pen_step_seconds(run);
        status = failure == PEN_OK ? pen_step_status(run) : status;
    }
    *outcome = pen_outcome_make(run, status, seconds);
    pen_json *end = pen_json_object();
    pen_json_set_string(end, "run", run->name);
    pen_json_set_string(end, "status", status);
    pen_json_set_double(end, "seconds", seconds);
    pen_json_set(end, "blessed", pen_json_copy(pen_json_get(*outcome, "blessed")));
    pen_json_set(end, "pushed", pen_json_copy(pen_json_get(*outcome, "pushed")));
    if (failure == PEN_OK) {
        char staging[PEN_PATH_BYTES];
        (void)snprintf(staging, sizeof staging, "%s/candidates", run->folder);
        PEN_TRY(pen_directory_remove(staging, err));
        return pen_metadata_record(&run->metadata, "run_end", end, err);
    }
    if (pen_metadata_record(&run->metadata, "run_end", end, NULL) != PEN_OK) {
        pen_log(PEN_LOG_WARNING, "the end of %s could not be recorded; the next run will call it abandoned", run->name);
    }
    return failure;
}

/* Waits for whoever holds the root when the options say so. */
static pen_status open_root(struct pen_run *run, struct pen_error *err)
{
    static const struct timespec nap = {.tv_nsec = 20000000};
    struct pen_error problem = PEN_ERROR_INIT;
    pen_status status = pen_metadata_open(&run->metadata, run->pipeline->root, true, &problem);
    if (status == PEN_ERR_BUSY && run->options->wait) {
        pen_log(PEN_LOG_WARNING, "a root has one writer; waiting: %s", problem.message);
    }
    while (status == PEN_ERR_BUSY && run->options->wait) {
        PEN_TRY(pen_cancel_check(err));
        (void)nanosleep(&nap, NULL);
        status = pen_metadata_open(&run->metadata, run->pipeline->root, true, &problem);
    }
    if (status != PEN_OK && err != NULL) {
        *err = problem;
    }
    return status;
}

static pen_status start(struct pen_run *run, const struct pen_pipeline *pipeline, const struct pen_run_options *options,
                        const bool *selected, struct pen_error *err)
{
    struct pen_device_choice choice;
    char key[PEN_DEVICE_KEY_BYTES];
    *run = (struct pen_run){.pipeline = pipeline, .options = options};
    pen_metadata_init(&run->metadata, pipeline->root);
    PEN_TRY(pen_run_device_key(run, key, err));
    PEN_TRY(pen_directory_create(pipeline->root, err));
    PEN_TRY(open_root(run, err));
    PEN_TRY(pen_run_choose_device(run, &choice, key, err));
    run->outputs = pen_json_object();
    run->continued = pen_json_object();
    run->nodes = pen_json_array();
    run->skipped = pen_json_object();
    double timeout_s = pipeline->settings.timeout_s;
    run->deadline = timeout_s > 0 && options->run == NULL ? pen_clock_seconds() + timeout_s : 0;
    PEN_TRY(pen_reuse_find_run(run, &run->resumed, err));
    PEN_TRY(options->run == NULL ? PEN_OK : pen_step_enter(run, err));
    PEN_TRY(make_run_folder(run, err));
    PEN_TRY(pen_leftovers_clean(run, err));
    PEN_TRY(run->joined ? record_join(run, err) : record_start(run, selected, choice.reason, key, err));
    PEN_TRY(run->joined
                ? PEN_OK
                : pen_metadata_note_run(&run->metadata, run->name, options->note, &pipeline->settings.tags, err));
    if (options->watch != NULL) {
        options->watch->begins(options->watch->user, run->name, run->metadata.root, run->device, choice.reason);
    }
    return PEN_OK;
}

static void release(struct pen_run *run)
{
    pen_metadata_close(&run->metadata);
    pen_json_free(run->outputs);
    pen_json_free(run->continued);
    pen_json_free(run->nodes);
    pen_json_free(run->skipped);
    pen_arena_deinit(&run->arena);
}

pen_status pen_run_pipeline(const struct pen_pipeline *pipeline, const struct pen_run_options *options,
                            pen_json **outcome, struct pen_error *err)
{
    struct pen_run run;
    double began = pen_clock_seconds();
    *outcome = NULL;
    bool *selected = pen_calloc(pipeline->n_nodes, sizeof *selected);
    if (selected == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: starting a run");
    }
    pen_status status = pen_select_nodes(pipeline, options, selected, err);
    if (status == PEN_OK) {
        status = start(&run, pipeline, options, selected, err);
        if (status == PEN_OK) {
            status = run_nodes(&run, selected, err);
            status = finish(&run, status, pen_clock_seconds() - began, outcome, err);
            pen_metadata_close(&run.metadata);
            if (options->run == NULL) { /* who starts single steps tells of the whole */
                pen_run_tell(&run, *outcome);
            }
        }
        release(&run);
    }
    pen_free(selected);
    return status;
}

pen_status pen_plan_pipeline(const struct pen_pipeline *pipeline, const struct pen_run_options *options,
                             pen_json **plan, struct pen_error *err)
{
    struct pen_run run = {.pipeline = pipeline, .options = options};
    struct pen_device_choice choice;
    bool *selected = pen_calloc(pipeline->n_nodes, sizeof *selected);
    pen_json *nodes = pen_json_array();
    pen_metadata_init(&run.metadata, pipeline->root);
    pen_status status = PEN_OK;
    *plan = NULL;
    if (selected == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: planning");
    }
    PEN_TRY_GOTO(cleanup, pen_select_nodes(pipeline, options, selected, err));
    char key[PEN_DEVICE_KEY_BYTES];
    char journal[PEN_PATH_BYTES];
    PEN_TRY_GOTO(cleanup, pen_run_device_key(&run, key, err));
    PEN_TRY_GOTO(cleanup, pen_path_join(journal, pipeline->root, "metadata", err));
    if (pen_path_is_directory(journal)) {
        PEN_TRY_GOTO(cleanup, pen_metadata_open(&run.metadata, pipeline->root, false, err));
        char absolute[PEN_PATH_BYTES];
        if (realpath(pipeline->root, absolute) != NULL) {
            (void)snprintf(run.metadata.root, sizeof run.metadata.root, "%s", absolute);
        }
    }
    PEN_TRY_GOTO(cleanup, pen_run_choose_device(&run, &choice, key, err));
    run.outputs = pen_json_object();
    run.continued = pen_json_object();
    run.skipped = pen_json_object();
    PEN_TRY_GOTO(cleanup, pen_reuse_find_run(&run, &run.resumed, err));
    bool work = false;
    for (int64_t i = 0; i < pipeline->n_nodes; i++) {
        pen_json *entry = NULL;
        PEN_TRY_GOTO(cleanup, pen_execution_plan(&run, &pipeline->nodes[i], selected[i], &entry, err));
        work = work || strcmp(text_of(entry, "action"), "run") == 0;
        pen_json_push(nodes, entry);
    }
    *plan = pen_json_object();
    pen_json_set_int(*plan, "schema", 1);
    pen_json_set_string(*plan, "pipeline", pipeline->name);
    pen_json_set_string(*plan, "root", pipeline->root);
    pen_json_set_bool(*plan, "work", work);
    pen_json_set(*plan, "nodes", nodes);
    nodes = NULL;
cleanup:
    pen_json_free(nodes);
    pen_free(selected);
    release(&run);
    return status;
}
