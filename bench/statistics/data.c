/* Stores for the bench (data.h): made-up numbers, and CSV files. */
#include "bench/statistics/data.h"

#include "core/memory.h"
#include "core/rng.h"
#include "datasets/csv/csv.h"

#include <math.h>
#include <stdio.h>

enum { N_COLUMNS = 20, N_INTEGERS = 6, N_NUMBERS = 18, N_CATEGORIES = 40, SEED = 7 };

static enum pen_type type_of(int column)
{
    return column < N_INTEGERS ? PEN_TYPE_INT64 : column < N_NUMBERS ? PEN_TYPE_FLOAT64 : PEN_TYPE_CODES;
}

/* Integers below 10 .. 10^6, evenly; decimals of growing spread, by turns even, bell-shaped and with a long tail. */
static double draw(int column, uint64_t row)
{
    double u = pen_rng_uniform(SEED, (uint64_t)column, row);
    if (column < N_INTEGERS) {
        return floor(u * pow(10, column + 1));
    }
    int kind = column % 3, spread = (column - N_INTEGERS) % 6;
    double value = kind == 0   ? u
                   : kind == 1 ? pen_rng_normal(SEED, (uint64_t)column, row)
                               : exp(2 * pen_rng_normal(SEED, (uint64_t)column, row));
    double places = column < N_INTEGERS + 6 ? 1e2 : 1e6;
    return round(value * pow(10, spread) * places) / places;
}

static void fill(void *values, int column, int64_t first, int64_t n_rows)
{
#pragma omp parallel for
    for (int64_t i = 0; i < n_rows; i++) {
        uint64_t row = (uint64_t)(first + i);
        if (type_of(column) == PEN_TYPE_INT64) {
            ((int64_t *)values)[i] = (int64_t)draw(column, row);
        } else if (type_of(column) == PEN_TYPE_FLOAT64) {
            ((double *)values)[i] = draw(column, row);
        } else {
            double u = pen_rng_uniform(SEED, (uint64_t)column, row);
            ((int32_t *)values)[i] = (int32_t)(u * u * N_CATEGORIES);
        }
    }
}

/* Categories "c00", "c01", ... in the order of their codes; stores want first appearance, which these need not be. */
static void name_categories(int64_t *offsets, char *bytes)
{
    for (int i = 0; i < N_CATEGORIES; i++) {
        char text[8];
        (void)snprintf(text, sizeof text, "c%02d", i);
        for (int k = 0; k < 3; k++) {
            bytes[3 * i + k] = text[k];
        }
        offsets[i + 1] = 3 * (i + 1);
    }
}

static pen_status append_rows(struct pen_store_writer *writer, void *const values[N_COLUMNS], int64_t n_rows,
                              struct pen_error *err)
{
    int64_t offsets[N_CATEGORIES + 1] = {0};
    char bytes[3 * N_CATEGORIES];
    struct pen_dictionary dictionary = {N_CATEGORIES, offsets, bytes};
    struct pen_column columns[N_COLUMNS];
    name_categories(offsets, bytes);
    for (int64_t first = 0; first < n_rows; first += PEN_STORE_CHUNK_ROWS) {
        int64_t n = n_rows - first < PEN_STORE_CHUNK_ROWS ? n_rows - first : PEN_STORE_CHUNK_ROWS;
        for (int i = 0; i < N_COLUMNS; i++) {
            fill(values[i], i, first, n);
            columns[i] = (struct pen_column){.type = type_of(i), .n_rows = n, .values = values[i]};
            columns[i].dictionary = type_of(i) == PEN_TYPE_CODES ? &dictionary : NULL;
        }
        PEN_TRY(pen_store_append(writer, columns, n, err));
    }
    return PEN_OK;
}

pen_status pen_bench_write_numbers(const char *path, int64_t n_rows, struct pen_error *err)
{
    struct pen_store_column_spec specs[N_COLUMNS];
    char names[N_COLUMNS][8];
    struct pen_store_options options = {"all", -1, NULL};
    struct pen_store_writer *writer = NULL;
    void *values[N_COLUMNS] = {NULL};
    pen_status status = PEN_OK;
    for (int i = 0; i < N_COLUMNS; i++) {
        (void)snprintf(names[i], sizeof names[i], "%c%02d", i < N_INTEGERS ? 'i' : i < N_NUMBERS ? 'd' : 'c', i);
        specs[i] = (struct pen_store_column_spec){names[i], type_of(i)};
        values[i] = pen_malloc(PEN_STORE_CHUNK_ROWS, sizeof(double));
        if (values[i] == NULL) {
            PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: a chunk of numbers");
        }
    }
    PEN_TRY_GOTO(cleanup, pen_store_create(&writer, path, specs, N_COLUMNS, &options, err));
    PEN_TRY_GOTO(cleanup, append_rows(writer, values, n_rows, err));
    status = pen_store_finish(writer, err);
    writer = NULL;
cleanup:
    pen_store_abandon(writer);
    for (int i = 0; i < N_COLUMNS; i++) {
        pen_free(values[i]);
    }
    return status;
}

static pen_status copy_rows(struct pen_csv_reader *reader, const char *path, struct pen_error *err)
{
    struct pen_store_writer *writer = NULL;
    struct pen_store_column_spec *specs = NULL;
    struct pen_store_options options = {"all", -1, NULL};
    int64_t n_columns = pen_csv_n_columns(reader);
    bool restarted = false;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, specs, n_columns + 1, err);
    PEN_TRY_GOTO(cleanup, pen_csv_infer(reader, err));
    for (int64_t i = 0; i < n_columns; i++) {
        specs[i] = (struct pen_store_column_spec){pen_csv_names(reader)[i], pen_csv_type(reader, i)};
    }
    PEN_TRY_GOTO(cleanup, pen_store_create(&writer, path, specs, n_columns, &options, err));
    for (struct pen_batch batch = {.n_rows = 1}; batch.n_rows > 0;) {
        PEN_TRY_GOTO(cleanup, pen_csv_next(reader, &batch, &restarted, err));
        if (restarted) {
            PEN_FAIL_GOTO(cleanup, err, PEN_ERR_UNSUPPORTED,
                          "expected columns that keep their type and a dictionary, found one that does not");
        }
        if (batch.n_rows > 0) {
            PEN_TRY_GOTO(cleanup, pen_store_append(writer, batch.columns, batch.n_rows, err));
        }
    }
    status = pen_store_finish(writer, err);
    writer = NULL;
cleanup:
    pen_store_abandon(writer);
    pen_free(specs);
    return status;
}

pen_status pen_bench_write_csv(const char *path, const char *csv_path, struct pen_error *err)
{
    struct pen_csv_options options;
    struct pen_csv_reader *reader = NULL;
    pen_csv_options_init(&options);
    PEN_TRY(pen_csv_open(&reader, &csv_path, 1, &options, err));
    pen_status status = copy_rows(reader, path, err);
    pen_csv_close(reader);
    return status;
}
