/* Rows as tf.Example: bytes written down by hand from the encoding's definition, and a serialiser that knows nothing of
 * short cells, from the innermost message outwards. */
#include "components/example_gen/tf_example.h"
#include "core/rng.h"
#include "core/text.h"
#include "tests/pen_test.h"

#include <stdio.h>

enum { N_COLUMNS = 6, N_ROWS = 400, TEXT_MAX = 20000 };

static void append_varint(struct pen_text *text, uint64_t value)
{
    while (value >= 128) {
        const char digit = (char)(value % 128 + 128);
        pen_text_append_bytes(text, &digit, 1);
        value /= 128;
    }
    const char last = (char)value;
    pen_text_append_bytes(text, &last, 1);
}

/* Replaces the text by a length-delimited field that holds it. */
static void wrap(struct pen_text *text, int field)
{
    struct pen_text outer = {0};
    append_varint(&outer, (uint64_t)field * 8 + 2);
    append_varint(&outer, text->size_bytes);
    pen_text_append_bytes(&outer, text->data, text->size_bytes);
    pen_text_deinit(text);
    *text = outer;
}

static void append_value(struct pen_text *value, const struct pen_column *column, int64_t row)
{
    if (column->type == PEN_TYPE_INT64) {
        append_varint(value, (uint64_t)((const int64_t *)column->values)[row]);
    } else if (pen_type_is_number(column->type)) {
        const float real = column->type == PEN_TYPE_FLOAT64 ? (float)((const double *)column->values)[row]
                                                            : ((const float *)column->values)[row];
        pen_text_append_bytes(value, (const char *)&real, 4);
    } else {
        size_t size = 0;
        const char *bytes = pen_column_string(column, row, &size);
        pen_text_append_bytes(value, bytes, size);
    }
}

static void append_feature(struct pen_text *feature, const struct pen_column *column, int64_t row)
{
    if (column->type == PEN_TYPE_NONE) {
        return;
    }
    if (pen_is_valid(column->validity, row)) {
        append_value(feature, column, row);
        wrap(feature, 1);
    }
    wrap(feature, pen_type_is_string(column->type) ? 1 : column->type == PEN_TYPE_INT64 ? 3 : 2);
}

/* names[i] belongs to columns[i]; they come in name order. */
static void serialise(struct pen_text *message, const char *const *names, const struct pen_column *columns, int64_t row)
{
    for (int c = 0; c < N_COLUMNS; c++) {
        struct pen_text entry = {0}, feature = {0};
        pen_text_append(&entry, names[c]);
        wrap(&entry, 1);
        append_feature(&feature, &columns[c], row);
        wrap(&feature, 2);
        pen_text_append_bytes(&entry, feature.data, feature.size_bytes);
        wrap(&entry, 1);
        pen_text_append_bytes(message, entry.data, entry.size_bytes);
        pen_text_deinit(&entry);
        pen_text_deinit(&feature);
    }
    wrap(message, 1);
}

static int64_t integers[N_ROWS];
static double doubles[N_ROWS];
static float singles[N_ROWS];
static int32_t codes[N_ROWS];
static int64_t offsets[N_ROWS + 1];
static char bytes[TEXT_MAX * 4];
static uint8_t validity[N_ROWS / 8 + 1];

/* Rows 0 .. 139 have strings of that many bytes, then some around 16 KiB, then short ones. */
static void fill(struct pen_column columns[N_COLUMNS], const struct pen_dictionary *dictionary)
{
    for (int64_t row = 0; row < N_ROWS; row++) {
        const int64_t size = row < 140 ? row : row < 143 ? 16370 + row : row % 9;
        integers[row] =
            (int64_t)(pen_rng_below(3, 0, (uint64_t)row, UINT64_MAX) >> (row % 64)) * (row % 3 == 0 ? -1 : 1);
        doubles[row] = (double)row / 7 - 20;
        singles[row] = (float)row / 3;
        codes[row] = (int32_t)(row % dictionary->n_entries);
        offsets[row + 1] = offsets[row] + size;
        for (int64_t i = offsets[row]; i < offsets[row + 1]; i++) {
            bytes[i] = (char)(i % 251);
        }
        if (row % 6 != 5) {
            validity[row / 8] = (uint8_t)(validity[row / 8] | 1 << (row % 8));
        }
    }
    columns[0] = (struct pen_column){.type = PEN_TYPE_INT64, .values = integers};
    columns[1] = (struct pen_column){.type = PEN_TYPE_FLOAT64, .values = doubles, .validity = validity};
    columns[2] = (struct pen_column){.type = PEN_TYPE_FLOAT32, .values = singles};
    columns[3] = (struct pen_column){.type = PEN_TYPE_CODES, .values = codes, .validity = validity};
    columns[3].dictionary = dictionary;
    columns[4] = (struct pen_column){.type = PEN_TYPE_BYTES, .offsets = offsets, .bytes = bytes};
    columns[5] = (struct pen_column){.type = PEN_TYPE_NONE};
}

static void check_rows(const char *const *sorted_names, const char *const *given_names, const int *place)
{
    static const int64_t entry_offsets[] = {0, 0, 3, 8, 24, 41};
    static const struct pen_dictionary dictionary = {5, entry_offsets, "abcdefghijklmnopqrstuvwxyzabcdefghijklmno"};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_column sorted[N_COLUMNS], given[N_COLUMNS];
    struct pen_tf_layout layout;
    struct pen_tf_buffer buffer = {0};
    fill(sorted, &dictionary);
    for (int c = 0; c < N_COLUMNS; c++) {
        given[place[c]] = sorted[c];
    }
    const struct pen_batch batch = {N_ROWS, 0, N_COLUMNS, given_names, given};
    PEN_REQUIRE_OK(pen_tf_layout_init(&layout, &batch, &err), &err);
    for (int64_t row = 0; row < N_ROWS; row++) {
        struct pen_text expected = {0};
        serialise(&expected, sorted_names, sorted, row);
        PEN_REQUIRE_OK(pen_tf_example_write(&layout, row, &buffer, &err), &err);
        PEN_CHECK_EQ_I64(buffer.size_bytes, (int64_t)expected.size_bytes);
        PEN_CHECK(memcmp(buffer.data, expected.data, expected.size_bytes) == 0);
        pen_text_deinit(&expected);
        for (int c = 0; c < N_COLUMNS; c++) {
            append_feature(&expected, &sorted[c], row);
            PEN_REQUIRE_OK(pen_tf_feature_write(&sorted[c], row, &buffer, &err), &err);
            PEN_CHECK_EQ_I64(buffer.size_bytes, (int64_t)expected.size_bytes);
            PEN_CHECK(expected.size_bytes == 0 || memcmp(buffer.data, expected.data, expected.size_bytes) == 0);
            pen_text_deinit(&expected);
        }
    }
    pen_tf_layout_deinit(&layout);
    pen_tf_buffer_deinit(&buffer);
}

static void rows_of_all_types_and_sizes(void)
{
    static const char *const sorted[] = {"a", "b", "c", "d", "e", "f"};
    static const char *const given[] = {"f", "a", "e", "b", "d", "c"};
    static const int place[] = {1, 3, 5, 4, 2, 0};
    check_rows(sorted, given, place);
}

/* Heads of 16, 17, 64 and 65 bytes, and names that need two bytes of length. */
static void names_of_all_sizes(void)
{
    static char names[N_COLUMNS][200];
    static const int sizes[N_COLUMNS] = {6, 7, 54, 55, 117, 150};
    static const int place[] = {0, 1, 2, 3, 4, 5};
    const char *list[N_COLUMNS];
    for (int c = 0; c < N_COLUMNS; c++) {
        memset(names[c], 'a' + c, (size_t)sizes[c]);
        list[c] = names[c];
    }
    check_rows(list, list, place);
}

/* features {feature {key: "n" value {int64_list {value: 150}}} feature {key: "s" value {bytes_list {value: "hi"}}}
 * feature {key: "x" value {float_list {}}}} */
static void a_row_written_down_by_hand(void)
{
    static const uint8_t expected[] = {0x0A, 0x23, 0x0A, 0x0B, 0x0A, 0x01, 0x6E, 0x12, 0x06, 0x1A, 0x04, 0x0A, 0x02,
                                       0x96, 0x01, 0x0A, 0x0B, 0x0A, 0x01, 0x73, 0x12, 0x06, 0x0A, 0x04, 0x0A, 0x02,
                                       0x68, 0x69, 0x0A, 0x07, 0x0A, 0x01, 0x78, 0x12, 0x02, 0x12, 0x00};
    static const char *const names[] = {"x", "s", "n"};
    const int64_t n = 150, ends[] = {0, 2};
    const double x = 0;
    const uint8_t none = 0;
    const struct pen_column columns[] = {{.type = PEN_TYPE_FLOAT64, .n_rows = 1, .values = &x, .validity = &none},
                                         {.type = PEN_TYPE_BYTES, .n_rows = 1, .offsets = ends, .bytes = "hi"},
                                         {.type = PEN_TYPE_INT64, .n_rows = 1, .values = &n}};
    const struct pen_batch batch = {1, 0, 3, names, columns};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_tf_layout layout;
    struct pen_tf_buffer buffer = {0};
    PEN_REQUIRE_OK(pen_tf_layout_init(&layout, &batch, &err), &err);
    PEN_REQUIRE_OK(pen_tf_example_write(&layout, 0, &buffer, &err), &err);
    PEN_CHECK_EQ_I64(buffer.size_bytes, (int64_t)sizeof expected);
    PEN_CHECK(memcmp(buffer.data, expected, sizeof expected) == 0);
    pen_tf_layout_deinit(&layout);
    pen_tf_buffer_deinit(&buffer);
}

PEN_SUITE(tf_example, PEN_CASE(a_row_written_down_by_hand), PEN_CASE(rows_of_all_types_and_sizes),
          PEN_CASE(names_of_all_sizes));
