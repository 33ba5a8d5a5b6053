/* Column arithmetic against plain long double formulas. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
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

/* shift: where the arrays begin, so that they are not aligned to more than a value. In place: y is a. */
static pen_status run_map(struct pen_columns_map *job, int64_t shift, bool in_place, struct pen_error *err)
{
    struct pen_mirror m = PEN_MIRROR_INIT;
    if (!in_place) {
        PEN_MIRROR_IN(&m, job->a, job->n + shift);
    }
    PEN_MIRROR_IN(&m, job->b, job->n + shift);
    PEN_MIRROR_INOUT(&m, job->y, job->n + shift);
    job->a = in_place ? job->y : job->a;
    struct pen_columns_map shifted = *job;
    shifted.a += shift;
    shifted.b += shift;
    shifted.y += shift;
    pen_status status = m.exec->kernels->columns_map(m.exec, &shifted, err);
    pen_mirror_end(&m);
    return status;
}

static void one_map(enum pen_map map, int64_t n, int64_t shift)
{
    struct pen_error err = PEN_ERROR_INIT;
    int64_t n_all = n + shift;
    double *a = values(n_all, 1, -3, 3), *b = values(n_all, 2, -2, 2), *y = pen_calloc(n_all + 1, sizeof *y);
    const double s = -0.75, t = 1.25;
    if (map == PEN_MAP_MOD) {
        for (int64_t i = 0; i < n_all; i++) { /* infinities have no remainder to compare, huge ones no exact formula */
            a[i] = fabs(a[i]) > 4 ? 1.5 : a[i];
            b[i] = fabs(b[i]) > 4 || fabs(b[i]) < 0.01 ? 0 : b[i];
        }
    }
    struct pen_columns_map job = {.map = map, .n = n, .a = a, .b = b, .s = s, .t = t, .y = y};
    PEN_CHECK_OK(run_map(&job, shift, false, &err), &err);
    for (int64_t i = shift; i < n_all; i++) {
        double expected = (double)reference(map, (long double)a[i], (long double)b[i], (long double)s, (long double)t);
        double size = map == PEN_MAP_MOD      ? 8
                      : map == PEN_MAP_LOG1P  ? fabs(expected) + 1
                      : map == PEN_MAP_AFFINE ? fabs(expected) + fabs(a[i]) + 1
                                              : fabs(expected);
        double bound = isfinite(expected) ? 4 * DBL_EPSILON * size + DBL_MIN : 0;
        bool same = isnan(expected) ? isnan(y[i]) : y[i] == expected || fabs(y[i] - expected) <= bound;
        PEN_CHECK_MSG(same, "map %d of %g, %g: expected %.17g, found %.17g", (int)map, a[i], b[i], expected, y[i]);
    }
    struct pen_columns_map in_place = {.map = map, .n = n, .b = b, .s = s, .t = t, .y = a};
    PEN_CHECK_OK(run_map(&in_place, shift, true, &err), &err);
    PEN_CHECK(n == 0 || memcmp(a + shift, y + shift, (size_t)n * sizeof *a) == 0);
    pen_free(a);
    pen_free(b);
    pen_free(y);
}

static void maps_follow_their_formulas(void)
{
    for (int map = 0; map < PEN_MAP_COUNT; map++) {
        for (int k = 0; k < N_SIZES; k++) {
            one_map((enum pen_map)map, sizes[k], 0);
            one_map((enum pen_map)map, sizes[k], 1);
        }
    }
}

static void mod_has_the_sign_of_the_divisor(void)
{
    const double a[] = {7, -7, 7, -7, 6, -6}, b[] = {3, 3, -3, -3, 3, 3}, expected[] = {1, 2, -2, -1, 0, 0};
    double y[6];
    struct pen_columns_map job = {.map = PEN_MAP_MOD, .n = 6, .a = a, .b = b, .y = y};
    PEN_CHECK_STATUS(run_map(&job, 0, false, NULL), PEN_OK);
    for (int i = 0; i < 6; i++) {
        PEN_CHECK_EQ_F64(y[i], expected[i]);
    }
}

static pen_status run_moments(struct pen_columns_moments *job, struct pen_error *err)
{
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job->x, job->n);
    PEN_MIRROR_INOUT(&m, job->out, 1);
    pen_status status = m.exec->kernels->columns_moments(m.exec, job, err);
    pen_mirror_end(&m);
    return status;
}

static void check_moments(const double *x, int64_t n)
{
    struct pen_column_moments m, cpu;
    struct pen_columns_moments job = {.n = n, .x = x, .out = &m}, same = {.n = n, .x = x, .out = &cpu};
    int64_t count = 0;
    long double sum = 0, squares = 0;
    double low = (double)INFINITY, high = -(double)INFINITY;
    memset(&m, -1, sizeof m);
    PEN_CHECK_STATUS(run_moments(&job, NULL), PEN_OK);
    for (int64_t i = 0; i < n; i++) {
        sum += isfinite(x[i]) ? (long double)x[i] : 0;
        count += isfinite(x[i]) != 0;
        low = isfinite(x[i]) && x[i] < low ? x[i] : low;
        high = isfinite(x[i]) && x[i] > high ? x[i] : high;
    }
    long double mean = count == 0 ? 0 : sum / (long double)count;
    for (int64_t i = 0; i < n; i++) {
        squares += isfinite(x[i]) ? ((long double)x[i] - mean) * ((long double)x[i] - mean) : 0;
    }
    PEN_CHECK_EQ_I64(m.n, count);
    PEN_CHECK_EQ_I64(m.n_other, n - count);
    PEN_CHECK_NEAR(m.mean, (double)mean, (double)(n + 2) * DBL_EPSILON * 101);
    PEN_CHECK_NEAR(m.m2, (double)squares, 1e-12 * (double)squares + 1e-9);
    PEN_CHECK_EQ_F64(m.min, low);
    PEN_CHECK_EQ_F64(m.max, high);
    PEN_CHECK_STATUS(pen_exec_cpu()->kernels->columns_moments(pen_exec_cpu(), &same, NULL), PEN_OK);
    PEN_CHECK_MSG(memcmp(&m, &cpu, sizeof m) == 0, "n %lld: expected the CPU's bits", (long long)n);
}

static double *finite_values(int64_t n)
{
    double *x = values(n, 5, 99, 101);
    for (int64_t i = 0; i < n; i++) {
        x[i] = fabs(x[i]) > 1e200 && isfinite(x[i]) ? 100 : x[i];
    }
    return x;
}

static void moments_are_those_of_the_finite_values(void)
{
    for (int k = 0; k < N_SIZES; k++) {
        double *x = finite_values(sizes[k]);
        check_moments(x, sizes[k]);
        pen_free(x);
    }
}

/* More blocks than one round of a merge takes, the first and one in the middle without a finite value. */
static void moments_of_many_blocks(void)
{
    enum { BLOCK = 1024, N = 300 * BLOCK + 5 };
    double *x = finite_values(N);
    for (int64_t i = 0; i < BLOCK; i++) {
        x[i] = x[7 * BLOCK + i] = (double)NAN;
    }
    check_moments(x, N);
    pen_free(x);
}

/* What callers rely on who cannot hand over all rows at once. */
static void moments_of_blocks_merge_to_those_of_all(void)
{
    enum { BLOCK = 1024, N = 5 * BLOCK + 17 };
    double *x = finite_values(N);
    struct pen_column_moments all, merged = PEN_COLUMN_MOMENTS_INIT, part;
    struct pen_columns_moments job = {.n = N, .x = x, .out = &all};
    PEN_CHECK_STATUS(run_moments(&job, NULL), PEN_OK);
    for (int64_t first = 0; first < N; first += BLOCK) {
        job = (struct pen_columns_moments){.n = N - first < BLOCK ? N - first : BLOCK, .x = x + first, .out = &part};
        PEN_CHECK_STATUS(run_moments(&job, NULL), PEN_OK);
        pen_column_moments_merge(&merged, &part);
    }
    PEN_CHECK(memcmp(&all, &merged, sizeof all) == 0);
    pen_free(x);
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
    struct pen_columns_store job = {.n = 8, .x = x, .y = y + 1, .stride = 3, .n_replaced = &replaced};
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job.x, 8);
    PEN_MIRROR_INOUT(&m, job.y, 23);
    PEN_MIRROR_INOUT(&m, job.n_replaced, 1);
    PEN_CHECK_STATUS(m.exec->kernels->columns_store(m.exec, &job, NULL), PEN_OK);
    pen_mirror_end(&m);
    for (int i = 0; i < 24; i++) {
        PEN_CHECK_EQ_F64((double)y[i], (double)(i % 3 == 1 ? expected[i / 3] : -77.0F));
    }
    PEN_CHECK_EQ_I64(replaced, 8);
}

static void store_counts_over_many_rows(void)
{
    double *x = values(MOST, 6, -3, 3);
    float *y = pen_calloc(MOST, sizeof *y);
    int64_t replaced = 0, expected = 0;
    struct pen_columns_store job = {.n = MOST, .x = x, .y = y, .stride = 1, .n_replaced = &replaced};
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job.x, MOST);
    PEN_MIRROR_INOUT(&m, job.y, MOST);
    PEN_MIRROR_INOUT(&m, job.n_replaced, 1);
    PEN_CHECK_STATUS(m.exec->kernels->columns_store(m.exec, &job, NULL), PEN_OK);
    PEN_CHECK_STATUS(m.exec->kernels->columns_store(m.exec, &job, NULL), PEN_OK);
    pen_mirror_end(&m);
    for (int64_t i = 0; i < MOST; i++) {
        expected += 2 * !isfinite(x[i]);
        PEN_CHECK_EQ_F64((double)y[i], !isfinite(x[i])      ? 0
                                       : fabs(x[i]) > 1e200 ? (double)FLT_MAX
                                                            : (double)(float)x[i]);
    }
    PEN_CHECK_EQ_I64(replaced, expected);
    pen_free(x);
    pen_free(y);
}

static void check_bucketize(const double *edges, int64_t n_edges)
{
    double *x = values(MOST, 9, -3, 3);
    int32_t *ids = pen_calloc(MOST + 1, sizeof *ids);
    x[0] = edges[0];
    struct pen_columns_bucketize job = {.n = MOST, .x = x, .edges = edges, .n_edges = n_edges, .ids = ids};
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job.x, MOST);
    PEN_MIRROR_IN(&m, job.edges, n_edges);
    PEN_MIRROR_INOUT(&m, job.ids, MOST);
    PEN_CHECK_STATUS(m.exec->kernels->columns_bucketize(m.exec, &job, NULL), PEN_OK);
    pen_mirror_end(&m);
    for (int64_t i = 0; i < MOST; i++) {
        int64_t expected = isnan(x[i]) ? -1 : 0;
        for (int64_t k = 0; k < n_edges; k++) {
            expected += edges[k] <= x[i];
        }
        PEN_CHECK_EQ_I64(ids[i], expected);
    }
    pen_free(x);
    pen_free(ids);
}

static void bucketize_counts_edges_up_to_the_value(void)
{
    static const int64_t n_edges[] = {0, 1, 2, 9, 32, 33, 100, 1500, 5000};
    double edges[5000];
    for (int i = 0; i < 5000; i++) {
        edges[i] = i < 100 ? i / 25.0 - 2 : 2 + i / 5000.0;
    }
    for (int e = 0; e < 9; e++) {
        check_bucketize(edges, n_edges[e]);
    }
}

static pen_status run_lookup(struct pen_columns_lookup *job, int64_t n_table)
{
    const uint8_t *table = job->table;
    uint8_t *y = job->y;
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job->codes, job->n);
    PEN_MIRROR_IN(&m, table, n_table * (int64_t)job->item_bytes);
    PEN_MIRROR_INOUT(&m, y, job->n * (int64_t)job->item_bytes);
    job->table = table;
    job->y = y;
    pen_status status = m.exec->kernels->columns_lookup(m.exec, job, NULL);
    pen_mirror_end(&m);
    return status;
}

static void lookup_of_many(void)
{
    enum { N_TABLE = 37 };
    for (int k = 0; k < N_SIZES; k++) {
        int64_t n = sizes[k];
        int32_t *codes = pen_test_ints(n + 1, 11, -3, N_TABLE), *y32 = pen_calloc(n + 1, sizeof *y32), missing32 = -1;
        double table[N_TABLE], *y64 = pen_calloc(n + 1, sizeof *y64), missing64 = 0.5;
        int32_t squares[N_TABLE];
        int8_t digits[N_TABLE], *y8 = pen_calloc(n + 1, sizeof *y8), missing8 = 7;
        for (int i = 0; i < N_TABLE; i++) {
            table[i] = i * 0.25;
            squares[i] = i * i;
            digits[i] = (int8_t)-i;
        }
        struct pen_columns_lookup ops[] = {{n, codes, table, 8, &missing64, y64},
                                           {n, codes, squares, 4, &missing32, y32},
                                           {n, codes, digits, 1, &missing8, y8}};
        for (int i = 0; i < 3; i++) {
            PEN_CHECK_STATUS(run_lookup(&ops[i], N_TABLE), PEN_OK);
        }
        for (int64_t i = 0; i < n; i++) {
            PEN_CHECK_EQ_F64(y64[i], codes[i] < 0 ? 0.5 : codes[i] * 0.25);
            PEN_CHECK_EQ_I64(y32[i], codes[i] < 0 ? -1 : codes[i] * codes[i]);
            PEN_CHECK_EQ_I64(y8[i], codes[i] < 0 ? 7 : -codes[i]);
        }
        pen_free(codes);
        pen_free(y32);
        pen_free(y64);
        pen_free(y8);
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
    struct pen_columns_lookup ops[] = {
        {5, codes, f64, 8, &no_f64, y64}, {5, codes, i32, 4, &no_i32, y32}, {5, codes, i8, 1, &no_i8, y8}};
    for (int i = 0; i < 3; i++) {
        PEN_CHECK_STATUS(run_lookup(&ops[i], 3), PEN_OK);
    }
    for (int i = 0; i < 5; i++) {
        PEN_CHECK_EQ_F64(y64[i], codes[i] < 0 ? no_f64 : f64[codes[i]]);
        PEN_CHECK_EQ_I64(y32[i], codes[i] < 0 ? -1 : i32[codes[i]]);
        PEN_CHECK_EQ_I64(y8[i], codes[i] < 0 ? -1 : i8[codes[i]]);
    }
}

static pen_status run_onehot(struct pen_columns_onehot *job)
{
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job->ids, job->n);
    PEN_MIRROR_INOUT(&m, job->y, (job->n - 1) * job->stride + job->width);
    pen_status status = m.exec->kernels->columns_onehot(m.exec, job, NULL);
    pen_mirror_end(&m);
    return status;
}

static void onehot_of_any_width(void)
{
    enum { N = 257, STRIDE = 301 };
    static const int64_t widths[] = {0, 1, 2, 17, 32, 33, 300};
    float *y = pen_calloc((int64_t)N * STRIDE, sizeof *y);
    for (int w = 0; w < 7; w++) {
        int64_t width = widths[w];
        int32_t *ids = pen_test_ints(N, 12, -1, (int32_t)width + 2);
        for (int64_t i = 0; i < (int64_t)N * STRIDE; i++) {
            y[i] = -77;
        }
        struct pen_columns_onehot job = {.n = N, .ids = ids, .width = width, .y = y, .stride = STRIDE};
        PEN_CHECK_STATUS(run_onehot(&job), PEN_OK);
        int64_t n_wrong = 0;
        for (int64_t i = 0; i < (int64_t)N * STRIDE; i++) {
            double expected = i % STRIDE >= width ? -77 : i % STRIDE == ids[i / STRIDE];
            n_wrong += (double)y[i] != expected;
        }
        PEN_CHECK_EQ_I64(n_wrong, 0);
        pen_free(ids);
    }
    pen_free(y);
}

static void onehot_sets_one_or_none(void)
{
    const int32_t ids[] = {0, 2, -1, 3, 1};
    float y[5 * 5];
    for (int i = 0; i < 25; i++) {
        y[i] = -77;
    }
    struct pen_columns_onehot job = {.n = 5, .ids = ids, .width = 3, .y = y + 1, .stride = 5};
    PEN_CHECK_STATUS(run_onehot(&job), PEN_OK);
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 5; k++) {
            double expected = k == 0 || k == 4 ? -77 : ids[i] == k - 1;
            PEN_CHECK_EQ_F64((double)y[5 * i + k], expected);
        }
    }
}

static void wrong_sizes_are_refused(void)
{
    struct pen_exec *exec = pen_test_exec();
    const struct pen_columns_map map = {.n = -1};
    const struct pen_columns_moments moments = {.n = -1};
    const struct pen_columns_store store = {.n = -1};
    const struct pen_columns_bucketize bucketize = {.n = -1};
    const struct pen_columns_lookup lookup = {.n = 1, .item_bytes = 2};
    const struct pen_columns_onehot onehot = {.n = 1, .width = 4, .stride = 3};
    PEN_CHECK_STATUS(exec->kernels->columns_map(exec, &map, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(exec->kernels->columns_moments(exec, &moments, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(exec->kernels->columns_store(exec, &store, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(exec->kernels->columns_bucketize(exec, &bucketize, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(exec->kernels->columns_lookup(exec, &lookup, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(exec->kernels->columns_onehot(exec, &onehot, NULL), PEN_ERR_SHAPE);
}

PEN_SUITE(columns, PEN_CASE(maps_follow_their_formulas), PEN_CASE(mod_has_the_sign_of_the_divisor),
          PEN_CASE(moments_are_those_of_the_finite_values), PEN_CASE(moments_of_many_blocks),
          PEN_CASE(moments_of_blocks_merge_to_those_of_all), PEN_CASE(store_counts_over_many_rows),
          PEN_CASE(lookup_of_many), PEN_CASE(onehot_of_any_width), PEN_CASE(store_writes_finite_floats_at_a_stride),
          PEN_CASE(bucketize_counts_edges_up_to_the_value), PEN_CASE(lookup_gives_the_item_or_the_missing_one),
          PEN_CASE(onehot_sets_one_or_none), PEN_CASE(wrong_sizes_are_refused));
