/* What analyzers gather of numbers, tile by tile, and how the segments come together in row order. */
#include "components/transform/analyze_internal.h"

#include <math.h>
#include <string.h>

enum pen_gathering pen_gathering_of(const struct pen_transform_graph *graph, int32_t index)
{
    const struct pen_node *node = &graph->nodes[index];
    switch ((int)node->op) {
    case PEN_NODE_ZSCORE:
    case PEN_NODE_MINMAX:
    case PEN_NODE_MEAN:
    case PEN_NODE_STD:
    case PEN_NODE_VAR:
    case PEN_NODE_MINIMUM:
    case PEN_NODE_MAXIMUM:
        return PEN_GATHER_MOMENTS;
    case PEN_NODE_SUM:
        return PEN_GATHER_SUM;
    case PEN_NODE_BUCKETIZE:
    case PEN_NODE_RANK:
    case PEN_NODE_MEDIAN:
    case PEN_NODE_QUANTILE:
    case PEN_NODE_ROBUST:
        return PEN_GATHER_VALUES;
    case PEN_NODE_BUCKETIZE_BY:
        return PEN_GATHER_VALUES_BY;
    case PEN_NODE_STATISTIC_BY:
        return node->integer[0] >= PEN_STATISTIC_MEDIAN ? PEN_GATHER_VALUES_BY : PEN_GATHER_MOMENTS_BY;
    case PEN_NODE_TFIDF:
        return PEN_GATHER_DOCUMENTS;
    default: /* VOCAB, VOCAB_LIST, MODE, CLASSES */
        return PEN_GATHER_COUNTS;
    }
}

/* ---- totals ---- */

static pen_status check_groups(const struct pen_transform_graph *graph, const struct pen_analyzer_total *total,
                               int64_t most, const char *hint, struct pen_error *err)
{
    const struct pen_node *node = &graph->nodes[total->node];
    if (total->n_groups > most) {
        return pen_syntax_error(node->source, node->offset, err, "%s: expected at most %lld %s, found %lld; %s",
                                node->op == PEN_NODE_TFIDF ? "tfidf" : "by", (long long)most,
                                node->op == PEN_NODE_TFIDF ? "ids" : "groups", (long long)total->n_groups, hint);
    }
    return PEN_OK;
}

pen_status pen_total_init(struct pen_analyzer_total *total, const struct pen_transform_graph *graph, int32_t index,
                          struct pen_counts *counts, struct pen_error *err)
{
    const struct pen_node *node = &graph->nodes[index];
    *total = (struct pen_analyzer_total){.node = index,
                                         .kind = pen_gathering_of(graph, index),
                                         .moments = PEN_COLUMN_MOMENTS_INIT,
                                         .sketch = {.level_values = PEN_SKETCH_LEVEL_VALUES},
                                         .counts = counts};
    if (total->kind == PEN_GATHER_DOCUMENTS) {
        total->n_groups = pen_node_n_values(graph, node->arguments[0]);
        return check_groups(graph, total, PEN_TRANSFORM_MAX_ONEHOT, "take the most frequent ones by top_k", err);
    }
    if (total->kind != PEN_GATHER_MOMENTS_BY && total->kind != PEN_GATHER_VALUES_BY) {
        return PEN_OK;
    }
    static const char hint[] = "write by: vocab(x, top_k: 1000, oov: 1)";
    total->n_groups = pen_node_n_values(graph, node->arguments[1]);
    if (total->kind == PEN_GATHER_VALUES_BY) {
        PEN_TRY(check_groups(graph, total, PEN_TRANSFORM_MAX_SKETCHES, hint, err));
        PEN_ALLOC(total->sketches, total->n_groups, err);
        for (int64_t g = 0; g < total->n_groups; g++) {
            total->sketches[g].level_values = PEN_SKETCH_SMALL_LEVEL_VALUES;
        }
        return PEN_OK;
    }
    PEN_TRY(check_groups(graph, total, PEN_TRANSFORM_MAX_GROUPS, hint, err));
    PEN_ALLOC(total->groups, total->n_groups, err);
    return PEN_OK;
}

void pen_total_deinit(struct pen_analyzer_total *total)
{
    pen_sketch_deinit(&total->sketch);
    for (int64_t g = 0; total->sketches != NULL && g < total->n_groups; g++) {
        pen_sketch_deinit(&total->sketches[g]);
    }
    pen_free(total->sketches);
    pen_free(total->groups);
}

void pen_gathered_deinit(struct pen_gathered *g)
{
    pen_free(g->values);
    pen_free(g->groups);
}

/* ---- a tile ---- */

/* A sum that loses nothing that a second double can hold (Neumaier). */
static void add_exactly(double *sum, double *lost, double x)
{
    double larger = *sum + x;
    *lost += fabs(*sum) >= fabs(x) ? (*sum - larger) + x : (x - larger) + *sum;
    *sum = larger;
}

static pen_status gather_values(struct pen_gathered *g, const double *x, int64_t n, struct pen_error *err)
{
    PEN_TRY(pen_grow((void **)&g->values, &g->values_capacity, g->n_values + n, sizeof *g->values, err));
    for (int64_t i = 0; i < n; i++) {
        g->values[g->n_values] = x[i];
        g->n_values += isfinite(x[i]) != 0;
    }
    return PEN_OK;
}

static pen_status gather_groups(struct pen_gathered *g, const int32_t *groups, int64_t n, struct pen_error *err)
{
    PEN_TRY(pen_grow((void **)&g->groups, &g->groups_capacity, g->n_values + n, sizeof *g->groups, err));
    memcpy(g->groups + g->n_values, groups, (size_t)n * sizeof *groups);
    return PEN_OK;
}

/* Beside the groups that came before; both close up over rows that have none. */
static pen_status gather_values_by(struct pen_gathered *g, const double *x, int64_t n, struct pen_error *err)
{
    PEN_TRY(pen_grow((void **)&g->values, &g->values_capacity, g->n_values + n, sizeof *g->values, err));
    const int32_t *groups = g->groups + g->n_values;
    for (int64_t i = 0; i < n; i++) {
        int32_t group = groups[i];
        g->values[g->n_values] = x[i];
        g->groups[g->n_values] = group;
        g->n_values += isfinite(x[i]) && group >= 0;
    }
    return PEN_OK;
}

pen_status pen_gather(const struct pen_evaluator *e, const struct pen_analyzer_total *total, struct pen_gathered *g,
                      struct pen_thread_counts *counts, struct pen_column_moments *part, bool groups,
                      const struct pen_value *value, int64_t n, struct pen_error *err)
{
    if (groups) {
        return gather_groups(g, value->data, n, err);
    }
    switch (total->kind) {
    case PEN_GATHER_MOMENTS: {
        const struct pen_columns_moments op = {.n = n, .x = pen_value_for_ops(e, value), .out = part};
        return e->exec->kernels->columns_moments(e->exec, &op, err);
    }
    case PEN_GATHER_SUM: {
        const double *x = value->data;
        for (int64_t i = 0; i < n; i++) {
            add_exactly(&g->sum, &g->lost, isfinite(x[i]) ? x[i] : 0);
        }
        return PEN_OK;
    }
    case PEN_GATHER_VALUES:
        return gather_values(g, value->data, n, err);
    case PEN_GATHER_MOMENTS_BY:
    case PEN_GATHER_VALUES_BY:
        return gather_values_by(g, value->data, n, err);
    case PEN_GATHER_COUNTS:
    case PEN_GATHER_DOCUMENTS:
        return pen_gather_counts(e, total, counts, value, n, err);
    }
    return PEN_OK;
}

/* ---- a segment ---- */

/* Welford's update, value by value. */
static void add_to_groups(struct pen_group *groups, const struct pen_gathered *g)
{
    for (int64_t i = 0; i < g->n_values; i++) {
        struct pen_group *to = &groups[g->groups[i]];
        double x = g->values[i], delta = x - to->mean;
        to->n++;
        to->mean += delta / (double)to->n;
        to->m2 += delta * (x - to->mean);
        to->min = to->n == 1 || x < to->min ? x : to->min;
        to->max = to->n == 1 || x > to->max ? x : to->max;
        add_exactly(&to->sum, &to->lost, x);
    }
}

pen_status pen_total_add_segment(struct pen_analyzer_total *total, struct pen_gathered *g, struct pen_error *err)
{
    if (total->kind == PEN_GATHER_MOMENTS) {
        pen_column_moments_merge(&total->moments, &g->moments);
        g->moments = (struct pen_column_moments)PEN_COLUMN_MOMENTS_INIT;
    } else if (total->kind == PEN_GATHER_SUM) {
        add_exactly(&total->sum, &total->lost, g->sum);
        total->lost += g->lost;
        g->sum = 0;
        g->lost = 0;
    } else if (total->kind == PEN_GATHER_VALUES) {
        PEN_TRY(pen_sketch_add(&total->sketch, g->values, g->n_values, err));
    } else if (total->kind == PEN_GATHER_MOMENTS_BY) {
        add_to_groups(total->groups, g);
    } else if (total->kind == PEN_GATHER_VALUES_BY) {
        for (int64_t i = 0; i < g->n_values; i++) {
            PEN_TRY(pen_sketch_add(&total->sketches[g->groups[i]], &g->values[i], 1, err));
        }
    }
    g->n_values = 0;
    return PEN_OK;
}
