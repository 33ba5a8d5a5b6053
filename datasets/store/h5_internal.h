/* The HDF5 library behind one narrow door: files that are complete or absent, small attributes, and datasets whose
 * bytes lie at addresses we know.
 *
 * The library is used for metadata alone and under one lock, since it is serial; bulk bytes never pass through it.
 * A dataset is an extent: contiguous, or chunks whose addresses were noted while writing in a sibling dataset
 * "<name>_chunks". Files use the newest format of HDF5 1.10, because there every metadata block carries a checksum:
 * a flipped bit becomes an error here and not a wild pointer in the library.
 *
 * Only datasets/store includes this header. */
#ifndef PEN_DATASETS_STORE_H5_INTERNAL_H
#define PEN_DATASETS_STORE_H5_INTERNAL_H

#include "core/memory.h"

#include <hdf5.h>

enum { PEN_H5_FORMAT_VERSION = 1, PEN_H5_NAME_BYTES = 1024 };

enum pen_h5_type { PEN_H5_U8, PEN_H5_I32, PEN_H5_I64, PEN_H5_F32, PEN_H5_F64 };
size_t pen_h5_type_size(enum pen_h5_type type);

/* ---- the library's lock and its errors (h5_file.c) ---- */

void pen_h5_lock(void); /* also silences the library's own printing in this thread */
void pen_h5_unlock(void);
/* Inside the lock: "<path>: HDF5 could not <what>: <innermost reason>". */
pen_status pen_h5_fail(struct pen_error *err, const char *path, const char *what);

/* ---- files (h5_file.c) ---- */

struct pen_h5_file {
    hid_t id;        /* -1 when closed */
    int fd;          /* our own descriptor for bulk bytes; -1 when closed */
    int64_t n_bytes; /* reading: the real size of the file */
    char *path;
    char *temporary; /* writing: the name until it is complete */
};
#define PEN_H5_FILE_INIT      \
    {                         \
        -1, -1, 0, NULL, NULL \
    }

PEN_MUST_USE pen_status pen_h5_create(struct pen_h5_file *file, const char *path, struct pen_error *err);
/* Marks it complete, closes, syncs, renames without replacing. The file is closed afterwards, also on failure. */
PEN_MUST_USE pen_status pen_h5_finish(struct pen_h5_file *file, struct pen_error *err);
void pen_h5_abandon(struct pen_h5_file *file);
/* Checks signature, size, format and completeness. */
PEN_MUST_USE pen_status pen_h5_open(struct pen_h5_file *file, const char *path, struct pen_error *err);
void pen_h5_close_metadata(struct pen_h5_file *file); /* keeps the descriptor */
void pen_h5_close(struct pen_h5_file *file);

/* ---- groups and attributes (h5_attribute.c) ---- */

PEN_MUST_USE pen_status pen_h5_create_group(struct pen_h5_file *file, hid_t parent, const char *name, hid_t *group,
                                            struct pen_error *err);
PEN_MUST_USE pen_status pen_h5_open_group(const struct pen_h5_file *file, hid_t parent, const char *name, hid_t *group,
                                          struct pen_error *err);
void pen_h5_close_group(hid_t group); /* -1 is fine */
bool pen_h5_exists(hid_t parent, const char *name);
PEN_MUST_USE pen_status pen_h5_set_int(struct pen_h5_file *file, hid_t object, const char *name, int64_t value,
                                       struct pen_error *err);
PEN_MUST_USE pen_status pen_h5_set_string(struct pen_h5_file *file, hid_t object, const char *name, const char *value,
                                          struct pen_error *err);
PEN_MUST_USE pen_status pen_h5_get_int(const struct pen_h5_file *file, hid_t object, const char *name, int64_t *value,
                                       struct pen_error *err);
PEN_MUST_USE pen_status pen_h5_get_string(const struct pen_h5_file *file, hid_t object, const char *name,
                                          struct pen_arena *arena, const char **value, struct pen_error *err);
/* Names of a group's members in order of creation, in the arena. */
PEN_MUST_USE pen_status pen_h5_list(const struct pen_h5_file *file, hid_t group, struct pen_arena *arena,
                                    const char ***names, int64_t *n_names, struct pen_error *err);
/* Any text as the name of an HDF5 link ('/' and a leading '.' cannot stand in one): %2F. */
PEN_MUST_USE pen_status pen_h5_escape_name(char out[PEN_H5_NAME_BYTES], const char *name, struct pen_error *err);

/* ---- writing data (h5_stream.c) ---- */

/* Creates a contiguous dataset whose size is known and tells its address (0 when it holds nothing). */
PEN_MUST_USE pen_status pen_h5_create_contiguous(struct pen_h5_file *file, hid_t group, const char *name,
                                                 enum pen_h5_type type, int rank, const int64_t *dims, int64_t *address,
                                                 struct pen_error *err);
/* The same with its contents, at once. */
PEN_MUST_USE pen_status pen_h5_write_whole(struct pen_h5_file *file, hid_t group, const char *name,
                                           enum pen_h5_type type, const void *data, int64_t n_elements,
                                           struct pen_error *err);

/* A 1-D dataset that grows: one chunk is staged in memory, full chunks go to the file. What never fills more than one
 * chunk becomes contiguous. */
struct pen_h5_stream {
    struct pen_h5_file *file;
    hid_t group;      /* borrowed */
    const char *name; /* borrowed */
    enum pen_h5_type type;
    int64_t chunk_elements;
    int64_t n_elements; /* appended so far */
    int64_t n_staged;
    char *staging;
    hid_t dataset; /* -1 until a chunk was written */
    int64_t *addresses;
    int64_t n_chunks, addresses_capacity;
};
void pen_h5_stream_init(struct pen_h5_stream *stream, struct pen_h5_file *file, hid_t group, const char *name,
                        enum pen_h5_type type, int64_t chunk_elements);
PEN_MUST_USE pen_status pen_h5_stream_append(struct pen_h5_stream *stream, const void *data, int64_t n_elements,
                                             struct pen_error *err);
/* n_elements that were appended, from a chunk's first element `first` on, at most one chunk. */
PEN_MUST_USE pen_status pen_h5_stream_read_back(const struct pen_h5_stream *stream, int64_t first, int64_t n_elements,
                                                void *out, struct pen_error *err);
/* Takes the dataset out of the file again, in place of finishing it; the library reuses its space. */
PEN_MUST_USE pen_status pen_h5_stream_discard(struct pen_h5_stream *stream, struct pen_error *err);
PEN_MUST_USE pen_status pen_h5_stream_finish(struct pen_h5_stream *stream, struct pen_error *err);
void pen_h5_stream_deinit(struct pen_h5_stream *stream);

/* ---- reading data (h5_extent.c) ---- */

struct pen_h5_extent {
    int64_t n_elements;
    size_t element_bytes;
    int64_t chunk_elements; /* 0: contiguous at addresses[0] */
    int64_t *addresses;     /* in the arena */
};
/* Finds dataset `name`, refusing another type or rank, filters, foreign storage, or bytes outside the file.
 * dims has `rank` members. */
PEN_MUST_USE pen_status pen_h5_find_extent(const struct pen_h5_file *file, hid_t group, const char *name,
                                           enum pen_h5_type type, int rank, int64_t *dims, struct pen_arena *arena,
                                           struct pen_h5_extent *extent, struct pen_error *err);
PEN_MUST_USE pen_status pen_h5_read_extent(const struct pen_h5_file *file, const struct pen_h5_extent *extent,
                                           int64_t first, int64_t n_elements, void *out, struct pen_error *err);

#endif
