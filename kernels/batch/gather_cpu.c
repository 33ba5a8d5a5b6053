/* Gathering on the CPU: blocks of rows, each row's columns and ids in one visit; ragged features after them, because
 * where a row's ids begin depends on the rows before it. */
#include "kernels/batch/batch.h"

#include "core/rng.h"
#include "kernels/simd.h"

#include <math.h>
#include <string.h>

enum { GATHER_ROWS = 64, GATHER_PARALLEL_ROWS = 512 };

static int64_t source_row(const struct pen_gather *g, int64_t i)
{
    return g->step == NULL ? g->first + i
                           : (int64_t)pen_rng_permute(g->step->order_seed, g->step->order_stream,
                                                      (uint64_t)(g->step->first_place + i), (uint64_t)g->step->n_order);
}

PEN_SIMD static void standardise(float *restrict x, const float *restrict dense, const float *restrict shift,
                                 const float *restrict scale, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        float v = (dense[j] - shift[j]) * scale[j];
        x[j] = fabsf(v) <= 3.40282347e38f ? v : 0.0f; /* false for NaN as well */
    }
}

static void gather_block(const struct pen_gather *g, int64_t first, int64_t end)
{
    int64_t rows[GATHER_ROWS];
    for (int64_t i = first; i < end; i++) {
        rows[i - first] = source_row(g, i);
    }
    for (int64_t i = first; i < end; i++) {
        int64_t row = rows[i - first];
        standardise(g->x + i * g->ld_x, g->dense + row * g->n_dense, g->shift, g->scale, g->n_dense);
        for (int64_t f = 0; f < g->n_ids; f++) {
            if (g->to[f].offsets == NULL) {
                g->to[f].ids[i * g->to[f].stride] = g->from[f].values[row * g->from[f].stride];
            }
        }
        g->label[i] = g->from_label != NULL ? g->from_label[row] : NAN;
        g->weight[i] = g->from_weight != NULL ? g->from_weight[row] : 1.0f;
    }
}

static void gather_ragged(const struct pen_gather *g, int64_t f)
{
    const struct pen_gather_from *from = &g->from[f];
    const struct pen_gather_to *to = &g->to[f];
    to->offsets[0] = 0;
    for (int64_t i = 0; i < g->n_rows; i++) {
        int64_t row = source_row(g, i), n = from->row_offsets[row + 1] - from->row_offsets[row];
        if (n > 0) {
            memcpy(to->ids + to->offsets[i], from->values + from->row_offsets[row], (size_t)n * sizeof(int32_t));
        }
        to->offsets[i + 1] = to->offsets[i] + n;
    }
}

pen_status pen_gather_cpu(struct pen_exec *exec, const struct pen_gather *g, struct pen_error *err)
{
    PEN_TRY(pen_gather_check(g, err));
    int64_t n_blocks = (g->n_rows + GATHER_ROWS - 1) / GATHER_ROWS;
#pragma omp parallel for schedule(static) if (g->n_rows >= GATHER_PARALLEL_ROWS)
    for (int64_t b = 0; b < n_blocks; b++) {
        int64_t first = b * GATHER_ROWS;
        gather_block(g, first, first + GATHER_ROWS < g->n_rows ? first + GATHER_ROWS : g->n_rows);
    }
#pragma omp parallel for schedule(dynamic) if (g->n_rows >= GATHER_PARALLEL_ROWS && g->n_ragged > 1)
    for (int64_t f = 0; f < g->n_ids; f++) {
        if (g->to[f].offsets != NULL) {
            gather_ragged(g, f);
        }
    }
    return PEN_OK;
}
