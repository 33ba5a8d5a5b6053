/* Matrix product against the plain triple loop in float64. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

PEN_OP_CASE(gemm, matrix_gemm);

static void one_shape(int64_t m, int64_t n, int64_t k, bool ta, bool tb, float alpha, float beta)
{
    struct pen_error err = PEN_ERROR_INIT;
    int64_t lda = (ta ? m : k) + 1, ldb = (tb ? k : n) + 2, ldc = n + 3;
    float *a = pen_test_floats((ta ? k : m) * lda, 1, -1, 1);
    float *b = pen_test_floats((tb ? n : k) * ldb, 2, -1, 1);
    float *c = pen_test_floats(m * ldc, 3, -1, 1);
    float *before = pen_test_floats(m * ldc, 3, -1, 1);
    struct pen_gemm g = {m, n, k, ta, tb, alpha, beta, a, lda, b, ldb, c, ldc};
    struct pen_mirror mirror = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&mirror, g.a, (ta ? k : m) * lda);
    PEN_MIRROR_IN(&mirror, g.b, (tb ? n : k) * ldb);
    PEN_MIRROR_INOUT(&mirror, g.c, m * ldc);
    PEN_CHECK_OK(mirror.exec->kernels->gemm(mirror.exec, &g, &err), &err);
    pen_mirror_end(&mirror);
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < ldc; j++) {
            double old = (double)before[i * ldc + j];
            if (j >= n) {
                PEN_CHECK_EQ_F64(c[i * ldc + j], old);
                continue;
            }
            double sum = 0, size = 0;
            for (int64_t l = 0; l < k; l++) {
                double x = (double)(ta ? a[l * lda + i] : a[i * lda + l]);
                double y = (double)(tb ? b[j * ldb + l] : b[l * ldb + j]);
                sum += x * y;
                size += fabs(x * y);
            }
            double expected = (double)alpha * sum + (double)beta * old;
            double bound = (double)(k + 2) * PEN_TEST_EPS * (fabs((double)alpha) * size + fabs((double)beta * old)) +
                           pen_test_product_change() * fabs((double)alpha) * size;
            PEN_CHECK_NEAR(c[i * ldc + j], expected, bound);
        }
    }
    pen_free(a);
    pen_free(b);
    pen_free(c);
    pen_free(before);
}

static void shapes_and_transposes_match_the_triple_loop(void)
{
    static const int64_t sizes[][3] = {{0, 3, 2},   {2, 0, 3},    {3, 2, 0},  {1, 1, 1},
                                       {31, 33, 7}, {64, 1, 257}, {5, 64, 33}};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (int t = 0; t < 4; t++) {
            one_shape(sizes[s][0], sizes[s][1], sizes[s][2], (t & 1) != 0, (t & 2) != 0, 1, 0);
            one_shape(sizes[s][0], sizes[s][1], sizes[s][2], (t & 1) != 0, (t & 2) != 0, 0.5f, -2);
        }
    }
}

/* The coarsest first: what was chosen for it must not serve the finer ones. */
static void factors_are_rounded_no_further_than_asked(void)
{
    struct pen_exec *exec = pen_test_exec();
    for (int p = PEN_PRECISION_COUNT - 1; p >= 0; p--) {
        enum pen_precision asked = (enum pen_precision)p;
        PEN_CHECK_EQ_I64(pen_exec_allow(exec, asked), exec->rounds ? asked : PEN_PRECISION_EXACT);
        one_shape(33, 20, 130, false, true, 1, 0);
        one_shape(8, 16, 64, true, false, 1, 0);
    }
}

/* More than a device keeps in mind. */
static void a_shape_that_comes_back_gives_the_same(void)
{
    for (int64_t i = 0; i <= 300; i++) {
        one_shape(1 + i % 300 % 20, 1 + i % 300 / 20, 2, false, false, 1, 0);
    }
}

static void a_negative_size_is_refused(void)
{
    struct pen_gemm g = {.m = -1, .n = 1, .k = 1};
    PEN_CHECK_STATUS(pen_test_exec()->kernels->gemm(pen_test_exec(), &g, NULL), PEN_ERR_SHAPE);
}

PEN_SUITE(matrix_gemm, PEN_CASE(shapes_and_transposes_match_the_triple_loop),
          PEN_CASE(factors_are_rounded_no_further_than_asked), PEN_CASE(a_shape_that_comes_back_gives_the_same),
          PEN_CASE(a_negative_size_is_refused));
