/* Generated samples: rows depend on name, seed and row number alone, and look like what they stand for. */
#include "core/files.h"
#include "datasets/samples/samples.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>

static pen_status generate(const char *name, int64_t n_rows, uint64_t seed, struct pen_text *text)
{
    static int counter;
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    (void)snprintf(path, sizeof path, "%s/%s-%d.csv", pen_test_directory(), name, counter++);
    pen_status status = pen_sample_generate(name, n_rows, seed, path, &err);
    if (status == PEN_OK) {
        status = pen_file_read(path, 1 << 26, text, &err);
    }
    if (status != PEN_OK) {
        pen_test_fail(__FILE__, __LINE__, "%s", err.message);
    }
    return status;
}

static void rows_do_not_depend_on_how_many_there_are(void)
{
    for (const struct pen_sample *sample = pen_samples; sample->name != NULL; sample++) {
        struct pen_text many = {0}, few = {0}, other = {0}, none = {0};
        PEN_REQUIRE(generate(sample->name, 20000, 3, &many) == PEN_OK);
        PEN_REQUIRE(generate(sample->name, 777, 3, &few) == PEN_OK);
        PEN_REQUIRE(generate(sample->name, 777, 4, &other) == PEN_OK);
        PEN_REQUIRE(generate(sample->name, 0, 4, &none) == PEN_OK);
        PEN_CHECK(few.size_bytes < many.size_bytes && memcmp(few.data, many.data, few.size_bytes) == 0);
        PEN_CHECK(other.size_bytes != few.size_bytes || memcmp(other.data, few.data, few.size_bytes) != 0);
        PEN_CHECK(strchr(none.data, '\n') == none.data + none.size_bytes - 1);
        pen_text_deinit(&many);
        pen_text_deinit(&few);
        pen_text_deinit(&other);
        pen_text_deinit(&none);
    }
}

/* Fields of one line, without quotes and line ends inside. */
static int64_t split_fields(char *line, char *fields[32])
{
    int64_t n = 0;
    bool quoted = false;
    fields[n++] = line;
    for (char *c = line; *c != '\0'; c++) {
        quoted = quoted != (*c == '"');
        if (*c == ',' && !quoted && n < 32) {
            *c = '\0';
            fields[n++] = c + 1;
        }
    }
    return n;
}

static void taxi_has_the_columns_of_the_real_sample(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_text real = {0}, made = {0};
    struct pen_error err = PEN_ERROR_INIT;
    if (pen_test_datasets() == NULL) {
        PEN_SKIP("no data sets here");
    }
    (void)snprintf(path, sizeof path, "%s/chicago_taxi/data.csv", pen_test_datasets());
    PEN_REQUIRE_OK(pen_file_read(path, 1 << 26, &real, &err), &err);
    PEN_REQUIRE(generate("taxi", 0, 1, &made) == PEN_OK);
    PEN_CHECK(strncmp(real.data, made.data, made.size_bytes) == 0);
    pen_text_deinit(&real);
    pen_text_deinit(&made);
}

static void taxi_looks_like_taxi_trips(void)
{
    enum { N = 20000 };
    struct pen_text text = {0};
    PEN_REQUIRE(generate("taxi", N, 1, &text) == PEN_OK);
    int64_t n_rows = 0, n_big = 0, n_card = 0, n_card_big = 0, n_no_company = 0, n_wrong = 0;
    char *line = strchr(text.data, '\n') + 1;
    while (*line != '\0') {
        char *fields[32] = {NULL}, *next = strchr(line, '\n') + 1;
        next[-1] = '\0';
        PEN_REQUIRE(split_fields(line, fields) == 18);
        PEN_REQUIRE(fields[1] != NULL && fields[17] != NULL);
        double fare = strtod(fields[1], NULL), tips = strtod(fields[17], NULL);
        bool big = tips > 0.2 * fare, card = strcmp(fields[13], "Credit Card") == 0;
        n_rows++;
        n_big += big;
        n_card += card;
        n_card_big += card && big;
        n_no_company += fields[14][0] == '\0';
        n_wrong += !(fare >= 3.25 && fare < 200) || tips < 0;
        line = next;
    }
    PEN_CHECK_EQ_I64(n_rows, N);
    PEN_CHECK_EQ_I64(n_wrong, 0);
    PEN_CHECK_NEAR((double)n_big / N, 0.25, 0.05);
    PEN_CHECK_NEAR((double)n_card / N, 0.46, 0.04);
    PEN_CHECK_NEAR((double)n_card_big / (double)n_big, 0.96, 0.04);
    PEN_CHECK_NEAR((double)n_no_company / N, 0.34, 0.02);
    pen_text_deinit(&text);
}

static void unknown_names_and_existing_files_are_refused(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    (void)snprintf(path, sizeof path, "%s/x.csv", pen_test_directory());
    PEN_CHECK_STATUS(pen_sample_generate("taxis", 1, 1, path, &err), PEN_ERR_USAGE);
    PEN_CHECK_CONTAINS(err.message, "did you mean 'taxi'?");
    PEN_CHECK_STATUS(pen_sample_generate("taxi", -1, 1, path, &err), PEN_ERR_USAGE);
    PEN_CHECK(!pen_path_exists(path));
    PEN_CHECK_OK(pen_sample_generate("taxi", 1, 1, path, &err), &err);
    PEN_CHECK_STATUS(pen_sample_generate("taxi", 1, 1, path, &err), PEN_ERR_EXISTS);
    PEN_CHECK(pen_sample_find("clicks") != NULL && pen_sample_find("cl") == NULL);
}

PEN_SUITE(samples, PEN_CASE(rows_do_not_depend_on_how_many_there_are),
          PEN_CASE(taxi_has_the_columns_of_the_real_sample), PEN_CASE(taxi_looks_like_taxi_trips),
          PEN_CASE(unknown_names_and_existing_files_are_refused));
