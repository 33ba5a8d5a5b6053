/* A text feature with its values and what the ops make of them, for the tests of text convolution. */
#ifndef PEN_TESTS_KERNELS_TEXT_TEXT_CASE_H
#define PEN_TESTS_KERNELS_TEXT_TEXT_CASE_H

#include "kernels/text/text_conv.h"

enum { TEXT_VALUES = 50 };

struct text {
    struct pen_text_conv_shape shape;
    int64_t n, n_channels, n_filter_values, n_positions, ld;
    int32_t *ids, *best, *position_ids;
    int64_t *offsets, *starts;
    float *table, *filters, *bias, *y, *positions, *dy, *dfilters, *dbias, *d_positions;
};

/* Rows of 0 to `longest` ids, some of them outside the table. */
void text_init(struct text *t, const struct pen_text_conv_shape *shape, int64_t n, int64_t longest);
void text_deinit(struct text *t);

/* Of the ids that are looked at. */
int64_t text_row_length(const struct text *t, int64_t row);

/* The ops, on the exec under test. */
void text_forward(struct text *t);
void text_backward(struct text *t);

#endif
