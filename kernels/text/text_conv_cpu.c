/* Text convolution on the CPU. Forward, a block of rows looks up its tokens and then has windows of consecutive
 * positions as one matrix product a width, without an im2col: every w-th window is a row of w E floats that overlaps no
 * other, so that the positions themselves, read with a stride of w E, are w matrices. Windows that reach from one text
 * into the next are computed and not looked at. Backward, only best windows have a gradient: a few sums of vectors a
 * row, by blocks of rows for the positions and by groups of filters for the filters. */
#include "kernels/text/text_conv.h"

#include "kernels/matrix/gemm.h"
#include "kernels/simd.h"

#include <math.h>
#include <string.h>

enum {
    TEXT_ROWS = 32,
    TEXT_WINDOWS = 192, /* of a tile: products of [TEXT_WINDOWS, TEXT_FILTERS] lie on the stack */
    TEXT_FILTERS = 64,
    TEXT_GROUP = 16,
    TEXT_PARALLEL_ROWS = 64
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t length_of(const struct pen_text_conv *c, int64_t row)
{
    return least(c->row_offsets[row + 1] - c->row_offsets[row], c->shape.max_length);
}

static void place_rows(const struct pen_text_conv *c)
{
    int64_t padding = pen_text_conv_widest(&c->shape) - 1, at = 0;
    for (int64_t row = 0; row < c->n_rows; row++) {
        int64_t length = length_of(c, row);
        c->starts[row] = at;
        at += length > 0 ? length + padding : 0;
    }
    c->starts[c->n_rows] = at;
    PEN_ASSERT(at <= c->n_positions);
    memset(c->position_ids + at, 0xff, (size_t)(c->n_positions - at) * sizeof *c->position_ids); /* -1 */
}

static void look_up(const struct pen_text_conv *c, int64_t row)
{
    int64_t start = c->starts[row], n = c->starts[row + 1] - start, length = length_of(c, row), dim = c->shape.dim;
    const int32_t *ids = c->ids + c->row_offsets[row];
    for (int64_t p = 0; p < n; p++) {
        int32_t id = p < length && ids[p] >= 0 && ids[p] < c->n_values ? ids[p] : -1;
        float *to = c->positions + (start + p) * dim;
        c->position_ids[start + p] = id;
        if (id >= 0) {
            memcpy(to, c->table + id * dim, (size_t)dim * sizeof *to);
        } else {
            memset(to, 0, (size_t)dim * sizeof *to);
        }
    }
}

/* Windows and filters of one tile: windows from position `first` on, filters from `filter` on of width k. */
struct tile {
    int64_t k, first, n_windows, filter, n_filters;
    float products[TEXT_WINDOWS * TEXT_FILTERS];
};

static pen_status multiply(struct pen_exec *exec, const struct pen_text_conv *c, struct tile *t)
{
    int64_t dim = c->shape.dim, w = c->shape.widths[t->k], n = w * dim;
    const float *filters = c->filters + (pen_text_conv_filter_rows(&c->shape, t->k) + t->filter * w) * dim;
    for (int64_t r = 0; r < least(w, t->n_windows); r++) {
        struct pen_gemm g = {.m = (t->n_windows - r + w - 1) / w,
                             .n = t->n_filters,
                             .k = n,
                             .transpose_b = true,
                             .alpha = 1,
                             .a = c->positions + (t->first + r) * dim,
                             .lda = n,
                             .b = filters,
                             .ldb = n,
                             .c = t->products + r * t->n_filters,
                             .ldc = w * t->n_filters};
        PEN_TRY(pen_gemm_cpu(exec, &g, NULL));
    }
    return PEN_OK;
}

/* Keeps what is greater than all before it, or the first NaN. */
PEN_SIMD static void keep_best(float *restrict y, int32_t *restrict best, const float *restrict products,
                               const float *restrict bias, int32_t window, int64_t n)
{
    for (int64_t f = 0; f < n; f++) {
        float value = products[f] + bias[f];
        bool better = !(value <= y[f]) && !isnan(y[f]);
        y[f] = better ? value : y[f];
        best[f] = better ? window : best[f];
    }
}

/* The tile's part of the windows of a row. */
static void pool_row(const struct pen_text_conv *c, const struct tile *t, int64_t row)
{
    int64_t start = c->starts[row], last = length_of(c, row) - c->shape.widths[t->k];
    int64_t channel = t->k * c->shape.n_filters + t->filter, n_channels = c->shape.n_widths * c->shape.n_filters;
    int64_t first = t->first > start ? t->first - start : 0;
    last = least(last > 0 ? last : 0, t->first + t->n_windows - 1 - start);
    for (int64_t window = first; window <= last; window++) {
        keep_best(c->y + row * c->ld_y + channel, c->best + row * n_channels + channel,
                  t->products + (start + window - t->first) * t->n_filters, c->bias + channel, (int32_t)window,
                  t->n_filters);
    }
}

static pen_status convolve(struct pen_exec *exec, const struct pen_text_conv *c, struct tile *t, int64_t first_row,
                           int64_t end_row)
{
    int64_t row = first_row, end = c->starts[end_row] - c->shape.widths[t->k] + 1;
    for (t->first = c->starts[first_row]; t->first < end; t->first += t->n_windows) {
        t->n_windows = least(end - t->first, TEXT_WINDOWS);
        PEN_TRY(multiply(exec, c, t));
        while (c->starts[row + 1] <= t->first) {
            row++;
        }
        for (int64_t r = row; r < end_row && c->starts[r] < t->first + t->n_windows; r++) {
            if (c->starts[r + 1] > c->starts[r]) {
                pool_row(c, t, r);
            }
        }
    }
    return PEN_OK;
}

static pen_status forward_rows(struct pen_exec *exec, const struct pen_text_conv *c, int64_t first, int64_t end)
{
    const struct pen_text_conv_shape *s = &c->shape;
    int64_t n_channels = s->n_widths * s->n_filters;
    struct tile t = {.k = 0};
    for (int64_t row = first; row < end; row++) {
        look_up(c, row);
        memset(c->y + row * c->ld_y, 0, (size_t)n_channels * sizeof *c->y);
        memset(c->best + row * n_channels, 0xff, (size_t)n_channels * sizeof *c->best); /* -1 */
    }
    for (t.k = 0; t.k < s->n_widths; t.k++) {
        for (t.filter = 0; t.filter < s->n_filters; t.filter += TEXT_FILTERS) {
            t.n_filters = least(s->n_filters - t.filter, TEXT_FILTERS);
            PEN_TRY(convolve(exec, c, &t, first, end));
        }
    }
    return PEN_OK;
}

pen_status pen_text_conv_forward_cpu(struct pen_exec *exec, const struct pen_text_conv *c, struct pen_error *err)
{
    PEN_TRY(pen_text_conv_check("text_conv_forward", &c->shape, c->n_rows, err));
    pen_status failed = PEN_OK;
    place_rows(c);
#pragma omp parallel for schedule(dynamic) if (c->n_rows >= TEXT_PARALLEL_ROWS)
    for (int64_t first = 0; first < c->n_rows; first += TEXT_ROWS) {
        pen_status status = forward_rows(exec, c, first, least(first + TEXT_ROWS, c->n_rows));
        if (status != PEN_OK) {
#pragma omp atomic write
            failed = status;
        }
    }
    if (failed != PEN_OK) {
        PEN_FAIL(err, failed, "text_conv_forward: the matrix product failed");
    }
    return PEN_OK;
}

PEN_SIMD static void add_scaled(float *restrict to, const float *restrict from, float scale, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        to[i] += scale * from[i];
    }
}

static void positions_gradient(const struct pen_text_conv_grad *g, int64_t row)
{
    const struct pen_text_conv_shape *s = &g->shape;
    int64_t start = g->starts[row], n_channels = s->n_widths * s->n_filters;
    const float *filter = g->filters;
    memset(g->d_positions + start * s->dim, 0, (size_t)((g->starts[row + 1] - start) * s->dim) * sizeof(float));
    for (int64_t k = 0, c = 0; k < s->n_widths; k++) {
        int64_t n = s->widths[k] * s->dim;
        for (int64_t f = 0; f < s->n_filters; f++, c++, filter += n) {
            int32_t window = g->best[row * n_channels + c];
            if (window >= 0) {
                add_scaled(g->d_positions + (start + window) * s->dim, filter, g->dy[row * g->ld_dy + c], n);
            }
        }
    }
}

/* Filters [first, end) of width k. */
static void filters_gradient(const struct pen_text_conv_grad *g, int64_t k, int64_t first, int64_t end)
{
    const struct pen_text_conv_shape *s = &g->shape;
    int64_t n = s->widths[k] * s->dim, n_channels = s->n_widths * s->n_filters, channel = k * s->n_filters;
    float *filters = g->dfilters + pen_text_conv_filter_rows(s, k) * s->dim;
    memset(filters + first * n, 0, (size_t)((end - first) * n) * sizeof *filters);
    memset(g->dbias + channel + first, 0, (size_t)(end - first) * sizeof *g->dbias);
    for (int64_t row = 0; row < g->n_rows; row++) {
        for (int64_t f = first; f < end; f++) {
            int32_t window = g->best[row * n_channels + channel + f];
            if (window >= 0) {
                float dy = g->dy[row * g->ld_dy + channel + f];
                g->dbias[channel + f] += dy;
                add_scaled(filters + f * n, g->positions + (g->starts[row] + window) * s->dim, dy, n);
            }
        }
    }
}

pen_status pen_text_conv_backward_cpu(struct pen_exec *exec, const struct pen_text_conv_grad *g, struct pen_error *err)
{
    const struct pen_text_conv_shape *s = &g->shape;
    PEN_TRY(pen_text_conv_check("text_conv_backward", s, g->n_rows, err));
    bool parallel = g->n_rows >= TEXT_PARALLEL_ROWS;
#pragma omp parallel for schedule(static) if (parallel)
    for (int64_t row = 0; row < g->n_rows; row++) {
        positions_gradient(g, row);
    }
    int64_t n_groups = (s->n_filters + TEXT_GROUP - 1) / TEXT_GROUP;
#pragma omp parallel for schedule(dynamic) if (parallel)
    for (int64_t i = 0; i < s->n_widths * n_groups; i++) {
        int64_t first = i % n_groups * TEXT_GROUP;
        filters_gradient(g, i / n_groups, first, least(first + TEXT_GROUP, s->n_filters));
    }
    return PEN_OK;
}
