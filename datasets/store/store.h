/* Feature store: the HDF5 file of one split (its layout in one screen: datasets/README.md).
 *
 *   /                              attributes: format "penstock", format_version 1, rows, split, span, created_by,
 *                                  schema_digest, complete 1 (written last)
 *   /columns/<name>/values         int64 | float32 | float64 | int32 codes (attribute `type`)
 *   /columns/<name>/validity       uint8 bitmap, absent when nothing is missing
 *   /columns/<name>/offsets,bytes  BYTES columns (Arrow's layout)
 *   /columns/<name>/dictionary/{offsets,bytes}
 *   /tensors/...                   transformed stores: tensors.h
 *
 * Bulk bytes are read and written at their file addresses with pread and pwrite, outside the HDF5 library and its
 * lock, from any number of threads. Rows are handed out in chunks of PEN_STORE_CHUNK_ROWS (the last one is shorter);
 * one chunk of one column is the unit of reading, so memory does not grow with rows. */
#ifndef PEN_DATASETS_STORE_STORE_H
#define PEN_DATASETS_STORE_STORE_H

#include "core/column.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_STORE_CHUNK_ROWS = 131072 };

/* ---- writing ---- */

struct pen_store_writer;

struct pen_store_column_spec {
    const char *name;
    enum pen_type type;
};

struct pen_store_options {
    const char *split;         /* "train" */
    int64_t span;              /* -1: none */
    const char *schema_digest; /* NULL: "" */
};

/* Creates path (its folder exists, the file does not). Nothing is at `path` before pen_store_finish: bytes go to a
 * temporary name beside it. */
PEN_API PEN_MUST_USE pen_status pen_store_create(struct pen_store_writer **writer, const char *path,
                                                 const struct pen_store_column_spec *columns, int64_t n_columns,
                                                 const struct pen_store_options *options, struct pen_error *err);

/* Appends n_rows rows; columns[i] has the i-th spec's type. The dictionary of a CODES column may grow from call to
 * call but never changes what was there; the one given last is written at the end. A CODES column may turn to BYTES at
 * any call, also at one without rows, and remains so: the whole column is then written as BYTES. */
PEN_API PEN_MUST_USE pen_status pen_store_append(struct pen_store_writer *writer, const struct pen_column *columns,
                                                 int64_t n_rows, struct pen_error *err);

/* The same column by column, for those who have threads of their own: each column once, any number of threads on
 * different columns, then pen_store_end_rows from one thread. A failure shows in both. */
PEN_API PEN_MUST_USE pen_status pen_store_append_column(struct pen_store_writer *writer, int64_t column,
                                                        const struct pen_column *data, int64_t n_rows,
                                                        struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_store_end_rows(struct pen_store_writer *writer, int64_t n_rows,
                                                   struct pen_error *err);

/* Completes the file, syncs it, renames it to its path. The writer is gone afterwards, also on failure. */
PEN_API PEN_MUST_USE pen_status pen_store_finish(struct pen_store_writer *writer, struct pen_error *err);

/* Gives up: nothing appears at path, the temporary file is removed. NULL is fine. */
PEN_API void pen_store_abandon(struct pen_store_writer *writer);

/* ---- reading ---- */

struct pen_store;

/* Refuses files that are incomplete, cut short or not ours, naming what was expected. */
PEN_API PEN_MUST_USE pen_status pen_store_open(struct pen_store **store, const char *path, struct pen_error *err);
PEN_API void pen_store_close(struct pen_store *store);

PEN_API const char *pen_store_path(const struct pen_store *store);
PEN_API const char *pen_store_split(const struct pen_store *store);
PEN_API int64_t pen_store_n_rows(const struct pen_store *store);
PEN_API int64_t pen_store_n_columns(const struct pen_store *store);
PEN_API int64_t pen_store_n_chunks(const struct pen_store *store);
PEN_API int64_t pen_store_chunk_rows(const struct pen_store *store, int64_t chunk);
PEN_API const char *pen_store_column_name(const struct pen_store *store, int64_t column);
PEN_API enum pen_type pen_store_column_type(const struct pen_store *store, int64_t column);
PEN_API int64_t pen_store_column_n_missing(const struct pen_store *store, int64_t column);
PEN_API int64_t pen_store_find_column(const struct pen_store *store, const char *name); /* -1: none */
/* CODES columns: borrowed, as long as the store is open; NULL otherwise. */
PEN_API const struct pen_dictionary *pen_store_dictionary(const struct pen_store *store, int64_t column);

/* Buffers of one chunk of one column, reused from call to call; zero-initialise. */
struct pen_store_buffer {
    void *values;
    int64_t values_capacity; /* bytes */
    uint8_t *validity;
    int64_t validity_capacity;
    int64_t *offsets;
    int64_t offsets_capacity; /* elements */
    char *bytes;
    int64_t bytes_capacity;
};
PEN_API void pen_store_buffer_deinit(struct pen_store_buffer *buffer);

/* Reads one chunk of one column; *view points into buffer (and the store's dictionary) until the next read with the
 * same buffer. Any number of threads may read from one store, each with buffers of its own. */
PEN_API PEN_MUST_USE pen_status pen_store_read(const struct pen_store *store, int64_t column, int64_t chunk,
                                               struct pen_store_buffer *buffer, struct pen_column *view,
                                               struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
