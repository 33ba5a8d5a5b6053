/* Columns of a raw store. The bitmap of a column begins with its first missing cell. A column that begins as CODES and
 * proves to have too many strings goes on as BYTES: the codes written so far are read back, chunk by chunk, and become
 * strings. */
#include "datasets/store/column_writer_internal.h"

#include "datasets/store/columns_internal.h"

#include <string.h>

enum { BYTES_CHUNK = 1 << 20 };

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

/* n_rows strings need n_rows + 1 offsets. */
static pen_status begin_offsets(struct pen_column_writer *column, struct pen_error *err)
{
    const int64_t zero = 0;
    return pen_h5_stream_append(&column->offsets, &zero, 1, err);
}

pen_status pen_column_writer_create(struct pen_column_writer *column, struct pen_h5_file *file, hid_t columns_group,
                                    const struct pen_store_column_spec *spec, struct pen_error *err)
{
    char link[PEN_H5_NAME_BYTES];
    column->type = spec->type;
    column->file = file;
    PEN_TRY(pen_h5_escape_name(link, spec->name, err));
    PEN_TRY(pen_h5_create_group(file, columns_group, link, &column->group, err));
    PEN_TRY(pen_h5_set_string(file, column->group, "name", spec->name, err));
    pen_h5_stream_init(&column->values, file, column->group, "values", values_type(spec->type), PEN_STORE_CHUNK_ROWS);
    pen_h5_stream_init(&column->validity, file, column->group, "validity", PEN_H5_U8, PEN_STORE_CHUNK_ROWS / 8);
    pen_h5_stream_init(&column->offsets, file, column->group, "offsets", PEN_H5_I64, PEN_STORE_CHUNK_ROWS);
    pen_h5_stream_init(&column->bytes, file, column->group, "bytes", PEN_H5_U8, BYTES_CHUNK);
    return spec->type == PEN_TYPE_BYTES ? begin_offsets(column, err) : PEN_OK;
}

/* The bitmap starts late: all rows before the first missing cell are present. */
static pen_status start_validity(struct pen_column_writer *column, int64_t n_rows, struct pen_error *err)
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
static pen_status append_validity(struct pen_column_writer *column, int64_t n_before, const uint8_t *validity,
                                  bool absent, int64_t n_rows, struct pen_error *err)
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

static pen_status append_strings(struct pen_column_writer *column, const struct pen_column *data, int64_t n_rows,
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
static pen_status grow_dictionary(struct pen_column_writer *column, const struct pen_dictionary *dictionary,
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
    memcpy(column->dictionary_offsets + column->n_entries, dictionary->offsets + column->n_entries,
           (size_t)(dictionary->n_entries - column->n_entries + 1) * sizeof(int64_t));
    memcpy(column->dictionary_bytes + before, dictionary->bytes + before, (size_t)(after - before));
    column->n_entries = dictionary->n_entries;
    return PEN_OK;
}

/* The strings of n_rows codes. */
static pen_status append_decoded(struct pen_column_writer *column, const int32_t *codes, int64_t n_rows,
                                 struct pen_error *err)
{
    int64_t ends[1024];
    for (int64_t row = 0; row < n_rows;) {
        int64_t n = n_rows - row < 1024 ? n_rows - row : 1024;
        for (int64_t i = 0; i < n; i++) {
            const int32_t code = codes[row + i];
            if (code >= 0) {
                const int64_t begin = column->dictionary_offsets[code];
                const int64_t size = column->dictionary_offsets[code + 1] - begin;
                PEN_TRY(pen_h5_stream_append(&column->bytes, column->dictionary_bytes + begin, size, err));
                column->n_bytes += size;
            }
            ends[i] = column->n_bytes;
        }
        PEN_TRY(pen_h5_stream_append(&column->offsets, ends, n, err));
        row += n;
    }
    return PEN_OK;
}

static pen_status turn_to_bytes(struct pen_column_writer *column, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_h5_stream *values = &column->values;
    int32_t *codes = NULL;
    PEN_TRY(begin_offsets(column, err));
    PEN_ALLOC(codes, values->chunk_elements, err);
    for (int64_t first = 0; first < values->n_elements; first += values->chunk_elements) {
        const int64_t left = values->n_elements - first;
        const int64_t n = left < values->chunk_elements ? left : values->chunk_elements;
        PEN_TRY_GOTO(done, pen_h5_stream_read_back(values, first, n, codes, err));
        PEN_TRY_GOTO(done, append_decoded(column, codes, n, err));
    }
    PEN_TRY_GOTO(done, pen_h5_stream_discard(values, err));
    column->type = PEN_TYPE_BYTES;
    column->n_entries = 0;
done:
    pen_free(codes);
    return status;
}

pen_status pen_column_writer_append(struct pen_column_writer *column, const struct pen_column *data, int64_t n_before,
                                    int64_t n_rows, struct pen_error *err)
{
    bool absent = column->type == PEN_TYPE_NONE;
    if (column->type == PEN_TYPE_CODES && data->type == PEN_TYPE_BYTES) {
        PEN_TRY(turn_to_bytes(column, err));
    }
    if (data->type != column->type) {
        PEN_FAIL(err, PEN_ERR_DTYPE, "expected %s values, found %s", pen_store_type_name(column->type),
                 pen_store_type_name(data->type));
    }
    if (n_rows == 0) {
        return PEN_OK;
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

static pen_status finish_dictionary(struct pen_column_writer *column, struct pen_error *err)
{
    static const int64_t no_offsets[1] = {0};
    hid_t group = -1;
    const int64_t *offsets = column->n_entries > 0 ? column->dictionary_offsets : no_offsets;
    pen_status status = pen_h5_create_group(column->file, column->group, "dictionary", &group, err);
    if (status == PEN_OK) {
        status = pen_h5_write_whole(column->file, group, "offsets", PEN_H5_I64, offsets, column->n_entries + 1, err);
    }
    if (status == PEN_OK) {
        status = pen_h5_write_whole(column->file, group, "bytes", PEN_H5_U8, column->dictionary_bytes,
                                    offsets[column->n_entries], err);
    }
    pen_h5_close_group(group);
    return status;
}

pen_status pen_column_writer_finish(struct pen_column_writer *column, int64_t n_rows, struct pen_error *err)
{
    if (column->has_validity) {
        if (n_rows % 8 != 0) {
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
        PEN_TRY(finish_dictionary(column, err));
    }
    PEN_TRY(pen_h5_set_string(column->file, column->group, "type", pen_store_type_name(column->type), err));
    return pen_h5_set_int(column->file, column->group, "n_missing", column->n_missing, err);
}

void pen_column_writer_deinit(struct pen_column_writer *column)
{
    if (column->file != NULL) {
        pen_h5_stream_deinit(&column->values);
        pen_h5_stream_deinit(&column->validity);
        pen_h5_stream_deinit(&column->offsets);
        pen_h5_stream_deinit(&column->bytes);
    }
    pen_h5_close_group(column->group);
    pen_free(column->dictionary_offsets);
    pen_free(column->dictionary_bytes);
}
