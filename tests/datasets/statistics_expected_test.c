/* The real data sets' own EXPECTED_STATS.tsv (Python's csv module, exactly rounded sums), met from CSV through a
 * feature store: rows, missing, distinct, zeros, least, greatest, mean, deviation, most frequent value, longest one. */
#include "core/files.h"
#include "datasets/csv/csv.h"
#include "datasets/statistics/compute.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>

enum { N_FIELDS = 14 };

static const struct {
    const char *folder, *file, *null_marker;
    char delimiter;
    bool header, trim;
    int skip_lines;
} files[] = {
    {"adult", "adult.data", "?", ',', false, true, 0},
    {"adult", "adult.test", "?", ',', false, true, 1},
    {"ag_news", "test.csv", NULL, ',', false, false, 0},
    {"ames_housing", "ames.csv", NULL, ',', true, false, 0},
    {"ames_housing", "houseprice.csv", "NA", ',', true, false, 0},
    {"bank_marketing", "bank-full.csv.gz", "unknown", ';', true, false, 0},
    {"bank_marketing", "bank-additional-full.csv.gz", "unknown", ';', true, false, 0},
    {"california_housing", "housing.csv", NULL, ',', true, false, 0},
    {"covtype", "covtype.20k.data", NULL, ',', false, false, 0},
    {"covtype", "covtype_100k.csv.gz", NULL, ',', true, false, 0},
    {"criteo_sample", "train.tsv", NULL, '\t', false, false, 0},
    {"criteo_sample", "dev.tsv", NULL, '\t', false, false, 0},
    {"criteo_sample", "test.tsv", NULL, '\t', false, false, 0},
    {"criteo_sample", "train.tiny.csv", NULL, ',', true, false, 0},
    {"criteo_sample", "criteo_sample.txt", NULL, ',', true, false, 0},
    {"nycflights13", "flights.csv.gz", "NA", ',', true, false, 0},
    {"nycflights13", "weather.csv", "NA", ',', true, false, 0},
    {"nycflights13", "planes.csv", "NA", ',', true, false, 0},
    {"nycflights13", "airports.csv", "NA", ',', true, false, 0},
    {"nycflights13", "airlines.csv", "NA", ',', true, false, 0},
    {"sms_spam", "spam.csv", NULL, ',', true, false, 0},
    {"titanic", "titanic.csv", NULL, ',', true, false, 0},
    {"uci_small", "abalone.csv", "?", ',', false, false, 0},
    {"uci_small", "auto_imports.csv", "?", ',', false, false, 0},
    {"uci_small", "breast-cancer-wisconsin.csv", "?", ',', false, false, 0},
    {"uci_small", "german.csv", "?", ',', false, false, 0},
    {"uci_small", "horse-colic.csv", "?", ',', false, false, 0},
    {"uci_small", "iris.csv", "?", ',', false, false, 0},
    {"uci_small", "pima-indians-diabetes.csv", "?", ',', false, false, 0},
    {"uci_small", "sonar.csv", "?", ',', false, false, 0},
    {"uci_small", "spambase.csv", "?", ',', false, false, 0},
};

static pen_status copy_rows(struct pen_csv_reader *reader, const char *path, struct pen_error *err)
{
    struct pen_store_writer *writer = NULL;
    int64_t n_columns = pen_csv_n_columns(reader);
    struct pen_store_column_spec *specs = calloc((size_t)n_columns + 1, sizeof *specs);
    struct pen_store_options options = {"all", -1, NULL};
    bool restarted = false;
    pen_status status = PEN_OK;
    PEN_TRY_GOTO(cleanup, pen_csv_infer(reader, err));
    for (int64_t i = 0; i < n_columns; i++) {
        specs[i] = (struct pen_store_column_spec){pen_csv_names(reader)[i], pen_csv_type(reader, i)};
    }
    PEN_TRY_GOTO(cleanup, pen_store_create(&writer, path, specs, n_columns, &options, err));
    for (struct pen_batch batch = {.n_rows = 1}; batch.n_rows > 0;) {
        PEN_TRY_GOTO(cleanup, pen_csv_next(reader, &batch, &restarted, err));
        if (batch.n_rows > 0) {
            PEN_TRY_GOTO(cleanup, pen_store_append(writer, batch.columns, batch.n_rows, err));
        }
    }
    status = pen_store_finish(writer, err);
    writer = NULL;
cleanup:
    pen_store_abandon(writer);
    free(specs);
    return status;
}

static pen_status statistics_of(size_t which, struct pen_statistics *statistics, struct pen_error *err)
{
    char path[PEN_PATH_BYTES], store_path[PEN_PATH_BYTES];
    const char *paths[] = {path};
    struct pen_csv_options csv;
    struct pen_csv_reader *reader = NULL;
    struct pen_store *store = NULL;
    (void)snprintf(path, sizeof path, "%s/%s/%s", pen_test_datasets(), files[which].folder, files[which].file);
    (void)snprintf(store_path, sizeof store_path, "%s/%s-%s.h5", pen_test_directory(), files[which].folder,
                   files[which].file);
    pen_csv_options_init(&csv);
    csv.delimiter = files[which].delimiter;
    csv.header = files[which].header ? PEN_CSV_HEADER_YES : PEN_CSV_HEADER_NO;
    csv.trim_spaces = files[which].trim;
    csv.skip_lines = files[which].skip_lines;
    csv.null_markers = &files[which].null_marker;
    csv.n_null_markers = files[which].null_marker != NULL;
    const char *names[256];
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    pen_status status = PEN_OK;
    PEN_TRY_GOTO(cleanup, pen_csv_open(&reader, paths, 1, &csv, err));
    PEN_TRY_GOTO(cleanup, copy_rows(reader, store_path, err));
    PEN_TRY_GOTO(cleanup, pen_store_open(&store, store_path, err));
    for (int64_t i = 0; i < pen_store_n_columns(store); i++) {
        if (pen_store_column_type(store, i) == PEN_TYPE_INT64) {
            names[options.n_categorical++] = pen_store_column_name(store, i);
        }
    }
    options.categorical = names;
    struct pen_statistics_source source = pen_statistics_source_store(store);
    PEN_TRY_GOTO(cleanup, pen_statistics_compute(statistics, &source, 1, &options, err));
cleanup:
    pen_store_close(store);
    pen_csv_close(reader);
    return status;
}

/* "Private x22696": the value, cut to some length, and its count. Several may share the first place. */
static void check_top(const char *where, const struct pen_string_statistics *string, const char *expected)
{
    const char *times = NULL;
    for (const char *c = strstr(expected, " x"); c != NULL; c = strstr(c + 1, " x")) {
        times = c;
    }
    if (times == NULL || string->top.n_items == 0) {
        PEN_CHECK_MSG(expected[0] == '\0', "%s: expected most frequent \"%s\"", where, expected);
        return;
    }
    double count = strtod(times + 2, NULL);
    int64_t n_ranks = string->ranks.n_items;
    bool found = string->ranks.items[n_ranks - 1].count == count; /* it may be among those past the last rank */
    for (int64_t i = 0; i < n_ranks && string->ranks.items[i].count == count; i++) {
        found = found || strncmp(string->ranks.items[i].value, expected, (size_t)(times - expected)) == 0;
    }
    PEN_CHECK_MSG(string->top.items[0].count == count && found, "%s: expected most frequent \"%s\", found \"%s\" x%g",
                  where, expected, string->top.items[0].value, string->top.items[0].count);
}

static void check_feature(const struct pen_feature_statistics *found, char *const *fields)
{
    char where[256];
    (void)snprintf(where, sizeof where, "%s column %s (%s)", fields[0], fields[1], fields[2]);
    PEN_CHECK_MSG(found->n_rows == strtoll(fields[4], NULL, 10), "%s: %lld rows", where, (long long)found->n_rows);
    PEN_CHECK_MSG(found->n_missing == strtoll(fields[5], NULL, 10), "%s: expected %s missing, found %lld", where,
                  fields[5], (long long)found->n_missing);
    if (strcmp(fields[3], "string") == 0) {
        PEN_CHECK_MSG(pen_type_is_string(found->type), "%s is %s", where, pen_type_name(found->type));
    }
    bool leading_zeros = strcmp(fields[0], "horse-colic.csv") == 0; /* "00000": one number, several texts */
    if (found->has_string && !(leading_zeros && found->has_numeric)) {
        PEN_CHECK_MSG(found->string.n_unique == strtoll(fields[6], NULL, 10), "%s: expected %s distinct, found %lld",
                      where, fields[6], (long long)found->string.n_unique);
    }
    if (pen_type_is_string(found->type)) {
        check_top(where, &found->string, fields[12]);
        PEN_CHECK_MSG(found->string.max_length == strtoll(fields[13], NULL, 10),
                      "%s: expected at most %s bytes, found %lld", where, fields[13],
                      (long long)found->string.max_length);
    }
    if (found->has_numeric && fields[8][0] != '\0') {
        const struct pen_numeric_statistics *numeric = &found->numeric;
        double low = strtod(fields[8], NULL), high = strtod(fields[9], NULL), mean = strtod(fields[10], NULL);
        double std = strtod(fields[11], NULL), scale = fabs(low) > fabs(high) ? fabs(low) : fabs(high);
        PEN_CHECK_MSG(numeric->n_zeros == strtoll(fields[7], NULL, 10), "%s: expected %s zeros, found %lld", where,
                      fields[7], (long long)numeric->n_zeros);
        PEN_CHECK_MSG(numeric->min == low && numeric->max == high, "%s: found %.17g to %.17g", where, numeric->min,
                      numeric->max);
        PEN_CHECK_MSG(fabs(numeric->mean - mean) <= 2.3e-16 * fabs(mean) + 1e-17 * scale,
                      "%s: expected mean %.17g, found %.17g", where, mean, numeric->mean);
        PEN_CHECK_MSG(fabs(numeric->std - std) <= 1e-14 * std + 1e-15 * scale, "%s: expected std %.17g, found %.17g",
                      where, std, numeric->std);
    }
}

/* Splits a line at its tabs, in place. */
static int cut_fields(char *line, char **fields)
{
    int n = 0;
    fields[n++] = line;
    for (char *c = line; *c != '\0' && n < N_FIELDS; c++) {
        if (*c == '\t') {
            *c = '\0';
            fields[n++] = c + 1;
        }
    }
    return n;
}

static void check_file(size_t which)
{
    char path[PEN_PATH_BYTES];
    struct pen_text text = {0};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_statistics statistics = {0};
    int n_checked = 0;
    (void)snprintf(path, sizeof path, "%s/%s/EXPECTED_STATS.tsv", pen_test_datasets(), files[which].folder);
    pen_status status = pen_file_read(path, 1 << 22, &text, &err);
    if (status == PEN_OK) {
        status = statistics_of(which, &statistics, &err);
    }
    PEN_CHECK_MSG(status == PEN_OK, "%s/%s: %s", files[which].folder, files[which].file, err.message);
    for (char *line = text.data; status == PEN_OK && line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n'), *fields[N_FIELDS];
        if (end != NULL) {
            *end = '\0';
        }
        if (cut_fields(line, fields) == N_FIELDS && strcmp(fields[0], files[which].file) == 0) {
            int64_t column = strtoll(fields[1], NULL, 10);
            PEN_CHECK(column < statistics.splits[0].n_features);
            if (column < statistics.splits[0].n_features) {
                check_feature(&statistics.splits[0].features[column], fields);
                n_checked++;
            }
        }
        line = end == NULL ? NULL : end + 1;
    }
    PEN_CHECK_MSG(status != PEN_OK || n_checked == statistics.splits[0].n_features, "%s: %d columns checked",
                  files[which].file, n_checked);
    pen_statistics_deinit(&statistics);
    pen_text_deinit(&text);
}

static void every_real_file_has_its_known_statistics(void)
{
    if (pen_test_datasets() == NULL) {
        PEN_SKIP("the real data sets are not here");
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        check_file(i);
    }
}

PEN_SUITE(statistics_expected, PEN_CASE(every_real_file_has_its_known_statistics));
