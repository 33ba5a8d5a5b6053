/* Reading datasets in place: the library tells where a dataset lies, pread fetches the bytes.
 *
 * Everything the file says about itself is held against the file's real size before it is believed. */
#include "core/files.h"
#include "datasets/store/h5_internal.h"

#include <stdio.h>

static bool has_type(hid_t dataset, enum pen_h5_type wanted)
{
    hid_t type = H5Dget_type(dataset);
    hid_t expected = wanted == PEN_H5_U8    ? H5T_STD_U8LE
                     : wanted == PEN_H5_I32 ? H5T_STD_I32LE
                     : wanted == PEN_H5_I64 ? H5T_STD_I64LE
                     : wanted == PEN_H5_F32 ? H5T_IEEE_F32LE
                                            : H5T_IEEE_F64LE;
    bool same = type >= 0 && H5Tequal(type, expected) > 0;
    (void)H5Tclose(type);
    return same;
}

struct found {
    hsize_t dims[2];
    hsize_t chunk; /* 0: contiguous */
    haddr_t address;
};

/* NULL, or what is wrong. */
static const char *inspect(hid_t group, const char *name, enum pen_h5_type type, int rank, struct found *found)
{
    const char *problem = NULL;
    H5L_info_t link;
    if (H5Lexists(group, name, H5P_DEFAULT) <= 0) {
        return "found none";
    }
    if (H5Lget_info(group, name, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD) {
        return "found a link to elsewhere";
    }
    hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT);
    if (dataset < 0) {
        return "found something that does not open";
    }
    hid_t space = H5Dget_space(dataset);
    hid_t properties = H5Dget_create_plist(dataset);
    H5D_layout_t layout = properties >= 0 ? H5Pget_layout(properties) : H5D_LAYOUT_ERROR;
    found->chunk = 0;
    found->address = 0;
    if (space < 0 || H5Sget_simple_extent_ndims(space) != rank ||
        H5Sget_simple_extent_dims(space, found->dims, NULL) != rank) {
        problem = "found another number of dimensions";
    } else if (!has_type(dataset, type)) {
        problem = "found another element type";
    } else if (H5Pget_nfilters(properties) != 0 || H5Pget_external_count(properties) != 0) {
        problem = "found filters or external storage";
    } else if (layout == H5D_CHUNKED && rank == 1) {
        if (H5Pget_chunk(properties, 1, &found->chunk) != 1 || found->chunk == 0 || found->chunk > (1u << 30)) {
            problem = "found chunks of an impossible size";
        }
    } else if (layout == H5D_CONTIGUOUS) {
        found->address = H5Dget_offset(dataset);
    } else {
        problem = "found another storage layout";
    }
    (void)H5Pclose(properties);
    (void)H5Sclose(space);
    (void)H5Dclose(dataset);
    return problem;
}

static pen_status check_inside(const struct pen_h5_file *file, const char *name, int64_t address, int64_t n_bytes,
                               struct pen_error *err)
{
    if (address < 0 || n_bytes < 0 || n_bytes > file->n_bytes || address > file->n_bytes - n_bytes) {
        PEN_FAIL(err, PEN_ERR_DATA,
                 "%s: dataset %s: expected %lld bytes at %lld, found a file of %lld bytes; it was cut short or damaged",
                 file->path, name, (long long)n_bytes, (long long)address, (long long)file->n_bytes);
    }
    return PEN_OK;
}

static pen_status find_chunks(const struct pen_h5_file *file, hid_t group, const char *name, int64_t chunk_bytes,
                              struct pen_arena *arena, struct pen_h5_extent *extent, struct pen_error *err)
{
    char sibling[64];
    struct pen_h5_extent list;
    int64_t n_listed = 0;
    int64_t n_chunks = (extent->n_elements + extent->chunk_elements - 1) / extent->chunk_elements;
    (void)snprintf(sibling, sizeof sibling, "%s_chunks", name);
    PEN_TRY(pen_h5_find_extent(file, group, sibling, PEN_H5_I64, 1, &n_listed, arena, &list, err));
    if (n_listed != n_chunks || list.chunk_elements != 0) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: dataset %s: expected %lld chunk addresses, found %lld", file->path, sibling,
                 (long long)n_chunks, (long long)n_listed);
    }
    extent->addresses = pen_arena_alloc(arena, n_chunks + 1, sizeof *extent->addresses);
    if (extent->addresses == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "%s: out of memory: %lld chunk addresses", file->path, (long long)n_chunks);
    }
    PEN_TRY(pen_h5_read_extent(file, &list, 0, n_chunks, extent->addresses, err));
    for (int64_t i = 0; i < n_chunks; i++) {
        PEN_TRY(check_inside(file, name, extent->addresses[i], chunk_bytes, err));
    }
    return PEN_OK;
}

pen_status pen_h5_find_extent(const struct pen_h5_file *file, hid_t group, const char *name, enum pen_h5_type type,
                              int rank, int64_t *dims, struct pen_arena *arena, struct pen_h5_extent *extent,
                              struct pen_error *err)
{
    struct found found = {{0, 0}, 0, 0};
    PEN_ASSERT(rank == 1 || rank == 2);
    pen_h5_lock();
    const char *problem = inspect(group, name, type, rank, &found);
    (void)H5Eclear2(H5E_DEFAULT);
    pen_h5_unlock();
    if (problem != NULL) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a dataset \"%s\" of %zu-byte elements, %s", file->path, name,
                 pen_h5_type_size(type), problem);
    }
    *extent = (struct pen_h5_extent){0};
    extent->element_bytes = pen_h5_type_size(type);
    extent->chunk_elements = (int64_t)found.chunk;
    int64_t limit = file->n_bytes / (int64_t)extent->element_bytes;
    int64_t n_elements = 1;
    for (int i = 0; i < rank; i++) {
        dims[i] = found.dims[i] <= INT64_MAX ? (int64_t)found.dims[i] : INT64_MAX;
    }
    for (int i = 0; i < rank; i++) {
        if (dims[i] != 0 && n_elements > limit / dims[i]) {
            PEN_FAIL(err, PEN_ERR_DATA,
                     "%s: dataset %s: expected room for its %lld x %lld elements, found a file of %lld bytes",
                     file->path, name, (long long)dims[0], (long long)(rank == 2 ? dims[1] : 1),
                     (long long)file->n_bytes);
        }
        n_elements *= dims[i];
    }
    extent->n_elements = n_elements;
    if (extent->chunk_elements > 0) {
        return find_chunks(file, group, name, extent->chunk_elements * (int64_t)extent->element_bytes, arena, extent,
                           err);
    }
    extent->addresses = pen_arena_alloc(arena, 1, sizeof *extent->addresses);
    if (extent->addresses == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "%s: out of memory", file->path);
    }
    extent->addresses[0] = n_elements > 0 ? (int64_t)found.address : 0;
    return check_inside(file, name, extent->addresses[0], n_elements * (int64_t)extent->element_bytes, err);
}

pen_status pen_h5_read_extent(const struct pen_h5_file *file, const struct pen_h5_extent *extent, int64_t first,
                              int64_t n_elements, void *out, struct pen_error *err)
{
    PEN_ASSERT(first >= 0 && n_elements >= 0 && n_elements <= extent->n_elements - first);
    size_t size = extent->element_bytes;
    char *to = out;
    while (n_elements > 0) {
        int64_t chunk = extent->chunk_elements > 0 ? first / extent->chunk_elements : 0;
        int64_t within = extent->chunk_elements > 0 ? first % extent->chunk_elements : first;
        int64_t n = n_elements;
        if (extent->chunk_elements > 0 && n > extent->chunk_elements - within) {
            n = extent->chunk_elements - within;
        }
        PEN_TRY(pen_fd_pread(file->fd, to, (size_t)n * size, extent->addresses[chunk] + within * (int64_t)size,
                             file->path, err));
        to += (size_t)n * size;
        first += n;
        n_elements -= n;
    }
    return PEN_OK;
}
