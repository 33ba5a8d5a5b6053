/* Rows of a chunk into columns, tile by tile: a tile's text stays in the first cache levels while its columns are
 * converted one after another: numbers by convert_template.h, strings by convert_text.c. */
#include "datasets/csv/csv_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TILE_BYTES = 96 * 1024, TILE_ROWS_MAX = 2048 };

bool pen_csv_is_missing(const struct pen_csv_options *options, const char *content, size_t size, bool quoted)
{
    if (size == 0) {
        return !(quoted && options->quoted_empty_is_value);
    }
    for (int64_t i = 0; i < options->n_null_markers; i++) {
        const char *marker = options->null_markers[i];
        if (*marker == *content && strlen(marker) == size && memcmp(marker, content, size) == 0) {
            return true;
        }
    }
    return false;
}

bool pen_csv_tile_cell(const struct pen_csv_tile *tile, int64_t row, const char **content, size_t *size)
{
    const struct pen_csv_reader *reader = tile->reader;
    const char *raw;
    size_t n;
    pen_csv_tile_raw(tile, row, &raw, &n);
    if (tile->plain && !reader->dialect.trim && n > 0 && *raw != reader->dialect.quote) {
        *content = raw;
        *size = n;
        return true;
    }
    *content = pen_csv_cell(&reader->dialect, raw, n, false, pen_csv_tile_scratch(tile, raw), size);
    const bool quoted = *size == 0 && n > 0 && memchr(raw, reader->dialect.quote, n) != NULL;
    return !pen_csv_is_missing(&reader->options, *content, *size, quoted);
}

enum pen_csv_class pen_csv_tile_number(const struct pen_csv_tile *tile, int64_t row, int64_t *integer, double *real)
{
    const char *content;
    size_t size;
    *integer = 0;
    *real = (double)NAN;
    if (!pen_csv_tile_cell(tile, row, &content, &size)) {
        pen_csv_set_missing(tile->out, row);
        return PEN_CSV_CLASS_NONE;
    }
    bool overflow;
    const enum pen_csv_class seen = pen_csv_classify(content, size, integer, real, &overflow);
    tile->out->n_float_overflow += overflow;
    return seen;
}

/* Classes of the cells until a string is met, after which nothing can change. */
static void tile_classes(const struct pen_csv_tile *tile)
{
    for (int64_t i = 0; i < tile->n_rows && tile->out->seen != PEN_CSV_CLASS_STRING; i++) {
        const char *content;
        size_t size;
        int64_t integer;
        double real;
        bool overflow;
        if (pen_csv_tile_cell(tile, tile->first_row + i, &content, &size)) {
            const enum pen_csv_class cell = pen_csv_classify(content, size, &integer, &real, &overflow);
            tile->out->seen = tile->out->seen > cell ? tile->out->seen : cell;
        }
    }
}

static enum pen_csv_class class_of(enum pen_type type)
{
    switch (type) {
    case PEN_TYPE_NONE:
        return PEN_CSV_CLASS_NONE;
    case PEN_TYPE_INT64:
        return PEN_CSV_CLASS_INT;
    case PEN_TYPE_FLOAT32:
    case PEN_TYPE_FLOAT64:
        return PEN_CSV_CLASS_FLOAT;
    case PEN_TYPE_CODES:
    case PEN_TYPE_BYTES:
    default:
        return PEN_CSV_CLASS_STRING;
    }
}

static void tile_doubles(struct pen_csv_tile *tile, bool single)
{
    struct pen_csv_output *out = tile->out;
    double wide[TILE_ROWS_MAX];
    double *values = single ? wide : (double *)out->values + tile->first_row;
    const enum pen_csv_class seen = tile->reader->ops->convert->doubles(tile, values);
    out->seen = out->seen > seen ? out->seen : seen;
    for (int64_t i = 0; single && i < tile->n_rows; i++) {
        ((float *)out->values)[tile->first_row + i] = (float)wide[i];
    }
}

static void tile_ints(struct pen_csv_tile *tile)
{
    struct pen_csv_output *out = tile->out;
    const enum pen_csv_class seen = tile->reader->ops->convert->ints(tile, (int64_t *)out->values + tile->first_row);
    out->seen = out->seen > seen ? out->seen : seen;
}

static pen_status convert_tile(struct pen_csv_tile *tile, const struct pen_csv_col *column, struct pen_error *err)
{
    struct pen_csv_output *out = tile->out;
    if (column->broken) {
        tile_classes(tile);
        return PEN_OK;
    }
    if (pen_type_is_string(column->type) && !column->forced && column->seen != PEN_CSV_CLASS_STRING) {
        tile_classes(tile);
    }
    switch (column->type) {
    case PEN_TYPE_INT64:
        tile_ints(tile);
        break;
    case PEN_TYPE_FLOAT64:
    case PEN_TYPE_FLOAT32:
        tile_doubles(tile, column->type == PEN_TYPE_FLOAT32);
        break;
    case PEN_TYPE_CODES:
        PEN_TRY(pen_csv_tile_codes(tile, column, (int32_t *)out->values + tile->first_row, err));
        break;
    case PEN_TYPE_BYTES:
        PEN_TRY(pen_csv_tile_bytes(tile, column, err));
        break;
    case PEN_TYPE_NONE:
    default:
        tile_classes(tile);
        break;
    }
    return PEN_OK;
}

static pen_status prepare(struct pen_csv_output *out, const struct pen_csv_col *column, int64_t n_rows,
                          struct pen_error *err)
{
    const int64_t n_words = (n_rows + 63) / 64;
    out->type = column->type;
    const int64_t value_bytes = n_rows * (int64_t)pen_type_size(column->type);
    PEN_TRY(pen_grow(&out->values, &out->values_capacity, value_bytes, 1, err));
    PEN_TRY(pen_grow((void **)&out->validity, &out->validity_capacity, n_words, sizeof(uint64_t), err));
    if (n_words > 0) {
        memset(out->validity, column->type == PEN_TYPE_NONE ? 0 : 0xff, (size_t)n_words * 8);
    }
    if (column->type == PEN_TYPE_BYTES) {
        PEN_TRY(pen_grow((void **)&out->offsets, &out->offsets_capacity, n_rows + 1, sizeof(int64_t), err));
        out->offsets[0] = 0;
    }
    out->any_missing = column->type == PEN_TYPE_NONE;
    out->seen = column->broken ? column->seen : PEN_CSV_CLASS_NONE;
    out->overflow = false;
    out->misfit = false;
    out->n_float_overflow = 0;
    out->n_non_utf8 = 0;
    pen_csv_dictionary_reset(&out->fresh);
    return PEN_OK;
}

static bool any_number_marker(const struct pen_csv_options *options)
{
    bool any = false;
    for (int64_t i = 0; i < options->n_null_markers; i++) {
        const char first = options->null_markers[i][0];
        any = any || first == '-' || first == '.' || (first >= '0' && first <= '9');
    }
    return any;
}

static struct pen_csv_tile tile_of(const struct pen_csv_reader *reader, struct pen_csv_chunk *chunk, int64_t c)
{
    struct pen_csv_tile tile = {0};
    tile.reader = reader;
    tile.chunk = chunk;
    tile.out = &chunk->outputs[c];
    tile.field = reader->columns[c].field;
    tile.n_rows = chunk->n_rows;
    tile.strip_cr = chunk->index.has_cr && tile.field == reader->n_fields - 1;
    tile.any_quote = chunk->index.has_quote && reader->dialect.quote != 0;
    tile.plain = reader->options.n_null_markers == 0;
    tile.number_markers = any_number_marker(&reader->options);
    tile.utf8 = true;
    return tile;
}

/* Columns first .. end - 1. */
static pen_status convert_once(const struct pen_csv_reader *reader, struct pen_csv_chunk *chunk, int64_t first,
                               int64_t end, struct pen_error *err)
{
    const bool utf8 =
        !chunk->index.has_high || pen_utf8_valid_prefix(chunk->text, (size_t)chunk->size) == (size_t)chunk->size;
    for (int64_t c = first; c < end; c++) {
        PEN_TRY(prepare(&chunk->outputs[c], &reader->columns[c], chunk->n_rows, err));
    }
    const double row_bytes = (double)chunk->size / (double)(chunk->n_rows + 1) + 1;
    int64_t step = (int64_t)(TILE_BYTES / row_bytes) & ~INT64_C(63);
    step = step < 64 ? 64 : step > TILE_ROWS_MAX ? TILE_ROWS_MAX : step;
    for (int64_t row = 0; row < chunk->n_rows; row += step) {
        for (int64_t c = first; c < end; c++) {
            struct pen_csv_tile tile = tile_of(reader, chunk, c);
            tile.utf8 = utf8;
            tile.first_row = row;
            tile.n_rows = chunk->n_rows - row < step ? chunk->n_rows - row : step;
            PEN_TRY(convert_tile(&tile, &reader->columns[c], err));
        }
    }
    for (int64_t c = first; c < end; c++) {
        struct pen_csv_output *out = &chunk->outputs[c];
        const struct pen_csv_col *column = &reader->columns[c];
        out->misfit = !column->broken &&
                      (out->seen > class_of(column->type) || (column->type == PEN_TYPE_CODES && out->overflow));
    }
    return PEN_OK;
}

static char *misfit_reason(const struct pen_csv_col *column, const char *content, size_t size)
{
    char quoted[PEN_QUOTE_BYTES];
    char name[PEN_QUOTE_BYTES];
    char *reason = NULL;
    const int n =
        asprintf(&reason, "column '%s': expected %s, found '%s'", pen_quote(name, column->name, strlen(column->name)),
                 pen_type_name(column->type), pen_quote(quoted, content, size));
    return n < 0 ? NULL : reason;
}

/* The reason why row does not fit the forced types, or NULL; owned by the caller. */
static char *row_misfit(const struct pen_csv_reader *reader, struct pen_csv_chunk *chunk, int64_t row)
{
    for (int64_t c = 0; c < reader->n_columns; c++) {
        const struct pen_csv_col *column = &reader->columns[c];
        const char *content;
        size_t size;
        int64_t integer;
        double real;
        bool overflow;
        const struct pen_csv_tile tile = tile_of(reader, chunk, c);
        if (column->forced && chunk->outputs[c].misfit && pen_type_is_number(column->type) &&
            pen_csv_tile_cell(&tile, row, &content, &size) &&
            pen_csv_classify(content, size, &integer, &real, &overflow) > class_of(column->type)) {
            return misfit_reason(column, content, size);
        }
    }
    return NULL;
}

static pen_status drop_misfits(const struct pen_csv_reader *reader, struct pen_csv_chunk *chunk, struct pen_error *err)
{
    pen_status status = PEN_OK;
    char **reasons = NULL;
    int64_t *rows = NULL;
    int64_t n = 0;
    PEN_ALLOC_GOTO(done, reasons, chunk->n_rows, err);
    PEN_ALLOC_GOTO(done, rows, chunk->n_rows, err);
    for (int64_t row = 0; row < chunk->n_rows; row++) {
        char *reason = row_misfit(reader, chunk, row);
        if (reason != NULL) {
            rows[n] = row;
            reasons[n++] = reason;
        }
    }
    status = pen_csv_rows_drop(reader, chunk, rows, reasons, n, err);
done:
    for (int64_t i = 0; i < n; i++) {
        free(reasons[i]);
    }
    pen_free(reasons);
    pen_free(rows);
    return status;
}

pen_status pen_csv_convert(const struct pen_csv_reader *reader, struct pen_csv_chunk *chunk, struct pen_error *err)
{
    if (chunk->outputs == NULL) {
        PEN_ALLOC(chunk->outputs, reader->n_columns, err);
    }
    if (chunk->index.has_quote) {
        PEN_TRY(pen_grow((void **)&chunk->scratch, &chunk->scratch_capacity, chunk->size + PEN_CSV_PAD, 1, err));
    }
    PEN_TRY(convert_once(reader, chunk, 0, reader->n_columns, err));
    bool forced_misfit = false;
    for (int64_t c = 0; c < reader->n_columns; c++) {
        forced_misfit |=
            reader->columns[c].forced && pen_type_is_number(reader->columns[c].type) && chunk->outputs[c].misfit;
    }
    if (forced_misfit) {
        PEN_TRY(drop_misfits(reader, chunk, err));
        PEN_TRY(convert_once(reader, chunk, 0, reader->n_columns, err));
    }
    return PEN_OK;
}

pen_status pen_csv_convert_column(const struct pen_csv_reader *reader, struct pen_csv_chunk *chunk, int64_t c,
                                  struct pen_error *err)
{
    return convert_once(reader, chunk, c, c + 1, err);
}
