/* Raw feature stores: what is written comes back, whatever the sizes of batches, chunks and strings. */
#include "core/files.h"
#include "core/memory.h"
#include "core/rng.h"
#include "datasets/store/store.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { N_COLUMNS = 6, SEED = 7 };

static const struct pen_store_column_spec specs[N_COLUMNS] = {
    {"count", PEN_TYPE_INT64},        {"fare", PEN_TYPE_FLOAT64}, {"miles/\xc3\xa9 100%", PEN_TYPE_FLOAT32},
    {"company.name", PEN_TYPE_CODES}, {"..", PEN_TYPE_BYTES},     {"nothing", PEN_TYPE_NONE},
};

/* The cell rules of every test: a pure function of the row number. */
static bool is_present(int column, int64_t row, int64_t first_missing)
{
    return row < first_missing || pen_rng_below(SEED, (uint64_t)column, (uint64_t)row, 10) != 0;
}

static int64_t number_of(int column, int64_t row)
{
    return (int64_t)pen_rng_below(SEED, 100 + (uint64_t)column, (uint64_t)row, 1000003) - 500000;
}

static int string_of(char out[64], int64_t row)
{
    return snprintf(out, 64, "%.*s-%lld", (int)(row % 23), "abcdefghijklmnopqrstuvw", (long long)row);
}

struct batch_memory {
    int64_t *count;
    double *fare;
    float *miles;
    int32_t *codes;
    int64_t *offsets;
    char *bytes;
    uint8_t *validity[N_COLUMNS];
};

static const int64_t dictionary_offsets[] = {0, 3, 3, 9};
static const struct pen_dictionary dictionary = {3, dictionary_offsets, "abcdefghi"};

static void fill(struct batch_memory *memory, struct pen_column columns[N_COLUMNS], int64_t first, int64_t n,
                 int64_t first_missing)
{
    int64_t used = 0;
    memset(columns, 0, N_COLUMNS * sizeof *columns);
    for (int c = 0; c < N_COLUMNS; c++) {
        memset(memory->validity[c], 0, (size_t)(n + 7) / 8);
        columns[c].type = specs[c].type;
        columns[c].n_rows = n;
        bool missing = false;
        for (int64_t i = 0; i < n; i++) {
            bool present = is_present(c, first + i, first_missing);
            missing = missing || !present;
            memory->validity[c][i / 8] = (uint8_t)(memory->validity[c][i / 8] | (present ? 1 << (i % 8) : 0));
        }
        columns[c].validity = missing ? memory->validity[c] : NULL;
    }
    memory->offsets[0] = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = first + i;
        char text[64];
        memory->count[i] = is_present(0, row, first_missing) ? number_of(0, row) : 0;
        memory->fare[i] = is_present(1, row, first_missing) ? (double)number_of(1, row) / 7 : (double)NAN;
        memory->miles[i] = is_present(2, row, first_missing) ? (float)number_of(2, row) : NAN;
        memory->codes[i] = is_present(3, row, first_missing) ? (int32_t)(row % 3) : -1;
        int size = is_present(4, row, first_missing) ? string_of(text, row) : 0;
        memcpy(memory->bytes + used, text, (size_t)size);
        used += size;
        memory->offsets[i + 1] = used;
    }
    columns[0].values = memory->count;
    columns[1].values = memory->fare;
    columns[2].values = memory->miles;
    columns[3].values = memory->codes;
    columns[3].dictionary = &dictionary;
    columns[4].offsets = memory->offsets;
    columns[4].bytes = memory->bytes;
}

static bool allocate(struct batch_memory *memory, int64_t n)
{
    memory->count = pen_calloc(n, 8);
    memory->fare = pen_calloc(n, 8);
    memory->miles = pen_calloc(n, 4);
    memory->codes = pen_calloc(n, 4);
    memory->offsets = pen_calloc(n + 1, 8);
    memory->bytes = pen_calloc(n + 1, 64);
    for (int c = 0; c < N_COLUMNS; c++) {
        memory->validity[c] = pen_calloc(n / 8 + 1, 1);
    }
    return memory->bytes != NULL;
}

static void release(struct batch_memory *memory)
{
    pen_free(memory->count);
    pen_free(memory->fare);
    pen_free(memory->miles);
    pen_free(memory->codes);
    pen_free(memory->offsets);
    pen_free(memory->bytes);
    for (int c = 0; c < N_COLUMNS; c++) {
        pen_free(memory->validity[c]);
    }
}

static pen_status write_rows(const char *path, int64_t n_rows, int64_t batch_rows, int64_t first_missing,
                             struct pen_error *err)
{
    struct pen_store_writer *writer = NULL;
    struct batch_memory memory = {0};
    struct pen_column columns[N_COLUMNS];
    struct pen_store_options options = {"train", 5, "digest"};
    pen_status status = pen_store_create(&writer, path, specs, N_COLUMNS, &options, err);
    if (status == PEN_OK && !allocate(&memory, batch_rows)) {
        status = PEN_ERR_MEMORY;
    }
    for (int64_t first = 0; status == PEN_OK && first < n_rows; first += batch_rows) {
        int64_t n = n_rows - first < batch_rows ? n_rows - first : batch_rows;
        fill(&memory, columns, first, n, first_missing);
        status = pen_store_append(writer, columns, n, err);
    }
    release(&memory);
    if (status != PEN_OK) {
        pen_store_abandon(writer);
        return status;
    }
    return pen_store_finish(writer, err);
}

static bool cell_is_right(int c, const struct pen_column *view, int64_t i, int64_t row)
{
    char text[64];
    size_t size = 0;
    switch (c) {
    case 0:
        return ((const int64_t *)view->values)[i] == number_of(0, row);
    case 1:
        return fabs(((const double *)view->values)[i] - (double)number_of(1, row) / 7) <= 0;
    case 2:
        return fabsf(((const float *)view->values)[i] - (float)number_of(2, row)) <= 0;
    case 3:
        return ((const int32_t *)view->values)[i] == (int32_t)(row % 3);
    case 4: {
        int expected = string_of(text, row);
        const char *found = pen_column_string(view, i, &size);
        return size == (size_t)expected && memcmp(found, text, size) == 0;
    }
    default:
        return false; /* no cell of an empty column is present */
    }
}

/* Reads everything and counts what differs from the rules. */
static int64_t count_wrong_cells(const struct pen_store *store, int64_t first_missing)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_store_buffer buffer = {0};
    int64_t wrong = 0;
    for (int c = 0; c < N_COLUMNS; c++) {
        int64_t row = 0, n_missing = 0;
        for (int64_t chunk = 0; chunk < pen_store_n_chunks(store); chunk++) {
            struct pen_column view;
            if (pen_store_read(store, c, chunk, &buffer, &view, &err) != PEN_OK) {
                pen_test_fail(__FILE__, __LINE__, "%s", err.message);
                wrong++;
                break;
            }
            for (int64_t i = 0; i < view.n_rows; i++, row++) {
                bool present = pen_is_valid(view.validity, i);
                bool expected = c < 5 && is_present(c, row, first_missing);
                n_missing += !present;
                wrong += present != expected || (present && !cell_is_right(c, &view, i, row));
            }
        }
        wrong += row != pen_store_n_rows(store) || n_missing != pen_store_column_n_missing(store, c);
    }
    pen_store_buffer_deinit(&buffer);
    return wrong;
}

static void check_round_trip(int64_t n_rows, int64_t batch_rows, int64_t first_missing)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_store *store = NULL;
    (void)snprintf(path, sizeof path, "%s/split-%lld-%lld.h5", pen_test_directory(), (long long)n_rows,
                   (long long)batch_rows);
    PEN_REQUIRE_OK(write_rows(path, n_rows, batch_rows, first_missing, &err), &err);
    PEN_REQUIRE_OK(pen_store_open(&store, path, &err), &err);
    PEN_CHECK_EQ_I64(pen_store_n_rows(store), n_rows);
    PEN_CHECK_EQ_I64(pen_store_n_columns(store), N_COLUMNS);
    PEN_CHECK_EQ_STR(pen_store_split(store), "train");
    for (int c = 0; c < N_COLUMNS; c++) {
        PEN_CHECK_EQ_STR(pen_store_column_name(store, c), specs[c].name);
        PEN_CHECK_EQ_I64(pen_store_column_type(store, c), specs[c].type);
        PEN_CHECK_EQ_I64(pen_store_find_column(store, specs[c].name), c);
    }
    PEN_CHECK_EQ_I64(pen_store_find_column(store, "absent"), -1);
    PEN_CHECK_EQ_I64(count_wrong_cells(store, first_missing), 0);
    pen_store_close(store);
}

static void small_splits_come_back(void)
{
    static const int64_t sizes[] = {0, 1, 7, 8, 9, 33, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        check_round_trip(sizes[i], 13, 0);
        check_round_trip(sizes[i], 1000, 20);
    }
}

static void chunk_borders_come_back(void)
{
    check_round_trip(PEN_STORE_CHUNK_ROWS - 1, 10007, 0);
    check_round_trip(PEN_STORE_CHUNK_ROWS, 65536, 131000);
    check_round_trip(PEN_STORE_CHUNK_ROWS + 1, 200000, PEN_STORE_CHUNK_ROWS);
    check_round_trip(3 * PEN_STORE_CHUNK_ROWS + 5, 100003, 2 * PEN_STORE_CHUNK_ROWS + 3);
}

static void a_column_without_missing_cells_has_no_bitmap(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_store *store = NULL;
    struct pen_store_buffer buffer = {0};
    struct pen_column view;
    (void)snprintf(path, sizeof path, "%s/full.h5", pen_test_directory());
    PEN_REQUIRE_OK(write_rows(path, 100, 100, 100, &err), &err);
    PEN_REQUIRE_OK(pen_store_open(&store, path, &err), &err);
    PEN_CHECK_OK(pen_store_read(store, 0, 0, &buffer, &view, &err), &err);
    PEN_CHECK(view.validity == NULL);
    PEN_CHECK_EQ_I64(pen_store_dictionary(store, 3)->n_entries, 3);
    PEN_CHECK(pen_store_dictionary(store, 0) == NULL);
    pen_store_buffer_deinit(&buffer);
    pen_store_close(store);
}

static int64_t count_files(const char *folder)
{
    struct pen_arena arena = {NULL};
    char **names = NULL;
    int64_t n_names = -1;
    (void)!pen_directory_list(&arena, folder, &names, &n_names, NULL);
    pen_arena_deinit(&arena);
    return n_names;
}

static void nothing_appears_before_the_end_or_after_giving_up(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_store_writer *writer = NULL;
    (void)snprintf(path, sizeof path, "%s/split.h5", pen_test_directory());
    PEN_REQUIRE_OK(pen_store_create(&writer, path, specs, N_COLUMNS, NULL, &err), &err);
    PEN_CHECK(!pen_path_exists(path));
    pen_store_abandon(writer);
    PEN_CHECK_EQ_I64(count_files(pen_test_directory()), 0);
    PEN_REQUIRE_OK(write_rows(path, 10, 10, 0, &err), &err);
    PEN_CHECK_STATUS(pen_store_create(&writer, path, specs, N_COLUMNS, NULL, &err), PEN_ERR_EXISTS);
    PEN_CHECK_EQ_I64(count_files(pen_test_directory()), 1);
    pen_store_abandon(NULL);
}

static void wrong_types_and_codes_are_refused(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_store_writer *writer = NULL;
    struct pen_store_column_spec spec = {"c", PEN_TYPE_CODES};
    int32_t codes[2] = {0, 3};
    struct pen_column column = {.type = PEN_TYPE_CODES, .n_rows = 2, .values = codes, .dictionary = &dictionary};
    (void)snprintf(path, sizeof path, "%s/split.h5", pen_test_directory());
    PEN_REQUIRE_OK(pen_store_create(&writer, path, &spec, 1, NULL, &err), &err);
    PEN_CHECK_STATUS(pen_store_append(writer, &column, 2, &err), PEN_ERR_DATA);
    PEN_CHECK_CONTAINS(err.message, "expected codes from -1 to 2, found 3");
    PEN_CHECK_STATUS(pen_store_finish(writer, &err), PEN_ERR_DATA);
    PEN_REQUIRE_OK(pen_store_create(&writer, path, &spec, 1, NULL, &err), &err);
    column.type = PEN_TYPE_INT64;
    PEN_CHECK_STATUS(pen_store_append(writer, &column, 2, &err), PEN_ERR_DTYPE);
    pen_store_abandon(writer);
    PEN_CHECK_EQ_I64(count_files(pen_test_directory()), 0);
}

/* Reads column `column` of a store and counts the rows that are not "<row % 7>-row", or missing if a fifth one. */
static int64_t count_wrong_strings(const struct pen_store *store, int64_t column)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_store_buffer buffer = {0};
    int64_t wrong = 0, row = 0;
    for (int64_t chunk = 0; chunk < pen_store_n_chunks(store); chunk++) {
        struct pen_column view;
        if (pen_store_read(store, column, chunk, &buffer, &view, &err) != PEN_OK) {
            pen_test_fail(__FILE__, __LINE__, "%s", err.message);
            break;
        }
        for (int64_t i = 0; i < view.n_rows; i++, row++) {
            char text[32];
            size_t size = 0;
            const int expected = snprintf(text, sizeof text, "%lld-row", (long long)row % 7);
            const bool present = pen_is_valid(view.validity, i);
            const char *found = present ? pen_column_string(&view, i, &size) : NULL;
            wrong += present != (row % 5 != 0);
            wrong += present && (size != (size_t)expected || memcmp(found, text, size) != 0);
        }
    }
    pen_store_buffer_deinit(&buffer);
    return wrong + (row != pen_store_n_rows(store));
}

/* n_codes rows as codes, n_bytes rows as bytes; seven strings, every fifth cell missing. */
static pen_status write_turning(const char *path, int64_t n_codes, int64_t n_bytes, struct pen_error *err)
{
    enum { BATCH = 10000, SIZE = 5 };
    static const int64_t ends[] = {0, 5, 10, 15, 20, 25, 30, 35};
    static const struct pen_dictionary rows = {7, ends, "0-row1-row2-row3-row4-row5-row6-row"};
    static int32_t codes[BATCH];
    static int64_t offsets[BATCH + 1];
    static char bytes[BATCH * SIZE];
    static uint8_t validity[BATCH / 8 + 1];
    struct pen_store_writer *writer = NULL;
    const struct pen_store_column_spec spec = {"c", PEN_TYPE_CODES};
    pen_status status = pen_store_create(&writer, path, &spec, 1, NULL, err);
    for (int64_t row = 0, n = 1; status == PEN_OK && n > 0; row += n) {
        const bool coded = row < n_codes;
        const int64_t left = coded ? n_codes - row : n_codes + n_bytes - row;
        struct pen_column column = {.type = coded ? PEN_TYPE_CODES : PEN_TYPE_BYTES, .validity = validity};
        n = left < BATCH ? left : BATCH;
        memset(validity, 0, sizeof validity);
        for (int64_t i = 0; i < n; i++) {
            const bool present = (row + i) % 5 != 0;
            codes[i] = present ? (int32_t)((row + i) % 7) : -1;
            validity[i / 8] = (uint8_t)(validity[i / 8] | (present ? 1 << (i % 8) : 0));
            offsets[i + 1] = offsets[i] + (present ? SIZE : 0);
            memcpy(bytes + offsets[i], rows.bytes + ends[(row + i) % 7], (size_t)(offsets[i + 1] - offsets[i]));
        }
        column.n_rows = n;
        column.values = coded ? codes : NULL;
        column.dictionary = coded ? &rows : NULL;
        column.offsets = coded ? NULL : offsets;
        column.bytes = coded ? NULL : bytes;
        status = pen_store_append(writer, &column, n, err); /* the last one has no rows */
    }
    if (status != PEN_OK) {
        pen_store_abandon(writer);
        return status;
    }
    return pen_store_finish(writer, err);
}

static void codes_that_turn_to_bytes_are_bytes_from_the_first_row(void)
{
    static const int64_t sizes[][2] = {{1, 0},  {1, 1},       {1000, 1000},
                                       {0, 20}, {300000, 10}, {PEN_STORE_CHUNK_ROWS, PEN_STORE_CHUNK_ROWS}};
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_store *store = NULL;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/turn-%zu.h5", pen_test_directory(), i);
        PEN_REQUIRE_OK(write_turning(path, sizes[i][0], sizes[i][1], &err), &err);
        PEN_REQUIRE_OK(pen_store_open(&store, path, &err), &err);
        PEN_CHECK_EQ_I64(pen_store_n_rows(store), sizes[i][0] + sizes[i][1]);
        PEN_CHECK_EQ_I64(pen_store_column_type(store, 0), PEN_TYPE_BYTES);
        PEN_CHECK(pen_store_dictionary(store, 0) == NULL);
        PEN_CHECK_EQ_I64(count_wrong_strings(store, 0), 0);
        pen_store_close(store);
    }
}

static void the_same_rows_make_the_same_columns_whatever_the_batches(void)
{
    char path[2][PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text text[2] = {{0}, {0}};
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path[i], sizeof path[i], "%s/same-%d.h5", pen_test_directory(), i);
        PEN_REQUIRE_OK(write_rows(path[i], 5000, i == 0 ? 5000 : 77, 40, &err), &err);
        PEN_REQUIRE_OK(pen_file_read(path[i], 1 << 24, &text[i], &err), &err);
    }
    PEN_CHECK_EQ_I64(text[0].size_bytes, text[1].size_bytes);
    PEN_CHECK(memcmp(text[0].data, text[1].data, text[0].size_bytes) == 0);
    pen_text_deinit(&text[0]);
    pen_text_deinit(&text[1]);
}

PEN_SUITE(store, PEN_CASE(small_splits_come_back), PEN_CASE(chunk_borders_come_back),
          PEN_CASE(a_column_without_missing_cells_has_no_bitmap),
          PEN_CASE(nothing_appears_before_the_end_or_after_giving_up), PEN_CASE(wrong_types_and_codes_are_refused),
          PEN_CASE(codes_that_turn_to_bytes_are_bytes_from_the_first_row),
          PEN_CASE(the_same_rows_make_the_same_columns_whatever_the_batches));
