/* The CSV reader against tables known cell by cell: random tables written with random quoting are read back at every
 * SIMD level, thread count and block size; guesses proved wrong; errors by line; numbers against strtod. */
#include "core/files.h"
#include "datasets/csv/csv.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

static const char *file_with(const char *name, const char *bytes, size_t size)
{
    static char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    (void)snprintf(path, sizeof path, "%s/%s", pen_test_directory(), name);
    PEN_CHECK_OK(pen_file_write_atomic(path, bytes, size, &err), &err);
    return path;
}

/* Rows as text, one cell a line item: "a|NULL|1.5\n"; numbers with %.17g. Returns the final status. */
static pen_status dump(const char *path, const struct pen_csv_options *options, struct pen_text *out, int *n_restarts,
                       struct pen_error *err)
{
    struct pen_csv_reader *reader;
    pen_text_reset(out);
    *n_restarts = 0;
    PEN_TRY(pen_csv_open(&reader, &path, 1, options, err));
    pen_status status;
    struct pen_batch batch;
    bool restarted;
    while ((status = pen_csv_next(reader, &batch, &restarted, err)) == PEN_OK && (batch.n_rows > 0 || restarted)) {
        if (restarted) {
            pen_text_reset(out);
            ++*n_restarts;
        }
        for (int64_t r = 0; r < batch.n_rows; r++) {
            for (int64_t c = 0; c < batch.n_columns; c++) {
                const struct pen_column *column = &batch.columns[c];
                size_t size;
                if (!pen_is_valid(column->validity, r)) {
                    pen_text_append(out, "NULL");
                } else if (column->type == PEN_TYPE_INT64) {
                    pen_text_printf(out, "%lld", (long long)((const int64_t *)column->values)[r]);
                } else if (column->type == PEN_TYPE_FLOAT64) {
                    pen_text_printf(out, "%.17g", ((const double *)column->values)[r]);
                } else {
                    const char *text = pen_column_string(column, r, &size);
                    pen_text_append(out, "'");
                    pen_text_append_bytes(out, text, size);
                }
                pen_text_append(out, "|");
            }
            pen_text_append(out, "\n");
        }
    }
    for (int64_t c = 0; status == PEN_OK && c < pen_csv_n_columns(reader); c++) {
        pen_text_printf(out, "%d,", (int)pen_csv_type(reader, c));
    }
    pen_csv_close(reader);
    return status;
}

static void check_text(const char *csv, const char *expected)
{
    struct pen_csv_options options;
    struct pen_text out = {0};
    struct pen_error err = PEN_ERROR_INIT;
    int n_restarts;
    pen_csv_options_init(&options);
    options.header = PEN_CSV_HEADER_YES;
    options.delimiter = ',';
    const pen_status status = dump(file_with("t.csv", csv, strlen(csv)), &options, &out, &n_restarts, &err);
    if (status != PEN_OK) {
        PEN_CHECK_CONTAINS(err.message, expected);
    } else {
        PEN_CHECK_CONTAINS(pen_text_view(&out), expected);
    }
    pen_text_deinit(&out);
}

static void it_reads_the_rfc_and_beyond(void)
{
    check_text("a,b\n1,2\n", "1|2|\n");
    check_text("a,b\r\n1,2\r\n3,4", "1|2|\n3|4|\n");
    check_text("a,b\r1,2\r3,4\r", "1|2|\n3|4|\n");
    check_text("a,b\n\n\n1,\n", "1|NULL|\n");
    check_text("\xef\xbb\xbf"
               "a,b\n\"x\"\"y\",\"p,\nq\"\n",
               "'x\"y|'p,\nq|\n");
    check_text("a,b\nx\"y\"z,\"a\"b\n", "'x\"y\"z|'ab|\n");
    check_text("a,b\n\"\",x\n", "NULL|'x|\n");
    check_text("a\n9223372036854775807\n", "9223372036854775807|");
    check_text("a\n9223372036854775808\n1\n", "'9223372036854775808|\n'1|\n");
    check_text("a\n 12 \n1e999\n-0\n", "12|\ninf|\n-0|\n");
    check_text("a\n01234\n", "1234|");
    check_text("a\n0x10\n", "'0x10|");
    check_text("a,b\n1\n", "line 2: expected 2 fields, found 1");
    check_text("a,b\n1,2\n\"3\n4\",5\n6,7,8\n", "line 5: expected 2 fields, found 3");
    check_text("a,b\n1,\"x\n2,3\n", "line 2 column 3 is never closed");
    check_text("", "empty file");
    check_text("\xff\xfe"
               "a\0",
               "UTF-16");
}

static void random_cell(struct pen_text *csv, struct pen_text *expected, uint32_t *seed, bool quotes)
{
    static const char alphabet[] = "ab,\"\n\r;z \xc3\xa9";
    char raw[200];
    *seed = *seed * 1664525u + 1013904223u;
    const size_t size = (*seed >> 8) % 7 == 0 ? (*seed >> 12) % 180 : (*seed >> 12) % 6;
    for (size_t i = 0; i < size; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        raw[i] = quotes ? alphabet[(*seed >> 16) % (sizeof alphabet - 1)] : (char)('a' + (*seed >> 16) % 26);
    }
    pen_text_append(expected, size == 0 ? "NULL" : "'");
    pen_text_append_bytes(expected, raw, size);
    pen_text_append(expected, "|");
    bool quote = (*seed >> 28) % 3 == 0;
    for (size_t i = 0; i < size; i++) {
        quote = quote || strchr(",\"\n\r", raw[i]) != NULL;
    }
    pen_text_append(csv, quote ? "\"" : "");
    for (size_t i = 0; i < size; i++) {
        pen_text_append(csv, raw[i] == '"' ? "\"" : "");
        pen_text_append_char(csv, raw[i]);
    }
    pen_text_append(csv, quote ? "\"" : "");
}

static void it_reads_back_random_tables_the_same_at_every_level(void)
{
    static const int64_t chunks[] = {1, 17, 64, 100, 5000, 1 << 20};
    for (uint32_t table = 0; table < 12; table++) {
        struct pen_text csv = {0}, expected = {0}, out = {0};
        uint32_t seed = table * 7919 + 1;
        const int n_columns = 2 + (int)(table % 4);
        for (int c = 0; c < n_columns; c++) {
            pen_text_printf(&csv, "%sc%d", c > 0 ? "," : "", c);
        }
        for (int r = 0; r < 150; r++) {
            pen_text_append(&csv, table % 3 == 0 ? "\r\n" : table % 3 == 1 ? "\n" : "\r");
            for (int c = 0; c < n_columns; c++) {
                pen_text_append(&csv, c > 0 ? "," : "");
                random_cell(&csv, &expected, &seed, table != 5);
            }
            pen_text_append(&expected, "\n");
        }
        for (int c = 0; c < n_columns; c++) {
            pen_text_printf(&expected, "%d,", (int)PEN_TYPE_CODES);
        }
        const char *path = file_with("r.csv", pen_text_view(&csv), csv.size_bytes);
        for (int way = 0; way < 36; way++) {
            struct pen_csv_options options;
            struct pen_error err = PEN_ERROR_INIT;
            int n_restarts;
            pen_csv_options_init(&options);
            options.delimiter = ',';
            options.header = PEN_CSV_HEADER_YES;
            options.level = (enum pen_csv_level)(1 + way % 3);
            options.chunk_bytes = chunks[way / 3 % 6];
            options.n_threads = 1 + way / 18 * 2;
            const pen_status status = dump(path, &options, &out, &n_restarts, &err);
            if (status == PEN_ERR_UNSUPPORTED) {
                continue;
            }
            PEN_CHECK_MSG(status == PEN_OK && out.size_bytes == expected.size_bytes &&
                              memcmp(out.data, expected.data, out.size_bytes) == 0,
                          "table %u way %d: %s", table, way, err.message);
        }
        pen_text_deinit(&csv);
        pen_text_deinit(&expected);
        pen_text_deinit(&out);
    }
}

static void it_begins_again_when_a_guess_proves_wrong(void)
{
    struct pen_text csv = {0}, out = {0};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_csv_options options;
    int n_restarts;
    pen_text_append(&csv, "a,b,c\n");
    for (int r = 0; r < 400000; r++) {
        pen_text_printf(&csv, "%d,%d,\n", r, r % 7);
    }
    const size_t whole = csv.size_bytes;
    pen_text_append(&csv, "late,1.5,3\n");
    for (int r = 0; r < 4; r++) {
        pen_text_append(&csv, "1,2,\n");
    }
    PEN_CHECK(whole > (1 << 20));
    pen_csv_options_init(&options);
    PEN_CHECK_OK(dump(file_with("w.csv", csv.data, csv.size_bytes), &options, &out, &n_restarts, &err), &err);
    PEN_CHECK(n_restarts >= 1 && n_restarts <= 2);
    PEN_CHECK_CONTAINS(pen_text_view(&out), "\n'399999|5|NULL|\n'late|1.5|3|\n");
    char types[32];
    (void)snprintf(types, sizeof types, "\n%d,%d,%d,", (int)PEN_TYPE_BYTES, (int)PEN_TYPE_FLOAT64, (int)PEN_TYPE_INT64);
    PEN_CHECK_CONTAINS(pen_text_view(&out), types);
    pen_text_deinit(&csv);
    pen_text_deinit(&out);
}

/* A column that begins as if it were free text, and then only repeats itself: 4096 texts of 40 bytes. */
static void it_counts_the_strings_that_looked_like_free_text(void)
{
    enum { N_DISTINCT = 4096, N_BYTES = 40 };
    static const struct {
        int64_t max_distinct, max_bytes;
        enum pen_type type;
        int n_restarts;
    } cases[] = {
        {N_DISTINCT, INT64_C(1) << 30, PEN_TYPE_CODES, 1},
        {N_DISTINCT, N_DISTINCT * N_BYTES, PEN_TYPE_CODES, 1},
        {N_DISTINCT, N_DISTINCT * N_BYTES - 1, PEN_TYPE_BYTES, 2}, /* hashes do not tell, the next reading does */
        {N_DISTINCT - 1, INT64_C(1) << 30, PEN_TYPE_BYTES, 0},
    };
    struct pen_text csv = {0}, out = {0};
    struct pen_error err = PEN_ERROR_INIT;
    pen_text_append(&csv, "a,b\n");
    for (int r = 0; r < 5 * N_DISTINCT; r++) {
        pen_text_printf(&csv, "%d,\"a text, to all appearances, \"\"%010d\"\"\"\n", r % 3, r % N_DISTINCT);
    }
    const char *path = file_with("d.csv", csv.data, csv.size_bytes);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_csv_options options;
        int n_restarts;
        char types[32];
        pen_csv_options_init(&options);
        options.max_distinct = cases[i].max_distinct;
        options.max_dictionary_bytes = cases[i].max_bytes;
        PEN_CHECK_OK(dump(path, &options, &out, &n_restarts, &err), &err);
        PEN_CHECK_EQ_I64(n_restarts, cases[i].n_restarts);
        (void)snprintf(types, sizeof types, "\n%d,%d,", (int)PEN_TYPE_INT64, (int)cases[i].type);
        PEN_CHECK_CONTAINS(pen_text_view(&out), types);
        PEN_CHECK_CONTAINS(pen_text_view(&out), "\n1|'a text, to all appearances, \"0000004095\"|\n");
    }
    pen_text_deinit(&csv);
    pen_text_deinit(&out);
}

/* Ends of the fast ways, halves between two doubles, the edges of the subnormals. */
static const char *const hard_numbers[] = {
    "0",
    "-0",
    "-0.0",
    ".5",
    "-.5",
    "5.",
    "-5.",
    "0.",
    "1e5",
    "1E-5",
    "+1.5",
    "007.250",
    "9007199254740992",
    "9007199254740993",
    "-9007199254740993",
    "9999999999999999",
    "-999999999999999",
    "900719925474099.3",
    "9007199254740993.",
    ".900719925474099",
    "0.90071992547409",
    "999999999999999.",
    ".999999999999999",
    "123456789012345.6",
    "1234567890.12345",
    "0.000000000000001",
    "-0.00000000000001",
    "9007199254740993.0",
    "9007199254740992.5",
    "9223372036854775807",
    "-9223372036854775808",
    "18014398509481985.5",
    "0.1000000000000000055511151231257827",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "2.2250738585072014e-308",
    "2.2250738585072011e-308",
    "2.2250738585072009e-308",
    "4.9406564584124654e-324",
    "2.4703282292062328e-324",
    "2.4703282292062327e-324",
    "1e-400",
    "1e23",
    "8.5e22",
    "4.4501477170144023e-308",
    "9.5367431640625e-7",
    "6.0221407623e+23",
};
enum { N_HARD = sizeof hard_numbers / sizeof hard_numbers[0] };

static void it_parses_numbers_as_strtod_does(void)
{
    PEN_CHECK_EQ_I64(N_HARD % 2, 1); /* so that every one meets every place among eight */
    struct pen_text csv = {0};
    struct pen_error err = PEN_ERROR_INIT;
    enum { N = 20000 };
    static double expected[N];
    uint64_t state = 88172645463325252u;
    pen_text_append(&csv, "x\n");
    for (int i = 0; i < N; i++) {
        char text[64] = "";
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        double value;
        memcpy(&value, &state, 8);
        if (i % 5 == 4) {
            (void)snprintf(text, sizeof text, "%s", hard_numbers[i / 5 % N_HARD]);
        } else if (i % 4 == 0 && isfinite(value)) {
            (void)snprintf(text, sizeof text, "%.*g", 1 + (int)(state % 20), value);
        } else if (i % 4 == 1) {
            (void)snprintf(text, sizeof text, "%llu.%llu", (unsigned long long)(state % 100000),
                           (unsigned long long)(state >> (state % 60)));
        } else if (i % 4 == 2) {
            (void)snprintf(text, sizeof text, "-%llu.%02llu", (unsigned long long)(state % 1000000),
                           (unsigned long long)(state >> 40) % 100);
        } else {
            (void)snprintf(text, sizeof text, "%.17ge%d", 1.0 + (double)(state % 1000003) * 0x1p-20,
                           (int)(state % 60) - 30);
        }
        expected[i] = strtod(text, NULL);
        pen_text_printf(&csv, "%s\n", text);
    }
    const char *path = file_with("n.csv", csv.data, csv.size_bytes);
    for (int level = 1; level <= 3; level++) {
        struct pen_csv_options options;
        struct pen_csv_reader *reader;
        struct pen_batch batch;
        bool restarted;
        const struct pen_csv_column_type type = {"x", PEN_TYPE_FLOAT64};
        pen_csv_options_init(&options);
        options.level = (enum pen_csv_level)level;
        options.header = PEN_CSV_HEADER_YES;
        options.types = &type;
        options.n_types = 1;
        options.bad_rows = PEN_CSV_BAD_ROWS_REJECT;
        if (pen_csv_open(&reader, &path, 1, &options, &err) != PEN_OK) {
            PEN_CHECK_EQ_I64(err.status, PEN_ERR_UNSUPPORTED);
            continue;
        }
        int n_wrong = 0;
        int64_t n_read = 0;
        while (pen_csv_next(reader, &batch, &restarted, &err) == PEN_OK && batch.n_rows > 0) {
            for (int64_t r = 0; r < batch.n_rows && n_read < N; r++) {
                n_wrong += memcmp((const double *)batch.columns[0].values + r, &expected[n_read++], 8) != 0;
            }
        }
        PEN_CHECK_EQ_I64(n_read, N);
        PEN_CHECK_EQ_I64(n_wrong, 0);
        pen_csv_close(reader);
    }
    pen_text_deinit(&csv);
}

/* Each text between numbers, so that the wide ways meet it at every place. */
static void it_takes_no_other_text_for_a_number(void)
{
    static const char *const texts[] = {"-",
                                        ".",
                                        "-.",
                                        "..",
                                        "1..2",
                                        "1.2.3",
                                        "--1",
                                        "1-",
                                        "1-2",
                                        "-1-2",
                                        "1.-2",
                                        ".-1",
                                        "+-1",
                                        "1e",
                                        "e5",
                                        "1e5.5",
                                        "1,5",
                                        "12a",
                                        "a12",
                                        "1 2",
                                        "0x10",
                                        "1_000",
                                        "1/2",
                                        ":1",
                                        "123456789012345x",
                                        "x123456789012345",
                                        "12345678.1234.67"};
    enum { N_TEXTS = sizeof texts / sizeof texts[0], N_BETWEEN = 10 };
    PEN_CHECK_EQ_I64(N_TEXTS * (N_BETWEEN + 1) % 2, 1);
    struct pen_text csv = {0};
    struct pen_error err = PEN_ERROR_INIT;
    pen_text_append(&csv, "x;y\n");
    for (int i = 0; i < 8 * N_TEXTS; i++) {
        for (int j = 0; j < N_BETWEEN; j++) {
            pen_text_printf(&csv, "%d;%d.5\n", i, j);
        }
        pen_text_printf(&csv, i % 2 == 0 ? "%s;1\n" : "2;%s\n", texts[i % N_TEXTS]);
    }
    const char *path = file_with("b.csv", csv.data, csv.size_bytes);
    for (int level = 1; level <= 3; level++) {
        struct pen_csv_options options;
        struct pen_csv_reader *reader;
        struct pen_batch batch;
        bool restarted;
        const struct pen_csv_column_type types[] = {{"x", PEN_TYPE_INT64}, {"y", PEN_TYPE_FLOAT64}};
        pen_csv_options_init(&options);
        options.level = (enum pen_csv_level)level;
        options.delimiter = ';';
        options.types = types;
        options.n_types = 2;
        options.bad_rows = PEN_CSV_BAD_ROWS_REJECT;
        if (pen_csv_open(&reader, &path, 1, &options, &err) != PEN_OK) {
            PEN_CHECK_EQ_I64(err.status, PEN_ERR_UNSUPPORTED);
            continue;
        }
        int n_wrong = 0;
        int64_t n_read = 0;
        while (pen_csv_next(reader, &batch, &restarted, &err) == PEN_OK && batch.n_rows > 0) {
            for (int64_t r = 0; r < batch.n_rows; r++, n_read++) {
                n_wrong += ((const int64_t *)batch.columns[0].values)[r] != n_read / N_BETWEEN;
                n_wrong += ((const double *)batch.columns[1].values)[r] != (double)(n_read % N_BETWEEN) + 0.5;
            }
        }
        PEN_CHECK_EQ_I64(n_read, 8 * N_TEXTS * N_BETWEEN);
        PEN_CHECK_EQ_I64(pen_csv_counts(reader).n_bad_rows, 8 * N_TEXTS);
        PEN_CHECK_EQ_I64(n_wrong, 0);
        pen_csv_close(reader);
    }
    pen_text_deinit(&csv);
}

/* Doubled quotes at every place of 16, 32 and 64 bytes, and stray ones, which the wide ways must hand on. */
static void it_unquotes_the_same_at_every_level(void)
{
    struct pen_text csv = {0}, expected = {0}, out = {0};
    struct pen_error err = PEN_ERROR_INIT;
    pen_text_append(&csv, "a,b");
    for (int size = 0; size < 140; size++) {
        for (int stray = 0; stray < 2; stray++) {
            pen_text_append(&csv, "\n1,\"");
            pen_text_append(&expected, "1|'");
            for (int i = 0; i < size; i++) {
                const bool quote = i == size / 2 || i == size - 1 || (i * 7 + size) % 11 == 0;
                pen_text_append(&csv, quote ? "\"\"" : "z");
                pen_text_append(&expected, quote ? "\"" : "z");
            }
            pen_text_append(&csv, stray ? "\"yy\"" : "y\"");
            pen_text_append(&expected, stray ? "yy\"|\n" : "y|\n");
        }
    }
    const char *path = file_with("u.csv", csv.data, csv.size_bytes);
    for (int way = 0; way < 6; way++) {
        struct pen_csv_options options;
        int n_restarts;
        const struct pen_csv_column_type type = {"b", PEN_TYPE_BYTES};
        pen_csv_options_init(&options);
        options.level = (enum pen_csv_level)(1 + way % 3);
        options.header = PEN_CSV_HEADER_YES;
        options.types = &type;
        options.n_types = way / 3;
        const pen_status status = dump(path, &options, &out, &n_restarts, &err);
        if (status != PEN_ERR_UNSUPPORTED) {
            PEN_CHECK_OK(status, &err);
            PEN_CHECK(out.size_bytes >= expected.size_bytes &&
                      memcmp(out.data, expected.data, expected.size_bytes) == 0);
        }
    }
    pen_text_deinit(&csv);
    pen_text_deinit(&expected);
    pen_text_deinit(&out);
}

static void it_forces_types_and_rejects_rows(void)
{
    const char *csv = "a,b\n1,x\ntwo,y\n3\n4,z\n";
    const char *path = file_with("f.csv", csv, strlen(csv));
    const struct pen_csv_column_type type = {"a", PEN_TYPE_INT64};
    struct pen_csv_options options;
    struct pen_text out = {0};
    struct pen_error err = PEN_ERROR_INIT;
    int n_restarts;
    pen_csv_options_init(&options);
    options.header = PEN_CSV_HEADER_YES;
    options.types = &type;
    options.n_types = 1;
    PEN_CHECK_STATUS(dump(path, &options, &out, &n_restarts, &err), PEN_ERR_DATA);
    PEN_CHECK_CONTAINS(err.message, "line 3: column 'a': expected int64, found 'two'");
    options.bad_rows = PEN_CSV_BAD_ROWS_REJECT;
    PEN_CHECK_OK(dump(path, &options, &out, &n_restarts, &err), &err);
    PEN_CHECK_CONTAINS(pen_text_view(&out), "1|'x|\n4|'z|\n");
    pen_text_deinit(&out);
}

static void it_reads_gzip_members_and_zstd_frames(void)
{
    char path[PEN_PATH_BYTES], packed[256];
    struct pen_csv_options options;
    struct pen_text out = {0};
    struct pen_error err = PEN_ERROR_INIT;
    int n_restarts;
    pen_csv_options_init(&options);
    (void)snprintf(path, sizeof path, "%s/two.csv", pen_test_directory());
    for (int part = 0; part < 2; part++) {
        gzFile file = gzopen(path, part == 0 ? "wb" : "ab");
        PEN_REQUIRE(file != NULL);
        (void)gzputs(file, part == 0 ? "a,b\n1," : "2\n3,4\n");
        (void)gzclose(file);
    }
    PEN_CHECK_OK(dump(path, &options, &out, &n_restarts, &err), &err);
    PEN_CHECK_CONTAINS(pen_text_view(&out), "1|2|\n3|4|\n");
    size_t n = ZSTD_compress(packed, sizeof packed, "a,b\n1,", 6, 1);
    n += ZSTD_compress(packed + n, sizeof packed - n, "2\n3,4", 5, 1);
    PEN_CHECK_OK(dump(file_with("z.csv", packed, n), &options, &out, &n_restarts, &err), &err);
    PEN_CHECK_CONTAINS(pen_text_view(&out), "1|2|\n3|4|\n");
    PEN_CHECK_STATUS(dump(file_with("z.csv", packed, n - 3), &options, &out, &n_restarts, &err), PEN_ERR_DATA);
    pen_text_deinit(&out);
}

PEN_SUITE(csv, PEN_CASE(it_reads_the_rfc_and_beyond), PEN_CASE(it_reads_back_random_tables_the_same_at_every_level),
          PEN_CASE(it_begins_again_when_a_guess_proves_wrong),
          PEN_CASE(it_counts_the_strings_that_looked_like_free_text), PEN_CASE(it_parses_numbers_as_strtod_does),
          PEN_CASE(it_takes_no_other_text_for_a_number), PEN_CASE(it_unquotes_the_same_at_every_level),
          PEN_CASE(it_forces_types_and_rejects_rows), PEN_CASE(it_reads_gzip_members_and_zstd_frames));
