/* The matrix product of the device's library. */
#include "kernels/cuda/product.cuh"

extern "C" pen_status pen_gemm_cuda(struct pen_exec *exec, const struct pen_gemm *g, struct pen_error *err)
{
    bool fused = false;
    return pen_cuda_product(exec, &fused, g, NULL, "gemm", err);
}
