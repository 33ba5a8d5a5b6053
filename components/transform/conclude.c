/* From what was gathered of all rows to what an analyzer found. */
#include "components/transform/analyze_internal.h"

#include <math.h>
#include <string.h>

/* ---- counts ---- */

static int compare_text(const struct pen_counted *a, const struct pen_counted *b)
{
    size_t common = a->size_bytes < b->size_bytes ? a->size_bytes : b->size_bytes;
    int order = common == 0 ? 0 : memcmp(a->text, b->text, common);
    return order != 0 ? order : (a->size_bytes > b->size_bytes) - (a->size_bytes < b->size_bytes);
}

/* TFX's order: frequency falling, ties by falling bytes. */
static int by_frequency(const void *a, const void *b)
{
    const struct pen_counted *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : compare_text(y, x);
}

static int by_text(const void *a, const void *b)
{
    return compare_text(a, b);
}

static double float_of(const struct pen_counted *counted)
{
    double x = 0;
    memcpy(&x, counted->text, sizeof x);
    return x;
}

static int64_t int_of(const struct pen_counted *counted)
{
    int64_t x = 0;
    memcpy(&x, counted->text, sizeof x);
    return x;
}

static int by_float(const void *a, const void *b)
{
    double x = float_of(a), y = float_of(b);
    return (x > y) - (x < y);
}

/* The most frequent number, of equals the smallest. */
static int by_frequency_of_float(const void *a, const void *b)
{
    const struct pen_counted *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : by_float(a, b);
}

static int by_frequency_of_int(const void *a, const void *b)
{
    const struct pen_counted *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : (int_of(x) > int_of(y)) - (int_of(x) < int_of(y));
}

pen_counted_order_fn *pen_counting_order(const struct pen_transform_graph *graph, int32_t index)
{
    const struct pen_node *node = &graph->nodes[index];
    enum pen_value_type type = graph->nodes[node->arguments[0]].type;
    if (type == PEN_VALUE_STRING || type == PEN_VALUE_TOKENS) {
        return node->op == PEN_NODE_CLASSES ? by_text : by_frequency;
    }
    return node->op == PEN_NODE_CLASSES ? by_float
           : type == PEN_VALUE_FLOAT    ? by_frequency_of_float
                                        : by_frequency_of_int;
}

static struct pen_counted counted_at(const struct pen_string_table *table, int64_t i)
{
    struct pen_counted counted = {.count = pen_string_table_count(table, i)};
    counted.text = pen_string_table_text(table, i, &counted.size_bytes);
    return counted;
}

static pen_status conclude_mode(struct pen_transform_graph *graph, const struct pen_node *node,
                                const struct pen_string_table *kept, struct pen_analysis *found, struct pen_error *err)
{
    enum pen_value_type type = graph->nodes[node->arguments[0]].type;
    bool none = pen_string_table_size(kept) == 0;
    struct pen_counted best = none ? (struct pen_counted){0} : counted_at(kept, 0);
    if (type == PEN_VALUE_STRING && !none) {
        found->text = pen_arena_strndup(&graph->arena, best.text, best.size_bytes);
        if (found->text == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: the most frequent value");
        }
    } else if (type == PEN_VALUE_FLOAT) {
        found->number[0] = none ? (double)NAN : float_of(&best);
    } else if (type != PEN_VALUE_STRING) {
        found->integer = !none ? int_of(&best) : type == PEN_VALUE_BOOL ? -1 : PEN_MISSING_INT;
    }
    return PEN_OK;
}

static pen_status conclude_number_classes(struct pen_transform_graph *graph, const struct pen_string_table *kept,
                                          struct pen_analysis *found, struct pen_error *err)
{
    int64_t n = found->many ? 0 : pen_string_table_size(kept);
    double *values = pen_arena_alloc(&graph->arena, n + 1, sizeof *values);
    if (values == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: the label's classes");
    }
    for (int64_t i = 0; i < n; i++) {
        struct pen_counted counted = counted_at(kept, i);
        values[i] = float_of(&counted);
    }
    found->edges = values;
    found->n_edges = n;
    return PEN_OK;
}

static pen_status conclude_counts(struct pen_transform_graph *graph, const struct pen_analyzer_total *total,
                                  const struct pen_thread_counts *threads, struct pen_analysis *found,
                                  struct pen_error *err)
{
    const struct pen_node *node = &graph->nodes[total->node];
    struct pen_counts *counts = total->counts;
    found->done = total->all_swept;
    found->many = threads->many;
    if (!found->done) {
        return PEN_OK;
    }
    if (pen_string_table_size(counts->kept) > PEN_TRANSFORM_MAX_DISTINCT) {
        return pen_syntax_error(node->source, node->offset, err,
                                "%s: expected at most %d distinct values, found more; use top_k",
                                pen_node_op_text(node->op), PEN_TRANSFORM_MAX_DISTINCT);
    }
    if (node->op == PEN_NODE_MODE) {
        return conclude_mode(graph, node, counts->kept, found, err);
    }
    if (graph->nodes[node->arguments[0]].type == PEN_VALUE_FLOAT) {
        return conclude_number_classes(graph, counts->kept, found, err);
    }
    if (found->many) {
        return pen_string_table_create(&found->vocabulary, err);
    }
    found->vocabulary = counts->kept;
    counts->kept = NULL;
    return PEN_OK;
}

/* ---- moments ---- */

static double inverse(double spread, double otherwise)
{
    return spread > 0 && isfinite(1 / spread) ? 1 / spread : otherwise;
}

static void conclude_moments(const struct pen_node *node, const struct pen_column_moments *m,
                             struct pen_analysis *found)
{
    double variance = m->n > 0 ? m->m2 / (double)m->n : 0;
    switch ((int)node->op) {
    case PEN_NODE_ZSCORE:
        found->number[0] = m->mean;
        found->number[1] = inverse(sqrt(variance), 1);
        return;
    case PEN_NODE_MINMAX:
        found->number[0] = m->n == 0 ? 0 : m->min;
        found->number[1] = m->n == 0 ? 0 : m->max;
        return;
    case PEN_NODE_MEAN:
        found->number[0] = m->mean;
        break;
    case PEN_NODE_STD:
        found->number[0] = sqrt(variance);
        break;
    case PEN_NODE_VAR:
        found->number[0] = variance;
        break;
    case PEN_NODE_MINIMUM:
        found->number[0] = m->min;
        break;
    default: /* MAXIMUM */
        found->number[0] = m->max;
        break;
    }
    found->number[0] = m->n == 0 ? (double)NAN : found->number[0];
}

static double statistic_of_group(const struct pen_node *node, const struct pen_group *g)
{
    double variance = g->n > 0 ? g->m2 / (double)g->n : 0;
    if (g->n == 0) {
        return node->integer[0] == PEN_STATISTIC_SUM ? 0 : node->number[0];
    }
    switch ((enum pen_statistic)node->integer[0]) {
    case PEN_STATISTIC_MEAN:
        return g->mean;
    case PEN_STATISTIC_STD:
        return sqrt(variance);
    case PEN_STATISTIC_VAR:
        return variance;
    case PEN_STATISTIC_MIN:
        return g->min;
    case PEN_STATISTIC_MAX:
        return g->max;
    case PEN_STATISTIC_SUM:
        return g->sum + g->lost;
    case PEN_STATISTIC_INVERSE_STD:
        return inverse(sqrt(variance), 1);
    case PEN_STATISTIC_INVERSE_RANGE:
        return inverse(g->max - g->min, 0);
    case PEN_STATISTIC_MEDIAN:
    case PEN_STATISTIC_QUANTILE:
    case PEN_STATISTIC_INVERSE_QUARTILES:
        break;
    }
    return node->number[0];
}

/* ---- quantiles ---- */

static double quartile_range(const struct pen_sketch *s)
{
    return pen_sketch_at(s, 3 * s->n / 4) - pen_sketch_at(s, s->n / 4);
}

static double quantile_statistic_of_group(const struct pen_node *node, const struct pen_sketch *s)
{
    if (s->n == 0) {
        return node->number[0];
    }
    return node->integer[0] == PEN_STATISTIC_MEDIAN     ? pen_sketch_median(s)
           : node->integer[0] == PEN_STATISTIC_QUANTILE ? pen_sketch_quantile(s, node->number[1])
                                                        : inverse(quartile_range(s), 1);
}

/* Edge k = sorted[floor(k n / buckets)]; an edge that repeats, or below which nothing lies, is left out. */
static int64_t bucket_edges(const struct pen_sketch *s, int64_t n_buckets, double *edges)
{
    int64_t n = 0;
    for (int64_t k = 1; k < n_buckets && s->n > 0; k++) {
        double edge = pen_sketch_at(s, k * (s->n / n_buckets) + k * (s->n % n_buckets) / n_buckets);
        double below = n > 0 ? edges[n - 1] : s->low;
        if (edge > below) {
            edges[n++] = edge;
        }
    }
    return n;
}

static pen_status conclude_values(struct pen_transform_graph *graph, const struct pen_node *node,
                                  const struct pen_sketch *s, struct pen_analysis *found, struct pen_error *err)
{
    if (node->op == PEN_NODE_MEDIAN || node->op == PEN_NODE_QUANTILE) {
        found->number[0] = s->n == 0                     ? (double)NAN
                           : node->op == PEN_NODE_MEDIAN ? pen_sketch_median(s)
                                                         : pen_sketch_quantile(s, node->number[0]);
        return PEN_OK;
    }
    if (node->op == PEN_NODE_ROBUST) {
        found->number[0] = s->n == 0 ? 0 : pen_sketch_median(s);
        found->number[1] = s->n == 0 ? 1 : inverse(quartile_range(s), 1);
        return PEN_OK;
    }
    int64_t n = node->integer[0];
    double *edges = pen_arena_alloc(&graph->arena, n + 1, sizeof *edges);
    if (edges == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: bucket edges");
    }
    found->edges = edges;
    if (node->op == PEN_NODE_BUCKETIZE) {
        found->n_edges = bucket_edges(s, n, edges);
        return PEN_OK;
    }
    for (int64_t k = 0; k <= n && s->n > 0; k++) { /* RANK */
        double edge = pen_sketch_quantile(s, (double)k / (double)n);
        edges[k] = k > 0 && edge < edges[k - 1] ? edges[k - 1] : edge; /* rounding must not turn the order */
        found->n_edges = k + 1;
    }
    return PEN_OK;
}

/* ---- groups and documents ---- */

static pen_status conclude_buckets_by(struct pen_transform_graph *graph, const struct pen_analyzer_total *total,
                                      const struct pen_node *node, struct pen_analysis *found, struct pen_error *err)
{
    double *all = NULL;
    int64_t capacity = 0, n = 0;
    int64_t *starts = pen_arena_alloc(&graph->arena, total->n_groups + 1, sizeof *starts);
    pen_status status = PEN_OK;
    for (int64_t g = 0; g < total->n_groups && status == PEN_OK && starts != NULL; g++) {
        status = pen_grow((void **)&all, &capacity, n + node->integer[0], sizeof *all, err);
        if (status == PEN_OK) {
            n += bucket_edges(&total->sketches[g], node->integer[0], all + n);
            starts[g + 1] = n;
        }
    }
    double *edges = pen_arena_alloc(&graph->arena, n + 1, sizeof *edges);
    if (status == PEN_OK && (edges == NULL || starts == NULL)) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_MEMORY, "out of memory: bucket edges of %lld groups",
                               (long long)total->n_groups);
    }
    if (status == PEN_OK && edges != NULL && n > 0) {
        memcpy(edges, all, (size_t)n * sizeof *edges);
    }
    pen_free(all);
    found->edges = edges;
    found->n_edges = n;
    found->starts = starts;
    found->n_groups = total->n_groups;
    return status;
}

static pen_status conclude_groups(struct pen_transform_graph *graph, const struct pen_analyzer_total *total,
                                  const struct pen_thread_counts *counts, struct pen_analysis *found,
                                  struct pen_error *err)
{
    const struct pen_node *node = &graph->nodes[total->node];
    if (node->op == PEN_NODE_BUCKETIZE_BY) {
        return conclude_buckets_by(graph, total, node, found, err);
    }
    double *values = pen_arena_alloc(&graph->arena, total->n_groups + 1, sizeof *values);
    if (values == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: statistics of %lld groups", (long long)total->n_groups);
    }
    for (int64_t g = 0; g < total->n_groups; g++) {
        if (total->kind == PEN_GATHER_DOCUMENTS) {
            double n = (double)counts->n_rows, df = (double)counts->documents[g];
            values[g] = node->integer[0] != 0 ? 1 + log((n + 1) / (df + 1)) : df > 0 ? 1 + log(n / df) : 0;
        } else {
            values[g] = total->groups != NULL ? statistic_of_group(node, &total->groups[g])
                                              : quantile_statistic_of_group(node, &total->sketches[g]);
        }
    }
    found->edges = values;
    found->n_edges = total->n_groups;
    return PEN_OK;
}

pen_status pen_total_finish(struct pen_analyzer_total *total, const struct pen_thread_counts *counts,
                            struct pen_error *err)
{
    if (total->kind == PEN_GATHER_COUNTS) {
        return pen_counts_end_sweep(total->counts, counts->table, &total->all_swept, err);
    }
    if (total->kind == PEN_GATHER_VALUES) {
        return pen_sketch_sort(&total->sketch, err);
    }
    for (int64_t g = 0; total->kind == PEN_GATHER_VALUES_BY && g < total->n_groups; g++) {
        PEN_TRY(pen_sketch_sort(&total->sketches[g], err));
    }
    return PEN_OK;
}

pen_status pen_conclude(struct pen_transform_graph *graph, const struct pen_analyzer_total *total,
                        const struct pen_thread_counts *counts, struct pen_error *err)
{
    const struct pen_node *node = &graph->nodes[total->node];
    struct pen_analysis *found = &graph->analyses[node->analysis];
    found->done = true;
    switch (total->kind) {
    case PEN_GATHER_MOMENTS:
        conclude_moments(node, &total->moments, found);
        return PEN_OK;
    case PEN_GATHER_SUM:
        found->number[0] = total->sum + total->lost;
        return PEN_OK;
    case PEN_GATHER_VALUES:
        return conclude_values(graph, node, &total->sketch, found, err);
    case PEN_GATHER_MOMENTS_BY:
    case PEN_GATHER_VALUES_BY:
    case PEN_GATHER_DOCUMENTS:
        return conclude_groups(graph, total, counts, found, err);
    case PEN_GATHER_COUNTS:
        return conclude_counts(graph, total, counts, found, err);
    }
    return PEN_OK;
}
