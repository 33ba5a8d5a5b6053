/* Analyzer passes: evaluate what the pass's analyzers stand over, gather, merge in row order, conclude. */
#include "components/transform/analyze.h"

#include "components/transform/evaluate.h"
#include "components/transform/sketch.h"
#include "core/log.h"
#include "core/text.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_DISTINCT = 4096 }; /* a thread keeps up to so many counts of its own from chunk to chunk */

enum gathering { GATHER_MOMENTS, GATHER_VALUES, GATHER_STRINGS, GATHER_NUMBERS };

/* Counts of distinct 64-bit values. */
struct number_counts {
    struct pen_key_map map;
    uint64_t *keys; /* by number */
    int64_t *counts;
    int64_t keys_capacity, counts_capacity;
};

/* What one thread gathers for one analyzer: a segment's moments or values, or counts of all its segments. */
struct gathered {
    struct pen_column_moments moments;
    double *values;
    int64_t n_values, values_capacity;
    struct pen_string_table *strings;
    struct number_counts numbers;
    bool many;
    int64_t *code_counts; /* of a tile, zero between tiles */
    int64_t code_counts_capacity, n_code_counts;
    int32_t *touched;
};

struct total {
    int32_t node;
    enum gathering kind;
    struct pen_column_moments moments;
    struct pen_sketch sketch;
};

struct pass {
    struct pen_transform_graph *graph;
    struct pen_program program;
    struct total *totals;
    int64_t n_totals;
    const char **names; /* of the columns it reads */
    int64_t n_names;
};

struct worker {
    struct pass *pass;
    struct pen_evaluator evaluator;
    struct gathered *gathered;
};

static enum gathering gathering_of(const struct pen_transform_graph *graph, int32_t index)
{
    const struct pen_node *node = &graph->nodes[index];
    enum pen_value_type type = graph->nodes[node->arguments[0]].type;
    if (node->op == PEN_NODE_BUCKETIZE || node->op == PEN_NODE_MEDIAN || node->op == PEN_NODE_ROBUST) {
        return GATHER_VALUES;
    }
    if (node->op == PEN_NODE_ZSCORE || node->op == PEN_NODE_MINMAX || node->op == PEN_NODE_MEAN ||
        node->op == PEN_NODE_STD) {
        return GATHER_MOMENTS;
    }
    return type == PEN_VALUE_STRING || type == PEN_VALUE_TOKENS ? GATHER_STRINGS : GATHER_NUMBERS;
}

/* ---- gathering, one tile ---- */

static pen_status gather_values(struct gathered *g, const double *x, int64_t n, struct pen_error *err)
{
    PEN_TRY(pen_grow((void **)&g->values, &g->values_capacity, g->n_values + n, sizeof *g->values, err));
    for (int64_t i = 0; i < n; i++) {
        g->values[g->n_values] = x[i];
        g->n_values += isfinite(x[i]) != 0;
    }
    return PEN_OK;
}

static pen_status count_number(struct number_counts *c, uint64_t key, int64_t count, struct pen_error *err)
{
    if (2 * (c->map.n_keys + 1) > c->map.capacity) {
        PEN_TRY(pen_key_map_grow(&c->map, err));
    }
    int64_t place = pen_key_map_place(&c->map, key);
    if (c->map.numbers[place] < 0) {
        int64_t n = c->map.n_keys;
        PEN_TRY(pen_grow((void **)&c->keys, &c->keys_capacity, n + 1, sizeof *c->keys, err));
        PEN_TRY(pen_grow((void **)&c->counts, &c->counts_capacity, n + 1, sizeof *c->counts, err));
        c->map.keys[place] = key;
        c->map.numbers[place] = (int32_t)n;
        c->keys[n] = key;
        c->counts[n] = 0;
        c->map.n_keys++;
    }
    c->counts[c->map.numbers[place]] += count;
    return PEN_OK;
}

static int64_t most_distinct(const struct pen_node *node)
{
    return node->op == PEN_NODE_CLASSES ? PEN_TRANSFORM_MAX_CLASSES : PEN_TRANSFORM_MAX_DISTINCT;
}

static pen_status check_distinct(const struct pen_transform_graph *graph, int32_t index, int64_t n, bool *many,
                                 struct pen_error *err)
{
    const struct pen_node *node = &graph->nodes[index];
    if (n <= most_distinct(node)) {
        return PEN_OK;
    }
    *many = true;
    if (node->op == PEN_NODE_CLASSES) {
        return PEN_OK;
    }
    return pen_syntax_error(node->source, node->offset, err,
                            "%s: expected at most %d distinct values, found more; use hash(x, n)",
                            pen_node_op_text(node->op), PEN_TRANSFORM_MAX_DISTINCT);
}

static pen_status gather_numbers(struct gathered *g, const struct pen_transform_graph *graph, int32_t index,
                                 const void *data, int64_t n, struct pen_error *err)
{
    enum pen_value_type type = graph->nodes[graph->nodes[index].arguments[0]].type;
    for (int64_t i = 0; i < n && !g->many; i++) {
        uint64_t key = 0;
        bool present = false;
        if (type == PEN_VALUE_FLOAT) {
            double x = ((const double *)data)[i] + 0.0;
            memcpy(&key, &x, sizeof x);
            present = x == x;
        } else if (type == PEN_VALUE_INT) {
            key = (uint64_t)((const int64_t *)data)[i];
            present = key != (uint64_t)PEN_MISSING_INT;
        } else {
            int8_t truth = ((const int8_t *)data)[i];
            key = (uint64_t)truth;
            present = truth >= 0;
        }
        if (present) {
            PEN_TRY(count_number(&g->numbers, key, 1, err));
        }
    }
    return check_distinct(graph, index, g->numbers.map.n_keys, &g->many, err);
}

/* Codes are counted first, so that a string enters the table once a tile. */
static pen_status count_codes(struct gathered *g, const int32_t *codes, int64_t n, int64_t *n_touched,
                              struct pen_error *err)
{
    int64_t n_codes = 0;
    for (int64_t i = 0; i < n; i++) {
        n_codes = codes[i] >= n_codes ? (int64_t)codes[i] + 1 : n_codes;
    }
    if (n_codes > g->n_code_counts) {
        PEN_TRY(pen_grow((void **)&g->code_counts, &g->code_counts_capacity, n_codes, sizeof *g->code_counts, err));
        memset(g->code_counts + g->n_code_counts, 0, (size_t)(n_codes - g->n_code_counts) * sizeof *g->code_counts);
        g->n_code_counts = n_codes;
    }
    *n_touched = 0;
    for (int64_t i = 0; i < n; i++) {
        if (codes[i] >= 0 && g->code_counts[codes[i]]++ == 0) {
            g->touched[(*n_touched)++] = codes[i];
        }
    }
    return PEN_OK;
}

static pen_status gather_strings(struct gathered *g, const struct pen_transform_graph *graph, int32_t index,
                                 const struct pen_value *value, int64_t n, struct pen_error *err)
{
    int64_t n_touched = 0, ignored = 0;
    size_t size = 0;
    PEN_TRY(count_codes(g, value->data, n, &n_touched, err));
    for (int64_t i = 0; i < n_touched; i++) {
        int32_t code = g->touched[i];
        int64_t count = g->code_counts[code];
        g->code_counts[code] = 0;
        if (g->many) {
            continue;
        }
        if (value->lists == NULL) {
            const char *text = pen_entry(value->entries, code, &size);
            PEN_TRY(pen_string_table_add(g->strings, text, size, count, &ignored, err));
            continue;
        }
        for (int64_t k = 0; k < value->lists->counts[code]; k++) {
            const char *text = pen_entry(&value->lists->strings, value->lists->starts[code] + k, &size);
            PEN_TRY(pen_string_table_add(g->strings, text, size, count, &ignored, err));
        }
    }
    return check_distinct(graph, index, pen_string_table_size(g->strings), &g->many, err);
}

static pen_status gather(void *user, int32_t sink, int32_t node, const struct pen_value *value, int64_t first_row,
                         int64_t n, struct pen_error *err)
{
    (void)node;
    (void)first_row;
    struct worker *w = user;
    struct gathered *g = &w->gathered[sink];
    const struct total *total = &w->pass->totals[sink];
    if (total->kind == GATHER_MOMENTS) {
        struct pen_column_moments part;
        const struct pen_columns_moments op = {.n = n, .x = value->data, .out = &part};
        PEN_TRY(w->evaluator.exec->kernels->columns_moments(w->evaluator.exec, &op, err));
        pen_column_moments_merge(&g->moments, &part);
        return PEN_OK;
    }
    if (total->kind == GATHER_VALUES) {
        return gather_values(g, value->data, n, err);
    }
    return total->kind == GATHER_STRINGS ? gather_strings(g, w->pass->graph, total->node, value, n, err)
                                         : gather_numbers(g, w->pass->graph, total->node, value->data, n, err);
}

/* ---- a pass ---- */

/* In row order: what a thread gathered from one segment joins the total. */
static pen_status merge_segment(struct pass *pass, struct worker *w, struct pen_error *err)
{
    for (int64_t i = 0; i < pass->n_totals; i++) {
        struct gathered *g = &w->gathered[i];
        if (pass->totals[i].kind == GATHER_MOMENTS) {
            pen_column_moments_merge(&pass->totals[i].moments, &g->moments);
            g->moments = (struct pen_column_moments)PEN_COLUMN_MOMENTS_INIT;
        } else if (pass->totals[i].kind == GATHER_VALUES) {
            PEN_TRY(pen_sketch_add(&pass->totals[i].sketch, g->values, g->n_values, err));
            g->n_values = 0;
        }
    }
    return PEN_OK;
}

static pen_status run_segment(struct worker *w, const struct pen_batch *batch, int64_t first, struct pen_error *err)
{
    int64_t left = batch->n_rows - first;
    struct pen_column *columns = NULL;
    PEN_ALLOC(columns, batch->n_columns + 1, err);
    struct pen_batch rows;
    pen_transform_slice(batch, first, left < PEN_TRANSFORM_SEGMENT ? left : PEN_TRANSFORM_SEGMENT, columns, &rows);
    pen_status status = pen_evaluator_run(&w->evaluator, &rows, err);
    pen_free(columns);
    return status;
}

/* The first failing segment's error is the one reported, whatever the number of threads. */
static pen_status run_chunk(struct pass *pass, struct worker *workers, int n_workers, const struct pen_batch *batch,
                            struct pen_error *err)
{
    pen_status status = PEN_OK;
    int64_t n_segments = (batch->n_rows + PEN_TRANSFORM_SEGMENT - 1) / PEN_TRANSFORM_SEGMENT;
#pragma omp parallel for ordered schedule(static, 1) num_threads(n_workers)
    for (int64_t s = 0; s < n_segments; s++) {
        struct worker *w = &workers[omp_get_thread_num()];
        struct pen_error own = PEN_ERROR_INIT;
        pen_status result = run_segment(w, batch, s * PEN_TRANSFORM_SEGMENT, &own);
#pragma omp ordered
        {
            if (result == PEN_OK && status == PEN_OK) {
                result = merge_segment(pass, w, &own);
            }
            if (result != PEN_OK && status == PEN_OK) {
                status = result;
                if (err != NULL) {
                    *err = own;
                }
            }
        }
    }
    return status;
}

static void free_workers(struct worker *workers, int n_workers, int64_t n_totals)
{
    for (int t = 0; workers != NULL && t < n_workers; t++) {
        for (int64_t i = 0; workers[t].gathered != NULL && i < n_totals; i++) {
            struct gathered *g = &workers[t].gathered[i];
            pen_free(g->values);
            pen_string_table_destroy(g->strings);
            pen_key_map_deinit(&g->numbers.map);
            pen_free(g->numbers.keys);
            pen_free(g->numbers.counts);
            pen_free(g->code_counts);
            pen_free(g->touched);
        }
        pen_free(workers[t].gathered);
        if (workers[t].evaluator.graph != NULL) {
            pen_evaluator_deinit(&workers[t].evaluator);
        }
    }
    pen_free(workers);
}

static pen_status make_workers(struct pass *pass, struct pen_exec *exec, struct worker *workers, int n_workers,
                               struct pen_error *err)
{
    for (int t = 0; t < n_workers; t++) {
        struct worker *w = &workers[t];
        w->pass = pass;
        PEN_TRY(pen_evaluator_init(&w->evaluator, pass->graph, &pass->program, exec, err));
        w->evaluator.keep_dictionaries = true;
        w->evaluator.sink = gather;
        w->evaluator.user = w;
        PEN_ALLOC(w->gathered, pass->n_totals + 1, err);
        for (int64_t i = 0; i < pass->n_totals; i++) {
            w->gathered[i].moments = (struct pen_column_moments)PEN_COLUMN_MOMENTS_INIT;
            if (pass->totals[i].kind == GATHER_STRINGS) {
                PEN_TRY(pen_string_table_create(&w->gathered[i].strings, err));
                PEN_ALLOC(w->gathered[i].touched, PEN_TRANSFORM_TILE, err);
            }
        }
    }
    return PEN_OK;
}

/* One thread's counts into another's, which are then no more. */
static pen_status merge_count(struct gathered *to, struct gathered *from, struct pen_error *err)
{
    to->many = to->many || from->many;
    for (int64_t k = 0; from->strings != NULL && k < pen_string_table_size(from->strings); k++) {
        size_t size = 0;
        int64_t ignored = 0;
        const char *text = pen_string_table_text(from->strings, k, &size);
        PEN_TRY(pen_string_table_add(to->strings, text, size, pen_string_table_count(from->strings, k), &ignored, err));
    }
    for (int64_t k = 0; k < from->numbers.map.n_keys; k++) {
        PEN_TRY(count_number(&to->numbers, from->numbers.keys[k], from->numbers.counts[k], err));
    }
    pen_key_map_clear(&from->numbers.map);
    if (from->strings != NULL) {
        pen_string_table_destroy(from->strings);
        from->strings = NULL;
        PEN_TRY(pen_string_table_create(&from->strings, err));
    }
    return PEN_OK;
}

/* Counts of all threads into the first one's, of those that count more than n_kept values: what is held would else be
 * the distinct values times the threads. Sums do not depend on the order. */
static pen_status merge_counts(struct pass *pass, struct worker *workers, int n_workers, int64_t n_kept,
                               struct pen_error *err)
{
    pen_status status = PEN_OK;
    int64_t failed = pass->n_totals;
#pragma omp parallel for schedule(dynamic, 1) num_threads(n_workers)
    for (int64_t i = 0; i < pass->n_totals; i++) {
        struct gathered *to = &workers[0].gathered[i];
        struct pen_error own = PEN_ERROR_INIT;
        pen_status result = PEN_OK;
        for (int t = 1; t < n_workers && result == PEN_OK; t++) {
            struct gathered *from = &workers[t].gathered[i];
            int64_t n_strings = from->strings == NULL ? 0 : pen_string_table_size(from->strings);
            if (n_strings + from->numbers.map.n_keys > n_kept || from->many) {
                result = merge_count(to, from, &own);
            }
        }
        if (result == PEN_OK && to->strings != NULL) {
            result =
                check_distinct(pass->graph, pass->totals[i].node, pen_string_table_size(to->strings), &to->many, &own);
        }
        if (result == PEN_OK) {
            result = check_distinct(pass->graph, pass->totals[i].node, to->numbers.map.n_keys, &to->many, &own);
        }
        if (result != PEN_OK) {
#pragma omp critical(pen_analyze_failure)
            if (i < failed) {
                failed = i;
                status = result;
                if (err != NULL) {
                    *err = own;
                }
            }
        }
    }
    return status;
}

/* ---- conclusions ---- */

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

static pen_status conclude_strings(struct pen_transform_graph *graph, int32_t index, const struct gathered *g,
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

static pen_status conclude_numbers(struct pen_transform_graph *graph, int32_t index, const struct gathered *g,
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

static pen_status conclude(struct pass *pass, struct gathered *gathered, struct pen_error *err)
{
    struct pen_transform_graph *graph = pass->graph;
    for (int64_t i = 0; i < pass->n_totals; i++) {
        struct total *total = &pass->totals[i];
        const struct pen_node *node = &graph->nodes[total->node];
        struct pen_analysis *found = &graph->analyses[node->analysis];
        if (total->kind == GATHER_MOMENTS) {
            conclude_moments(node, &total->moments, found);
        } else if (total->kind == GATHER_VALUES) {
            PEN_TRY(conclude_values(graph, node, &total->sketch, found, err));
        } else if (total->kind == GATHER_STRINGS) {
            PEN_TRY(conclude_strings(graph, total->node, &gathered[i], found, err));
            pen_string_table_destroy(gathered[i].strings);
            gathered[i].strings = NULL;
        } else {
            PEN_TRY(conclude_numbers(graph, total->node, &gathered[i], found, err));
        }
        found->done = true;
    }
    return PEN_OK;
}

/* ---- all passes ---- */

static pen_status plan_pass(struct pass *pass, struct pen_arena *arena, int number, struct pen_error *err)
{
    struct pen_transform_graph *graph = pass->graph;
    int32_t *roots = pen_arena_alloc(arena, graph->n_analyses + 1, sizeof *roots);
    int32_t *sinks = pen_arena_alloc(arena, graph->n_analyses + 1, sizeof *sinks);
    pass->totals = pen_arena_alloc(arena, graph->n_analyses + 1, sizeof *pass->totals);
    pass->names = pen_arena_alloc(arena, graph->n_inputs + 1, sizeof *pass->names);
    if (roots == NULL || sinks == NULL || pass->totals == NULL || pass->names == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: planning an analysis");
    }
    for (int64_t a = 0; a < graph->n_analyses; a++) {
        int32_t index = graph->analysis_nodes[a];
        const struct pen_node *node = &graph->nodes[index];
        if (node->pass == number) {
            roots[pass->n_totals] = node->arguments[0];
            sinks[pass->n_totals] = (int32_t)pass->n_totals;
            pass->totals[pass->n_totals++] =
                (struct total){.node = index, .kind = gathering_of(graph, index), .moments = PEN_COLUMN_MOMENTS_INIT};
        }
    }
    PEN_TRY(pen_program_plan(arena, graph, roots, sinks, pass->n_totals, &pass->program, err));
    for (int64_t s = 0; s < pass->program.n_steps; s++) {
        const struct pen_node *node = &graph->nodes[pass->program.steps[s].node];
        if (node->op == PEN_NODE_COLUMN && pass->program.steps[s].sink < 0) {
            pass->names[pass->n_names++] = node->text;
        }
    }
    return PEN_OK;
}

static pen_status run_pass(struct pen_transform_graph *graph, const struct pen_transform_source *rows,
                           struct pen_exec *exec, int number, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_arena arena = {0};
    struct pass pass = {.graph = graph};
    struct worker *workers = NULL;
    int n_workers = omp_get_max_threads();
    PEN_TRY_GOTO(cleanup, plan_pass(&pass, &arena, number, err));
    PEN_ALLOC_GOTO(cleanup, workers, n_workers, err);
    PEN_TRY_GOTO(cleanup, make_workers(&pass, exec, workers, n_workers, err));
    for (int64_t chunk = 0; chunk < rows->n_chunks; chunk++) {
        struct pen_batch batch = {0};
        PEN_TRY_GOTO(cleanup, pen_cancel_check(err));
        PEN_TRY_GOTO(cleanup, rows->read(rows->user, chunk, pass.names, pass.n_names, &batch, err));
        PEN_TRY_GOTO(cleanup, run_chunk(&pass, workers, n_workers, &batch, err));
        PEN_TRY_GOTO(cleanup, merge_counts(&pass, workers, n_workers, KEPT_DISTINCT, err));
        pen_progress("analyze", chunk + 1, rows->n_chunks, "chunks", "pass %d", number + 1);
    }
    PEN_TRY_GOTO(cleanup, merge_counts(&pass, workers, n_workers, 0, err));
    PEN_TRY_GOTO(cleanup, conclude(&pass, workers[0].gathered, err));
cleanup:
    free_workers(workers, n_workers, pass.n_totals);
    for (int64_t i = 0; i < pass.n_totals; i++) {
        pen_sketch_deinit(&pass.totals[i].sketch);
    }
    pen_arena_deinit(&arena);
    return status;
}

pen_status pen_graph_analyze(struct pen_transform_graph *graph, const struct pen_transform_source *rows,
                             struct pen_exec *exec, struct pen_error *err)
{
    int last = -1;
    for (int64_t a = 0; a < graph->n_analyses; a++) {
        int pass = graph->nodes[graph->analysis_nodes[a]].pass;
        last = pass > last ? pass : last;
    }
    for (int number = 0; number <= last; number++) {
        PEN_TRY(run_pass(graph, rows, exec, number, err));
    }
    return PEN_OK;
}
