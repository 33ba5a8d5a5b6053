/* What a batch of the CSV reader is: the same rows whatever the number of threads, and the types it may have. */
#include "core/files.h"
#include "core/rng.h"
#include "datasets/csv/csv.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <string.h>

enum { N_ROWS = 3000 };

static bool put(char path[PEN_PATH_BYTES], const char *name, const struct pen_text *text)
{
    (void)snprintf(path, PEN_PATH_BYTES, "%.2000s/%s", pen_test_directory(), name);
    return pen_file_write_atomic(path, text->data, text->size_bytes, NULL) == PEN_OK;
}

/* Rows of very different lengths, some over many chunks; quoted line ends and delimiters; CRLF here and there. From
 * row `irregular` on also quotes that RFC 4180 does not know. */
static void write_rows(struct pen_text *text, int64_t irregular)
{
    pen_text_append(text, "a,b\n");
    for (int64_t row = 0; row < N_ROWS; row++) {
        const int64_t size = (int64_t)pen_rng_below(5, 1, (uint64_t)row, row % 100 == 0 ? 2000 : 20);
        pen_text_printf(text, "%lld,", (long long)row);
        pen_text_append(text, row % 7 == 0 ? "\"x\ny,\"\"" : row >= irregular && row % 5 == 0 ? "x\"y" : "z");
        for (int64_t i = 0; i < size; i++) {
            pen_text_append(text, row % 7 == 0 && i % 9 == 8 ? "\n" : "w");
        }
        pen_text_append(text, row % 7 == 0 ? "\"" : "");
        pen_text_append(text, row % 11 == 0 ? "\r\n" : "\n");
    }
}

/* "first row+rows " of every batch. */
static void list_batches(const char *path, int64_t chunk_bytes, int n_threads, struct pen_text *list)
{
    struct pen_csv_options options;
    struct pen_csv_reader *reader = NULL;
    struct pen_batch batch;
    struct pen_error err = PEN_ERROR_INIT;
    bool restarted = false;
    int64_t n_rows = 0;
    pen_csv_options_init(&options);
    options.chunk_bytes = chunk_bytes;
    options.n_threads = n_threads;
    PEN_REQUIRE_OK(pen_csv_open(&reader, &path, 1, &options, &err), &err);
    while (pen_csv_next(reader, &batch, &restarted, &err) == PEN_OK && batch.n_rows > 0) {
        pen_text_printf(list, "%lld+%lld ", (long long)batch.first_row, (long long)batch.n_rows);
        for (int64_t row = 0; row < batch.n_rows; row++, n_rows++) {
            PEN_CHECK_EQ_I64(((const int64_t *)batch.columns[0].values)[row], n_rows);
        }
    }
    PEN_CHECK_EQ_I64(n_rows, N_ROWS);
    pen_csv_close(reader);
}

static void batches_do_not_depend_on_threads(void)
{
    static const int64_t irregular[] = {N_ROWS, 0, 1500};
    static const int64_t chunks[] = {1, 50, 1000, 20000};
    for (int way = 0; way < 12; way++) {
        struct pen_text text = {0}, one = {0};
        char path[PEN_PATH_BYTES];
        write_rows(&text, irregular[way / 4]);
        PEN_REQUIRE(put(path, "rows.csv", &text));
        list_batches(path, chunks[way % 4], 1, &one);
        for (int n_threads = 2; n_threads <= 5; n_threads++) {
            struct pen_text other = {0};
            list_batches(path, chunks[way % 4], n_threads, &other);
            PEN_CHECK_EQ_STR(pen_text_view(&other), pen_text_view(&one));
            pen_text_deinit(&other);
        }
        pen_text_deinit(&text);
        pen_text_deinit(&one);
    }
}

/* Column s: 50 strings, from row 1000 on one a row; column t: ten. 100 distinct ones are too many. */
static int64_t string_of(int64_t column, int64_t row)
{
    return column == 1 ? row % 10 : row < 1000 ? row % 50 : row;
}

static void too_many_codes_turn_to_bytes_without_a_restart(void)
{
    struct pen_text text = {0};
    struct pen_csv_options options;
    struct pen_csv_reader *reader = NULL;
    struct pen_batch batch;
    struct pen_error err = PEN_ERROR_INIT;
    bool restarted = false;
    int64_t row = 0, turned_at = -1;
    char path[PEN_PATH_BYTES];
    const char *list = path;
    pen_text_append(&text, "s,t\n");
    for (int64_t i = 0; i < N_ROWS; i++) {
        pen_text_printf(&text, "s%lld,t%lld\n", (long long)string_of(0, i), (long long)string_of(1, i));
    }
    PEN_REQUIRE(put(path, "late.csv", &text));
    pen_csv_options_init(&options);
    options.late_bytes = true;
    options.max_distinct = 100;
    options.chunk_bytes = 300; /* less than 100 rows */
    PEN_REQUIRE_OK(pen_csv_open(&reader, &list, 1, &options, &err), &err);
    while (pen_csv_next(reader, &batch, &restarted, &err) == PEN_OK && batch.n_rows > 0) {
        const enum pen_type type = batch.columns[0].type;
        turned_at = turned_at < 0 && type == PEN_TYPE_BYTES ? row : turned_at;
        PEN_CHECK_EQ_I64(type, turned_at >= 0 ? PEN_TYPE_BYTES : PEN_TYPE_CODES);
        PEN_CHECK_EQ_I64(batch.columns[1].type, PEN_TYPE_CODES);
        for (int64_t i = 0; i < batch.n_rows; i++, row++) {
            char expected[32];
            for (int64_t c = 0; c < 2; c++) {
                size_t size = 0;
                const char *cell = pen_column_string(&batch.columns[c], i, &size);
                const int n =
                    snprintf(expected, sizeof expected, "%c%lld", c == 0 ? 's' : 't', (long long)string_of(c, row));
                PEN_CHECK(size == (size_t)n && memcmp(cell, expected, size) == 0);
            }
        }
    }
    PEN_CHECK_OK(err.status, &err);
    PEN_CHECK(!restarted);
    PEN_CHECK_EQ_I64(row, N_ROWS);
    PEN_CHECK(turned_at > 900 && turned_at <= 1050);
    PEN_CHECK_EQ_I64(pen_csv_type(reader, 0), PEN_TYPE_BYTES);
    pen_csv_close(reader);
    pen_text_deinit(&text);
}

enum { N_LARGE = 40000, N_LARGE_STRINGS = 9000 };

/* What row i of a column of many strings holds: some longer than 16 bytes, some with quotes, some missing. */
static void large_string(int64_t i, char *content, size_t room)
{
    const int64_t k = (i * 7919) % N_LARGE_STRINGS;
    if (k % 5 == 0) {
        (void)snprintf(content, room, "a \"long\" string, number %lld", (long long)k);
    } else {
        (void)snprintf(content, room, "%s%lld", k % 3 == 0 ? "say \"" : "s", (long long)k);
    }
    if (i % 13 == 5) {
        content[0] = '\0';
    }
}

static void write_large(struct pen_text *text)
{
    pen_text_append(text, "s,n\n");
    for (int64_t i = 0; i < N_LARGE; i++) {
        char content[64];
        large_string(i, content, sizeof content);
        const bool quoted = strchr(content, '"') != NULL || (content[0] != '\0' && i % 4 == 0);
        pen_text_append(text, quoted ? "\"" : "");
        for (const char *c = content; *c != '\0'; c++) {
            pen_text_printf(text, "%s%c", *c == '"' ? "\"" : "", *c);
        }
        pen_text_printf(text, "%s,%lld\n", quoted ? "\"" : "", (long long)i);
    }
}

static void a_large_dictionary_gives_every_cell_its_string(void)
{
    struct pen_text text = {0};
    struct pen_csv_options options;
    struct pen_csv_reader *reader = NULL;
    struct pen_batch batch;
    struct pen_error err = PEN_ERROR_INIT;
    bool restarted = false;
    int64_t row = 0, most = -1;
    char path[PEN_PATH_BYTES];
    const char *list = path;
    write_large(&text);
    PEN_REQUIRE(put(path, "large.csv", &text));
    pen_csv_options_init(&options);
    options.chunk_bytes = 20000;
    PEN_REQUIRE_OK(pen_csv_open(&reader, &list, 1, &options, &err), &err);
    while (pen_csv_next(reader, &batch, &restarted, &err) == PEN_OK && batch.n_rows > 0) {
        const struct pen_column *column = &batch.columns[0];
        PEN_REQUIRE(column->type == PEN_TYPE_CODES);
        for (int64_t i = 0; i < batch.n_rows; i++, row++) {
            char expected[64];
            size_t size = 0;
            large_string(row, expected, sizeof expected);
            PEN_CHECK_EQ_I64(pen_is_valid(column->validity, i), expected[0] != '\0');
            if (expected[0] != '\0') {
                const int32_t code = ((const int32_t *)column->values)[i];
                const char *found = pen_column_string(column, i, &size);
                PEN_REQUIRE(size == strlen(expected) && memcmp(found, expected, size) == 0);
                PEN_REQUIRE(code <= most + 1); /* numbered by first appearance */
                most = code > most ? code : most;
            }
        }
    }
    PEN_CHECK_EQ_I64(row, N_LARGE);
    PEN_CHECK_EQ_I64(most, N_LARGE_STRINGS - 1);
    pen_csv_close(reader);
    pen_text_deinit(&text);
}

PEN_SUITE(csv_batches, PEN_CASE(batches_do_not_depend_on_threads),
          PEN_CASE(too_many_codes_turn_to_bytes_without_a_restart),
          PEN_CASE(a_large_dictionary_gives_every_cell_its_string));
