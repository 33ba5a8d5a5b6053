/* Blocks take 1024 values in turn, a thread four neighbours; norm.cuh adds up. 4 bytes a value. */
#include "kernels/optimiser/norm.cuh"
#include "kernels/optimiser/optimiser.h"

static __global__ void squared_norm_k(double *parts, const float *x, int64_t n, bool aligned)
{
    double own = 0;
    for (int64_t i = 4 * pen_cuda_first(); i < n; i += 4 * pen_cuda_step()) {
        own += pen_norm::squares(x + i, n - i, aligned);
    }
    pen_norm::leave(parts, own);
}

extern "C" pen_status pen_squared_norm_cuda(struct pen_exec *exec, const struct pen_squared_norm *a,
                                            struct pen_error *err)
{
    double *parts = NULL;
    if (a->n < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "squared_norm: expected n >= 0, found %lld", (long long)a->n);
    }
    if (a->n == 0) {
        return PEN_OK;
    }
    PEN_TRY(pen_norm::parts_of(exec, &parts, "squared_norm", err));
    PEN_LAUNCH(squared_norm_k, pen_norm::BLOCKS, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), parts, a->x, a->n,
               pen_cuda_aligned(a->x, 16));
    PEN_CUDA_LAUNCHED("squared_norm", err);
    return pen_norm::add_up(exec, a->sum, parts, "squared_norm", err);
}
