/* One node: gather inputs, compute the key, look in the cache, else run the child, write manifests, publish, record. */
#include "orchestrator/run/execution.h"

#include "core/files.h"
#include "core/log.h"
#include "orchestrator/run/cache_key.h"
#include "orchestrator/run/child.h"
#include "orchestrator/run/live.h"
#include "orchestrator/run/outputs.h"
#include "orchestrator/run/provided.h"
#include "orchestrator/run/reuse.h"
#include "orchestrator/run/skip.h"

#include <string.h>

struct execution {
    struct pen_component_context context;
    pen_json *input_ids;    /* port -> artifact id */
    pen_json *input_hashes; /* port -> content hash */
    bool inputs_known;      /* planning: false below a node that would run */
    const char *unmade;     /* its producer */
    pen_json *parts;
    char key[PEN_SHA256_HEX_BYTES];
    double began;
};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static pen_status out_of_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: preparing a node");
}

static void deinit(struct execution *execution)
{
    for (int64_t i = 0; i < execution->context.n_outputs; i++) {
        pen_json_free(execution->context.outputs[i].properties);
    }
    pen_json_free(execution->input_ids);
    pen_json_free(execution->input_hashes);
    pen_json_free(execution->parts);
}

/* One input: from a node of this run, or provided by the root's history. */
static pen_status gather_input(struct pen_run *run, const struct pen_node *node, const struct pen_node_input *input,
                               struct execution *execution, struct pen_component_input *out, struct pen_error *err)
{
    const char *key = input->port->key;
    struct pen_provided provided = {NULL, "", ""};
    out->key = key;
    if (input->node >= 0) {
        const char *producer = run->pipeline->nodes[input->node].name;
        const pen_json *outputs = pen_json_get(run->outputs, producer);
        const pen_json *output = pen_json_get(outputs, input->output);
        if (output != NULL) {
            provided.path = pen_arena_printf(&run->arena, "%s/%s", run->metadata.root, text_of(output, "uri"));
            provided.id = text_of(output, "id");
            provided.hash = text_of(output, "hash");
        } else if (outputs != NULL || !input->port->optional) { /* a plan notes null for a node that would run */
            execution->inputs_known = false;
            execution->unmade = producer;
        }
    } else {
        PEN_TRY(pen_provide_input(run, node, key, &provided, err));
    }
    out->path = provided.path;
    if (provided.path != NULL || provided.hash[0] != '\0') {
        pen_json_set_string(execution->input_ids, key, provided.id);
        pen_json_set_string(execution->input_hashes, key, provided.hash);
    }
    return PEN_OK;
}

static pen_status take_key(const struct pen_node *node, struct execution *execution, struct pen_error *err)
{
    pen_json_free(execution->parts);
    execution->parts = NULL;
    pen_status status = pen_cache_key(node->component, &execution->context, execution->input_hashes, &execution->parts,
                                      execution->key, err);
    execution->context.configuration = execution->parts;
    return status;
}

static pen_status prepare(struct pen_run *run, const struct pen_node *node, struct execution *execution,
                          struct pen_error *err)
{
    *execution = (struct execution){.inputs_known = true, .began = execution->began};
    execution->input_ids = pen_json_object();
    execution->input_hashes = pen_json_object();
    struct pen_component_input *inputs = pen_arena_alloc(&run->arena, node->n_inputs, sizeof *inputs);
    int64_t n_outputs = 0;
    while (node->component->outputs[n_outputs].key != NULL) {
        n_outputs++;
    }
    struct pen_component_output *outputs = pen_arena_alloc(&run->arena, n_outputs, sizeof *outputs);
    execution->context = (struct pen_component_context){
        .pipeline = run->pipeline->name,
        .node = node->name,
        .arena = &run->arena,
        .options = node->options,
        .base_directory = run->pipeline->base_directory,
        .device = node->component->on_device ? run->device : "cpu",
        .checkpoints = pen_arena_printf(&run->arena, "%s/checkpoints/%s", run->metadata.root, node->name),
        .resume = run->resumed != NULL,
        .n_ranks = node->component->over_ranks ? run->pipeline->n_ranks : 1,
        .n_inputs = node->n_inputs,
        .inputs = inputs,
        .n_outputs = n_outputs,
        .outputs = outputs,
    };
    if (inputs == NULL || outputs == NULL || execution->context.checkpoints == NULL) {
        execution->context.n_outputs = 0;
        return out_of_memory(err);
    }
    for (int64_t i = 0; i < n_outputs; i++) {
        outputs[i] = (struct pen_component_output){node->component->outputs[i].key, NULL, pen_json_object()};
    }
    for (int64_t i = 0; i < node->n_inputs; i++) {
        PEN_TRY(gather_input(run, node, &node->inputs[i], execution, &inputs[i], err));
    }
    if (!execution->inputs_known) {
        return PEN_OK;
    }
    return take_key(node, execution, err);
}

static pen_json *new_record(const struct pen_run *run, const struct pen_node *node, const struct execution *execution,
                            int64_t number, const char *status, double seconds)
{
    pen_json *record = pen_json_object();
    pen_json_set_string(record, "run", run->name);
    pen_json_set_string(record, "node", node->name);
    pen_json_set_string(record, "component", node->component->name);
    pen_json_set_int(record, "execution", number);
    pen_json_set_string(record, "status", status);
    pen_json_set_double(record, "seconds", seconds);
    pen_json_set_string(record, "key", execution->key);
    if (run->attempt > 1) {
        pen_json_set_int(record, "attempt", run->attempt);
    }
    if (execution->parts != NULL) { /* without: the node failed before its key was known */
        pen_json_set(record, "parts", pen_json_copy(execution->parts));
    }
    pen_json_set(record, "inputs",
                 execution->input_ids == NULL ? pen_json_object() : pen_json_copy(execution->input_ids));
    return record;
}

static void add_failure(pen_json *record, pen_status status, const struct pen_error *err)
{
    pen_json_set_string(record, "message", err == NULL ? "" : err->message);
    if (status != PEN_ERR_CANCELLED) {
        pen_json_set_string(record, "failure", pen_failure_names[pen_failure_of(status)]);
    }
}

/* Puts the record in the journal and gives the caller a copy, with the outputs a hit of the cache leaves out. */
static pen_status keep(struct pen_run *run, const struct pen_node *node, pen_json *record, const pen_json *outputs,
                       pen_json **copy, struct pen_error *err)
{
    *copy = pen_json_copy(record);
    if (outputs != NULL) {
        pen_json_set(run->outputs, node->name, pen_json_copy(outputs));
        pen_json_set(*copy, "outputs", pen_json_copy(outputs));
    }
    pen_status status = pen_metadata_record(&run->metadata, "execution", record, err);
    if (status != PEN_OK) {
        pen_json_free(*copy);
        *copy = NULL;
    }
    return status;
}

/* A push changes what its fingerprint looks at (the served version), so the key to remember is the one after it. */
static pen_status take_key_again(const struct pen_node *node, struct execution *execution, struct pen_error *err)
{
    bool pushes = false;
    for (const struct pen_component_port *port = node->component->outputs; port->key != NULL; port++) {
        pushes = pushes || strcmp(port->type, "PushedModel") == 0;
    }
    if (!pushes || node->component->fingerprint == NULL) {
        return PEN_OK;
    }
    return take_key(node, execution, err);
}

/* The node's own timeout, or what is left of the run's, whichever is over first. */
static pen_status set_timeout(struct pen_run *run, const struct pen_node *node, struct pen_child_options *how,
                              struct pen_error *err)
{
    const double left = run->deadline - pen_clock_seconds();
    const bool is_run = run->deadline > 0 && (node->policy.timeout_s == 0 || left < node->policy.timeout_s);
    const double whole = is_run ? run->pipeline->settings.timeout_s : node->policy.timeout_s;
    how->timeout_s = is_run ? left : node->policy.timeout_s;
    how->timeout_words = pen_arena_printf(&run->arena, "%s timeout of %g s", is_run ? "the run's" : "its", whole);
    if (how->timeout_words == NULL) {
        return out_of_memory(err);
    }
    if (is_run && left <= 0) {
        PEN_FAIL(err, PEN_ERR_TIMEOUT, "node %s: not begun, %s is over", node->name, how->timeout_words);
    }
    return PEN_OK;
}

static pen_status execute(struct pen_run *run, const struct pen_node *node, struct execution *execution,
                          pen_json **copy, struct pen_error *err)
{
    int64_t number = run->metadata.last_execution + 1;
    pen_json *begin = pen_json_object();
    pen_json_set_string(begin, "run", run->name);
    pen_json_set_string(begin, "node", node->name);
    pen_json_set_int(begin, "execution", number);
    if (run->attempt > 1) {
        pen_json_set_int(begin, "attempt", run->attempt);
    }
    PEN_TRY(pen_metadata_record(&run->metadata, "exec_start", begin, err));
    const struct pen_run_watch *watch = run->options->watch;
    if (watch != NULL) {
        watch->node_starts(watch->user, node->name);
    }
    double began = pen_clock_seconds();
    if (run->options->no_cache && run->resumed == NULL && run->attempt == 1) {
        PEN_TRY(pen_directory_remove(execution->context.checkpoints, err)); /* asked to do all of it again */
    }
    struct pen_live live;
    pen_json *outputs = pen_json_object();
    const char *log = pen_arena_printf(&run->arena, "%s/%s.log", run->folder, node->name);
    const char *task = pen_arena_printf(&run->arena, "%s/%s.task.json", run->folder, node->name);
    pen_status status =
        log == NULL || task == NULL ? out_of_memory(err) : pen_outputs_stage(run, &execution->context, node->name, err);
    if (status == PEN_OK) {
        struct pen_child_options how = {.log_path = log,
                                        .task_path = task,
                                        .ranks_timeout_s = run->pipeline->ranks_timeout_s,
                                        .grace_s = node->policy.grace_s,
                                        .watch = &live.watch};
        if (execution->context.n_ranks > 1) {
            how.launcher = run->pipeline->launcher;
        }
        status = set_timeout(run, node, &how, err);
        if (status == PEN_OK) {
            pen_live_begin(&live, run->folder, node->name, watch);
            status = pen_child_run(node->component, &execution->context, &how, err);
            pen_live_end(&live);
        }
    }
    if (status == PEN_OK) {
        status = pen_outputs_publish(run, node, &execution->context, number, outputs, err);
    }
    if (status == PEN_OK) {
        status = take_key_again(node, execution, err);
    }
    const char *word = status == PEN_OK ? "succeeded" : status == PEN_ERR_CANCELLED ? "cancelled" : "failed";
    pen_json *record = new_record(run, node, execution, number, word, pen_clock_seconds() - began);
    if (status == PEN_OK) {
        pen_json_set(record, "outputs", outputs);
        PEN_TRY(keep(run, node, record, outputs, copy, err));
        return pen_directory_remove(execution->context.checkpoints, err); /* of use until here */
    }
    pen_json_free(outputs);
    add_failure(record, status, err);
    pen_status kept = keep(run, node, record, NULL, copy, NULL);
    return kept == PEN_OK || status != PEN_OK ? status : kept;
}

/* A node that need not run: its record names the execution whose outputs it takes. */
static pen_status take(struct pen_run *run, const struct pen_node *node, const struct execution *execution,
                       const pen_json *earlier, pen_json **record, struct pen_error *err)
{
    static const char *const same[] = {"component", "execution", "key", "inputs"};
    pen_json *hit = pen_json_object();
    pen_json_set_string(hit, "run", run->name);
    pen_json_set_string(hit, "node", node->name);
    pen_json_set_string(hit, "status", "cached");
    pen_json_set_double(hit, "seconds", pen_clock_seconds() - execution->began);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        pen_json_set(hit, same[i], pen_json_copy(pen_json_get(earlier, same[i])));
    }
    return keep(run, node, hit, pen_metadata_member(&run->metadata, earlier, "outputs"), record, err);
}

static pen_status fail(struct pen_run *run, const struct pen_node *node, const struct execution *execution,
                       pen_json **record, const struct pen_error *err)
{
    pen_json *failed = new_record(run, node, execution, run->metadata.last_execution + 1, "failed",
                                  pen_clock_seconds() - execution->began);
    add_failure(failed, err == NULL ? PEN_ERR_FAILED : err->status, err);
    if (keep(run, node, failed, NULL, record, NULL) != PEN_OK) {
        pen_log(PEN_LOG_WARNING, "the failure of %s could not be recorded", node->name);
    }
    return err == NULL ? PEN_ERR_FAILED : err->status;
}

pen_status pen_execution_fail(struct pen_run *run, const struct pen_node *node, pen_json **record,
                              const struct pen_error *err)
{
    const struct execution none = {.began = pen_clock_seconds()};
    return fail(run, node, &none, record, err);
}

pen_status pen_execution_run(struct pen_run *run, const struct pen_node *node, pen_json **record, struct pen_error *err)
{
    struct execution execution = {.began = pen_clock_seconds()};
    struct pen_error problem = PEN_ERROR_INIT;
    *record = NULL;
    pen_status status = pen_cancel_check(err);
    if (status != PEN_OK) {
        pen_json *cancelled = new_record(run, node, &execution, run->metadata.last_execution + 1, "cancelled", 0);
        pen_status kept = keep(run, node, cancelled, NULL, record, NULL);
        return kept == PEN_OK ? status : kept;
    }
    const pen_json *earlier = pen_reuse_resumed(run, node);
    if (earlier != NULL) {
        return take(run, node, &execution, earlier, record, err);
    }
    status = prepare(run, node, &execution, &problem);
    if (status == PEN_OK && !execution.inputs_known) {
        status = pen_error_set(
            &problem, __FILE__, __LINE__, PEN_ERR_NOT_FOUND,
            "node %s: expected outputs of %s, which never succeeded: run that first, or without --from and --only",
            node->name, execution.unmade);
    }
    earlier = status == PEN_OK ? pen_reuse_cached(run, node, execution.key) : NULL;
    if (status == PEN_OK) {
        status = pen_metadata_check(&run->metadata, &problem);
    }
    if (status != PEN_OK) {
        status = fail(run, node, &execution, record, &problem);
        if (err != NULL) {
            *err = problem;
        }
    } else if (earlier != NULL) {
        status = take(run, node, &execution, earlier, record, err);
    } else {
        status = execute(run, node, &execution, record, err);
    }
    deinit(&execution);
    return status;
}

void pen_execution_stand_in(struct pen_run *run, const struct pen_node *node)
{
    const pen_json *record = run->options->run != NULL ? pen_reuse_of_run(run, node) : pen_reuse_last(run, node);
    if (run->options->run != NULL && pen_reuse_was_skipped(run, node)) {
        pen_json_set_bool(run->skipped, node->name, true);
    }
    if (record != NULL) {
        pen_json_set(run->outputs, node->name, pen_json_copy(pen_metadata_member(&run->metadata, record, "outputs")));
    }
}

static void add_changes(struct pen_run *run, const struct pen_node *node, const struct execution *execution,
                        pen_json *entry)
{
    const struct pen_metadata_query query = {.node = node->name, .has_outputs = true};
    const pen_json *before = pen_metadata_newest(&run->metadata, &query);
    if (before == NULL) {
        pen_json_set_string(entry, "reason", "never ran here");
        return;
    }
    pen_json *changes = pen_json_differences(pen_metadata_member(&run->metadata, before, "parts"), execution->parts);
    const char *first = pen_json_string_or(pen_json_at(changes, 0), "");
    pen_json_set_string(entry, "reason",
                        first[0] != '\0'                ? first
                        : run->options->no_cache        ? "--no-cache"
                        : node->component->never_cached ? "it always runs"
                                                        : "its outputs are gone or changed");
    pen_json_set(entry, "changes", changes);
}

pen_status pen_execution_plan(struct pen_run *run, const struct pen_node *node, bool selected, pen_json **entry,
                              struct pen_error *err)
{
    pen_json *plan = pen_json_object();
    pen_json_set_string(plan, "node", node->name);
    *entry = plan;
    if (!selected) {
        pen_json_set_string(plan, "action", "skip");
        pen_json_set_string(plan, "reason", "not selected");
        pen_execution_stand_in(run, node);
        return PEN_OK;
    }
    const char *skipped = NULL;
    bool is_open = false;
    pen_status status = pen_skip_plan(run, node, &skipped, &is_open, err);
    if (status == PEN_OK && skipped != NULL) {
        pen_json_set_string(plan, "action", "skip");
        pen_json_set_string(plan, "reason", skipped);
        return PEN_OK;
    }
    if (is_open) {
        pen_json_set_string(plan, "when", node->when->text);
    }
    struct execution execution = {0};
    const pen_json *resumed = status == PEN_OK ? pen_reuse_resumed(run, node) : NULL;
    if (status == PEN_OK && resumed == NULL) {
        status = prepare(run, node, &execution, err);
    }
    if (status == PEN_OK) {
        const pen_json *cached = resumed != NULL          ? resumed
                                 : execution.inputs_known ? pen_reuse_cached(run, node, execution.key)
                                                          : NULL;
        pen_json_set_string(plan, "action", cached != NULL ? "cached" : "run");
        pen_json_set(run->outputs, node->name, pen_json_null());
        if (cached != NULL) {
            const char *why = pen_arena_printf(&run->arena, "it succeeded in %s", run->resumed);
            pen_json_set_string(plan, "reason", resumed != NULL ? why : "nothing changed");
            pen_json_set(run->outputs, node->name,
                         pen_json_copy(pen_metadata_member(&run->metadata, cached, "outputs")));
        } else if (!execution.inputs_known) {
            pen_json_set_string(plan, "reason", "a node before it runs");
        } else {
            add_changes(run, node, &execution, plan);
        }
        status = pen_metadata_check(&run->metadata, err);
    }
    deinit(&execution);
    if (status != PEN_OK) {
        pen_json_free(plan);
        *entry = NULL;
    }
    return status;
}
