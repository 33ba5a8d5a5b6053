/* Time of the full profile of feature stores: moments, median, quantile and equal-width histograms, distinct values; of
 * strings counts, distinct, top. Reading the store (page cache) is part of it.
 *
 *   bench_statistics                          a made-up store of 1,000,000 rows, one thread and all: ns a value
 *   bench_statistics write FILE.h5 ROWS       the store of numbers that peers.py compares on (data.h)
 *   bench_statistics write FILE.h5 FILE.csv   a store of a CSV file
 *   bench_statistics run FILE.h5 THREADS OUT.json
 *                                             writes the statistics, for peers.py to check; then one timing for every
 *                                             line on standard input, as a line of JSON
 *
 * The default checks each column by sorting it before its time counts. */
#include "bench/statistics/data.h"
#include "core/log.h"
#include "core/memory.h"
#include "datasets/statistics/compute.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_TIMES = 5, DEFAULT_ROWS = 1000000 };

static int fail(const struct pen_error *err)
{
    (void)fprintf(stderr, "bench_statistics: %s\n", err->message);
    return 1;
}

/* Seconds of one profile of the whole store. */
static pen_status profile(const struct pen_store *store, int n_threads, struct pen_statistics *statistics,
                          double *seconds, struct pen_error *err)
{
    struct pen_statistics_source source = pen_statistics_source_store(store);
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    options.n_threads = n_threads;
    double start = pen_clock_seconds();
    PEN_TRY(pen_statistics_compute(statistics, &source, 1, &options, err));
    *seconds = pen_clock_seconds() - start;
    return PEN_OK;
}

/* ---- run: the other half of peers.py ---- */

static pen_status answer_lines(const struct pen_store *store, int n_threads, const char *out, struct pen_error *err)
{
    struct pen_statistics statistics;
    double seconds = 0;
    char line[16];
    PEN_TRY(profile(store, n_threads, &statistics, &seconds, err));
    pen_status status = pen_statistics_write(&statistics, out, err);
    pen_statistics_deinit(&statistics);
    PEN_TRY(status);
    for (puts("ready"); fflush(stdout) == 0 && fgets(line, sizeof line, stdin) != NULL;) {
        PEN_TRY(profile(store, n_threads, &statistics, &seconds, err));
        pen_statistics_deinit(&statistics);
        printf("{\"seconds\": %.6f}\n", seconds);
    }
    return PEN_OK;
}

static int run(const char *path, int n_threads, const char *out)
{
    struct pen_store *store = NULL;
    struct pen_error err = PEN_ERROR_INIT;
    pen_status status = pen_store_open(&store, path, &err);
    if (status == PEN_OK) {
        status = answer_lines(store, n_threads, out, &err);
    }
    pen_store_close(store);
    return status == PEN_OK ? 0 : fail(&err);
}

/* ---- the default ---- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The column in memory, as doubles, sorted; NULL: no memory, or not readable. */
static double *sorted_column(const struct pen_store *store, int64_t column)
{
    struct pen_store_buffer buffer = {0};
    double *values = pen_malloc(pen_store_n_rows(store) + 1, sizeof *values);
    int64_t n = 0;
    for (int64_t chunk = 0; values != NULL && chunk < pen_store_n_chunks(store); chunk++) {
        struct pen_column view;
        if (pen_store_read(store, column, chunk, &buffer, &view, NULL) != PEN_OK) {
            pen_free(values);
            values = NULL;
            break;
        }
        for (int64_t i = 0; i < view.n_rows; i++) {
            values[n++] = view.type == PEN_TYPE_INT64 ? (double)((const int64_t *)view.values)[i]
                                                      : ((const double *)view.values)[i];
        }
    }
    pen_store_buffer_deinit(&buffer);
    if (values != NULL) {
        qsort(values, (size_t)n, sizeof *values, ascending);
    }
    return values;
}

static bool right(const struct pen_store *store, int64_t column, const struct pen_feature_statistics *feature)
{
    if (!feature->has_numeric) {
        return feature->has_string && feature->string.n_unique > 1 && feature->n_missing == 0;
    }
    double *sorted = sorted_column(store, column);
    int64_t n = pen_store_n_rows(store);
    bool good = sorted != NULL && feature->n_present == n && feature->numeric.min == sorted[0] &&
                feature->numeric.max == sorted[n - 1] && feature->numeric.median == sorted[n / 2];
    for (int64_t k = 0; good && k < 10; k++) {
        good = feature->numeric.quantiles.buckets[k].low == sorted[k * n / 10];
    }
    pen_free(sorted);
    return good;
}

static pen_status median_seconds(const struct pen_store *store, int n_threads, bool *good, double *median,
                                 struct pen_error *err)
{
    double seconds[N_TIMES];
    for (int i = 0; i < N_TIMES; i++) {
        struct pen_statistics statistics;
        PEN_TRY(profile(store, n_threads, &statistics, &seconds[i], err));
        for (int64_t column = 0; i == 0 && column < statistics.splits[0].n_features; column++) {
            *good = *good && right(store, column, &statistics.splits[0].features[column]);
        }
        pen_statistics_deinit(&statistics);
    }
    qsort(seconds, N_TIMES, sizeof *seconds, ascending);
    *median = seconds[N_TIMES / 2];
    return PEN_OK;
}

static pen_status made_up(const char *path, struct pen_error *err)
{
    struct pen_store *store = NULL;
    pen_status status = PEN_OK;
    bool good = true;
    PEN_TRY_GOTO(cleanup, pen_bench_write_numbers(path, DEFAULT_ROWS, err));
    PEN_TRY_GOTO(cleanup, pen_store_open(&store, path, err));
    double n_values = (double)DEFAULT_ROWS * (double)pen_store_n_columns(store), one = 0, all = 0;
    PEN_TRY_GOTO(cleanup, median_seconds(store, 1, &good, &one, err));
    PEN_TRY_GOTO(cleanup, median_seconds(store, omp_get_max_threads(), &good, &all, err));
    printf("{\"bench\": \"statistics\", \"rows\": %d, \"columns\": %lld, \"checked\": %s, \"ns_per_value\": "
           "{\"1\": %.3f, \"%d\": %.3f}}\n",
           DEFAULT_ROWS, (long long)pen_store_n_columns(store), good ? "true" : "false", 1e9 * one / n_values,
           omp_get_max_threads(), 1e9 * all / n_values);
    if (!good) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_DATA, "expected the figures of the sorted columns, found others");
    }
cleanup:
    pen_store_close(store);
    (void)remove(path);
    return status;
}

int main(int argc, char **argv)
{
    struct pen_error err = PEN_ERROR_INIT;
    if (argc == 5 && strcmp(argv[1], "run") == 0) {
        return run(argv[2], (int)strtol(argv[3], NULL, 10), argv[4]);
    }
    if (argc == 4 && strcmp(argv[1], "write") == 0) {
        const char *end = strrchr(argv[3], '.');
        pen_status status = end != NULL && strcmp(end, ".csv") == 0
                                ? pen_bench_write_csv(argv[2], argv[3], &err)
                                : pen_bench_write_numbers(argv[2], strtoll(argv[3], NULL, 10), &err);
        return status == PEN_OK ? 0 : fail(&err);
    }
    if (argc > 1) {
        (void)fprintf(stderr, "usage: bench_statistics [write FILE.h5 ROWS|FILE.csv | run FILE.h5 THREADS OUT.json]\n");
        return 2;
    }
    return made_up("bench-statistics.h5", &err) == PEN_OK ? 0 : fail(&err);
}
