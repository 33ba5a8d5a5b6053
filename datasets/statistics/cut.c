/* Groups of cells (cut.h). */
#include "datasets/statistics/cut.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- creation ---- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Lower edges of the buckets, half of PEN_CUT_MOST at most. An integer is never below the next whole edge. */
static int add_edges(const struct pen_cut *cut, double *edges, int n, const struct pen_histogram *histogram)
{
    int64_t step = histogram->n_buckets / (PEN_CUT_MOST / 2) + 1;
    for (int64_t i = 0; i < histogram->n_buckets; i += step) {
        double low = histogram->buckets[i].low;
        if (!isnan(low)) {
            edges[n++] = cut->type == PEN_TYPE_INT64 ? ceil(low) : low;
        }
    }
    return n;
}

static void cut_numbers(struct pen_cut *cut, const struct pen_numeric_statistics *numeric)
{
    int n = add_edges(cut, cut->edges, 0, &numeric->standard);
    cut->max = numeric->max;
    n = add_edges(cut, cut->edges, n, &numeric->quantiles);
    qsort(cut->edges, (size_t)n, sizeof *cut->edges, ascending);
    for (int i = 0; i < n; i++) {
        if (cut->n_groups == 0 || cut->edges[i] > cut->edges[cut->n_groups - 1]) {
            cut->edges[cut->n_groups++] = cut->edges[i];
        }
    }
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp((*(const struct pen_value_count *const *)a)->value,
                  (*(const struct pen_value_count *const *)b)->value);
}

static void cut_texts(struct pen_cut *cut, const struct pen_value_counts *ranks)
{
    cut->n_groups = (int)(ranks->n_items < PEN_CUT_MOST ? ranks->n_items : PEN_CUT_MOST);
    cut->texts = ranks->items;
    for (int i = 0; i < cut->n_groups; i++) {
        cut->sorted[i] = &ranks->items[i];
    }
    qsort(cut->sorted, (size_t)cut->n_groups, sizeof(*cut->sorted), by_bytes);
}

void pen_cut_init(struct pen_cut *cut, const struct pen_feature_statistics *feature)
{
    *cut = (struct pen_cut){.type = feature->type, .by_text = feature->has_string};
    if (feature->has_string) {
        cut_texts(cut, &feature->string.ranks);
    } else if (feature->has_numeric) {
        cut_numbers(cut, &feature->numeric);
    }
}

void pen_cut_deinit(struct pen_cut *cut)
{
    pen_free(cut->of_code);
}

/* ---- cells ---- */

double pen_cut_number(const struct pen_column *chunk, int64_t row)
{
    return chunk->type == PEN_TYPE_FLOAT64   ? ((const double *)chunk->values)[row]
           : chunk->type == PEN_TYPE_FLOAT32 ? (double)((const float *)chunk->values)[row]
           : chunk->type == PEN_TYPE_INT64   ? (double)((const int64_t *)chunk->values)[row]
                                             : (double)NAN;
}

static int group_of_text(const struct pen_cut *cut, const char *text, size_t size_bytes)
{
    int low = 0, high = cut->n_groups;
    while (low < high) {
        int middle = (low + high) / 2;
        const char *value = cut->sorted[middle]->value;
        size_t length = strlen(value);
        int order = memcmp(value, text, length < size_bytes ? length : size_bytes);
        order = order != 0 ? order : (length > size_bytes) - (length < size_bytes);
        if (order == 0) {
            return (int)(cut->sorted[middle] - cut->texts);
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return pen_cut_other(cut);
}

static int group_of_number(const struct pen_cut *cut, double value)
{
    int low = 0, high = cut->n_groups;
    while (low < high) {
        int middle = (low + high) / 2;
        if (value >= cut->edges[middle]) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return isnan(value) ? pen_cut_other(cut) : low > 0 ? low - 1 : 0;
}

/* Codes are looked up once. */
static pen_status learn_codes(struct pen_cut *cut, const struct pen_dictionary *dictionary, struct pen_error *err)
{
    void *memory = cut->of_code;
    pen_status status = pen_grow(&memory, &cut->capacity, dictionary->n_entries, sizeof *cut->of_code, err);
    cut->of_code = memory;
    PEN_TRY(status);
    for (; cut->n_codes < dictionary->n_entries; cut->n_codes++) {
        const int64_t *offsets = dictionary->offsets + cut->n_codes;
        cut->of_code[cut->n_codes] =
            group_of_text(cut, dictionary->bytes + offsets[0], (size_t)(offsets[1] - offsets[0]));
    }
    return PEN_OK;
}

static int group_of_cell(const struct pen_cut *cut, const struct pen_column *chunk, int64_t row)
{
    if (chunk->type == PEN_TYPE_CODES) {
        return cut->of_code[((const int32_t *)chunk->values)[row]];
    }
    if (chunk->type == PEN_TYPE_BYTES) {
        const int64_t *offsets = chunk->offsets + row;
        return group_of_text(cut, chunk->bytes + offsets[0], (size_t)(offsets[1] - offsets[0]));
    }
    if (cut->by_text) {
        char text[32];
        int n = snprintf(text, sizeof text, "%lld", (long long)((const int64_t *)chunk->values)[row]);
        return group_of_text(cut, text, (size_t)n);
    }
    return group_of_number(cut, pen_cut_number(chunk, row));
}

pen_status pen_cut_rows(struct pen_cut *cut, int32_t *groups, const struct pen_column *chunk, struct pen_error *err)
{
    if (chunk->type == PEN_TYPE_CODES && chunk->dictionary != NULL) {
        PEN_TRY(learn_codes(cut, chunk->dictionary, err));
    }
    for (int64_t row = 0; row < chunk->n_rows; row++) {
        bool present = chunk->type != PEN_TYPE_NONE && pen_is_valid(chunk->validity, row) &&
                       (chunk->type != PEN_TYPE_CODES || ((const int32_t *)chunk->values)[row] >= 0);
        groups[row] = present ? group_of_cell(cut, chunk, row) : pen_cut_missing(cut);
    }
    return PEN_OK;
}

/* ---- names ---- */

const char *pen_cut_name(const struct pen_cut *cut, int group, struct pen_arena *arena)
{
    if (cut->by_text) {
        return cut->texts[group].value;
    }
    bool last = group == cut->n_groups - 1;
    double low = cut->edges[group], high = last ? cut->max : cut->edges[group + 1];
    high -= cut->type == PEN_TYPE_INT64 && !last ? 1 : 0;
    return high == low ? pen_arena_printf(arena, "%.9g", low) : pen_arena_printf(arena, "%.9g .. %.9g", low, high);
}
