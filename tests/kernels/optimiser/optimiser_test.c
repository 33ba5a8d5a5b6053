/* Optimisers against the published update rules written out in float64, over several steps; tables against whole
 * arrays. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

PEN_OP_CASE(optimiser, optimiser);
PEN_OP_CASE(optimiser_tables, optimiser);
PEN_OP_CASE(average, optimiser);
PEN_OP_CASE(squared_norm, optimiser);
PEN_OP_CASE(tables_norm, optimiser);

static const struct pen_optimiser_rule settings = {
    .momentum = 0.9, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .l1 = 0.02, .l2 = 0.1, .ftrl_beta = 1};
static const double learning_rate = 0.05, grad_scale = 0.5;

/* Arrays of first + n values, of which the first ones are nobody's: the others are not aligned to more than a float. */
static void run_optimiser_from(struct pen_optimiser *o, int64_t first)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, o->step, 1);
    PEN_MIRROR_IN(&m, o->sums, 1);
    PEN_MIRROR_IN(&m, o->grad, first + o->n);
    PEN_MIRROR_INOUT(&m, o->param, first + o->n);
    PEN_MIRROR_INOUT(&m, o->state1, first + o->n);
    PEN_MIRROR_INOUT(&m, o->state2, first + o->n);
    struct pen_optimiser part = *o;
    part.grad += first;
    part.param += first;
    part.state1 = o->state1 != NULL ? o->state1 + first : NULL;
    part.state2 = o->state2 != NULL ? o->state2 + first : NULL;
    PEN_CHECK_OK(m.exec->kernels->optimiser(m.exec, &part, &err), &err);
    pen_mirror_end(&m);
}

static void run_optimiser(struct pen_optimiser *o)
{
    run_optimiser_from(o, 0);
}

static void reference(enum pen_optimiser_kind kind, double *p, double *s1, double *s2, double g, int step)
{
    double lr = learning_rate, l1 = settings.l1, l2 = settings.l2;
    double b1 = settings.beta1, b2 = settings.beta2;
    g *= grad_scale;
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
    float *p = pen_test_floats(n, 1, -1, 1), *s1 = pen_calloc(n, sizeof *s1), *s2 = pen_calloc(n, sizeof *s2);
    double *rp = pen_calloc(n, sizeof *rp), *r1 = pen_calloc(n, sizeof *r1), *r2 = pen_calloc(n, sizeof *r2);
    for (int64_t i = 0; i < n; i++) {
        rp[i] = (double)p[i];
    }
    for (int step = 1; step <= STEPS; step++) {
        float *g = pen_test_floats(n, 10 + (uint64_t)step, -1, 1);
        struct pen_training_step now = {.number = step, .learning_rate = learning_rate};
        struct pen_step_sums sums = {.grad_scale = grad_scale};
        struct pen_optimiser o = {settings, &now, &sums, n, g, p, s1, s2};
        o.rule.kind = kind;
        run_optimiser(&o);
        for (int64_t i = 0; i < n; i++) {
            reference(kind, &rp[i], &r1[i], &r2[i], (double)g[i], step);
        }
        pen_free(g);
    }
    for (int64_t i = 0; i < n; i++) {
        /* 16 eps of the parameter and of each step's move, which is at most about 2 lr (adagrad's first). */
        PEN_CHECK_NEAR(p[i], rp[i], STEPS * 16 * PEN_TEST_EPS * (fabs(rp[i]) + 4 * learning_rate) + 2e-7);
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
    struct pen_training_step step = {.number = 1, .learning_rate = 0.1};
    struct pen_optimiser o = {.rule = {.kind = PEN_OPTIMISER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
                              .step = &step,
                              .n = 1,
                              .grad = &g,
                              .param = &p,
                              .state1 = &m,
                              .state2 = &v};
    run_optimiser(&o);
    PEN_CHECK_NEAR(p, 0.9, 1e-6);
    g = 2 * p;
    step.number = 2;
    run_optimiser(&o);
    PEN_CHECK_NEAR(p, 0.9 - 0.1 * 0.36 / 0.19 / sqrt(0.007236 / 0.001999), 2e-6);
}

/* Elementwise: where a value lies, and what lies beside it, changes nothing of it. */
static void a_piece_of_an_array_moves_as_in_the_whole(void)
{
    enum { N = 1500, FIRST = 3 };
    struct pen_training_step step = {.number = 2, .learning_rate = learning_rate};
    struct pen_step_sums sums = {.grad_scale = grad_scale};
    float *g = pen_test_floats(N, 2, -1, 1);
    for (int kind = 0; kind <= PEN_OPTIMISER_COUNT; kind++) {
        bool plain = kind == PEN_OPTIMISER_COUNT; /* sgd without momentum */
        float *original = pen_test_floats(N, 1, -1, 1), *whole = pen_test_floats(N, 1, -1, 1);
        float *piece = pen_test_floats(N, 1, -1, 1), *s[4];
        for (int i = 0; i < 4; i++) {
            s[i] = plain ? NULL : pen_test_floats(N, 3 + (uint64_t)(i % 2), 0, 1);
        }
        struct pen_optimiser all = {settings, &step, &sums, N, g, whole, s[0], s[1]};
        struct pen_optimiser some = {settings, &step, &sums, N - FIRST, g, piece, s[2], s[3]};
        all.rule.kind = some.rule.kind = plain ? PEN_OPTIMISER_SGD : (enum pen_optimiser_kind)kind;
        run_optimiser(&all);
        run_optimiser_from(&some, FIRST);
        for (int64_t i = 0; i < N; i++) {
            PEN_CHECK_EQ_F64(piece[i], i < FIRST ? original[i] : whole[i]);
            PEN_CHECK(plain || i < FIRST || (s[0][i] == s[2][i] && s[1][i] == s[3][i]));
        }
        float *owned[] = {original, whole, piece, s[0], s[1], s[2], s[3]};
        for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
            pen_free(owned[i]);
        }
    }
    pen_free(g);
}

/* Two tables in one array, the second one's rows before the first one's; what lies between them belongs to nobody. */
enum { TABLES = 2, V0 = 40, D0 = 5, V1 = 900, D1 = 16, OFFSET0 = V1 * D1 + 3, N_VALUES = OFFSET0 + V0 * D0 };

struct touched {
    int32_t rows[TABLES][V1];
    struct pen_embedding_feature features[TABLES];
    float *whole_grad; /* [N_VALUES], 0 where no row is touched */
};

static void touched_init(struct touched *t)
{
    static const int64_t values[] = {V0, V1}, dims[] = {D0, D1}, offsets[] = {OFFSET0, 0}, counts[] = {4, 700};
    memset(t, 0, sizeof *t);
    t->whole_grad = pen_calloc(N_VALUES, sizeof *t->whole_grad);
    PEN_ASSERT(t->whole_grad != NULL);
    for (int k = 0; k < TABLES; k++) {
        struct pen_embedding_feature *f = &t->features[k];
        *f = (struct pen_embedding_feature){.n_values = values[k], .dim = dims[k], .offset = offsets[k]};
        f->n_touched = counts[k];
        f->touched = t->rows[k];
        f->grad = pen_test_floats(counts[k] * dims[k], 5 + (uint64_t)k, -1, 1);
        for (int64_t s = 0; s < counts[k]; s++) {
            f->touched[s] = (int32_t)((7 + 11 * s) % values[k]); /* distinct: 11 divides neither 40 nor 900 */
            memcpy(t->whole_grad + f->offset + f->touched[s] * f->dim, f->grad + s * f->dim,
                   (size_t)f->dim * sizeof(float));
        }
    }
}

static void touched_deinit(struct touched *t)
{
    pen_free(t->features[0].grad);
    pen_free(t->features[1].grad);
    pen_free(t->whole_grad);
}

static void mirror_touched(struct pen_mirror *m, struct touched *t, const struct pen_embedding_feature **features)
{
    for (int k = 0; k < TABLES; k++) {
        PEN_MIRROR_IN(m, t->features[k].touched, t->features[k].n_touched);
        PEN_MIRROR_IN(m, t->features[k].grad, t->features[k].n_touched * t->features[k].dim);
    }
    PEN_MIRROR_IN(m, *features, TABLES);
}

static void run_tables(struct pen_optimiser_tables *o, struct touched *t)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_mirror m = PEN_MIRROR_INIT;
    mirror_touched(&m, t, &o->features);
    PEN_MIRROR_IN(&m, o->step, 1);
    PEN_MIRROR_IN(&m, o->sums, 1);
    PEN_MIRROR_INOUT(&m, o->values, N_VALUES);
    PEN_MIRROR_INOUT(&m, o->state1, N_VALUES);
    PEN_MIRROR_INOUT(&m, o->state2, N_VALUES);
    PEN_CHECK_OK(m.exec->kernels->optimiser_tables(m.exec, o, &err), &err);
    pen_mirror_end(&m);
}

static bool is_touched(const struct touched *t, int64_t value)
{
    for (int k = 0; k < TABLES; k++) {
        const struct pen_embedding_feature *f = &t->features[k];
        for (int64_t s = 0; s < f->n_touched; s++) {
            int64_t first = f->offset + f->touched[s] * f->dim;
            if (value >= first && value < first + f->dim) {
                return true;
            }
        }
    }
    return false;
}

static void touched_rows_move_as_in_the_whole_and_others_stay(void)
{
    struct pen_training_step step = {.number = 3, .learning_rate = learning_rate};
    struct pen_step_sums sums = {.grad_scale = grad_scale};
    struct touched t;
    touched_init(&t);
    for (int kind = 0; kind < PEN_OPTIMISER_COUNT; kind++) {
        float *original = pen_test_floats(N_VALUES, 1, -1, 1);
        float *whole = pen_test_floats(N_VALUES, 1, -1, 1), *some = pen_test_floats(N_VALUES, 1, -1, 1), *s[4];
        for (int i = 0; i < 4; i++) {
            s[i] = pen_calloc(N_VALUES, sizeof *s[i]);
        }
        struct pen_optimiser all = {settings, &step, &sums, N_VALUES, t.whole_grad, whole, s[0], s[1]};
        struct pen_optimiser_tables tables = {settings, &step, &sums, TABLES, t.features, some, s[2], s[3]};
        all.rule.kind = tables.rule.kind = (enum pen_optimiser_kind)kind;
        run_optimiser(&all);
        run_tables(&tables, &t);
        for (int64_t v = 0; v < N_VALUES; v++) {
            PEN_CHECK_EQ_F64(some[v], is_touched(&t, v) ? whole[v] : original[v]);
        }
        float *owned[] = {original, whole, some, s[0], s[1], s[2], s[3]};
        for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
            pen_free(owned[i]);
        }
    }
    touched_deinit(&t);
}

static void norms_of_tables_add_to_what_is_there(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct touched t;
    touched_init(&t);
    double sum = 3, expected = 3;
    for (int64_t v = 0; v < N_VALUES; v++) {
        expected += (double)t.whole_grad[v] * (double)t.whole_grad[v];
    }
    struct pen_tables_norm norm = {TABLES, t.features, &sum};
    struct pen_mirror m = PEN_MIRROR_INIT;
    mirror_touched(&m, &t, &norm.features);
    PEN_MIRROR_INOUT(&m, norm.sum, 1);
    PEN_CHECK_OK(m.exec->kernels->tables_norm(m.exec, &norm, &err), &err);
    pen_mirror_end(&m);
    PEN_CHECK_NEAR(sum, expected, N_VALUES * 1.2e-16 * expected);
    touched_deinit(&t);
}

/* More tables than a warp has lanes, many of them without a touched row, their rows of 1 to 8 values from places that
 * are aligned to a float: plain sgd at rate 1 is a subtraction. */
static void many_tables_move_and_add_up_as_one_by_one(void)
{
    enum { N_TABLES = 75, ROWS = 90, WIDEST = 8, PLACE = ROWS * WIDEST + 1, ALL = N_TABLES * PLACE };
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_embedding_feature features[N_TABLES];
    struct pen_training_step step = {.number = 1, .learning_rate = 1};
    int32_t rows[ROWS];
    for (int32_t r = 0; r < ROWS; r++) {
        rows[r] = ROWS - 1 - r;
    }
    float *values = pen_test_floats(ALL, 1, -1, 1), *before = pen_test_floats(ALL, 1, -1, 1);
    float *grad = pen_test_floats(ALL, 2, -1, 1), *expected = pen_test_floats(ALL, 1, -1, 1);
    double sum = 0, expected_sum = 0;
    struct pen_optimiser_tables o = {.step = &step, .n_features = N_TABLES, .features = features, .values = values};
    struct pen_tables_norm norm = {N_TABLES, features, &sum};
    struct pen_mirror m = PEN_MIRROR_INIT;
    for (int64_t k = 0; k < N_TABLES; k++) {
        struct pen_embedding_feature *f = &features[k];
        *f = (struct pen_embedding_feature){.n_values = ROWS, .dim = 1 + k % WIDEST, .offset = k * PLACE};
        f->n_touched = k % 3 == 0 ? k : k % 7 == 0 ? 1 : 0;
        f->touched = rows;
        f->grad = grad + k * PLACE;
        for (int64_t i = 0; i < f->n_touched * f->dim; i++) {
            int64_t at = f->offset + rows[i / f->dim] * f->dim + i % f->dim;
            expected[at] = before[at] - f->grad[i];
            expected_sum += (double)f->grad[i] * (double)f->grad[i];
        }
        PEN_MIRROR_IN(&m, f->touched, ROWS);
        PEN_MIRROR_IN(&m, f->grad, f->n_touched * f->dim);
    }
    struct pen_embedding_feature *placed = features;
    PEN_MIRROR_IN(&m, placed, N_TABLES);
    PEN_MIRROR_IN(&m, o.step, 1);
    PEN_MIRROR_INOUT(&m, o.values, ALL);
    PEN_MIRROR_INOUT(&m, norm.sum, 1);
    o.features = norm.features = placed;
    PEN_CHECK_OK(m.exec->kernels->optimiser_tables(m.exec, &o, &err), &err);
    PEN_CHECK_OK(m.exec->kernels->tables_norm(m.exec, &norm, &err), &err);
    pen_mirror_end(&m);
    for (int64_t i = 0; i < ALL; i++) {
        PEN_CHECK_EQ_F64(values[i], expected[i]);
    }
    PEN_CHECK_NEAR(sum, expected_sum, ALL * 1.2e-16 * expected_sum);
    pen_free(values);
    pen_free(before);
    pen_free(grad);
    pen_free(expected);
}

static void averages_and_norms_match_float64(void)
{
    static const int64_t sizes[] = {0, 1, 31, 33, 257, 1000, 30000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int64_t n = sizes[i];
        float *p = pen_test_floats(n, 1, -1, 1), *mean = pen_test_floats(n, 2, -1, 1);
        float *before = pen_test_floats(n, 2, -1, 1);
        struct pen_average a = {n, 0.125, p, mean};
        double sum = 0, found = 0;
        struct pen_squared_norm norm = {n, p, &found};
        struct pen_mirror m = PEN_MIRROR_INIT;
        PEN_MIRROR_IN(&m, a.param, n);
        PEN_MIRROR_INOUT(&m, a.mean, n);
        PEN_MIRROR_IN(&m, norm.x, n);
        PEN_MIRROR_INOUT(&m, norm.sum, 1);
        PEN_CHECK_STATUS(m.exec->kernels->average(m.exec, &a, NULL), PEN_OK);
        PEN_CHECK_STATUS(m.exec->kernels->squared_norm(m.exec, &norm, NULL), PEN_OK);
        pen_mirror_end(&m);
        for (int64_t j = 0; j < n; j++) {
            double expected = (double)before[j] + 0.125 * ((double)p[j] - (double)before[j]);
            PEN_CHECK_NEAR(mean[j], expected, 3 * PEN_TEST_EPS * (fabs((double)before[j]) + fabs((double)p[j])));
            sum += (double)p[j] * (double)p[j];
        }
        PEN_CHECK_NEAR(found, sum, (double)n * 1.2e-16 * sum);
        pen_free(p);
        pen_free(mean);
        pen_free(before);
    }
}

PEN_SUITE(optimiser, PEN_CASE(updates_follow_the_published_rules), PEN_CASE(adam_takes_the_steps_worked_out_by_hand),
          PEN_CASE(a_piece_of_an_array_moves_as_in_the_whole),
          PEN_CASE(touched_rows_move_as_in_the_whole_and_others_stay),
          PEN_CASE(many_tables_move_and_add_up_as_one_by_one), PEN_CASE(norms_of_tables_add_to_what_is_there),
          PEN_CASE(averages_and_norms_match_float64));
