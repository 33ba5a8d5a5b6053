/* Numeric statistics against sorting and long double sums, on data made to be awkward; the same numbers for every way
 * of cutting the rows into chunks and for every number of threads. */
#include "core/memory.h"
#include "core/rng.h"
#include "datasets/statistics/compute.h"
#include "datasets/statistics/select.h"
#include "datasets/statistics/tally.h"
#include "tests/pen_test.h"

#include <stdlib.h>

enum { MAX_BATCHES = 64 };

/* One column in memory, cut into batches. */
struct table {
    struct pen_column columns[MAX_BATCHES][2];
    struct pen_batch batches[MAX_BATCHES];
    uint8_t *validity[MAX_BATCHES];
    struct pen_statistics_batches list;
};

static const char *const names[] = {"x", "w"};

static size_t width_of(enum pen_type type)
{
    return pen_type_size(type);
}

/* valid NULL: all present; weights NULL: one column. */
static void cut(struct table *table, enum pen_type type, const void *values, const bool *valid, const double *weights,
                int64_t n_rows, int64_t batch_rows)
{
    memset(table, 0, sizeof *table);
    int64_t n = 0;
    for (int64_t first = 0; first < n_rows && n < MAX_BATCHES; first += batch_rows, n++) {
        int64_t rows = n_rows - first < batch_rows || n == MAX_BATCHES - 1 ? n_rows - first : batch_rows;
        table->columns[n][0] = (struct pen_column){
            .type = type, .n_rows = rows, .values = (const char *)values + (size_t)first * width_of(type)};
        if (valid != NULL) {
            table->validity[n] = pen_calloc(rows / 8 + 1, 1);
            for (int64_t i = 0; i < rows; i++) {
                table->validity[n][i / 8] = (uint8_t)(table->validity[n][i / 8] | (valid[first + i] << (i % 8)));
            }
            table->columns[n][0].validity = table->validity[n];
        }
        table->columns[n][1] = (struct pen_column){.type = PEN_TYPE_FLOAT64, .n_rows = rows};
        if (weights != NULL) {
            table->columns[n][1].values = weights + first;
        }
        table->batches[n] = (struct pen_batch){rows, first, weights == NULL ? 1 : 2, names, table->columns[n]};
    }
    table->list = (struct pen_statistics_batches){"train", n, table->batches};
}

static void drop(struct table *table)
{
    for (int i = 0; i < MAX_BATCHES; i++) {
        pen_free(table->validity[i]);
    }
}

static struct pen_feature_statistics run(struct table *table, struct pen_statistics *statistics,
                                         struct pen_statistics_options options)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_statistics_source source = pen_statistics_source_batches(&table->list);
    pen_status status = pen_statistics_compute(statistics, &source, 1, &options, &err);
    PEN_CHECK_MSG(status == PEN_OK, "%s", err.message);
    const struct pen_feature_statistics *found =
        status == PEN_OK && statistics->n_splits == 1 && statistics->splits[0].n_features > 0
            ? &statistics->splits[0].features[0]
            : NULL;
    PEN_CHECK(found != NULL);
    return found == NULL ? (struct pen_feature_statistics){0} : *found;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The definitions, by sorting. `kept` holds the present values as doubles. */
static void check_against_sorted(const struct pen_numeric_statistics *found, const double *kept, int64_t n_kept)
{
    double *sorted = pen_calloc(n_kept + 1, sizeof *sorted);
    int64_t n = 0, n_nan = 0, n_zeros = 0, n_inf = 0, n_finite = 0;
    long double sum = 0, squares = 0; /* of differences to the least: a large offset takes no digits from them */
    double low = (double)INFINITY, high = -(double)INFINITY;
    for (int64_t i = 0; i < n_kept; i++) {
        n_zeros += kept[i] == 0;
        if (isnan(kept[i])) {
            n_nan++;
            continue;
        }
        n_inf += isinf(kept[i]) != 0;
        sorted[n++] = kept[i];
        if (isfinite(kept[i])) {
            n_finite++;
            low = kept[i] < low ? kept[i] : low;
            high = kept[i] > high ? kept[i] : high;
        }
    }
    qsort(sorted, (size_t)n, sizeof *sorted, ascending);
    int64_t n_unique = n > 0;
    for (int64_t i = 1; i < n; i++) {
        n_unique += sorted[i] != sorted[i - 1];
    }
    PEN_CHECK(found->exact_unique == (n_unique <= PEN_TALLY_MAX));
    PEN_CHECK_NEAR((double)found->n_unique, (double)n_unique, 4 * found->unique_error * (double)n_unique);
    PEN_CHECK_EQ_I64(found->n_nan, n_nan);
    PEN_CHECK_EQ_I64(found->n_zeros, n_zeros);
    PEN_CHECK_EQ_I64(found->n_positive_inf + found->n_negative_inf, n_inf);
    if (n == 0) {
        PEN_CHECK(isnan(found->mean) && isnan(found->min) && isnan(found->median));
        PEN_CHECK_EQ_I64(found->quantiles.n_buckets, 0);
        pen_free(sorted);
        return;
    }
    PEN_CHECK_EQ_F64(found->min, sorted[0]);
    PEN_CHECK_EQ_F64(found->max, sorted[n - 1]);
    PEN_CHECK_EQ_F64(found->median, sorted[n / 2]);
    if (n_inf == 0) {
        for (int64_t i = 0; i < n; i++) {
            sum += (long double)sorted[i] - sorted[0];
        }
        long double mean = sorted[0] + sum / n;
        for (int64_t i = 0; i < n; i++) {
            squares += (sorted[i] - mean) * (sorted[i] - mean);
        }
        long double scale = fabsl(sorted[0]) > fabsl(sorted[n - 1]) ? fabsl(sorted[0]) : fabsl(sorted[n - 1]);
        PEN_CHECK_NEAR(found->mean, (double)mean, 2.3e-16 * (double)scale);
        PEN_CHECK_NEAR(found->std, (double)sqrtl(squares / n),
                       1e-13 * (double)sqrtl(squares / n) + 1e-15 * (double)scale);
    }
    PEN_CHECK_EQ_I64(found->quantiles.n_buckets, 10);
    for (int64_t k = 0; k < found->quantiles.n_buckets; k++) {
        PEN_CHECK_EQ_F64(found->quantiles.buckets[k].low, sorted[k * n / 10]);
        PEN_CHECK_EQ_F64(found->quantiles.buckets[k].high, k == 9 ? sorted[n - 1] : sorted[(k + 1) * n / 10]);
        PEN_CHECK_EQ_F64(found->quantiles.buckets[k].count, (double)n / 10);
    }
    double counted = 0;
    for (int64_t b = 0; b < found->standard.n_buckets; b++) {
        const struct pen_histogram_bucket *bucket = &found->standard.buckets[b];
        bool last = b == found->standard.n_buckets - 1 - (found->n_positive_inf > 0);
        int64_t inside = 0;
        for (int64_t i = 0; i < n; i++) {
            bool closed = last || isinf(bucket->high);
            inside += isinf(sorted[i])
                          ? sorted[i] == bucket->low && bucket->low == bucket->high
                          : sorted[i] >= bucket->low && (closed ? sorted[i] <= bucket->high : sorted[i] < bucket->high);
        }
        PEN_CHECK_EQ_F64(bucket->count, (double)inside);
        counted += bucket->count;
    }
    PEN_CHECK_EQ_F64(counted, (double)n);
    if (n_finite > 0 && high > low && n_inf == 0) {
        PEN_CHECK_EQ_I64(found->standard.n_buckets, 10);
        PEN_CHECK_EQ_F64(found->standard.buckets[0].low, low);
        PEN_CHECK_EQ_F64(found->standard.buckets[9].high, high);
        PEN_CHECK_NEAR(found->standard.buckets[3].low, low + 0.3 * (high - low), 1e-12 * (fabs(low) + fabs(high)));
    }
    pen_free(sorted);
}

enum shape { UNIFORM, LOG_NORMAL, TIES, INTEGERS, CONSTANT, SPECIAL, TINY_RANGE, ALL_NAN, INFINITE_ONLY, N_SHAPES };

static double draw(enum shape shape, uint64_t i)
{
    double u = pen_rng_uniform(17, shape, i);
    switch (shape) {
    case UNIFORM:
        return u - 0.5;
    case LOG_NORMAL:
        return exp(4 * pen_rng_normal(17, shape, i));
    case TIES:
        return u < 0.6 ? 0.0 : u < 0.7 ? -0.0 : u < 0.9 ? 7.25 : floor(u * 1000) / 8;
    case INTEGERS:
        return floor(u * 300) - 100;
    case CONSTANT:
        return 1e9 + 1;
    case SPECIAL:
        return u < 0.1    ? (double)NAN
               : u < 0.2  ? (double)INFINITY
               : u < 0.25 ? -(double)INFINITY
               : u < 0.3  ? 5e-324
               : u < 0.35 ? -0.0
                          : (u - 0.5) * 1e150;
    case TINY_RANGE:
        return 1e12 + u * 1e-3;
    case ALL_NAN:
        return (double)NAN;
    case INFINITE_ONLY:
        return u < 0.5 ? (double)INFINITY : -(double)INFINITY;
    case N_SHAPES:
        break;
    }
    return 0;
}

static void check_shape(enum shape shape, enum pen_type type, int64_t n_rows, bool missing)
{
    double *kept = pen_calloc(n_rows + 1, sizeof *kept);
    void *values = pen_calloc(n_rows + 1, sizeof(double));
    bool *valid = pen_calloc(n_rows + 1, 1);
    int64_t n_kept = 0;
    for (int64_t i = 0; i < n_rows; i++) {
        double value = draw(shape, (uint64_t)i);
        valid[i] = !missing || pen_rng_uniform(3, 3, (uint64_t)i) < 0.7;
        if (type == PEN_TYPE_FLOAT32) {
            ((float *)values)[i] = valid[i] ? (float)value : NAN;
            value = (double)(float)value;
        } else if (type == PEN_TYPE_INT64) {
            ((int64_t *)values)[i] = valid[i] ? (int64_t)value : -99;
            value = (double)(int64_t)value;
        } else {
            ((double *)values)[i] = valid[i] ? value : (double)NAN;
        }
        if (valid[i]) {
            kept[n_kept++] = value;
        }
    }
    struct table table;
    struct pen_statistics statistics;
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    cut(&table, type, values, missing ? valid : NULL, NULL, n_rows, n_rows / 7 + 1);
    struct pen_feature_statistics found = run(&table, &statistics, options);
    PEN_CHECK_EQ_I64(found.n_rows, n_rows);
    PEN_CHECK_EQ_I64(found.n_present, n_kept);
    PEN_CHECK_EQ_I64(found.n_missing, n_rows - n_kept);
    PEN_CHECK(found.has_numeric && !found.has_string && !found.has_weighted);
    check_against_sorted(&found.numeric, kept, n_kept);
    pen_statistics_deinit(&statistics);
    drop(&table);
    pen_free(kept);
    pen_free(values);
    pen_free(valid);
}

static void numbers_equal_sorting(void)
{
    static const int64_t sizes[] = {1, 2, 3, 9, 10, 11, 255, 4096, 4097, 20011};
    for (int shape = 0; shape < N_SHAPES; shape++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            check_shape((enum shape)shape, PEN_TYPE_FLOAT64, sizes[s], s % 2 == 0);
            if (shape != SPECIAL) {
                check_shape((enum shape)shape, PEN_TYPE_FLOAT32, sizes[s], s % 2 == 1);
            }
        }
        if (shape != SPECIAL && shape != ALL_NAN && shape != INFINITE_ONLY) {
            check_shape((enum shape)shape, PEN_TYPE_INT64, 9001, true);
        }
    }
}

static void many_rows_equal_sorting(void)
{
    for (int shape = 0; shape < N_SHAPES; shape++) {
        check_shape((enum shape)shape, PEN_TYPE_FLOAT64, 100000, true);
    }
    check_shape(LOG_NORMAL, PEN_TYPE_FLOAT64, 300000, true);
    check_shape(TIES, PEN_TYPE_FLOAT32, 300000, false);
    check_shape(INTEGERS, PEN_TYPE_INT64, 300000, true);
}

static void nothing_present_is_success(void)
{
    double values[3] = {1, 2, 3};
    bool valid[3] = {false, false, false};
    struct table table;
    struct pen_statistics statistics;
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    cut(&table, PEN_TYPE_FLOAT64, values, valid, NULL, 3, 2);
    struct pen_feature_statistics found = run(&table, &statistics, options);
    PEN_CHECK_EQ_I64(found.n_missing, 3);
    PEN_CHECK_EQ_I64(found.min_values, 0);
    PEN_CHECK(isnan(found.numeric.mean) && isnan(found.numeric.max));
    PEN_CHECK_EQ_I64(found.numeric.standard.n_buckets, 0);
    pen_statistics_deinit(&statistics);
    drop(&table);

    struct pen_error err = PEN_ERROR_INIT;
    struct pen_statistics_batches none = {"train", 0, NULL};
    struct pen_statistics_source source = pen_statistics_source_batches(&none);
    PEN_REQUIRE_OK(pen_statistics_compute(&statistics, &source, 1, &options, &err), &err);
    PEN_CHECK_EQ_I64(statistics.splits[0].n_rows, 0);
    PEN_CHECK_EQ_I64(statistics.splits[0].n_features, 0);
    pen_statistics_deinit(&statistics);
}

/* Identifiers that no double can tell apart are still different. */
static void long_integers_keep_their_digits(void)
{
    enum { IDS = 5000 };
    int64_t *values = pen_calloc(2 * IDS, sizeof *values);
    for (int64_t i = 0; i < 2 * IDS; i++) {
        values[i] = INT64_MAX - i % IDS;
    }
    struct table table;
    struct pen_statistics statistics;
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    cut(&table, PEN_TYPE_INT64, values, NULL, NULL, 2 * IDS, 999);
    struct pen_numeric_statistics found = run(&table, &statistics, options).numeric;
    PEN_CHECK_EQ_I64(found.n_unique, IDS);
    PEN_CHECK(found.exact_unique);
    PEN_CHECK_EQ_F64(found.max, 9223372036854775807.0);
    pen_statistics_deinit(&statistics);
    drop(&table);
    pen_free(values);
}

static void threads_change_no_bit(void)
{
    enum { ROWS = 50000 };
    double *values = pen_calloc(ROWS, sizeof *values);
    for (int64_t i = 0; i < ROWS; i++) {
        values[i] = draw(LOG_NORMAL, (uint64_t)i);
    }
    struct table table;
    cut(&table, PEN_TYPE_FLOAT64, values, NULL, NULL, ROWS, ROWS / 60 + 1);
    struct pen_statistics first, other;
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    options.n_threads = 1;
    struct pen_numeric_statistics a = run(&table, &first, options).numeric;
    for (int threads = 2; threads <= 5; threads++) {
        options.n_threads = threads;
        struct pen_numeric_statistics b = run(&table, &other, options).numeric;
        PEN_CHECK_EQ_F64(b.mean, a.mean);
        PEN_CHECK_EQ_F64(b.std, a.std);
        PEN_CHECK_EQ_F64(b.median, a.median);
        PEN_CHECK_EQ_I64(b.n_unique, a.n_unique);
        for (int64_t k = 0; k < a.standard.n_buckets; k++) {
            PEN_CHECK_EQ_F64(b.standard.buckets[k].count, a.standard.buckets[k].count);
        }
        pen_statistics_deinit(&other);
    }
    pen_statistics_deinit(&first);
    drop(&table);
    pen_free(values);
}

/* Whole weights are rows repeated. */
static void weights_repeat_rows(void)
{
    enum { ROWS = 3000 };
    double values[ROWS], weights[ROWS], *repeated = pen_calloc(ROWS * 5, sizeof *repeated);
    int64_t n = 0;
    for (int64_t i = 0; i < ROWS; i++) {
        values[i] = draw(i % 3 == 0 ? TIES : LOG_NORMAL, (uint64_t)i);
        weights[i] = floor(5 * pen_rng_uniform(5, 5, (uint64_t)i));
        for (int k = 0; k < (int)weights[i]; k++) {
            repeated[n++] = values[i];
        }
    }
    struct table table;
    struct pen_statistics weighted, plain;
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    cut(&table, PEN_TYPE_FLOAT64, values, NULL, weights, ROWS, 700);
    options.weight_feature = "w";
    struct pen_feature_statistics a = run(&table, &weighted, options);
    drop(&table);
    cut(&table, PEN_TYPE_FLOAT64, repeated, NULL, NULL, n, n);
    options.weight_feature = NULL;
    struct pen_numeric_statistics b = run(&table, &plain, options).numeric;
    PEN_CHECK(a.has_weighted);
    PEN_CHECK_EQ_F64(a.weighted_present, (double)n);
    PEN_CHECK_EQ_F64(weighted.splits[0].weighted_rows, (double)n);
    PEN_CHECK_NEAR(a.weighted_numeric.mean, b.mean, 1e-13 * fabs(b.mean));
    PEN_CHECK_NEAR(a.weighted_numeric.std, b.std, 1e-12 * b.std);
    PEN_CHECK_EQ_F64(a.weighted_numeric.median, b.median);
    for (int64_t k = 0; k < 10; k++) {
        PEN_CHECK_EQ_F64(a.weighted_numeric.quantiles.buckets[k].low, b.quantiles.buckets[k].low);
        PEN_CHECK_EQ_F64(a.weighted_numeric.standard.buckets[k].count, b.standard.buckets[k].count);
    }
    pen_statistics_deinit(&weighted);
    pen_statistics_deinit(&plain);
    drop(&table);
    pen_free(repeated);
}

/* Few bins and hardly any room to sort: windows must narrow to single keys, and still give the exact answers. */
static void narrowing_windows_find_exact_ranks(void)
{
    enum { ROWS = 20000 };
    double *values = pen_calloc(ROWS, sizeof *values), *sorted = pen_calloc(ROWS, sizeof *sorted);
    for (int64_t i = 0; i < ROWS; i++) {
        values[i] = draw(i % 2 == 0 ? TIES : UNIFORM, (uint64_t)i) + 0.0;
        sorted[i] = values[i];
    }
    qsort(sorted, ROWS, sizeof *sorted, ascending);
    double ranks[] = {0, 5000, 10000, ROWS - 1}, edges[] = {-1e9, -0.25, 0, 7.25, 1e9};
    struct pen_select_options options = {.max_bins = 256, .max_collect = 1};
    struct pen_select_query query = {4, ranks, 5, edges};
    struct pen_select *select = NULL;
    struct pen_error err = PEN_ERROR_INIT;
    PEN_REQUIRE_OK(pen_select_create(&select, &options, &err), &err);
    int n_sweeps = 0;
    for (bool again = true; again && n_sweeps < 20; n_sweeps++) {
        struct pen_select_part *parts[2] = {NULL, NULL};
        for (int p = 0; p < 2; p++) {
            PEN_REQUIRE_OK(pen_select_part_create(&parts[p], select, &err), &err);
            PEN_REQUIRE_OK(pen_select_accept(parts[p], values + p * 7777, NULL, p == 0 ? 7777 : ROWS - 7777, &err),
                           &err);
        }
        for (int p = 1; p >= 0; p--) {
            PEN_REQUIRE_OK(pen_select_merge(select, parts[p], &err), &err);
            pen_select_part_destroy(parts[p]);
        }
        PEN_REQUIRE_OK(n_sweeps == 0 ? pen_select_ask(select, &query, &err) : pen_select_end_sweep(select, &err), &err);
        again = pen_select_unfinished(select);
    }
    PEN_CHECK(n_sweeps > 2 && n_sweeps < 20);
    for (int i = 0; i < 4; i++) {
        PEN_CHECK_EQ_F64(pen_select_rank_value(select, i), sorted[(int64_t)ranks[i]]);
    }
    for (int e = 0; e < 5; e++) {
        int64_t below = 0;
        for (int64_t i = 0; i < ROWS; i++) {
            below += values[i] < edges[e];
        }
        PEN_CHECK_EQ_F64(pen_select_edge_count(select, e), (double)below);
    }
    pen_select_destroy(select);
    pen_free(values);
    pen_free(sorted);
}

static void wrong_options_are_named(void)
{
    double values[2] = {1, 2}, weights[2] = {1, -1};
    static const char *const fares[] = {"X"};
    struct table table;
    struct pen_statistics statistics;
    struct pen_error err = PEN_ERROR_INIT;
    cut(&table, PEN_TYPE_FLOAT64, values, NULL, weights, 2, 2);
    struct pen_statistics_source source = pen_statistics_source_batches(&table.list);
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    options.weight_feature = "w";
    PEN_CHECK_STATUS(pen_statistics_compute(&statistics, &source, 1, &options, &err), PEN_ERR_DATA);
    PEN_CHECK_CONTAINS(err.message, "found -1 in row 1 of split train");
    options.weight_feature = NULL;
    options.allowed = fares;
    options.n_allowed = 1;
    PEN_CHECK_STATUS(pen_statistics_compute(&statistics, &source, 1, &options, &err), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "feature_allowlist: expected a feature of split train, found X");
    struct pen_slice_item item = {"x", NULL};
    struct pen_slicing slicing = {1, &item};
    options = (struct pen_statistics_options)PEN_STATISTICS_OPTIONS_DEFAULT;
    options.slicings = &slicing;
    options.n_slicings = 1;
    PEN_CHECK_STATUS(pen_statistics_compute(&statistics, &source, 1, &options, &err), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "expected a string or integer feature, found x, which is float64");
    PEN_CHECK(statistics.n_splits == 0 && statistics.arena.head == NULL);
    drop(&table);
}

PEN_SUITE(statistics_numeric, PEN_CASE(numbers_equal_sorting), PEN_CASE(many_rows_equal_sorting),
          PEN_CASE(nothing_present_is_success), PEN_CASE(long_integers_keep_their_digits),
          PEN_CASE(threads_change_no_bit), PEN_CASE(weights_repeat_rows), PEN_CASE(narrowing_windows_find_exact_ranks),
          PEN_CASE(wrong_options_are_named));
