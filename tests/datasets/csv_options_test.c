/* Options, names, several files, places and rejects of the CSV reader, and its limits: each input is a few bytes whose
 * reading is written down by hand, messages in full. Wide and long inputs are generated and counted. */
#include "core/files.h"
#include "core/log.h"
#include "datasets/csv/csv.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_FILES = 3 };

/* One reading: inputs, what came out as text, and what was rejected. */
struct reading {
    struct pen_csv_options options;
    char paths[MAX_FILES][PEN_PATH_BYTES];
    const char *list[MAX_FILES];
    int64_t n_files;
    struct pen_csv_reader *reader;
    struct pen_text cells, rejects;
    struct pen_error err;
    pen_status status;
    int n_restarts;
};

static void note_reject(void *user, const struct pen_csv_reject *row)
{
    struct reading *reading = user;
    const char *slash = strrchr(row->file, '/');
    pen_text_printf(&reading->rejects, "%s:%lld %s <", slash + 1, (long long)row->line, row->reason);
    pen_text_append_bytes(&reading->rejects, row->bytes, row->size_bytes);
    pen_text_append(&reading->rejects, ">\n");
}

static void add_file(struct reading *reading, const char *name, const char *bytes, size_t size)
{
    char *path = reading->paths[reading->n_files];
    (void)snprintf(path, PEN_PATH_BYTES, "%s/%s", pen_test_directory(), name);
    PEN_CHECK_OK(pen_file_write_atomic(path, bytes, size, &reading->err), &reading->err);
    reading->list[reading->n_files++] = path;
}

static void add_text(struct reading *reading, const char *name, const char *text)
{
    add_file(reading, name, text, strlen(text));
}

/* Header given as such, comma, rejects noted: cases change what they are about. */
static void begin(struct reading *reading, const char *csv)
{
    memset(reading, 0, sizeof *reading);
    pen_csv_options_init(&reading->options);
    reading->options.header = PEN_CSV_HEADER_YES;
    reading->options.delimiter = ',';
    reading->options.on_reject = note_reject;
    reading->options.on_reject_user = reading;
    if (csv != NULL) {
        add_text(reading, "a.csv", csv);
    }
}

static void open_reader(struct reading *reading)
{
    pen_csv_close(reading->reader);
    reading->status = pen_csv_open(&reading->reader, reading->list, reading->n_files, &reading->options, &reading->err);
}

static void append_cell(struct pen_text *out, const struct pen_column *column, int64_t row)
{
    size_t size;
    if (!pen_is_valid(column->validity, row)) {
        pen_text_append(out, "NULL");
    } else if (column->type == PEN_TYPE_INT64) {
        pen_text_printf(out, "%lld", (long long)((const int64_t *)column->values)[row]);
    } else if (column->type == PEN_TYPE_FLOAT64) {
        pen_text_printf(out, "%.17g", ((const double *)column->values)[row]);
    } else if (column->type == PEN_TYPE_FLOAT32) {
        pen_text_printf(out, "f%.9g", (double)((const float *)column->values)[row]);
    } else {
        const char *text = pen_column_string(column, row, &size);
        pen_text_append(out, "'");
        pen_text_append_bytes(out, text, size);
    }
}

/* Rows to the end as "line:cell|cell|", rows apart by a newline. */
static void read_rows(struct reading *reading)
{
    struct pen_batch batch;
    bool restarted;
    pen_text_reset(&reading->cells);
    while ((reading->status = pen_csv_next(reading->reader, &batch, &restarted, &reading->err)) == PEN_OK &&
           (batch.n_rows > 0 || restarted)) {
        if (restarted) {
            pen_text_reset(&reading->cells);
            pen_text_reset(&reading->rejects);
            reading->n_restarts++;
        }
        for (int64_t r = 0; r < batch.n_rows; r++) {
            pen_text_printf(&reading->cells, "%lld:", (long long)pen_csv_row_place(reading->reader, r).line);
            for (int64_t c = 0; c < batch.n_columns; c++) {
                append_cell(&reading->cells, &batch.columns[c], r);
                pen_text_append(&reading->cells, "|");
            }
            pen_text_append(&reading->cells, "\n");
        }
    }
}

static void end(struct reading *reading)
{
    pen_csv_close(reading->reader);
    pen_text_deinit(&reading->cells);
    pen_text_deinit(&reading->rejects);
}

static void read_all(struct reading *reading)
{
    open_reader(reading);
    if (reading->status == PEN_OK) {
        read_rows(reading);
    }
}

/* The rows, or the message without the test's folder. */
static void check_rows(struct reading *reading, const char *expected)
{
    read_all(reading);
    PEN_CHECK_OK(reading->status, &reading->err);
    PEN_CHECK_EQ_STR(pen_text_view(&reading->cells), expected);
    end(reading);
}

static void without_folder(const char *text, struct pen_text *out)
{
    const char *folder = pen_test_directory();
    const size_t n = strlen(folder);
    for (const char *at; (at = strstr(text, folder)) != NULL; text = at + n + 1) {
        pen_text_append_bytes(out, text, (size_t)(at - text));
    }
    pen_text_append(out, text);
}

static void check_fails(struct reading *reading, pen_status status, const char *message)
{
    struct pen_text found = {0};
    read_all(reading);
    PEN_CHECK_STATUS(reading->status, status);
    without_folder(reading->err.message, &found);
    PEN_CHECK_EQ_STR(pen_text_view(&found), message);
    pen_text_deinit(&found);
    end(reading);
}

static void check_names(struct reading *reading, const char *expected)
{
    struct pen_text names = {0};
    open_reader(reading);
    PEN_CHECK_OK(reading->status, &reading->err);
    for (int64_t c = 0; reading->reader != NULL && c < pen_csv_n_columns(reading->reader); c++) {
        pen_text_printf(&names, "%s|", pen_csv_names(reading->reader)[c]);
    }
    PEN_CHECK_EQ_STR(pen_text_view(&names), expected);
    pen_text_deinit(&names);
    end(reading);
}

static void it_takes_null_markers_for_missing(void)
{
    static const char *const markers[] = {"NA", "-999", "nan"};
    struct reading reading;
    begin(&reading, "i,f,s\n1,1.5,x\n-999,nan,NA\n\"-999\",-999,\"NA\"\n-99,-999.0,NAN\n-9990,2,\n");
    reading.options.null_markers = markers;
    reading.options.n_null_markers = 3;
    check_rows(&reading, "2:1|1.5|'x|\n3:NULL|NULL|NULL|\n4:NULL|NULL|NULL|\n5:-99|-999|'NAN|\n6:-9990|2|NULL|\n");
    begin(&reading, "s\nNA\nNA\n");
    reading.options.null_markers = markers;
    reading.options.n_null_markers = 1;
    check_rows(&reading, "2:NULL|\n3:NULL|\n");
}

static void it_trims_outside_quotes_only(void)
{
    const char *csv = " a ,\tb\n x , 1 \n\" y \", \"2\" \n  ,  \n \"p,q\"\t,3\n";
    struct reading reading;
    begin(&reading, csv);
    reading.options.trim_spaces = true;
    check_rows(&reading, "2:'x|1|\n3:' y |2|\n4:NULL|NULL|\n5:'p,q|3|\n");
    begin(&reading, csv);
    reading.options.trim_spaces = true;
    check_names(&reading, "a|b|");
    begin(&reading, " a ,b\n x , 1 \n");
    check_names(&reading, " a |b|");
    begin(&reading, " a ,b\n x , 1 \n");
    check_rows(&reading, "2:' x |1|\n");
    begin(&reading, "a,b\n1,2\n");
    reading.options.trim_spaces = true;
    reading.options.delimiter = ' ';
    check_fails(&reading, PEN_ERR_CONFIG, "csv: the delimiter cannot be a space when spaces are trimmed");
}

static void it_skips_comments_at_row_starts(void)
{
    struct reading reading;
    begin(&reading, "# it's a \"note\na,b\n#1,2\n1,#2\n\"#3\",\"\n#4\"\n# last \"");
    reading.options.comment = '#';
    check_rows(&reading, "4:'1|'#2|\n5:'#3|'\n#4|\n");
    begin(&reading, "a,b\n1,2\n");
    reading.options.comment = ',';
    check_fails(&reading, PEN_ERR_CONFIG, "csv: delimiter, quote and comment must differ, found ',' twice");
    begin(&reading, "a,b\n1,2\n");
    reading.options.quote = '\n';
    check_fails(&reading, PEN_ERR_CONFIG, "csv: a line end cannot be delimiter, quote or comment");
}

static void it_skips_lines_at_the_top_of_every_file(void)
{
    struct reading reading;
    begin(&reading, "made by \"x\r\n\ra,b\r\n1,2\r\n");
    add_text(&reading, "b.csv", "\xef\xbb\xbfq\n\na,b\n3,4\n5\n");
    reading.options.skip_lines = 2;
    reading.options.bad_rows = PEN_CSV_BAD_ROWS_REJECT;
    read_all(&reading);
    PEN_CHECK_OK(reading.status, &reading.err);
    PEN_CHECK_EQ_STR(pen_text_view(&reading.cells), "4:1|2|\n4:3|4|\n");
    PEN_CHECK_EQ_STR(pen_text_view(&reading.rejects), "b.csv:5 expected 2 fields, found 1 <5>\n");
    end(&reading);
    begin(&reading, "a\n1\n");
    reading.options.skip_lines = 2;
    check_fails(&reading, PEN_ERR_DATA, "a.csv: expected rows of CSV, found an empty file behind skip_lines");
}

static void it_rounds_to_float32_when_asked(void)
{
    struct reading reading;
    begin(&reading, "f,i\n0.1,16777217\n1e39,1\n,2\n");
    reading.options.float32 = true;
    check_rows(&reading, "2:f0.100000001|16777217|\n3:finf|1|\n4:NULL|2|\n");
}

static void it_gives_only_the_typed_columns_in_their_order(void)
{
    static const struct pen_csv_column_type types[] = {{"c", PEN_TYPE_FLOAT64}, {"a", PEN_TYPE_CODES}};
    static const struct pen_csv_column_type wrong[] = {{"colour", PEN_TYPE_CODES}};
    static const struct pen_csv_column_type none[] = {{"a", PEN_TYPE_NONE}};
    struct reading reading;
    begin(&reading, "a,b,c\n01,x,1\n2,y,2.5\n3,z,w\n4\n");
    reading.options.types = types;
    reading.options.n_types = 2;
    reading.options.only_typed_columns = true;
    reading.options.bad_rows = PEN_CSV_BAD_ROWS_REJECT;
    read_all(&reading);
    PEN_CHECK_OK(reading.status, &reading.err);
    PEN_CHECK_EQ_STR(pen_text_view(&reading.cells), "2:1|'01|\n3:2.5|'2|\n");
    PEN_CHECK_EQ_STR(pen_text_view(&reading.rejects), "a.csv:4 column 'c': expected float64, found 'w' <3,z,w>\n"
                                                      "a.csv:5 expected 3 fields, found 1 <4>\n");
    PEN_CHECK_EQ_I64(pen_csv_n_columns(reading.reader), 2);
    PEN_CHECK_EQ_STR(pen_csv_names(reading.reader)[0], "c");
    for (int turn = 0; turn < 2; turn++) { /* back from the end, then from the middle */
        struct pen_batch batch;
        bool restarted;
        PEN_CHECK_OK(pen_csv_rewind(reading.reader, &reading.err), &reading.err);
        PEN_CHECK_OK(pen_csv_next(reading.reader, &batch, &restarted, &reading.err), &reading.err);
        PEN_CHECK_EQ_I64(batch.n_rows, 2);
    }
    PEN_CHECK_OK(pen_csv_rewind(reading.reader, &reading.err), &reading.err);
    pen_text_reset(&reading.rejects);
    read_rows(&reading);
    PEN_CHECK_EQ_STR(pen_text_view(&reading.cells), "2:1|'01|\n3:2.5|'2|\n");
    PEN_CHECK_CONTAINS(pen_text_view(&reading.rejects), "a.csv:4 column 'c': expected float64, found 'w' <3,z,w>\n");
    PEN_CHECK_EQ_I64(reading.n_restarts, 0);
    end(&reading);
    begin(&reading, "color,b\n1,2\n");
    reading.options.types = wrong;
    reading.options.n_types = 1;
    check_fails(&reading, PEN_ERR_DATA, "a.csv: no column 'colour' among its 2; did you mean 'color'?");
    begin(&reading, "a,b\n1,2\n");
    reading.options.types = none;
    reading.options.n_types = 1;
    check_fails(&reading, PEN_ERR_CONFIG, "csv: column 'a': NONE cannot be asked for");
}

static void it_tells_quoted_empty_cells_apart_when_asked(void)
{
    struct reading reading;
    begin(&reading, "s,t\n\"\",x\n,\"\"\ny,\n");
    check_rows(&reading, "2:NULL|'x|\n3:NULL|NULL|\n4:'y|NULL|\n");
    begin(&reading, "s,t\n\"\",x\n,\"\"\ny,\n");
    reading.options.quoted_empty_is_value = true;
    check_rows(&reading, "2:'|'x|\n3:NULL|'|\n4:'y|NULL|\n");
    begin(&reading, "s,t\n\"\",1\n,2\n"); /* a value that is no number */
    reading.options.quoted_empty_is_value = true;
    check_rows(&reading, "2:'|1|\n3:NULL|2|\n");
}

static void it_finds_headers_or_takes_what_is_given(void)
{
    static const char *const names[] = {"p", "q"};
    struct reading reading;
    begin(&reading, "a,nan\n1,2\n");
    reading.options.header = PEN_CSV_HEADER_AUTO;
    check_names(&reading, "a|nan|");
    begin(&reading, "a,1\nb,2\n");
    reading.options.header = PEN_CSV_HEADER_AUTO;
    check_rows(&reading, "1:'a|1|\n2:'b|2|\n");
    begin(&reading, "a,b\n1,2\n");
    reading.options.header = PEN_CSV_HEADER_NO;
    check_names(&reading, "column_1|column_2|");
    begin(&reading, "a,b\n1,2\n");
    reading.options.header = PEN_CSV_HEADER_NO;
    check_rows(&reading, "1:'a|'b|\n2:'1|'2|\n");
    begin(&reading, "a,b\nc,d\n"); /* names given: AUTO is NO */
    reading.options.header = PEN_CSV_HEADER_AUTO;
    reading.options.names = names;
    reading.options.n_names = 2;
    check_rows(&reading, "1:'a|'b|\n2:'c|'d|\n");
    begin(&reading, "a,b\n1,2\n"); /* names in place of the header's */
    reading.options.names = names;
    reading.options.n_names = 2;
    check_names(&reading, "p|q|");
    begin(&reading, "a,b,c\n1,2,3\n");
    reading.options.names = names;
    reading.options.n_names = 2;
    check_fails(&reading, PEN_ERR_CONFIG, "a.csv: 2 names given for 3 columns");
}

static char logged[4096];

static void note_log(void *user, enum pen_log_level level, const char *text)
{
    (void)user;
    (void)level;
    (void)snprintf(logged + strlen(logged), sizeof logged - strlen(logged), "%s\n", text);
}

static void it_makes_names_unique_and_says_so(void)
{
    const struct pen_log_sink sink = {.level = PEN_LOG_WARNING, .record = note_log};
    struct pen_text found = {0};
    struct reading reading;
    logged[0] = '\0';
    pen_log_install(&sink);
    begin(&reading, "a,a,a_2,,a,column_4,\"x\ny\",../z\n1,2,3,4,5,6,7,8\n");
    check_names(&reading, "a|a_3|a_2|column_4_2|a_4|column_4|x\ny|../z|");
    pen_log_install(NULL);
    without_folder(logged, &found);
    PEN_CHECK_EQ_STR(pen_text_view(&found), "a.csv: 2 columns repeat a name; the last of them, 'a', is called 'a_4'\n"
                                            "a.csv: column 4 has no name and is called 'column_4_2'\n");
    pen_text_deinit(&found);
    begin(&reading, "a,\xff\n1,2\n");
    check_fails(&reading, PEN_ERR_DATA,
                "a.csv: the name of column 2 is not UTF-8: '\\xff'; convert the file with iconv, or give names");
}

static void it_lists_files_sorted_by_byte(void)
{
    struct pen_csv_paths list;
    struct reading reading;
    struct pen_text found = {0};
    char pattern[PEN_PATH_BYTES];
    begin(&reading, NULL);
    add_text(&reading, "b.csv", "x\n");
    add_text(&reading, "a10.csv", "x\n");
    add_text(&reading, "B.csv", "x\n");
    (void)snprintf(pattern, sizeof pattern, "%s/*.csv", pen_test_directory());
    PEN_REQUIRE_OK(pen_csv_glob(&list, pattern, &reading.err), &reading.err);
    for (int64_t i = 0; i < list.n_paths; i++) {
        without_folder(list.paths[i], &found);
        pen_text_append(&found, " ");
    }
    PEN_CHECK_EQ_STR(pen_text_view(&found), "B.csv a10.csv b.csv ");
    pen_csv_paths_deinit(&list);
    (void)snprintf(pattern, sizeof pattern, "%s/*.tsv", pen_test_directory());
    PEN_CHECK_STATUS(pen_csv_glob(&list, pattern, &reading.err), PEN_ERR_NOT_FOUND);
    PEN_CHECK_CONTAINS(reading.err.message, "/*.tsv: no such file");
    PEN_CHECK_EQ_I64(list.n_paths, 0);
    pen_text_deinit(&found);
    end(&reading);
}

static void it_compares_the_headers_of_several_files(void)
{
    struct reading reading;
    begin(&reading, "a,b\n1,2\n");
    add_text(&reading, "b.csv", "a,c\n3,4\n");
    check_fails(&reading, PEN_ERR_DATA, "b.csv: column 2 of its header is 'c', in a.csv it is 'b'");
    begin(&reading, "a,b\n1,2\n");
    add_text(&reading, "b.csv", "a,b,c\n");
    check_fails(&reading, PEN_ERR_DATA, "b.csv: its header has 3 columns, that of a.csv has 2");
    begin(&reading, "a,b\n1,2\n");
    add_text(&reading, "b.csv", "");
    check_fails(&reading, PEN_ERR_DATA, "b.csv: expected the header of a.csv, found an empty file");
    begin(&reading, "1,2\n");
    add_text(&reading, "b.csv", "1,2,3\n");
    reading.options.header = PEN_CSV_HEADER_NO;
    check_fails(&reading, PEN_ERR_DATA,
                "b.csv line 1: expected 2 fields, found 3 (bad_rows: reject would set such rows aside)");
}

static void it_widens_types_in_a_later_file(void)
{
    struct reading reading;
    begin(&reading, "a,b,c\n1,2,\n");
    add_text(&reading, "b.csv", "a,b,c\r\n3,x,1.5\r\n");
    add_text(&reading, "c.csv", "a,b,c\n4.25,y,7");
    read_all(&reading);
    PEN_CHECK_OK(reading.status, &reading.err);
    PEN_CHECK_EQ_STR(pen_text_view(&reading.cells), "2:1|'2|NULL|\n2:3|'x|1.5|\n2:4.25|'y|7|\n");
    PEN_CHECK(reading.n_restarts == 1 || reading.n_restarts == 2);
    PEN_CHECK_EQ_I64(pen_csv_type(reading.reader, 0), PEN_TYPE_FLOAT64);
    PEN_CHECK_EQ_I64(pen_csv_type(reading.reader, 1), PEN_TYPE_CODES);
    PEN_CHECK_EQ_I64(pen_csv_type(reading.reader, 2), PEN_TYPE_FLOAT64);
    PEN_CHECK_EQ_I64(pen_csv_counts(reading.reader).n_rows, 3);
    PEN_CHECK_EQ_I64(pen_csv_counts(reading.reader).n_bytes, 11 + 16 + 14);
    end(&reading);
}

static void it_infers_first_and_rewinds(void)
{
    struct reading reading;
    begin(&reading, "a,b\n1,2\n5,6,7\n");
    add_text(&reading, "b.csv", "a,b\nx,0.5\n");
    reading.options.bad_rows = PEN_CSV_BAD_ROWS_REJECT;
    open_reader(&reading);
    PEN_REQUIRE_OK(pen_csv_infer(reading.reader, &reading.err), &reading.err);
    PEN_CHECK_EQ_STR(pen_text_view(&reading.rejects), "");
    PEN_CHECK_EQ_I64(pen_csv_type(reading.reader, 0), PEN_TYPE_CODES);
    PEN_CHECK_EQ_I64(pen_csv_type(reading.reader, 1), PEN_TYPE_FLOAT64);
    PEN_CHECK_EQ_I64(pen_csv_counts(reading.reader).n_rows, 0);
    for (int turn = 0; turn < 2; turn++) {
        pen_text_reset(&reading.rejects);
        read_rows(&reading);
        PEN_CHECK_OK(reading.status, &reading.err);
        PEN_CHECK_EQ_STR(pen_text_view(&reading.cells), "2:'1|2|\n2:'x|0.5|\n");
        PEN_CHECK_EQ_STR(pen_text_view(&reading.rejects), "a.csv:3 expected 2 fields, found 3 <5,6,7>\n");
        PEN_CHECK_EQ_I64(pen_csv_counts(reading.reader).n_rows, 2);
        PEN_CHECK_EQ_I64(pen_csv_counts(reading.reader).n_bad_rows, 1);
        PEN_CHECK_OK(pen_csv_rewind(reading.reader, &reading.err), &reading.err);
    }
    PEN_CHECK_EQ_I64(reading.n_restarts, 0);
    end(&reading);
}

static void it_places_rows_behind_cells_of_many_lines(void)
{
    static const int64_t chunks[] = {1, 8, 64, 1 << 20};
    for (int i = 0; i < 8; i++) {
        struct reading reading;
        struct pen_batch batch;
        bool restarted;
        begin(&reading, "\n\na,b\n\n1,\"x\n\r\ny\rz\"\n2,u\r\r\n3,v\r4,w\n5\n6,\"\n\n\"");
        add_text(&reading, "b.csv", "a,b\n7,x\n");
        reading.options.bad_rows = PEN_CSV_BAD_ROWS_REJECT;
        reading.options.chunk_bytes = chunks[i % 4];
        reading.options.n_threads = 1 + i / 4;
        read_all(&reading);
        PEN_CHECK_OK(reading.status, &reading.err);
        PEN_CHECK_EQ_STR(pen_text_view(&reading.cells),
                         "5:1|'x\n\r\ny\rz|\n9:2|'u|\n11:3|'v|\n12:4|'w|\n14:6|'\n\n|\n2:7|'x|\n");
        PEN_CHECK_EQ_STR(pen_text_view(&reading.rejects), "a.csv:13 expected 2 fields, found 1 <5>\n");
        PEN_CHECK_OK(pen_csv_rewind(reading.reader, &reading.err), &reading.err);
        int64_t n_second = 0;
        while (pen_csv_next(reading.reader, &batch, &restarted, &reading.err) == PEN_OK && batch.n_rows > 0) {
            const struct pen_csv_place place = pen_csv_row_place(reading.reader, batch.n_rows - 1);
            PEN_CHECK_EQ_STR(place.file, reading.paths[place.file_number]);
            n_second += place.file_number == 1;
        }
        PEN_CHECK_EQ_I64(n_second, 1);
        end(&reading);
    }
}

static void it_rejects_rows_again_after_a_restart(void)
{
    struct reading reading;
    begin(&reading, "a,b\n1\n\"2\n\",x,\"y\"\"\"\r\n3,4\n");
    add_text(&reading, "b.csv", "a,b\nz,5\n\n,,\n6,1.5\n");
    reading.options.bad_rows = PEN_CSV_BAD_ROWS_REJECT;
    read_all(&reading);
    PEN_CHECK_OK(reading.status, &reading.err);
    PEN_CHECK(reading.n_restarts >= 1);
    PEN_CHECK_EQ_STR(pen_text_view(&reading.cells), "5:'3|4|\n2:'z|5|\n5:'6|1.5|\n");
    PEN_CHECK_EQ_STR(pen_text_view(&reading.rejects), "a.csv:2 expected 2 fields, found 1 <1>\n"
                                                      "a.csv:3 expected 2 fields, found 3 <\"2\n\",x,\"y\"\"\">\n"
                                                      "b.csv:4 expected 2 fields, found 3 <,,>\n");
    PEN_CHECK_EQ_I64(pen_csv_counts(reading.reader).n_bad_rows, 3);
    end(&reading);
}

/* E1, E3, E4 and E7 of the list of hostile inputs: what stands in a file, and what becomes of it. */
static void it_reads_odd_bytes_by_rule(void)
{
    struct reading reading;
    begin(&reading, "");
    check_fails(&reading, PEN_ERR_DATA, "a.csv: expected rows of CSV, found an empty file");
    begin(&reading, "a,b");
    check_rows(&reading, "");
    begin(&reading, "\xef\xbb\xbf\"a\",b\r1,2\r\n3,4\n5,6");
    check_rows(&reading, "2:1|2|\n3:3|4|\n4:5|6|\n");
    begin(&reading, NULL);
    add_file(&reading, "a.csv", "a,b\n1,2\n3,\0004\n", 13);
    check_fails(&reading, PEN_ERR_DATA,
                "a.csv line 3: NUL byte at byte offset 10 (bad_rows: reject would set such rows aside)");
    begin(&reading, NULL);
    add_file(&reading, "a.csv", "a\0,b\n1,2\n", 9);
    read_all(&reading);
    PEN_CHECK_STATUS(reading.status, PEN_ERR_DATA);
    end(&reading);
    begin(&reading, "a,b\n\x01,\xc0\xaf\n\xed\xa0\x80,\xc3\xa9\n"); /* overlong, surrogate, e acute */
    read_all(&reading);
    PEN_CHECK_EQ_STR(pen_text_view(&reading.cells), "2:'\x01|'\xc0\xaf|\n3:'\xed\xa0\x80|'\xc3\xa9|\n");
    PEN_CHECK_EQ_I64(pen_csv_counts(reading.reader).n_non_utf8_cells, 2);
    end(&reading);
    begin(&reading, "a,b,c,d\n1e999,0x10,\"1,5\",1_0\n-0,1,1,1\n-1e999,+.5e1,2,2\ninf,-Infinity,3,3\n");
    read_all(&reading);
    PEN_CHECK_EQ_STR(pen_text_view(&reading.cells), "2:inf|'0x10|'1,5|'1_0|\n3:-0|'1|'1|'1|\n"
                                                    "4:-inf|'+.5e1|'2|'2|\n5:inf|'-Infinity|'3|'3|\n");
    PEN_CHECK_EQ_I64(pen_csv_counts(reading.reader).n_float_overflow, 2);
    end(&reading);
    struct pen_text csv = {0};
    pen_text_append(&csv, "a,b\n0");
    for (int i = 0; i < 10000; i++) {
        pen_text_append(&csv, "0");
    }
    pen_text_append(&csv, "7,1");
    for (int i = 0; i < 10000; i++) {
        pen_text_append(&csv, "0");
    }
    begin(&reading, pen_text_view(&csv));
    read_all(&reading);
    PEN_CHECK_OK(reading.status, &reading.err);
    PEN_CHECK(strncmp(pen_text_view(&reading.cells), "2:7|'1000", 9) == 0);
    PEN_CHECK_EQ_I64(reading.cells.size_bytes, 5 + 10001 + 2);
    pen_text_deinit(&csv);
    end(&reading);
}

static void it_names_the_line_of_an_open_quote(void)
{
    for (int chunk = 1; chunk <= 1 << 16; chunk *= 256) {
        struct reading reading;
        begin(&reading, "a,b\n1,\"x\n\n\"\n2,y\n3,\"z\n4,w\n5,v\n");
        reading.options.chunk_bytes = chunk;
        check_fails(&reading, PEN_ERR_DATA,
                    "a.csv: the quote opened at line 6 column 3 is never closed; if quotes are ordinary text in this "
                    "file, set quote to none");
    }
    struct reading reading;
    begin(&reading, "a,b\n1,\"x\n");
    reading.options.quote = 0;
    check_rows(&reading, "2:1|'\"x|\n");
    begin(&reading, "\n\"a,b\n1,x\n");
    check_fails(&reading, PEN_ERR_DATA, "a.csv: the quote opened at line 2 is never closed");
}

/* E6: the cap on columns, a name of 10 kB, a NUL in a name, and a batch of no columns at all. */
static void it_names_what_is_no_csv(void)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *message;
    } cases[] = {
        {"BZh91AY&SY\xbf", 11, "a.csv: expected CSV, also as .gz or .zst, found bzip2; unpack it: bunzip2"},
        {"\xfd\x37zXZ\0\0", 7, "a.csv: expected CSV, also as .gz or .zst, found xz; unpack it: unxz"},
        {"PK\x03\x04\x14\0", 6,
         "a.csv: expected CSV, also as .gz or .zst, found a zip archive or an Excel workbook; unpack it, or save the "
         "sheet as CSV"},
        {"PAR1\x15\x04", 6, "a.csv: expected CSV, also as .gz or .zst, found Parquet; write it as CSV"},
    };
    struct reading reading;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(&reading, NULL);
        add_file(&reading, "a.csv", cases[i].bytes, cases[i].size);
        check_fails(&reading, PEN_ERR_DATA, cases[i].message);
    }
    begin(&reading, "PAR1,PK\n1,2\n");
    check_rows(&reading, "2:1|2|\n");
    begin(&reading, NULL);
    (void)snprintf(reading.paths[0], PEN_PATH_BYTES, "%s", pen_test_directory());
    reading.list[reading.n_files++] = reading.paths[0];
    check_fails(&reading, PEN_ERR_NOT_FOUND,
                " expected a regular file, found a folder; a pattern such as FOLDER/*.csv means the files in it");
}

static void it_caps_columns_and_takes_long_names(void)
{
    struct pen_text csv = {0};
    struct reading reading;
    for (int c = 0; c < PEN_CSV_MAX_COLUMNS; c++) {
        pen_text_append(&csv, ",");
    }
    pen_text_append(&csv, "\n");
    begin(&reading, pen_text_view(&csv));
    check_fails(&reading, PEN_ERR_LIMIT, "a.csv: 131073 columns, more than 131072");
    pen_text_reset(&csv);
    for (int i = 0; i < 10000; i++) {
        pen_text_append(&csv, "n");
    }
    pen_text_append(&csv, ",b\n1,2\n");
    begin(&reading, pen_text_view(&csv));
    open_reader(&reading);
    PEN_CHECK_OK(reading.status, &reading.err);
    PEN_CHECK_EQ_I64(strlen(pen_csv_names(reading.reader)[0]), 10000);
    end(&reading);
    begin(&reading, NULL);
    add_file(&reading, "a.csv", "abcde,f\0g\n1,2\n", 14);
    check_fails(&reading, PEN_ERR_DATA, "a.csv: NUL byte in the name of column 2: 'f\\x00g'");
    begin(&reading, "a,b\n1,2\n3,4\n");
    reading.options.only_typed_columns = true;
    check_rows(&reading, "2:\n3:\n");
    pen_text_deinit(&csv);
}

/* A row is too long or not whatever the blocks are. */
static void it_limits_rows_exactly(void)
{
    static const int64_t chunks[] = {16, 1000, 1 << 20};
    for (int i = 0; i < 12; i++) {
        struct pen_text csv = {0};
        struct reading reading;
        const int64_t size = 100 + i / 6;
        for (int r = 0; r < 1200; r++) {
            pen_text_append(&csv, "1,2\r\n");
        }
        pen_text_append(&csv, "3,");
        for (int64_t k = 2; k < size; k++) {
            pen_text_append(&csv, "4");
        }
        pen_text_append(&csv, "\r\n5,6\r\n");
        begin(&reading, pen_text_view(&csv));
        reading.options.header = PEN_CSV_HEADER_NO;
        reading.options.max_row_bytes = 100;
        reading.options.chunk_bytes = chunks[i % 3];
        reading.options.n_threads = 1 + i / 3 % 2;
        if (size > 100) {
            check_fails(&reading, PEN_ERR_LIMIT, "a.csv line 1201: row longer than 100 bytes (max_row_bytes)");
        } else {
            read_all(&reading);
            PEN_CHECK_OK(reading.status, &reading.err);
            PEN_CHECK_EQ_I64(pen_csv_counts(reading.reader).n_rows, 1202);
            end(&reading);
        }
        pen_text_deinit(&csv);
    }
}

static void it_gives_up_codes_when_there_are_too_many(void)
{
    static const struct pen_csv_column_type codes = {"s", PEN_TYPE_CODES};
    for (int i = 0; i < 4; i++) {
        struct reading reading;
        begin(&reading, "s,t\na,x\nb,y\na,x\nc,y\nd,x\n");
        reading.options.max_distinct = 3;
        reading.options.chunk_bytes = i % 2 == 0 ? 4 : 1 << 20;
        reading.options.types = &codes;
        reading.options.n_types = i / 2;
        if (i / 2 == 1) {
            check_fails(&reading, PEN_ERR_LIMIT,
                        "a.csv: column 's' has more than 3 different strings; ask for bytes in place of codes");
            continue;
        }
        read_all(&reading);
        PEN_CHECK_OK(reading.status, &reading.err);
        PEN_CHECK_EQ_STR(pen_text_view(&reading.cells), "2:'a|'x|\n3:'b|'y|\n4:'a|'x|\n5:'c|'y|\n6:'d|'x|\n");
        PEN_CHECK_EQ_I64(pen_csv_type(reading.reader, 0), PEN_TYPE_BYTES);
        PEN_CHECK_EQ_I64(pen_csv_type(reading.reader, 1), PEN_TYPE_CODES);
        PEN_CHECK_EQ_I64(reading.n_restarts, 1);
        end(&reading);
    }
    struct reading reading;
    begin(&reading, "s,t\nlong,x\nlonger,y\n");
    reading.options.max_dictionary_bytes = 9;
    open_reader(&reading);
    PEN_REQUIRE_OK(pen_csv_infer(reading.reader, &reading.err), &reading.err);
    PEN_CHECK_EQ_I64(pen_csv_type(reading.reader, 0), PEN_TYPE_BYTES);
    PEN_CHECK_EQ_I64(pen_csv_type(reading.reader, 1), PEN_TYPE_CODES);
    end(&reading);
}

static void it_reads_ten_thousand_columns(void)
{
    enum { N = 10000, ROWS = 20 };
    struct pen_text csv = {0};
    struct reading reading;
    struct pen_batch batch;
    bool restarted;
    for (int r = -1; r < ROWS; r++) {
        for (int c = 0; c < N; c++) {
            if (r < 0) {
                pen_text_printf(&csv, "%scolumn %d", c > 0 ? "," : "", c);
            } else {
                pen_text_printf(&csv, c % 3 == 2 ? "%sv%d" : "%s%d", c > 0 ? "," : "", c * 7 + r);
            }
        }
        pen_text_append(&csv, "\n");
    }
    begin(&reading, pen_text_view(&csv));
    open_reader(&reading);
    PEN_REQUIRE_OK(reading.status, &reading.err);
    PEN_CHECK_EQ_I64(pen_csv_n_columns(reading.reader), N);
    int64_t n_wrong = 0, n_rows = 0;
    while (pen_csv_next(reading.reader, &batch, &restarted, &reading.err) == PEN_OK && batch.n_rows > 0) {
        for (int64_t r = 0; r < batch.n_rows; r++, n_rows++) {
            for (int64_t c = 0; c < N; c++) {
                const struct pen_column *column = &batch.columns[c];
                if (c % 3 != 2) {
                    n_wrong += column->type != PEN_TYPE_INT64 || ((const int64_t *)column->values)[r] != c * 7 + n_rows;
                } else {
                    char expected[32];
                    size_t size;
                    const char *found = pen_column_string(column, r, &size);
                    const int n = snprintf(expected, sizeof expected, "v%lld", (long long)(c * 7 + n_rows));
                    n_wrong += size != (size_t)n || memcmp(found, expected, size) != 0;
                }
            }
        }
    }
    PEN_CHECK_EQ_I64(n_rows, ROWS);
    PEN_CHECK_EQ_I64(n_wrong, 0);
    pen_text_deinit(&csv);
    end(&reading);
}

static void it_reads_a_cell_of_twenty_megabytes(void)
{
    enum { N = 20 << 20 };
    char *csv = malloc(N + 64);
    struct reading reading;
    struct pen_batch batch;
    bool restarted;
    PEN_REQUIRE(csv != NULL);
    const int head = snprintf(csv, 64, "a,b\n1,x\n2,\"");
    memset(csv + head, 'y', N);
    for (int64_t i = 0; i < N; i += 4096) {
        csv[head + i] = '\n';
    }
    const int tail = snprintf(csv + head + N, 32, "\"\n3,z\n");
    begin(&reading, NULL);
    add_file(&reading, "a.csv", csv, (size_t)(head + N + tail));
    open_reader(&reading);
    PEN_CHECK_OK(reading.status, &reading.err);
    int64_t n_rows = 0;
    while (pen_csv_next(reading.reader, &batch, &restarted, &reading.err) == PEN_OK && batch.n_rows > 0) {
        for (int64_t r = 0; r < batch.n_rows; r++, n_rows++) {
            size_t size;
            const char *text = pen_column_string(&batch.columns[1], r, &size);
            PEN_CHECK_EQ_I64(size, n_rows == 1 ? N : 1);
            PEN_CHECK(n_rows != 1 || memcmp(text, csv + head, N) == 0);
            PEN_CHECK_EQ_I64(pen_csv_row_place(reading.reader, r).line, n_rows < 2 ? 2 + n_rows : 4 + N / 4096);
        }
    }
    PEN_CHECK_EQ_I64(n_rows, 3);
    free(csv);
    end(&reading);
}

PEN_SUITE(csv_options, PEN_CASE(it_takes_null_markers_for_missing), PEN_CASE(it_trims_outside_quotes_only),
          PEN_CASE(it_skips_comments_at_row_starts), PEN_CASE(it_skips_lines_at_the_top_of_every_file),
          PEN_CASE(it_rounds_to_float32_when_asked), PEN_CASE(it_gives_only_the_typed_columns_in_their_order),
          PEN_CASE(it_tells_quoted_empty_cells_apart_when_asked), PEN_CASE(it_finds_headers_or_takes_what_is_given),
          PEN_CASE(it_makes_names_unique_and_says_so), PEN_CASE(it_lists_files_sorted_by_byte),
          PEN_CASE(it_compares_the_headers_of_several_files), PEN_CASE(it_widens_types_in_a_later_file),
          PEN_CASE(it_infers_first_and_rewinds), PEN_CASE(it_places_rows_behind_cells_of_many_lines),
          PEN_CASE(it_rejects_rows_again_after_a_restart), PEN_CASE(it_reads_odd_bytes_by_rule),
          PEN_CASE(it_names_the_line_of_an_open_quote), PEN_CASE(it_limits_rows_exactly),
          PEN_CASE(it_names_what_is_no_csv), PEN_CASE(it_caps_columns_and_takes_long_names),
          PEN_CASE(it_gives_up_codes_when_there_are_too_many), PEN_CASE(it_reads_ten_thousand_columns),
          PEN_CASE(it_reads_a_cell_of_twenty_megabytes));
