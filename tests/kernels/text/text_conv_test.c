/* Text convolution: against float64 loops, numbers that PyTorch computed (text_conv_torch.py), the float64 gradient
 * against central differences, short and empty rows, absent ids, NaN, and the same bits for one thread and for two. */
#include "tests/kernels/text/text_case.h"

#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

#include <omp.h>

PEN_OP_CASE(text_conv_forward, text_conv);
PEN_OP_CASE(text_conv_backward, text_conv);

/* v[p, e] of a row: from the ids, not from what the op looked up. */
static double token_at(const struct text *t, int64_t row, int64_t p, int64_t e)
{
    int32_t id = p < text_row_length(t, row) ? t->ids[t->offsets[row] + p] : -1;
    return id >= 0 && id < TEXT_VALUES ? (double)t->table[id * t->shape.dim + e] : 0;
}

static const float *filter_of(const struct text *t, int64_t k, int64_t f)
{
    return t->filters + (pen_text_conv_filter_rows(&t->shape, k) + f * t->shape.widths[k]) * t->shape.dim;
}

/* One window, and how far float32 may be off. */
static double window_at(const struct text *t, int64_t row, int64_t k, int64_t f, int64_t window, double *bound)
{
    int64_t dim = t->shape.dim, w = t->shape.widths[k];
    double bias = (double)t->bias[k * t->shape.n_filters + f], sum = bias, size = fabs(bias);
    for (int64_t j = 0; j < w; j++) {
        for (int64_t e = 0; e < dim; e++) {
            double term = (double)filter_of(t, k, f)[j * dim + e] * token_at(t, row, window + j, e);
            sum += term;
            size += fabs(term);
        }
    }
    *bound = ((double)(w * dim + 3) * PEN_TEST_EPS + pen_test_product_change()) * size;
    return sum;
}

static int64_t n_windows_of(const struct text *t, int64_t row, int64_t k)
{
    int64_t n = text_row_length(t, row), w = t->shape.widths[k];
    return n == 0 ? 0 : n > w ? n - w + 1 : 1;
}

static void check_channel(const struct text *t, int64_t row, int64_t k, int64_t f)
{
    int64_t channel = k * t->shape.n_filters + f;
    double found = (double)t->y[row * t->ld + channel], most = 0, most_bound = 0, bound = 0;
    int32_t best = t->best[row * t->n_channels + channel];
    for (int64_t window = 0; window < n_windows_of(t, row, k); window++) {
        most = fmax(most, window_at(t, row, k, f, window, &bound));
        most_bound = fmax(most_bound, bound);
    }
    PEN_CHECK_NEAR(found, most, most_bound);
    PEN_CHECK((best < 0) == !(found > 0) && best < n_windows_of(t, row, k));
    if (best >= 0) {
        PEN_CHECK_NEAR(found, window_at(t, row, k, f, best, &bound), most_bound);
    }
}

static void check_places(const struct text *t)
{
    int64_t at = 0, padding = pen_text_conv_widest(&t->shape) - 1;
    for (int64_t row = 0; row < t->n; row++) {
        PEN_CHECK_EQ_I64(t->starts[row], at);
        for (int64_t p = 0; text_row_length(t, row) > 0 && p < text_row_length(t, row) + padding; p++, at++) {
            int32_t id = p < text_row_length(t, row) ? t->ids[t->offsets[row] + p] : -1;
            PEN_CHECK_EQ_I64(t->position_ids[at], id >= 0 && id < TEXT_VALUES ? id : -1);
            for (int64_t e = 0; e < t->shape.dim; e++) {
                PEN_CHECK_EQ_F64(t->positions[at * t->shape.dim + e], token_at(t, row, p, e));
            }
        }
    }
    PEN_CHECK_EQ_I64(t->starts[t->n], at);
    for (; at < t->n_positions; at++) {
        PEN_CHECK_EQ_I64(t->position_ids[at], -1);
    }
}

static void check_forward(const struct text *t)
{
    check_places(t);
    for (int64_t row = 0; row < t->n; row++) {
        for (int64_t k = 0; k < t->shape.n_widths; k++) {
            for (int64_t f = 0; f < t->shape.n_filters; f++) {
                check_channel(t, row, k, f);
            }
        }
        PEN_CHECK(t->y[row * t->ld + t->n_channels] >= 7); /* not written behind its columns */
    }
}

/* Sums and the sizes of their terms. */
struct sums {
    double *value, *size;
};

static struct sums sums_of(int64_t n)
{
    struct sums s = {pen_calloc(n, sizeof(double)), pen_calloc(n, sizeof(double))};
    PEN_ASSERT(s.value != NULL && s.size != NULL);
    return s;
}

static void sums_add(struct sums *s, int64_t at, double term)
{
    s->value[at] += term;
    s->size[at] += fabs(term);
}

static void sums_check(struct sums *s, const float *found, int64_t n, double terms)
{
    for (int64_t i = 0; i < n; i++) {
        PEN_CHECK_NEAR(found[i], s->value[i], (terms + 2) * PEN_TEST_EPS * s->size[i]);
    }
    pen_free(s->value);
    pen_free(s->size);
}

static void check_backward(const struct text *t)
{
    int64_t dim = t->shape.dim;
    struct sums filters = sums_of(t->n_filter_values), bias = sums_of(t->n_channels);
    struct sums positions = sums_of(t->starts[t->n] * dim);
    for (int64_t row = 0; row < t->n; row++) {
        for (int64_t c = 0; c < t->n_channels; c++) {
            int64_t k = c / t->shape.n_filters, window = t->best[row * t->n_channels + c];
            const float *filter = filter_of(t, k, c % t->shape.n_filters);
            double dy = (double)t->dy[row * t->ld + c];
            if (window < 0) {
                continue;
            }
            sums_add(&bias, c, dy);
            for (int64_t i = 0; i < t->shape.widths[k] * dim; i++) {
                sums_add(&filters, filter - t->filters + i, dy * token_at(t, row, window + i / dim, i % dim));
                sums_add(&positions, (t->starts[row] + window) * dim + i, dy * (double)filter[i]);
            }
        }
    }
    sums_check(&filters, t->dfilters, t->n_filter_values, (double)t->n);
    sums_check(&bias, t->dbias, t->n_channels, (double)t->n);
    sums_check(&positions, t->d_positions, t->starts[t->n] * dim, (double)t->n_channels);
}

static void one_shape(const struct pen_text_conv_shape *shape, int64_t n, int64_t longest)
{
    struct text t;
    text_init(&t, shape, n, longest);
    text_forward(&t);
    check_forward(&t);
    text_backward(&t);
    check_backward(&t);
    text_deinit(&t);
}

static void it_matches_float64(void)
{
    static const int64_t rows[] = {0, 1, 31, 32, 33, 257, 1000};
    static const struct pen_text_conv_shape small = {2, 3, {1, 3}, 5, 100}, kim = {3, 9, {3, 4, 5}, 16, 20};
    static const struct pen_text_conv_shape wide = {2, 70, {2, 2}, 3, 1000},
                                            many = {8, 33, {1, 2, 3, 4, 5, 6, 7, 8}, 2, 9};
    static const struct pen_text_conv_shape nothing = {0, 3, {0}, 4, 10}, no_filter = {1, 0, {3}, 4, 10};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        one_shape(&small, rows[i], 12);
        one_shape(&kim, rows[i] % 300, 30);
    }
    one_shape(&wide, 70, 40);
    one_shape(&wide, 3, 900); /* rows of several tiles */
    one_shape(&many, 40, 12);
    one_shape(&nothing, 5, 5);
    one_shape(&no_filter, 5, 5);
    one_shape(&kim, 40, 0); /* empty rows alone */
    one_shape(&kim, 40, 2); /* and rows shorter than every filter */
}

/* With shapes that a library may have something for, and one that none has. */
static void factors_are_rounded_no_further_than_asked(void)
{
    static const struct pen_text_conv_shape kim = {3, 16, {3, 4, 5}, 16, 20}, wide = {1, 136, {2}, 4, 1000},
                                            odd = {2, 9, {1, 3}, 5, 50};
    struct pen_exec *exec = pen_test_exec();
    for (int p = PEN_PRECISION_COUNT - 1; p >= 0; p--) {
        (void)pen_exec_allow(exec, (enum pen_precision)p);
        one_shape(&kim, 70, 30);
        one_shape(&kim, 0, 30);
        one_shape(&kim, 40, 0);
        one_shape(&wide, 33, 12);
        one_shape(&odd, 33, 12);
    }
}

/* sum dy y in float64, of which the gradients are the derivatives where no two windows are about as good. */
static double objective(const struct text *t)
{
    double sum = 0, bound = 0;
    for (int64_t row = 0; row < t->n; row++) {
        for (int64_t c = 0; c < t->n_channels; c++) {
            int64_t k = c / t->shape.n_filters;
            double most = 0;
            for (int64_t window = 0; window < n_windows_of(t, row, k); window++) {
                most = fmax(most, window_at(t, row, k, c % t->shape.n_filters, window, &bound));
            }
            sum += (double)t->dy[row * t->ld + c] * most;
        }
    }
    return sum;
}

static void check_difference(const struct text *t, float *at, double found)
{
    float old = *at, up = old + 0x1p-14f, down = old - 0x1p-14f;
    *at = up;
    double difference = objective(t);
    *at = down;
    difference = (difference - objective(t)) / ((double)up - (double)down);
    *at = old;
    PEN_CHECK_NEAR(found, difference, 1e-4);
}

static void gradients_match_differences(void)
{
    static const struct pen_text_conv_shape shape = {2, 3, {2, 3}, 4, 100};
    struct text t;
    text_init(&t, &shape, 9, 7);
    text_forward(&t);
    text_backward(&t);
    for (int64_t i = 0; i < t.n_filter_values; i++) {
        check_difference(&t, &t.filters[i], (double)t.dfilters[i]);
    }
    for (int64_t c = 0; c < t.n_channels; c++) {
        check_difference(&t, &t.bias[c], (double)t.dbias[c]);
    }
    for (int64_t i = 0; i < TEXT_VALUES * shape.dim; i++) { /* of a table's row: all positions that hold it */
        double sum = 0;
        for (int64_t p = 0; p < t.starts[t.n]; p++) {
            sum += t.position_ids[p] == i / shape.dim ? (double)t.d_positions[p * shape.dim + i % shape.dim] : 0;
        }
        check_difference(&t, &t.table[i], sum);
    }
    text_deinit(&t);
}

/* The inputs of text_conv_torch.py. */
static void fill_fractions(float *to, int64_t n, int64_t seed)
{
    for (int64_t i = 0; i < n; i++) {
        to[i] = (float)((i * 37 + seed * 11) % 101 - 50) / 32;
    }
}

static const double torch_y[] = {5.55859375,
                                 3.314453125,
                                 6.3095703125,
                                 1.2197265625,
                                 0,
                                 0.9375,
                                 2.2431640625,
                                 2.9013671875,
                                 2.14453125,
                                 2.845703125,
                                 4.0009765625,
                                 0.5419921875,
                                 0,
                                 0,
                                 0,
                                 0,
                                 6.41796875,
                                 3.021484375,
                                 3.3857421875,
                                 1.5771484375};
static const double torch_dbias[] = {3.9375, -1.0625, 0.40625, -1.28125};
static const double torch_dfilters[] = {
    -3.158203125, 1.39453125,   1.8046875,     -1.380859375, 3.171875,      -4.703125,    0.66015625,   -0.568359375,
    1.556640625,  0.21875,      -2.166015625,  1.958984375,  -0.0458984375, 0.423828125,  -0.388671875, -0.6787109375,
    0.947265625,  -1.865234375, -0.4150390625, 1.2109375,    0.6669921875,  1.3076171875, -0.173828125, 2.388671875,
    -0.025390625, -1.6875,      5.6259765625,  0.541015625,  -1.12109375,   -3.0791015625};
static const double torch_dtable[] = {1.0107421875,  -1.8017578125, -0.17578125,  -3.80859375, 3.1201171875,
                                      2.947265625,   -5.423828125,  2.5400390625, -0.54296875, 1.888671875,
                                      -1.501953125,  1.1240234375,  -1.87109375,  -1.58203125, -2.08203125,
                                      -0.7470703125, 3.7568359375,  -1.0107421875};

static void near_all(const float *found, const double *expected, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        PEN_CHECK_NEAR(found[i], expected[i], 1e-5);
    }
}

static void pytorch_has_the_same_values_and_gradients(void)
{
    static const struct pen_text_conv_shape shape = {2, 2, {2, 3}, 3, 100};
    static const int64_t offsets[] = {0, 5, 6, 9, 9, 16};
    static const int32_t ids[] = {1, 4, 2, 5, 0, 3, 2, 2, 1, 5, 0, 3, 4, 1, 2, 0};
    enum { ROWS = 5, CHANNELS = 4, DIM = 3, TABLE = 6 };
    struct text t;
    float weights[ROWS * CHANNELS], dtable[TABLE * DIM] = {0};
    text_init(&t, &shape, ROWS, 7);
    pen_free(t.ids);
    pen_free(t.positions);
    pen_free(t.position_ids);
    pen_free(t.d_positions);
    t.n_positions = 24; /* 16 ids, and 2 of padding behind each of four rows */
    t.ids = pen_test_ints(16, 1, 0, 1);
    t.positions = pen_test_floats(t.n_positions * DIM, 1, 0, 1);
    t.position_ids = pen_test_ints(t.n_positions, 1, 0, 1);
    t.d_positions = pen_test_floats(t.n_positions * DIM, 1, 0, 1);
    memcpy(t.ids, ids, sizeof ids);
    memcpy(t.offsets, offsets, sizeof offsets);
    fill_fractions(t.table, TABLE * DIM, 1);
    fill_fractions(t.filters, 2 * 2 * DIM, 2);
    fill_fractions(t.filters + 2 * 2 * DIM, 2 * 3 * DIM, 3);
    fill_fractions(t.bias, CHANNELS, 7);
    fill_fractions(weights, ROWS * CHANNELS, 9);
    text_forward(&t);
    for (int64_t row = 0; row < ROWS; row++) {
        near_all(t.y + row * t.ld, torch_y + row * CHANNELS, CHANNELS);
        memcpy(t.dy + row * t.ld, weights + row * CHANNELS, CHANNELS * sizeof(float));
    }
    text_backward(&t);
    near_all(t.dbias, torch_dbias, CHANNELS);
    near_all(t.dfilters, torch_dfilters, t.n_filter_values);
    for (int64_t p = 0; p < t.starts[ROWS]; p++) {
        for (int64_t e = 0; t.position_ids[p] >= 0 && e < DIM; e++) {
            dtable[t.position_ids[p] * DIM + e] += t.d_positions[p * DIM + e];
        }
    }
    near_all(dtable, torch_dtable, (int64_t)TABLE * DIM);
    text_deinit(&t);
}

static void one_nan(const struct pen_text_conv_shape *shape)
{
    struct text t;
    text_init(&t, shape, 1, 60);
    PEN_REQUIRE(t.offsets[1] >= 5);
    for (int64_t p = 0; p < t.offsets[1]; p++) {
        t.ids[p] = p == 3 ? 7 : 1;
    }
    t.table[7 * shape->dim] = NAN;
    text_forward(&t);
    for (int64_t c = 0; c < t.n_channels; c++) {
        PEN_CHECK(isnan(t.y[c]));
        PEN_CHECK_EQ_I64(t.best[c], 2);
    }
    text_deinit(&t);
}

static void nan_is_kept_and_its_first_window_told(void)
{
    static const struct pen_text_conv_shape shape = {1, 2, {2}, 3, 100}, eights = {1, 8, {2}, 4, 100};
    one_nan(&shape);
    (void)pen_exec_allow(pen_test_exec(), PEN_PRECISION_TF32);
    one_nan(&eights);
    (void)pen_exec_allow(pen_test_exec(), PEN_PRECISION_EXACT);
}

static void one_thread_and_two_give_the_same_bits(void)
{
    static const struct pen_text_conv_shape shape = {3, 20, {3, 4, 5}, 16, 50};
    struct text t[2];
    int before = omp_get_max_threads();
    for (int i = 0; i < 2; i++) {
        omp_set_num_threads(i + 1);
        text_init(&t[i], &shape, 400, 40);
        text_forward(&t[i]);
        text_backward(&t[i]);
    }
    omp_set_num_threads(before);
    PEN_CHECK(memcmp(t[0].y, t[1].y, (size_t)(t[0].n * t[0].ld) * sizeof(float)) == 0);
    PEN_CHECK(memcmp(t[0].dfilters, t[1].dfilters, (size_t)t[0].n_filter_values * sizeof(float)) == 0);
    PEN_CHECK(memcmp(t[0].dbias, t[1].dbias, (size_t)t[0].n_channels * sizeof(float)) == 0);
    PEN_CHECK(memcmp(t[0].d_positions, t[1].d_positions, (size_t)(t[0].starts[400] * 16) * sizeof(float)) == 0);
    text_deinit(&t[0]);
    text_deinit(&t[1]);
}

static void shapes_that_cannot_be_are_refused(void)
{
    struct pen_exec *exec = pen_test_exec();
    struct pen_text_conv negative = {.n_rows = -1}, zero = {.shape = {1, 1, {0}, 1, 1}};
    struct pen_text_conv_grad many = {.shape = {9, 1, {1}, 1, 1}};
    PEN_CHECK_STATUS(exec->kernels->text_conv_forward(exec, &negative, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(exec->kernels->text_conv_forward(exec, &zero, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(exec->kernels->text_conv_backward(exec, &many, NULL), PEN_ERR_SHAPE);
}

PEN_SUITE(text_conv, PEN_CASE(it_matches_float64), PEN_CASE(factors_are_rounded_no_further_than_asked),
          PEN_CASE(gradients_match_differences), PEN_CASE(pytorch_has_the_same_values_and_gradients),
          PEN_CASE(nan_is_kept_and_its_first_window_told), PEN_CASE(one_thread_and_two_give_the_same_bits),
          PEN_CASE(shapes_that_cannot_be_are_refused));
