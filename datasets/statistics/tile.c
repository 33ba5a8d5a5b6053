/* Present cells of a column as doubles: the common currency of the numeric statistics. Adding 0.0 turns -0 into 0.
 * An int64 beyond 2^53 rounds to the nearest double, as its statistics do anyway. */
#include "datasets/statistics/profile_internal.h"

static inline double value_at(const struct pen_column *chunk, int64_t row)
{
    if (chunk->type == PEN_TYPE_FLOAT64) {
        return ((const double *)chunk->values)[row] + 0.0;
    }
    if (chunk->type == PEN_TYPE_FLOAT32) {
        return (double)((const float *)chunk->values)[row] + 0.0;
    }
    return (double)((const int64_t *)chunk->values)[row];
}

static void fill_all(double *restrict out, const struct pen_column *chunk, int64_t first, int64_t n)
{
    if (chunk->type == PEN_TYPE_FLOAT64) {
        const double *values = (const double *)chunk->values + first;
        for (int64_t i = 0; i < n; i++) {
            out[i] = values[i] + 0.0;
        }
    } else if (chunk->type == PEN_TYPE_FLOAT32) {
        const float *values = (const float *)chunk->values + first;
        for (int64_t i = 0; i < n; i++) {
            out[i] = (double)values[i] + 0.0;
        }
    } else {
        const int64_t *values = (const int64_t *)chunk->values + first;
        for (int64_t i = 0; i < n; i++) {
            out[i] = (double)values[i];
        }
    }
}

/* Without branches on the bits: every value is written, only present ones move the end on. `out` and `kept` may be
 * the same array. */
static int64_t keep_present(double *out, const double *kept, const uint8_t *validity, int64_t first, int64_t n)
{
    int64_t n_kept = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = first + i;
        out[n_kept] = kept[i];
        n_kept += (validity[row >> 3] >> (row & 7)) & 1;
    }
    return n_kept;
}

void pen_tile_fill(struct pen_tile *tile, const struct pen_column *chunk, int64_t first, const int32_t *rows,
                   int64_t n_rows, const double *weights)
{
    int64_t n = n_rows - first < PEN_TILE ? n_rows - first : PEN_TILE;
    if (rows == NULL) {
        fill_all(tile->values, chunk, first, n);
        tile->n_values = n;
        if (chunk->validity != NULL) {
            tile->n_values = keep_present(tile->values, tile->values, chunk->validity, first, n);
        }
        if (weights != NULL && chunk->validity != NULL) {
            (void)keep_present(tile->weights, weights + first, chunk->validity, first, n);
        } else if (weights != NULL) {
            for (int64_t i = 0; i < n; i++) {
                tile->weights[i] = weights[first + i];
            }
        }
        return;
    }
    tile->n_values = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = rows[first + i];
        if (pen_is_valid(chunk->validity, row)) {
            tile->weights[tile->n_values] = weights == NULL ? 1.0 : weights[row];
            tile->values[tile->n_values++] = value_at(chunk, row);
        }
    }
}
