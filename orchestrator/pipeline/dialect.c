/* Judging a dialect by its cells: per column, how many begin with a space, how many are numbers, and which of the
 * known words for "missing" stand among them. */
#include "orchestrator/pipeline/dialect.h"

#include "core/memory.h"
#include "datasets/csv/csv.h"

#include <string.h>

/* Words that mean missing wherever all other cells of the column are numbers; the first STRICT of them anywhere. */
static const char *const missing_words[] = {"NA",   "N/A", "?",   "NULL", "#N/A", "null",   "n/a",
                                            "None", "-",   "nan", "NaN",  ".",    "unknown"};
enum { N_WORDS = sizeof missing_words / sizeof missing_words[0], STRICT = 5, ROWS_LOOKED_AT = 200000 };

struct evidence {
    int64_t n_cells, n_leading_spaces, n_numbers;
    int64_t n_words[N_WORDS];
};

static void look_at_cell(struct evidence *column, const char *cell, size_t size)
{
    column->n_cells++;
    column->n_leading_spaces += size > 0 && cell[0] == ' ';
    while (size > 0 && cell[0] == ' ') {
        cell++;
        size--;
    }
    while (size > 0 && cell[size - 1] == ' ') {
        size--;
    }
    for (int word = 0; word < N_WORDS; word++) {
        if (strlen(missing_words[word]) == size && memcmp(missing_words[word], cell, size) == 0) {
            column->n_words[word]++;
            return;
        }
    }
    double number = 0;
    column->n_numbers += pen_parse_double(cell, size, &number);
}

static void look_at_batch(const struct pen_batch *batch, struct evidence *columns)
{
    for (int64_t c = 0; c < batch->n_columns; c++) {
        const struct pen_column *column = &batch->columns[c];
        if (!pen_type_is_string(column->type)) {
            continue;
        }
        for (int64_t row = 0; row < batch->n_rows; row++) {
            if (pen_is_valid(column->validity, row)) {
                size_t size = 0;
                const char *cell = pen_column_string(column, row, &size);
                look_at_cell(&columns[c], cell, size);
            }
        }
    }
}

static pen_status gather(struct pen_csv_reader *reader, struct evidence *columns, struct pen_error *err)
{
    int64_t n_rows = 0;
    while (n_rows < ROWS_LOOKED_AT) {
        struct pen_batch batch;
        bool restarted = false;
        PEN_TRY(pen_csv_next(reader, &batch, &restarted, err));
        if (restarted) {
            memset(columns, 0, (size_t)pen_csv_n_columns(reader) * sizeof *columns);
            n_rows = 0;
            continue;
        }
        if (batch.n_rows == 0) {
            break;
        }
        look_at_batch(&batch, columns);
        n_rows += batch.n_rows;
    }
    return PEN_OK;
}

static void write_nulls(const struct evidence *columns, int64_t n_columns, struct pen_text *yaml)
{
    bool wanted[N_WORDS] = {false};
    int n_wanted = 0;
    for (int64_t c = 0; c < n_columns; c++) {
        int64_t n_words = 0;
        for (int word = 0; word < N_WORDS; word++) {
            n_words += columns[c].n_words[word];
        }
        bool numeric = columns[c].n_numbers > 0 && columns[c].n_numbers + n_words == columns[c].n_cells;
        for (int word = 0; word < N_WORDS; word++) {
            if (columns[c].n_words[word] > 0 && (numeric || word < STRICT) && !wanted[word]) {
                wanted[word] = true;
                n_wanted++;
            }
        }
    }
    if (n_wanted == 0) {
        return;
    }
    pen_text_append(yaml, "  nulls: [");
    for (int word = 0; word < N_WORDS; word++) {
        if (wanted[word]) {
            pen_text_printf(yaml, "'%s'%s", missing_words[word], --n_wanted > 0 ? ", " : "");
        }
    }
    pen_text_append(yaml, "]\n");
}

static void write_dialect(const struct pen_csv_reader *reader, const struct evidence *columns, const char *const *names,
                          int64_t n_names, struct pen_text *yaml)
{
    char delimiter = pen_csv_delimiter(reader);
    if (delimiter == '\t') {
        pen_text_append(yaml, "  delimiter: \"\\t\"\n");
    } else if (delimiter != ',') {
        pen_text_printf(yaml, "  delimiter: '%c'\n", delimiter);
    }
    if (n_names > 0) {
        pen_text_append(yaml, "  columns: [");
        for (int64_t i = 0; i < n_names; i++) {
            pen_text_printf(yaml, "%s'%s'", i == 0 ? "" : ", ", names[i]);
        }
        pen_text_append(yaml, "]\n");
    } else if (!pen_csv_has_header(reader)) {
        pen_text_append(yaml, "  header: false\n");
    }
    int64_t n_columns = pen_csv_n_columns(reader);
    bool spaced = false;
    bool all_spaced = true;
    for (int64_t c = 0; c < n_columns; c++) {
        if (columns[c].n_cells > 0) {
            spaced = true;
            all_spaced = all_spaced && columns[c].n_leading_spaces == columns[c].n_cells;
        }
    }
    if (spaced && all_spaced) {
        pen_text_append(yaml, "  trim: true   # a space stands before every text\n");
    }
    write_nulls(columns, n_columns, yaml);
}

pen_status pen_dialect_find(const char *const *paths, int64_t n_paths, const char *const *columns, int64_t n_columns,
                            struct pen_text *yaml, struct pen_error *err)
{
    struct pen_csv_options options;
    struct pen_csv_reader *reader = NULL;
    struct evidence *evidence = NULL;
    pen_csv_options_init(&options);
    options.names = columns;
    options.n_names = n_columns;
    options.bad_rows = PEN_CSV_BAD_ROWS_REJECT;
    PEN_TRY(pen_csv_open(&reader, paths, n_paths, &options, err));
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, evidence, pen_csv_n_columns(reader), err);
    PEN_TRY_GOTO(cleanup, gather(reader, evidence, err));
    write_dialect(reader, evidence, columns, n_columns, yaml);
    status = pen_text_check(yaml, err);
cleanup:
    pen_free(evidence);
    pen_csv_close(reader);
    return status;
}
