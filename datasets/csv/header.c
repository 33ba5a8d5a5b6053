/* The top of a file: byte-order mark, lines that are no CSV, dialect, header; and a first guess of the types.
 *
 * The delimiter is the candidate that gives the most rows of one width (at least two fields), then the wider one. A
 * first row without any number is a header. Both come from at most the first MiB, whatever the block size. The guess
 * of types also looks at a few places further on; a wrong guess costs time, never correctness. */
#include "datasets/csv/dictionary.h"

#include <stdlib.h>

enum {
    SAMPLE_BYTES = 1 << 20,
    SNIFF_ROWS = 200,
    SNIFF_BYTES = 1 << 16,
    GUESS_ROWS = 4096,
    PEEK_BYTES = 1 << 16,
    N_PEEKS = 7,
    MANY_SAMPLE_ROWS = 2000
};

struct sample {
    char *memory, *text; /* text = memory + PEN_CSV_PAD, behind mark and skipped lines */
    int64_t size;
    bool whole; /* the file ends with it */
    int64_t line;
    struct pen_csv_index index;
    char *scratch;
};

pen_status pen_csv_check_mark(const char *text, int64_t size, const char *path, int64_t *mark_bytes,
                              struct pen_error *err)
{
    const bool utf8 = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
    *mark_bytes = utf8 ? 3 : 0;
    if (size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
        PEN_FAIL(err, PEN_ERR_DATA,
                 "%s: expected UTF-8, found UTF-16 (byte-order mark); convert it: iconv -f UTF-16 -t UTF-8", path);
    }
    return PEN_OK;
}

/* Bytes of the first n physical lines; *lines as many as there are. */
static int64_t skip_lines(const char *text, int64_t size, int64_t n, int64_t *lines)
{
    int64_t at = 0;
    *lines = 0;
    while (*lines < n && at < size) {
        const int64_t end = pen_csv_first_row_end(text + at, size - at, false, 0);
        if (end < 0) {
            break;
        }
        at += end;
        ++*lines;
    }
    return at;
}

static bool row_is_blank(const struct pen_csv_dialect *dialect, const struct pen_csv_index *index, const char *text,
                         int64_t row)
{
    const int64_t first = row == 0 ? 0 : (int64_t)index->row_ends[row - 1] + 1;
    const char *p = text + (uint32_t)(index->ends[first - 1] + 1);
    const char *end = text + index->ends[index->row_ends[row]];
    if (dialect->comment != 0 && *p == dialect->comment) {
        return true;
    }
    while (p < end && (*p == '\r' || (dialect->trim && (*p == ' ' || *p == '\t')))) {
        p++;
    }
    return p == end;
}

/* Number of fields of a row, and its first field in ends. */
static int64_t row_width(const struct pen_csv_index *index, int64_t row, int64_t *first)
{
    *first = row == 0 ? 0 : (int64_t)index->row_ends[row - 1] + 1;
    return (int64_t)index->row_ends[row] - *first + 1;
}

static const char *row_cell(const struct pen_csv_dialect *dialect, const struct pen_csv_index *index, const char *text,
                            int64_t row, int64_t field, char *scratch, size_t *size)
{
    int64_t first;
    const int64_t n = row_width(index, row, &first);
    const uint32_t begin = index->ends[first + field - 1] + 1;
    return pen_csv_cell(dialect, text + begin, index->ends[first + field] - begin, field == n - 1, scratch, size);
}

/* Non-blank rows among the first that have the commonest width, in thousandths, and that width. */
static int64_t evenness(const struct pen_csv_dialect *dialect, struct sample *sample, int64_t *width)
{
    int64_t open_quote, counts[SNIFF_ROWS], n = 0, best = 0;
    const bool enough =
        pen_csv_machine(&sample->index, sample->text, sample->size, SNIFF_BYTES, dialect, &open_quote) > 0;
    for (int64_t row = 0; enough && row < sample->index.n_rows && n < SNIFF_ROWS; row++) {
        int64_t first;
        if (!row_is_blank(dialect, &sample->index, sample->text, row)) {
            counts[n++] = row_width(&sample->index, row, &first);
        }
    }
    *width = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t same = 0;
        for (int64_t j = 0; j < n; j++) {
            same += counts[j] == counts[i];
        }
        if (same > best || (same == best && counts[i] > *width)) {
            best = same;
            *width = counts[i];
        }
    }
    return n == 0 ? 0 : best * 1000 / n;
}

static char sniff_delimiter(const struct pen_csv_dialect *given, struct sample *sample)
{
    static const char candidates[] = ",\t;|";
    char best = ',';
    int64_t best_even = 0, best_width = 1;
    for (const char *c = candidates; *c != '\0'; c++) {
        struct pen_csv_dialect dialect = *given;
        dialect.delimiter = *c;
        int64_t width;
        const int64_t even = evenness(&dialect, sample, &width);
        if (width >= 2 && (even > best_even || (even == best_even && width > best_width))) {
            best = *c;
            best_even = even;
            best_width = width;
        }
    }
    return best;
}

/* Reads size bytes from the beginning; grows in the caller until a whole row is in it. */
static pen_status read_sample(struct pen_csv_reader *reader, struct sample *sample, int64_t wanted,
                              struct pen_error *err)
{
    struct pen_csv_source *source;
    const char *path = reader->paths[0];
    pen_status status;
    int64_t got, mark;
    PEN_TRY(pen_csv_source_open(&source, path, err));
    sample->memory = pen_malloc(wanted + 2 * PEN_CSV_PAD, 1);
    if (sample->memory == NULL) {
        PEN_FAIL_GOTO(done, err, PEN_ERR_MEMORY, "out of memory reading %s", path);
    }
    memset(sample->memory, 0, PEN_CSV_PAD);
    sample->text = sample->memory + PEN_CSV_PAD;
    PEN_TRY_GOTO(done, pen_csv_source_read(source, sample->text, wanted, 1, &got, err));
    sample->whole = got < wanted;
    PEN_TRY_GOTO(done, pen_csv_check_mark(sample->text, got, path, &mark, err));
    if (sample->whole && got > mark && sample->text[got - 1] != '\n' && sample->text[got - 1] != '\r') {
        sample->text[got++] = '\n';
    }
    memset(sample->text + got, 0, PEN_CSV_PAD - 1);
    got -= !sample->whole && got > 0 && sample->text[got - 1] == '\r';
    int64_t lines;
    const int64_t skip = mark + skip_lines(sample->text + mark, got - mark, reader->options.skip_lines, &lines);
    sample->text += skip;
    sample->size = got - skip;
    sample->line = 1 + lines;
    PEN_TRY_GOTO(done, pen_csv_index_reserve(&sample->index, sample->size, err));
    sample->scratch = pen_malloc(sample->size + PEN_CSV_PAD, 1);
    if (sample->scratch == NULL) {
        PEN_FAIL_GOTO(done, err, PEN_ERR_MEMORY, "out of memory reading %s", path);
    }
    if (wanted == SAMPLE_BYTES && memchr(sample->text, 0, (size_t)sample->size) != NULL) {
        const char *nul = memchr(sample->text, 0, (size_t)sample->size);
        if (nul - sample->text < 4 && sample->line == 1) {
            PEN_FAIL_GOTO(done, err, PEN_ERR_DATA,
                          "%s: NUL byte at byte offset %lld: expected UTF-8 text (UTF-16? iconv -f UTF-16 -t UTF-8)",
                          path, (long long)(nul - sample->text + skip));
        }
    }
    status = PEN_OK;
done:
    pen_csv_source_close(source);
    return status;
}

static void sample_deinit(struct sample *sample)
{
    pen_free(sample->memory);
    pen_free(sample->scratch);
    pen_csv_index_deinit(&sample->index);
    memset(sample, 0, sizeof *sample);
}

/* ---- names ---- */

static pen_status check_name(const struct pen_csv_reader *reader, int64_t field, const char *name, size_t size,
                             struct pen_error *err)
{
    char quoted[PEN_QUOTE_BYTES];
    if (memchr(name, 0, size) != NULL) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: NUL byte in the name of column %lld: '%s'", reader->paths[0],
                 (long long)field + 1, pen_quote(quoted, name, size));
    }
    if (pen_utf8_valid_prefix(name, size) != size) {
        PEN_FAIL(err, PEN_ERR_DATA,
                 "%s: the name of column %lld is not UTF-8: '%s'; convert the file with iconv, or give names",
                 reader->paths[0], (long long)field + 1, pen_quote(quoted, name, size));
    }
    return PEN_OK;
}

static pen_status take_key(struct pen_csv_dictionary *taken, const char *name, bool *fresh, struct pen_error *err)
{
    char padded[64];
    const size_t size = strlen(name);
    const char *text = name;
    if (size <= 16) { /* keys are read sixteen bytes at a time */
        memset(padded, 0, sizeof padded);
        memcpy(padded, name, size);
        text = padded;
    }
    const struct pen_csv_key key = pen_csv_key_of(text, size);
    int32_t code = pen_csv_dictionary_find(taken, &key);
    *fresh = code < 0;
    return *fresh ? pen_csv_dictionary_insert(taken, &key, &code, err) : PEN_OK;
}

/* Gives every field a name of its own. fields[i] may be "". */
static pen_status unique_names(struct pen_csv_reader *reader, char **fields, char **names, struct pen_error *err)
{
    struct pen_csv_dictionary taken = {0};
    pen_status status = PEN_OK;
    int64_t n_generated = 0, n_duplicates = 0;
    const char *duplicate = "";
    bool fresh;
    /* Names in the file keep their place: generated ones give way to them. */
    for (int64_t i = 0; i < reader->n_fields; i++) {
        names[i] = NULL;
        if (fields[i][0] != '\0') {
            PEN_TRY_GOTO(done, take_key(&taken, fields[i], &fresh, err));
            names[i] = fresh ? fields[i] : NULL;
        }
    }
    for (int64_t i = 0; i < reader->n_fields; i++) {
        const bool empty = fields[i][0] == '\0';
        for (int64_t k = empty ? 1 : 2; names[i] == NULL; k++) {
            char *name = !empty ? pen_arena_printf(&reader->arena, "%s_%lld", fields[i], (long long)k)
                         : k == 1
                             ? pen_arena_printf(&reader->arena, "column_%lld", (long long)i + 1)
                             : pen_arena_printf(&reader->arena, "column_%lld_%lld", (long long)i + 1, (long long)k);
            if (name == NULL) {
                PEN_FAIL_GOTO(done, err, PEN_ERR_MEMORY, "out of memory: column names");
            }
            PEN_TRY_GOTO(done, take_key(&taken, name, &fresh, err));
            names[i] = fresh ? name : NULL;
            n_generated += fresh && empty;
            n_duplicates += fresh && !empty;
            duplicate = !empty ? fields[i] : duplicate;
        }
    }
    if (n_duplicates > 0) {
        char quoted[PEN_QUOTE_BYTES];
        pen_log(PEN_LOG_WARNING, "%s: %lld columns repeat a name ('%s', ...); they were renamed with _2, _3, ...",
                reader->paths[0], (long long)n_duplicates, pen_quote(quoted, duplicate, strlen(duplicate)));
    }
    if (n_generated > 0 && reader->has_header) {
        pen_log(PEN_LOG_WARNING, "%s: %lld columns have no name; they are called column_N", reader->paths[0],
                (long long)n_generated);
    }
done:
    pen_csv_dictionary_deinit(&taken);
    return status;
}

static pen_status header_fields(struct pen_csv_reader *reader, const struct sample *sample, int64_t row,
                                struct pen_error *err)
{
    reader->header_fields = pen_arena_alloc(&reader->arena, reader->n_fields, sizeof(char *));
    if (reader->header_fields == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: header");
    }
    for (int64_t i = 0; i < reader->n_fields; i++) {
        size_t size = 0;
        const char *name = "";
        if (reader->has_header) {
            name = row_cell(&reader->dialect, &sample->index, sample->text, row, i, sample->scratch, &size);
            if (reader->options.names == NULL) {
                PEN_TRY(check_name(reader, i, name, size, err));
            }
        }
        reader->header_fields[i] = pen_arena_strndup(&reader->arena, name, size);
        if (reader->header_fields[i] == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: header");
        }
    }
    return PEN_OK;
}

/* ---- columns ---- */

static pen_status force_types(struct pen_csv_reader *reader, char **names, struct pen_error *err)
{
    const struct pen_csv_options *options = &reader->options;
    struct pen_csv_dictionary known = {0};
    pen_status status = PEN_OK;
    bool fresh;
    for (int64_t i = 0; i < reader->n_fields; i++) {
        PEN_TRY_GOTO(done, take_key(&known, names[i], &fresh, err));
    }
    for (int64_t t = 0; t < options->n_types; t++) {
        char padded[64] = {0};
        const char *name = options->types[t].name;
        const size_t size = strlen(name);
        memcpy(padded, name, size < 16 ? size : 16);
        const struct pen_csv_key key = pen_csv_key_of(size <= 16 ? padded : name, size);
        const int32_t field = pen_csv_dictionary_find(&known, &key);
        if (field < 0) {
            const char *near = pen_nearest_name(name, (const char *const *)names, reader->n_fields);
            PEN_FAIL_GOTO(done, err, PEN_ERR_DATA, "%s: no column '%s' among its %lld%s%s%s", reader->paths[0], name,
                          (long long)reader->n_fields, near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                          near != NULL ? "'?" : "");
        }
        struct pen_csv_col *column = &reader->columns[options->only_typed_columns ? t : field];
        column->name = names[field];
        column->field = field;
        column->type = options->types[t].type;
        column->forced = true;
    }
done:
    pen_csv_dictionary_deinit(&known);
    return status;
}

static pen_status make_columns(struct pen_csv_reader *reader, char **names, struct pen_error *err)
{
    const struct pen_csv_options *options = &reader->options;
    reader->n_columns = options->only_typed_columns ? options->n_types : reader->n_fields;
    PEN_ALLOC(reader->columns, reader->n_columns, err);
    PEN_ALLOC(reader->names, reader->n_columns, err);
    PEN_ALLOC(reader->views, reader->n_columns, err);
    for (int64_t c = 0; !options->only_typed_columns && c < reader->n_columns; c++) {
        reader->columns[c].name = names[c];
        reader->columns[c].field = c;
    }
    PEN_TRY(force_types(reader, names, err));
    for (int64_t c = 0; c < reader->n_columns; c++) {
        reader->names[c] = reader->columns[c].name;
    }
    return PEN_OK;
}

/* ---- first guess of types ---- */

struct guess {
    enum pen_csv_class *classes; /* [n_columns] */
    struct pen_csv_dictionary *distinct;
    int64_t n_rows, n_bytes;
};

static void guess_rows(const struct pen_csv_reader *reader, const struct pen_csv_index *index, const char *text,
                       char *scratch, int64_t first_row, struct guess *guess)
{
    for (int64_t row = first_row; row < index->n_rows && row < GUESS_ROWS; row++) {
        int64_t first;
        if (row_width(index, row, &first) != reader->n_fields || row_is_blank(&reader->dialect, index, text, row)) {
            continue;
        }
        guess->n_rows++;
        for (int64_t c = 0; c < reader->n_columns; c++) {
            size_t size;
            int64_t integer;
            double real;
            bool overflow;
            const char *cell = row_cell(&reader->dialect, index, text, row, reader->columns[c].field, scratch, &size);
            if (pen_csv_is_missing(&reader->options, cell, size, false)) {
                continue;
            }
            if (guess->classes[c] != PEN_CSV_CLASS_STRING) {
                const enum pen_csv_class seen = pen_csv_classify(cell, size, &integer, &real, &overflow);
                guess->classes[c] = seen > guess->classes[c] ? seen : guess->classes[c];
            }
            if (guess->classes[c] == PEN_CSV_CLASS_STRING) {
                struct pen_csv_dictionary *distinct = &guess->distinct[c];
                const struct pen_csv_key key = pen_csv_key_of(cell, size);
                int32_t code;
                if (pen_csv_dictionary_find(distinct, &key) < 0 &&
                    pen_csv_dictionary_insert(distinct, &key, &code, NULL) != PEN_OK) {
                    return;
                }
            }
        }
    }
}

/* A few pieces further on in a plain file, each from its first line end. */
static pen_status guess_peeks(struct pen_csv_reader *reader, struct sample *sample, struct guess *guess,
                              struct pen_error *err)
{
    struct pen_csv_source *source;
    PEN_TRY(pen_csv_source_open(&source, reader->paths[0], err));
    const int64_t size = pen_csv_source_size(source);
    pen_status status = PEN_OK;
    for (int64_t i = 1; size > 4 * SAMPLE_BYTES && sample->size > PEEK_BYTES && i <= N_PEEKS; i++) {
        int64_t got, open_quote;
        PEN_TRY_GOTO(done,
                     pen_csv_source_peek(source, sample->text, PEEK_BYTES, size / N_PEEKS * i - PEEK_BYTES, &got, err));
        memset(sample->text + got, 0, 1);
        const int64_t begin = pen_csv_first_row_end(sample->text, got, false, 0);
        if (begin >= 0) {
            const char *text = sample->text + begin;
            (void)pen_csv_machine(&sample->index, text, got - begin, INT64_MAX, &reader->dialect, &open_quote);
            guess_rows(reader, &sample->index, text, sample->scratch, 0, guess);
        }
    }
done:
    pen_csv_source_close(source);
    return status;
}

static void set_types(struct pen_csv_reader *reader, const struct guess *guess, int64_t file_bytes)
{
    const double rows = guess->n_bytes > 0 ? (double)guess->n_rows * (double)file_bytes / (double)guess->n_bytes : 0;
    for (int64_t c = 0; c < reader->n_columns; c++) {
        struct pen_csv_col *column = &reader->columns[c];
        if (column->forced) {
            continue;
        }
        const int64_t n_distinct = guess->distinct[c].view.n_entries;
        const bool many = guess->n_rows >= MANY_SAMPLE_ROWS && n_distinct > guess->n_rows * 9 / 10 &&
                          rows > 2.0 * (double)reader->options.max_distinct;
        switch (guess->classes[c]) {
        case PEN_CSV_CLASS_INT:
            column->type = PEN_TYPE_INT64;
            break;
        case PEN_CSV_CLASS_FLOAT:
            column->type = reader->options.float32 ? PEN_TYPE_FLOAT32 : PEN_TYPE_FLOAT64;
            break;
        case PEN_CSV_CLASS_STRING:
            column->type = many ? PEN_TYPE_BYTES : PEN_TYPE_CODES;
            break;
        case PEN_CSV_CLASS_NONE:
        default:
            column->type = PEN_TYPE_NONE;
            break;
        }
    }
}

static pen_status guess_types(struct pen_csv_reader *reader, struct sample *sample, int64_t first_row,
                              struct pen_error *err)
{
    struct guess guess = {0};
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(done, guess.classes, reader->n_columns, err);
    PEN_ALLOC_GOTO(done, guess.distinct, reader->n_columns, err);
    guess_rows(reader, &sample->index, sample->text, sample->scratch, first_row, &guess);
    const int64_t last = sample->index.n_rows < GUESS_ROWS ? sample->index.n_rows - 1 : GUESS_ROWS - 1;
    const int64_t guessed_bytes = last < 0 ? 0 : (int64_t)sample->index.ends[sample->index.row_ends[last]] + 1;
    guess.n_bytes = guessed_bytes;
    const int64_t n_rows = guess.n_rows;
    if (!sample->whole) {
        PEN_TRY_GOTO(done, guess_peeks(reader, sample, &guess, err));
        struct pen_csv_source *source;
        PEN_TRY_GOTO(done, pen_csv_source_open(&source, reader->paths[0], err));
        const int64_t size = pen_csv_source_size(source);
        pen_csv_source_close(source);
        guess.n_bytes = n_rows > 0 ? guessed_bytes * guess.n_rows / n_rows : guessed_bytes;
        set_types(reader, &guess, size < 0 ? INT64_C(1) << 40 : size * reader->n_paths);
    } else {
        set_types(reader, &guess, sample->size * reader->n_paths);
    }
done:
    for (int64_t c = 0; guess.distinct != NULL && c < reader->n_columns; c++) {
        pen_csv_dictionary_deinit(&guess.distinct[c]);
    }
    pen_free(guess.classes);
    pen_free(guess.distinct);
    return status;
}

/* ---- the first file ---- */

static bool looks_like_header(const struct pen_csv_reader *reader, const struct sample *sample, int64_t row)
{
    int64_t first;
    const int64_t n = row_width(&sample->index, row, &first);
    bool any = false;
    for (int64_t i = 0; i < n; i++) {
        size_t size;
        int64_t integer;
        double real;
        bool overflow;
        const char *cell = row_cell(&reader->dialect, &sample->index, sample->text, row, i, sample->scratch, &size);
        if (size == 0) {
            continue;
        }
        any = true;
        /* "nan" and "inf" may be names */
        const bool number = pen_csv_classify(cell, size, &integer, &real, &overflow) != PEN_CSV_CLASS_STRING;
        if (number && memchr("0123456789+-. ", *cell, 14) != NULL) {
            return false;
        }
    }
    return any;
}

static pen_status width_of_first(struct pen_csv_reader *reader, const struct sample *sample, int64_t row,
                                 struct pen_error *err)
{
    const struct pen_csv_options *options = &reader->options;
    int64_t first;
    reader->n_fields = row_width(&sample->index, row, &first);
    if (reader->n_fields > PEN_CSV_MAX_COLUMNS) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "%s: %lld columns, more than %d", reader->paths[0], (long long)reader->n_fields,
                 PEN_CSV_MAX_COLUMNS);
    }
    if (options->names != NULL && options->n_names != reader->n_fields) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "%s: %lld names given for %lld columns", reader->paths[0],
                 (long long)options->n_names, (long long)reader->n_fields);
    }
    return PEN_OK;
}

static pen_status read_names(struct pen_csv_reader *reader, const struct sample *sample, int64_t row,
                             struct pen_error *err)
{
    const struct pen_csv_options *options = &reader->options;
    PEN_TRY(header_fields(reader, sample, row, err));
    char **fields = pen_arena_alloc(&reader->arena, reader->n_fields, sizeof(char *));
    char **names = pen_arena_alloc(&reader->arena, reader->n_fields, sizeof(char *));
    if (fields == NULL || names == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: column names");
    }
    for (int64_t i = 0; i < reader->n_fields; i++) {
        fields[i] =
            options->names != NULL ? pen_arena_strdup(&reader->arena, options->names[i]) : reader->header_fields[i];
        if (fields[i] == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: column names");
        }
    }
    PEN_TRY(unique_names(reader, fields, names, err));
    return make_columns(reader, names, err);
}

static pen_status read_top(struct pen_csv_reader *reader, struct sample *sample, bool *done, struct pen_error *err)
{
    const struct pen_csv_options *options = &reader->options;
    int64_t open_quote, row = 0;
    if (options->delimiter == 0) {
        reader->dialect.delimiter = sniff_delimiter(&reader->dialect, sample);
    }
    (void)pen_csv_machine(&sample->index, sample->text, sample->size, INT64_MAX, &reader->dialect, &open_quote);
    while (row < sample->index.n_rows && row_is_blank(&reader->dialect, &sample->index, sample->text, row)) {
        row++;
    }
    *done = row < sample->index.n_rows;
    if (!*done) {
        if (sample->whole && open_quote >= 0) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: the quote opened at line %lld is never closed", reader->paths[0],
                     (long long)(sample->line + pen_csv_ops_scalar.survey(sample->text, open_quote, 0).n_lines));
        }
        if (sample->whole) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: expected rows of CSV, found an empty file%s", reader->paths[0],
                     options->skip_lines > 0 ? " behind skip_lines" : "");
        }
        return PEN_OK;
    }
    reader->has_header =
        options->header == PEN_CSV_HEADER_YES ||
        (options->header == PEN_CSV_HEADER_AUTO && options->names == NULL && looks_like_header(reader, sample, row));
    PEN_TRY(width_of_first(reader, sample, row, err));
    PEN_TRY(read_names(reader, sample, row, err));
    return guess_types(reader, sample, row + (reader->has_header ? 1 : 0), err);
}

pen_status pen_csv_header_read(struct pen_csv_reader *reader, struct pen_error *err)
{
    struct sample sample = {0};
    pen_status status = PEN_OK;
    bool done = false;
    for (int64_t size = SAMPLE_BYTES; !done && status == PEN_OK; size *= 4) {
        status = read_sample(reader, &sample, size, err);
        if (status == PEN_OK) {
            status = read_top(reader, &sample, &done, err);
        }
        if (status == PEN_OK && !done && size > reader->options.max_row_bytes) {
            status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_LIMIT,
                                   "%s line %lld: the first row is longer than %lld bytes (max_row_bytes)",
                                   reader->paths[0], (long long)sample.line, (long long)reader->options.max_row_bytes);
        }
        sample_deinit(&sample);
    }
    return status;
}

/* ---- every file ---- */

/* The first row's width or name that differs from the first file's. */
static pen_status compare_header(const struct pen_csv_reader *reader, const struct pen_csv_index *index,
                                 const char *text, char *scratch, struct pen_error *err)
{
    const char *path = reader->paths[reader->file_number];
    int64_t first;
    const int64_t n = row_width(index, 0, &first);
    if (n != reader->n_fields) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: its header has %lld columns, that of %s has %lld", path, (long long)n,
                 reader->paths[0], (long long)reader->n_fields);
    }
    for (int64_t i = 0; i < n; i++) {
        size_t size;
        char found[PEN_QUOTE_BYTES], expected[PEN_QUOTE_BYTES];
        const char *name = row_cell(&reader->dialect, index, text, 0, i, scratch, &size);
        const char *wanted = reader->header_fields[i];
        if (strlen(wanted) != size || memcmp(wanted, name, size) != 0) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: column %lld of its header is '%s', in %s it is '%s'", path,
                     (long long)i + 1, pen_quote(found, name, size), reader->paths[0],
                     pen_quote(expected, wanted, strlen(wanted)));
        }
    }
    return PEN_OK;
}

/* Takes rows from the block until one that is neither blank nor a comment has been compared. */
static pen_status take_header(struct pen_csv_reader *reader, struct pen_csv_index *index, char **scratch,
                              struct pen_error *err)
{
    struct pen_csv_block *block = &reader->block;
    for (;;) {
        const char *text = block->text + block->begin;
        const bool cr_at_end = block->size > block->begin && block->text[block->size - 1] == '\r' && !block->eof;
        const int64_t size = block->size - block->begin - cr_at_end;
        int64_t open_quote;
        PEN_TRY(pen_csv_index_reserve(index, size, err));
        const int64_t whole = pen_csv_machine(index, text, size, 1, &reader->dialect, &open_quote);
        if (whole > 0) {
            const bool blank = row_is_blank(&reader->dialect, index, text, 0);
            if (!blank) {
                pen_free(*scratch);
                *scratch = pen_malloc(whole + PEN_CSV_PAD, 1);
                if (*scratch == NULL) {
                    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: header");
                }
                PEN_TRY(compare_header(reader, index, text, *scratch, err));
            }
            block->line += pen_csv_ops_scalar.survey(text, whole, 0).n_lines;
            block->begin += whole;
            if (!blank) {
                return PEN_OK;
            }
            continue;
        }
        bool grown;
        PEN_TRY(pen_csv_block_more(reader, &grown, err));
        if (!grown) {
            if (block->size > block->begin) {
                return pen_csv_block_unfinished(reader, err);
            }
            PEN_FAIL(err, PEN_ERR_DATA, "%s: expected the header of %s, found an empty file",
                     reader->paths[reader->file_number], reader->paths[0]);
        }
    }
}

static pen_status take_lines(struct pen_csv_reader *reader, struct pen_error *err)
{
    struct pen_csv_block *block = &reader->block;
    int64_t left = reader->options.skip_lines;
    for (bool grown = true; left > 0 && grown;) {
        const bool cr_at_end = block->size > block->begin && block->text[block->size - 1] == '\r' && !block->eof;
        int64_t lines;
        block->begin += skip_lines(block->text + block->begin, block->size - block->begin - cr_at_end, left, &lines);
        block->line += lines;
        left -= lines;
        if (left > 0) {
            PEN_TRY(pen_csv_block_more(reader, &grown, err));
        }
    }
    return PEN_OK;
}

pen_status pen_csv_header_skip(struct pen_csv_reader *reader, struct pen_error *err)
{
    struct pen_csv_block *block = &reader->block;
    struct pen_csv_index index = {0};
    char *scratch = NULL;
    int64_t mark;
    bool grown;
    PEN_TRY(pen_csv_block_more(reader, &grown, err));
    while (block->size < 4 && grown) { /* blocks of tests are tiny */
        PEN_TRY(pen_csv_block_more(reader, &grown, err));
    }
    PEN_TRY(pen_csv_check_mark(block->text, block->size, reader->paths[reader->file_number], &mark, err));
    block->begin = mark;
    PEN_TRY(take_lines(reader, err));
    if (!reader->has_header) {
        return PEN_OK;
    }
    const pen_status status = take_header(reader, &index, &scratch, err);
    pen_csv_index_deinit(&index);
    pen_free(scratch);
    return status;
}
