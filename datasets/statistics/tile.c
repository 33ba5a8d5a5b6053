/* Present cells of a column as doubles: the common currency of the numeric statistics. Adding 0.0 turns -0 into 0.
 * An int64 beyond 2^53 rounds to the nearest double, as its statistics do anyway. */
#include "datasets/statistics/profile_internal.h"

#include <assert.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

static_assert(PEN_TILE % 8 == 0, "a tile begins at a byte of the validity bitmap");

/* ---- all rows ---- */

static inline __attribute__((always_inline)) void to_doubles_body(double *restrict out, enum pen_type type,
                                                                  const void *cells, int64_t n)
{
    if (type == PEN_TYPE_FLOAT64) {
        const double *values = cells;
        for (int64_t i = 0; i < n; i++) {
            out[i] = values[i] + 0.0;
        }
    } else if (type == PEN_TYPE_FLOAT32) {
        const float *values = cells;
        for (int64_t i = 0; i < n; i++) {
            out[i] = (double)values[i] + 0.0;
        }
    } else {
        const int64_t *values = cells;
        for (int64_t i = 0; i < n; i++) {
            out[i] = (double)values[i];
        }
    }
}

/* Cells of 8 bytes, without branches on the bits: every cell is written, only present ones move the end on. `out` and
 * `cells` may be the same array. Returns how many are present. */
static int64_t keep_present_body(char *out, const char *cells, const uint8_t *validity, int64_t n)
{
    int64_t n_kept = 0;
    for (int64_t i = 0; i < n; i++) {
        memmove(out + 8 * n_kept, cells + 8 * i, 8);
        n_kept += (validity[i >> 3] >> (i & 7)) & 1;
    }
    return n_kept;
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq,prefer-vector-width=512"))) static void
to_doubles_avx512(double *out, enum pen_type type, const void *cells, int64_t n)
{
    to_doubles_body(out, type, cells, n);
}

__attribute__((target("avx512f,popcnt"))) static int64_t keep_present_avx512(char *out, const char *cells,
                                                                             const uint8_t *validity, int64_t n)
{
    int64_t n_kept = 0, i = 0;
    for (; i + 8 <= n; i += 8) {
        __m512i eight = _mm512_maskz_compress_epi64(validity[i >> 3], _mm512_loadu_si512(cells + 8 * i));
        _mm512_storeu_si512(out + 8 * n_kept, eight); /* ends where the next eight begin, at most */
        n_kept += __builtin_popcount(validity[i >> 3]);
    }
    return n_kept + keep_present_body(out + 8 * n_kept, cells + 8 * i, validity + (i >> 3), n - i);
}
#endif

static void to_doubles(double *out, enum pen_type type, const void *cells, int64_t n)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512dq")) {
        to_doubles_avx512(out, type, cells, n);
        return;
    }
#endif
    to_doubles_body(out, type, cells, n);
}

static int64_t keep_present(void *out, const void *cells, const uint8_t *validity, int64_t n)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("popcnt")) {
        return keep_present_avx512(out, cells, validity, n);
    }
#endif
    return keep_present_body(out, cells, validity, n);
}

static void fill_all(struct pen_tile *tile, const struct pen_column *chunk, int64_t first, int64_t n,
                     const double *weights)
{
    const char *cells = (const char *)chunk->values + (size_t)first * pen_type_size(chunk->type);
    const uint8_t *validity = chunk->validity == NULL ? NULL : chunk->validity + first / 8;
    tile->n_values = n;
    tile->cells = tile->values;
    if (chunk->type == PEN_TYPE_INT64) {
        tile->cells = cells;
        if (validity != NULL) {
            tile->n_values = keep_present(tile->integers, cells, validity, n);
            tile->cells = tile->integers;
        }
        to_doubles(tile->values, chunk->type, tile->cells, tile->n_values);
    } else {
        to_doubles(tile->values, chunk->type, cells, n);
        if (validity != NULL) {
            tile->n_values = keep_present(tile->values, tile->values, validity, n);
        }
    }
    if (weights != NULL && validity != NULL) {
        (void)keep_present(tile->weights, weights + first, validity, n);
    } else if (weights != NULL) {
        memcpy(tile->weights, weights + first, (size_t)n * sizeof *weights);
    }
}

/* ---- chosen rows ---- */

static void fill_rows(struct pen_tile *tile, const struct pen_column *chunk, const int32_t *rows, int64_t n,
                      const double *weights)
{
    bool integers = chunk->type == PEN_TYPE_INT64;
    tile->n_values = 0;
    tile->cells = integers ? (const void *)tile->integers : tile->values;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = rows[i];
        if (!pen_is_valid(chunk->validity, row)) {
            continue;
        }
        int64_t at = tile->n_values++;
        tile->weights[at] = weights == NULL ? 1.0 : weights[row];
        if (integers) {
            tile->integers[at] = ((const int64_t *)chunk->values)[row];
            tile->values[at] = (double)tile->integers[at];
        } else if (chunk->type == PEN_TYPE_FLOAT64) {
            tile->values[at] = ((const double *)chunk->values)[row] + 0.0;
        } else {
            tile->values[at] = (double)((const float *)chunk->values)[row] + 0.0;
        }
    }
}

void pen_tile_fill(struct pen_tile *tile, const struct pen_column *chunk, int64_t first, const int32_t *rows,
                   int64_t n_rows, const double *weights)
{
    int64_t n = n_rows - first < PEN_TILE ? n_rows - first : PEN_TILE;
    if (rows == NULL) {
        fill_all(tile, chunk, first, n, weights);
    } else {
        fill_rows(tile, chunk, rows + first, n, weights);
    }
}
