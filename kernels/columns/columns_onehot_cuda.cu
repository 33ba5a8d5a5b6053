/* Neighbouring threads write neighbouring numbers of a row, as many threads a row (a power of two up to a warp) as the
 * row is wide: no division finds the place, and a wide row is written in full lines. 4 bytes of memory a number. */
#include "kernels/columns/columns.h"
#include "kernels/cuda/exec.cuh"

/* 2^row_bits threads a row. */
static __global__ void onehot_k(float *y, int64_t stride, const int32_t *ids, int64_t n, int64_t width, int row_bits)
{
    int64_t lane = pen_cuda_first() & ((1 << row_bits) - 1), lanes = int64_t{1} << row_bits;
    for (int64_t i = pen_cuda_first() >> row_bits; i < n; i += pen_cuda_step() >> row_bits) {
        int32_t id = ids[i];
        float *row = y + i * stride;
        for (int64_t k = lane; k < width; k += lanes) {
            row[k] = k == id ? 1.0F : 0.0F;
        }
    }
}

extern "C" pen_status pen_columns_onehot_cuda(struct pen_exec *exec, const struct pen_columns_onehot *o,
                                              struct pen_error *err)
{
    if (o->n < 0 || o->width < 0 || o->stride < o->width) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "columns_onehot: expected n >= 0 and stride >= width >= 0, found %lld, %lld, %lld",
                 (long long)o->n, (long long)o->stride, (long long)o->width);
    }
    if (o->n == 0 || o->width == 0) {
        return PEN_OK;
    }
    int row_bits = 0;
    while (row_bits < 5 && o->width > (int64_t{1} << row_bits)) {
        row_bits++;
    }
    PEN_LAUNCH(onehot_k, pen_cuda_grid(o->n, PEN_CUDA_BLOCK >> row_bits), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec),
               o->y, o->stride, o->ids, o->n, o->width, row_bits);
    PEN_CUDA_LAUNCHED("columns_onehot", err);
    return PEN_OK;
}
