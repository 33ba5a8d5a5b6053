/* A batch gathered from rows that lie in device memory.
 *
 * gather
 * formula      r(i) = step ? order(step->first_place + i) : first + i, for i in [0, B)
 *              x[i, j] = (dense[r(i), j] - shift[j]) * scale[j], 0 where that is not finite
 *              ids of feature f of row i = those of row r(i); label[i], weight[i] = those of r(i)
 *              order(p) = pen_rng_permute(step->order_seed, step->order_stream, p, step->n_order)
 * shapes       dense: [N, n_dense], x: [B, ld_x]; from, to: [n_ids]; label, weight: [N] and [B]
 *              a feature of one id a row: from values[r * stride], to ids[i * stride]
 *              a ragged one: from values[row_offsets[r] .. row_offsets[r + 1]), to ids[offsets[i] .. offsets[i + 1]),
 *              offsets: [B + 1], room in ids for all of them
 * dtypes       f32, int32 ids, int64 offsets
 * aliasing     none
 * special      from.label NULL: labels become NaN (no label); from.weight NULL: 1. B = 0: offsets[0] = 0
 * workspace    0 bytes
 * determinism  copies
 * error bound  x: 2 eps (|dense| + |shift|) |scale|
 * cost         8 B (n_dense + ids + 2) bytes
 * errors       PEN_ERR_SHAPE (pen_gather_check) */
#ifndef PEN_KERNELS_BATCH_BATCH_H
#define PEN_KERNELS_BATCH_BATCH_H

#include "core/status.h"
#include "kernels/exec.h"
#include "kernels/step/step.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_gather_from {
    const int32_t *values;
    int64_t stride;
    const int64_t *row_offsets; /* NULL: one id a row */
};

struct pen_gather_to {
    int32_t *ids;
    int64_t stride;
    int64_t *offsets; /* NULL: one id a row */
};

struct pen_gather {
    int64_t n_rows; /* B */
    const struct pen_training_step *step;
    int64_t first;

    int64_t n_dense, n_ids;
    int64_t n_ragged; /* of the n_ids features, those that are ragged */
    const float *dense, *shift, *scale;
    const struct pen_gather_from *from; /* [n_ids], in device memory like what it points to */
    const float *from_label, *from_weight;

    float *x;
    int64_t ld_x;
    const struct pen_gather_to *to; /* [n_ids], likewise */
    float *label, *weight;
};

typedef pen_status pen_gather_fn(struct pen_exec *exec, const struct pen_gather *gather, struct pen_error *err);
pen_gather_fn pen_gather_cpu, pen_gather_cuda;

/* What every implementation refuses. */
static inline pen_status pen_gather_check(const struct pen_gather *g, struct pen_error *err)
{
    if (g->n_rows < 0 || g->n_dense < 0 || g->n_ids < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "gather: expected sizes >= 0, found %lld rows, %lld dense columns, %lld features",
                 (long long)g->n_rows, (long long)g->n_dense, (long long)g->n_ids);
    }
    return PEN_OK;
}

#ifdef __cplusplus
}
#endif

#endif
