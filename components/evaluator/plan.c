/* Reading the evaluator section. */
#include "components/evaluator/plan.h"

#include <stdio.h>
#include <string.h>

enum { MOST_THRESHOLDS = 100, MOST_METRICS = 64 };

#define OPTION(field) offsetof(struct pen_evaluator_options, field)
const struct pen_option pen_evaluator_option_table[] = {
    {"metrics", PEN_OPTION_STRINGS, OPTION(metrics), NULL, 0, 0, NULL,
     "metrics to compute, such as [auc, precision@0.3]; default: those usual for the label"},
    {"slices", PEN_OPTION_NODE, OPTION(slices), NULL, 0, 0, NULL,
     "groups of rows: [[], [column], [column, column], {column: value}]"},
    {"thresholds", PEN_OPTION_NODE, OPTION(thresholds), NULL, 0, 0, NULL,
     "what blesses: {auc: {min: 0.7, min_change: 0, slices: [[]]}}"},
    {"decision_thresholds", PEN_OPTION_NODE, OPTION(decision_thresholds), NULL, 0, 0, NULL,
     "probabilities above which a row counts as positive, the first one for metrics without @; default [0.5]"},
    {"confidence", PEN_OPTION_NODE, OPTION(confidence), NULL, 0, 0, NULL,
     "{method: jackknife | bootstrap | none, level: 0.95, samples: 20, seed: 1}"},
    {"split", PEN_OPTION_STRING, OPTION(split), "eval", 0, 0, NULL, "the split to evaluate on"},
    {"top_k", PEN_OPTION_INT, OPTION(top_k), "3", 1, 1e6, NULL, "k of top_k_accuracy"},
    {"min_slice_size", PEN_OPTION_INT, OPTION(min_slice_size), "10", 1, 1e12, NULL, "smaller slices are left out"},
    {"max_slices", PEN_OPTION_INT, OPTION(max_slices), "1000", 1, 1e6, NULL, "largest slices kept of each kind"},
    {"max_slice_values", PEN_OPTION_INT, OPTION(max_slice_values), "1000", 1, 1e6, NULL,
     "number columns with more different values are not sliced by"},
    {NULL, PEN_OPTION_BOOL, 0, NULL, 0, 0, NULL, NULL}};

static const char *const methods[] = {"none", "jackknife", "bootstrap", NULL}; /* in the order of enum pen_resample */

struct confidence_options {
    int method;
    double level;
    int64_t samples, seed;
};

static const struct pen_option confidence_table[] = {
    {"method", PEN_OPTION_ENUM, offsetof(struct confidence_options, method), "jackknife", 0, 0, methods, "how"},
    {"level", PEN_OPTION_DOUBLE, offsetof(struct confidence_options, level), "0.95", 0.5, 0.9999, NULL, "coverage"},
    {"samples", PEN_OPTION_INT, offsetof(struct confidence_options, samples), "20", 2, PEN_RESAMPLE_LANES_MAX - 1, NULL,
     "buckets or resamples"},
    {"seed", PEN_OPTION_INT, offsetof(struct confidence_options, seed), "1", 0, 1e15, NULL, "of the resampling"},
    {NULL, PEN_OPTION_BOOL, 0, NULL, 0, 0, NULL, NULL}};

static pen_status read_decisions(struct pen_arena *arena, const struct pen_config_node *node,
                                 struct pen_evaluator_plan *plan, struct pen_error *err)
{
    bool list = node != NULL && node->kind == PEN_CONFIG_LIST;
    int64_t n = list ? node->n_children : 1;
    double *thresholds = pen_arena_alloc(arena, MOST_THRESHOLDS, sizeof *thresholds);
    if (thresholds == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: evaluator options");
    }
    if (n < 1 || n > MOST_THRESHOLDS / 2) {
        return pen_config_error(node, err, "decision_thresholds: expected 1 to %d numbers, found %lld",
                                MOST_THRESHOLDS / 2, (long long)n);
    }
    thresholds[0] = 0.5;
    for (int64_t i = 0; node != NULL && i < n; i++) {
        PEN_TRY(pen_config_double(list ? node->children[i] : node, "decision_thresholds", &thresholds[i], err));
    }
    plan->metrics.thresholds = thresholds;
    plan->metrics.n_thresholds = n;
    return PEN_OK;
}

/* Says what there is: for a label of this task, or PEN_TASK_NONE: for any. */
static pen_status fail_unknown(const struct pen_config_node *node, const char *plain, enum pen_task task,
                               struct pen_error *err)
{
    static const char *const labels[] = {[PEN_TASK_NONE] = "any",
                                         [PEN_TASK_BINARY] = "a binary",
                                         [PEN_TASK_MULTICLASS] = "a multi-class",
                                         [PEN_TASK_REGRESSION] = "a regression"};
    const char *names[MOST_METRICS];
    char list[PEN_ERROR_MESSAGE_BYTES / 2] = "";
    char quoted[PEN_QUOTE_BYTES];
    int64_t n = 0;
    size_t used = 0;
    for (const struct pen_metric *m = pen_metrics; m->name != NULL && n < MOST_METRICS; m++) {
        bool again = false;
        for (int64_t i = 0; i < n; i++) {
            again = again || strcmp(names[i], m->name) == 0;
        }
        if (!again && (task == PEN_TASK_NONE || m->task == task)) {
            int more = snprintf(list + used, sizeof list - used, "%s%s", n == 0 ? "" : ", ", m->name);
            used += more > 0 && (size_t)more < sizeof list - used ? (size_t)more : 0;
            names[n++] = m->name;
        }
    }
    const char *near = pen_nearest_name(plain, names, n);
    return pen_config_error(
        node, err, "unknown metric '%s' for %s label; %s%s%s", pen_quote(quoted, plain, strlen(plain)), labels[task],
        near != NULL ? "did you mean '" : "there are ", near != NULL ? near : list, near != NULL ? "'?" : "");
}

/* "precision" of "precision@0.3"; NULL without memory. */
static const char *plain_name(struct pen_arena *arena, const char *name)
{
    const char *at = strchr(name, '@');
    return pen_arena_strndup(arena, name, at != NULL ? (size_t)(at - name) : strlen(name));
}

static pen_status check_name(struct pen_arena *arena, const char *name, const struct pen_config_node *node,
                             struct pen_error *err)
{
    const char *plain = plain_name(arena, name);
    if (plain == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: metrics");
    }
    for (const struct pen_metric *m = pen_metrics; m->name != NULL; m++) {
        if (strcmp(m->name, plain) == 0) {
            return PEN_OK;
        }
    }
    return fail_unknown(node, plain, PEN_TASK_NONE, err);
}

/* Where the metric asked for stands in the pipeline file. */
static const struct pen_config_node *asked_node(const struct pen_evaluator_plan *plan, int64_t i)
{
    const struct pen_config_node *list = plan->metrics_node;
    return list->kind == PEN_CONFIG_LIST ? list->children[i] : list;
}

pen_status pen_evaluator_plan_read(const struct pen_component_context *context, struct pen_evaluator_plan *plan,
                                   struct pen_error *err)
{
    struct confidence_options confidence;
    *plan = (struct pen_evaluator_plan){0};
    struct pen_evaluator_options *options = &plan->options;
    PEN_TRY(pen_config_options(context->arena, options, sizeof *options, pen_evaluator_option_table, context->options,
                               context->node, err));
    PEN_TRY(pen_config_options(context->arena, &confidence, sizeof confidence, confidence_table, options->confidence,
                               "confidence", err));
    plan->confidence =
        (struct pen_confidence){confidence.method, confidence.level, confidence.samples, confidence.seed};
    PEN_TRY(pen_slice_specs(context->arena, options->slices, &plan->specs, &plan->n_specs, err));
    PEN_TRY(pen_thresholds_read(context->arena, options->thresholds, &plan->thresholds, err));
    plan->metrics_node = pen_config_get(context->options, "metrics");
    for (int64_t i = 0; i < options->metrics.n_items; i++) {
        PEN_TRY(check_name(context->arena, options->metrics.items[i], asked_node(plan, i), err));
    }
    for (int64_t i = 0; i < plan->thresholds.n_items; i++) {
        PEN_TRY(check_name(context->arena, plan->thresholds.items[i].metric, plan->thresholds.items[i].node, err));
    }
    plan->metrics.top_k = options->top_k;
    return read_decisions(context->arena, options->decision_thresholds, plan, err);
}

/* "precision@0.3" into its metric and threshold; the threshold is added to the list when it is new. */
static pen_status resolve(struct pen_arena *arena, struct pen_evaluator_plan *plan, enum pen_task task,
                          const char *name, const struct pen_config_node *node, struct pen_metric_choice *choice,
                          struct pen_error *err)
{
    const char *at = strchr(name, '@');
    const char *plain = plain_name(arena, name);
    if (plain == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: metrics");
    }
    *choice = (struct pen_metric_choice){pen_metric_find(plain, task), name, 0};
    if (choice->metric == NULL) {
        return fail_unknown(node, plain, task, err);
    }
    if (at == NULL) {
        return PEN_OK;
    }
    double wanted = 0, *thresholds = (double *)(uintptr_t)plan->metrics.thresholds;
    if (!choice->metric->at_threshold || !pen_parse_double(at + 1, strlen(at + 1), &wanted) ||
        plan->metrics.n_thresholds >= MOST_THRESHOLDS) {
        char quoted[PEN_QUOTE_BYTES];
        return pen_config_error(node, err, "expected a metric such as precision@0.3, found '%s'",
                                pen_quote(quoted, name, strlen(name)));
    }
    while (choice->threshold < plan->metrics.n_thresholds &&
           (thresholds[choice->threshold] < wanted || thresholds[choice->threshold] > wanted)) {
        choice->threshold++;
    }
    if (choice->threshold == plan->metrics.n_thresholds) {
        thresholds[plan->metrics.n_thresholds++] = wanted;
    }
    return PEN_OK;
}

static bool has(const struct pen_metric_choice *choices, int64_t n, const char *name)
{
    for (int64_t i = 0; i < n; i++) {
        if (strcmp(choices[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A change that can only hold when the model gets worse is a slip of the pen. */
static pen_status check_direction(const struct pen_threshold *item, const struct pen_metric *metric,
                                  struct pen_error *err)
{
    bool wants_more = item->rule == PEN_RULE_MIN_CHANGE || item->rule == PEN_RULE_MIN_RELATIVE_CHANGE;
    bool wants_less = item->rule == PEN_RULE_MAX_CHANGE || item->rule == PEN_RULE_MAX_RELATIVE_CHANGE;
    if (wants_more && metric->direction == PEN_LOWER_IS_BETTER) {
        return pen_config_error(item->node, err,
                                "thresholds.%s: lower is better; expected max_change, found min_change", item->metric);
    }
    if (wants_less && metric->direction == PEN_HIGHER_IS_BETTER) {
        return pen_config_error(item->node, err,
                                "thresholds.%s: higher is better; expected min_change, found max_change", item->metric);
    }
    return PEN_OK;
}

pen_status pen_evaluator_plan_metrics(struct pen_arena *arena, struct pen_evaluator_plan *plan, enum pen_task task,
                                      struct pen_error *err)
{
    const struct pen_config_strings *asked = &plan->options.metrics;
    int64_t n_rows = 0, n = 0;
    for (const struct pen_metric *m = pen_metrics; m->name != NULL; m++) {
        n_rows++;
    }
    struct pen_metric_choice *choices =
        pen_arena_alloc(arena, n_rows + asked->n_items + plan->thresholds.n_items + 1, sizeof *choices);
    if (choices == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: metrics");
    }
    for (const struct pen_metric *m = pen_metrics; asked->n_items == 0 && m->name != NULL; m++) {
        if (m->task == task && m->is_default) {
            choices[n++] = (struct pen_metric_choice){m, m->name, 0};
        }
    }
    for (int64_t i = 0; i < asked->n_items; i++) {
        if (!has(choices, n, asked->items[i])) {
            PEN_TRY(resolve(arena, plan, task, asked->items[i], asked_node(plan, i), &choices[n], err));
            n++;
        }
    }
    for (int64_t i = 0; i < plan->thresholds.n_items; i++) {
        const struct pen_threshold *item = &plan->thresholds.items[i];
        struct pen_metric_choice choice = {0};
        PEN_TRY(resolve(arena, plan, task, item->metric, item->node, &choice, err));
        PEN_TRY(check_direction(item, choice.metric, err));
        if (!has(choices, n, item->metric)) {
            choices[n++] = choice;
        }
    }
    plan->metrics.choices = choices;
    plan->metrics.n_choices = n;
    return PEN_OK;
}
