/* Evaluation of what analyzers learned of numbers: scaling, buckets, ranks, statistics of groups, classes. */
#include "components/transform/evaluate.h"

#include <math.h>

static void classes_of_numbers(const struct pen_analysis *found, const double *x, double *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = (double)NAN;
        for (int64_t k = 0; k < found->n_edges; k++) {
            if (x[i] == found->edges[k]) {
                y[i] = (double)k;
                break;
            }
        }
    }
}

/* A constant column: its values through the logistic function, mapped to the range, as TFX does. */
static pen_status constant_minmax(const struct pen_evaluator *e, const struct pen_node *node, const double *x,
                                  double *y, int64_t n, struct pen_error *err)
{
    struct pen_columns_map map = {.map = PEN_MAP_SIGMOID, .n = n, .a = x, .y = y};
    PEN_TRY(e->exec->kernels->columns_map(e->exec, &map, err));
    double range = node->number[1] - node->number[0];
    map = (struct pen_columns_map){
        .map = PEN_MAP_AFFINE, .n = n, .a = y, .y = y, .s = -node->number[0] / range, .t = range};
    return e->exec->kernels->columns_map(e->exec, &map, err);
}

static pen_status scale(const struct pen_evaluator *e, const struct pen_node *node, const double *x, double *y,
                        int64_t n, struct pen_error *err)
{
    const struct pen_analysis *found = &e->graph->analyses[node->analysis];
    struct pen_columns_map map = {
        .map = PEN_MAP_AFFINE, .n = n, .a = x, .y = y, .s = found->number[0], .t = found->number[1]};
    if (node->op != PEN_NODE_MINMAX) {
        return e->exec->kernels->columns_map(e->exec, &map, err);
    }
    double low = node->number[0], high = node->number[1];
    if (!(found->number[1] > found->number[0])) {
        return constant_minmax(e, node, x, y, n, err);
    }
    /* low + (x - min) * (high - low) / (max - min), written as one affine map. */
    map.t = (high - low) / (found->number[1] - found->number[0]);
    PEN_TRY(e->exec->kernels->columns_map(e->exec, &map, err));
    if (low != 0) {
        map = (struct pen_columns_map){.map = PEN_MAP_AFFINE, .n = n, .a = y, .y = y, .s = -low, .t = 1};
        return e->exec->kernels->columns_map(e->exec, &map, err);
    }
    return PEN_OK;
}

static pen_status bucketize(struct pen_evaluator *e, int32_t index, const double *x, int32_t *ids, int64_t n,
                            struct pen_error *err)
{
    const struct pen_node *node = &e->graph->nodes[index];
    const struct pen_analysis *found = pen_node_analysis(e->graph, node);
    bool given = node->op == PEN_NODE_BUCKETS; /* its edges stand in the expression */
    struct pen_columns_bucketize op = {.n = n, .x = x, .n_edges = given ? node->n_list : found->n_edges, .ids = ids};
    PEN_TRY(pen_evaluator_table(e, index, given ? node->list : found->edges, op.n_edges, &op.edges, err));
    return e->exec->kernels->columns_bucketize(e->exec, &op, err);
}

/* The number of edges <= x, or < x: 0 .. n. */
static inline int64_t count_edges(const double *edges, int64_t n, double x, bool equal)
{
    const double *base = edges;
    if (n == 0) {
        return 0;
    }
    while (n > 1) {
        int64_t half = n / 2;
        bool right = equal ? base[half - 1] <= x : base[half - 1] < x;
        base += half & -(int64_t)right;
        n -= half;
    }
    return base - edges + (equal ? *base <= x : *base < x);
}

static void bucketize_by(const struct pen_analysis *found, const double *x, const int32_t *groups, int32_t *ids,
                         int64_t n)
{
    PEN_ASSERT(groups != NULL);
    for (int64_t i = 0; i < n; i++) {
        ids[i] = -1;
        if (x[i] == x[i] && groups[i] >= 0) {
            int64_t first = found->starts[groups[i]], count = found->starts[groups[i] + 1] - first;
            ids[i] = (int32_t)count_edges(found->edges + first, count, x[i], true);
        }
    }
}

/* Where x lies among the edges, 0 at the first and 1 at the last, straight between two of them; on edges that repeat,
 * the middle of the first and the last of them (as scikit-learn's QuantileTransformer). */
static double interpolate(const double *edges, int64_t n, double x)
{
    double last = (double)(n - 1);
    if (x != x || n == 0) {
        return (double)NAN;
    }
    if (x <= edges[0] || x >= edges[n - 1]) {
        return x <= edges[0] ? 0 : 1;
    }
    int64_t above = count_edges(edges, n, x, true), below = above - 1;
    if (edges[below] < x) {
        return ((double)below + (x - edges[below]) / (edges[above] - edges[below])) / last;
    }
    return (double)(count_edges(edges, n, x, false) + below) / 2 / last;
}

static void interpolate_all(const double *edges, int64_t n_edges, const double *x, double *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = interpolate(edges, n_edges, x[i]);
    }
}

static pen_status statistic_by(struct pen_evaluator *e, int32_t index, const int32_t *groups, double *y, int64_t n,
                               struct pen_error *err)
{
    const struct pen_node *node = &e->graph->nodes[index];
    const struct pen_analysis *found = pen_node_analysis(e->graph, node);
    const double *table = NULL;
    PEN_TRY(pen_evaluator_table(e, index, found->edges, found->n_edges, &table, err));
    const struct pen_columns_lookup lookup = {
        .n = n, .codes = groups, .table = table, .item_bytes = sizeof *y, .missing = &node->number[0], .y = y};
    return e->exec->kernels->columns_lookup(e->exec, &lookup, err);
}

pen_status pen_evaluate_learned(struct pen_evaluator *e, int32_t index, int64_t n, struct pen_error *err)
{
    const struct pen_node *node = &e->graph->nodes[index];
    const struct pen_analysis *found = pen_node_analysis(e->graph, node);
    const double *x = pen_evaluator_argument(e, index, 0);
    const int32_t *groups = pen_evaluator_argument(e, index, 1);
    void *y = pen_evaluator_slot(e, index);
    switch ((int)node->op) {
    case PEN_NODE_BUCKETIZE:
    case PEN_NODE_BUCKETS:
        return bucketize(e, index, x, y, n, err);
    case PEN_NODE_BUCKETIZE_BY:
        bucketize_by(found, x, groups, y, n);
        return PEN_OK;
    case PEN_NODE_RANK:
        interpolate_all(found->edges, found->n_edges, x, y, n);
        return PEN_OK;
    case PEN_NODE_INTERPOLATE:
        interpolate_all(node->list, node->n_list, x, y, n);
        return PEN_OK;
    case PEN_NODE_STATISTIC_BY:
        return statistic_by(e, index, groups, y, n, err);
    case PEN_NODE_CLASSES:
        classes_of_numbers(found, x, y, n);
        return PEN_OK;
    case PEN_NODE_ZSCORE:
    case PEN_NODE_MINMAX:
    case PEN_NODE_ROBUST:
        return scale(e, node, x, y, n, err);
    default:
        PEN_FAIL(err, PEN_ERR_INTERNAL, "transform: no evaluation of %s", pen_node_op_text(node->op));
    }
}
