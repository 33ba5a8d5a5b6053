/* Convolutions along one axis by cuDNN, in builds that have it (convolution.cu; others: convolution_absent.cu).
 *
 * y[p, f] = sum_{j < w, e < E} filters[f, j, e] x[p + j, e],  0 <= p <= P - w
 *
 * For tensor cores: factors are rounded to tf32, sums are float32, rows are whole 16 bytes (E and F multiples of 4).
 * Only algorithms are let in that give the same bits every time and whose windows have nothing to do with each other,
 * so that NaN in one stays there (no FFT, no Winograd transform). Which one serves a shape is asked once and kept in
 * the exec. */
#ifndef PEN_KERNELS_CUDA_CONVOLUTION_CUH
#define PEN_KERNELS_CUDA_CONVOLUTION_CUH

#include "kernels/cuda/exec.cuh"

struct pen_cuda_convolution {
    int64_t n_positions, dim, width, n_filters; /* P, E, w, F */
};

/* What a run of the shape takes of device memory, to be aligned to 256 bytes; -1: the library is absent, or has no such
 * algorithm. */
pen_status pen_cuda_convolution_plan(struct pen_exec *exec, int64_t *scratch_bytes,
                                     const struct pen_cuda_convolution *shape, struct pen_error *err);

/* Of a shape that there is a plan for; y, x and filters are aligned to 16 bytes. */
pen_status pen_cuda_convolve(struct pen_exec *exec, float *y, const float *x, const float *filters, void *scratch,
                             const struct pen_cuda_convolution *shape, struct pen_error *err);

/* 92801: cuDNN 9.28.1; 0: absent. */
int pen_cuda_convolutions_version(void);

void pen_cuda_convolutions_destroy(struct pen_cuda_convolutions *convolutions); /* NULL: nothing */

#endif
