/* A thread searches for one value after another: every search takes the same number of steps, a select each, so a warp
 * never parts. The edges lie in shared memory while they fit (first steps are broadcasts, later ones spread over the
 * banks), beyond that in the caches. A block takes at least as many values as there are edges: copying the edges never
 * reads more than the values do. 12 bytes of memory a value. */
#include "kernels/columns/columns.h"
#include "kernels/cuda/exec.cuh"

static const int64_t SHARED_EDGES = 4096; /* 32 KiB: several blocks a multiprocessor */

template <bool SHARED>
static __global__ void bucketize_k(int32_t *ids, const double *x, const double *edges, int64_t n, int32_t n_edges)
{
    PEN_SHARED_DYN(double, copy);
    const double *sorted = SHARED ? copy : edges;
    if (SHARED) {
        for (int32_t k = (int32_t)threadIdx.x; k < n_edges; k += (int32_t)blockDim.x) {
            copy[k] = edges[k];
        }
        __syncthreads();
    }
    for (int64_t i = pen_cuda_first(); i < n; i += pen_cuda_step()) {
        double value = x[i];
        int32_t low = 0;
        for (int32_t left = n_edges; left > 1; left -= left / 2) {
            low += sorted[low + left / 2 - 1] <= value ? left / 2 : 0;
        }
        int32_t id = low + (n_edges > 0 && sorted[low] <= value ? 1 : 0);
        ids[i] = value != value ? -1 : id;
    }
}

extern "C" pen_status pen_columns_bucketize_cuda(struct pen_exec *exec, const struct pen_columns_bucketize *b,
                                                 struct pen_error *err)
{
    if (b->n < 0 || b->n_edges < 0 || b->n_edges > INT32_MAX) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "columns_bucketize: expected n >= 0 and 0 <= n_edges < 2^31, found %lld and %lld",
                 (long long)b->n, (long long)b->n_edges);
    }
    if (b->n == 0) {
        return PEN_OK;
    }
    if (b->n_edges <= SHARED_EDGES) {
        int values = b->n_edges > 4 * PEN_CUDA_BLOCK ? (int)b->n_edges : 4 * PEN_CUDA_BLOCK; /* a block */
        PEN_LAUNCH(bucketize_k<true>, pen_cuda_grid(b->n, values), PEN_CUDA_BLOCK, (size_t)b->n_edges * sizeof(double),
                   pen_cuda_stream(exec), b->ids, b->x, b->edges, b->n, (int32_t)b->n_edges);
    } else {
        PEN_LAUNCH(bucketize_k<false>, pen_cuda_grid(b->n), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), b->ids, b->x,
                   b->edges, b->n, (int32_t)b->n_edges);
    }
    PEN_CUDA_LAUNCHED("columns_bucketize", err);
    return PEN_OK;
}
