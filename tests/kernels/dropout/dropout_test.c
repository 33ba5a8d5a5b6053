/* Dropout: the mask is the documented function of the index, keeps the share it says, and repeats. */
#include "core/memory.h"
#include "core/rng.h"
#include "kernels/backend.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

PEN_OP_CASE(dropout, dropout);

static void the_mask_follows_the_contract(void)
{
    static const int64_t sizes[] = {0, 1, 31, 33, 257, 100000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        int64_t n = sizes[s], kept = 0;
        float *x = pen_test_floats(n, 1, 1, 2), *before = pen_test_floats(n, 1, 1, 2);
        struct pen_dropout d = {n, 0.3, 42, 7, 4000, x};
        PEN_CHECK_STATUS(pen_exec_cpu()->kernels->dropout(pen_exec_cpu(), &d, NULL), PEN_OK);
        for (int64_t i = 0; i < n; i++) {
            uint64_t j = 4000 + (uint64_t)i;
            bool keep = (double)pen_rng_at(42, 7, j / 4).word[j % 4] >= floor(0.3 * 4294967296.0);
            kept += keep;
            PEN_CHECK_NEAR(x[i], keep ? (double)before[i] / 0.7 : 0, 2 * PEN_TEST_EPS * (double)before[i] / 0.7);
        }
        double expected = 0.7 * (double)n; /* five standard deviations of the binomial */
        PEN_CHECK_NEAR(kept, expected, 5 * sqrt(expected * 0.3) + 1e-9);
        pen_free(x);
        pen_free(before);
    }
}

static void a_rate_of_one_is_refused(void)
{
    struct pen_dropout d = {0, 1.0, 0, 0, 0, NULL}, odd = {0, 0.5, 0, 0, 3, NULL};
    PEN_CHECK_STATUS(pen_exec_cpu()->kernels->dropout(pen_exec_cpu(), &d, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(pen_exec_cpu()->kernels->dropout(pen_exec_cpu(), &odd, NULL), PEN_ERR_SHAPE);
}

PEN_SUITE(dropout, PEN_CASE(the_mask_follows_the_contract), PEN_CASE(a_rate_of_one_is_refused));
