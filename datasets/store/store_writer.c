/* Writing a feature store row by row, column by column.
 *
 * The number of rows is not known before the end, so every column is a handful of streams (h5_stream.c): values,
 * validity bits, offsets, bytes. Memory is one chunk per stream plus the dictionaries. Columns are independent of each
 * other and are appended on all cores; the order of bytes inside a dataset never depends on that. The bitmap of a
 * column begins with its first missing cell. */
#include "datasets/store/columns_internal.h"
#include "datasets/store/h5_internal.h"
#include "datasets/store/store.h"

#include <string.h>

enum { BYTES_CHUNK = 1 << 20, PARALLEL_ROWS = 4096 };

struct column_writer {
    enum pen_type type;
    hid_t group;
    struct pen_h5_stream values, validity, offsets, bytes;
    bool has_validity;
    uint8_t bits; /* of the unfinished byte of the bitmap */
    int64_t n_missing, n_bytes;
    int64_t *dictionary_offsets; /* entries so far; the views we are given do not live until the end */
    char *dictionary_bytes;
    int64_t n_entries, offsets_capacity, bytes_capacity;
};

struct pen_store_writer {
    struct pen_h5_file file;
    hid_t columns_group;
    int64_t n_rows, n_columns;
    struct column_writer *columns;
    pen_status failed; /* the first failure; nothing is accepted afterwards */
};

static enum pen_h5_type values_type(enum pen_type type)
{
    return type == PEN_TYPE_INT64     ? PEN_H5_I64
           : type == PEN_TYPE_FLOAT64 ? PEN_H5_F64
           : type == PEN_TYPE_FLOAT32 ? PEN_H5_F32
                                      : PEN_H5_I32;
}

static bool has_values(enum pen_type type)
{
    return type != PEN_TYPE_NONE && type != PEN_TYPE_BYTES;
}

static pen_status create_column(struct pen_store_writer *writer, struct column_writer *column,
                                const struct pen_store_column_spec *spec, struct pen_error *err)
{
    char link[PEN_H5_NAME_BYTES];
    struct pen_h5_file *file = &writer->file;
    column->type = spec->type;
    PEN_TRY(pen_h5_escape_name(link, spec->name, err));
    PEN_TRY(pen_h5_create_group(file, writer->columns_group, link, &column->group, err));
    PEN_TRY(pen_h5_set_string(file, column->group, "name", spec->name, err));
    PEN_TRY(pen_h5_set_string(file, column->group, "type", pen_store_type_name(spec->type), err));
    pen_h5_stream_init(&column->values, file, column->group, "values", values_type(spec->type), PEN_STORE_CHUNK_ROWS);
    pen_h5_stream_init(&column->validity, file, column->group, "validity", PEN_H5_U8, PEN_STORE_CHUNK_ROWS / 8);
    pen_h5_stream_init(&column->offsets, file, column->group, "offsets", PEN_H5_I64, PEN_STORE_CHUNK_ROWS);
    pen_h5_stream_init(&column->bytes, file, column->group, "bytes", PEN_H5_U8, BYTES_CHUNK);
    if (spec->type == PEN_TYPE_BYTES) {
        int64_t zero = 0;
        PEN_TRY(pen_h5_stream_append(&column->offsets, &zero, 1, err));
    }
    return PEN_OK;
}

static pen_status write_header(struct pen_store_writer *writer, const struct pen_store_options *options,
                               struct pen_error *err)
{
    struct pen_h5_file *file = &writer->file;
    PEN_TRY(pen_h5_set_string(file, file->id, "format", "penstock", err));
    PEN_TRY(pen_h5_set_int(file, file->id, "format_version", PEN_H5_FORMAT_VERSION, err));
    PEN_TRY(pen_h5_set_string(file, file->id, "created_by", "penstock", err));
    PEN_TRY(pen_h5_set_string(file, file->id, "split", options != NULL && options->split ? options->split : "", err));
    PEN_TRY(pen_h5_set_int(file, file->id, "span", options != NULL ? options->span : -1, err));
    return pen_h5_set_string(file, file->id, "schema_digest",
                             options != NULL && options->schema_digest ? options->schema_digest : "", err);
}

pen_status pen_store_create(struct pen_store_writer **out, const char *path,
                            const struct pen_store_column_spec *columns, int64_t n_columns,
                            const struct pen_store_options *options, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_store_writer *writer = NULL;
    *out = NULL;
    PEN_ALLOC_GOTO(cleanup, writer, 1, err);
    writer->file = (struct pen_h5_file)PEN_H5_FILE_INIT;
    writer->columns_group = -1;
    PEN_ALLOC_GOTO(cleanup, writer->columns, n_columns, err);
    for (int64_t i = 0; i < n_columns; i++) {
        writer->columns[i].group = -1;
    }
    writer->n_columns = n_columns;
    PEN_TRY_GOTO(cleanup, pen_h5_create(&writer->file, path, err));
    PEN_TRY_GOTO(cleanup, write_header(writer, options, err));
    PEN_TRY_GOTO(cleanup, pen_h5_create_group(&writer->file, writer->file.id, "columns", &writer->columns_group, err));
    for (int64_t i = 0; i < n_columns; i++) {
        PEN_TRY_GOTO(cleanup, create_column(writer, &writer->columns[i], &columns[i], err));
    }
    *out = writer;
    return PEN_OK;
cleanup:
    pen_store_abandon(writer);
    return status;
}

/* The bitmap starts late: all rows before the first missing cell are present. */
static pen_status start_validity(struct column_writer *column, int64_t n_rows, struct pen_error *err)
{
    uint8_t ones[1024];
    memset(ones, 0xFF, sizeof ones);
    column->has_validity = true;
    column->bits = (uint8_t)((1u << (n_rows % 8)) - 1);
    for (int64_t left = n_rows / 8; left > 0;) {
        int64_t n = left < (int64_t)sizeof ones ? left : (int64_t)sizeof ones;
        PEN_TRY(pen_h5_stream_append(&column->validity, ones, n, err));
        left -= n;
    }
    return PEN_OK;
}

/* Appends n_rows bits (NULL: ones; `absent`: zeros) after the n_before bits already there. */
static pen_status append_validity(struct column_writer *column, int64_t n_before, const uint8_t *validity, bool absent,
                                  int64_t n_rows, struct pen_error *err)
{
    uint8_t block[1024];
    int64_t used = 0;
    int shift = (int)(n_before % 8);
    unsigned bits = column->bits;
    for (int64_t row = 0; row < n_rows; row += 8) {
        int64_t n = n_rows - row < 8 ? n_rows - row : 8;
        unsigned next = absent ? 0 : validity == NULL ? 0xFF : validity[row / 8];
        next &= (1u << n) - 1;
        bits |= next << shift;
        if (shift + n >= 8) {
            block[used++] = (uint8_t)bits;
            bits >>= 8;
        }
        shift = (int)((shift + n) % 8);
        if (used == (int64_t)sizeof block) {
            PEN_TRY(pen_h5_stream_append(&column->validity, block, used, err));
            used = 0;
        }
    }
    column->bits = (uint8_t)bits;
    return used > 0 ? pen_h5_stream_append(&column->validity, block, used, err) : PEN_OK;
}

static pen_status append_strings(struct column_writer *column, const struct pen_column *data, int64_t n_rows,
                                 struct pen_error *err)
{
    int64_t block[1024];
    int64_t first = data->offsets[0];
    int64_t n_bytes = data->offsets[n_rows] - first;
    for (int64_t row = 0; row < n_rows;) {
        int64_t n = n_rows - row < 1024 ? n_rows - row : 1024;
        for (int64_t i = 0; i < n; i++) {
            block[i] = data->offsets[row + i + 1] - first + column->n_bytes;
        }
        PEN_TRY(pen_h5_stream_append(&column->offsets, block, n, err));
        row += n;
    }
    column->n_bytes += n_bytes;
    return n_bytes > 0 ? pen_h5_stream_append(&column->bytes, data->bytes + first, n_bytes, err) : PEN_OK;
}

/* Copies the entries that are new since the last call. */
static pen_status grow_dictionary(struct column_writer *column, const struct pen_dictionary *dictionary,
                                  struct pen_error *err)
{
    if (dictionary == NULL || dictionary->n_entries <= column->n_entries) {
        return PEN_OK;
    }
    void *offsets = column->dictionary_offsets;
    pen_status status = pen_grow(&offsets, &column->offsets_capacity, dictionary->n_entries + 1, sizeof(int64_t), err);
    column->dictionary_offsets = offsets;
    PEN_TRY(status);
    int64_t before = column->n_entries > 0 ? column->dictionary_offsets[column->n_entries] : 0;
    int64_t after = dictionary->offsets[dictionary->n_entries];
    void *bytes = column->dictionary_bytes;
    status = pen_grow(&bytes, &column->bytes_capacity, after + 1, 1, err);
    column->dictionary_bytes = bytes;
    PEN_TRY(status);
    memcpy(column->dictionary_offsets, dictionary->offsets, (size_t)(dictionary->n_entries + 1) * sizeof(int64_t));
    memcpy(column->dictionary_bytes + before, dictionary->bytes + before, (size_t)(after - before));
    column->n_entries = dictionary->n_entries;
    return PEN_OK;
}

static pen_status append_column(struct column_writer *column, const struct pen_column *data, int64_t n_before,
                                int64_t n_rows, struct pen_error *err)
{
    bool absent = column->type == PEN_TYPE_NONE;
    if (data->type != column->type) {
        PEN_FAIL(err, PEN_ERR_DTYPE, "expected %s values, found %s", pen_store_type_name(column->type),
                 pen_store_type_name(data->type));
    }
    int64_t n_present = absent ? 0 : pen_validity_count(data->validity, n_rows);
    if (n_present < n_rows && !column->has_validity) {
        PEN_TRY(start_validity(column, n_before, err));
    }
    column->n_missing += n_rows - n_present;
    if (column->has_validity) {
        PEN_TRY(append_validity(column, n_before, data->validity, absent, n_rows, err));
    }
    if (column->type == PEN_TYPE_BYTES) {
        return append_strings(column, data, n_rows, err);
    }
    if (column->type == PEN_TYPE_CODES) {
        PEN_TRY(grow_dictionary(column, data->dictionary, err));
        PEN_TRY(pen_store_check_codes(data->values, n_rows, column->n_entries, err));
    }
    return has_values(column->type) ? pen_h5_stream_append(&column->values, data->values, n_rows, err) : PEN_OK;
}

pen_status pen_store_append(struct pen_store_writer *writer, const struct pen_column *columns, int64_t n_rows,
                            struct pen_error *err)
{
    pen_status status = writer->failed;
    int64_t failed_column = -1;
    if (status != PEN_OK) {
        PEN_FAIL(err, status, "%s: an earlier write failed", writer->file.path);
    }
    if (n_rows == 0) {
        return PEN_OK;
    }
#pragma omp parallel for schedule(dynamic, 1) if (n_rows >= PARALLEL_ROWS && writer->n_columns > 1)
    for (int64_t i = 0; i < writer->n_columns; i++) {
        struct pen_error own = PEN_ERROR_INIT;
        pen_status one = append_column(&writer->columns[i], &columns[i], writer->n_rows, n_rows, &own);
        if (one != PEN_OK) {
#pragma omp critical(pen_store_append_failed)
            if (failed_column < 0 || i < failed_column) {
                failed_column = i;
                status = one;
                if (err != NULL) {
                    *err = own;
                }
            }
        }
    }
    if (status != PEN_OK) {
        pen_error_prefix(err, "%s: column number %lld: ", writer->file.path, (long long)failed_column + 1);
        writer->failed = status;
    }
    writer->n_rows += n_rows;
    return status;
}

static pen_status finish_dictionary(struct pen_store_writer *writer, struct column_writer *column,
                                    struct pen_error *err)
{
    static const int64_t no_offsets[1] = {0};
    hid_t group = -1;
    const int64_t *offsets = column->n_entries > 0 ? column->dictionary_offsets : no_offsets;
    pen_status status = pen_h5_create_group(&writer->file, column->group, "dictionary", &group, err);
    if (status == PEN_OK) {
        status = pen_h5_write_whole(&writer->file, group, "offsets", PEN_H5_I64, offsets, column->n_entries + 1, err);
    }
    if (status == PEN_OK) {
        status = pen_h5_write_whole(&writer->file, group, "bytes", PEN_H5_U8, column->dictionary_bytes,
                                    offsets[column->n_entries], err);
    }
    pen_h5_close_group(group);
    return status;
}

static pen_status finish_column(struct pen_store_writer *writer, struct column_writer *column, struct pen_error *err)
{
    if (column->has_validity) {
        if (writer->n_rows % 8 != 0) {
            PEN_TRY(pen_h5_stream_append(&column->validity, &column->bits, 1, err));
        }
        PEN_TRY(pen_h5_stream_finish(&column->validity, err));
    }
    if (has_values(column->type)) {
        PEN_TRY(pen_h5_stream_finish(&column->values, err));
    }
    if (column->type == PEN_TYPE_BYTES) {
        PEN_TRY(pen_h5_stream_finish(&column->offsets, err));
        PEN_TRY(pen_h5_stream_finish(&column->bytes, err));
    }
    if (column->type == PEN_TYPE_CODES) {
        PEN_TRY(finish_dictionary(writer, column, err));
    }
    return pen_h5_set_int(&writer->file, column->group, "n_missing", column->n_missing, err);
}

/* Everything but the file itself. */
static void release_columns(struct pen_store_writer *writer)
{
    for (int64_t i = 0; writer->columns != NULL && i < writer->n_columns; i++) {
        struct column_writer *column = &writer->columns[i];
        if (column->values.file != NULL) {
            pen_h5_stream_deinit(&column->values);
            pen_h5_stream_deinit(&column->validity);
            pen_h5_stream_deinit(&column->offsets);
            pen_h5_stream_deinit(&column->bytes);
        }
        pen_h5_close_group(column->group);
        pen_free(column->dictionary_offsets);
        pen_free(column->dictionary_bytes);
    }
    pen_h5_close_group(writer->columns_group);
    writer->columns_group = -1;
    pen_free(writer->columns);
    writer->columns = NULL;
}

pen_status pen_store_finish(struct pen_store_writer *writer, struct pen_error *err)
{
    pen_status status = writer->failed;
    if (status != PEN_OK) {
        PEN_FAIL_GOTO(cleanup, err, status, "%s: an earlier write failed", writer->file.path);
    }
    for (int64_t i = 0; i < writer->n_columns; i++) {
        PEN_TRY_GOTO(cleanup, finish_column(writer, &writer->columns[i], err));
    }
    PEN_TRY_GOTO(cleanup, pen_h5_set_int(&writer->file, writer->file.id, "rows", writer->n_rows, err));
    release_columns(writer);
    status = pen_h5_finish(&writer->file, err);
    pen_free(writer);
    return status;
cleanup:
    pen_store_abandon(writer);
    return status;
}

void pen_store_abandon(struct pen_store_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    release_columns(writer);
    pen_h5_abandon(&writer->file);
    pen_free(writer);
}
