/* Writing and reading weights.bin. */
#include "components/trainer/weights_file.h"

#include "core/files.h"
#include "core/hash.h"
#include "core/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HEADER_MAX_BYTES = 16 << 20, LENGTH_BYTES = 8 };

static int64_t entry_bytes(const struct pen_weights_entry *e)
{
    return e->n_rows * e->dim * (int64_t)sizeof(float);
}

static pen_json *header_of(const struct pen_weights_entry *entries, int64_t n_entries)
{
    pen_json *header = pen_json_object();
    int64_t offset = 0;
    for (int64_t i = 0; i < n_entries; i++) {
        const struct pen_weights_entry *e = &entries[i];
        pen_json *entry = pen_json_object(), *shape = pen_json_array();
        pen_json_push(shape, pen_json_int(e->n_rows));
        pen_json_push(shape, pen_json_int(e->dim));
        pen_json_set_string(entry, "dtype", "F32");
        pen_json_set(entry, "shape", shape);
        pen_json_set_int(entry, "offset", offset);
        pen_json_set_int(entry, "crc32c", (int64_t)pen_crc32c(0, e->values, (size_t)entry_bytes(e)));
        pen_json_set(header, e->name, entry);
        offset += entry_bytes(e);
    }
    return header;
}

static pen_status write_all(int fd, const char *path, const struct pen_text *header,
                            const struct pen_weights_entry *entries, int64_t n_entries, struct pen_error *err)
{
    uint8_t length[LENGTH_BYTES];
    for (int i = 0; i < LENGTH_BYTES; i++) {
        length[i] = (uint8_t)((uint64_t)header->size_bytes >> (8 * i));
    }
    PEN_TRY(pen_fd_write(fd, length, sizeof length, path, err));
    PEN_TRY(pen_fd_write(fd, header->data, header->size_bytes, path, err));
    for (int64_t i = 0; i < n_entries; i++) {
        PEN_TRY(pen_fd_write(fd, entries[i].values, (size_t)entry_bytes(&entries[i]), path, err));
    }
    return PEN_OK;
}

pen_status pen_weights_write(const char *path, const struct pen_weights_entry *entries, int64_t n_entries,
                             struct pen_error *err)
{
    struct pen_text text = {0};
    pen_json *header = header_of(entries, n_entries);
    pen_status status = pen_json_print(header, PEN_JSON_COMPACT, &text, err);
    pen_json_free(header);
    if (status == PEN_OK) {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0) {
            status =
                pen_error_set(err, __FILE__, __LINE__, PEN_ERR_CREATE, "%s: cannot create: %s", path, strerror(errno));
        } else {
            status = write_all(fd, path, &text, entries, n_entries, err);
            if (close(fd) != 0 && status == PEN_OK) {
                status =
                    pen_error_set(err, __FILE__, __LINE__, PEN_ERR_IO, "%s: cannot close: %s", path, strerror(errno));
            }
        }
    }
    pen_text_deinit(&text);
    return status;
}

struct reader {
    int fd;
    const char *path;
    int64_t size_bytes, data_start;
};

static pen_status read_header(struct reader *r, pen_json **header, struct pen_error *err)
{
    uint8_t length[LENGTH_BYTES];
    if (r->size_bytes < LENGTH_BYTES) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected at least 8 bytes, found %lld: the file is cut short", r->path,
                 (long long)r->size_bytes);
    }
    PEN_TRY(pen_fd_pread(r->fd, length, sizeof length, 0, r->path, err));
    uint64_t n = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) {
        n = n << 8 | length[i];
    }
    if (n > HEADER_MAX_BYTES || (int64_t)n > r->size_bytes - LENGTH_BYTES) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a header within the file's %lld bytes and 16 MiB, found %llu",
                 r->path, (long long)r->size_bytes, (unsigned long long)n);
    }
    char *text = pen_malloc((int64_t)n + 1, 1);
    if (text == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "%s: out of memory: header of %llu bytes", r->path, (unsigned long long)n);
    }
    pen_status status = pen_fd_pread(r->fd, text, (size_t)n, LENGTH_BYTES, r->path, err);
    if (status == PEN_OK) {
        status = pen_json_parse(text, (size_t)n, r->path, header, err);
    }
    pen_free(text);
    r->data_start = LENGTH_BYTES + (int64_t)n;
    return status;
}

static pen_status check_entry(const struct reader *r, const pen_json *header, const struct pen_weights_entry *e,
                              int64_t offset, int64_t *crc, struct pen_error *err)
{
    const pen_json *entry = NULL, *shape = NULL;
    const char *dtype = NULL;
    int64_t found = 0;
    PEN_TRY(pen_json_need_object(header, e->name, r->path, &entry, err));
    PEN_TRY(pen_json_need_string(entry, "dtype", r->path, &dtype, err));
    PEN_TRY(pen_json_need_array(entry, "shape", r->path, &shape, err));
    PEN_TRY(pen_json_need_int(entry, "offset", r->path, &found, err));
    PEN_TRY(pen_json_need_int(entry, "crc32c", r->path, crc, err));
    if (strcmp(dtype, "F32") != 0) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: %s: expected dtype F32, found %.20s", r->path, e->name, dtype);
    }
    int64_t rows = pen_json_int_or(pen_json_at(shape, 0), -1), dim = pen_json_int_or(pen_json_at(shape, 1), -1);
    if (pen_json_size(shape) != 2 || rows != e->n_rows || dim != e->dim) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: %s: expected shape [%lld, %lld] as in model.json, found [%lld, %lld]", r->path,
                 e->name, (long long)e->n_rows, (long long)e->dim, (long long)rows, (long long)dim);
    }
    if (found != offset) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: %s: expected offset %lld (arrays follow each other), found %lld", r->path,
                 e->name, (long long)offset, (long long)found);
    }
    return PEN_OK;
}

static pen_status check_and_read(struct reader *r, const pen_json *header, const struct pen_weights_entry *entries,
                                 int64_t n_entries, struct pen_error *err)
{
    int64_t total = 0, crc = 0, offset = 0;
    if (!pen_json_is_object(header) || pen_json_size(header) != n_entries) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected %lld arrays, found %lld", r->path, (long long)n_entries,
                 (long long)pen_json_size(header));
    }
    for (int64_t i = 0; i < n_entries; i++) {
        PEN_TRY(check_entry(r, header, &entries[i], total, &crc, err));
        total += entry_bytes(&entries[i]);
    }
    if (r->size_bytes - r->data_start != total) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected %lld bytes of data, found %lld", r->path, (long long)total,
                 (long long)(r->size_bytes - r->data_start));
    }
    for (int64_t i = 0; i < n_entries; i++) {
        const struct pen_weights_entry *e = &entries[i];
        PEN_TRY(check_entry(r, header, e, offset, &crc, err));
        PEN_TRY(pen_fd_pread(r->fd, e->values, (size_t)entry_bytes(e), r->data_start + offset, r->path, err));
        offset += entry_bytes(e);
        uint32_t sum = pen_crc32c(0, e->values, (size_t)entry_bytes(e));
        if ((int64_t)sum != crc) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: %s: expected checksum %lld, found %lld: the file is damaged", r->path,
                     e->name, (long long)crc, (long long)sum);
        }
    }
    return PEN_OK;
}

pen_status pen_weights_read(const char *path, const struct pen_weights_entry *entries, int64_t n_entries,
                            struct pen_error *err)
{
    struct reader r = {.fd = -1, .path = path};
    pen_json *header = NULL;
    PEN_TRY(pen_file_size(path, &r.size_bytes, err));
    r.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (r.fd < 0) {
        PEN_FAIL(err, pen_status_from_errno(errno), "%s: cannot open: %s", path, strerror(errno));
    }
    pen_status status = read_header(&r, &header, err);
    if (status == PEN_OK) {
        status = check_and_read(&r, header, entries, n_entries, err);
    }
    pen_json_free(header);
    (void)close(r.fd);
    return status;
}
