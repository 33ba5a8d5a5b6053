/* What the kernels of text convolution share. */
#ifndef PEN_KERNELS_TEXT_TEXT_CONV_CUH
#define PEN_KERNELS_TEXT_TEXT_CONV_CUH

#include "kernels/cuda/exec.cuh"
#include "kernels/text/text_conv.h"

static __device__ __forceinline__ int64_t text_length(const pen_text_conv &c, int64_t row)
{
    const int64_t n = c.row_offsets[row + 1] - c.row_offsets[row];
    return n < c.shape.max_length ? n : c.shape.max_length;
}

/* Of a filter of w tokens in a text. */
static __device__ __forceinline__ int64_t text_windows(int64_t length, int64_t w)
{
    return length == 0 ? 0 : length > w ? length - w + 1 : 1;
}

/* Keeps what is greater than all before it, or the first NaN. */
static __device__ __forceinline__ void text_keep_best(float &most, int32_t &best, float value, int64_t window)
{
    if (!(value <= most) && !isnan(most)) {
        most = value;
        best = (int32_t)window;
    }
}

/* Filters of all widths of texts whose tokens are looked up, on tensor cores (text_conv_library_cuda.cu). *done: false
 * where the exec is to be exact, or the library has nothing for the shape; then nothing was written. */
pen_status pen_text_conv_by_library(struct pen_exec *exec, bool *done, const struct pen_text_conv *conv,
                                    struct pen_error *err);

#endif
