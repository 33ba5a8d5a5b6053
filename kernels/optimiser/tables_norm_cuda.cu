/* The gradients of all tables in one launch, a warp a piece of 512 values (touched.cuh); norm.cuh adds up. 4 bytes a
 * value. */
#include "kernels/optimiser/norm.cuh"
#include "kernels/optimiser/optimiser.h"

namespace
{

struct adder {
    double *own; /* the thread's */

    __device__ void operator()(const pen_embedding_feature &f, int64_t first, int64_t n) const
    {
        bool aligned = pen_cuda_aligned(f.grad, 16);
        for (int64_t i = 4 * (threadIdx.x % 32); i < n; i += 128) {
            *own += pen_norm::squares(f.grad + first + i, n - i, aligned);
        }
    }
};

__global__ void tables_norm_k(double *parts, const pen_embedding_feature *features, int64_t n_features)
{
    double own = 0;
    pen_visit_touched(features, n_features, adder{&own});
    pen_norm::leave(parts, own);
}

} // namespace

extern "C" pen_status pen_tables_norm_cuda(struct pen_exec *exec, const struct pen_tables_norm *a,
                                           struct pen_error *err)
{
    double *parts = NULL;
    if (a->n_features < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "tables_norm: expected features >= 0, found %lld", (long long)a->n_features);
    }
    if (a->n_features == 0) {
        return PEN_OK;
    }
    PEN_TRY(pen_norm::parts_of(exec, &parts, "tables_norm", err));
    PEN_LAUNCH(tables_norm_k, pen_norm::BLOCKS, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), parts, a->features,
               a->n_features);
    PEN_CUDA_LAUNCHED("tables_norm", err);
    return pen_norm::add_up(exec, a->sum, parts, "tables_norm", err);
}
