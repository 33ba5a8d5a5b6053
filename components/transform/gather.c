/* What analyzers gather of a tile, and how the parts of threads and segments come together. */
#include "components/transform/analyze_internal.h"

#include <math.h>
#include <string.h>

enum pen_gathering pen_gathering_of(const struct pen_transform_graph *graph, int32_t index)
{
    const struct pen_node *node = &graph->nodes[index];
    enum pen_value_type type = graph->nodes[node->arguments[0]].type;
    if (node->op == PEN_NODE_BUCKETIZE || node->op == PEN_NODE_MEDIAN || node->op == PEN_NODE_ROBUST) {
        return PEN_GATHER_VALUES;
    }
    if (node->op == PEN_NODE_ZSCORE || node->op == PEN_NODE_MINMAX || node->op == PEN_NODE_MEAN ||
        node->op == PEN_NODE_STD) {
        return PEN_GATHER_MOMENTS;
    }
    return type == PEN_VALUE_STRING || type == PEN_VALUE_TOKENS ? PEN_GATHER_STRINGS : PEN_GATHER_NUMBERS;
}

/* ---- gathering, one tile ---- */

static pen_status gather_values(struct pen_gathered *g, const double *x, int64_t n, struct pen_error *err)
{
    PEN_TRY(pen_grow((void **)&g->values, &g->values_capacity, g->n_values + n, sizeof *g->values, err));
    for (int64_t i = 0; i < n; i++) {
        g->values[g->n_values] = x[i];
        g->n_values += isfinite(x[i]) != 0;
    }
    return PEN_OK;
}

static pen_status count_number(struct pen_number_counts *c, uint64_t key, int64_t count, struct pen_error *err)
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

int64_t pen_gathered_n_distinct(const struct pen_gathered *g)
{
    return (g->strings == NULL ? 0 : pen_string_table_size(g->strings)) + g->numbers.map.n_keys;
}

pen_status pen_gathered_check_distinct(struct pen_gathered *g, const struct pen_transform_graph *graph, int32_t index,
                                       struct pen_error *err)
{
    const struct pen_node *node = &graph->nodes[index];
    if (pen_gathered_n_distinct(g) <= most_distinct(node)) {
        return PEN_OK;
    }
    g->many = true;
    if (node->op == PEN_NODE_CLASSES) {
        return PEN_OK;
    }
    return pen_syntax_error(node->source, node->offset, err,
                            "%s: expected at most %d distinct values, found more; use hash(x, n)",
                            pen_node_op_text(node->op), PEN_TRANSFORM_MAX_DISTINCT);
}

static pen_status gather_numbers(struct pen_gathered *g, const struct pen_transform_graph *graph, int32_t index,
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
    return pen_gathered_check_distinct(g, graph, index, err);
}

/* Codes are counted first, so that a string enters the table once a tile. */
static pen_status count_codes(struct pen_gathered *g, const int32_t *codes, int64_t n, int64_t *n_touched,
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

static pen_status gather_strings(struct pen_gathered *g, const struct pen_transform_graph *graph, int32_t index,
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
    return pen_gathered_check_distinct(g, graph, index, err);
}

pen_status pen_gather(struct pen_gathered *g, const struct pen_transform_graph *graph, struct pen_exec *exec,
                      const struct pen_analyzer_total *total, const struct pen_value *value, int64_t n,
                      struct pen_error *err)
{
    if (total->kind == PEN_GATHER_MOMENTS) {
        struct pen_column_moments part;
        const struct pen_columns_moments op = {.n = n, .x = value->data, .out = &part};
        PEN_TRY(exec->kernels->columns_moments(exec, &op, err));
        pen_column_moments_merge(&g->moments, &part);
        return PEN_OK;
    }
    if (total->kind == PEN_GATHER_VALUES) {
        return gather_values(g, value->data, n, err);
    }
    return total->kind == PEN_GATHER_STRINGS ? gather_strings(g, graph, total->node, value, n, err)
                                             : gather_numbers(g, graph, total->node, value->data, n, err);
}

pen_status pen_gathered_init(struct pen_gathered *g, enum pen_gathering kind, struct pen_error *err)
{
    g->moments = (struct pen_column_moments)PEN_COLUMN_MOMENTS_INIT;
    if (kind == PEN_GATHER_STRINGS) {
        PEN_TRY(pen_string_table_create(&g->strings, err));
        PEN_ALLOC(g->touched, PEN_TRANSFORM_TILE, err);
    }
    return PEN_OK;
}

void pen_gathered_deinit(struct pen_gathered *g)
{
    pen_free(g->values);
    pen_string_table_destroy(g->strings);
    pen_key_map_deinit(&g->numbers.map);
    pen_free(g->numbers.keys);
    pen_free(g->numbers.counts);
    pen_free(g->code_counts);
    pen_free(g->touched);
}

pen_status pen_gathered_add_segment(struct pen_analyzer_total *total, struct pen_gathered *g, struct pen_error *err)
{
    if (total->kind == PEN_GATHER_MOMENTS) {
        pen_column_moments_merge(&total->moments, &g->moments);
        g->moments = (struct pen_column_moments)PEN_COLUMN_MOMENTS_INIT;
    } else if (total->kind == PEN_GATHER_VALUES) {
        PEN_TRY(pen_sketch_add(&total->sketch, g->values, g->n_values, err));
        g->n_values = 0;
    }
    return PEN_OK;
}

pen_status pen_gathered_merge_counts(struct pen_gathered *to, struct pen_gathered *from, struct pen_error *err)
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
