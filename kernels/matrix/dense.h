/* A dense layer: product, bias and activation in one op, and its backward pass.
 *
 * dense_forward
 * formula      y[n,o] = f(sum_i x[n,i] w[i,o] + bias[o] + (add ? y[n,o] : 0)), f = activation
 * shapes       x: [N, I], w: [I, O] (row stride O), bias: [O] or NULL, y: [N, O]; N, I, O >= 0
 * dtypes       f32; a device may round x, w and dz as exec->precision lets it (bounds: gemm.h)
 * aliasing     y overlaps nothing else
 * special      NaN and infinity as in the formula
 * workspace    0 bytes
 * determinism  bit-identical for equal input on one machine, whatever the thread count: fixed blocks of rows
 * error bound  |y - ref| <= L (I + 3) eps (sum |x w| + |bias| + |y before|) + 4 eps |ref|, L = Lipschitz bound of f
 * cost         2 N I O flops
 * errors       PEN_ERR_SHAPE (pen_dense_check)
 * backward     dense_backward
 *
 * dense_backward
 * formula      dz = dy * f'(y);  dw = x' dz;  dbias = sum_n dz;  dx[n,i] = sum_o dz[n,o] w[i,o] for i < n_dx
 * shapes       dy: [N, O], overwritten by dz; dw: [I, O]; dbias: [O] or NULL; dx: [N, n_dx] (NULL when n_dx = 0)
 * special      N = 0: dw and dbias are zero
 * workspace    ceil(N / 64) * O floats
 * determinism  as above: dw is split by rows of dw, dbias is summed by fixed blocks in order
 * error bound  |dw - ref| <= (N + 4) eps sum |x dz|; the same with O for dx and N for dbias
 * cost         2 N I O + 2 N n_dx O flops */
#ifndef PEN_KERNELS_MATRIX_DENSE_H
#define PEN_KERNELS_MATRIX_DENSE_H

#include "core/status.h"
#include "kernels/activation/activation.h"
#include "kernels/exec.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_dense {
    int64_t n_rows, n_in, n_out;
    enum pen_activation activation;
    bool add;
    const float *x;
    int64_t ld_x;
    const float *w;
    const float *bias;
    float *y;
    int64_t ld_y;
};

typedef pen_status pen_dense_forward_fn(struct pen_exec *exec, const struct pen_dense *dense, struct pen_error *err);
pen_dense_forward_fn pen_dense_forward_cpu, pen_dense_forward_cuda;

struct pen_dense_grad {
    int64_t n_rows, n_in, n_out, n_dx;
    enum pen_activation activation;
    const float *x;
    int64_t ld_x;
    const float *w;
    const float *y;
    int64_t ld_y;
    float *dy;
    int64_t ld_dy;
    float *dw;
    float *dbias;
    float *dx;
    int64_t ld_dx;
    float *workspace;
};

typedef pen_status pen_dense_backward_fn(struct pen_exec *exec, const struct pen_dense_grad *grad,
                                         struct pen_error *err);
pen_dense_backward_fn pen_dense_backward_cpu, pen_dense_backward_cuda;

/* What every implementation of either op refuses. */
static inline pen_status pen_dense_check(const char *op, int64_t n_rows, int64_t n_in, int64_t n_out,
                                         struct pen_error *err)
{
    if (n_rows < 0 || n_in < 0 || n_out < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "%s: expected sizes >= 0, found %lld rows, %lld inputs, %lld outputs", op,
                 (long long)n_rows, (long long)n_in, (long long)n_out);
    }
    return PEN_OK;
}

#ifdef __cplusplus
}
#endif

#endif
