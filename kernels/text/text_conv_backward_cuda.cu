/* Gradients of text convolution on the GPU, without atomics. Positions: a block has a row, its threads the values of
 * the row's positions, and each adds up the filters whose best window covers it, 256 filters at a time out of shared
 * memory. Filters: a block has one filter and a piece of 512 rows, eight rows at a time, 32 values across; the pieces
 * are added up in their order. */
#include "kernels/cuda/exec.cuh"
#include "kernels/text/text_conv.h"

static const int TEXT_COLUMNS = 32, TEXT_LANES = PEN_CUDA_BLOCK / TEXT_COLUMNS, TEXT_PIECE_ROWS = 512;

/* A filter: where its [w E] begin in `filters`, and w. */
struct text_filter {
    int64_t at, width;
};

static __device__ __forceinline__ text_filter text_filter_of(const pen_text_conv_shape &s, int64_t channel)
{
    int64_t at = 0, k = 0;
    for (; channel >= (k + 1) * s.n_filters; k++) {
        at += s.n_filters * s.widths[k] * s.dim;
    }
    text_filter found = {at + (channel - k * s.n_filters) * s.widths[k] * s.dim, s.widths[k]};
    return found;
}

static __global__ void text_positions_gradient_k(pen_text_conv_grad g)
{
    PEN_SHARED(int64_t, at, [PEN_CUDA_BLOCK]);
    PEN_SHARED(int32_t, first, [PEN_CUDA_BLOCK]); /* best window, -1: none */
    PEN_SHARED(int32_t, width, [PEN_CUDA_BLOCK]);
    PEN_SHARED(float, dy, [PEN_CUDA_BLOCK]);
    const int64_t dim = g.shape.dim, n_channels = g.shape.n_widths * g.shape.n_filters;
    for (int64_t row = blockIdx.x; row < g.n_rows; row += gridDim.x) {
        float *to = g.d_positions + g.starts[row] * dim;
        const int64_t n = (g.starts[row + 1] - g.starts[row]) * dim;
        for (int64_t begin = 0; begin == 0 || begin < n_channels; begin += PEN_CUDA_BLOCK) {
            const int64_t left = n_channels - begin, channel = begin + threadIdx.x;
            const int n_here = (int)(left < PEN_CUDA_BLOCK ? left : PEN_CUDA_BLOCK);
            __syncthreads(); /* those before are done with */
            if (channel < n_channels) {
                const text_filter filter = text_filter_of(g.shape, channel);
                at[threadIdx.x] = filter.at;
                width[threadIdx.x] = (int32_t)filter.width;
                first[threadIdx.x] = g.best[row * n_channels + channel];
                dy[threadIdx.x] = g.dy[row * g.ld_dy + channel];
            }
            __syncthreads();
            for (int64_t i = threadIdx.x; i < n; i += PEN_CUDA_BLOCK) {
                const int32_t p = (int32_t)(i / dim);
                float sum = begin > 0 ? to[i] : 0.0f;
                for (int c = 0; c < n_here; c++) {
                    if (first[c] >= 0 && p >= first[c] && p < first[c] + width[c]) {
                        sum += dy[c] * g.filters[at[c] + i - first[c] * dim];
                    }
                }
                to[i] = sum;
            }
        }
    }
}

/* pieces: [pieces, all filters' values, then one bias a filter]; a bias is the value of a column of ones. */
static __global__ void text_filters_gradient_k(float *pieces, pen_text_conv_grad g, int64_t n_values)
{
    PEN_SHARED(float, room, [PEN_CUDA_BLOCK]);
    const int64_t dim = g.shape.dim, n_channels = g.shape.n_widths * g.shape.n_filters, channel = blockIdx.x;
    const text_filter filter = text_filter_of(g.shape, channel);
    const int64_t n = filter.width * dim, begin = (int64_t)blockIdx.y * TEXT_PIECE_ROWS;
    const int64_t end = begin + TEXT_PIECE_ROWS < g.n_rows ? begin + TEXT_PIECE_ROWS : g.n_rows;
    const int column = (int)threadIdx.x % TEXT_COLUMNS, lane = (int)threadIdx.x / TEXT_COLUMNS;
    float *to = pieces + blockIdx.y * (n_values + n_channels);
    for (int64_t i0 = 0; i0 <= n; i0 += TEXT_COLUMNS) {
        const int64_t i = i0 + column;
        float sum = 0.0f;
        for (int64_t row = begin + lane; i <= n && row < end; row += TEXT_LANES) {
            const int32_t window = g.best[row * n_channels + channel];
            if (window >= 0) {
                const float value = i == n ? 1.0f : g.positions[(g.starts[row] + window) * dim + i];
                sum += g.dy[row * g.ld_dy + channel] * value;
            }
        }
        __syncthreads(); /* room is free */
        room[threadIdx.x] = sum;
        __syncthreads();
        if (lane == 0 && i <= n) {
            for (int other = 1; other < TEXT_LANES; other++) {
                sum += room[other * TEXT_COLUMNS + column];
            }
            to[i == n ? n_values + channel : filter.at + i] = sum;
        }
    }
}

static __global__ void text_merge_k(pen_text_conv_grad g, const float *pieces, int64_t n_pieces, int64_t n_values,
                                    int64_t n_all)
{
    for (int64_t i = pen_cuda_first(); i < n_all; i += pen_cuda_step()) {
        float sum = 0.0f;
        for (int64_t p = 0; p < n_pieces; p++) {
            sum += pieces[p * n_all + i];
        }
        (i < n_values ? g.dfilters[i] : g.dbias[i - n_values]) = sum;
    }
}

static pen_status filters_gradient(struct pen_exec *exec, const struct pen_text_conv_grad *g, struct pen_error *err)
{
    const struct pen_text_conv_shape *s = &g->shape;
    const int64_t n_pieces = pen_ceil_div(g->n_rows, TEXT_PIECE_ROWS), n_channels = s->n_widths * s->n_filters;
    const int64_t n_values = pen_text_conv_filter_rows(s, s->n_widths) * s->dim, n_all = n_values + n_channels;
    char *workspace = NULL;
    if (n_pieces > 65535) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "text_conv_backward: expected at most %d rows, found %lld",
                 65535 * TEXT_PIECE_ROWS, (long long)g->n_rows);
    }
    PEN_TRY(
        pen_cuda_workspace(exec, &workspace, sizeof(float) * (size_t)(n_pieces * n_all), "text_conv_backward", err));
    float *pieces = reinterpret_cast<float *>(workspace);
    if (n_pieces > 0) {
        PEN_LAUNCH(text_filters_gradient_k, dim3((unsigned)n_channels, (unsigned)n_pieces), PEN_CUDA_BLOCK, 0,
                   pen_cuda_stream(exec), pieces, *g, n_values);
        PEN_CUDA_LAUNCHED("text_conv_backward", err);
    }
    PEN_LAUNCH(text_merge_k, pen_cuda_grid(n_all), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *g, pieces, n_pieces,
               n_values, n_all);
    PEN_CUDA_LAUNCHED("text_conv_backward", err);
    return PEN_OK;
}

extern "C" pen_status pen_text_conv_backward_cuda(struct pen_exec *exec, const struct pen_text_conv_grad *g,
                                                  struct pen_error *err)
{
    const struct pen_text_conv_shape *s = &g->shape;
    PEN_TRY(pen_text_conv_check("text_conv_backward", s, g->n_rows, err));
    if (g->n_rows > 0) {
        PEN_LAUNCH(text_positions_gradient_k, pen_cuda_grid(g->n_rows, 1), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec),
                   *g);
        PEN_CUDA_LAUNCHED("text_conv_backward", err);
    }
    return s->n_widths * s->n_filters > 0 ? filters_gradient(exec, g, err) : PEN_OK;
}
