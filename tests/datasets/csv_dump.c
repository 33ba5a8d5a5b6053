/* Prints a CSV file as penstock reads it: one JSON object, or the error on standard error with the exit code of its
 * status. For csv_torture.py, which compares it with Python's csv module.
 *
 *   csv_dump FILE [delimiter=;] [quote=none] [header=no] [trim] [threads=2] [chunk=64] [level=avx2] [reject]
 * [comment=#] */
#include "core/json.h"
#include "datasets/csv/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_option(struct pen_csv_options *options, const char *text)
{
    static const char *const levels[] = {"auto", "scalar", "avx2", "avx512"};
    const char *value = strchr(text, '=');
    value = value != NULL ? value + 1 : "";
    if (strncmp(text, "delimiter=", 10) == 0) {
        options->delimiter = *value;
    } else if (strcmp(text, "quote=none") == 0) {
        options->quote = 0;
    } else if (strncmp(text, "comment=", 8) == 0) {
        options->comment = *value;
    } else if (strncmp(text, "header=", 7) == 0) {
        options->header = strcmp(value, "no") == 0 ? PEN_CSV_HEADER_NO : PEN_CSV_HEADER_YES;
    } else if (strncmp(text, "threads=", 8) == 0) {
        options->n_threads = (int)strtol(value, NULL, 10);
    } else if (strncmp(text, "chunk=", 6) == 0) {
        options->chunk_bytes = strtol(value, NULL, 10);
    } else if (strcmp(text, "trim") == 0) {
        options->trim_spaces = true;
    } else if (strcmp(text, "reject") == 0) {
        options->bad_rows = PEN_CSV_BAD_ROWS_REJECT;
    }
    for (int i = 0; i < 4 && strncmp(text, "level=", 6) == 0; i++) {
        if (strcmp(value, levels[i]) == 0) {
            options->level = (enum pen_csv_level)i;
        }
    }
}

static pen_json *cell(const struct pen_column *column, int64_t row)
{
    if (!pen_is_valid(column->validity, row)) {
        return pen_json_null();
    }
    if (column->type == PEN_TYPE_INT64) {
        return pen_json_int(((const int64_t *)column->values)[row]);
    }
    if (column->type == PEN_TYPE_FLOAT64) {
        return pen_json_double(((const double *)column->values)[row]);
    }
    size_t size;
    const char *text = pen_column_string(column, row, &size);
    return pen_json_string_bytes(text, size);
}

int main(int argc, char **argv)
{
    struct pen_csv_options options;
    struct pen_csv_reader *reader = NULL;
    struct pen_error err = PEN_ERROR_INIT;
    pen_csv_options_init(&options);
    for (int i = 2; i < argc; i++) {
        set_option(&options, argv[i]);
    }
    const char *path = argc > 1 ? argv[1] : "";
    pen_status status = pen_csv_open(&reader, &path, 1, &options, &err);
    pen_json *rows = pen_json_array();
    for (bool more = true; status == PEN_OK && more;) {
        struct pen_batch batch;
        bool restarted;
        status = pen_csv_next(reader, &batch, &restarted, &err);
        if (restarted) {
            pen_json_free(rows);
            rows = pen_json_array();
            continue;
        }
        for (int64_t r = 0; status == PEN_OK && r < batch.n_rows; r++) {
            pen_json *row = pen_json_array();
            for (int64_t c = 0; c < batch.n_columns; c++) {
                pen_json_push(row, cell(&batch.columns[c], r));
            }
            pen_json_push(rows, row);
        }
        more = batch.n_rows > 0;
    }
    if (status != PEN_OK) {
        fprintf(stderr, "%s\n", err.message);
        pen_json_free(rows);
        pen_csv_close(reader);
        return pen_status_exit_code(status);
    }
    pen_json *table = pen_json_object();
    pen_json *names = pen_json_array(), *types = pen_json_array();
    for (int64_t c = 0; c < pen_csv_n_columns(reader); c++) {
        pen_json_push(names, pen_json_string(pen_csv_names(reader)[c]));
        pen_json_push(types, pen_json_string(pen_type_name(pen_csv_type(reader, c))));
    }
    const char delimiter[2] = {pen_csv_delimiter(reader), '\0'};
    pen_json_set(table, "delimiter", pen_json_string(delimiter));
    pen_json_set(table, "header", pen_json_bool(pen_csv_has_header(reader)));
    pen_json_set(table, "bad_rows", pen_json_int(pen_csv_counts(reader).n_bad_rows));
    pen_json_set(table, "names", names);
    pen_json_set(table, "types", types);
    pen_json_set(table, "rows", rows);
    struct pen_text out = {0};
    status = pen_json_print(table, PEN_JSON_COMPACT, &out, &err);
    if (status == PEN_OK) {
        puts(pen_text_view(&out));
    }
    pen_text_deinit(&out);
    pen_json_free(table);
    pen_csv_close(reader);
    return pen_status_exit_code(status);
}
