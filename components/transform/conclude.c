/* From what was gathered of all rows to what an analyzer found. */
#include "components/transform/analyze_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct counted {
    const char *text;
    size_t size_bytes;
    int64_t count;
};

static int compare_text(const struct counted *a, const struct counted *b)
{
    size_t common = a->size_bytes < b->size_bytes ? a->size_bytes : b->size_bytes;
    int order = common == 0 ? 0 : memcmp(a->text, b->text, common);
    return order != 0 ? order : (a->size_bytes > b->size_bytes) - (a->size_bytes < b->size_bytes);
}

/* TFX's order: frequency falling, ties by falling bytes. */
static int by_frequency(const void *a, const void *b)
{
    const struct counted *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : compare_text(y, x);
}

static int by_text(const void *a, const void *b)
{
    return compare_text(a, b);
}

static pen_status sorted_counts(const struct pen_string_table *table, int (*order)(const void *, const void *),
                                struct counted **out, struct pen_error *err)
{
    int64_t n = pen_string_table_size(table);
    PEN_ALLOC(*out, n + 1, err);
    for (int64_t i = 0; i < n; i++) {
        (*out)[i].text = pen_string_table_text(table, i, &(*out)[i].size_bytes);
        (*out)[i].count = pen_string_table_count(table, i);
    }
    qsort(*out, (size_t)n, sizeof **out, order);
    return PEN_OK;
}

static pen_status conclude_strings(struct pen_transform_graph *graph, int32_t index, const struct pen_gathered *g,
                                   struct pen_analysis *found, struct pen_error *err)
{
    pen_status status = PEN_OK;
    const struct pen_node *node = &graph->nodes[index];
    struct counted *sorted = NULL;
    found->many = g->many;
    PEN_TRY_GOTO(cleanup,
                 sorted_counts(g->strings, node->op == PEN_NODE_CLASSES ? by_text : by_frequency, &sorted, err));
    int64_t n = pen_string_table_size(g->strings), ignored = 0;
    if (node->op == PEN_NODE_MODE) {
        found->text = n == 0 ? NULL : pen_arena_strndup(&graph->arena, sorted[0].text, sorted[0].size_bytes);
        goto cleanup;
    }
    bool is_vocabulary = node->op != PEN_NODE_CLASSES;
    int64_t top = is_vocabulary && node->integer[0] > 0 && node->integer[0] < n ? node->integer[0] : n;
    PEN_TRY_GOTO(cleanup, pen_string_table_create(&found->vocabulary, err));
    for (int64_t i = 0; i < top && !found->many; i++) {
        if (!is_vocabulary || sorted[i].count >= node->integer[1]) {
            PEN_TRY_GOTO(cleanup, pen_string_table_add(found->vocabulary, sorted[i].text, sorted[i].size_bytes,
                                                       sorted[i].count, &ignored, err));
        }
    }
cleanup:
    pen_free(sorted);
    return status;
}

static double number_of_key(enum pen_value_type type, uint64_t key)
{
    double x = (double)(int64_t)key;
    if (type == PEN_VALUE_FLOAT) {
        memcpy(&x, &key, sizeof x);
    }
    return x;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static pen_status conclude_numbers(struct pen_transform_graph *graph, int32_t index, const struct pen_gathered *g,
                                   struct pen_analysis *found, struct pen_error *err)
{
    const struct pen_node *node = &graph->nodes[index];
    enum pen_value_type type = graph->nodes[node->arguments[0]].type;
    int64_t n = g->numbers.map.n_keys, best = -1;
    found->many = g->many;
    if (node->op == PEN_NODE_CLASSES) {
        double *values = pen_arena_alloc(&graph->arena, n + 1, sizeof *values);
        if (values == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: the label's classes");
        }
        for (int64_t i = 0; i < n; i++) {
            values[i] = number_of_key(type, g->numbers.keys[i]);
        }
        qsort(values, (size_t)n, sizeof *values, compare_doubles);
        found->edges = values;
        found->n_edges = found->many ? 0 : n;
        return PEN_OK;
    }
    /* The most frequent value, of equals the smallest. */
    for (int64_t i = 0; i < n; i++) {
        bool better = best < 0 || g->numbers.counts[i] > g->numbers.counts[best] ||
                      (g->numbers.counts[i] == g->numbers.counts[best] &&
                       number_of_key(type, g->numbers.keys[i]) < number_of_key(type, g->numbers.keys[best]));
        best = better ? i : best;
    }
    found->number[0] = best < 0 ? (double)NAN : number_of_key(type, g->numbers.keys[best]);
    found->integer = best >= 0 ? (int64_t)g->numbers.keys[best] : type == PEN_VALUE_BOOL ? -1 : PEN_MISSING_INT;
    return PEN_OK;
}

static void conclude_moments(const struct pen_node *node, const struct pen_column_moments *m,
                             struct pen_analysis *found)
{
    double std = m->n > 0 ? sqrt(m->m2 / (double)m->n) : 0;
    if (node->op == PEN_NODE_MEAN || node->op == PEN_NODE_STD) {
        double value = node->op == PEN_NODE_MEAN ? m->mean : std;
        found->number[0] = m->n == 0 ? (double)NAN : value;
    } else if (node->op == PEN_NODE_ZSCORE) {
        found->number[0] = m->mean;
        found->number[1] = std > 0 && isfinite(1 / std) ? 1 / std : 1;
    } else {
        found->number[0] = m->n == 0 ? 0 : m->min;
        found->number[1] = m->n == 0 ? 0 : m->max;
    }
}

static pen_status conclude_values(struct pen_transform_graph *graph, const struct pen_node *node,
                                  struct pen_sketch *sketch, struct pen_analysis *found, struct pen_error *err)
{
    PEN_TRY(pen_sketch_sort(sketch, err));
    if (node->op == PEN_NODE_MEDIAN) {
        found->number[0] = sketch->n == 0 ? (double)NAN : pen_sketch_median(sketch);
        return PEN_OK;
    }
    if (node->op == PEN_NODE_ROBUST) {
        double range =
            sketch->n == 0 ? 0 : pen_sketch_at(sketch, 3 * sketch->n / 4) - pen_sketch_at(sketch, sketch->n / 4);
        found->number[0] = sketch->n == 0 ? 0 : pen_sketch_median(sketch);
        found->number[1] = range > 0 && isfinite(1 / range) ? 1 / range : 1;
        return PEN_OK;
    }
    int64_t n_buckets = node->integer[0];
    double *edges = pen_arena_alloc(&graph->arena, n_buckets, sizeof *edges);
    if (edges == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: bucket edges");
    }
    /* Edge k = sorted[floor(k n / buckets)]; an edge that repeats, or below which nothing lies, is left out. */
    for (int64_t k = 1; k < n_buckets && sketch->n > 0; k++) {
        double edge = pen_sketch_at(sketch, k * (sketch->n / n_buckets) + k * (sketch->n % n_buckets) / n_buckets);
        double below = found->n_edges > 0 ? edges[found->n_edges - 1] : pen_sketch_at(sketch, 0);
        if (edge > below) {
            edges[found->n_edges++] = edge;
        }
    }
    found->edges = edges;
    return PEN_OK;
}

pen_status pen_conclude(struct pen_transform_graph *graph, struct pen_analyzer_total *total,
                        const struct pen_gathered *gathered, struct pen_error *err)
{
    const struct pen_node *node = &graph->nodes[total->node];
    struct pen_analysis *found = &graph->analyses[node->analysis];
    found->done = true;
    switch (total->kind) {
    case PEN_GATHER_MOMENTS:
        conclude_moments(node, &total->moments, found);
        return PEN_OK;
    case PEN_GATHER_VALUES:
        return conclude_values(graph, node, &total->sketch, found, err);
    case PEN_GATHER_STRINGS:
        return conclude_strings(graph, total->node, gathered, found, err);
    case PEN_GATHER_NUMBERS:
        return conclude_numbers(graph, total->node, gathered, found, err);
    }
    return PEN_OK;
}
