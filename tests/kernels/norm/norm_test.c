/* Batch and layer normalisation: forward and backward against float64 loops, the float64 gradient against central
 * differences, the running statistics, special values, and the same bits for one thread and for two. */
#include "kernels/norm/norm.h"

#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

#include <omp.h>

PEN_OP_CASE(norm_forward, norm);
PEN_OP_CASE(norm_backward, norm);

static const double epsilon = 1e-5, momentum = 0.1;
static const enum pen_norm_kind kinds[] = {PEN_NORM_BATCH, PEN_NORM_LAYER};

/* A layer with its values, what the ops make of them, and the float64 reference. */
struct layer {
    enum pen_norm_kind kind;
    int64_t n, dim, n_groups; /* of values that share a mean: rows or columns */
    float *x, *gamma, *beta, *y, *mean, *rstd, *running_mean, *running_variance;
    float *dy, *dx, *dgamma, *dbeta;
    double *ref_mean, *ref_variance; /* [n_groups] */
};

static void layer_init(struct layer *l, enum pen_norm_kind kind, int64_t n, int64_t dim, double low, double high)
{
    *l = (struct layer){.kind = kind, .n = n, .dim = dim, .n_groups = kind == PEN_NORM_LAYER ? n : dim};
    l->x = pen_test_floats(n * dim, 1, low, high);
    l->gamma = pen_test_floats(dim, 2, -2, 2);
    l->beta = pen_test_floats(dim, 3, -1, 1);
    l->y = pen_test_floats(n * dim, 4, 7, 8);
    l->mean = pen_test_floats(l->n_groups, 5, 7, 8);
    l->rstd = pen_test_floats(l->n_groups, 6, 7, 8);
    l->running_mean = pen_test_floats(dim, 7, -1, 1);
    l->running_variance = pen_test_floats(dim, 8, 0.5, 2);
    l->dy = pen_test_floats(n * dim, 9, -1, 1);
    l->dx = pen_test_floats(n * dim, 10, 7, 8);
    l->dgamma = pen_test_floats(dim, 11, 7, 8);
    l->dbeta = pen_test_floats(dim, 12, 7, 8);
    l->ref_mean = pen_calloc(l->n_groups, sizeof *l->ref_mean);
    l->ref_variance = pen_calloc(l->n_groups, sizeof *l->ref_variance);
    PEN_ASSERT(l->ref_mean != NULL && l->ref_variance != NULL);
}

static void layer_deinit(struct layer *l)
{
    float *all[] = {l->x,  l->gamma,  l->beta, l->y, l->mean, l->rstd, l->dy, l->running_mean, l->running_variance,
                    l->dx, l->dgamma, l->dbeta};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        pen_free(all[i]);
    }
    pen_free(l->ref_mean);
    pen_free(l->ref_variance);
}

static int64_t group_of(const struct layer *l, int64_t row, int64_t d)
{
    return l->kind == PEN_NORM_LAYER ? row : d;
}

static void forward(struct layer *l, bool running)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_norm job = {l->kind, l->n,    l->dim,  l->x,    l->gamma, l->beta,         l->y,
                           l->mean, l->rstd, epsilon, running, momentum, l->running_mean, l->running_variance};
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job.x, l->n * l->dim);
    PEN_MIRROR_IN(&m, job.gamma, l->dim);
    PEN_MIRROR_IN(&m, job.beta, l->dim);
    PEN_MIRROR_INOUT(&m, job.y, l->n * l->dim);
    PEN_MIRROR_INOUT(&m, job.mean, l->n_groups);
    PEN_MIRROR_INOUT(&m, job.rstd, l->n_groups);
    PEN_MIRROR_INOUT(&m, job.running_mean, l->dim);
    PEN_MIRROR_INOUT(&m, job.running_variance, l->dim);
    PEN_CHECK_OK(m.exec->kernels->norm_forward(m.exec, &job, &err), &err);
    pen_mirror_end(&m);
}

static void backward(struct layer *l)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_norm_grad job = {l->kind, l->n,  l->dim, l->x,      l->gamma, l->mean,
                                l->rstd, l->dy, l->dx,  l->dgamma, l->dbeta};
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job.x, l->n * l->dim);
    PEN_MIRROR_IN(&m, job.gamma, l->dim);
    PEN_MIRROR_IN(&m, job.mean, l->n_groups);
    PEN_MIRROR_IN(&m, job.rstd, l->n_groups);
    PEN_MIRROR_IN(&m, job.dy, l->n * l->dim);
    PEN_MIRROR_INOUT(&m, job.dx, l->n * l->dim);
    PEN_MIRROR_INOUT(&m, job.dgamma, l->dim);
    PEN_MIRROR_INOUT(&m, job.dbeta, l->dim);
    PEN_CHECK_OK(m.exec->kernels->norm_backward(m.exec, &job, &err), &err);
    pen_mirror_end(&m);
}

static double x_at(const struct layer *l, int64_t row, int64_t d)
{
    return (double)l->x[row * l->dim + d];
}

static void reference_statistics(struct layer *l)
{
    double n = (double)(l->kind == PEN_NORM_LAYER ? l->dim : l->n);
    for (int64_t i = 0; i < l->n_groups; i++) {
        l->ref_mean[i] = l->ref_variance[i] = 0;
    }
    for (int64_t row = 0; row < l->n; row++) {
        for (int64_t d = 0; d < l->dim; d++) {
            l->ref_mean[group_of(l, row, d)] += x_at(l, row, d) / n;
        }
    }
    for (int64_t row = 0; row < l->n; row++) {
        for (int64_t d = 0; d < l->dim; d++) {
            double v = x_at(l, row, d) - l->ref_mean[group_of(l, row, d)];
            l->ref_variance[group_of(l, row, d)] += v * v / n;
        }
    }
}

static double ref_rstd(const struct layer *l, int64_t row, int64_t d)
{
    return 1 / sqrt(l->ref_variance[group_of(l, row, d)] + epsilon);
}

static double ref_xhat(const struct layer *l, int64_t row, int64_t d)
{
    return (x_at(l, row, d) - l->ref_mean[group_of(l, row, d)]) * ref_rstd(l, row, d);
}

/* The contract's h: how far the normalised value may be off. */
static double xhat_bound(const struct layer *l, int64_t row, int64_t d)
{
    double mean = l->ref_mean[group_of(l, row, d)];
    return 4 * PEN_TEST_EPS *
           (ref_rstd(l, row, d) * (fabs(x_at(l, row, d)) + 2 * fabs(mean)) + fabs(ref_xhat(l, row, d)));
}

static void check_outputs(const struct layer *l)
{
    for (int64_t row = 0; row < l->n; row++) {
        for (int64_t d = 0; d < l->dim; d++) {
            double gamma = (double)l->gamma[d], beta = (double)l->beta[d], term = gamma * ref_xhat(l, row, d);
            double bound = fabs(gamma) * xhat_bound(l, row, d) + 2 * PEN_TEST_EPS * (fabs(term) + fabs(beta));
            PEN_CHECK_NEAR(l->y[row * l->dim + d], term + beta, bound);
            int64_t group = group_of(l, row, d);
            PEN_CHECK_NEAR(l->mean[group], l->ref_mean[group], 1.01 * PEN_TEST_EPS * fabs(l->ref_mean[group]) + 1e-15);
            PEN_CHECK_NEAR(l->rstd[group], ref_rstd(l, row, d), 2 * PEN_TEST_EPS * ref_rstd(l, row, d));
        }
    }
}

static void check_running(const struct layer *l, const float *old_mean, const float *old_variance)
{
    for (int64_t d = 0; d < l->dim; d++) {
        double mean = (double)old_mean[d], variance = (double)old_variance[d];
        if (l->kind == PEN_NORM_BATCH && l->n > 1) {
            double unbiased = l->ref_variance[d] * (double)l->n / (double)(l->n - 1);
            mean = 0.9 * mean + 0.1 * l->ref_mean[d];
            variance = 0.9 * variance + 0.1 * unbiased;
        }
        PEN_CHECK_NEAR(l->running_mean[d], mean, 2 * PEN_TEST_EPS * (fabs(mean) + fabs((double)old_mean[d])));
        PEN_CHECK_NEAR(l->running_variance[d], variance, 2 * PEN_TEST_EPS * variance);
    }
}

static void one_forward(enum pen_norm_kind kind, int64_t n, int64_t dim, double low, double high)
{
    struct layer l;
    layer_init(&l, kind, n, dim, low, high);
    float *old_mean = pen_test_floats(dim, 7, -1, 1), *old_variance = pen_test_floats(dim, 8, 0.5, 2);
    reference_statistics(&l);
    forward(&l, false);
    check_outputs(&l);
    check_running(&l, old_mean, old_variance);
    pen_free(old_mean);
    pen_free(old_variance);
    layer_deinit(&l);
}

static const int64_t sizes[] = {0, 1, 31, 32, 33, 257, 1000};
enum { N_SIZES = sizeof sizes / sizeof sizes[0] };

static void forward_matches_float64(void)
{
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < N_SIZES; i++) {
            one_forward(kinds[k], sizes[i], 20, -2, 2);
            one_forward(kinds[k], sizes[i], 1, -2, 2);
            one_forward(kinds[k], 20, sizes[i], -2, 2);
            one_forward(kinds[k], 65, sizes[i], 100, 101);
        }
    }
}

static void the_running_statistics_take_the_place_of_the_batch(void)
{
    struct layer l;
    layer_init(&l, PEN_NORM_BATCH, 65, 37, -2, 2);
    float *old_mean = pen_test_floats(37, 7, -1, 1), *old_variance = pen_test_floats(37, 8, 0.5, 2);
    for (int64_t d = 0; d < l.dim; d++) {
        l.ref_mean[d] = (double)old_mean[d];
        l.ref_variance[d] = (double)old_variance[d];
    }
    forward(&l, true);
    check_outputs(&l);
    for (int64_t d = 0; d < l.dim; d++) {
        PEN_CHECK_EQ_F64(l.running_mean[d], old_mean[d]);
        PEN_CHECK_EQ_F64(l.running_variance[d], old_variance[d]);
    }
    pen_free(old_mean);
    pen_free(old_variance);
    layer_deinit(&l);
}

/* Float64 gradients from the formula, and how far float32 may be off. */
struct gradients {
    double *dgamma, *dgamma_bound, *dbeta, *dbeta_bound; /* [dim] */
    double *sum, *product, *size, *product_size, *drift; /* [n_groups] averages: g, g xhat, their sizes, |g| h */
};

static void gradients_init(struct gradients *g, const struct layer *l)
{
    double **by_column[] = {&g->dgamma, &g->dgamma_bound, &g->dbeta, &g->dbeta_bound};
    double **by_group[] = {&g->sum, &g->product, &g->size, &g->product_size, &g->drift};
    for (size_t i = 0; i < 4; i++) {
        *by_column[i] = pen_calloc(l->dim, sizeof(double));
    }
    for (size_t i = 0; i < 5; i++) {
        *by_group[i] = pen_calloc(l->n_groups, sizeof(double));
    }
    double n = (double)(l->kind == PEN_NORM_LAYER ? l->dim : l->n);
    for (int64_t row = 0; row < l->n; row++) {
        for (int64_t d = 0; d < l->dim; d++) {
            int64_t group = group_of(l, row, d);
            double dy = (double)l->dy[row * l->dim + d], xhat = ref_xhat(l, row, d), v = (double)l->gamma[d] * dy;
            g->dbeta[d] += dy;
            g->dbeta_bound[d] += 2 * PEN_TEST_EPS * fabs(dy);
            g->dgamma[d] += dy * xhat;
            g->dgamma_bound[d] += fabs(dy) * (xhat_bound(l, row, d) + 2 * PEN_TEST_EPS * fabs(xhat));
            g->sum[group] += v / n;
            g->product[group] += v * xhat / n;
            g->size[group] += fabs(v) / n;
            g->product_size[group] += fabs(v * xhat) / n;
            g->drift[group] += fabs(v) * xhat_bound(l, row, d) / n;
        }
    }
}

static void gradients_deinit(struct gradients *g)
{
    double *all[] = {g->dgamma,  g->dgamma_bound, g->dbeta,        g->dbeta_bound, g->sum,
                     g->product, g->size,         g->product_size, g->drift};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        pen_free(all[i]);
    }
}

static double ref_dx(const struct layer *l, const struct gradients *g, int64_t row, int64_t d)
{
    int64_t group = group_of(l, row, d);
    double v = (double)l->gamma[d] * (double)l->dy[row * l->dim + d];
    return ref_rstd(l, row, d) * (v - g->sum[group] - ref_xhat(l, row, d) * g->product[group]);
}

static double dx_bound(const struct layer *l, const struct gradients *g, int64_t row, int64_t d)
{
    int64_t group = group_of(l, row, d);
    double v = fabs((double)l->gamma[d] * (double)l->dy[row * l->dim + d]), xhat = fabs(ref_xhat(l, row, d));
    return ref_rstd(l, row, d) * (8 * PEN_TEST_EPS * (v + g->size[group] + xhat * g->product_size[group]) +
                                  xhat_bound(l, row, d) * g->product_size[group] + xhat * g->drift[group]);
}

static void one_backward(enum pen_norm_kind kind, int64_t n, int64_t dim)
{
    struct layer l;
    struct gradients g;
    layer_init(&l, kind, n, dim, -1, 3);
    reference_statistics(&l);
    gradients_init(&g, &l);
    forward(&l, false);
    backward(&l);
    for (int64_t d = 0; d < dim; d++) {
        PEN_CHECK_NEAR(l.dbeta[d], g.dbeta[d], g.dbeta_bound[d]);
        PEN_CHECK_NEAR(l.dgamma[d], g.dgamma[d], g.dgamma_bound[d]);
        for (int64_t row = 0; row < n; row++) {
            PEN_CHECK_NEAR(l.dx[row * dim + d], ref_dx(&l, &g, row, d), dx_bound(&l, &g, row, d));
        }
    }
    gradients_deinit(&g);
    layer_deinit(&l);
}

static void backward_matches_float64(void)
{
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < N_SIZES; i++) {
            one_backward(kinds[k], sizes[i], 20);
            one_backward(kinds[k], sizes[i], 1);
            one_backward(kinds[k], 20, sizes[i]);
        }
    }
}

/* sum dy y in float64, of which the gradients above are the derivatives. */
static double objective(struct layer *l)
{
    double sum = 0;
    reference_statistics(l);
    for (int64_t row = 0; row < l->n; row++) {
        for (int64_t d = 0; d < l->dim; d++) {
            sum += (double)l->dy[row * l->dim + d] * ((double)l->gamma[d] * ref_xhat(l, row, d) + (double)l->beta[d]);
        }
    }
    return sum;
}

static void check_difference(struct layer *l, float *at, double found)
{
    float old = *at, up = old + 0x1p-9f, down = old - 0x1p-9f;
    *at = up;
    double difference = objective(l);
    *at = down;
    difference = (difference - objective(l)) / ((double)up - (double)down);
    *at = old;
    PEN_CHECK_NEAR(found, difference, 1e-4 * (1 + fabs(difference)));
}

static void gradients_match_differences(void)
{
    for (size_t k = 0; k < 2; k++) {
        struct layer l;
        layer_init(&l, kinds[k], 9, 7, -1, 3);
        forward(&l, false);
        backward(&l);
        for (int64_t i = 0; i < l.n * l.dim; i++) {
            check_difference(&l, &l.x[i], (double)l.dx[i]);
        }
        for (int64_t d = 0; d < l.dim; d++) {
            check_difference(&l, &l.gamma[d], (double)l.dgamma[d]);
            check_difference(&l, &l.beta[d], (double)l.dbeta[d]);
        }
        layer_deinit(&l);
    }
}

static void nan_and_infinity_stay_in_their_group(void)
{
    for (size_t k = 0; k < 2; k++) {
        struct layer l;
        layer_init(&l, kinds[k], 40, 10, -1, 1);
        l.x[3 * 10 + 4] = NAN;
        l.x[17 * 10 + 8] = INFINITY;
        forward(&l, false);
        for (int64_t row = 0; row < l.n; row++) {
            for (int64_t d = 0; d < l.dim; d++) {
                int64_t group = group_of(&l, row, d);
                bool spoilt = k == 1 ? group == 3 || group == 17 : group == 4 || group == 8;
                PEN_CHECK(isnan(l.y[row * l.dim + d]) == spoilt && isfinite(l.y[row * l.dim + d]) == !spoilt);
            }
        }
        layer_deinit(&l);
    }
}

static void output_and_gradient_may_replace_the_input(void)
{
    for (size_t k = 0; k < 2; k++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct layer l;
        layer_init(&l, kinds[k], 70, 33, -1, 1);
        forward(&l, false);
        backward(&l);
        float *dx = pen_test_floats(70 * 33, 9, -1, 1), *y = pen_test_floats(70 * 33, 1, -1, 1);
        struct pen_norm_grad job = {l.kind, l.n, l.dim, l.x, l.gamma, l.mean, l.rstd, dx, dx, l.dgamma, l.dbeta};
        struct pen_norm again = {l.kind, l.n,    l.dim,   y,     l.gamma,  l.beta,         y,
                                 l.mean, l.rstd, epsilon, false, momentum, l.running_mean, l.running_variance};
        struct pen_mirror m = PEN_MIRROR_INIT;
        PEN_MIRROR_IN(&m, job.x, l.n * l.dim);
        PEN_MIRROR_IN(&m, job.gamma, l.dim);
        PEN_MIRROR_IN(&m, job.mean, l.n_groups);
        PEN_MIRROR_IN(&m, job.rstd, l.n_groups);
        PEN_MIRROR_INOUT(&m, job.dx, l.n * l.dim);
        PEN_MIRROR_INOUT(&m, job.dgamma, l.dim);
        PEN_MIRROR_INOUT(&m, job.dbeta, l.dim);
        job.dy = job.dx;
        PEN_CHECK_OK(m.exec->kernels->norm_backward(m.exec, &job, &err), &err);
        pen_mirror_end(&m);
        PEN_MIRROR_IN(&m, again.gamma, l.dim);
        PEN_MIRROR_IN(&m, again.beta, l.dim);
        PEN_MIRROR_INOUT(&m, again.y, l.n * l.dim);
        PEN_MIRROR_INOUT(&m, again.mean, l.n_groups);
        PEN_MIRROR_INOUT(&m, again.rstd, l.n_groups);
        PEN_MIRROR_INOUT(&m, again.running_mean, l.dim);
        PEN_MIRROR_INOUT(&m, again.running_variance, l.dim);
        again.x = again.y;
        PEN_CHECK_OK(m.exec->kernels->norm_forward(m.exec, &again, &err), &err);
        pen_mirror_end(&m);
        PEN_CHECK(memcmp(dx, l.dx, 70 * 33 * sizeof *dx) == 0);
        PEN_CHECK(memcmp(y, l.y, 70 * 33 * sizeof *y) == 0);
        pen_free(dx);
        pen_free(y);
        layer_deinit(&l);
    }
}

static void one_thread_and_two_give_the_same_bits(void)
{
    enum { N = 1200, D = 70 };
    int before = omp_get_max_threads();
    for (size_t k = 0; k < 2; k++) {
        struct layer l[2];
        for (int t = 0; t < 2; t++) {
            omp_set_num_threads(t + 1);
            layer_init(&l[t], kinds[k], N, D, -1, 1);
            forward(&l[t], false);
            backward(&l[t]);
        }
        PEN_CHECK(memcmp(l[0].y, l[1].y, sizeof(float) * N * D) == 0);
        PEN_CHECK(memcmp(l[0].dx, l[1].dx, sizeof(float) * N * D) == 0);
        PEN_CHECK(memcmp(l[0].dgamma, l[1].dgamma, sizeof(float) * D) == 0);
        PEN_CHECK(memcmp(l[0].dbeta, l[1].dbeta, sizeof(float) * D) == 0);
        PEN_CHECK(memcmp(l[0].running_variance, l[1].running_variance, sizeof(float) * D) == 0);
        layer_deinit(&l[0]);
        layer_deinit(&l[1]);
    }
    omp_set_num_threads(before);
}

static void what_is_no_layer_is_refused(void)
{
    struct pen_exec *exec = pen_test_exec();
    struct pen_norm negative = {.kind = PEN_NORM_LAYER, .n_rows = -1}, none = {.kind = PEN_NORM_NONE};
    struct pen_norm_grad grad = {.kind = PEN_NORM_BATCH, .dim = -1};
    PEN_CHECK_STATUS(exec->kernels->norm_forward(exec, &negative, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(exec->kernels->norm_forward(exec, &none, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(exec->kernels->norm_backward(exec, &grad, NULL), PEN_ERR_SHAPE);
}

PEN_SUITE(norm, PEN_CASE(forward_matches_float64), PEN_CASE(the_running_statistics_take_the_place_of_the_batch),
          PEN_CASE(backward_matches_float64), PEN_CASE(gradients_match_differences),
          PEN_CASE(nan_and_infinity_stay_in_their_group), PEN_CASE(output_and_gradient_may_replace_the_input),
          PEN_CASE(one_thread_and_two_give_the_same_bits), PEN_CASE(what_is_no_layer_is_refused));
