/* Batch and layer normalisation of a layer's outputs, and their backward pass.
 *
 * norm_forward
 * formula      y[n,d] = gamma[d] xhat[n,d] + beta[d],  xhat = (x - mean) rstd,  rstd = 1 / sqrt(variance + epsilon)
 *              layer: mean and variance of row n, over its D values
 *              batch: of column d, over the N rows; they move the running ones, running += momentum (new - running),
 *              where the variance that moves them is the unbiased one, times N / (N - 1)
 *              batch, running: mean and variance are running_mean and running_variance
 * shapes       x, y: [N, D] without gaps; gamma, beta, running_mean, running_variance: [D];
 *              mean, rstd: [N] (layer) or [D] (batch), written, for the backward pass; N, D >= 0
 * dtypes       f32; sums in f64
 * aliasing     y may be exactly x
 * special      NaN or infinity in x: NaN in all of its row (layer) or column (batch, where the running ones too become
 *              NaN). N < 2: the running ones stay. N = 0 or D = 0: nothing is written
 * workspace    0 bytes
 * determinism  bit-identical, whatever the thread count: sums in a fixed order
 * error bound  |xhat - ref| <= h = 4 eps (rstd (|x| + 2 |mean|) + |xhat|);  |y - ref| <= |gamma| h + 2 eps (|gamma
 * xhat|
 *              + |beta|);  mean: eps |mean| + D or N units of f64;  rstd: 2 eps rstd
 * cost         12 N D bytes (layer), 12 N D when x stays in the cache, else 16 N D (batch)
 * errors       PEN_ERR_SHAPE (pen_norm_check)
 * backward     norm_backward
 * source       Ioffe, Szegedy, Batch Normalization, 2015, algorithm 1; Ba, Kiros, Hinton, Layer Normalization, 2016,
 *              equation 3
 *
 * norm_backward
 * formula      dgamma[d] = sum_n dy xhat;  dbeta[d] = sum_n dy;  g = gamma dy
 *              dx = rstd (g - avg(g) - xhat avg(g xhat)),  avg over the row (layer) or the column (batch)
 * shapes       as above; mean and rstd as forward left them, of the batch and not the running ones
 * aliasing     dx may be exactly dy
 * special      N = 0: dgamma and dbeta are zero
 * workspace    0 bytes
 * determinism  as above
 * error bound  dbeta: 2 eps sum |dy|;  dgamma: sum |dy| (h + 2 eps |xhat|);
 *              dx: rstd (8 eps (|g| + avg |g| + |xhat| avg |g xhat|) + h avg |g xhat| + |xhat| avg(|g| h))
 * cost         20 N D bytes */
#ifndef PEN_KERNELS_NORM_NORM_H
#define PEN_KERNELS_NORM_NORM_H

#include "core/status.h"
#include "kernels/exec.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_norm_kind { PEN_NORM_NONE, PEN_NORM_BATCH, PEN_NORM_LAYER };

struct pen_norm {
    enum pen_norm_kind kind; /* not none */
    int64_t n_rows, dim;
    const float *x;
    const float *gamma, *beta;
    float *y;
    float *mean, *rstd;
    double epsilon;

    /* batch only */
    bool running; /* normalise by the running ones, as they stand */
    double momentum;
    float *running_mean, *running_variance;
};

typedef pen_status pen_norm_forward_fn(struct pen_exec *exec, const struct pen_norm *norm, struct pen_error *err);
pen_norm_forward_fn pen_norm_forward_cpu, pen_norm_forward_cuda;

struct pen_norm_grad {
    enum pen_norm_kind kind;
    int64_t n_rows, dim;
    const float *x;
    const float *gamma;
    const float *mean, *rstd;
    const float *dy;
    float *dx;
    float *dgamma, *dbeta;
};

typedef pen_status pen_norm_backward_fn(struct pen_exec *exec, const struct pen_norm_grad *grad, struct pen_error *err);
pen_norm_backward_fn pen_norm_backward_cpu, pen_norm_backward_cuda;

/* What every implementation refuses. */
static inline pen_status pen_norm_check(const char *op, enum pen_norm_kind kind, int64_t n_rows, int64_t dim,
                                        struct pen_error *err)
{
    if (n_rows < 0 || dim < 0 || (kind != PEN_NORM_BATCH && kind != PEN_NORM_LAYER)) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "%s: expected batch or layer and sizes >= 0, found kind %d, %lld rows of %lld", op,
                 (int)kind, (long long)n_rows, (long long)dim);
    }
    return PEN_OK;
}

#ifdef __cplusplus
}
#endif

#endif
