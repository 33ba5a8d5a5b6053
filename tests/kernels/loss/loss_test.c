/* Losses against the formulas in float64, gradients against finite differences of those, links against both. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

PEN_OP_CASE(loss, loss);
PEN_OP_CASE(link, loss);

enum { MOST_CLASSES = 70 };

static const double shift = 3, spread = 2.5;

static double reference(enum pen_loss_kind kind, const double *z, int64_t n, double y)
{
    if (kind == PEN_LOSS_SIGMOID) {
        return fmax(z[0], 0) - z[0] * y + log1p(exp(-fabs(z[0])));
    }
    if (kind == PEN_LOSS_SQUARED) {
        double t = (y - shift) / spread;
        return (z[0] - t) * (z[0] - t) / 2;
    }
    double top = z[0], sum = 0;
    for (int64_t c = 1; c < n; c++) {
        top = fmax(top, z[c]);
    }
    for (int64_t c = 0; c < n; c++) {
        sum += exp(z[c] - top);
    }
    return log(sum) + top - z[(int64_t)y];
}

static bool counts(enum pen_loss_kind kind, int64_t n, double y, double u)
{
    return !isnan(y) && u > 0 && (kind != PEN_LOSS_SOFTMAX || (y >= 0 && y < (double)n));
}

static void run_loss(struct pen_loss *l)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_mirror m = PEN_MIRROR_INIT;
    bool in_place = l->gradient == l->logits;
    PEN_MIRROR_IN(&m, l->label, l->n_rows);
    PEN_MIRROR_IN(&m, l->weight, l->n_rows);
    PEN_MIRROR_IN(&m, l->step, 1);
    PEN_MIRROR_INOUT(&m, l->sums, 1);
    PEN_MIRROR_INOUT(&m, l->gradient, l->n_rows * l->n_outputs);
    if (in_place) {
        const float *host = l->logits;
        l->logits = l->gradient;
        PEN_CHECK_OK(m.exec->kernels->loss(m.exec, l, &err), &err);
        l->logits = host;
    } else {
        PEN_MIRROR_IN(&m, l->logits, l->n_rows * l->n_outputs);
        PEN_CHECK_OK(m.exec->kernels->loss(m.exec, l, &err), &err);
    }
    pen_mirror_end(&m);
}

static void run_link(struct pen_link *l)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, l->logits, l->n_rows * l->n_outputs);
    PEN_MIRROR_INOUT(&m, l->out, l->n_rows * l->n_outputs);
    PEN_CHECK_OK(m.exec->kernels->link(m.exec, l, &err), &err);
    pen_mirror_end(&m);
}

static void one_case(enum pen_loss_kind kind, int64_t n, int64_t c, double size, bool weighted)
{
    float *z = pen_test_floats(n * c, 1, -size, size), *weight = pen_test_floats(n, 2, 0, 3);
    float *label = pen_test_floats(n, 3, 0, 1), *gradient = pen_test_floats(n * c, 4, 0, 1);
    for (int64_t r = 0; r < n; r++) {
        if (kind == PEN_LOSS_SOFTMAX) {
            label[r] = (float)((r * 5) % (c + 1)); /* class c does not exist */
        } else if (kind == PEN_LOSS_SQUARED) {
            label[r] = label[r] * 20 - 10;
        } else {
            label[r] = r % 3 == 0 ? label[r] : (float)(r % 2);
        }
        if (r % 13 == 7) {
            label[r] = NAN;
        }
        if (r % 11 == 3) {
            weight[r] = r % 2 == 0 ? 0.0f : NAN;
        }
    }
    struct pen_step_sums sums = {.loss = 5, .weight = 2};
    struct pen_loss l = {.kind = kind,
                         .n_rows = n,
                         .n_outputs = c,
                         .logits = z,
                         .label = label,
                         .weight = weighted ? weight : NULL,
                         .label_shift = shift,
                         .label_scale = spread,
                         .scale = 0.5f,
                         .gradient = gradient,
                         .sums = &sums};
    run_loss(&l);
    double loss_sum = 5, weight_sum = 2, bound = 0, point[MOST_CLASSES];
    for (int64_t r = 0; r < n; r++) {
        double y = (double)label[r], u = weighted ? (double)weight[r] : 1;
        bool counted = counts(kind, c, y, u);
        for (int64_t k = 0; k < c; k++) {
            point[k] = (double)z[r * c + k];
        }
        if (counted) {
            loss_sum += u * reference(kind, point, c, y);
            weight_sum += u;
            bound += u * 16 * PEN_TEST_EPS * (size + 10) * (size + 10);
        }
        for (int64_t k = 0; k < c; k++) {
            double expected = 0, h = 1e-5;
            if (counted) {
                point[k] += h;
                expected = reference(kind, point, c, y);
                point[k] -= 2 * h;
                expected = 0.5 * u * (expected - reference(kind, point, c, y)) / (2 * h);
                point[k] += h;
            }
            /* 1e-8 is the truncation and cancellation of the difference quotient at values up to 1e4. */
            PEN_CHECK_NEAR(gradient[r * c + k], expected,
                           (counted ? u : 0) * (8 * PEN_TEST_EPS * (1 + size + 8) + 1e-7));
        }
    }
    PEN_CHECK_NEAR(sums.loss, loss_sum, bound + 1e-12);
    PEN_CHECK_NEAR(sums.weight, weight_sum, 1e-9);
    /* Without a gradient, and with the gradient in place of the logits: the same numbers. */
    struct pen_loss again = l;
    struct pen_step_sums more = {.loss = 5, .weight = 2};
    again.sums = &more;
    again.gradient = NULL;
    run_loss(&again);
    PEN_CHECK_EQ_F64(more.loss, sums.loss);
    more.loss = 5;
    again.gradient = z;
    run_loss(&again);
    PEN_CHECK_EQ_F64(more.loss, sums.loss);
    PEN_CHECK(memcmp(z, gradient, (size_t)(n * c) * sizeof *z) == 0);
    pen_free(z);
    pen_free(weight);
    pen_free(label);
    pen_free(gradient);
}

static void losses_and_gradients_match_float64(void)
{
    static const int64_t sizes[] = {0, 1, 31, 33, 257, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int weighted = 0; weighted < 2; weighted++) {
            one_case(PEN_LOSS_SIGMOID, sizes[i], 1, i % 2 ? 4 : 30, weighted == 1);
            one_case(PEN_LOSS_SOFTMAX, sizes[i], i % 2 ? 2 : 11, i % 2 ? 4 : 30, weighted == 1);
            one_case(PEN_LOSS_SQUARED, sizes[i], 1, 4, weighted == 1);
        }
    }
    one_case(PEN_LOSS_SOFTMAX, 257, MOST_CLASSES, 4, true);
}

static void links_give_probabilities_and_label_units(void)
{
    enum { N = 257, C = 5 };
    float *z = pen_test_floats(N * C, 1, -20, 20), out[N * C];
    struct pen_link softmax = {PEN_LOSS_SOFTMAX, N, C, z, 0, 1, out};
    run_link(&softmax);
    for (int64_t r = 0; r < N; r++) {
        double sum = 0, total = 0;
        for (int64_t c = 0; c < C; c++) {
            sum += exp((double)z[r * C + c]);
            total += (double)out[r * C + c];
        }
        for (int64_t c = 0; c < C; c++) {
            double expected = exp((double)z[r * C + c]) / sum;
            PEN_CHECK_NEAR(out[r * C + c], expected, 3e-6 * expected); /* z up to 40 from its top: 40 eps */
        }
        PEN_CHECK_NEAR(total, 1, 8 * PEN_TEST_EPS);
    }
    struct pen_link sigmoid = {PEN_LOSS_SIGMOID, N, 1, z, 0, 1, out};
    run_link(&sigmoid);
    for (int64_t r = 0; r < N; r++) {
        double expected = 1 / (1 + exp(-(double)z[r]));
        PEN_CHECK_NEAR(out[r], expected, 8 * PEN_TEST_EPS * expected);
    }
    struct pen_link squared = {PEN_LOSS_SQUARED, N, 1, z, shift, spread, out};
    run_link(&squared);
    for (int64_t r = 0; r < N; r++) {
        PEN_CHECK_EQ_F64(out[r], (float)((double)z[r] * spread + shift));
    }
    float odd[3] = {NAN, INFINITY, -INFINITY};
    struct pen_link special = {PEN_LOSS_SIGMOID, 3, 1, odd, 0, 1, out};
    run_link(&special);
    PEN_CHECK(isnan(out[0]));
    PEN_CHECK_EQ_F64(out[1], 1);
    PEN_CHECK_NEAR(out[2], 0, 1e-37);
    pen_free(z);
}

static void the_first_step_that_diverges_is_remembered(void)
{
    static const float ends[] = {0.5f, INFINITY, 0.5f, NAN};
    struct pen_step_sums sums = {.loss = 0};
    for (int i = 0; i < 4; i++) {
        float z[2] = {0.25f, ends[i]}, label[2] = {1, 0};
        struct pen_training_step step = {.number = 7 + i};
        struct pen_loss l = {.kind = PEN_LOSS_SIGMOID,
                             .n_rows = 2,
                             .n_outputs = 1,
                             .logits = z,
                             .label = label,
                             .label_scale = 1,
                             .scale = 1,
                             .step = &step,
                             .sums = &sums};
        run_loss(&l);
        l.step = NULL;
        run_loss(&l); /* outside a step nothing diverges */
        PEN_CHECK_EQ_I64(sums.n_diverged, i == 0 ? 0 : i < 3 ? 1 : 2);
        PEN_CHECK_EQ_I64(sums.first_diverged, i == 0 ? 0 : 8);
    }
}

static void wrong_widths_are_refused(void)
{
    struct pen_exec *exec = pen_test_exec();
    struct pen_loss l = {.kind = PEN_LOSS_SOFTMAX, .n_rows = 1, .n_outputs = 1};
    struct pen_link k = {.kind = PEN_LOSS_SIGMOID, .n_rows = 1, .n_outputs = 2};
    PEN_CHECK_STATUS(exec->kernels->loss(exec, &l, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(exec->kernels->link(exec, &k, NULL), PEN_ERR_SHAPE);
}

PEN_SUITE(loss, PEN_CASE(losses_and_gradients_match_float64), PEN_CASE(links_give_probabilities_and_label_units),
          PEN_CASE(the_first_step_that_diverges_is_remembered), PEN_CASE(wrong_widths_are_refused));
