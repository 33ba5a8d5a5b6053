/* Columns of a batch as values of the type the graph was compiled for.
 *
 * A column of that type is read in place. Others are converted, so that rows in production may arrive a little
 * differently: whole floats serve as integers, text that is a number as a number, a number as its decimal text;
 * what cannot be converted counts as missing. */
#include "components/transform/evaluate.h"

#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int64_t int_of_double(double x)
{
    return x > -0x1p63 && x < 0x1p63 && floor(x) == x ? (int64_t)x : PEN_MISSING_INT;
}

static void read_ints(const struct pen_column *c, int64_t first, int64_t n, int64_t *y)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t row = first + i;
        y[i] = PEN_MISSING_INT;
        if (!pen_is_valid(c->validity, row)) {
            continue;
        }
        if (c->type == PEN_TYPE_INT64) {
            y[i] = ((const int64_t *)c->values)[row];
        } else if (c->type == PEN_TYPE_FLOAT64) {
            y[i] = int_of_double(((const double *)c->values)[row]);
        } else if (c->type == PEN_TYPE_FLOAT32) {
            y[i] = int_of_double((double)((const float *)c->values)[row]);
        } else if (c->type == PEN_TYPE_BYTES || (c->type == PEN_TYPE_CODES && ((const int32_t *)c->values)[row] >= 0)) {
            size_t size = 0;
            const char *text = pen_column_string(c, row, &size);
            double number = 0;
            if (!pen_parse_int64(text, size, &y[i])) {
                y[i] = pen_parse_double(text, size, &number) ? int_of_double(number) : PEN_MISSING_INT;
            }
        }
    }
}

static void read_floats(const struct pen_column *c, int64_t first, int64_t n, double *y)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t row = first + i;
        y[i] = (double)NAN;
        if (!pen_is_valid(c->validity, row)) {
            continue;
        }
        if (c->type == PEN_TYPE_FLOAT64) {
            y[i] = ((const double *)c->values)[row];
        } else if (c->type == PEN_TYPE_FLOAT32) {
            y[i] = (double)((const float *)c->values)[row];
        } else if (c->type == PEN_TYPE_INT64) {
            y[i] = (double)((const int64_t *)c->values)[row];
        } else if (c->type == PEN_TYPE_BYTES || (c->type == PEN_TYPE_CODES && ((const int32_t *)c->values)[row] >= 0)) {
            size_t size = 0;
            const char *text = pen_column_string(c, row, &size);
            if (!pen_parse_double(text, size, &y[i])) {
                y[i] = (double)NAN;
            }
        }
    }
}

static pen_status read_codes(const struct pen_evaluator *e, const struct pen_node *node, const struct pen_column *c,
                             int64_t first, int64_t n, int32_t *y, struct pen_error *err)
{
    const int32_t *codes = (const int32_t *)c->values + first;
    int64_t n_entries = e->column_entries[node->input].n_entries;
    int32_t largest = -1;
    for (int64_t i = 0; i < n; i++) {
        int32_t code = pen_is_valid(c->validity, first + i) ? codes[i] : -1;
        largest = code > largest ? code : largest;
        y[i] = code < 0 ? -1 : code;
    }
    if (largest >= n_entries) {
        PEN_FAIL(err, PEN_ERR_DATA, "column '%.100s': expected codes below %lld, the dictionary's size, found %d",
                 node->text, (long long)n_entries, largest);
    }
    return PEN_OK;
}

/* BYTES: each row its own entry. */
static void read_bytes(struct pen_evaluator *e, const struct pen_node *node, const struct pen_column *c, int64_t first,
                       int64_t n, int32_t *y)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = pen_is_valid(c->validity, first + i) ? (int32_t)i : -1;
    }
    e->column_entries[node->input] = (struct pen_entries){
        .n_entries = n, .starts = c->offsets + first, .bytes = c->bytes, .generation = ++e->generation};
}

/* Numbers where strings were meant: their decimal text, each row its own entry. */
static pen_status read_number_texts(struct pen_evaluator *e, int32_t index, const struct pen_column *c, int64_t first,
                                    int64_t n, int32_t *y, struct pen_error *err)
{
    struct pen_cache *cache = NULL;
    PEN_TRY(pen_evaluator_cache(e, index, &cache, err));
    PEN_TRY(pen_grow((void **)&cache->starts, &cache->starts_capacity, n + 1, sizeof *cache->starts, err));
    PEN_TRY(pen_grow((void **)&cache->bytes, &cache->bytes_capacity, n * PEN_NUMBER_BYTES + 1, 1, err));
    int64_t used = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = first + i;
        char text[PEN_NUMBER_BYTES] = "";
        y[i] = pen_is_valid(c->validity, row) ? (int32_t)i : -1;
        if (c->type == PEN_TYPE_INT64) {
            (void)snprintf(text, sizeof text, "%lld", (long long)((const int64_t *)c->values)[row]);
        } else {
            (void)pen_format_double(text, c->type == PEN_TYPE_FLOAT64 ? ((const double *)c->values)[row]
                                                                      : (double)((const float *)c->values)[row]);
        }
        cache->starts[i] = used;
        memcpy(cache->bytes + used, text, strlen(text));
        used += (int64_t)strlen(text);
    }
    cache->starts[n] = used;
    e->column_entries[e->graph->nodes[index].input] = (struct pen_entries){
        .n_entries = n, .starts = cache->starts, .bytes = cache->bytes, .generation = ++e->generation};
    return PEN_OK;
}

static pen_status evaluate_string_column(struct pen_evaluator *e, int32_t index, const struct pen_column *c,
                                         int64_t first_row, int64_t n, struct pen_error *err)
{
    const struct pen_node *node = &e->graph->nodes[index];
    int32_t *codes = pen_evaluator_slot(e, index);
    e->values[index].entries = &e->column_entries[node->input];
    if (c == NULL || c->type == PEN_TYPE_NONE) {
        memset(codes, 0xFF, (size_t)n * sizeof *codes);
        e->column_entries[node->input] = (struct pen_entries){.generation = ++e->generation};
        return PEN_OK;
    }
    if (c->type == PEN_TYPE_CODES) {
        return read_codes(e, node, c, first_row, n, codes, err);
    }
    if (c->type == PEN_TYPE_BYTES) {
        read_bytes(e, node, c, first_row, n, codes);
        return PEN_OK;
    }
    return read_number_texts(e, index, c, first_row, n, codes, err);
}

pen_status pen_evaluate_column(struct pen_evaluator *e, int32_t index, int64_t first_row, int64_t n,
                               struct pen_error *err)
{
    const struct pen_node *node = &e->graph->nodes[index];
    const struct pen_column *c = e->columns[node->input];
    if (node->type == PEN_VALUE_STRING) {
        return evaluate_string_column(e, index, c, first_row, n, err);
    }
    struct pen_column absent = {.type = PEN_TYPE_NONE};
    const struct pen_column *from = c == NULL ? &absent : c;
    if (node->type == PEN_VALUE_INT) {
        if (from->type == PEN_TYPE_INT64 && from->validity == NULL) {
            e->values[index].data = (const int64_t *)from->values + first_row;
        } else {
            read_ints(from, first_row, n, pen_evaluator_slot(e, index));
        }
    } else if (from->type == PEN_TYPE_FLOAT64 && from->validity == NULL) {
        e->values[index].data = (const double *)from->values + first_row;
    } else {
        read_floats(from, first_row, n, pen_evaluator_slot(e, index));
    }
    return PEN_OK;
}
