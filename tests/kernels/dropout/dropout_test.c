/* Dropout: the mask is the documented function of the index, keeps the share it says, and repeats. */
#include "core/memory.h"
#include "core/rng.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

PEN_OP_CASE(dropout, dropout);

static void the_mask_follows_the_contract(void)
{
    static const int64_t sizes[] = {0, 1, 31, 33, 257, 100000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        int64_t n = sizes[s], kept = 0;
        float *x = pen_test_floats(n, 2, 1, 2), *before = pen_test_floats(n, 1, 1, 2);
        struct pen_training_step step = {.number = 5};
        struct pen_dropout d = {n, 0.3, 42, 7, 800, &step, before, x};
        struct pen_mirror m = PEN_MIRROR_INIT;
        PEN_MIRROR_IN(&m, d.step, 1);
        PEN_MIRROR_IN(&m, d.x, n);
        PEN_MIRROR_INOUT(&m, d.y, n);
        PEN_CHECK_STATUS(m.exec->kernels->dropout(m.exec, &d, NULL), PEN_OK);
        pen_mirror_end(&m);
        for (int64_t i = 0; i < n; i++) {
            uint64_t j = 4000 + (uint64_t)i, block = j / 4;
            bool keep = (double)pen_rng_at(42, 7, block).word[j % 4] >= floor(0.3 * 4294967296.0);
            kept += keep;
            PEN_CHECK_NEAR(x[i], keep ? (double)before[i] / 0.7 : 0, 2 * PEN_TEST_EPS * (double)before[i] / 0.7);
        }
        double expected = 0.7 * (double)n; /* five standard deviations of the binomial */
        PEN_CHECK_NEAR(kept, expected, 5 * sqrt(expected * 0.3) + 1e-9);
        pen_free(x);
        pen_free(before);
    }
}

static void in_place_gives_the_same(void)
{
    enum { N = 1003 };
    float *x = pen_test_floats(N, 1, -1, 1), *y = pen_test_floats(N, 2, -1, 1);
    struct pen_training_step step = {.number = 2};
    struct pen_dropout d = {N, 0.5, 1, 2, 2000, &step, x, y};
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, d.step, 1);
    PEN_MIRROR_IN(&m, d.x, N);
    PEN_MIRROR_INOUT(&m, d.y, N);
    PEN_CHECK_STATUS(m.exec->kernels->dropout(m.exec, &d, NULL), PEN_OK);
    pen_mirror_end(&m);
    d.y = x;
    PEN_MIRROR_IN(&m, d.step, 1);
    PEN_MIRROR_INOUT(&m, d.y, N);
    d.x = d.y;
    PEN_CHECK_STATUS(m.exec->kernels->dropout(m.exec, &d, NULL), PEN_OK);
    pen_mirror_end(&m);
    for (int i = 0; i < N; i++) {
        PEN_CHECK_EQ_F64(x[i], y[i]);
    }
    pen_free(x);
    pen_free(y);
}

/* x and y one value behind the start of their arrays: vectors of four cannot be read there. */
static void arrays_may_begin_anywhere(void)
{
    enum { N = 1003 };
    float *x = pen_test_floats(N + 1, 1, -1, 1), *y = pen_test_floats(N + 1, 2, -1, 1);
    float *even = pen_test_floats(N, 3, -1, 1);
    memcpy(even, x + 1, N * sizeof *even);
    float first = y[0];
    struct pen_training_step step = {.number = 2};
    struct pen_dropout d = {N, 0.5, 1, 2, 2000, &step, x, y};
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, d.step, 1);
    PEN_MIRROR_IN(&m, d.x, N + 1);
    PEN_MIRROR_INOUT(&m, d.y, N + 1);
    d.x++;
    d.y++;
    PEN_CHECK_STATUS(m.exec->kernels->dropout(m.exec, &d, NULL), PEN_OK);
    pen_mirror_end(&m);
    d.y = even;
    PEN_MIRROR_IN(&m, d.step, 1);
    PEN_MIRROR_INOUT(&m, d.y, N);
    d.x = d.y;
    PEN_CHECK_STATUS(m.exec->kernels->dropout(m.exec, &d, NULL), PEN_OK);
    pen_mirror_end(&m);
    PEN_CHECK_EQ_F64(y[0], first);
    for (int i = 0; i < N; i++) {
        PEN_CHECK_EQ_F64(y[i + 1], even[i]);
    }
    pen_free(x);
    pen_free(y);
    pen_free(even);
}

static void a_rate_of_one_is_refused(void)
{
    struct pen_exec *exec = pen_test_exec();
    struct pen_dropout d = {.rate = 1.0}, odd = {.rate = 0.5, .stride = 3};
    PEN_CHECK_STATUS(exec->kernels->dropout(exec, &d, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(exec->kernels->dropout(exec, &odd, NULL), PEN_ERR_SHAPE);
}

PEN_SUITE(dropout, PEN_CASE(the_mask_follows_the_contract), PEN_CASE(in_place_gives_the_same),
          PEN_CASE(arrays_may_begin_anywhere), PEN_CASE(a_rate_of_one_is_refused));
