/* A run: nodes one after another, what each did in the journal. Execution of one node: execution.c. */
#include "orchestrator/run/runner.h"

#include "core/files.h"
#include "core/log.h"
#include "orchestrator/run/device.h"
#include "orchestrator/run/execution.h"
#include "orchestrator/run/reuse.h"
#include "orchestrator/run/selection.h"
#include "orchestrator/run/step.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static pen_status record_start(struct pen_run *run, const char *reason, const char *key, struct pen_error *err)
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
    return pen_metadata_record(&run->metadata, "run_start", start, err);
}

static pen_status record_join(struct pen_run *run, struct pen_error *err)
{
    pen_json *join = pen_json_object();
    pen_json_set_string(join, "run", run->name);
    pen_json_set_string(join, "node", run->options->only);
    return pen_metadata_record(&run->metadata, "run_join", join, err);
}

/* Out of the published folders by one rename, into this run's folder: removing it in place could be cut short and
 * leave half an artifact. */
static pen_status put_away(struct pen_run *run, struct pen_arena *arena, const char *folder, const char *node,
                           const char *port, const char *name, struct pen_error *err)
{
    const char *orphan = pen_arena_printf(arena, "%s/%s", folder, name);
    const char *aside = pen_arena_printf(arena, "%s/%s.%s.%s", run->folder, node, port, name);
    if (orphan == NULL || aside == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: starting a run");
    }
    if (rename(orphan, aside) != 0) {
        int number = errno;
        PEN_FAIL(err, pen_status_from_errno(number), "%s: cannot move a leftover away: %s", orphan, strerror(number));
    }
    return PEN_OK;
}

/* Published folders whose record was never written: their run ended between the outputs of a node. */
static pen_status remove_orphans(struct pen_run *run, struct pen_error *err)
{
    for (int64_t i = 0; i < run->pipeline->n_nodes; i++) {
        const struct pen_node *node = &run->pipeline->nodes[i];
        for (const struct pen_component_port *port = node->component->outputs; port != NULL && port->key != NULL;
             port++) {
            struct pen_arena arena = {0};
            char **names = NULL;
            int64_t n_names = 0;
            const char *folder = pen_arena_printf(&arena, "%s/%s/%s", run->metadata.root, node->name, port->key);
            pen_status status = PEN_OK;
            if (folder != NULL && pen_path_is_directory(folder)) {
                status = pen_directory_list(&arena, folder, &names, &n_names, err);
            }
            for (int64_t k = 0; status == PEN_OK && k < n_names; k++) {
                int64_t number = 0;
                const pen_json *made = pen_parse_int64(names[k], strlen(names[k]), &number)
                                           ? pen_metadata_find_execution(&run->metadata, number)
                                           : NULL;
                if (made == NULL || strcmp(text_of(made, "status"), "succeeded") != 0) {
                    status = put_away(run, &arena, folder, node->name, port->key, names[k], err);
                }
            }
            pen_arena_deinit(&arena);
            PEN_TRY(status);
        }
    }
    return PEN_OK;
}

/* The folders in a run's folder: half-made outputs, and orphans put away; logs stay. */
static pen_status remove_staging(struct pen_run *run, const char *name, struct pen_error *err)
{
    struct pen_arena arena = {0};
    char **names = NULL;
    int64_t n_names = 0;
    const char *folder = pen_arena_printf(&arena, "%s/runs/%s", run->metadata.root, name);
    pen_status status = PEN_OK;
    if (folder != NULL && pen_path_is_directory(folder)) {
        status = pen_directory_list(&arena, folder, &names, &n_names, err);
    }
    for (int64_t i = 0; status == PEN_OK && i < n_names; i++) {
        const char *staged = pen_arena_printf(&arena, "%s/%s", folder, names[i]);
        if (staged != NULL && pen_path_is_directory(staged)) {
            status = pen_directory_remove(staged, err);
        }
    }
    pen_arena_deinit(&arena);
    return status;
}

/* What the run before left, when it did not end well. Staging of a node that failed is kept for a look. */
static pen_status clean_leftovers(struct pen_run *run, struct pen_error *err)
{
    const pen_json *last = pen_metadata_find_run(&run->metadata, NULL);
    const char *status = last == NULL ? "succeeded" : text_of(last, "status");
    bool ended_well = strcmp(status, "succeeded") == 0 || strcmp(status, "cached") == 0;
    if (ended_well && run->metadata.n_abandoned == 0 && !run->joined) {
        return PEN_OK;
    }
    if (strcmp(status, "failed") != 0) {
        PEN_TRY(remove_staging(run, text_of(last, "run"), err));
    }
    PEN_TRY(remove_orphans(run, err));
    return remove_staging(run, run->name, err);
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

static void add_outputs(pen_json *node, const pen_json *outputs)
{
    const char *port = NULL;
    const pen_json *output = NULL;
    pen_json *made = pen_json_object();
    for (int64_t i = 0; pen_json_member(outputs, i, &port, &output); i++) {
        pen_json *artifact = pen_json_object();
        pen_json_set_string(artifact, "id", text_of(output, "id"));
        pen_json_set_string(artifact, "hash", text_of(output, "hash"));
        pen_json_set(made, port, artifact);
    }
    pen_json_set(node, "outputs", made);
}

static void add_node_result(struct pen_run *run, const pen_json *record)
{
    pen_json *node = pen_json_object();
    pen_json_set_string(node, "node", text_of(record, "node"));
    pen_json_set_string(node, "status", text_of(record, "status"));
    pen_json_set_double(node, "seconds", pen_json_number_or(pen_json_get(record, "seconds"), 0));
    if (text_of(record, "message")[0] != '\0') {
        pen_json_set_string(node, "message", text_of(record, "message"));
    }
    add_outputs(node, pen_json_get(record, "outputs"));
    pen_json_push(run->nodes, node);
    if (run->options->watch != NULL) {
        run->options->watch->node_ends(run->options->watch->user, record);
    }
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
        if (failure != PEN_OK) {
            record = pen_json_object();
            pen_json_set_string(record, "node", node->name);
            pen_json_set_string(record, "status", "skipped");
        } else {
            failure = pen_execution_run(run, node, &record, err);
        }
        if (record == NULL) { /* the journal itself failed */
            return failure;
        }
        add_node_result(run, record);
        pen_json_free(record);
    }
    return failure;
}

static bool took_part(const struct pen_run *run, const char *node)
{
    if (run->options->run != NULL) {
        return true; /* what stands in was made by earlier steps of this run */
    }
    for (int64_t i = 0; i < pen_json_size(run->nodes); i++) {
        if (strcmp(text_of(pen_json_at(run->nodes, i), "node"), node) == 0) {
            return true;
        }
    }
    return false;
}

/* Of an artifact of this run, not of one that stands in for a node left out. */
static const pen_json *property(const struct pen_run *run, const char *type, const char *name)
{
    const char *node = NULL;
    const pen_json *outputs = NULL;
    const pen_json *found = NULL;
    for (int64_t i = 0; pen_json_member(run->outputs, i, &node, &outputs); i++) {
        const char *port = NULL;
        const pen_json *output = NULL;
        for (int64_t k = 0; took_part(run, node) && pen_json_member(outputs, k, &port, &output); k++) {
            if (strcmp(text_of(output, "type"), type) == 0) {
                found = pen_json_get(pen_json_get(output, "properties"), name);
            }
        }
    }
    return found;
}

static pen_json *make_outcome(struct pen_run *run, const char *status, double seconds)
{
    const pen_json *blessed = property(run, "ModelBlessing", "blessed");
    const pen_json *pushed = property(run, "PushedModel", "path");
    bool was_pushed = pen_json_bool_or(property(run, "PushedModel", "pushed"), false);
    pen_json *outcome = pen_json_object();
    pen_json_set_int(outcome, "schema", 1);
    pen_json_set_string(outcome, "run", run->name);
    pen_json_set_string(outcome, "status", status);
    pen_json_set_double(outcome, "seconds", seconds);
    pen_json_set_string(outcome, "device", run->device);
    pen_json_set_string(outcome, "root", run->metadata.root);
    pen_json_set(outcome, "nodes", pen_json_copy(run->nodes));
    pen_json_set(outcome, "blessed", blessed == NULL ? pen_json_null() : pen_json_copy(blessed));
    pen_json_set(outcome, "pushed", was_pushed && pushed != NULL ? pen_json_copy(pushed) : pen_json_null());
    return outcome;
}

static bool all_cached(const struct pen_run *run)
{
    for (int64_t i = 0; i < pen_json_size(run->nodes); i++) {
        if (strcmp(text_of(pen_json_at(run->nodes, i), "status"), "cached") != 0) {
            return false;
        }
    }
    return true;
}

static pen_status finish(struct pen_run *run, pen_status failure, double seconds, pen_json **outcome,
                         struct pen_error *err)
{
    const char *status = failure == PEN_OK              ? (all_cached(run) ? "cached" : "succeeded")
                         : failure == PEN_ERR_CANCELLED ? "cancelled"
                                                        : "failed";
    if (run->options->run != NULL) {
        seconds = pen_step_seconds(run);
        status = failure == PEN_OK ? pen_step_status(run) : status;
    }
    *outcome = make_outcome(run, status, seconds);
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
                        struct pen_error *err)
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
    PEN_TRY(pen_reuse_find_run(run, &run->resumed, err));
    PEN_TRY(options->run == NULL ? PEN_OK : pen_step_enter(run, err));
    PEN_TRY(make_run_folder(run, err));
    PEN_TRY(clean_leftovers(run, err));
    PEN_TRY(run->joined ? record_join(run, err) : record_start(run, choice.reason, key, err));
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
    pen_arena_deinit(&run->arena);
}

/* What the pipeline file may say and this runner does not do is an error, never left out in silence. A runner that puts
 * a run together from steps has retries, time limits and notification of its own. */
static pen_status check_demands(const struct pen_pipeline *pipeline, bool is_step, struct pen_error *err)
{
    const struct pen_settings *settings = &pipeline->settings;
    const char *demand = settings->timeout_s > 0                                      ? "timeout"
                         : settings->on_success.n_items > 0                           ? "on_success"
                         : settings->on_failure.n_items > 0                           ? "on_failure"
                         : settings->on_exit.n_items > 0                              ? "on_exit"
                         : settings->notify.on_success || settings->notify.on_failure ? "notify"
                                                                                      : NULL;
    if (demand != NULL && !is_step) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "%s: '%s' is for exports; penstock run does not do it: leave it out",
                 pipeline->file, demand);
    }
    for (int64_t i = 0; i < pipeline->n_nodes; i++) {
        const struct pen_node *node = &pipeline->nodes[i];
        demand = node->when != NULL                                       ? "when"
                 : !is_step && node->policy.timeout_s > 0                 ? "timeout"
                 : !is_step && pen_policy_most_retries(&node->policy) > 0 ? "retries"
                                                                          : NULL;
        if (demand != NULL) {
            PEN_FAIL(err, PEN_ERR_CONFIG, "%s: node %s: '%s' is not done by %s: leave it out", pipeline->file,
                     node->name, demand, is_step ? "penstock component" : "penstock run; it is for exports");
        }
    }
    return PEN_OK;
}

pen_status pen_run_pipeline(const struct pen_pipeline *pipeline, const struct pen_run_options *options,
                            pen_json **outcome, struct pen_error *err)
{
    struct pen_run run;
    double began = pen_clock_seconds();
    *outcome = NULL;
    PEN_TRY(check_demands(pipeline, options->run != NULL, err));
    bool *selected = pen_calloc(pipeline->n_nodes, sizeof *selected);
    if (selected == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: starting a run");
    }
    pen_status status = pen_select_nodes(pipeline, options, selected, err);
    if (status == PEN_OK) {
        status = start(&run, pipeline, options, err);
        if (status == PEN_OK) {
            status = run_nodes(&run, selected, err);
            status = finish(&run, status, pen_clock_seconds() - began, outcome, err);
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
