/* The CSV reader against `wc -l` on the same file in the same run, and the two files data are measured on.
 *
 *   bench_csv make num|text FILE [MEGABYTES]   writes a file: 20 numeric columns, or 10 with quoted narratives
 *   bench_csv run FILE [THREADS]               median of 11 readings alternated with `wc -l`, as JSON
 *   bench_csv once FILE [THREADS]              seconds of one reading
 *   bench_csv columns FILE                     of each column: missing cells, and the sum of its numbers or the bytes
 *                                              of its strings, as JSON; what peers must agree on
 *
 * The text is generated from a fixed seed, so peers (peers.py) read the same bytes. Threads that wait sleep: the cores
 * may be shared. */
#include "core/log.h"
#include "datasets/csv/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t state = 88172645463325252u;

static uint64_t next(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

static void write_numbers(FILE *file)
{
    static const uint64_t limits[] = {10, 100, 1000, 10000, 100000, 1000000};
    for (int i = 0; i < 6; i++) {
        fprintf(file, "%llu,", (unsigned long long)next(limits[i]));
    }
    for (int i = 0; i < 12; i++) {
        fprintf(file, i % 2 == 0 ? "%llu.%02llu," : "%llu.%06llu,", (unsigned long long)next(i % 2 == 0 ? 1000 : 10),
                (unsigned long long)next(i % 2 == 0 ? 100 : 1000000));
    }
    fprintf(file, "cat%llu,%c\n", (unsigned long long)next(40), (int)('A' + next(5)));
}

static void write_narrative(FILE *file, uint64_t row)
{
    static const char *const words[] = {"payment", "bank",     "the",   "account, and", "\"\"late\"\"", "fee",
                                        "of",      "mortgage", "was\n", "customer",     "service",      "I"};
    fprintf(file, "%llu,\"Product, %llu\",Issue %llu,Company %llu,%c%c,", (unsigned long long)row,
            (unsigned long long)next(11), (unsigned long long)next(90), (unsigned long long)next(3000),
            (int)('A' + next(26)), (int)('A' + next(26)));
    if (next(10) != 0) {
        fprintf(file, "%llu.%02llu", (unsigned long long)next(10000), (unsigned long long)next(100));
    }
    fprintf(file, ",%.17g,%s,%llu,\"", (double)next(1u << 30) / 1e9, next(2) == 0 ? "Yes" : "No",
            (unsigned long long)(10000 + next(90000)));
    for (uint64_t n = next(120); n > 0; n--) {
        fprintf(file, "%s%llu ", words[next(12)], (unsigned long long)next(50));
    }
    fputs("\"\n", file);
}

static int make(const char *kind, const char *path, int64_t megabytes)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    const bool numbers = strcmp(kind, "num") == 0;
    for (int c = 0; c < (numbers ? 20 : 10); c++) {
        fprintf(file, "%sc%d", c > 0 ? "," : "", c);
    }
    fputc('\n', file);
    for (uint64_t row = 0; ftell(file) < megabytes * 1000000; row++) {
        if (numbers) {
            write_numbers(file);
        } else {
            write_narrative(file, row);
        }
    }
    return fclose(file) == 0 ? 0 : 1;
}

static pen_status read_once(const char *path, int n_threads, struct pen_csv_counts *counts, int *n_restarts,
                            struct pen_error *err)
{
    struct pen_csv_options options;
    struct pen_csv_reader *reader;
    pen_csv_options_init(&options);
    options.n_threads = n_threads;
    options.late_bytes = true;
    PEN_TRY(pen_csv_open(&reader, &path, 1, &options, err));
    struct pen_batch batch;
    bool restarted;
    pen_status status;
    while ((status = pen_csv_next(reader, &batch, &restarted, err)) == PEN_OK && (batch.n_rows > 0 || restarted)) {
        *n_restarts += restarted;
    }
    *counts = pen_csv_counts(reader);
    pen_csv_close(reader);
    return status;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double wc_seconds(const char *path)
{
    char command[4200];
    (void)snprintf(command, sizeof command, "wc -l '%s' > /dev/null", path);
    const double begin = pen_clock_seconds();
    return system(command) == 0 ? pen_clock_seconds() - begin : 0;
}

static int run(const char *path, int n_threads)
{
    enum { N = 11 };
    double seconds[N], ratios[N];
    struct pen_csv_counts counts;
    struct pen_error err = PEN_ERROR_INIT;
    int n_restarts = 0;
    (void)wc_seconds(path);
    for (int i = -1; i < N; i++) {
        n_restarts = 0;
        const double begin = pen_clock_seconds();
        if (read_once(path, n_threads, &counts, &n_restarts, &err) != PEN_OK) {
            fprintf(stderr, "%s\n", err.message);
            return pen_status_exit_code(err.status);
        }
        const double mine = pen_clock_seconds() - begin;
        const double wc = wc_seconds(path);
        if (i >= 0) {
            seconds[i] = mine;
            ratios[i] = mine / wc;
        }
    }
    qsort(seconds, N, sizeof *seconds, by_value);
    qsort(ratios, N, sizeof *ratios, by_value);
    printf("{\"schema\": 1, \"reader\": \"penstock\", \"file\": \"%s\", \"threads\": %d, \"rows\": %lld, "
           "\"bytes\": %lld, \"restarts\": %d, \"seconds\": %.4f, \"gigabytes_per_second\": %.3f, "
           "\"rows_per_second\": %.0f, \"ratio_to_wc\": %.2f}\n",
           path, n_threads, (long long)counts.n_rows, (long long)counts.n_bytes, n_restarts, seconds[N / 2],
           (double)counts.n_bytes / seconds[N / 2] / 1e9, (double)counts.n_rows / seconds[N / 2], ratios[N / 2]);
    return 0;
}

static int once(const char *path, int n_threads)
{
    struct pen_csv_counts counts;
    struct pen_error err = PEN_ERROR_INIT;
    int n_restarts = 0;
    const double begin = pen_clock_seconds();
    if (read_once(path, n_threads, &counts, &n_restarts, &err) != PEN_OK) {
        fprintf(stderr, "%s\n", err.message);
        return pen_status_exit_code(err.status);
    }
    printf("%.6f\n", pen_clock_seconds() - begin);
    return 0;
}

struct facts {
    int64_t n_missing, n_bytes;
    double sum;
};

static void add_facts(struct facts *facts, const struct pen_column *column)
{
    for (int64_t r = 0; r < column->n_rows; r++) {
        size_t size = 0;
        if (!pen_is_valid(column->validity, r)) {
            facts->n_missing++;
        } else if (column->type == PEN_TYPE_INT64) {
            facts->sum += (double)((const int64_t *)column->values)[r];
        } else if (column->type == PEN_TYPE_FLOAT64) {
            facts->sum += ((const double *)column->values)[r];
        } else if (pen_type_is_string(column->type)) {
            (void)pen_column_string(column, r, &size);
            facts->n_bytes += (int64_t)size;
        }
    }
}

static void print_facts(const struct pen_csv_reader *reader, const struct facts *facts)
{
    printf("{\"rows\": %lld, \"columns\": [", (long long)pen_csv_counts(reader).n_rows);
    for (int64_t c = 0; c < pen_csv_n_columns(reader); c++) {
        printf("%s{\"name\": \"%s\", \"missing\": %lld, ", c > 0 ? ", " : "", pen_csv_names(reader)[c],
               (long long)facts[c].n_missing);
        if (pen_type_is_string(pen_csv_type(reader, c))) {
            printf("\"bytes\": %lld}", (long long)facts[c].n_bytes);
        } else {
            printf("\"sum\": %.17g}", facts[c].sum);
        }
    }
    printf("]}\n");
}

static int columns(const char *path)
{
    struct pen_csv_options options;
    struct pen_csv_reader *reader;
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_batch batch;
    bool restarted;
    pen_csv_options_init(&options);
    if (pen_csv_open(&reader, &path, 1, &options, &err) != PEN_OK || pen_csv_infer(reader, &err) != PEN_OK) {
        fprintf(stderr, "%s\n", err.message);
        return pen_status_exit_code(err.status);
    }
    struct facts *facts = calloc((size_t)pen_csv_n_columns(reader), sizeof *facts);
    while (facts != NULL && pen_csv_next(reader, &batch, &restarted, &err) == PEN_OK && batch.n_rows > 0) {
        for (int64_t c = 0; c < batch.n_columns; c++) {
            add_facts(&facts[c], &batch.columns[c]);
        }
    }
    if (facts != NULL) {
        print_facts(reader, facts);
    }
    free(facts);
    pen_csv_close(reader);
    return 0;
}

/* The OpenMP library reads its environment before main. */
static void sleep_when_waiting(char **argv)
{
    if (getenv("OMP_WAIT_POLICY") == NULL && setenv("OMP_WAIT_POLICY", "passive", 1) == 0) {
        (void)execv("/proc/self/exe", argv);
    }
}

int main(int argc, char **argv)
{
    sleep_when_waiting(argv);
    if (argc >= 4 && strcmp(argv[1], "make") == 0) {
        return make(argv[2], argv[3], argc > 4 ? strtoll(argv[4], NULL, 10) : 400);
    }
    if (argc >= 3 && strcmp(argv[1], "run") == 0) {
        return run(argv[2], argc > 3 ? (int)strtol(argv[3], NULL, 10) : 1);
    }
    if (argc >= 3 && strcmp(argv[1], "once") == 0) {
        return once(argv[2], argc > 3 ? (int)strtol(argv[3], NULL, 10) : 1);
    }
    if (argc >= 3 && strcmp(argv[1], "columns") == 0) {
        return columns(argv[2]);
    }
    fputs("usage: bench_csv make num|text FILE [MEGABYTES] | run|once FILE [THREADS] | columns FILE\n", stderr);
    return 2;
}
