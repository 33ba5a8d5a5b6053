/* Dense layers: the library's product, with the bias in its epilogue where there is no activation; bias and activation
 * are otherwise one visit of the result by our own kernel, which keeps NaN (product.cu).
 *
 * Backward: dz and the sums of dbias in one visit of dy and y, then the two products. The activation is of this layer,
 * so its derivative belongs in front of them; the library's epilogues would put it behind. */
#include "kernels/activation/activation.cuh"
#include "kernels/cuda/product.cuh"
#include "kernels/matrix/dense.h"

extern "C" pen_status pen_dense_forward_cuda(struct pen_exec *exec, const struct pen_dense *d, struct pen_error *err)
{
    PEN_TRY(pen_dense_check("dense_forward", d->n_rows, d->n_in, d->n_out, err));
    bool linear = d->activation == PEN_ACTIVATION_NONE, fused = false;
    struct pen_gemm product = {d->n_rows, d->n_out, d->n_in, false,    false, 1,      d->add ? 1.0f : 0.0f,
                               d->x,      d->ld_x,  d->w,    d->n_out, d->y,  d->ld_y};
    PEN_TRY(pen_cuda_product(exec, &fused, &product, linear ? d->bias : NULL, "dense_forward", err));
    return linear && fused ? PEN_OK
                           : pen_activation_apply_cuda(exec, d->activation, d->y, d->ld_y, d->bias, d->n_rows, d->n_out,
                                                       "dense_forward", err);
}

extern "C" pen_status pen_dense_backward_cuda(struct pen_exec *exec, const struct pen_dense_grad *d,
                                              struct pen_error *err)
{
    PEN_TRY(pen_dense_check("dense_backward", d->n_rows, d->n_in, d->n_out, err));
    bool fused = false;
    PEN_TRY(pen_activation_backward_cuda(exec, d->activation, d->dy, d->ld_dy, d->dbias, d->workspace, d->y, d->ld_y,
                                         d->n_rows, d->n_out, "dense_backward", err));
    struct pen_gemm dw = {d->n_in, d->n_out, d->n_rows, true,     false, 1,       0,
                          d->x,    d->ld_x,  d->dy,     d->ld_dy, d->dw, d->n_out};
    PEN_TRY(pen_cuda_product(exec, &fused, &dw, NULL, "dense_backward", err));
    struct pen_gemm dx = {d->n_rows, d->n_dx,  d->n_out, false,    true,  1,       0,
                          d->dy,     d->ld_dy, d->w,     d->n_out, d->dx, d->ld_dx};
    return pen_cuda_product(exec, &fused, &dx, NULL, "dense_backward", err);
}
