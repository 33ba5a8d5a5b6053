/* Reading a transformed store: any range of rows into one buffer, by pread at known addresses. */
#include "core/memory.h"
#include "datasets/store/columns_internal.h"
#include "datasets/store/h5_internal.h"
#include "datasets/store/tensors.h"

struct ids_reader {
    struct pen_h5_extent values, row_offsets;
};

struct pen_tensor_store {
    struct pen_h5_file file;
    struct pen_arena arena;
    int64_t n_rows;
    struct pen_tensor_spec spec;
    struct pen_h5_extent dense, label, weight;
    struct ids_reader *ids;
};

struct ids_buffer {
    int32_t *values;
    int64_t *row_offsets;
    int64_t values_capacity, offsets_capacity;
};

struct pen_tensor_buffer {
    int64_t n_dense, n_ids;
    float *dense, *label, *weight;
    int64_t dense_capacity, label_capacity, weight_capacity;
    struct ids_buffer *ids;
    struct pen_tensor_ids *views;
};

static pen_status load_spec(struct pen_tensor_store *store, hid_t group, struct pen_error *err)
{
    struct pen_h5_extent extent;
    pen_json *json = NULL;
    int64_t n_bytes = 0;
    PEN_TRY(pen_h5_find_extent(&store->file, group, "spec", PEN_H5_U8, 1, &n_bytes, &store->arena, &extent, err));
    char *text = pen_arena_alloc(&store->arena, n_bytes + 1, 1);
    if (text == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "%s: out of memory", store->file.path);
    }
    PEN_TRY(pen_h5_read_extent(&store->file, &extent, 0, n_bytes, text, err));
    PEN_TRY(pen_json_parse(text, (size_t)n_bytes, store->file.path, &json, err));
    pen_status status = pen_tensor_spec_from_json(&store->arena, json, store->file.path, &store->spec, err);
    pen_json_free(json);
    return status;
}

static pen_status find_exactly(struct pen_tensor_store *store, hid_t group, const char *name, enum pen_h5_type type,
                               int64_t n_expected, struct pen_h5_extent *extent, struct pen_error *err)
{
    int64_t n_found = 0;
    PEN_TRY(pen_h5_find_extent(&store->file, group, name, type, 1, &n_found, &store->arena, extent, err));
    if (n_found != n_expected) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: dataset %s: expected %lld elements, found %lld", store->file.path, name,
                 (long long)n_expected, (long long)n_found);
    }
    return PEN_OK;
}

static pen_status load_ids(struct pen_tensor_store *store, hid_t parent, int64_t i, struct pen_error *err)
{
    char link[PEN_H5_NAME_BYTES];
    hid_t group = -1;
    int64_t n_values = 0;
    struct ids_reader *ids = &store->ids[i];
    PEN_TRY(pen_h5_escape_name(link, store->spec.ids[i].name, err));
    PEN_TRY(pen_h5_open_group(&store->file, parent, link, &group, err));
    pen_status status = PEN_OK;
    if (store->spec.ids[i].ragged) {
        status = find_exactly(store, group, "row_offsets", PEN_H5_I64, store->n_rows + 1, &ids->row_offsets, err);
        if (status == PEN_OK) {
            status = pen_h5_find_extent(&store->file, group, "values", PEN_H5_I32, 1, &n_values, &store->arena,
                                        &ids->values, err);
        }
    } else {
        status = find_exactly(store, group, "values", PEN_H5_I32, store->n_rows, &ids->values, err);
    }
    pen_h5_close_group(group);
    return status;
}

static pen_status load_tensors(struct pen_tensor_store *store, hid_t group, struct pen_error *err)
{
    int64_t dims[2] = {0, 0};
    PEN_TRY(load_spec(store, group, err));
    if (store->spec.n_dense > 0) {
        PEN_TRY(
            pen_h5_find_extent(&store->file, group, "dense", PEN_H5_F32, 2, dims, &store->arena, &store->dense, err));
        if (dims[0] != store->n_rows || dims[1] != store->spec.n_dense) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: dataset dense: expected %lld x %lld, found %lld x %lld", store->file.path,
                     (long long)store->n_rows, (long long)store->spec.n_dense, (long long)dims[0], (long long)dims[1]);
        }
    }
    if (store->spec.task != PEN_TASK_NONE) {
        PEN_TRY(find_exactly(store, group, "label", PEN_H5_F32, store->n_rows, &store->label, err));
    }
    if (store->spec.has_weight) {
        PEN_TRY(find_exactly(store, group, "weight", PEN_H5_F32, store->n_rows, &store->weight, err));
    }
    hid_t parent = -1;
    store->ids = pen_arena_alloc(&store->arena, store->spec.n_ids + 1, sizeof *store->ids);
    if (store->ids == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "%s: out of memory", store->file.path);
    }
    PEN_TRY(pen_h5_open_group(&store->file, group, "ids", &parent, err));
    pen_status status = PEN_OK;
    for (int64_t i = 0; status == PEN_OK && i < store->spec.n_ids; i++) {
        status = load_ids(store, parent, i, err);
        if (status != PEN_OK) {
            pen_error_prefix(err, "ids %s: ", store->spec.ids[i].name);
        }
    }
    pen_h5_close_group(parent);
    return status;
}

pen_status pen_tensor_open(struct pen_tensor_store **out, const char *path, struct pen_error *err)
{
    pen_status status = PEN_OK;
    hid_t group = -1;
    struct pen_tensor_store *store = NULL;
    *out = NULL;
    PEN_ALLOC(store, 1, err);
    store->file = (struct pen_h5_file)PEN_H5_FILE_INIT;
    PEN_TRY_GOTO(cleanup, pen_h5_open(&store->file, path, err));
    PEN_TRY_GOTO(cleanup, pen_h5_get_int(&store->file, store->file.id, "rows", &store->n_rows, err));
    if (store->n_rows < 0 || store->n_rows > INT64_MAX / 16) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_DATA, "%s: expected a number of rows, found %lld", path,
                      (long long)store->n_rows);
    }
    PEN_TRY_GOTO(cleanup, pen_h5_open_group(&store->file, store->file.id, "tensors", &group, err));
    PEN_TRY_GOTO(cleanup, load_tensors(store, group, err));
    pen_h5_close_group(group);
    pen_h5_close_metadata(&store->file);
    *out = store;
    return PEN_OK;
cleanup:
    pen_h5_close_group(group);
    pen_tensor_close(store);
    return status;
}

void pen_tensor_close(struct pen_tensor_store *store)
{
    if (store == NULL) {
        return;
    }
    pen_h5_close(&store->file);
    pen_arena_deinit(&store->arena);
    pen_free(store);
}

int64_t pen_tensor_n_rows(const struct pen_tensor_store *store)
{
    return store->n_rows;
}

const struct pen_tensor_spec *pen_tensor_spec_of(const struct pen_tensor_store *store)
{
    return &store->spec;
}

pen_status pen_tensor_buffer_create(struct pen_tensor_buffer **out, const struct pen_tensor_spec *spec,
                                    struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_tensor_buffer *buffer = NULL;
    *out = NULL;
    PEN_ALLOC_GOTO(cleanup, buffer, 1, err);
    buffer->n_dense = spec->n_dense;
    buffer->n_ids = spec->n_ids;
    PEN_ALLOC_GOTO(cleanup, buffer->ids, spec->n_ids, err);
    PEN_ALLOC_GOTO(cleanup, buffer->views, spec->n_ids, err);
    *out = buffer;
    return PEN_OK;
cleanup:
    pen_tensor_buffer_destroy(buffer);
    return status;
}

void pen_tensor_buffer_destroy(struct pen_tensor_buffer *buffer)
{
    if (buffer == NULL) {
        return;
    }
    for (int64_t i = 0; buffer->ids != NULL && i < buffer->n_ids; i++) {
        pen_free(buffer->ids[i].values);
        pen_free(buffer->ids[i].row_offsets);
    }
    pen_free(buffer->ids);
    pen_free(buffer->views);
    pen_free(buffer->dense);
    pen_free(buffer->label);
    pen_free(buffer->weight);
    pen_free(buffer);
}

static pen_status read_floats(const struct pen_tensor_store *store, const struct pen_h5_extent *extent, int64_t first,
                              int64_t n, float **floats, int64_t *capacity, struct pen_error *err)
{
    void *memory = *floats;
    pen_status status = pen_grow(&memory, capacity, n, sizeof(float), err);
    *floats = memory;
    PEN_TRY(status);
    return pen_h5_read_extent(&store->file, extent, first, n, *floats, err);
}

/* The list of ids of each row: offsets first, then the ids between the first and the last of them. */
static pen_status read_row_offsets(const struct pen_tensor_store *store, const struct ids_reader *ids, int64_t first,
                                   int64_t n_rows, struct ids_buffer *to, int64_t *start, int64_t *n_ids,
                                   struct pen_error *err)
{
    void *memory = to->row_offsets;
    pen_status status = pen_grow(&memory, &to->offsets_capacity, n_rows + 1, sizeof(int64_t), err);
    to->row_offsets = memory;
    PEN_TRY(status);
    PEN_TRY(pen_h5_read_extent(&store->file, &ids->row_offsets, first, n_rows + 1, to->row_offsets, err));
    bool rising = to->row_offsets[0] >= 0 && to->row_offsets[n_rows] <= ids->values.n_elements;
    for (int64_t i = 0; i < n_rows; i++) {
        rising = rising && to->row_offsets[i] <= to->row_offsets[i + 1];
    }
    if (!rising) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected rising row offsets from 0 to %lld, found others; it is damaged",
                 store->file.path, (long long)ids->values.n_elements);
    }
    *start = to->row_offsets[0];
    *n_ids = to->row_offsets[n_rows] - *start;
    for (int64_t i = 0; i <= n_rows; i++) {
        to->row_offsets[i] -= *start;
    }
    return PEN_OK;
}

static pen_status read_ids(const struct pen_tensor_store *store, int64_t which, int64_t first, int64_t n_rows,
                           struct pen_tensor_buffer *buffer, struct pen_error *err)
{
    const struct ids_reader *ids = &store->ids[which];
    struct ids_buffer *to = &buffer->ids[which];
    bool ragged = store->spec.ids[which].ragged;
    int64_t start = first, n = n_rows;
    if (ragged) {
        PEN_TRY(read_row_offsets(store, ids, first, n_rows, to, &start, &n, err));
    }
    void *memory = to->values;
    pen_status status = pen_grow(&memory, &to->values_capacity, n + 1, sizeof(int32_t), err);
    to->values = memory;
    PEN_TRY(status);
    PEN_TRY(pen_h5_read_extent(&store->file, &ids->values, start, n, to->values, err));
    buffer->views[which] = (struct pen_tensor_ids){to->values, ragged ? to->row_offsets : NULL};
    status = pen_store_check_codes(to->values, n, store->spec.ids[which].n_values, err);
    if (status != PEN_OK) {
        pen_error_prefix(err, "%s: ids %s: ", store->file.path, store->spec.ids[which].name);
    }
    return status;
}

pen_status pen_tensor_read(const struct pen_tensor_store *store, int64_t first_row, int64_t n_rows,
                           struct pen_tensor_buffer *buffer, struct pen_tensor_batch *batch, struct pen_error *err)
{
    const struct pen_tensor_spec *spec = &store->spec;
    PEN_ASSERT(buffer->n_dense == spec->n_dense && buffer->n_ids == spec->n_ids);
    if (first_row < 0 || n_rows < 0 || n_rows > store->n_rows - first_row) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "%s: expected rows within 0 to %lld, found %lld rows from %lld", store->file.path,
                 (long long)store->n_rows, (long long)n_rows, (long long)first_row);
    }
    *batch = (struct pen_tensor_batch){.n_rows = n_rows, .ids = buffer->views};
    if (spec->n_dense > 0) {
        PEN_TRY(read_floats(store, &store->dense, first_row * spec->n_dense, n_rows * spec->n_dense, &buffer->dense,
                            &buffer->dense_capacity, err));
        batch->dense = buffer->dense;
    }
    if (spec->task != PEN_TASK_NONE) {
        PEN_TRY(read_floats(store, &store->label, first_row, n_rows, &buffer->label, &buffer->label_capacity, err));
        batch->label = buffer->label;
    }
    if (spec->has_weight) {
        PEN_TRY(read_floats(store, &store->weight, first_row, n_rows, &buffer->weight, &buffer->weight_capacity, err));
        batch->weight = buffer->weight;
    }
    for (int64_t i = 0; i < spec->n_ids; i++) {
        PEN_TRY(read_ids(store, i, first_row, n_rows, buffer, err));
    }
    return PEN_OK;
}
