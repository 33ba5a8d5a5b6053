/* Sums of squares in two stages of a fixed order: each block of a grid that always has PEN_TOUCHED_BLOCKS blocks leaves
 * one sum, one block adds them up. */
#ifndef PEN_KERNELS_OPTIMISER_NORM_CUH
#define PEN_KERNELS_OPTIMISER_NORM_CUH

#include "kernels/cuda/exec.cuh"
#include "kernels/cuda/quad.cuh"
#include "kernels/optimiser/touched.cuh"

namespace pen_norm
{

constexpr int BLOCKS = PEN_TOUCHED_BLOCKS;

/* n of four neighbours, squared and added in order. */
static __device__ __forceinline__ double squares(const float *x, int64_t n, bool aligned)
{
    float v[4];
    double sum = 0;
    pen_load_quad(v, x, n, aligned);
    for (int j = 0; j < 4; j++) {
        sum += (double)v[j] * (double)v[j];
    }
    return sum;
}

/* A block's sum from those of its threads. */
static __device__ __forceinline__ void leave(double *parts, double own)
{
    PEN_SHARED(double, partial, [PEN_CUDA_BLOCK / 32]);
    own = pen_block_sum(own, partial);
    if (threadIdx.x == 0) {
        parts[blockIdx.x] = own;
    }
}

static __global__ void add_up_k(double *sum, const double *parts)
{
    PEN_SHARED(double, partial, [PEN_CUDA_BLOCK / 32]);
    double own = 0;
    for (int i = (int)threadIdx.x; i < BLOCKS; i += PEN_CUDA_BLOCK) {
        own += parts[i];
    }
    own = pen_block_sum(own, partial);
    if (threadIdx.x == 0) {
        *sum += own;
    }
}

static inline pen_status parts_of(struct pen_exec *exec, double **parts, const char *op, struct pen_error *err)
{
    char *workspace = NULL;
    PEN_TRY(pen_cuda_workspace(exec, &workspace, BLOCKS * sizeof **parts, op, err));
    *parts = reinterpret_cast<double *>(workspace);
    return PEN_OK;
}

static inline pen_status add_up(struct pen_exec *exec, double *sum, const double *parts, const char *op,
                                struct pen_error *err)
{
    PEN_LAUNCH(add_up_k, 1, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), sum, parts);
    PEN_CUDA_LAUNCHED(op, err);
    return PEN_OK;
}

} // namespace pen_norm

#endif
