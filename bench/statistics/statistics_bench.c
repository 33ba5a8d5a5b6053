/* Time of the full profile (moments, median, quantile and equal-width histograms; of codes: counts, distinct, top) in
 * ns a value, on columns in memory, for one thread and for all.
 *
 *   bench_statistics [rows]            the table
 *   bench_statistics rows FILE.bin     writes the float64 columns that peers.py reads, so that both see equal data
 *
 * A column is checked (its sum, its ends, its middle by counting) before its time counts. */
#include "core/log.h"
#include "core/memory.h"
#include "core/rng.h"
#include "datasets/statistics/compute.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_ROWS = 131072, N_CODES = 1000, N_TIMES = 5, N_KINDS = 5 };

static const char *const kinds[N_KINDS] = {"normal", "log_normal", "ties", "float32", "int64"};

/* Sums of uniforms: quick to make, smooth enough. */
static double draw(int kind, uint64_t i)
{
    struct pen_rng_block block = pen_rng_at(7, (uint64_t)kind, i);
    double u = block.word[0] * 0x1p-32, v = block.word[1] * 0x1p-32, w = block.word[2] * 0x1p-32;
    switch (kind) {
    case 1:
        return exp(3 * (u + v + w - 1.5));
    case 2:
        return u < 0.4 ? 0.0 : floor(v * 500) / 4;
    case 4:
        return floor(u * v * 1e6);
    default:
        return u + v + w - 1.5;
    }
}

static enum pen_type type_of(int kind)
{
    return kind == 3 ? PEN_TYPE_FLOAT32 : kind == 4 ? PEN_TYPE_INT64 : PEN_TYPE_FLOAT64;
}

static void fill(void *values, int kind, int64_t n_rows)
{
#pragma omp parallel for
    for (int64_t i = 0; i < n_rows; i++) {
        double value = draw(kind, (uint64_t)i);
        if (kind == 3) {
            ((float *)values)[i] = (float)value;
        } else if (kind == 4) {
            ((int64_t *)values)[i] = (int64_t)value;
        } else {
            ((double *)values)[i] = value;
        }
    }
}

static double number(const void *values, enum pen_type type, int64_t i)
{
    return type == PEN_TYPE_FLOAT32 ? (double)((const float *)values)[i]
           : type == PEN_TYPE_INT64 ? (double)((const int64_t *)values)[i]
                                    : ((const double *)values)[i];
}

static bool right(const struct pen_numeric_statistics *found, const void *values, enum pen_type type, int64_t n_rows)
{
    double sum = 0, low = (double)INFINITY, high = -(double)INFINITY;
    int64_t below = 0, equal = 0;
    for (int64_t i = 0; i < n_rows; i++) {
        double value = number(values, type, i);
        sum += value;
        low = value < low ? value : low;
        high = value > high ? value : high;
        below += value < found->median;
        equal += value == found->median;
    }
    return low == found->min && high == found->max && below <= n_rows / 2 && below + equal > n_rows / 2 &&
           fabs(sum / (double)n_rows - found->mean) < 1e-9 * (fabs(low) + fabs(high));
}

struct column_data {
    struct pen_column *columns;
    struct pen_batch *batches;
    struct pen_statistics_batches list;
};

static bool view(struct column_data *data, enum pen_type type, const char *values,
                 const struct pen_dictionary *dictionary, int64_t n_rows)
{
    static const char *const names[] = {"x"};
    int64_t n_chunks = (n_rows + CHUNK_ROWS - 1) / CHUNK_ROWS;
    data->columns = pen_calloc(n_chunks, sizeof *data->columns);
    data->batches = pen_calloc(n_chunks, sizeof *data->batches);
    if (data->columns == NULL || data->batches == NULL) {
        return false;
    }
    for (int64_t chunk = 0; chunk < n_chunks; chunk++) {
        int64_t first = chunk * CHUNK_ROWS, rows = n_rows - first < CHUNK_ROWS ? n_rows - first : CHUNK_ROWS;
        data->columns[chunk] = (struct pen_column){.type = type,
                                                   .n_rows = rows,
                                                   .values = values + (size_t)first * pen_type_size(type),
                                                   .dictionary = dictionary};
        data->batches[chunk] = (struct pen_batch){rows, first, 1, names, &data->columns[chunk]};
    }
    data->list = (struct pen_statistics_batches){"train", n_chunks, data->batches};
    return true;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median seconds of a profile; negative on failure. */
static double profile_seconds(const struct column_data *data, int n_threads, struct pen_statistics *statistics)
{
    double seconds[N_TIMES];
    struct pen_statistics_source source = pen_statistics_source_batches(&data->list);
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    options.n_threads = n_threads;
    for (int i = 0; i < N_TIMES; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        if (i > 0) {
            pen_statistics_deinit(statistics);
        }
        double start = pen_clock_seconds();
        if (pen_statistics_compute(statistics, &source, 1, &options, &err) != PEN_OK) {
            (void)fprintf(stderr, "%s\n", err.message);
            return -1;
        }
        seconds[i] = pen_clock_seconds() - start;
    }
    qsort(seconds, N_TIMES, sizeof *seconds, ascending);
    return seconds[N_TIMES / 2];
}

static int bench_kind(int kind, void *values, int64_t n_rows)
{
    struct column_data data = {0};
    struct pen_statistics statistics = {0};
    enum pen_type type = type_of(kind);
    fill(values, kind, n_rows);
    if (!view(&data, type, values, NULL, n_rows)) {
        return 1;
    }
    double one = profile_seconds(&data, 1, &statistics);
    bool good = one > 0 && right(&statistics.splits[0].features[0].numeric, values, type, n_rows);
    pen_statistics_deinit(&statistics);
    double all = profile_seconds(&data, omp_get_max_threads(), &statistics);
    pen_statistics_deinit(&statistics);
    printf(
        "{\"bench\": \"statistics\", \"column\": \"%s\", \"rows\": %lld, \"checked\": %s, \"ns_per_value_1t\": %.3f, "
        "\"ns_per_value_%dt\": %.3f}\n",
        kinds[kind], (long long)n_rows, good ? "true" : "false", 1e9 * one / (double)n_rows, omp_get_max_threads(),
        1e9 * all / (double)n_rows);
    pen_free(data.columns);
    pen_free(data.batches);
    return good ? 0 : 1;
}

static int bench_codes(int32_t *codes, int64_t n_rows)
{
    static int64_t offsets[N_CODES + 1];
    static char bytes[8 * N_CODES + 8];
    struct pen_dictionary dictionary = {N_CODES, offsets, bytes};
    struct column_data data = {0};
    struct pen_statistics statistics = {0};
    for (int i = 0; i < N_CODES; i++) {
        (void)snprintf(bytes + 8 * i, 9, "v%07d", i);
        offsets[i + 1] = 8 * (i + 1);
    }
    for (int64_t i = 0; i < n_rows; i++) {
        struct pen_rng_block block = pen_rng_at(7, 9, (uint64_t)i);
        codes[i] = (int32_t)((uint64_t)block.word[0] * block.word[1] % N_CODES);
    }
    if (!view(&data, PEN_TYPE_CODES, (const char *)codes, &dictionary, n_rows)) {
        return 1;
    }
    double one = profile_seconds(&data, 1, &statistics);
    bool good = one > 0 && statistics.splits[0].features[0].string.n_unique == N_CODES;
    pen_statistics_deinit(&statistics);
    printf("{\"bench\": \"statistics\", \"column\": \"codes\", \"rows\": %lld, \"checked\": %s, \"ns_per_value_1t\": "
           "%.3f}\n",
           (long long)n_rows, good ? "true" : "false", 1e9 * one / (double)n_rows);
    pen_free(data.columns);
    pen_free(data.batches);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    int64_t n_rows = argc > 1 ? strtoll(argv[1], NULL, 10) : 8 << 20;
    if (n_rows < 1) {
        (void)fprintf(stderr, "usage: bench_statistics [rows [file]]\n");
        return 2;
    }
    void *values = pen_malloc(n_rows, sizeof(double));
    FILE *file = argc > 2 ? fopen(argv[2], "wb") : NULL;
    int failed = values == NULL || (argc > 2 && file == NULL);
    for (int kind = 0; kind < N_KINDS && !failed; kind++) {
        failed = bench_kind(kind, values, n_rows);
        if (file != NULL && kind < 3) {
            failed |= fwrite(values, sizeof(double), (size_t)n_rows, file) != (size_t)n_rows;
        }
    }
    failed = failed || bench_codes(values, n_rows);
    if (file != NULL) {
        failed |= fclose(file) != 0;
    }
    pen_free(values);
    return failed;
}
