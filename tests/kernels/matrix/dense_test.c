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

static void run_forward(struct pen_dense *d)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, d->x, d->n_rows * d->ld_x);
    PEN_MIRROR_IN(&m, d->w, d->n_in * d->n_out);
    PEN_MIRROR_IN(&m, d->bias, d->n_out);
    PEN_MIRROR_INOUT(&m, d->y, d->n_rows * d->ld_y);
    PEN_CHECK_OK(m.exec->kernels->dense_forward(m.exec, d, &err), &err);
    pen_mirror_end(&m);
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

static void one_forward(int64_t n, int64_t in, int64_t out, enum pen_activation activation, bool add)
{
    int64_t ld_x = in + 3, ld_y = out + 1;
    float *x = pen_test_floats(n * ld_x, 1, -2, 2), *w = pen_test_floats(in * out, 2, -1, 1);
    float *bias = pen_test_floats(out, 3, -1, 1), *y = pen_test_floats(n * ld_y, 4, -1, 1);
    float *before = pen_test_floats(n * ld_y, 4, -1, 1);
    struct pen_dense d = {n, in, out, activation, add, x, ld_x, w, bias, y, ld_y};
    run_forward(&d);
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
            double bound = (double)(in + 3) * PEN_TEST_EPS * size + 4 * PEN_TEST_EPS * fmax(fabs(expected), 0.5);
            PEN_CHECK_NEAR(found, expected, bound);
        }
    }
    pen_free(x);
    pen_free(w);
    pen_free(bias);
    pen_free(y);
    pen_free(before);
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

static void activations_keep_nan_and_saturate(void)
{
    float x[6] = {NAN, INFINITY, -INFINITY, 1e4f, -1e4f, 0}, one = 1, y[6];
    for (int a = 0; a < PEN_ACTIVATION_COUNT; a++) {
        struct pen_dense d = {6, 1, 1, (enum pen_activation)a, false, x, 1, &one, NULL, y, 1};
        run_forward(&d);
        PEN_CHECK(isnan(y[0]));
        for (int i = 1; i < 6; i++) {
            double expected = reference((enum pen_activation)a, (double)x[i]);
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
            PEN_CHECK_NEAR(dw[i * out + o], dot, (double)(n + 4) * PEN_TEST_EPS * dot_size);
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
            PEN_CHECK_NEAR(dx[r * n_dx + i], dot, (double)(out + 4) * PEN_TEST_EPS * size);
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

PEN_SUITE(matrix_dense, PEN_CASE(forward_matches_float64), PEN_CASE(activations_keep_nan_and_saturate),
          PEN_CASE(backward_matches_float64), PEN_CASE(one_thread_and_two_give_the_same_bits),
          PEN_CASE(negative_sizes_are_refused));
