/* Column arithmetic against plain long double formulas. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

#include <float.h>

PEN_OP_CASE(columns_map, columns);
PEN_OP_CASE(columns_moments, columns);
PEN_OP_CASE(columns_store, columns);
PEN_OP_CASE(columns_bucketize, columns);
PEN_OP_CASE(columns_lookup, columns);
PEN_OP_CASE(columns_onehot, columns);

enum { MOST = 2051 };
static const int64_t sizes[] = {0, 1, 2, 31, 32, 33, 255, 256, 257, 1024, 1025, MOST};
enum { N_SIZES = sizeof sizes / sizeof sizes[0] };

/* Random values with the special ones among them. */
static double *values(int64_t n, uint64_t seed, double low, double high)
{
    static const double special[] = {0,           -0.0,  1,      -1, (double)INFINITY, -(double)INFINITY,
                                     (double)NAN, 1e300, 1e-300, 0.5};
    float *floats = pen_test_floats(n + 1, seed, low, high);
    double *out = pen_calloc(n + 1, sizeof *out);
    for (int64_t i = 0; i < n; i++) {
        out[i] = i % 7 == 3 ? special[(i / 7) % 10] : (double)floats[i];
    }
    pen_free(floats);
    return out;
}

static long double reference(enum pen_map map, long double a, long double b, long double s, long double t)
{
    switch (map) {
    case PEN_MAP_ADD:
        return a + b;
    case PEN_MAP_SUB:
        return a - b;
    case PEN_MAP_MUL:
        return a * b;
    case PEN_MAP_DIV:
        return b == 0 ? (long double)NAN : a / b;
    case PEN_MAP_MOD:
        return b == 0 ? (long double)NAN : a - b * floorl(a / b);
    case PEN_MAP_MIN:
        return isnan(a) || isnan(b) ? (long double)NAN : fminl(a, b);
    case PEN_MAP_MAX:
        return isnan(a) || isnan(b) ? (long double)NAN : fmaxl(a, b);
    case PEN_MAP_NEG:
        return -a;
    case PEN_MAP_ABS:
        return fabsl(a);
    case PEN_MAP_LOG:
        return logl(a);
    case PEN_MAP_LOG1P:
        return logl(1 + a);
    case PEN_MAP_EXP:
        return expl(a);
    case PEN_MAP_SQRT:
        return sqrtl(a);
    case PEN_MAP_ROUND:
        return rintl(a);
    case PEN_MAP_FLOOR:
        return floorl(a);
    case PEN_MAP_CEIL:
        return ceill(a);
    case PEN_MAP_CLIP:
        return isnan(a) ? a : fminl(fmaxl(a, s), t);
    case PEN_MAP_AFFINE:
        return (a - s) * t;
    case PEN_MAP_SIGMOID:
        return 1 / (1 + expl(-a));
    case PEN_MAP_COUNT:
        break;
    }
    return (long double)NAN;
}

static void one_map(enum pen_map map, int64_t n)
{
    struct pen_error err = PEN_ERROR_INIT;
    double *a = values(n, 1, -3, 3), *b = values(n, 2, -2, 2), *y = pen_calloc(n + 1, sizeof *y);
    const double s = -0.75, t = 1.25;
    if (map == PEN_MAP_MOD) {
        for (int64_t i = 0; i < n; i++) { /* infinities have no remainder worth comparing, huge ones no exact formula */
            a[i] = fabs(a[i]) > 4 ? 1.5 : a[i];
            b[i] = fabs(b[i]) > 4 || fabs(b[i]) < 0.01 ? 0 : b[i];
        }
    }
    y[n] = -77;
    const struct pen_columns_map op = {.map = map, .n = n, .a = a, .b = b, .s = s, .t = t, .y = y};
    PEN_CHECK_OK(pen_exec_cpu()->kernels->columns_map(pen_exec_cpu(), &op, &err), &err);
    for (int64_t i = 0; i < n; i++) {
        double expected = (double)reference(map, (long double)a[i], (long double)b[i], (long double)s, (long double)t);
        double size = map == PEN_MAP_MOD      ? 8
                      : map == PEN_MAP_LOG1P  ? fabs(expected) + 1
                      : map == PEN_MAP_AFFINE ? fabs(expected) + fabs(a[i]) + 1
                                              : fabs(expected);
        double bound = isfinite(expected) ? 4 * DBL_EPSILON * size + DBL_MIN : 0;
        bool same = isnan(expected) ? isnan(y[i]) : y[i] == expected || fabs(y[i] - expected) <= bound;
        PEN_CHECK_MSG(same, "map %d of %g, %g: expected %.17g, found %.17g", (int)map, a[i], b[i], expected, y[i]);
    }
    PEN_CHECK_EQ_F64(y[n], -77);
    const struct pen_columns_map in_place = {.map = map, .n = n, .a = a, .b = b, .s = s, .t = t, .y = a};
    PEN_CHECK_OK(pen_exec_cpu()->kernels->columns_map(pen_exec_cpu(), &in_place, &err), &err);
    PEN_CHECK(n == 0 || memcmp(a, y, (size_t)n * sizeof *a) == 0);
    pen_free(a);
    pen_free(b);
    pen_free(y);
}

static void maps_follow_their_formulas(void)
{
    for (int map = 0; map < PEN_MAP_COUNT; map++) {
        for (int k = 0; k < N_SIZES; k++) {
            one_map((enum pen_map)map, sizes[k]);
        }
    }
}

static void mod_has_the_sign_of_the_divisor(void)
{
    const double a[] = {7, -7, 7, -7, 6, -6}, b[] = {3, 3, -3, -3, 3, 3}, expected[] = {1, 2, -2, -1, 0, 0};
    double y[6];
    const struct pen_columns_map op = {.map = PEN_MAP_MOD, .n = 6, .a = a, .b = b, .y = y};
    PEN_CHECK_STATUS(pen_exec_cpu()->kernels->columns_map(pen_exec_cpu(), &op, NULL), PEN_OK);
    for (int i = 0; i < 6; i++) {
        PEN_CHECK_EQ_F64(y[i], expected[i]);
    }
}

static void moments_are_those_of_the_finite_values(void)
{
    for (int k = 0; k < N_SIZES; k++) {
        int64_t n = sizes[k], count = 0;
        double *x = values(n, 5, 99, 101);
        for (int64_t i = 0; i < n; i++) {
            x[i] = fabs(x[i]) > 1e200 && isfinite(x[i]) ? 100 : x[i];
        }
        struct pen_column_moments m;
        const struct pen_columns_moments op = {.n = n, .x = x, .out = &m};
        PEN_CHECK_STATUS(pen_exec_cpu()->kernels->columns_moments(pen_exec_cpu(), &op, NULL), PEN_OK);
        long double sum = 0, squares = 0;
        for (int64_t i = 0; i < n; i++) {
            sum += isfinite(x[i]) ? (long double)x[i] : 0;
            count += isfinite(x[i]) != 0;
        }
        long double mean = count == 0 ? 0 : sum / (long double)count;
        for (int64_t i = 0; i < n; i++) {
            squares += isfinite(x[i]) ? ((long double)x[i] - mean) * ((long double)x[i] - mean) : 0;
        }
        PEN_CHECK_EQ_I64(m.n, count);
        PEN_CHECK_EQ_I64(m.n_other, n - count);
        PEN_CHECK_NEAR(m.mean, (double)mean, (double)(n + 2) * DBL_EPSILON * 101);
        PEN_CHECK_NEAR(m.m2, (double)squares, 1e-12 * (double)squares + 1e-9);
        pen_free(x);
    }
}

static void store_writes_finite_floats_at_a_stride(void)
{
    const double x[] = {1.5, (double)NAN, (double)INFINITY, -(double)INFINITY, 1e300, -1e300, 0.1, -0.0};
    const float expected[] = {1.5F, 0, 0, 0, FLT_MAX, -FLT_MAX, 0.1F, 0};
    float y[24];
    int64_t replaced = 5;
    for (int i = 0; i < 24; i++) {
        y[i] = -77;
    }
    const struct pen_columns_store op = {.n = 8, .x = x, .y = y + 1, .stride = 3, .n_replaced = &replaced};
    PEN_CHECK_STATUS(pen_exec_cpu()->kernels->columns_store(pen_exec_cpu(), &op, NULL), PEN_OK);
    for (int i = 0; i < 24; i++) {
        PEN_CHECK_EQ_F64((double)y[i], (double)(i % 3 == 1 ? expected[i / 3] : -77.0F));
    }
    PEN_CHECK_EQ_I64(replaced, 8);
}

static void bucketize_counts_edges_up_to_the_value(void)
{
    static const int64_t n_edges[] = {0, 1, 2, 9, 32, 33, 100};
    double edges[100];
    for (int i = 0; i < 100; i++) {
        edges[i] = i / 25.0 - 2;
    }
    for (int e = 0; e < 7; e++) {
        double *x = values(MOST, 9, -3, 3);
        int32_t *ids = pen_calloc(MOST + 1, sizeof *ids);
        x[0] = edges[0];
        const struct pen_columns_bucketize op = {.n = MOST, .x = x, .edges = edges, .n_edges = n_edges[e], .ids = ids};
        PEN_CHECK_STATUS(pen_exec_cpu()->kernels->columns_bucketize(pen_exec_cpu(), &op, NULL), PEN_OK);
        for (int64_t i = 0; i < MOST; i++) {
            int64_t expected = isnan(x[i]) ? -1 : 0;
            for (int64_t k = 0; k < n_edges[e]; k++) {
                expected += edges[k] <= x[i];
            }
            PEN_CHECK_EQ_I64(ids[i], expected);
        }
        pen_free(x);
        pen_free(ids);
    }
}

static void lookup_gives_the_item_or_the_missing_one(void)
{
    const int32_t codes[] = {2, -1, 0, 1, -1};
    const double f64[] = {0.5, 1.5, 2.5}, no_f64 = (double)NAN;
    const int32_t i32[] = {10, 11, 12}, no_i32 = -1;
    const int8_t i8[] = {0, 1, 1}, no_i8 = -1;
    double y64[5];
    int32_t y32[5];
    int8_t y8[5];
    const struct pen_columns_lookup ops[] = {{5, codes, f64, 8, &no_f64, y64},
                                             {5, codes, i32, 4, &no_i32, y32},
                                             {5, codes, i8, 1, &no_i8, y8},
                                             {5, codes, i8, 2, &no_i8, y8}};
    for (int i = 0; i < 4; i++) {
        PEN_CHECK_STATUS(pen_exec_cpu()->kernels->columns_lookup(pen_exec_cpu(), &ops[i], NULL),
                         i < 3 ? PEN_OK : PEN_ERR_SHAPE);
    }
    for (int i = 0; i < 5; i++) {
        PEN_CHECK_EQ_F64(y64[i], codes[i] < 0 ? no_f64 : f64[codes[i]]);
        PEN_CHECK_EQ_I64(y32[i], codes[i] < 0 ? -1 : i32[codes[i]]);
        PEN_CHECK_EQ_I64(y8[i], codes[i] < 0 ? -1 : i8[codes[i]]);
    }
}

static void onehot_sets_one_or_none(void)
{
    const int32_t ids[] = {0, 2, -1, 3, 1};
    float y[5 * 5];
    for (int i = 0; i < 25; i++) {
        y[i] = -77;
    }
    const struct pen_columns_onehot op = {.n = 5, .ids = ids, .width = 3, .y = y + 1, .stride = 5};
    PEN_CHECK_STATUS(pen_exec_cpu()->kernels->columns_onehot(pen_exec_cpu(), &op, NULL), PEN_OK);
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 5; k++) {
            double expected = k == 0 || k == 4 ? -77 : ids[i] == k - 1;
            PEN_CHECK_EQ_F64((double)y[5 * i + k], expected);
        }
    }
}

static void negative_sizes_are_refused(void)
{
    const struct pen_columns_map map = {.n = -1};
    const struct pen_columns_moments moments = {.n = -1};
    const struct pen_columns_store store = {.n = -1};
    const struct pen_columns_bucketize bucketize = {.n = -1};
    const struct pen_columns_onehot onehot = {.n = 1, .width = 4, .stride = 3};
    PEN_CHECK_STATUS(pen_exec_cpu()->kernels->columns_map(pen_exec_cpu(), &map, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(pen_exec_cpu()->kernels->columns_moments(pen_exec_cpu(), &moments, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(pen_exec_cpu()->kernels->columns_store(pen_exec_cpu(), &store, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(pen_exec_cpu()->kernels->columns_bucketize(pen_exec_cpu(), &bucketize, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(pen_exec_cpu()->kernels->columns_onehot(pen_exec_cpu(), &onehot, NULL), PEN_ERR_SHAPE);
}

PEN_SUITE(columns, PEN_CASE(maps_follow_their_formulas), PEN_CASE(mod_has_the_sign_of_the_divisor),
          PEN_CASE(moments_are_those_of_the_finite_values), PEN_CASE(store_writes_finite_floats_at_a_stride),
          PEN_CASE(bucketize_counts_edges_up_to_the_value), PEN_CASE(lookup_gives_the_item_or_the_missing_one),
          PEN_CASE(onehot_sets_one_or_none), PEN_CASE(negative_sizes_are_refused));
