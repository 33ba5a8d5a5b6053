/* Text convolution through cuDNN, where factors may be rounded: then tensor cores do the products several times faster
 * than text_conv_k's multiply-adds. All texts are one column of positions, and a window at every position is computed,
 * those from one text into the next and those behind the last text too: how many positions are in use only the device
 * knows. Then a block has a row, a thread one of its filters, and keeps the best of the row's own windows.
 *
 * Exact float32 is text_conv_k's: without tensor cores the library does the same arithmetic over more windows and
 * writes them all, 4 F bytes a position and width. */
#include "kernels/cuda/convolution.cuh"
#include "kernels/text/text_conv.cuh"

/* windows: [n_positions - w + 1, F] of width k. */
static __global__ void text_pool_k(pen_text_conv c, const float *windows, int64_t k)
{
    const int64_t n_filters = c.shape.n_filters;
    for (int64_t row = blockIdx.x; row < c.n_rows; row += gridDim.x) {
        const int64_t n_windows = text_windows(text_length(c, row), c.shape.widths[k]);
        for (int64_t f = threadIdx.x; f < n_filters; f += blockDim.x) {
            const int64_t channel = k * n_filters + f;
            float most = 0.0f;
            int32_t best = -1;
            for (int64_t window = 0; window < n_windows; window++) {
                const float value = windows[(c.starts[row] + window) * n_filters + f] + c.bias[channel];
                text_keep_best(most, best, value, window);
            }
            c.y[row * c.ld_y + channel] = most;
            c.best[row * c.shape.n_widths * n_filters + channel] = best;
        }
    }
}

static struct pen_cuda_convolution convolution_of(const struct pen_text_conv *c, int64_t k)
{
    return {c->n_positions, c->shape.dim, c->shape.widths[k], c->shape.n_filters};
}

static size_t filters_bytes(const struct pen_cuda_convolution *s)
{
    return sizeof(float) * (size_t)(s->n_filters * s->width * s->dim);
}

static size_t windows_bytes(const struct pen_cuda_convolution *s)
{
    return sizeof(float) * (size_t)((s->n_positions - s->width + 1) * s->n_filters);
}

/* Bytes for the width that takes most: its filters where they are aligned, its windows, the library's scratch; 0: the
 * library lacks one of the widths. */
static pen_status plan(struct pen_exec *exec, size_t *bytes, const struct pen_text_conv *c, struct pen_error *err)
{
    *bytes = 0;
    for (int64_t k = 0; k < c->shape.n_widths; k++) {
        const struct pen_cuda_convolution shape = convolution_of(c, k);
        int64_t scratch = -1;
        PEN_TRY(pen_cuda_convolution_plan(exec, &scratch, &shape, err));
        if (scratch < 0) {
            *bytes = 0;
            return PEN_OK;
        }
        const size_t all =
            pen_cuda_piece(filters_bytes(&shape)) + pen_cuda_piece(windows_bytes(&shape)) + (size_t)scratch;
        *bytes = all > *bytes ? all : *bytes;
    }
    return PEN_OK;
}

static pen_status convolve(struct pen_exec *exec, const struct pen_text_conv *c, int64_t k, char *workspace,
                           struct pen_error *err)
{
    const struct pen_cuda_convolution shape = convolution_of(c, k);
    float *filters = reinterpret_cast<float *>(workspace);
    float *windows = reinterpret_cast<float *>(workspace + pen_cuda_piece(filters_bytes(&shape)));
    char *scratch = reinterpret_cast<char *>(windows) + pen_cuda_piece(windows_bytes(&shape));
    const float *from = c->filters + pen_text_conv_filter_rows(&c->shape, k) * c->shape.dim;
    PEN_TRY(pen_device_copy(exec, filters, from, filters_bytes(&shape), err));
    PEN_TRY(pen_cuda_convolve(exec, windows, c->positions, filters, scratch, &shape, err));
    const unsigned threads =
        (unsigned)(shape.n_filters < PEN_CUDA_BLOCK ? pen_ceil_div(shape.n_filters, 32) * 32 : PEN_CUDA_BLOCK);
    PEN_LAUNCH(text_pool_k, pen_cuda_grid(c->n_rows, 1), threads, 0, pen_cuda_stream(exec), *c, windows, k);
    PEN_CUDA_LAUNCHED("text_conv_forward", err);
    return PEN_OK;
}

pen_status pen_text_conv_by_library(struct pen_exec *exec, bool *done, const struct pen_text_conv *c,
                                    struct pen_error *err)
{
    size_t bytes = 0;
    char *workspace = NULL;
    *done = false;
    if (exec->precision != PEN_PRECISION_EXACT && (uintptr_t)c->positions % 16 == 0) {
        PEN_TRY(plan(exec, &bytes, c, err));
    }
    if (bytes == 0) {
        return PEN_OK;
    }
    PEN_TRY(pen_cuda_workspace(exec, &workspace, bytes, "text_conv_forward", err));
    for (int64_t k = 0; k < c->shape.n_widths; k++) {
        PEN_TRY(convolve(exec, c, k, workspace, err));
    }
    *done = true;
    return PEN_OK;
}
