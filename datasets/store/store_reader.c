/* Reading a feature store: the metadata is read and verified once, at opening, and the library is closed again; after
 * that a store is a list of addresses, and reading is pread from any thread. */
#include "datasets/store/columns_internal.h"
#include "datasets/store/h5_internal.h"
#include "datasets/store/store.h"

#include <string.h>

struct column_reader {
    const char *name;
    enum pen_type type;
    int64_t n_missing;
    bool has_validity;
    struct pen_h5_extent values, validity, offsets, bytes;
    struct pen_dictionary dictionary;
};

struct pen_store {
    struct pen_h5_file file;
    struct pen_arena arena;
    const char *split;
    int64_t n_rows, n_columns;
    struct column_reader *columns;
};

static pen_status find_rows(const struct pen_store *store, hid_t group, const char *name, enum pen_h5_type type,
                            int64_t n_expected, struct pen_arena *arena, struct pen_h5_extent *extent,
                            struct pen_error *err)
{
    int64_t n_found = 0;
    PEN_TRY(pen_h5_find_extent(&store->file, group, name, type, 1, &n_found, arena, extent, err));
    if (n_found != n_expected) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: dataset %s: expected %lld elements for %lld rows, found %lld",
                 store->file.path, name, (long long)n_expected, (long long)store->n_rows, (long long)n_found);
    }
    return PEN_OK;
}

static pen_status check_offsets(const struct pen_store *store, const int64_t *offsets, int64_t n_strings,
                                int64_t n_bytes, struct pen_error *err)
{
    bool monotone = offsets[0] >= 0 && offsets[n_strings] <= n_bytes;
    for (int64_t i = 0; i < n_strings; i++) {
        monotone = monotone && offsets[i] <= offsets[i + 1];
    }
    if (!monotone) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected rising string offsets from 0 to %lld, found others; it is damaged",
                 store->file.path, (long long)n_bytes);
    }
    return PEN_OK;
}

static pen_status load_dictionary(struct pen_store *store, hid_t group, struct column_reader *column,
                                  struct pen_error *err)
{
    struct pen_h5_extent offsets, bytes;
    int64_t n_offsets = 0, n_bytes = 0;
    PEN_TRY(
        pen_h5_find_extent(&store->file, group, "offsets", PEN_H5_I64, 1, &n_offsets, &store->arena, &offsets, err));
    PEN_TRY(pen_h5_find_extent(&store->file, group, "bytes", PEN_H5_U8, 1, &n_bytes, &store->arena, &bytes, err));
    if (n_offsets < 1 || n_offsets - 1 > INT32_MAX) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: dictionary: expected 1 to 2^31 offsets, found %lld", store->file.path,
                 (long long)n_offsets);
    }
    int64_t *kept_offsets = pen_arena_alloc(&store->arena, n_offsets, sizeof *kept_offsets);
    char *kept_bytes = pen_arena_alloc(&store->arena, n_bytes + 1, 1);
    if (kept_offsets == NULL || kept_bytes == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "%s: out of memory: a dictionary of %lld entries", store->file.path,
                 (long long)n_offsets - 1);
    }
    PEN_TRY(pen_h5_read_extent(&store->file, &offsets, 0, n_offsets, kept_offsets, err));
    PEN_TRY(pen_h5_read_extent(&store->file, &bytes, 0, n_bytes, kept_bytes, err));
    PEN_TRY(check_offsets(store, kept_offsets, n_offsets - 1, n_bytes, err));
    column->dictionary = (struct pen_dictionary){n_offsets - 1, kept_offsets, kept_bytes};
    return PEN_OK;
}

static pen_status open_dictionary(struct pen_store *store, hid_t group, struct column_reader *column,
                                  struct pen_error *err)
{
    hid_t dictionary = -1;
    PEN_TRY(pen_h5_open_group(&store->file, group, "dictionary", &dictionary, err));
    pen_status status = load_dictionary(store, dictionary, column, err);
    pen_h5_close_group(dictionary);
    return status;
}

static enum pen_h5_type file_type(enum pen_type type)
{
    return type == PEN_TYPE_INT64     ? PEN_H5_I64
           : type == PEN_TYPE_FLOAT64 ? PEN_H5_F64
           : type == PEN_TYPE_FLOAT32 ? PEN_H5_F32
                                      : PEN_H5_I32;
}

static pen_status load_column(struct pen_store *store, hid_t group, struct column_reader *column, struct pen_error *err)
{
    struct pen_arena *arena = &store->arena;
    const char *type = NULL;
    int64_t n_bytes = 0;
    PEN_TRY(pen_h5_get_string(&store->file, group, "name", arena, &column->name, err));
    PEN_TRY(pen_h5_get_string(&store->file, group, "type", arena, &type, err));
    if (!pen_store_type_parse(type, &column->type)) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a known column type, found \"%.40s\"", store->file.path, type);
    }
    PEN_TRY(pen_h5_get_int(&store->file, group, "n_missing", &column->n_missing, err));
    column->has_validity = pen_h5_exists(group, "validity");
    bool none = column->type == PEN_TYPE_NONE;
    if (column->n_missing < 0 || column->n_missing > store->n_rows || (none && column->n_missing != store->n_rows) ||
        (column->n_missing > 0) != column->has_validity) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected 0 to %lld missing cells and a bitmap for them, found %lld",
                 store->file.path, (long long)store->n_rows, (long long)column->n_missing);
    }
    if (column->has_validity) {
        PEN_TRY(find_rows(store, group, "validity", PEN_H5_U8, (store->n_rows + 7) / 8, arena, &column->validity, err));
    }
    if (column->type == PEN_TYPE_BYTES) {
        PEN_TRY(find_rows(store, group, "offsets", PEN_H5_I64, store->n_rows + 1, arena, &column->offsets, err));
        return pen_h5_find_extent(&store->file, group, "bytes", PEN_H5_U8, 1, &n_bytes, arena, &column->bytes, err);
    }
    if (none) {
        return PEN_OK;
    }
    PEN_TRY(find_rows(store, group, "values", file_type(column->type), store->n_rows, arena, &column->values, err));
    return column->type == PEN_TYPE_CODES ? open_dictionary(store, group, column, err) : PEN_OK;
}

static pen_status load_columns(struct pen_store *store, hid_t parent, struct pen_error *err)
{
    const char **links = NULL;
    PEN_TRY(pen_h5_list(&store->file, parent, &store->arena, &links, &store->n_columns, err));
    store->columns = pen_arena_alloc(&store->arena, store->n_columns + 1, sizeof *store->columns);
    if (store->columns == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "%s: out of memory: %lld columns", store->file.path, (long long)store->n_columns);
    }
    for (int64_t i = 0; i < store->n_columns; i++) {
        hid_t group = -1;
        PEN_TRY(pen_h5_open_group(&store->file, parent, links[i], &group, err));
        pen_status status = load_column(store, group, &store->columns[i], err);
        pen_h5_close_group(group);
        if (status != PEN_OK) {
            pen_error_prefix(err, "column %s: ", links[i]);
            return status;
        }
    }
    return PEN_OK;
}

static pen_status load(struct pen_store *store, struct pen_error *err)
{
    hid_t columns = -1;
    PEN_TRY(pen_h5_get_string(&store->file, store->file.id, "split", &store->arena, &store->split, err));
    PEN_TRY(pen_h5_get_int(&store->file, store->file.id, "rows", &store->n_rows, err));
    if (store->n_rows < 0 || store->n_rows > INT64_MAX / 16) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a number of rows, found %lld", store->file.path,
                 (long long)store->n_rows);
    }
    PEN_TRY(pen_h5_open_group(&store->file, store->file.id, "columns", &columns, err));
    pen_status status = load_columns(store, columns, err);
    pen_h5_close_group(columns);
    return status;
}

pen_status pen_store_open(struct pen_store **out, const char *path, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_store *store = NULL;
    *out = NULL;
    PEN_ALLOC(store, 1, err);
    store->file = (struct pen_h5_file)PEN_H5_FILE_INIT;
    PEN_TRY_GOTO(cleanup, pen_h5_open(&store->file, path, err));
    PEN_TRY_GOTO(cleanup, load(store, err));
    pen_h5_close_metadata(&store->file);
    *out = store;
    return PEN_OK;
cleanup:
    pen_store_close(store);
    return status;
}

void pen_store_close(struct pen_store *store)
{
    if (store == NULL) {
        return;
    }
    pen_h5_close(&store->file);
    pen_arena_deinit(&store->arena);
    pen_free(store);
}

const char *pen_store_path(const struct pen_store *store)
{
    return store->file.path;
}

const char *pen_store_split(const struct pen_store *store)
{
    return store->split;
}

int64_t pen_store_n_rows(const struct pen_store *store)
{
    return store->n_rows;
}

int64_t pen_store_n_columns(const struct pen_store *store)
{
    return store->n_columns;
}

int64_t pen_store_n_chunks(const struct pen_store *store)
{
    return (store->n_rows + PEN_STORE_CHUNK_ROWS - 1) / PEN_STORE_CHUNK_ROWS;
}

int64_t pen_store_chunk_rows(const struct pen_store *store, int64_t chunk)
{
    int64_t left = store->n_rows - chunk * PEN_STORE_CHUNK_ROWS;
    return left < PEN_STORE_CHUNK_ROWS ? left : PEN_STORE_CHUNK_ROWS;
}

const char *pen_store_column_name(const struct pen_store *store, int64_t column)
{
    return store->columns[column].name;
}

enum pen_type pen_store_column_type(const struct pen_store *store, int64_t column)
{
    return store->columns[column].type;
}

int64_t pen_store_column_n_missing(const struct pen_store *store, int64_t column)
{
    return store->columns[column].n_missing;
}

int64_t pen_store_find_column(const struct pen_store *store, const char *name)
{
    for (int64_t i = 0; i < store->n_columns; i++) {
        if (strcmp(store->columns[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

const struct pen_dictionary *pen_store_dictionary(const struct pen_store *store, int64_t column)
{
    const struct column_reader *reader = &store->columns[column];
    return reader->type == PEN_TYPE_CODES ? &reader->dictionary : NULL;
}

void pen_store_buffer_deinit(struct pen_store_buffer *buffer)
{
    pen_free(buffer->values);
    pen_free(buffer->validity);
    pen_free(buffer->offsets);
    pen_free(buffer->bytes);
    *buffer = (struct pen_store_buffer){0};
}

static pen_status read_strings(const struct pen_store *store, const struct column_reader *column, int64_t first,
                               int64_t n_rows, struct pen_store_buffer *buffer, struct pen_column *view,
                               struct pen_error *err)
{
    void *offsets = buffer->offsets;
    pen_status status = pen_grow(&offsets, &buffer->offsets_capacity, n_rows + 1, sizeof(int64_t), err);
    buffer->offsets = offsets;
    PEN_TRY(status);
    PEN_TRY(pen_h5_read_extent(&store->file, &column->offsets, first, n_rows + 1, buffer->offsets, err));
    PEN_TRY(check_offsets(store, buffer->offsets, n_rows, column->bytes.n_elements, err));
    int64_t start = buffer->offsets[0];
    int64_t n_bytes = buffer->offsets[n_rows] - start;
    void *bytes = buffer->bytes;
    status = pen_grow(&bytes, &buffer->bytes_capacity, n_bytes + 1, 1, err);
    buffer->bytes = bytes;
    PEN_TRY(status);
    PEN_TRY(pen_h5_read_extent(&store->file, &column->bytes, start, n_bytes, buffer->bytes, err));
    for (int64_t i = 0; i <= n_rows; i++) {
        buffer->offsets[i] -= start;
    }
    view->offsets = buffer->offsets;
    view->bytes = buffer->bytes;
    return PEN_OK;
}

static pen_status read_values(const struct pen_store *store, const struct column_reader *column, int64_t first,
                              int64_t n_rows, struct pen_store_buffer *buffer, struct pen_column *view,
                              struct pen_error *err)
{
    int64_t n_bytes = n_rows * (int64_t)pen_type_size(column->type);
    PEN_TRY(pen_grow(&buffer->values, &buffer->values_capacity, n_bytes, 1, err));
    PEN_TRY(pen_h5_read_extent(&store->file, &column->values, first, n_rows, buffer->values, err));
    view->values = buffer->values;
    if (column->type == PEN_TYPE_CODES) {
        PEN_TRY(pen_store_check_codes(buffer->values, n_rows, column->dictionary.n_entries, err));
        view->dictionary = &column->dictionary;
    }
    return PEN_OK;
}

pen_status pen_store_read(const struct pen_store *store, int64_t column_number, int64_t chunk,
                          struct pen_store_buffer *buffer, struct pen_column *view, struct pen_error *err)
{
    PEN_ASSERT(column_number >= 0 && column_number < store->n_columns);
    PEN_ASSERT(chunk >= 0 && chunk < pen_store_n_chunks(store));
    const struct column_reader *column = &store->columns[column_number];
    pen_status status = PEN_OK;
    int64_t first = chunk * PEN_STORE_CHUNK_ROWS;
    int64_t n_rows = pen_store_chunk_rows(store, chunk);
    *view = (struct pen_column){.type = column->type, .n_rows = n_rows};
    if (column->has_validity) {
        void *bits = buffer->validity;
        status = pen_grow(&bits, &buffer->validity_capacity, (n_rows + 7) / 8, 1, err);
        buffer->validity = bits;
        if (status == PEN_OK) {
            status =
                pen_h5_read_extent(&store->file, &column->validity, first / 8, (n_rows + 7) / 8, buffer->validity, err);
        }
        view->validity = buffer->validity;
    }
    if (status == PEN_OK && column->type == PEN_TYPE_BYTES) {
        status = read_strings(store, column, first, n_rows, buffer, view, err);
    } else if (status == PEN_OK && column->type != PEN_TYPE_NONE) {
        status = read_values(store, column, first, n_rows, buffer, view, err);
    }
    if (status != PEN_OK) {
        pen_error_prefix(err, "%s: column %s, chunk %lld: ", store->file.path, column->name, (long long)chunk);
    }
    return status;
}
