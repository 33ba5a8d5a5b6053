/* A thread stores a value. Reads are coalesced; writes are apart by the stride, which the L2 cache gathers while the
 * columns of the same rows are stored one after another. Counts are whole numbers, so the order of blocks leaves no
 * mark. */
#include "kernels/columns/columns.h"
#include "kernels/cuda/exec.cuh"

#include <float.h>
#include <math.h>

static __global__ void store_k(float *y, int64_t stride, unsigned long long *n_replaced, const double *x, int64_t n)
{
    PEN_SHARED(int64_t, partial, [PEN_CUDA_BLOCK / 32]);
    int64_t replaced = 0;
    for (int64_t i = pen_cuda_first(); i < n; i += pen_cuda_step()) {
        double value = x[i];
        bool finite = fabs(value) <= DBL_MAX;
        double clipped = value > (double)FLT_MAX    ? (double)FLT_MAX
                         : value < -(double)FLT_MAX ? -(double)FLT_MAX
                                                    : value;
        y[i * stride] = finite ? (float)clipped : 0.0F;
        replaced += finite ? 0 : 1;
    }
    replaced = pen_block_sum(replaced, partial);
    if (threadIdx.x == 0 && replaced > 0) {
        atomicAdd(n_replaced, (unsigned long long)replaced);
    }
}

extern "C" pen_status pen_columns_store_cuda(struct pen_exec *exec, const struct pen_columns_store *s,
                                             struct pen_error *err)
{
    if (s->n < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "columns_store: expected n >= 0, found %lld", (long long)s->n);
    }
    if (s->n == 0) {
        return PEN_OK;
    }
    PEN_LAUNCH(store_k, pen_cuda_grid(s->n), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), s->y, s->stride,
               reinterpret_cast<unsigned long long *>(s->n_replaced), s->x, s->n);
    PEN_CUDA_LAUNCHED("columns_store", err);
    return PEN_OK;
}
