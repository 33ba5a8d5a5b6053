/* Dropout, the same in the forward and the backward pass: the mask is a function of the index, so none is stored.
 *
 * formula      y[i] = keep(i) ? x[i] / (1 - rate) : 0;  keep(i) when word (j mod 4) of the random block
 *              (seed, stream, j div 4) is at least rate 2^32, with j = step->number * stride + i
 * shapes       x, y: [n], n >= 0; 0 <= rate < 1; stride a multiple of 4
 * dtypes       f32
 * aliasing     y may be exactly x
 * special      a dropped NaN or infinity becomes 0
 * workspace    0 bytes
 * determinism  bit-identical, whatever the thread count
 * error bound  2 eps |x|
 * cost         8 n bytes
 * errors       PEN_ERR_SHAPE (pen_dropout_check)
 * backward     itself, on the gradient */
#ifndef PEN_KERNELS_DROPOUT_DROPOUT_H
#define PEN_KERNELS_DROPOUT_DROPOUT_H

#include "core/status.h"
#include "kernels/exec.h"
#include "kernels/step/step.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_dropout {
    int64_t n;
    double rate;
    uint64_t seed, stream, stride;
    const struct pen_training_step *step;
    const float *x;
    float *y;
};

typedef pen_status pen_dropout_fn(struct pen_exec *exec, const struct pen_dropout *dropout, struct pen_error *err);
pen_dropout_fn pen_dropout_cpu, pen_dropout_cuda;

/* What every implementation refuses. */
static inline pen_status pen_dropout_check(const struct pen_dropout *d, struct pen_error *err)
{
    if (d->n < 0 || !(d->rate >= 0 && d->rate < 1) || d->stride % 4 != 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE,
                 "dropout: expected n >= 0, 0 <= rate < 1, stride a multiple of 4, found %lld, %g, %llu",
                 (long long)d->n, d->rate, (unsigned long long)d->stride);
    }
    return PEN_OK;
}

#ifdef __cplusplus
}
#endif

#endif
