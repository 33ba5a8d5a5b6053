/* Text convolution on the GPU: one block of threads finds where rows begin, warps look up their tokens, filters are
 * laid out so that neighbouring threads read neighbouring values, and then a block has a row, a thread one of its
 * filters, eight windows at a time: eight multiply-adds for one value of the filter, with positions that all threads of
 * a warp share. 2 E F sum w flops a position. Where factors may be rounded the last two steps are the library's, if
 * there is one (text_conv_library_cuda.cu). */
#include "kernels/text/text_conv.cuh"

static const int TEXT_WINDOWS = 8;

/* One block. */
static __global__ void text_starts_k(pen_text_conv c, int64_t padding)
{
    PEN_SHARED(int64_t, partial, [PEN_CUDA_BLOCK / 32]);
    int64_t before = 0;
    for (int64_t first = 0; first < c.n_rows; first += PEN_CUDA_BLOCK) {
        const int64_t row = first + threadIdx.x;
        const int64_t length = row < c.n_rows ? text_length(c, row) : 0, room = length > 0 ? length + padding : 0;
        int64_t total = 0;
        const int64_t end = pen_block_scan(room, partial, &total);
        if (row < c.n_rows) {
            c.starts[row] = before + end - room;
        }
        before += total;
    }
    if (threadIdx.x == 0) {
        c.starts[c.n_rows] = before;
    }
}

/* A warp a row, then a thread an id behind the last row's. */
static __global__ void text_look_up_k(pen_text_conv c)
{
    const int64_t dim = c.shape.dim;
    for (int64_t row = pen_cuda_first() / 32; row < c.n_rows; row += pen_cuda_step() / 32) {
        const int64_t start = c.starts[row], n = c.starts[row + 1] - start, length = text_length(c, row);
        const int32_t *ids = c.ids + c.row_offsets[row];
        for (int64_t p = 0; p < n; p++) {
            const int32_t id = p < length && ids[p] >= 0 && ids[p] < c.n_values ? ids[p] : -1;
            for (int64_t e = threadIdx.x % 32; e < dim; e += 32) {
                c.positions[(start + p) * dim + e] = id >= 0 ? c.table[id * dim + e] : 0.0f;
            }
            if (threadIdx.x % 32 == 0) {
                c.position_ids[start + p] = id;
            }
        }
    }
    for (int64_t p = c.starts[c.n_rows] + pen_cuda_first(); p < c.n_positions; p += pen_cuda_step()) {
        c.position_ids[p] = -1;
    }
}

/* to: [w E, F] for filters of one width [F, w E]. */
static __global__ void text_filters_k(float *to, const float *from, int64_t n_filters, int64_t n)
{
    for (int64_t i = pen_cuda_first(); i < n_filters * n; i += pen_cuda_step()) {
        to[i] = from[i % n_filters * n + i / n_filters];
    }
}

/* filters: those of width k, [w E, F]. */
static __global__ void text_conv_k(pen_text_conv c, const float *filters, int64_t k)
{
    const int64_t dim = c.shape.dim, w = c.shape.widths[k], n = w * dim, n_filters = c.shape.n_filters;
    for (int64_t row = blockIdx.x; row < c.n_rows; row += gridDim.x) {
        const int64_t n_windows = text_windows(text_length(c, row), w);
        const float *positions = c.positions + c.starts[row] * dim;
        for (int64_t f = threadIdx.x; f < n_filters; f += blockDim.x) {
            const int64_t channel = k * n_filters + f;
            float most = 0.0f;
            int32_t best = -1;
            for (int64_t first = 0; first < n_windows; first += TEXT_WINDOWS) {
                float sum[TEXT_WINDOWS] = {0};
                int64_t at[TEXT_WINDOWS];
                for (int u = 0; u < TEXT_WINDOWS; u++) { /* those behind the last are that one again */
                    at[u] = (first + u < n_windows ? first + u : n_windows - 1) * dim;
                }
                for (int64_t i = 0; i < n; i++) {
                    const float weight = filters[i * n_filters + f];
                    for (int u = 0; u < TEXT_WINDOWS; u++) {
                        sum[u] += weight * positions[at[u] + i];
                    }
                }
                for (int u = 0; u < TEXT_WINDOWS; u++) {
                    text_keep_best(most, best, sum[u] + c.bias[channel], first + u);
                }
            }
            c.y[row * c.ld_y + channel] = most;
            c.best[row * c.shape.n_widths * n_filters + channel] = best;
        }
    }
}

static pen_status convolve(struct pen_exec *exec, const struct pen_text_conv *c, float *filters, struct pen_error *err)
{
    const struct pen_text_conv_shape *s = &c->shape;
    for (int64_t k = 0; k < s->n_widths; k++) {
        const int64_t n = s->widths[k] * s->dim, at = pen_text_conv_filter_rows(s, k) * s->dim;
        const unsigned threads =
            (unsigned)(s->n_filters < PEN_CUDA_BLOCK ? pen_ceil_div(s->n_filters, 32) * 32 : PEN_CUDA_BLOCK);
        if (n > 0) {
            PEN_LAUNCH(text_filters_k, pen_cuda_grid(s->n_filters * n), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec),
                       filters + at, c->filters + at, s->n_filters, n);
            PEN_CUDA_LAUNCHED("text_conv_forward", err);
        }
        PEN_LAUNCH(text_conv_k, pen_cuda_grid(c->n_rows, 1), threads, 0, pen_cuda_stream(exec), *c, filters + at, k);
        PEN_CUDA_LAUNCHED("text_conv_forward", err);
    }
    return PEN_OK;
}

extern "C" pen_status pen_text_conv_forward_cuda(struct pen_exec *exec, const struct pen_text_conv *c,
                                                 struct pen_error *err)
{
    const struct pen_text_conv_shape *s = &c->shape;
    PEN_TRY(pen_text_conv_check("text_conv_forward", s, c->n_rows, err));
    PEN_LAUNCH(text_starts_k, 1, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *c, pen_text_conv_widest(s) - 1);
    PEN_CUDA_LAUNCHED("text_conv_forward", err);
    PEN_LAUNCH(text_look_up_k, pen_cuda_grid(32 * c->n_rows), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *c);
    PEN_CUDA_LAUNCHED("text_conv_forward", err);
    if (c->n_rows == 0 || s->n_filters == 0) {
        return PEN_OK;
    }
    char *workspace = NULL;
    bool done = false;
    PEN_TRY(pen_text_conv_by_library(exec, &done, c, err));
    if (done) {
        return PEN_OK;
    }
    PEN_TRY(pen_cuda_workspace(exec, &workspace,
                               sizeof(float) * (size_t)(pen_text_conv_filter_rows(s, s->n_widths) * s->dim),
                               "text_conv_forward", err));
    return convolve(exec, c, reinterpret_cast<float *>(workspace), err);
}
