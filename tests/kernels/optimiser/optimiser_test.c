/* Optimisers against the published update rules written out in float64, over several steps; rows against whole. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

PEN_OP_CASE(optimiser, optimiser);
PEN_OP_CASE(average, optimiser);
PEN_OP_CASE(squared_norm, optimiser);

static const struct pen_optimiser settings = {.learning_rate = 0.05,
                                              .momentum = 0.9,
                                              .beta1 = 0.9,
                                              .beta2 = 0.999,
                                              .epsilon = 1e-8,
                                              .l1 = 0.02,
                                              .l2 = 0.1,
                                              .ftrl_beta = 1,
                                              .grad_scale = 0.5};

static void reference(enum pen_optimiser_kind kind, double *p, double *s1, double *s2, double g, int step)
{
    double lr = settings.learning_rate, l1 = settings.l1, l2 = settings.l2;
    double b1 = settings.beta1, b2 = settings.beta2;
    g *= settings.grad_scale;
    if (kind == PEN_OPTIMISER_FTRL) {
        double sigma = (sqrt(*s2 + g * g) - sqrt(*s2)) / lr;
        *s1 += g - sigma * *p;
        *s2 += g * g;
        *p = fabs(*s1) <= l1 ? 0 : -(*s1 - (*s1 > 0 ? l1 : -l1)) / ((settings.ftrl_beta + sqrt(*s2)) / lr + l2);
        return;
    }
    if (kind == PEN_OPTIMISER_ADAMW) {
        *p *= 1 - lr * l2;
    } else {
        g += l2 * *p;
    }
    if (kind == PEN_OPTIMISER_SGD) {
        *s1 = settings.momentum * *s1 + g;
        *p -= lr * *s1;
    } else if (kind == PEN_OPTIMISER_ADAGRAD) {
        *s1 += g * g;
        *p -= lr * g / (sqrt(*s1) + settings.epsilon);
    } else {
        *s1 = b1 * *s1 + (1 - b1) * g;
        *s2 = b2 * *s2 + (1 - b2) * g * g;
        *p -= lr * (*s1 / (1 - pow(b1, step))) / (sqrt(*s2 / (1 - pow(b2, step))) + settings.epsilon);
    }
    double size = fabs(*p) - lr * l1;
    *p = size > 0 ? copysign(size, *p) : 0;
}

static void one_kind(enum pen_optimiser_kind kind, int64_t n)
{
    enum { STEPS = 6 };
    struct pen_error err = PEN_ERROR_INIT;
    float *p = pen_test_floats(n, 1, -1, 1), *s1 = pen_calloc(n, sizeof *s1), *s2 = pen_calloc(n, sizeof *s2);
    double *rp = pen_calloc(n, sizeof *rp), *r1 = pen_calloc(n, sizeof *r1), *r2 = pen_calloc(n, sizeof *r2);
    for (int64_t i = 0; i < n; i++) {
        rp[i] = (double)p[i];
    }
    for (int step = 1; step <= STEPS; step++) {
        float *g = pen_test_floats(n, 10 + (uint64_t)step, -1, 1);
        struct pen_optimiser o = settings;
        o.kind = kind;
        o.step = step;
        o.n_rows = n;
        o.dim = 1;
        o.grad = g;
        o.param = p;
        o.state1 = s1;
        o.state2 = s2;
        PEN_CHECK_OK(pen_exec_cpu()->kernels->optimiser(pen_exec_cpu(), &o, &err), &err);
        for (int64_t i = 0; i < n; i++) {
            reference(kind, &rp[i], &r1[i], &r2[i], (double)g[i], step);
        }
        pen_free(g);
    }
    for (int64_t i = 0; i < n; i++) {
        /* 16 eps of the parameter and of each step's move, which is at most about 2 lr (adagrad's first). */
        PEN_CHECK_NEAR(p[i], rp[i], STEPS * 16 * PEN_TEST_EPS * (fabs(rp[i]) + 4 * settings.learning_rate) + 2e-7);
    }
    pen_free(p);
    pen_free(s1);
    pen_free(s2);
    pen_free(rp);
    pen_free(r1);
    pen_free(r2);
}

static void updates_follow_the_published_rules(void)
{
    static const int64_t sizes[] = {0, 1, 31, 33, 257, 1000, 40000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int kind = 0; kind < PEN_OPTIMISER_COUNT; kind++) {
            one_kind((enum pen_optimiser_kind)kind, sizes[i]);
        }
    }
}

/* The first steps of Adam on f(p) = p^2 from p = 1, lr 0.1, by hand: m = 0.2, v = 0.004, both corrected to 2 and 4,
 * so p1 = 1 - 0.1 * 2 / (2 + 1e-8); then g = 1.8 gives m = 0.36, v = 0.007236, p2 = p1 - 0.1 * (0.36 / 0.19) /
 * sqrt(0.007236 / 0.001999). */
static void adam_takes_the_steps_worked_out_by_hand(void)
{
    float p = 1, m = 0, v = 0, g = 2;
    struct pen_optimiser o = {.kind = PEN_OPTIMISER_ADAM,
                              .learning_rate = 0.1,
                              .beta1 = 0.9,
                              .beta2 = 0.999,
                              .epsilon = 1e-8,
                              .step = 1,
                              .grad_scale = 1,
                              .n_rows = 1,
                              .dim = 1,
                              .grad = &g,
                              .param = &p,
                              .state1 = &m,
                              .state2 = &v};
    PEN_CHECK_STATUS(pen_exec_cpu()->kernels->optimiser(pen_exec_cpu(), &o, NULL), PEN_OK);
    PEN_CHECK_NEAR(p, 0.9, 1e-6);
    g = 2 * p;
    o.step = 2;
    PEN_CHECK_STATUS(pen_exec_cpu()->kernels->optimiser(pen_exec_cpu(), &o, NULL), PEN_OK);
    PEN_CHECK_NEAR(p, 0.9 - 0.1 * 0.36 / 0.19 / sqrt(0.007236 / 0.001999), 2e-6);
}

static void listed_rows_move_as_in_the_whole_and_others_stay(void)
{
    enum { V = 40, D = 5 };
    int32_t rows[] = {7, 0, 39, 12};
    for (int kind = 0; kind < PEN_OPTIMISER_COUNT; kind++) {
        float *whole = pen_test_floats(V * D, 1, -1, 1), *some = pen_test_floats(V * D, 1, -1, 1);
        float *grad = pen_test_floats(V * D, 2, -1, 1), few[4 * D];
        float *s[4];
        for (int i = 0; i < 4; i++) {
            s[i] = pen_calloc(V * D, sizeof *s[i]);
            memcpy(few + i * D, grad + rows[i] * D, D * sizeof(float));
        }
        struct pen_optimiser o = settings;
        o.kind = (enum pen_optimiser_kind)kind;
        o.step = 3;
        o.n_rows = V;
        o.dim = D;
        o.grad = grad;
        o.param = whole;
        o.state1 = s[0];
        o.state2 = s[1];
        PEN_CHECK_STATUS(pen_exec_cpu()->kernels->optimiser(pen_exec_cpu(), &o, NULL), PEN_OK);
        o.n_rows = 4;
        o.rows = rows;
        o.grad = few;
        o.param = some;
        o.state1 = s[2];
        o.state2 = s[3];
        PEN_CHECK_STATUS(pen_exec_cpu()->kernels->optimiser(pen_exec_cpu(), &o, NULL), PEN_OK);
        float *original = pen_test_floats(V * D, 1, -1, 1);
        for (int32_t v = 0; v < V; v++) {
            bool listed = v == 7 || v == 0 || v == 39 || v == 12;
            const float *expected = listed ? whole : original;
            PEN_CHECK(memcmp(some + v * D, expected + v * D, D * sizeof(float)) == 0);
        }
        pen_free(original);
        pen_free(whole);
        pen_free(some);
        pen_free(grad);
        for (int i = 0; i < 4; i++) {
            pen_free(s[i]);
        }
    }
}

static void averages_and_norms_match_float64(void)
{
    static const int64_t sizes[] = {0, 1, 31, 33, 257, 1000, 30000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int64_t n = sizes[i];
        float *p = pen_test_floats(n, 1, -1, 1), *mean = pen_test_floats(n, 2, -1, 1);
        float *before = pen_test_floats(n, 2, -1, 1);
        struct pen_average a = {n, 0.125, p, mean};
        PEN_CHECK_STATUS(pen_exec_cpu()->kernels->average(pen_exec_cpu(), &a, NULL), PEN_OK);
        double sum = 0;
        for (int64_t j = 0; j < n; j++) {
            double expected = (double)before[j] + 0.125 * ((double)p[j] - (double)before[j]);
            PEN_CHECK_NEAR(mean[j], expected, 3 * PEN_TEST_EPS * (fabs((double)before[j]) + fabs((double)p[j])));
            sum += (double)p[j] * (double)p[j];
        }
        struct pen_squared_norm norm = {n, p, -1};
        PEN_CHECK_STATUS(pen_exec_cpu()->kernels->squared_norm(pen_exec_cpu(), &norm, NULL), PEN_OK);
        PEN_CHECK_NEAR(norm.result, sum, (double)n * 1.2e-16 * sum);
        pen_free(p);
        pen_free(mean);
        pen_free(before);
    }
}

PEN_SUITE(optimiser, PEN_CASE(updates_follow_the_published_rules), PEN_CASE(adam_takes_the_steps_worked_out_by_hand),
          PEN_CASE(listed_rows_move_as_in_the_whole_and_others_stay), PEN_CASE(averages_and_norms_match_float64));
