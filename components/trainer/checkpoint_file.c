/* Writing, checking and reading a checkpoint, a piece at a time. */
#include "components/trainer/checkpoint_file.h"

#include "core/files.h"
#include "core/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { MAGIC_BYTES = 8, LENGTH_BYTES = 8, SUM_BYTES = 4, HEADER_MAX_BYTES = 64 << 20, PIECE_BYTES = 4 << 20 };

static const char magic[MAGIC_BYTES + 1] = "PENCHK01";

/* A file that is written or read from its beginning, its checksum so far, and room for a piece of it. */
struct stream {
    const char *path;
    int fd;
    uint32_t sum;
    char *piece; /* [PIECE_BYTES] */
};

static pen_status stream_open(struct stream *s, const char *path, int flags, struct pen_error *err)
{
    *s = (struct stream){.path = path, .fd = -1};
    s->piece = pen_malloc(PIECE_BYTES, 1);
    if (s->piece == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: a piece of %s", path);
    }
    s->fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (s->fd < 0) {
        int reason = errno;
        pen_free(s->piece);
        PEN_FAIL(err, pen_status_from_errno(reason), "%s: cannot open: %s", path, strerror(reason));
    }
    return PEN_OK;
}

static pen_status stream_close(struct stream *s, pen_status status, struct pen_error *err)
{
    pen_free(s->piece);
    if (close(s->fd) != 0 && status == PEN_OK) {
        PEN_FAIL(err, PEN_ERR_IO, "%s: cannot close: %s", s->path, strerror(errno));
    }
    return status;
}

static void to_little_endian(uint8_t *bytes, int n_bytes, uint64_t value)
{
    for (int i = 0; i < n_bytes; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint64_t from_little_endian(const uint8_t *bytes, int n_bytes)
{
    uint64_t value = 0;
    for (int i = n_bytes - 1; i >= 0; i--) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static int64_t piece_of(int64_t left)
{
    return left < PIECE_BYTES ? left : PIECE_BYTES;
}

/* ---- writing ---- */

static pen_status put(struct stream *s, const void *bytes, size_t size_bytes, struct pen_error *err)
{
    s->sum = pen_crc32c(s->sum, bytes, size_bytes);
    return pen_fd_write(s->fd, bytes, size_bytes, s->path, err);
}

static pen_status put_array(struct stream *s, const struct pen_checkpoint_array *array, struct pen_exec *exec,
                            struct pen_error *err)
{
    for (int64_t done = 0; done < array->size_bytes;) {
        int64_t n = piece_of(array->size_bytes - done);
        PEN_TRY(pen_device_download(exec, s->piece, (const char *)array->memory + done, (size_t)n, err));
        PEN_TRY(put(s, s->piece, (size_t)n, err));
        done += n;
    }
    return PEN_OK;
}

static pen_status put_all(struct stream *s, const struct pen_text *header, const struct pen_checkpoint_array *arrays,
                          int64_t n_arrays, struct pen_exec *exec, struct pen_error *err)
{
    uint8_t length[LENGTH_BYTES], sum[SUM_BYTES];
    to_little_endian(length, LENGTH_BYTES, header->size_bytes);
    PEN_TRY(put(s, magic, MAGIC_BYTES, err));
    PEN_TRY(put(s, length, LENGTH_BYTES, err));
    PEN_TRY(put(s, header->data, header->size_bytes, err));
    for (int64_t i = 0; i < n_arrays; i++) {
        PEN_TRY(put_array(s, &arrays[i], exec, err));
    }
    to_little_endian(sum, SUM_BYTES, s->sum);
    PEN_TRY(put(s, sum, SUM_BYTES, err));
    if (fsync(s->fd) != 0) {
        PEN_FAIL(err, PEN_ERR_IO, "%s: cannot sync: %s", s->path, strerror(errno));
    }
    return PEN_OK;
}

static pen_status print_header(const pen_json *about, const struct pen_checkpoint_array *arrays, int64_t n_arrays,
                               struct pen_text *text, struct pen_error *err)
{
    pen_json *header = pen_json_copy(about), *list = pen_json_array();
    for (int64_t i = 0; i < n_arrays; i++) {
        pen_json *entry = pen_json_object();
        pen_json_set_string(entry, "name", arrays[i].name);
        pen_json_set_int(entry, "bytes", arrays[i].size_bytes);
        pen_json_push(list, entry);
    }
    pen_json_set(header, "arrays", list);
    pen_status status = pen_json_print(header, PEN_JSON_COMPACT, text, err);
    pen_json_free(header);
    if (status == PEN_OK && text->size_bytes > HEADER_MAX_BYTES) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "a checkpoint's header: expected at most 64 MiB, found %zu bytes",
                 text->size_bytes);
    }
    return status;
}

pen_status pen_checkpoint_file_write(const char *path, const pen_json *about, const struct pen_checkpoint_array *arrays,
                                     int64_t n_arrays, struct pen_exec *exec, struct pen_error *err)
{
    struct stream s;
    struct pen_text header = {0};
    pen_status status = print_header(about, arrays, n_arrays, &header, err);
    if (status == PEN_OK) {
        status = stream_open(&s, path, O_WRONLY | O_CREAT | O_TRUNC, err);
        if (status == PEN_OK) {
            status = stream_close(&s, put_all(&s, &header, arrays, n_arrays, exec, err), err);
        }
    }
    pen_text_deinit(&header);
    return status;
}

/* ---- checking and reading ---- */

static pen_status check_sum(struct stream *s, int64_t size_bytes, struct pen_error *err)
{
    uint8_t stored[SUM_BYTES];
    int64_t end = size_bytes - SUM_BYTES;
    for (int64_t done = 0; done < end;) {
        int64_t n = piece_of(end - done);
        PEN_TRY(pen_fd_pread(s->fd, s->piece, (size_t)n, done, s->path, err));
        s->sum = pen_crc32c(s->sum, s->piece, (size_t)n);
        done += n;
    }
    PEN_TRY(pen_fd_pread(s->fd, stored, SUM_BYTES, end, s->path, err));
    uint32_t expected = (uint32_t)from_little_endian(stored, SUM_BYTES);
    if (expected != s->sum) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected checksum %08x over %lld bytes, found %08x: the file is damaged",
                 s->path, expected, (long long)end, s->sum);
    }
    return PEN_OK;
}

static pen_status parse_header(struct stream *s, int64_t length, pen_json **about, struct pen_error *err)
{
    char *text = pen_malloc(length + 1, 1);
    if (text == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "%s: out of memory: header of %lld bytes", s->path, (long long)length);
    }
    pen_status status = pen_fd_pread(s->fd, text, (size_t)length, MAGIC_BYTES + LENGTH_BYTES, s->path, err);
    if (status == PEN_OK) {
        status = pen_json_parse(text, (size_t)length, s->path, about, err);
    }
    pen_free(text);
    return status;
}

/* The arrays must fill the file to the byte. */
static pen_status check_arrays(const struct stream *s, const pen_json *about, int64_t data_bytes, struct pen_error *err)
{
    const pen_json *list = NULL;
    int64_t left = data_bytes;
    PEN_TRY(pen_json_need_array(about, "arrays", s->path, &list, err));
    for (int64_t i = 0; i < pen_json_size(list); i++) {
        const char *name = NULL;
        int64_t bytes = 0;
        PEN_TRY(pen_json_need_string(pen_json_at(list, i), "name", s->path, &name, err));
        PEN_TRY(pen_json_need_int(pen_json_at(list, i), "bytes", s->path, &bytes, err));
        if (bytes < 0 || bytes > left) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: array %.40s: expected 0 to %lld bytes, found %lld", s->path, name,
                     (long long)left, (long long)bytes);
        }
        left -= bytes;
    }
    if (left != 0) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected arrays of %lld bytes in all, found %lld", s->path,
                 (long long)data_bytes, (long long)(data_bytes - left));
    }
    return PEN_OK;
}

static pen_status check(struct stream *s, int64_t size_bytes, pen_json **about, struct pen_error *err)
{
    uint8_t front[MAGIC_BYTES + LENGTH_BYTES];
    int64_t room = size_bytes - (int64_t)sizeof front - SUM_BYTES;
    if (room < 0) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected at least %zu bytes, found %lld: the file is cut short", s->path,
                 sizeof front + SUM_BYTES, (long long)size_bytes);
    }
    PEN_TRY(pen_fd_pread(s->fd, front, sizeof front, 0, s->path, err));
    if (memcmp(front, magic, MAGIC_BYTES) != 0) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a checkpoint, which begins with %s", s->path, magic);
    }
    uint64_t length = from_little_endian(front + MAGIC_BYTES, LENGTH_BYTES);
    if (length > HEADER_MAX_BYTES || (int64_t)length > room) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a header within the file's %lld bytes and 64 MiB, found %llu",
                 s->path, (long long)size_bytes, (unsigned long long)length);
    }
    PEN_TRY(check_sum(s, size_bytes, err));
    PEN_TRY(parse_header(s, (int64_t)length, about, err));
    return check_arrays(s, *about, room - (int64_t)length, err);
}

pen_status pen_checkpoint_file_check(const char *path, pen_json **about, struct pen_error *err)
{
    struct stream s;
    int64_t size_bytes = 0;
    *about = NULL;
    PEN_TRY(pen_file_size(path, &size_bytes, err));
    PEN_TRY(stream_open(&s, path, O_RDONLY, err));
    pen_status status = stream_close(&s, check(&s, size_bytes, about, err), err);
    if (status != PEN_OK) {
        pen_json_free(*about);
        *about = NULL;
    }
    return status;
}

static pen_status get_array(struct stream *s, const struct pen_checkpoint_array *array, int64_t offset,
                            struct pen_exec *exec, struct pen_error *err)
{
    for (int64_t done = 0; done < array->size_bytes;) {
        int64_t n = piece_of(array->size_bytes - done);
        PEN_TRY(pen_fd_pread(s->fd, s->piece, (size_t)n, offset + done, s->path, err));
        PEN_TRY(pen_device_upload(exec, (char *)array->memory + done, s->piece, (size_t)n, err));
        PEN_TRY(pen_device_synchronise(exec, err)); /* the piece is used again */
        done += n;
    }
    return PEN_OK;
}

pen_status pen_checkpoint_file_read(const char *path, const pen_json *about, const struct pen_checkpoint_array *arrays,
                                    int64_t n_arrays, struct pen_exec *exec, struct pen_error *err)
{
    const pen_json *list = pen_json_get(about, "arrays");
    int64_t offset = 0;
    PEN_TRY(pen_file_size(path, &offset, err));
    offset -= SUM_BYTES;
    if (pen_json_size(list) != n_arrays) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected %lld arrays, found %lld", path, (long long)n_arrays,
                 (long long)pen_json_size(list));
    }
    for (int64_t i = 0; i < n_arrays; i++) {
        const char *name = pen_json_string_or(pen_json_get(pen_json_at(list, i), "name"), "");
        int64_t bytes = pen_json_int_or(pen_json_get(pen_json_at(list, i), "bytes"), -1);
        if (strcmp(name, arrays[i].name) != 0 || bytes != arrays[i].size_bytes) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: expected array %s of %lld bytes, found %.40s of %lld", path,
                     arrays[i].name, (long long)arrays[i].size_bytes, name, (long long)bytes);
        }
        offset -= bytes;
    }
    struct stream s;
    pen_status status = PEN_OK;
    PEN_TRY(stream_open(&s, path, O_RDONLY, err));
    for (int64_t i = 0; i < n_arrays && status == PEN_OK; i++) {
        status = get_array(&s, &arrays[i], offset, exec, err);
        offset += arrays[i].size_bytes;
    }
    return stream_close(&s, status, err);
}
