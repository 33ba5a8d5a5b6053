/* Activations and their derivatives over device matrices; activation.h has the formulas. */
#ifndef PEN_KERNELS_ACTIVATION_ACTIVATION_CUH
#define PEN_KERNELS_ACTIVATION_ACTIVATION_CUH

#include "kernels/activation/activation.h"
#include "kernels/cuda/exec.cuh"

/* In place over rows of n values: y = activation(y + bias); bias NULL: none. */
pen_status pen_activation_apply_cuda(struct pen_exec *exec, enum pen_activation activation, float *y, int64_t ld,
                                     const float *bias, int64_t n_rows, int64_t n, const char *op,
                                     struct pen_error *err);

/* In place: dy = dy * dy/dz; column sums of the result go to sums[n] (NULL: not wanted), by way of parts:
 * ceil(n_rows / 64) * n floats. */
pen_status pen_activation_backward_cuda(struct pen_exec *exec, enum pen_activation activation, float *dy, int64_t ld_dy,
                                        float *sums, float *parts, const float *y, int64_t ld_y, int64_t n_rows,
                                        int64_t n, const char *op, struct pen_error *err);

#endif
