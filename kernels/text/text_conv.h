/* Convolutions over the tokens of a text, the rectified maximum of each over the text, and their backward pass: the
 * sentence model of Kim (Convolutional Neural Networks for Sentence Classification, 2014, equations 1 to 4).
 *
 * A row has L tokens, the first max_length of its ids; v[p] is the table's row of token p, zero for an id outside
 * [0, V) and for p >= L: a text shorter than a filter is padded with zeros at its end. Rows lie in `positions` one
 * after another, each with widest - 1 rows of padding behind it; a row without ids takes no room and gives 0.
 *
 * text_conv_forward
 * formula      c[n,k,f,t] = bias[k,f] + sum_{j < w_k, e < E} filter[k,f,j,e] v[t + j, e],  0 <= t <= max(L - w_k, 0)
 *              y[n, k F + f] = max(0, max_t c[n,k,f,t]);
 *              best[n, k F + f] = the first t of that value; -1 where y is 0
 *              starts[n] = first position of row n; positions[p] = v of p
 *              position_ids[p] = id of p; -1 where v is zero, and behind the last row's positions
 * shapes       K widths w_k, F filters each, E = dim
 *              filters: [F w_k, E] of every width, one after the other; bias: [K F]
 *              ids ragged by row_offsets: [N + 1]; table: [V, E]; y: [N, ld_y]; best: [N, K F]
 *              starts: [N + 1]; positions: [n_positions, E]; position_ids: [n_positions]
 *              n_positions >= the sum over rows with ids of L + widest - 1
 * dtypes       f32; int32 ids and best; int64 offsets; a device may round v and filters as exec->precision lets it
 * aliasing     none
 * special      NaN in a window: y is NaN, best the first such window
 * workspace    0 bytes beyond positions
 * determinism  bit-identical, whatever the thread count
 * error bound  |y - ref| <= max_t (w_k E + 3) eps (sum |terms| + |bias|), and (2 u + u^2) sum |terms| more where
 *              factors are changed by u; best is a t whose value lies within it of the greatest
 * cost         2 E F sum_k w_k flops a position
 * errors       PEN_ERR_SHAPE (pen_text_conv_check)
 * backward     text_conv_backward
 *
 * text_conv_backward
 * formula      over all (n, c = k F + f) with t = best[n,c] >= 0:  dbias[c] += dy[n,c];
 *              dfilter[k,f,j,e] += dy[n,c] v[t + j, e];  d_positions[t + j, e] += dy[n,c] filter[k,f,j,e]
 * shapes       as above; dy: [N, ld_dy]; starts, positions, best as forward left them
 * special      d_positions behind the last row's are not written; of padding they mean nothing
 * determinism  as above: sums over rows in their order on the CPU, in pieces of a fixed size on a GPU. An own kernel
 *              there in any case: only windows that were the best have a gradient, one in L, and a library would
 *              sum over all
 * error bound  dfilter, dbias: (N + 2) eps sum |terms|; d_positions: (K F + 2) eps sum |terms|
 * cost         4 N E F sum_k w_k flops: windows that were not the best have no gradient */
#ifndef PEN_KERNELS_TEXT_TEXT_CONV_H
#define PEN_KERNELS_TEXT_TEXT_CONV_H

#include "core/status.h"
#include "kernels/exec.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_TEXT_WIDTHS_MAX = 8, PEN_TEXT_WIDTH_MAX = 32 };

/* The filters of a feature. */
struct pen_text_conv_shape {
    int64_t n_widths, n_filters; /* K, F */
    int64_t widths[PEN_TEXT_WIDTHS_MAX];
    int64_t dim;
    int64_t max_length;
};

struct pen_text_conv {
    struct pen_text_conv_shape shape;
    int64_t n_rows, n_values; /* N, V */
    const int32_t *ids;
    const int64_t *row_offsets;
    const float *table;
    const float *filters, *bias;
    float *y;
    int64_t ld_y;
    int32_t *best;
    int64_t n_positions;
    int64_t *starts;
    float *positions;
    int32_t *position_ids;
};

typedef pen_status pen_text_conv_forward_fn(struct pen_exec *exec, const struct pen_text_conv *conv,
                                            struct pen_error *err);
pen_text_conv_forward_fn pen_text_conv_forward_cpu, pen_text_conv_forward_cuda;

struct pen_text_conv_grad {
    struct pen_text_conv_shape shape;
    int64_t n_rows;
    const float *filters;
    const int64_t *starts;
    const float *positions;
    const int32_t *best;
    const float *dy;
    int64_t ld_dy;
    float *dfilters, *dbias;
    float *d_positions;
};

typedef pen_status pen_text_conv_backward_fn(struct pen_exec *exec, const struct pen_text_conv_grad *grad,
                                             struct pen_error *err);
pen_text_conv_backward_fn pen_text_conv_backward_cpu, pen_text_conv_backward_cuda;

static inline int64_t pen_text_conv_widest(const struct pen_text_conv_shape *s)
{
    int64_t widest = 1;
    for (int64_t k = 0; k < s->n_widths; k++) {
        widest = s->widths[k] > widest ? s->widths[k] : widest;
    }
    return widest;
}

/* Rows of `filters` in front of those of width k; k = K: all of them. */
static inline int64_t pen_text_conv_filter_rows(const struct pen_text_conv_shape *s, int64_t k)
{
    int64_t n = 0;
    for (int64_t i = 0; i < k; i++) {
        n += s->n_filters * s->widths[i];
    }
    return n;
}

/* What every implementation refuses. */
static inline pen_status pen_text_conv_check(const char *op, const struct pen_text_conv_shape *s, int64_t n_rows,
                                             struct pen_error *err)
{
    bool right = n_rows >= 0 && s->n_widths >= 0 && s->n_widths <= PEN_TEXT_WIDTHS_MAX && s->n_filters >= 0 &&
                 s->dim >= 0 && s->max_length >= 0;
    for (int64_t k = 0; right && k < s->n_widths; k++) {
        right = s->widths[k] >= 1 && s->widths[k] <= PEN_TEXT_WIDTH_MAX;
    }
    if (!right) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "%s: expected sizes >= 0 and at most %d widths of 1 to %d, found %lld widths", op,
                 PEN_TEXT_WIDTHS_MAX, PEN_TEXT_WIDTH_MAX, (long long)s->n_widths);
    }
    return PEN_OK;
}

#ifdef __cplusplus
}
#endif

#endif
