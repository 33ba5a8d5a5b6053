/* Writing a transformed store: the number of rows is known, so every dataset is allocated first and filled at its
 * address; only the values of ragged ids, whose number is not known, are a stream. */
#include "core/files.h"
#include "datasets/store/columns_internal.h"
#include "datasets/store/h5_internal.h"
#include "datasets/store/tensors.h"

#include <string.h>

enum { RAGGED_CHUNK = 1 << 18 };

struct ids_writer {
    hid_t group;
    int64_t n_values; /* ids are below this */
    bool ragged;
    int64_t values_at, offsets_at; /* addresses */
    struct pen_h5_stream values;   /* ragged */
    int64_t n_written;             /* ragged: ids so far */
};

struct pen_tensor_writer {
    struct pen_h5_file file;
    hid_t group;
    int64_t n_rows, row, n_dense, n_ids;
    bool has_label, has_weight;
    int64_t dense_at, label_at, weight_at;
    struct ids_writer *ids;
    pen_status failed;
};

static pen_status write_header(struct pen_tensor_writer *writer, const struct pen_store_options *options,
                               struct pen_error *err)
{
    struct pen_h5_file *file = &writer->file;
    PEN_TRY(pen_h5_set_string(file, file->id, "format", "penstock", err));
    PEN_TRY(pen_h5_set_int(file, file->id, "format_version", PEN_H5_FORMAT_VERSION, err));
    PEN_TRY(pen_h5_set_string(file, file->id, "created_by", "penstock", err));
    PEN_TRY(pen_h5_set_string(file, file->id, "split", options != NULL && options->split ? options->split : "", err));
    PEN_TRY(pen_h5_set_int(file, file->id, "span", options != NULL ? options->span : -1, err));
    PEN_TRY(pen_h5_set_string(file, file->id, "schema_digest",
                              options != NULL && options->schema_digest ? options->schema_digest : "", err));
    return pen_h5_set_int(file, file->id, "rows", writer->n_rows, err);
}

static pen_status write_spec(struct pen_tensor_writer *writer, const struct pen_tensor_spec *spec,
                             struct pen_error *err)
{
    struct pen_text text = {0};
    pen_json *json = pen_tensor_spec_to_json(spec);
    pen_status status = pen_json_print(json, PEN_JSON_COMPACT, &text, err);
    if (status == PEN_OK) {
        status = pen_h5_write_whole(&writer->file, writer->group, "spec", PEN_H5_U8, text.data,
                                    (int64_t)text.size_bytes, err);
    }
    pen_text_deinit(&text);
    pen_json_free(json);
    return status;
}

static pen_status create_ids(struct pen_tensor_writer *writer, const struct pen_tensor_spec *spec,
                             struct pen_error *err)
{
    hid_t parent = -1;
    pen_status status = PEN_OK;
    PEN_TRY(pen_h5_create_group(&writer->file, writer->group, "ids", &parent, err));
    for (int64_t i = 0; i < spec->n_ids; i++) {
        char link[PEN_H5_NAME_BYTES];
        struct ids_writer *ids = &writer->ids[i];
        ids->n_values = spec->ids[i].n_values;
        ids->ragged = spec->ids[i].ragged;
        PEN_TRY_GOTO(cleanup, pen_h5_escape_name(link, spec->ids[i].name, err));
        PEN_TRY_GOTO(cleanup, pen_h5_create_group(&writer->file, parent, link, &ids->group, err));
        if (ids->ragged) {
            int64_t n_offsets = writer->n_rows + 1, zero = 0;
            pen_h5_stream_init(&ids->values, &writer->file, ids->group, "values", PEN_H5_I32, RAGGED_CHUNK);
            PEN_TRY_GOTO(cleanup, pen_h5_create_contiguous(&writer->file, ids->group, "row_offsets", PEN_H5_I64, 1,
                                                           &n_offsets, &ids->offsets_at, err));
            PEN_TRY_GOTO(cleanup,
                         pen_fd_pwrite(writer->file.fd, &zero, sizeof zero, ids->offsets_at, writer->file.path, err));
        } else {
            PEN_TRY_GOTO(cleanup, pen_h5_create_contiguous(&writer->file, ids->group, "values", PEN_H5_I32, 1,
                                                           &writer->n_rows, &ids->values_at, err));
        }
    }
cleanup:
    pen_h5_close_group(parent);
    return status;
}

static pen_status create_datasets(struct pen_tensor_writer *writer, const struct pen_tensor_spec *spec,
                                  struct pen_error *err)
{
    struct pen_h5_file *file = &writer->file;
    int64_t dims[2] = {writer->n_rows, writer->n_dense};
    PEN_TRY(pen_h5_create_group(file, file->id, "tensors", &writer->group, err));
    PEN_TRY(write_spec(writer, spec, err));
    if (writer->n_dense > 0) {
        PEN_TRY(pen_h5_create_contiguous(file, writer->group, "dense", PEN_H5_F32, 2, dims, &writer->dense_at, err));
    }
    if (writer->has_label) {
        PEN_TRY(pen_h5_create_contiguous(file, writer->group, "label", PEN_H5_F32, 1, dims, &writer->label_at, err));
    }
    if (writer->has_weight) {
        PEN_TRY(pen_h5_create_contiguous(file, writer->group, "weight", PEN_H5_F32, 1, dims, &writer->weight_at, err));
    }
    return create_ids(writer, spec, err);
}

pen_status pen_tensor_create(struct pen_tensor_writer **out, const char *path, const struct pen_tensor_spec *spec,
                             int64_t n_rows, const struct pen_store_options *options, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_tensor_writer *writer = NULL;
    *out = NULL;
    PEN_ALLOC_GOTO(cleanup, writer, 1, err);
    writer->file = (struct pen_h5_file)PEN_H5_FILE_INIT;
    writer->group = -1;
    PEN_ALLOC_GOTO(cleanup, writer->ids, spec->n_ids, err);
    for (int64_t i = 0; i < spec->n_ids; i++) {
        writer->ids[i].group = -1;
    }
    writer->n_rows = n_rows;
    writer->n_dense = spec->n_dense;
    writer->n_ids = spec->n_ids;
    writer->has_label = spec->task != PEN_TASK_NONE;
    writer->has_weight = spec->has_weight;
    PEN_TRY_GOTO(cleanup, pen_h5_create(&writer->file, path, err));
    PEN_TRY_GOTO(cleanup, write_header(writer, options, err));
    PEN_TRY_GOTO(cleanup, create_datasets(writer, spec, err));
    *out = writer;
    return PEN_OK;
cleanup:
    pen_tensor_abandon(writer);
    return status;
}

static pen_status append_ragged(struct pen_tensor_writer *writer, struct ids_writer *ids,
                                const struct pen_tensor_ids *data, int64_t n_rows, struct pen_error *err)
{
    int64_t block[1024];
    int64_t n_values = data->row_offsets[n_rows];
    for (int64_t row = 0; row < n_rows;) {
        int64_t n = n_rows - row < 1024 ? n_rows - row : 1024;
        for (int64_t i = 0; i < n; i++) {
            block[i] = ids->n_written + data->row_offsets[row + i + 1];
        }
        PEN_TRY(pen_fd_pwrite(writer->file.fd, block, (size_t)n * sizeof *block,
                              ids->offsets_at + (writer->row + row + 1) * 8, writer->file.path, err));
        row += n;
    }
    PEN_TRY(pen_store_check_codes(data->values, n_values, ids->n_values, err));
    ids->n_written += n_values;
    return n_values > 0 ? pen_h5_stream_append(&ids->values, data->values, n_values, err) : PEN_OK;
}

static pen_status put(struct pen_tensor_writer *writer, const void *data, int64_t n_bytes, int64_t address,
                      struct pen_error *err)
{
    return pen_fd_pwrite(writer->file.fd, data, (size_t)n_bytes, address, writer->file.path, err);
}

static pen_status append(struct pen_tensor_writer *writer, const struct pen_tensor_batch *batch, struct pen_error *err)
{
    int64_t n = batch->n_rows, row = writer->row;
    int64_t stride = writer->n_dense * (int64_t)sizeof(float);
    if (n > writer->n_rows - row) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "%s: expected %lld rows in all, found at least %lld", writer->file.path,
                 (long long)writer->n_rows, (long long)(row + n));
    }
    if (stride > 0) {
        PEN_TRY(put(writer, batch->dense, n * stride, writer->dense_at + row * stride, err));
    }
    if (writer->has_label) {
        PEN_TRY(put(writer, batch->label, n * 4, writer->label_at + row * 4, err));
    }
    if (writer->has_weight) {
        PEN_TRY(put(writer, batch->weight, n * 4, writer->weight_at + row * 4, err));
    }
    for (int64_t i = 0; i < writer->n_ids; i++) {
        struct ids_writer *ids = &writer->ids[i];
        if (ids->ragged) {
            PEN_TRY(append_ragged(writer, ids, &batch->ids[i], n, err));
        } else {
            PEN_TRY(pen_store_check_codes(batch->ids[i].values, n, ids->n_values, err));
            PEN_TRY(put(writer, batch->ids[i].values, n * 4, ids->values_at + row * 4, err));
        }
    }
    writer->row += n;
    return PEN_OK;
}

pen_status pen_tensor_append(struct pen_tensor_writer *writer, const struct pen_tensor_batch *batch,
                             struct pen_error *err)
{
    PEN_ASSERT(!writer->has_label || batch->label != NULL || batch->n_rows == 0);
    PEN_ASSERT(!writer->has_weight || batch->weight != NULL || batch->n_rows == 0);
    if (writer->failed != PEN_OK) {
        PEN_FAIL(err, writer->failed, "%s: an earlier write failed", writer->file.path);
    }
    if (batch->n_rows > 0) {
        writer->failed = append(writer, batch, err);
    }
    return writer->failed;
}

static void release_datasets(struct pen_tensor_writer *writer)
{
    for (int64_t i = 0; writer->ids != NULL && i < writer->n_ids; i++) {
        if (writer->ids[i].values.file != NULL) {
            pen_h5_stream_deinit(&writer->ids[i].values);
        }
        pen_h5_close_group(writer->ids[i].group);
    }
    pen_h5_close_group(writer->group);
    writer->group = -1;
    pen_free(writer->ids);
    writer->ids = NULL;
}

pen_status pen_tensor_finish(struct pen_tensor_writer *writer, struct pen_error *err)
{
    pen_status status = writer->failed;
    if (status != PEN_OK) {
        PEN_FAIL_GOTO(cleanup, err, status, "%s: an earlier write failed", writer->file.path);
    }
    if (writer->row != writer->n_rows) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_SHAPE, "%s: expected %lld rows, found %lld", writer->file.path,
                      (long long)writer->n_rows, (long long)writer->row);
    }
    for (int64_t i = 0; i < writer->n_ids; i++) {
        if (writer->ids[i].ragged) {
            PEN_TRY_GOTO(cleanup, pen_h5_stream_finish(&writer->ids[i].values, err));
        }
    }
    release_datasets(writer);
    status = pen_h5_finish(&writer->file, err);
    pen_free(writer);
    return status;
cleanup:
    pen_tensor_abandon(writer);
    return status;
}

void pen_tensor_abandon(struct pen_tensor_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    release_datasets(writer);
    pen_h5_abandon(&writer->file);
    pen_free(writer);
}
