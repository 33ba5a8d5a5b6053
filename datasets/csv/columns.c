/* Names and columns: the header's fields, or the names given, each made unique; then the columns asked for. */
#include "datasets/csv/dictionary.h"
#include "datasets/csv/sample.h"

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

static void warn_of_duplicates(const struct pen_csv_reader *reader, const char *name, const char *renamed, int64_t n)
{
    char quoted[PEN_QUOTE_BYTES], other[PEN_QUOTE_BYTES];
    (void)pen_quote(quoted, name, strlen(name));
    (void)pen_quote(other, renamed, strlen(renamed));
    if (n == 1) {
        pen_log(PEN_LOG_WARNING, "%s: two columns are named '%s'; the second one is called '%s'", reader->paths[0],
                quoted, other);
        return;
    }
    pen_log(PEN_LOG_WARNING, "%s: %lld columns repeat a name; the last of them, '%s', is called '%s'", reader->paths[0],
            (long long)n, quoted, other);
}

static void warn_of_no_names(const struct pen_csv_reader *reader, int64_t column, const char *name, int64_t n)
{
    if (n == 1) {
        pen_log(PEN_LOG_WARNING, "%s: column %lld has no name and is called '%s'", reader->paths[0],
                (long long)column + 1, name);
        return;
    }
    pen_log(PEN_LOG_WARNING, "%s: %lld columns have no name; the last of them, column %lld, is called '%s'",
            reader->paths[0], (long long)n, (long long)column + 1, name);
}

/* Gives every field a name of its own. fields[i] may be "". */
static pen_status unique_names(struct pen_csv_reader *reader, char **fields, char **names, struct pen_error *err)
{
    struct pen_csv_dictionary taken = {0};
    pen_status status = PEN_OK;
    int64_t n_generated = 0, n_duplicates = 0, generated = 0, duplicate = 0;
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
            generated = empty ? i : generated;
            duplicate = empty ? duplicate : i;
        }
    }
    if (n_duplicates > 0) {
        warn_of_duplicates(reader, fields[duplicate], names[duplicate], n_duplicates);
    }
    if (n_generated > 0 && reader->has_header) {
        warn_of_no_names(reader, generated, names[generated], n_generated);
    }
done:
    pen_csv_dictionary_deinit(&taken);
    return status;
}

static pen_status header_fields(struct pen_csv_reader *reader, const struct pen_csv_sample *sample, int64_t row,
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
            name = pen_csv_row_cell(&reader->dialect, &sample->index, sample->text, row, i, sample->scratch, &size);
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

/* ---- the whole ---- */

static pen_status width_of_first(struct pen_csv_reader *reader, const struct pen_csv_sample *sample, int64_t row,
                                 struct pen_error *err)
{
    const struct pen_csv_options *options = &reader->options;
    int64_t first;
    reader->n_fields = pen_csv_row_width(&sample->index, row, &first);
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

pen_status pen_csv_columns_make(struct pen_csv_reader *reader, const struct pen_csv_sample *sample, int64_t row,
                                struct pen_error *err)
{
    const struct pen_csv_options *options = &reader->options;
    PEN_TRY(width_of_first(reader, sample, row, err));
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
