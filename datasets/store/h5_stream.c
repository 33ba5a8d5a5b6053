/* Writing datasets in place: HDF5 allocates the space, pwrite fills it.
 *
 * Space is allocated early and never filled, so that an address exists as soon as a dataset or one more chunk of it
 * does; the bytes then go there outside the library's lock. The address of every chunk is kept and written beside the
 * dataset, because asking the library for it later means walking its index once per chunk. */
#include "core/files.h"
#include "datasets/store/h5_internal.h"

#include <stdio.h>
#include <string.h>

static hid_t file_type(enum pen_h5_type type)
{
    switch (type) {
    case PEN_H5_U8:
        return H5T_STD_U8LE;
    case PEN_H5_I32:
        return H5T_STD_I32LE;
    case PEN_H5_I64:
        return H5T_STD_I64LE;
    case PEN_H5_F32:
        return H5T_IEEE_F32LE;
    case PEN_H5_F64:
        return H5T_IEEE_F64LE;
    }
    return -1;
}

/* chunk = 0: contiguous. */
static hid_t create_dataset(hid_t group, const char *name, enum pen_h5_type type, int rank, const hsize_t *dims,
                            hsize_t chunk)
{
    hsize_t unlimited = H5S_UNLIMITED;
    hid_t dataset = -1;
    hid_t space = H5Screate_simple(rank, dims, chunk > 0 ? &unlimited : NULL);
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    if (space >= 0 && properties >= 0 && H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY) >= 0 &&
        H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER) >= 0 && H5Pset_obj_track_times(properties, false) >= 0 &&
        (chunk == 0 || H5Pset_chunk(properties, 1, &chunk) >= 0)) {
        dataset = H5Dcreate2(group, name, file_type(type), space, H5P_DEFAULT, properties, H5P_DEFAULT);
    }
    (void)H5Pclose(properties);
    (void)H5Sclose(space);
    return dataset;
}

pen_status pen_h5_create_contiguous(struct pen_h5_file *file, hid_t group, const char *name, enum pen_h5_type type,
                                    int rank, const int64_t *dims, int64_t *address, struct pen_error *err)
{
    pen_status status = PEN_OK;
    hsize_t sizes[2] = {0, 0};
    hsize_t n_elements = 1;
    haddr_t found = 0;
    PEN_ASSERT(rank == 1 || rank == 2);
    for (int i = 0; i < rank; i++) {
        sizes[i] = (hsize_t)dims[i];
        n_elements *= sizes[i];
    }
    pen_h5_lock();
    hid_t dataset = create_dataset(group, name, type, rank, sizes, 0);
    if (dataset >= 0 && n_elements > 0) {
        found = H5Dget_offset(dataset);
    }
    if (dataset < 0 || found == HADDR_UNDEF) {
        status = pen_h5_fail(err, file->path, "allocate a dataset");
        pen_error_prefix(err, "dataset %s: ", name);
    }
    if (dataset >= 0) {
        (void)H5Dclose(dataset);
    }
    pen_h5_unlock();
    *address = (int64_t)found;
    return status;
}

pen_status pen_h5_write_whole(struct pen_h5_file *file, hid_t group, const char *name, enum pen_h5_type type,
                              const void *data, int64_t n_elements, struct pen_error *err)
{
    int64_t address = 0;
    PEN_TRY(pen_h5_create_contiguous(file, group, name, type, 1, &n_elements, &address, err));
    if (n_elements == 0) {
        return PEN_OK;
    }
    return pen_fd_pwrite(file->fd, data, (size_t)n_elements * pen_h5_type_size(type), address, file->path, err);
}

void pen_h5_stream_init(struct pen_h5_stream *stream, struct pen_h5_file *file, hid_t group, const char *name,
                        enum pen_h5_type type, int64_t chunk_elements)
{
    *stream = (struct pen_h5_stream){0};
    stream->file = file;
    stream->group = group;
    stream->name = name;
    stream->type = type;
    stream->chunk_elements = chunk_elements;
    stream->dataset = -1;
}

/* One more chunk in the file; *address is where it lies. */
static pen_status add_chunk(struct pen_h5_stream *stream, int64_t n_elements_in_file, int64_t *address,
                            struct pen_error *err)
{
    pen_status status = PEN_OK;
    hsize_t extent = (hsize_t)n_elements_in_file;
    hsize_t start = (hsize_t)(stream->n_chunks * stream->chunk_elements);
    hsize_t size = 0, nothing = 0;
    unsigned filters = 0;
    haddr_t found = HADDR_UNDEF;
    pen_h5_lock();
    if (stream->dataset < 0) {
        stream->dataset =
            create_dataset(stream->group, stream->name, stream->type, 1, &nothing, (hsize_t)stream->chunk_elements);
    }
    if (stream->dataset < 0 || H5Dset_extent(stream->dataset, &extent) < 0 ||
        H5Dget_chunk_info_by_coord(stream->dataset, &start, &filters, &found, &size) < 0 || found == HADDR_UNDEF) {
        status = pen_h5_fail(err, stream->file->path, "extend a dataset");
        pen_error_prefix(err, "dataset %s: ", stream->name);
    }
    pen_h5_unlock();
    *address = (int64_t)found;
    return status;
}

static pen_status flush_chunk(struct pen_h5_stream *stream, struct pen_error *err)
{
    int64_t address = 0;
    void *addresses = stream->addresses;
    pen_status status = pen_grow(&addresses, &stream->addresses_capacity, stream->n_chunks + 1, sizeof(int64_t), err);
    stream->addresses = addresses;
    PEN_TRY(status);
    PEN_TRY(add_chunk(stream, stream->n_chunks * stream->chunk_elements + stream->n_staged, &address, err));
    PEN_TRY(pen_fd_pwrite(stream->file->fd, stream->staging, (size_t)stream->n_staged * pen_h5_type_size(stream->type),
                          address, stream->file->path, err));
    stream->addresses[stream->n_chunks++] = address;
    stream->n_staged = 0;
    return PEN_OK;
}

pen_status pen_h5_stream_append(struct pen_h5_stream *stream, const void *data, int64_t n_elements,
                                struct pen_error *err)
{
    size_t size = pen_h5_type_size(stream->type);
    const char *from = data;
    if (stream->staging == NULL) {
        stream->staging = pen_malloc(stream->chunk_elements, size);
        if (stream->staging == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: a chunk of %lld x %zu bytes",
                     (long long)stream->chunk_elements, size);
        }
    }
    while (n_elements > 0) {
        if (stream->n_staged == stream->chunk_elements) {
            PEN_TRY(flush_chunk(stream, err));
        }
        int64_t room = stream->chunk_elements - stream->n_staged;
        int64_t n = n_elements < room ? n_elements : room;
        memcpy(stream->staging + (size_t)stream->n_staged * size, from, (size_t)n * size);
        stream->n_staged += n;
        stream->n_elements += n;
        n_elements -= n;
        from += (size_t)n * size;
    }
    return PEN_OK;
}

pen_status pen_h5_stream_read_back(const struct pen_h5_stream *stream, int64_t first, int64_t n_elements, void *out,
                                   struct pen_error *err)
{
    const int64_t chunk = first / stream->chunk_elements;
    const size_t size_bytes = (size_t)n_elements * pen_h5_type_size(stream->type);
    PEN_ASSERT(first % stream->chunk_elements == 0 && n_elements <= stream->chunk_elements &&
               first + n_elements <= stream->n_elements);
    if (chunk < stream->n_chunks) {
        return pen_fd_pread(stream->file->fd, out, size_bytes, stream->addresses[chunk], stream->file->path, err);
    }
    memcpy(out, stream->staging, size_bytes);
    return PEN_OK;
}

pen_status pen_h5_stream_discard(struct pen_h5_stream *stream, struct pen_error *err)
{
    pen_status status = PEN_OK;
    if (stream->dataset >= 0) {
        pen_h5_lock();
        if (H5Dclose(stream->dataset) < 0 || H5Ldelete(stream->group, stream->name, H5P_DEFAULT) < 0) {
            status = pen_h5_fail(err, stream->file->path, "remove a dataset");
            pen_error_prefix(err, "dataset %s: ", stream->name);
        }
        stream->dataset = -1;
        pen_h5_unlock();
    }
    pen_h5_stream_deinit(stream);
    return status;
}

pen_status pen_h5_stream_finish(struct pen_h5_stream *stream, struct pen_error *err)
{
    if (stream->n_chunks == 0) {
        return pen_h5_write_whole(stream->file, stream->group, stream->name, stream->type, stream->staging,
                                  stream->n_staged, err);
    }
    if (stream->n_staged > 0) {
        PEN_TRY(flush_chunk(stream, err));
    }
    char name[64];
    (void)snprintf(name, sizeof name, "%s_chunks", stream->name);
    PEN_TRY(
        pen_h5_write_whole(stream->file, stream->group, name, PEN_H5_I64, stream->addresses, stream->n_chunks, err));
    pen_h5_lock();
    (void)H5Dclose(stream->dataset);
    stream->dataset = -1;
    pen_h5_unlock();
    return PEN_OK;
}

void pen_h5_stream_deinit(struct pen_h5_stream *stream)
{
    if (stream->file != NULL && stream->dataset >= 0) {
        pen_h5_lock();
        (void)H5Dclose(stream->dataset);
        pen_h5_unlock();
    }
    pen_free(stream->staging);
    pen_free(stream->addresses);
    *stream = (struct pen_h5_stream){0};
    stream->dataset = -1;
}
