/* Keys, one thread each (4 + 4 bytes read, 8 written), then a stable radix sort of the 32 order bits. Rows stand in the
 * low bits and keys are made in row order, so equal scores stay in row order. */
#include "kernels/cuda/radix_sort.cuh"
#include "kernels/sort/sort.h"

static __device__ __forceinline__ uint32_t order_of(float score)
{
    uint32_t bits = __float_as_uint(score + 0.0f); /* -0 becomes +0 */
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        return 0xffffffffu;
    }
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

static __global__ void make_keys_k(uint64_t *keys, const float *scores, int64_t stride, const int32_t *classes,
                                   int32_t positive, int64_t n)
{
    for (int64_t i = pen_cuda_first(); i < n; i += pen_cuda_step()) {
        uint64_t is_positive = classes[i] == positive ? 1 : 0;
        keys[i] = (uint64_t)order_of(scores[i * stride]) << 32 | (uint64_t)i << 1 | is_positive;
    }
}

extern "C" pen_status pen_sort_scores_cuda(struct pen_exec *exec, const struct pen_sort_scores *sort,
                                           struct pen_error *err)
{
    if (sort->n < 0 || sort->n >= PEN_SORT_MOST_ROWS) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "sort_scores: expected 0 <= n < 2^31 rows, found %lld", (long long)sort->n);
    }
    if (sort->n == 0) {
        return PEN_OK;
    }
    size_t bytes = 0;
    char *scratch = NULL;
    PEN_TRY(pen_cuda_sort_bytes(&bytes, sort->n, err));
    PEN_TRY(pen_cuda_workspace(exec, &scratch, bytes, "sort_scores", err));
    PEN_LAUNCH(make_keys_k, pen_cuda_grid(sort->n), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), sort->scratch,
               sort->scores, sort->stride, sort->classes, sort->positive, sort->n);
    PEN_CUDA_LAUNCHED("sort_scores", err);
    return pen_cuda_sort_keys(exec, sort->keys, sort->scratch, sort->n, 32, 64, scratch, bytes, err);
}
