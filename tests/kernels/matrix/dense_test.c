/* Dense layers: forward and backward against float64 loops, the gradient against finite differences in float64, and
 * the same bits for one thread and for two. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

#include <omp.h>

PEN_OP_CASE(dense_forward, matrix_dense);
PEN_OP_CASE(dense_backward, matrix_dense);

/* pad: floats between the rows of y; skip, skip_bias: floats of an array in front of a matrix, and of the bias. */
struct view {
    int64_t pad, skip, skip_bias;
};

/* d has the arrays. */
static void run_forward_at(struct pen_dense *d, const struct view *view)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, d->x, view->skip + d->n_rows * d->ld_x);
    PEN_MIRROR_IN(&m, d->w, view->skip + d->n_in * d->n_out);
    PEN_MIRROR_IN(&m, d->bias, view->skip_bias + d->n_out);
    PEN_MIRROR_INOUT(&m, d->y, view->skip + d->n_rows * d->ld_y);
    struct pen_dense job = *d;
    job.x += view->skip;
    job.w += view->skip;
    job.bias += d->bias != NULL ? view->skip_bias : 0;
    job.y += view->skip;
    PEN_CHECK_OK(m.exec->kernels->dense_forward(m.exec, &job, &err), &err);
    pen_mirror_end(&m);
}

static void run_forward(struct pen_dense *d)
{
    run_forward_at(d, &(struct view){.pad = 0});
}

static void run_backward(struct pen_dense_grad *g)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, g->x, g->n_rows * g->ld_x);
    PEN_MIRROR_IN(&m, g->w, g->n_in * g->n_out);
    PEN_MIRROR_IN(&m, g->y, g->n_rows * g->ld_y);
    PEN_MIRROR_INOUT(&m, g->dy, g->n_rows * g->ld_dy);
    PEN_MIRROR_INOUT(&m, g->dw, g->n_in * g->n_out);
    PEN_MIRROR_INOUT(&m, g->dbias, g->n_out);
    PEN_MIRROR_INOUT(&m, g->dx, g->n_rows * g->ld_dx);
    PEN_MIRROR_INOUT(&m, g->workspace, (g->n_rows + 63) / 64 * g->n_out);
    PEN_CHECK_OK(m.exec->kernels->dense_backward(m.exec, g, &err), &err);
    pen_mirror_end(&m);
}

static double reference(enum pen_activation activation, double z)
{
    switch (activation) {
    case PEN_ACTIVATION_RELU:
        return z > 0 ? z : 0;
    case PEN_ACTIVATION_LEAKY_RELU:
        return z > 0 ? z : 0.01 * z;
    case PEN_ACTIVATION_ELU:
        return z > 0 ? z : expm1(z);
    case PEN_ACTIVATION_SIGMOID:
        return 1 / (1 + exp(-z));
    case PEN_ACTIVATION_TANH:
        return tanh(z);
    case PEN_ACTIVATION_NONE:
    case PEN_ACTIVATION_COUNT:
        break;
    }
    return z;
}

static double derivative(enum pen_activation activation, double z)
{
    double h = 1e-6;
    return (reference(activation, z + h) - reference(activation, z - h)) / (2 * h);
}

static void one_forward_at(int64_t n, int64_t in, int64_t out, struct view view, enum pen_activation activation,
                           bool add)
{
    int64_t ld_x = in + 3, ld_y = out + view.pad;
    float *all[] = {pen_test_floats(view.skip + n * ld_x, 1, -2, 2), pen_test_floats(view.skip + in * out, 2, -1, 1),
                    pen_test_floats(view.skip_bias + out, 3, -1, 1), pen_test_floats(view.skip + n * ld_y, 4, -1, 1),
                    pen_test_floats(view.skip + n * ld_y, 4, -1, 1)};
    struct pen_dense d = {n, in, out, activation, add, all[0], ld_x, all[1], all[2], all[3], ld_y};
    const float *x = all[0] + view.skip, *w = all[1] + view.skip, *bias = all[2] + view.skip_bias;
    const float *y = all[3] + view.skip, *before = all[4] + view.skip;
    run_forward_at(&d, &view);
    for (int64_t r = 0; r < n; r++) {
        for (int64_t o = 0; o < ld_y; o++) {
            double found = (double)y[r * ld_y + o], old = (double)before[r * ld_y + o];
            if (o >= out) {
                PEN_CHECK_EQ_F64(found, old);
                continue;
            }
            double z = (double)bias[o] + (add ? old : 0), size = fabs((double)bias[o]) + (add ? fabs(old) : 0);
            for (int64_t i = 0; i < in; i++) {
                double term = (double)x[r * ld_x + i] * (double)w[i * out + o];
                z += term;
                size += fabs(term);
            }
            double expected = reference(activation, z);
            /* Every activation is 1-Lipschitz. elu and small tanh carry an absolute error of e^z's rounding. */
            double bound = (double)(in + 3) * PEN_TEST_EPS * size + 4 * PEN_TEST_EPS * fmax(fabs(expected), 0.5) +
                           pen_test_product_change() * size;
            PEN_CHECK_NEAR(found, expected, bound);
        }
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        pen_free(all[i]);
    }
}

static void one_forward(int64_t n, int64_t in, int64_t out, enum pen_activation activation, bool add)
{
    one_forward_at(n, in, out, (struct view){.pad = 1}, activation, add);
}

static void forward_matches_float64(void)
{
    static const int64_t rows[] = {0, 1, 31, 33, 257, 1000};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int a = 0; a < PEN_ACTIVATION_COUNT; a++) {
            one_forward(rows[i], 5 + (int64_t)i * 7, 1 + a * 3, (enum pen_activation)a, a % 2 == 0);
        }
    }
    one_forward(33, 0, 4, PEN_ACTIVATION_RELU, false);
    one_forward(3, 4, 0, PEN_ACTIVATION_RELU, false);
}

/* Rows of whole 16 bytes, packed or apart, and the same where nothing begins at a multiple of 16 bytes: on a device
 * these take different ways. */
static void every_alignment_matches_float64(void)
{
    static const struct view packed[] = {{0, 0, 0}, {0, 0, 1}, {0, 1, 1}}, apart[] = {{4, 0, 0}, {4, 0, 3}, {4, 1, 0}};
    for (int a = 0; a < PEN_ACTIVATION_COUNT; a++) {
        for (int v = 0; v < 3; v++) {
            one_forward_at(70, 9, 8, packed[v], (enum pen_activation)a, a % 2 == 1);
            one_forward_at(33, 12, 140, apart[v], (enum pen_activation)a, a % 2 == 0);
        }
    }
}

static void activations_keep_nan_and_saturate(void)
{
    enum { ROWS = 6, WIDEST = 4 };
    float x[ROWS] = {NAN, INFINITY, -INFINITY, 1e4f, -1e4f, 0}, ones[WIDEST] = {1, 1, 1, 1}, y[ROWS * WIDEST];
    for (int a = 0; a < 2 * PEN_ACTIVATION_COUNT; a++) {
        enum pen_activation activation = (enum pen_activation)(a / 2);
        int64_t out = a % 2 == 0 ? 1 : WIDEST;
        struct pen_dense d = {ROWS, 1, out, activation, false, x, 1, ones, NULL, y, out};
        run_forward(&d);
        for (int64_t i = 0; i < ROWS * out; i++) {
            double expected = reference(activation, (double)x[i / out]);
            if (i < out) {
                PEN_CHECK(isnan(y[i]));
                continue;
            }
            PEN_CHECK_NEAR(isinf(expected) ? (double)(y[i] == (float)expected) : (double)y[i],
                           isinf(expected) ? 1 : expected, 2e-7 * fabs(expected) + 1e-37);
        }
    }
}

static void one_backward(int64_t n, int64_t in, int64_t out, int64_t n_dx, enum pen_activation activation)
{
    float *x = pen_test_floats(n * in, 1, -1, 1), *w = pen_test_floats(in * out, 2, -1, 1);
    float *bias = pen_test_floats(out, 3, -1, 1), *y = pen_test_floats(n * out, 4, -1, 1);
    float *dy = pen_test_floats(n * out, 5, -1, 1), *dy0 = pen_test_floats(n * out, 5, -1, 1);
    float *dw = pen_test_floats(in * out, 6, -1, 1), *dbias = pen_test_floats(out, 7, -1, 1);
    float *dx = pen_test_floats(n * n_dx, 8, -1, 1), *workspace = pen_test_floats((n + 63) / 64 * out, 9, 0, 1);
    double *dz = pen_calloc(n * out, sizeof *dz);
    PEN_REQUIRE(dz != NULL);
    struct pen_dense forward = {n, in, out, activation, false, x, in, w, bias, y, out};
    run_forward(&forward);
    struct pen_dense_grad g = {n,  in,  out, n_dx,  activation,       x,    in,       w, y, out,
                               dy, out, dw,  dbias, n_dx ? dx : NULL, n_dx, workspace};
    run_backward(&g);
    for (int64_t r = 0; r < n; r++) {
        for (int64_t o = 0; o < out; o++) {
            double z = (double)bias[o];
            for (int64_t i = 0; i < in; i++) {
                z += (double)x[r * in + i] * (double)w[i * out + o];
            }
            dz[r * out + o] = (double)dy0[r * out + o] * derivative(activation, z);
            bool kink = fabs(z) < 1e-4 && activation != PEN_ACTIVATION_NONE; /* the kink of relu at 0 */
            PEN_CHECK_NEAR(kink ? dz[r * out + o] : (double)dy[r * out + o], dz[r * out + o], 2e-5);
            dz[r * out + o] = (double)dy[r * out + o];
        }
    }
    for (int64_t o = 0; o < out; o++) {
        double sum = 0, size = 0;
        for (int64_t r = 0; r < n; r++) {
            sum += dz[r * out + o];
            size += fabs(dz[r * out + o]);
        }
        PEN_CHECK_NEAR(dbias[o], sum, (double)n * PEN_TEST_EPS * size);
        for (int64_t i = 0; i < in; i++) {
            double dot = 0, dot_size = 0;
            for (int64_t r = 0; r < n; r++) {
                double term = (double)x[r * in + i] * dz[r * out + o];
                dot += term;
                dot_size += fabs(term);
            }
            PEN_CHECK_NEAR(dw[i * out + o], dot,
                           ((double)(n + 4) * PEN_TEST_EPS + pen_test_product_change()) * dot_size);
        }
    }
    for (int64_t r = 0; r < n; r++) {
        for (int64_t i = 0; i < n_dx; i++) {
            double dot = 0, size = 0;
            for (int64_t o = 0; o < out; o++) {
                double term = dz[r * out + o] * (double)w[i * out + o];
                dot += term;
                size += fabs(term);
            }
            PEN_CHECK_NEAR(dx[r * n_dx + i], dot,
                           ((double)(out + 4) * PEN_TEST_EPS + pen_test_product_change()) * size);
        }
    }
    pen_free(dz);
    float *all[] = {x, w, bias, y, dy, dy0, dw, dbias, dx, workspace};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        pen_free(all[i]);
    }
}

static void backward_matches_float64(void)
{
    static const int64_t rows[] = {0, 1, 31, 33, 257, 1000};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        one_backward(rows[i], 9, 5, 4, (enum pen_activation)(i % PEN_ACTIVATION_COUNT));
    }
    one_backward(257, 200, 3, 200, PEN_ACTIVATION_TANH);
    one_backward(65, 7, 1, 0, PEN_ACTIVATION_NONE);
    one_backward(300, 5, 140, 5, PEN_ACTIVATION_ELU);
    one_backward(130, 5, 37, 5, PEN_ACTIVATION_LEAKY_RELU);
    one_backward(16500, 2, 4, 2, PEN_ACTIVATION_SIGMOID);
}

/* Without an activation: another one's derivative would be that of a rounded y. */
static void factors_are_rounded_no_further_than_asked(void)
{
    struct pen_exec *exec = pen_test_exec();
    for (int p = PEN_PRECISION_COUNT - 1; p >= 0; p--) {
        (void)pen_exec_allow(exec, (enum pen_precision)p);
        for (int a = 0; a < PEN_ACTIVATION_COUNT; a++) {
            one_forward(70, 37, 8, (enum pen_activation)a, a % 2 == 0);
        }
        one_backward(130, 33, 12, 33, PEN_ACTIVATION_NONE);
    }
}

struct repeated {
    struct pen_exec *exec;
    struct pen_dense forward;
};

static pen_status repeat_forward(void *context, struct pen_error *err)
{
    struct repeated *r = context;
    return r->exec->kernels->dense_forward(r->exec, &r->forward, err);
}

static void a_recorded_layer_gives_the_same_bits(void)
{
    enum { N = 70, I = 9, O = 8, RUNS = 4 };
    struct pen_error err = PEN_ERROR_INIT;
    float *x = pen_test_floats(N * I, 1, -1, 1), *w = pen_test_floats(I * O, 2, -1, 1),
          *bias = pen_test_floats(O, 3, -1, 1);
    float *y = pen_test_floats(N * O, 4, -1, 1), *again = pen_test_floats(N * O, 5, -1, 1);
    struct pen_dense direct = {N, I, O, PEN_ACTIVATION_TANH, false, x, I, w, bias, y, O};
    struct repeated r = {pen_test_exec(), direct};
    r.forward.y = again;
    run_forward(&direct);
    struct pen_recording *recording = NULL;
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, r.forward.x, N * I);
    PEN_MIRROR_IN(&m, r.forward.w, I * O);
    PEN_MIRROR_IN(&m, r.forward.bias, O);
    PEN_MIRROR_INOUT(&m, r.forward.y, N * O);
    for (int i = 0; i < RUNS; i++) {
        PEN_CHECK_OK(pen_device_fill(m.exec, r.forward.y, 0xff, N * O * sizeof *y, &err), &err);
        PEN_CHECK_OK(pen_device_repeat(m.exec, &recording, repeat_forward, &r, &err), &err);
    }
    pen_device_forget(m.exec, &recording);
    pen_mirror_end(&m);
    PEN_CHECK(memcmp(y, again, N * O * sizeof *y) == 0);
    float *all[] = {x, w, bias, y, again};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        pen_free(all[i]);
    }
}

static void one_thread_and_two_give_the_same_bits(void)
{
    enum { N = 1500, I = 211, O = 40 };
    float *x = pen_test_floats(N * I, 1, -1, 1), *w = pen_test_floats(I * O, 2, -1, 1);
    float *results[2][4];
    int before = omp_get_max_threads();
    for (int t = 0; t < 2; t++) {
        omp_set_num_threads(t + 1);
        float *y = pen_test_floats(N * O, 3, 0, 1), *dw = pen_test_floats(I * O, 3, 0, 1);
        float *dx = pen_test_floats(N * I, 3, 0, 1), *dbias = pen_test_floats(O, 3, 0, 1);
        float *dy = pen_test_floats(N * O, 6, -1, 1), *workspace = pen_test_floats((N + 63) / 64 * O, 9, 0, 1);
        struct pen_dense forward = {N, I, O, PEN_ACTIVATION_TANH, false, x, I, w, NULL, y, O};
        run_forward(&forward);
        struct pen_dense_grad g = {N, I, O, I, PEN_ACTIVATION_TANH, x, I, w, y, O, dy, O, dw, dbias, dx, I, workspace};
        run_backward(&g);
        results[t][0] = y;
        results[t][1] = dw;
        results[t][2] = dx;
        results[t][3] = dbias;
        pen_free(dy);
        pen_free(workspace);
    }
    omp_set_num_threads(before);
    static const size_t sizes[] = {N * O, I * O, N * I, O};
    for (int i = 0; i < 4; i++) {
        PEN_CHECK(memcmp(results[0][i], results[1][i], sizes[i] * sizeof(float)) == 0);
        pen_free(results[0][i]);
        pen_free(results[1][i]);
    }
    pen_free(x);
    pen_free(w);
}

static void negative_sizes_are_refused(void)
{
    struct pen_exec *exec = pen_test_exec();
    struct pen_dense d = {.n_rows = -1};
    struct pen_dense_grad g = {.n_rows = -1};
    PEN_CHECK_STATUS(exec->kernels->dense_forward(exec, &d, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(exec->kernels->dense_backward(exec, &g, NULL), PEN_ERR_SHAPE);
}

PEN_SUITE(matrix_dense, PEN_CASE(forward_matches_float64), PEN_CASE(every_alignment_matches_float64),
          PEN_CASE(factors_are_rounded_no_further_than_asked), PEN_CASE(a_recorded_layer_gives_the_same_bits),
          PEN_CASE(activations_keep_nan_and_saturate), PEN_CASE(backward_matches_float64),
          PEN_CASE(one_thread_and_two_give_the_same_bits), PEN_CASE(negative_sizes_are_refused));
