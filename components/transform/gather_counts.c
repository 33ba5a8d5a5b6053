/* What analyzers count: distinct values, and rows in which ids occur. */
#include "components/transform/analyze_internal.h"

#include <string.h>

enum { MOST_CODES = 1 << 20 }; /* codes counted by themselves; above, every row's string goes to the table */

pen_status pen_thread_counts_init(struct pen_thread_counts *c, const struct pen_analyzer_total *total,
                                  struct pen_error *err)
{
    if (total->kind == PEN_GATHER_COUNTS) {
        return pen_string_table_create(&c->table, err);
    }
    if (total->kind == PEN_GATHER_DOCUMENTS) {
        c->n_values = total->n_groups;
        PEN_ALLOC(c->documents, c->n_values, err);
        PEN_ALLOC(c->last_row, c->n_values, err);
    }
    return PEN_OK;
}

void pen_thread_counts_deinit(struct pen_thread_counts *c)
{
    pen_string_table_destroy(c->table);
    pen_free(c->code_counts);
    pen_free(c->touched);
    pen_free(c->documents);
    pen_free(c->last_row);
    *c = (struct pen_thread_counts){0};
}

/* More distinct values than are kept: of a label's classes it is noted, else it is an error. */
static pen_status check_distinct(const struct pen_transform_graph *graph, const struct pen_analyzer_total *total,
                                 struct pen_thread_counts *c, struct pen_error *err)
{
    enum { MOST_BYTES = 1 << 30 }; /* of a vocabulary file */
    const struct pen_node *node = &graph->nodes[total->node];
    bool is_classes = node->op == PEN_NODE_CLASSES;
    int64_t n = pen_string_table_size(c->table);
    if (n <= (is_classes ? PEN_TRANSFORM_MAX_CLASSES : PEN_TRANSFORM_MAX_DISTINCT) &&
        pen_string_table_bytes(c->table) <= (size_t)MOST_BYTES - (size_t)n) {
        return PEN_OK;
    }
    c->many = true;
    return is_classes ? PEN_OK
                      : pen_syntax_error(node->source, node->offset, err,
                                         "%s: expected at most %d distinct values in 1 GB, found more; use top_k, "
                                         "min_count or hash(x, n)",
                                         pen_node_op_text(node->op), PEN_TRANSFORM_MAX_DISTINCT);
}

/* ---- numbers ---- */

/* A number counts as its eight bytes. */
static pen_status count_numbers(const struct pen_analyzer_total *total, struct pen_thread_counts *c,
                                enum pen_value_type type, const void *data, int64_t n, struct pen_error *err)
{
    for (int64_t i = 0; i < n; i++) {
        char key[8];
        bool present = false;
        if (type == PEN_VALUE_FLOAT) {
            double x = ((const double *)data)[i] + 0.0; /* -0 and 0 are one value */
            memcpy(key, &x, sizeof key);
            present = x == x;
        } else {
            int64_t x = type == PEN_VALUE_INT ? ((const int64_t *)data)[i] : ((const int8_t *)data)[i];
            memcpy(key, &x, sizeof key);
            present = type == PEN_VALUE_INT ? x != PEN_MISSING_INT : x >= 0;
        }
        if (present) {
            PEN_TRY(pen_counts_add(total->counts, c->table, key, sizeof key, 1, err));
        }
    }
    return PEN_OK;
}

/* ---- strings and tokens ---- */

static pen_status add_code(const struct pen_analyzer_total *total, struct pen_thread_counts *c,
                           const struct pen_value *value, int32_t code, int64_t count, struct pen_error *err)
{
    size_t size = 0;
    if (value->lists == NULL) {
        const char *text = pen_entry(value->entries, code, &size);
        return pen_counts_add(total->counts, c->table, text, size, count, err);
    }
    for (int64_t k = 0; k < value->lists->counts[code]; k++) {
        const char *text = pen_entry(&value->lists->strings, value->lists->starts[code] + k, &size);
        PEN_TRY(pen_counts_add(total->counts, c->table, text, size, count, err));
    }
    return PEN_OK;
}

/* What was counted by code joins the table. */
static pen_status flush_codes(const struct pen_analyzer_total *total, struct pen_thread_counts *c,
                              const struct pen_value *value, struct pen_error *err)
{
    for (int64_t i = 0; i < c->n_touched; i++) {
        int64_t count = c->code_counts[c->touched[i]];
        c->code_counts[c->touched[i]] = 0;
        PEN_TRY(add_code(total, c, value, c->touched[i], count, err));
    }
    c->n_touched = 0;
    return PEN_OK;
}

static pen_status count_codes(struct pen_thread_counts *c, const int32_t *codes, int64_t n_codes, int64_t n,
                              struct pen_error *err)
{
    if (n_codes > c->n_codes) {
        PEN_TRY(pen_grow((void **)&c->code_counts, &c->code_counts_capacity, n_codes, sizeof *c->code_counts, err));
        memset(c->code_counts + c->n_codes, 0, (size_t)(n_codes - c->n_codes) * sizeof *c->code_counts);
        c->n_codes = n_codes;
    }
    PEN_TRY(pen_grow((void **)&c->touched, &c->touched_capacity, c->n_touched + n, sizeof *c->touched, err));
    for (int64_t i = 0; i < n; i++) {
        if (codes[i] >= 0 && c->code_counts[codes[i]]++ == 0) {
            c->touched[c->n_touched++] = codes[i];
        }
    }
    return PEN_OK;
}

/* The codes of a stored column mean the same from tile to tile, so they join the table once a chunk; codes of strings
 * made on the way, once a tile. */
static bool codes_stay(const struct pen_evaluator *e, int32_t index)
{
    const struct pen_node *node = &e->graph->nodes[index];
    return node->op == PEN_NODE_COLUMN && e->columns[node->input] != NULL &&
           e->columns[node->input]->type == PEN_TYPE_CODES;
}

static pen_status count_strings(const struct pen_evaluator *e, const struct pen_analyzer_total *total,
                                struct pen_thread_counts *c, const struct pen_value *value, int64_t n,
                                struct pen_error *err)
{
    const int32_t *codes = value->data;
    int64_t n_codes = 0;
    for (int64_t i = 0; i < n; i++) {
        n_codes = codes[i] >= n_codes ? (int64_t)codes[i] + 1 : n_codes;
    }
    if (n_codes > MOST_CODES) {
        for (int64_t i = 0; i < n; i++) {
            if (codes[i] >= 0) {
                PEN_TRY(add_code(total, c, value, codes[i], 1, err));
            }
        }
        return PEN_OK;
    }
    PEN_TRY(count_codes(c, codes, n_codes, n, err));
    if (codes_stay(e, e->graph->nodes[total->node].arguments[0])) {
        c->entries = value->entries;
        return PEN_OK;
    }
    return flush_codes(total, c, value, err);
}

/* ---- documents ---- */

static void count_documents(struct pen_thread_counts *c, const struct pen_value *value, int64_t n)
{
    const int32_t *codes = value->data;
    for (int64_t i = 0; i < n; i++) {
        c->n_rows++;
        int64_t count = codes[i] < 0 ? 0 : value->lists->counts[codes[i]];
        for (int64_t k = 0; k < count; k++) {
            int32_t id = value->lists->ids[value->lists->starts[codes[i]] + k];
            if (id >= 0 && c->last_row[id] != c->n_rows) {
                c->last_row[id] = c->n_rows;
                c->documents[id]++;
            }
        }
    }
}

pen_status pen_gather_counts(const struct pen_evaluator *e, const struct pen_analyzer_total *total,
                             struct pen_thread_counts *c, const struct pen_value *value, int64_t n,
                             struct pen_error *err)
{
    if (total->kind == PEN_GATHER_DOCUMENTS) {
        count_documents(c, value, n);
        return PEN_OK;
    }
    if (c->many) {
        return PEN_OK;
    }
    enum pen_value_type type = e->graph->nodes[e->graph->nodes[total->node].arguments[0]].type;
    PEN_TRY(type == PEN_VALUE_STRING || type == PEN_VALUE_TOKENS ? count_strings(e, total, c, value, n, err)
                                                                 : count_numbers(total, c, type, value->data, n, err));
    return total->counts->may_cut ? PEN_OK : check_distinct(e->graph, total, c, err);
}

/* ---- threads ---- */

static pen_status merge_tables(struct pen_thread_counts *to, struct pen_thread_counts *from, struct pen_error *err)
{
    to->many = to->many || from->many;
    for (int64_t k = 0; k < pen_string_table_size(from->table); k++) {
        size_t size = 0;
        int64_t ignored = 0;
        const char *text = pen_string_table_text(from->table, k, &size);
        PEN_TRY(pen_string_table_add_hashed(to->table, text, size, pen_string_table_hash(from->table, k),
                                            pen_string_table_count(from->table, k), &ignored, err));
    }
    pen_string_table_destroy(from->table);
    from->table = NULL;
    return pen_string_table_create(&from->table, err);
}

static void merge_documents(struct pen_thread_counts *to, struct pen_thread_counts *from)
{
    to->n_rows += from->n_rows;
    from->n_rows = 0;
    for (int64_t k = 0; k < to->n_values; k++) {
        to->documents[k] += from->documents[k];
        from->documents[k] = 0;
        from->last_row[k] = 0;
    }
}

static pen_status merge_all(struct pen_thread_counts *threads, int n_threads, int64_t n_kept, struct pen_error *err)
{
    for (int t = 1; t < n_threads; t++) {
        if (pen_string_table_size(threads[t].table) > n_kept || threads[t].many) {
            PEN_TRY(merge_tables(&threads[0], &threads[t], err));
        }
    }
    return PEN_OK;
}

pen_status pen_total_merge_counts(const struct pen_analyzer_total *total, const struct pen_transform_graph *graph,
                                  struct pen_thread_counts *threads, int n_threads, int64_t n_kept,
                                  struct pen_error *err)
{
    if (total->kind == PEN_GATHER_DOCUMENTS) {
        for (int t = 1; t < n_threads && n_kept == 0; t++) {
            merge_documents(&threads[0], &threads[t]);
        }
        return PEN_OK;
    }
    if (total->kind != PEN_GATHER_COUNTS) {
        return PEN_OK;
    }
    for (int t = 0; t < n_threads; t++) {
        const struct pen_value value = {.entries = threads[t].entries};
        PEN_TRY(flush_codes(total, &threads[t], &value, err));
    }
    PEN_TRY(merge_all(threads, n_threads, n_kept, err));
    if (pen_counts_too_many(total->counts, threads[0].table)) {
        PEN_TRY(merge_all(threads, n_threads, 0, err));
        return pen_counts_cut(total->counts, &threads[0].table, err);
    }
    return total->counts->may_cut ? PEN_OK : check_distinct(graph, total, &threads[0], err);
}
