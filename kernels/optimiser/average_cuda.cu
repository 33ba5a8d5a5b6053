/* A thread averages four neighbours: 12 bytes a value. */
#include "kernels/cuda/exec.cuh"
#include "kernels/cuda/quad.cuh"
#include "kernels/optimiser/optimiser.h"

static __global__ void average_k(float *mean, const float *param, float rate, int64_t n, bool aligned)
{
    for (int64_t i = 4 * pen_cuda_first(); i < n; i += 4 * pen_cuda_step()) {
        float m[4], p[4];
        pen_load_quad(m, mean + i, n - i, aligned);
        pen_load_quad(p, param + i, n - i, aligned);
        for (int j = 0; j < 4; j++) {
            m[j] += rate * (p[j] - m[j]);
        }
        pen_store_quad(mean + i, m, n - i, aligned);
    }
}

extern "C" pen_status pen_average_cuda(struct pen_exec *exec, const struct pen_average *a, struct pen_error *err)
{
    if (a->n < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "average: expected n >= 0, found %lld", (long long)a->n);
    }
    if (a->n == 0) {
        return PEN_OK;
    }
    PEN_LAUNCH(average_k, pen_cuda_grid(pen_ceil_div(a->n, 4)), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), a->mean,
               a->param, (float)a->rate, a->n, pen_cuda_aligned(a->mean, 16) && pen_cuda_aligned(a->param, 16));
    PEN_CUDA_LAUNCHED("average", err);
    return PEN_OK;
}
