/* One column of a raw store on its way to the file: values, validity bits, offsets and bytes, each a stream.
 *
 * Columns share nothing but the file, so that threads may append to different ones at the same time. */
#ifndef PEN_DATASETS_STORE_COLUMN_WRITER_INTERNAL_H
#define PEN_DATASETS_STORE_COLUMN_WRITER_INTERNAL_H

#include "datasets/store/h5_internal.h"
#include "datasets/store/store.h"

struct pen_column_writer {
    enum pen_type type;
    struct pen_h5_file *file;
    hid_t group; /* -1: not created */
    struct pen_h5_stream values, validity, offsets, bytes;
    bool has_validity;
    uint8_t bits; /* of the unfinished byte of the bitmap */
    int64_t n_missing, n_bytes;
    int64_t *dictionary_offsets; /* entries so far; the views we are given do not live until the end */
    char *dictionary_bytes;
    int64_t n_entries, offsets_capacity, bytes_capacity;
};

PEN_MUST_USE pen_status pen_column_writer_create(struct pen_column_writer *column, struct pen_h5_file *file,
                                                 hid_t columns_group, const struct pen_store_column_spec *spec,
                                                 struct pen_error *err);
/* Behind the n_before rows that are there. BYTES on a CODES column make it BYTES, and its rows so far with it. */
PEN_MUST_USE pen_status pen_column_writer_append(struct pen_column_writer *column, const struct pen_column *data,
                                                 int64_t n_before, int64_t n_rows, struct pen_error *err);
PEN_MUST_USE pen_status pen_column_writer_finish(struct pen_column_writer *column, int64_t n_rows,
                                                 struct pen_error *err);
/* Memory and handles; the file stays as it is. */
void pen_column_writer_deinit(struct pen_column_writer *column);

#endif
