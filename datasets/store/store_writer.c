/* Writing a feature store row by row, column by column.
 *
 * The number of rows is not known before the end, so every column is a handful of streams (column_writer.c). Memory is
 * one chunk per stream plus the dictionaries. Columns are independent of each other and are appended on all cores; the
 * order of bytes inside a dataset never depends on that. */
#include "datasets/store/column_writer_internal.h"

enum { PARALLEL_ROWS = 4096 };

struct pen_store_writer {
    struct pen_h5_file file;
    hid_t columns_group;
    int64_t n_rows, n_columns;
    struct pen_column_writer *columns;
    pen_status failed; /* the first failure; nothing is accepted afterwards */
};

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
        PEN_TRY_GOTO(cleanup, pen_column_writer_create(&writer->columns[i], &writer->file, writer->columns_group,
                                                       &columns[i], err));
    }
    *out = writer;
    return PEN_OK;
cleanup:
    pen_store_abandon(writer);
    return status;
}

pen_status pen_store_append_column(struct pen_store_writer *writer, int64_t column, const struct pen_column *data,
                                   int64_t n_rows, struct pen_error *err)
{
    const pen_status status = pen_column_writer_append(&writer->columns[column], data, writer->n_rows, n_rows, err);
    if (status != PEN_OK) {
        pen_error_prefix(err, "%s: column number %lld: ", writer->file.path, (long long)column + 1);
#pragma omp atomic write
        writer->failed = status;
    }
    return status;
}

pen_status pen_store_end_rows(struct pen_store_writer *writer, int64_t n_rows, struct pen_error *err)
{
    if (writer->failed != PEN_OK) {
        PEN_FAIL(err, writer->failed, "%s: an earlier write failed", writer->file.path);
    }
    writer->n_rows += n_rows;
    return PEN_OK;
}

pen_status pen_store_append(struct pen_store_writer *writer, const struct pen_column *columns, int64_t n_rows,
                            struct pen_error *err)
{
    pen_status status = PEN_OK;
    int64_t failed_column = -1;
    PEN_TRY(pen_store_end_rows(writer, 0, err));
#pragma omp parallel for schedule(dynamic, 1) if (n_rows >= PARALLEL_ROWS && writer->n_columns > 1)
    for (int64_t i = 0; i < writer->n_columns; i++) {
        struct pen_error own = PEN_ERROR_INIT;
        const pen_status one = pen_store_append_column(writer, i, &columns[i], n_rows, &own);
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
    return status != PEN_OK ? status : pen_store_end_rows(writer, n_rows, err);
}

/* Everything but the file itself. */
static void release_columns(struct pen_store_writer *writer)
{
    for (int64_t i = 0; writer->columns != NULL && i < writer->n_columns; i++) {
        pen_column_writer_deinit(&writer->columns[i]);
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
        PEN_TRY_GOTO(cleanup, pen_column_writer_finish(&writer->columns[i], writer->n_rows, err));
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
