/* Products of float32 matrices by cuBLASLt, with a bias in the same launch where the library has that.
 *
 * Which algorithm computes a shape is asked once for it and kept in the exec; the library's answer follows from sizes,
 * leading dimensions and alignment, and only algorithms whose sums have a fixed order are let in, so equal calls give
 * equal bits. The product's scratch is the exec's workspace: an op that calls this keeps nothing there. */
#ifndef PEN_KERNELS_CUDA_PRODUCT_CUH
#define PEN_KERNELS_CUDA_PRODUCT_CUH

#include "kernels/cuda/exec.cuh"
#include "kernels/matrix/gemm.h"

/* bias: [n], added to every row of C; NULL: none. *fused: it was added, or there is none; where it is false, C holds
 * the product alone. `op` names the call in errors. */
pen_status pen_cuda_product(struct pen_exec *exec, bool *fused, const struct pen_gemm *gemm, const float *bias,
                            const char *op, struct pen_error *err);

/* 130100: cuBLASLt 13.1.0. */
int pen_cuda_products_version(void);

void pen_cuda_products_destroy(struct pen_cuda_products *products); /* NULL: nothing */

#endif
