/* What two runs were made of and came to. Of a node that was tried again its last attempt counts. */
#include "orchestrator/query/compare.h"

#include "components/evaluator/metrics/metric.h"

#include <math.h>
#include <string.h>

enum { MOST_NODES = 4096 };

struct side {
    struct pen_metadata *metadata;
    const pen_json *run;
    const pen_json *executions[MOST_NODES]; /* in the order in which their nodes came first */
    int64_t n_executions;
};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* -1: not in this run. */
static int64_t find_node(const struct side *side, const char *node)
{
    int64_t i = side->n_executions - 1;
    while (i >= 0 && strcmp(text_of(side->executions[i], "node"), node) != 0) {
        i--;
    }
    return i;
}

static pen_status look(struct side *side, const struct pen_compared *of, struct pen_error *err)
{
    const struct pen_metadata_query query = {.run = of->run};
    *side = (struct side){.metadata = of->metadata, .run = pen_metadata_find_run(of->metadata, of->run)};
    if (side->run == NULL) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "%s has no run '%.80s'; penstock runs lists them", of->metadata->root,
                 of->run);
    }
    for (int64_t i = pen_metadata_seek(of->metadata, 0, 1, &query); i >= 0;
         i = pen_metadata_seek(of->metadata, i + 1, 1, &query)) {
        const pen_json *execution = pen_metadata_execution(of->metadata, i);
        const int64_t known = find_node(side, text_of(execution, "node"));
        if (known >= 0) {
            side->executions[known] = execution;
        } else if (side->n_executions < MOST_NODES) {
            side->executions[side->n_executions++] = execution;
        }
    }
    return PEN_OK;
}

static pen_json *describe_run(const struct side *side)
{
    static const char *const members[] = {"run", "name", "status", "seconds", "device", "time"};
    pen_json *run = pen_json_object();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const pen_json *value = pen_json_get(side->run, members[i]);
        pen_json_set(run, members[i], value == NULL ? pen_json_null() : pen_json_copy(value));
    }
    return run;
}

/* ---- metrics ---- */

static const pen_json *evaluation_of(const struct side *side)
{
    for (int64_t i = side->n_executions - 1; i >= 0; i--) {
        const pen_json *outputs = pen_metadata_member(side->metadata, side->executions[i], "outputs"), *output = NULL;
        const char *port = NULL;
        for (int64_t k = 0; pen_json_member(outputs, k, &port, &output); k++) {
            if (strcmp(text_of(output, "type"), "ModelEvaluation") == 0) {
                return pen_json_get(output, "properties");
            }
        }
    }
    return NULL;
}

/* Once, and when a number stands for it on either side. */
static void add_metric(pen_json *metrics, const char *name, const pen_json *a, const pen_json *b)
{
    const pen_json *before = pen_json_get(a, name), *after = pen_json_get(b, name);
    const double change = pen_json_number_or(after, NAN) - pen_json_number_or(before, NAN);
    if (!pen_json_is_number(before) && !pen_json_is_number(after)) {
        return;
    }
    for (int64_t i = 0; i < pen_json_size(metrics); i++) {
        if (strcmp(text_of(pen_json_at(metrics, i), "metric"), name) == 0) {
            return;
        }
    }
    pen_json *metric = pen_json_object();
    pen_json_set_string(metric, "metric", name);
    pen_json_set(metric, "a", before == NULL ? pen_json_null() : pen_json_copy(before));
    pen_json_set(metric, "b", after == NULL ? pen_json_null() : pen_json_copy(after));
    pen_json_set(metric, "change", isfinite(change) ? pen_json_double(change) : pen_json_null());
    pen_json_push(metrics, metric);
}

/* In the evaluator's order, then what it does not know by this name. */
static pen_json *compare_metrics(const struct side *a, const struct side *b)
{
    const pen_json *sides[2] = {evaluation_of(a), evaluation_of(b)}, *value = NULL;
    const char *name = NULL;
    pen_json *metrics = pen_json_array();
    for (int64_t i = 0; pen_metrics[i].name != NULL; i++) {
        add_metric(metrics, pen_metrics[i].name, sides[0], sides[1]);
    }
    for (int s = 0; s < 2; s++) {
        for (int64_t i = 0; pen_json_member(sides[s], i, &name, &value); i++) {
            add_metric(metrics, name, sides[0], sides[1]);
        }
    }
    return metrics;
}

/* ---- nodes ---- */

static pen_json *compare_parts(const struct side *a, const struct side *b)
{
    pen_json *changes = pen_json_array();
    for (int64_t i = 0; i < a->n_executions; i++) {
        const char *node = text_of(a->executions[i], "node");
        const int64_t k = find_node(b, node);
        pen_json *differences = k < 0
                                    ? pen_json_array()
                                    : pen_json_differences(pen_metadata_member(a->metadata, a->executions[i], "parts"),
                                                           pen_metadata_member(b->metadata, b->executions[k], "parts"));
        if (pen_json_size(differences) == 0) {
            pen_json_free(differences);
            continue;
        }
        pen_json *change = pen_json_object();
        pen_json_set_string(change, "node", node);
        pen_json_set(change, "differences", differences);
        pen_json_push(changes, change);
    }
    return changes;
}

static pen_json *describe_node(const struct side *side, const char *node)
{
    const int64_t i = find_node(side, node);
    if (i < 0) {
        return pen_json_null();
    }
    pen_json *json = pen_json_object();
    pen_json_set_string(json, "status", text_of(side->executions[i], "status"));
    pen_json_set_double(json, "seconds", pen_json_number_or(pen_json_get(side->executions[i], "seconds"), 0));
    return json;
}

static void add_node(pen_json *nodes, const char *name, const struct side *a, const struct side *b)
{
    pen_json *node = pen_json_object();
    pen_json_set_string(node, "node", name);
    pen_json_set(node, "a", describe_node(a, name));
    pen_json_set(node, "b", describe_node(b, name));
    pen_json_push(nodes, node);
}

static pen_json *compare_nodes(const struct side *a, const struct side *b)
{
    pen_json *nodes = pen_json_array();
    for (int64_t i = 0; i < a->n_executions; i++) {
        add_node(nodes, text_of(a->executions[i], "node"), a, b);
    }
    for (int64_t i = 0; i < b->n_executions; i++) {
        if (find_node(a, text_of(b->executions[i], "node")) < 0) {
            add_node(nodes, text_of(b->executions[i], "node"), a, b);
        }
    }
    return nodes;
}

static pen_status compare(const struct pen_compared *a, const struct pen_compared *b, struct side *sides,
                          pen_json **document, struct pen_error *err)
{
    PEN_TRY(look(&sides[0], a, err));
    PEN_TRY(look(&sides[1], b, err));
    pen_json *all = pen_json_object();
    pen_json_set_int(all, "schema", 1);
    pen_json_set(all, "a", describe_run(&sides[0]));
    pen_json_set(all, "b", describe_run(&sides[1]));
    pen_json_set(all, "metrics", compare_metrics(&sides[0], &sides[1]));
    pen_json_set(all, "changes", compare_parts(&sides[0], &sides[1]));
    pen_json_set(all, "nodes", compare_nodes(&sides[0], &sides[1]));
    pen_status status = pen_metadata_check(a->metadata, err);
    status = status == PEN_OK ? pen_metadata_check(b->metadata, err) : status;
    if (status != PEN_OK) {
        pen_json_free(all);
        return status;
    }
    *document = all;
    return PEN_OK;
}

pen_status pen_runs_compare(const struct pen_compared *a, const struct pen_compared *b, pen_json **document,
                            struct pen_error *err)
{
    struct side *sides = NULL;
    *document = NULL;
    PEN_ALLOC(sides, 2, err);
    pen_status status = compare(a, b, sides, document, err);
    pen_free(sides);
    return status;
}
