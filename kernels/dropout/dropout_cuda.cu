/* Dropout: a thread takes one random block, that is four values, 16 bytes at once where x and y are aligned for it. The
 * random words are those of the CPU. 8 bytes a value, about 25 integer instructions a value. */
#include "kernels/cuda/exec.cuh"
#include "kernels/dropout/dropout.h"

#include "core/philox.h"

struct masking {
    uint64_t seed, stream, stride;
    uint32_t threshold;
    float scale;

    __device__ __forceinline__ float apply(uint32_t word, float x) const
    {
        return word >= threshold ? x * scale : 0.0f;
    }
};

template <bool ALIGNED>
static __global__ void dropout_k(float *y, const float *x, int64_t n, masking mask, const pen_training_step *step)
{
    uint64_t first_block = (uint64_t)step->number * mask.stride / 4;
    for (int64_t b = pen_cuda_first(); b * 4 < n; b += pen_cuda_step()) {
        pen_rng_block random = pen_philox_at(mask.seed, mask.stream, first_block + (uint64_t)b);
        int64_t at = b * 4;
        if (ALIGNED && at + 4 <= n) {
            float4 v = *reinterpret_cast<const float4 *>(x + at);
            *reinterpret_cast<float4 *>(y + at) =
                make_float4(mask.apply(random.word[0], v.x), mask.apply(random.word[1], v.y),
                            mask.apply(random.word[2], v.z), mask.apply(random.word[3], v.w));
            continue;
        }
        for (int i = 0; i < 4; i++) {
            if (at + i < n) {
                y[at + i] = mask.apply(random.word[i], x[at + i]);
            }
        }
    }
}

extern "C" pen_status pen_dropout_cuda(struct pen_exec *exec, const struct pen_dropout *d, struct pen_error *err)
{
    PEN_TRY(pen_dropout_check(d, err));
    if (d->n == 0) {
        return PEN_OK;
    }
    masking mask = {d->seed, d->stream, d->stride, (uint32_t)(d->rate * 4294967296.0), (float)(1.0 / (1.0 - d->rate))};
    bool aligned = ((uintptr_t)d->x | (uintptr_t)d->y) % sizeof(float4) == 0;
    PEN_LAUNCH((aligned ? dropout_k<true> : dropout_k<false>), pen_cuda_grid(pen_ceil_div(d->n, 4)), PEN_CUDA_BLOCK, 0,
               pen_cuda_stream(exec), d->y, d->x, d->n, mask, d->step);
    PEN_CUDA_LAUNCHED("dropout", err);
    return PEN_OK;
}
