/* What analyzers learn of many rows: against plain float64 loops over all of them, for every number of threads; the
 * bound of the quantile sketch on orders that are hard for it; counts that do not fit and are cut. */
#include "components/transform/counts.h"
#include "components/transform/sketch.h"
#include "components/transform/sort.h"
#include "core/memory.h"
#include "core/rng.h"
#include "tests/components/transform/rows.h"
#include "tests/kernels/mirror.h"

#include <omp.h>
#include <stdlib.h>

enum { N_ROWS = 100000, N_GROUPS = 37, CHUNK = 40000 };

struct grouped_rows {
    double x[N_ROWS];
    int64_t g[N_ROWS];
    struct pen_column columns[3][2];
    struct pen_batch batches[3];
};

/* Groups of very different sizes and places; every eleventh x missing; group 36 has none. */
static struct grouped_rows *make_rows(void)
{
    static const char *const names[] = {"x", "g"};
    struct grouped_rows *r = pen_calloc(1, sizeof *r);
    for (int64_t i = 0; r != NULL && i < N_ROWS; i++) {
        struct pen_rng_block draw = pen_rng_at(5, 0, (uint64_t)i);
        double u = draw.word[0] * 0x1p-32, v = draw.word[1] * 0x1p-32;
        r->g[i] = (int64_t)(u * u * N_GROUPS);
        r->x[i] = i % 11 == 0 || r->g[i] == N_GROUPS - 1 ? (double)NAN : 1000 * (double)r->g[i] + exp(5 * v);
    }
    for (int64_t b = 0; r != NULL && b < 3; b++) {
        int64_t first = b * CHUNK, n = N_ROWS - first < CHUNK ? N_ROWS - first : CHUNK;
        r->columns[b][0] = (struct pen_column){.type = PEN_TYPE_FLOAT64, .n_rows = n, .values = r->x + first};
        r->columns[b][1] = (struct pen_column){.type = PEN_TYPE_INT64, .n_rows = n, .values = r->g + first};
        r->batches[b] = (struct pen_batch){
            .n_rows = n, .first_row = first, .n_columns = 2, .names = names, .columns = r->columns[b]};
    }
    return r;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct expected {
    double n, sum, mean, var, low, high, median, third;
};

static struct expected of_group(const struct grouped_rows *r, int64_t group, double *sorted)
{
    struct expected e = {0};
    int64_t n = 0;
    for (int64_t i = 0; i < N_ROWS; i++) {
        if (r->g[i] == group && r->x[i] == r->x[i]) {
            sorted[n++] = r->x[i];
            e.sum += r->x[i];
        }
    }
    qsort(sorted, (size_t)n, sizeof *sorted, ascending);
    e.n = (double)n;
    e.mean = e.sum / e.n;
    for (int64_t i = 0; i < n; i++) {
        e.var += (sorted[i] - e.mean) * (sorted[i] - e.mean) / e.n;
    }
    if (n > 0) {
        e.low = sorted[0];
        e.high = sorted[n - 1];
        e.median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
        e.third = sorted[n / 3];
    }
    return e;
}

static const char *const by_group[] = {"sum(x, by: g)",    "mean(x, by: g)",   "var(x, by: g)",
                                       "min(x, by: g)",    "max(x, by: g)",    "count(x, by: g)",
                                       "median(x, by: g)", "zscore(x, by: g)", "bucketize(x, 3, by: g)"};
enum { N_FEATURES = sizeof by_group / sizeof by_group[0] };

static float *features_with(const struct grouped_rows *r, int n_threads, int32_t *ids)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_transform_graph *graph = NULL;
    struct pen_transform_scratch *scratch = NULL;
    struct pen_tensor_batch out;
    float *dense = pen_calloc(N_ROWS * 8, sizeof *dense);
    int before = omp_get_max_threads();
    omp_set_num_threads(n_threads);
    PEN_CHECK_OK(pen_test_compile_rows(&graph, by_group, N_FEATURES, r->batches, 3, &err), &err);
    omp_set_num_threads(before);
    PEN_CHECK_OK(pen_transform_scratch_create(&scratch, graph, &err), &err);
    for (int64_t b = 0; b < 3; b++) {
        PEN_CHECK_OK(pen_transform_apply(graph, pen_test_exec(), &r->batches[b], false, scratch, &out, &err), &err);
        memcpy(dense + b * CHUNK * 8, out.dense, (size_t)out.n_rows * 8 * sizeof *dense);
        memcpy(ids + b * CHUNK, out.ids[0].values, (size_t)out.n_rows * sizeof *ids);
    }
    pen_transform_scratch_destroy(scratch);
    pen_transform_destroy(graph);
    return dense;
}

static void groups_meet_plain_loops(void)
{
    struct grouped_rows *r = make_rows();
    double *sorted = pen_calloc(N_ROWS, sizeof *sorted);
    int32_t *ids = pen_calloc(N_ROWS, sizeof *ids), *other_ids = pen_calloc(N_ROWS, sizeof *ids);
    struct expected all[N_GROUPS];
    for (int g = 0; g < N_GROUPS; g++) {
        all[g] = of_group(r, g, sorted);
    }
    float *dense = features_with(r, 1, ids);
    int64_t n_wrong = 0;
    for (int64_t i = 0; i < N_ROWS; i++) {
        const struct expected *e = &all[r->g[i]];
        const float *row = dense + 8 * i;
        bool none = e->n == 0, missing = r->x[i] != r->x[i];
        double z = missing ? 0 : (r->x[i] - e->mean) / sqrt(e->var);
        double wanted[] = {e->sum, e->mean, e->var, e->low, e->high, e->n, e->median, z};
        for (int k = 0; k < 8; k++) {
            double want = none ? 0 : wanted[k];
            /* Beyond 2048 values a rank is off by at most levels / 2048 of all, at a slope of d exp(5 v) / dv. */
            bool sketched = k == 6 && e->n > PEN_SKETCH_SMALL_LEVEL_VALUES;
            double slack = sketched ? 5 * exp(2.6) * 4 / PEN_SKETCH_SMALL_LEVEL_VALUES : 1e-6 * (fabs(want) + 1);
            n_wrong += fabs((double)row[k] - want) > slack;
        }
        n_wrong += missing ? ids[i] != -1 : ids[i] < 0 || ids[i] > 2;
        n_wrong += !missing && e->n <= PEN_SKETCH_SMALL_LEVEL_VALUES && (ids[i] > 0) != (r->x[i] >= e->third);
    }
    PEN_CHECK_EQ_I64(n_wrong, 0);
    for (int t = 2; t <= 5; t += 3) {
        float *other = features_with(r, t, other_ids);
        PEN_CHECK(memcmp(other, dense, (size_t)N_ROWS * 8 * sizeof *dense) == 0);
        PEN_CHECK(memcmp(other_ids, ids, (size_t)N_ROWS * sizeof *ids) == 0);
        pen_free(other);
    }
    pen_free(dense);
    pen_free(sorted);
    pen_free(ids);
    pen_free(other_ids);
    pen_free(r);
}

static void sorting_is_qsort(void)
{
    static const int64_t sizes[] = {0, 1, 2, 255, 256, 257, 5000};
    double values[5000], wanted[5000], scratch[5000];
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (int kind = 0; kind < 4; kind++) {
            for (int64_t i = 0; i < sizes[s]; i++) {
                double u = pen_rng_at(3, (uint64_t)kind, (uint64_t)i).word[0] * 0x1p-32 - 0.5;
                values[i] = kind == 0 ? u : kind == 1 ? floor(u * 10) : kind == 2 ? (u < 0 ? -1e300 : 1e-300) * u : 42;
                wanted[i] = values[i];
            }
            qsort(wanted, (size_t)sizes[s], sizeof *wanted, ascending);
            pen_sort_doubles(values, sizes[s], scratch);
            for (int64_t i = 0; i < sizes[s]; i++) {
                PEN_CHECK_EQ_F64(values[i], wanted[i]);
            }
        }
    }
}

/* Value i of n: its rank is known without sorting. */
static double hard_value(int order, int64_t i, int64_t n)
{
    return (double)(order == 0   ? i
                    : order == 1 ? n - 1 - i
                    : order == 2 ? (i % 2 == 0 ? i / 2 : n - 1 - i / 2)
                                 : i * 7919 % n);
}

static void sketch_keeps_its_bound(void)
{
    enum { N = 1000003, LEVELS = 11 }; /* a prime, so that order 3 is a permutation; 2048 * 2^10 > N */
    for (int order = 0; order < 4; order++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_sketch sketch = {.level_values = PEN_SKETCH_SMALL_LEVEL_VALUES};
        for (int64_t i = 0; i < N; i++) {
            double value = hard_value(order, i, N);
            PEN_REQUIRE_OK(pen_sketch_add(&sketch, &value, 1, &err), &err);
        }
        PEN_REQUIRE_OK(pen_sketch_sort(&sketch, &err), &err);
        PEN_CHECK_EQ_I64(sketch.n, N);
        PEN_CHECK_EQ_F64(pen_sketch_at(&sketch, 0), 0);
        PEN_CHECK_EQ_F64(pen_sketch_at(&sketch, N - 1), N - 1);
        double bound = (double)N * LEVELS / PEN_SKETCH_SMALL_LEVEL_VALUES;
        for (int64_t k = 1; k < 100; k++) {
            int64_t rank = k * (N / 100);
            PEN_CHECK_MSG(fabs(pen_sketch_at(&sketch, rank) - (double)rank) <= bound, "order %d, rank %lld: found %g",
                          order, (long long)rank, pen_sketch_at(&sketch, rank));
        }
        pen_sketch_deinit(&sketch);
    }
}

/* Most frequent first, of equals the smaller number. */
static int by_count(const void *a, const void *b)
{
    const struct pen_counted *x = a, *y = b;
    uint32_t p = 0, q = 0;
    memcpy(&p, x->text, sizeof p);
    memcpy(&q, y->text, sizeof q);
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : (p > q) - (p < q);
}

/* 2,500,000 distinct values, more than are held at a time. Value v occurs once, and once more for each power of ten
 * that divides it: the answer is known, and nearly all values tie. */
static void counts_that_are_cut_stay_exact(void)
{
    enum { N = 2500000, TOP = 27 };
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_counts counts;
    bool done = false;
    int n_sweeps = 0;
    pen_counts_init(&counts, TOP, 1, by_count);
    for (; !done && n_sweeps < 50; n_sweeps++) {
        struct pen_string_table *table = NULL;
        PEN_REQUIRE_OK(pen_string_table_create(&table, &err), &err);
        for (uint32_t v = 0; v < N; v++) {
            int64_t count = 1;
            for (uint32_t power = 10; v % power == 0 && power <= 1000000; power *= 10) {
                count++;
            }
            PEN_REQUIRE_OK(pen_counts_add(&counts, table, (const char *)&v, sizeof v, count, &err), &err);
            if (v % 100000 == 0 && pen_counts_too_many(&counts, table)) {
                PEN_REQUIRE_OK(pen_counts_cut(&counts, &table, &err), &err);
                PEN_CHECK(pen_string_table_size(table) <= PEN_COUNTS_MOST / 2);
            }
            PEN_CHECK(v % 100000 != 0 || pen_string_table_size(table) <= PEN_COUNTS_MOST + 100000);
        }
        PEN_REQUIRE_OK(pen_counts_end_sweep(&counts, table, &done, &err), &err);
        pen_string_table_destroy(table);
    }
    PEN_CHECK(done && n_sweeps > 1);
    PEN_REQUIRE(pen_string_table_size(counts.kept) == TOP);
    uint32_t wanted[TOP] = {0, 1000000, 2000000};
    for (uint32_t m = 1, n = 3; m < 25; m++) {
        wanted[n] = m * 100000;
        n += m % 10 != 0;
    }
    wanted[25] = 10000; /* the first of the next hundreds that tie */
    wanted[26] = 20000;
    for (int64_t i = 0; i < TOP; i++) {
        size_t size = 0;
        uint32_t v = 0;
        memcpy(&v, pen_string_table_text(counts.kept, i, &size), sizeof v);
        PEN_CHECK_EQ_I64(v, wanted[i]);
    }
    pen_counts_deinit(&counts);
}

/* A vocabulary and a mode over a column of more distinct numbers than are held: as few sweeps as it takes, and the
 * same as without a bound. */
static void vocabularies_that_are_cut_stay_exact(void)
{
    enum { N = 1100000, FREQUENT = 50 };
    static const char *const names[] = {"n"}, *const features[] = {"vocab(n, top_k: 50)", "vocab(n, min_count: 2)",
                                                                   "fill(n, 'mode')"};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_transform_graph *graph = NULL;
    struct pen_transform_scratch *scratch = NULL;
    struct pen_tensor_batch out;
    int64_t *values = pen_calloc(N + FREQUENT, sizeof *values);
    for (int64_t i = 0; i < N + FREQUENT; i++) {
        values[i] = i < N ? i : (i - N) * 22000 + 13; /* fifty values once more, all over the range */
    }
    values[5] = INT64_MIN; /* missing: filled by the mode, of fifty equals the smallest */
    const struct pen_column column = {.type = PEN_TYPE_INT64, .n_rows = N + FREQUENT, .values = values};
    const struct pen_batch batch = {.n_rows = N + FREQUENT, .n_columns = 1, .names = names, .columns = &column};
    PEN_REQUIRE_OK(pen_test_compile_rows(&graph, features, 3, &batch, 1, &err), &err);
    PEN_CHECK_OK(pen_transform_scratch_create(&scratch, graph, &err), &err);
    PEN_CHECK_OK(pen_transform_apply(graph, pen_test_exec(), &batch, false, scratch, &out, &err), &err);
    int64_t n_wrong = 0;
    for (int64_t i = 0; i < N; i++) {
        bool frequent = i % 22000 == 13;
        n_wrong += (out.ids[0].values[i] >= 0) != frequent || out.ids[0].values[i] != out.ids[1].values[i];
    }
    PEN_CHECK_EQ_I64(n_wrong, 0);
    PEN_CHECK_EQ_I64(pen_transform_spec(graph)->ids[1].n_values, FREQUENT);
    PEN_CHECK_EQ_I64(out.ids[0].values[13 + 22000 * 45], 0); /* 990013: of equals the largest text */
    PEN_CHECK_EQ_F64((double)out.dense[5], 13);
    pen_transform_scratch_destroy(scratch);
    pen_transform_destroy(graph);
    pen_free(values);
}

PEN_SUITE(transform_learned, PEN_CASE(groups_meet_plain_loops), PEN_CASE(sorting_is_qsort),
          PEN_CASE(sketch_keeps_its_bound), PEN_CASE(counts_that_are_cut_stay_exact),
          PEN_CASE(vocabularies_that_are_cut_stay_exact));
