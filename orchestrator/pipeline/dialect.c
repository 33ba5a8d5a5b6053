/* Judging a dialect by its rows and cells: whether rows have the width of the first one, and per column how many cells
 * begin with a space, how many are numbers, and which of the known words for "missing" stand among them.
 *
 * Where most rows are not as wide as the first one, lines above the header are no data: the header is the first line
 * whose width all rows below it have. */
#include "orchestrator/pipeline/dialect.h"

#include "core/memory.h"
#include "datasets/csv/csv.h"

#include <string.h>

/* Words that mean missing wherever all other cells of the column are numbers; the first STRICT of them anywhere. */
static const char *const missing_words[] = {"NA",   "N/A", "?",   "NULL", "#N/A", "null",   "n/a",
                                            "None", "-",   "nan", "NaN",  ".",    "unknown"};
enum { N_WORDS = sizeof missing_words / sizeof missing_words[0], STRICT = 5, ROWS_LOOKED_AT = 200000, MOST_LINES = 20 };

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

/* One reading of the first rows. */
struct look {
    struct pen_csv_options options;
    struct pen_csv_reader *reader;
    struct evidence *columns;
    int64_t n_rows, n_rejected;
};

static void count_reject(void *user, const struct pen_csv_reject *row)
{
    struct look *look = user;
    (void)row;
    look->n_rejected++;
}

static pen_status gather(struct look *look, struct pen_error *err)
{
    while (look->n_rows + look->n_rejected < ROWS_LOOKED_AT) {
        struct pen_batch batch;
        bool restarted = false;
        PEN_TRY(pen_csv_next(look->reader, &batch, &restarted, err));
        if (restarted) {
            memset(look->columns, 0, (size_t)pen_csv_n_columns(look->reader) * sizeof *look->columns);
            look->n_rows = 0;
            look->n_rejected = 0;
            continue;
        }
        if (batch.n_rows == 0) {
            break;
        }
        look_at_batch(&batch, look->columns);
        look->n_rows += batch.n_rows;
    }
    return PEN_OK;
}

static void look_deinit(struct look *look)
{
    pen_free(look->columns);
    pen_csv_close(look->reader);
    look->columns = NULL;
    look->reader = NULL;
}

static pen_status take_look(struct look *look, const char *const *paths, int64_t n_paths, const char *const *names,
                            int64_t n_names, int64_t skip_lines, struct pen_error *err)
{
    memset(look, 0, sizeof *look);
    pen_csv_options_init(&look->options);
    look->options.names = names;
    look->options.n_names = n_names;
    look->options.skip_lines = skip_lines;
    look->options.bad_rows = PEN_CSV_BAD_ROWS_REJECT;
    look->options.on_reject = count_reject;
    look->options.on_reject_user = look;
    PEN_TRY(pen_csv_open(&look->reader, paths, n_paths, &look->options, err));
    PEN_ALLOC(look->columns, pen_csv_n_columns(look->reader), err);
    return gather(look, err);
}

/* Another look where lines above the header spoil this one; false: there is none, look stays. */
static bool look_below(struct look *look, const char *const *paths, int64_t n_paths)
{
    for (int64_t skip = 1; skip <= MOST_LINES; skip++) {
        struct look other;
        bool fits = take_look(&other, paths, n_paths, NULL, 0, skip, NULL) == PEN_OK && other.n_rejected == 0 &&
                    other.n_rows > 0 && pen_csv_n_columns(other.reader) > 1;
        if (fits) {
            look_deinit(look);
            *look = other; /* of which no more is read */
            return true;
        }
        look_deinit(&other);
    }
    return false;
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

static void write_dialect(const struct look *look, const char *const *names, int64_t n_names, struct pen_text *yaml)
{
    const struct pen_csv_reader *reader = look->reader;
    const struct evidence *columns = look->columns;
    if (look->options.skip_lines > 0) {
        pen_text_printf(yaml, "  skip_lines: %lld   # above the header\n", (long long)look->options.skip_lines);
    }
    char delimiter = pen_csv_delimiter(reader);
    if (delimiter == '\t') {
        pen_text_append(yaml, "  delimiter: \"\\t\"\n");
    } else if (delimiter != ',') {
        pen_text_printf(yaml, "  delimiter: '%c'\n", delimiter);
    }
    if (names != NULL) {
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
    struct look look;
    pen_status status = take_look(&look, paths, n_paths, columns, n_columns, 0, err);
    bool is_spoilt = status == PEN_ERR_DATA || (status == PEN_OK && look.n_rejected > look.n_rows);
    if (columns == NULL && is_spoilt && look_below(&look, paths, n_paths)) {
        status = PEN_OK;
    }
    if (status == PEN_OK) {
        write_dialect(&look, columns, n_columns, yaml);
        status = pen_text_check(yaml, err);
    }
    look_deinit(&look);
    return status;
}
