/* Text of one file: plain, gzip (concatenated members) or zstd (concatenated frames), told apart by the first bytes.
 * Plain files are read by all threads at once; others are decompressed ahead by a thread of their own, unless one
 * thread is to do all. A file that changes while it is read is an error. */
#include "core/files.h"
#include "datasets/csv/ahead.h"
#include "datasets/csv/csv_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <omp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum kind { PLAIN, GZIP, ZSTD };
enum { INPUT_BYTES = 1 << 18 };

struct pen_csv_source {
    const char *path;
    int fd;
    enum kind kind;
    struct stat stat;
    int64_t offset; /* of the next byte to read from fd */
    unsigned char *input;
    size_t input_at, input_size;
    z_stream gzip;
    bool gzip_ready;
    ZSTD_DStream *zstd;
    bool in_member; /* the compressed stream is inside a member or frame */
    bool any_member;
    struct pen_csv_ahead *ahead; /* NULL: not started. It has all of the above while it runs */
};

static enum kind kind_of(const unsigned char *head, int64_t size)
{
    if (size >= 2 && head[0] == 0x1f && head[1] == 0x8b) {
        return GZIP;
    }
    if (size >= 4 && head[1] == 0xb5 && head[2] == 0x2f && head[3] == 0xfd && head[0] == 0x28) {
        return ZSTD;
    }
    if (size >= 4 && (head[0] & 0xf0) == 0x50 && head[1] == 0x2a && head[2] == 0x4d && head[3] == 0x18) {
        return ZSTD; /* a skippable frame */
    }
    return PLAIN;
}

/* What people hand over as CSV and is none: better named than shown as a column name of odd bytes. */
static pen_status refuse_other_formats(const unsigned char *head, int64_t size, const char *path, struct pen_error *err)
{
    static const struct {
        int64_t offset;
        const char *magic, *format, *remedy;
    } formats[] = {
        {4, "1AY&SY", "bzip2", "unpack it: bunzip2"},
        {1, "7zXZ", "xz", "unpack it: unxz"},
        {0, "PK\x03\x04", "a zip archive or an Excel workbook", "unpack it, or save the sheet as CSV"},
        {0, "\xd0\xcf\x11\xe0", "an Excel workbook", "save the sheet as CSV"},
        {0, "PAR1\x15", "Parquet", "write it as CSV"},
        {0, "\x89HDF", "HDF5", "write it as CSV"},
    };
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        int64_t length = (int64_t)strlen(formats[i].magic);
        if (size >= formats[i].offset + length &&
            memcmp(head + formats[i].offset, formats[i].magic, (size_t)length) == 0) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: expected CSV, also as .gz or .zst, found %s; %s", path, formats[i].format,
                     formats[i].remedy);
        }
    }
    return PEN_OK;
}

static pen_status start_decoder(struct pen_csv_source *source, struct pen_error *err)
{
    source->input = pen_malloc(INPUT_BYTES, 1);
    bool ok = source->input != NULL;
    if (source->kind == GZIP) {
        ok = ok && inflateInit2(&source->gzip, 15 + 16) == Z_OK;
        source->gzip_ready = ok;
    } else {
        source->zstd = ZSTD_createDStream();
        ok = ok && source->zstd != NULL;
    }
    if (!ok) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "%s: out of memory for a decompressor", source->path);
    }
    return PEN_OK;
}

pen_status pen_csv_source_open(struct pen_csv_source **out, const char *path, struct pen_error *err)
{
    struct pen_csv_source *source = pen_calloc(1, sizeof *source);
    *out = NULL;
    if (source == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory opening %s", path);
    }
    pen_status status = PEN_OK;
    source->path = path;
    source->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0 || fstat(source->fd, &source->stat) != 0) {
        PEN_FAIL_GOTO(fail, err, pen_status_from_errno(errno), "%s: cannot open: %s", path, strerror(errno));
    }
    if (!S_ISREG(source->stat.st_mode)) {
        PEN_FAIL_GOTO(fail, err, PEN_ERR_NOT_FOUND, "%s: expected a regular file, found %s", path,
                      S_ISDIR(source->stat.st_mode) ? "a folder; a pattern such as FOLDER/*.csv means the files in it"
                                                    : "a pipe or device; copy it to a file first");
    }
    unsigned char head[16] = {0};
    const ssize_t got = pread(source->fd, head, sizeof head, 0);
    if (got < 0) {
        PEN_FAIL_GOTO(fail, err, PEN_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
    }
    PEN_TRY_GOTO(fail, refuse_other_formats(head, got, path, err));
    source->kind = kind_of(head, got);
    if (source->kind != PLAIN) {
        PEN_TRY_GOTO(fail, start_decoder(source, err));
    }
    *out = source;
    return PEN_OK;
fail:
    pen_csv_source_close(source);
    return status;
}

void pen_csv_source_close(struct pen_csv_source *source)
{
    if (source == NULL) {
        return;
    }
    pen_csv_ahead_close(source->ahead);
    if (source->fd >= 0) {
        (void)close(source->fd);
    }
    if (source->gzip_ready) {
        (void)inflateEnd(&source->gzip);
    }
    ZSTD_freeDStream(source->zstd);
    pen_free(source->input);
    pen_free(source);
}

int64_t pen_csv_source_size(const struct pen_csv_source *source)
{
    return source->kind == PLAIN ? (int64_t)source->stat.st_size : -1;
}

/* Never past `size`; fewer bytes only at the end of the file. */
static pen_status read_at(const struct pen_csv_source *source, char *buffer, int64_t size, int64_t offset, int64_t *got,
                          struct pen_error *err)
{
    *got = 0;
    while (*got < size) {
        const ssize_t n = pread(source->fd, buffer + *got, (size_t)(size - *got), (off_t)(offset + *got));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            PEN_FAIL(err, PEN_ERR_IO, "%s: cannot read at byte %lld: %s", source->path, (long long)(offset + *got),
                     strerror(errno));
        }
        if (n == 0) {
            break;
        }
        *got += n;
    }
    return PEN_OK;
}

pen_status pen_csv_source_peek(struct pen_csv_source *source, char *buffer, int64_t size, int64_t offset, int64_t *got,
                               struct pen_error *err)
{
    *got = 0;
    return source->kind == PLAIN ? read_at(source, buffer, size, offset, got, err) : PEN_OK;
}

static pen_status check_unchanged(const struct pen_csv_source *source, struct pen_error *err)
{
    struct stat now;
    if (fstat(source->fd, &now) != 0 || now.st_size != source->stat.st_size ||
        now.st_mtim.tv_sec != source->stat.st_mtim.tv_sec || now.st_mtim.tv_nsec != source->stat.st_mtim.tv_nsec) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: changed while it was read; run again when its writer is done", source->path);
    }
    return PEN_OK;
}

static pen_status read_plain(struct pen_csv_source *source, char *buffer, int64_t size, int n_threads, int64_t *got,
                             struct pen_error *err)
{
    const int64_t left = (int64_t)source->stat.st_size - source->offset;
    const int64_t wanted = size < left ? size : left;
    const int64_t piece = 512 * 1024;
    const int64_t n_pieces = (wanted + piece - 1) / piece;
    int64_t total = 0;
    pen_status status = PEN_OK;
#pragma omp parallel for num_threads(n_threads) schedule(dynamic) reduction(+ : total) if (n_pieces > 1)
    for (int64_t i = 0; i < n_pieces; i++) {
        const int64_t begin = i * piece;
        const int64_t n = wanted - begin < piece ? wanted - begin : piece;
        int64_t here = 0;
        struct pen_error mine = PEN_ERROR_INIT;
        const pen_status one = read_at(source, buffer + begin, n, source->offset + begin, &here, &mine);
        total += here;
        if (one != PEN_OK) {
#pragma omp critical(pen_csv_read)
            {
                status = one;
                if (err != NULL) {
                    *err = mine;
                }
            }
        }
    }
    PEN_TRY(status);
    if (total != wanted) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: became shorter while it was read", source->path);
    }
    source->offset += wanted;
    *got = wanted;
    return wanted < size ? check_unchanged(source, err) : PEN_OK;
}

static pen_status refill(struct pen_csv_source *source, struct pen_error *err)
{
    int64_t got;
    PEN_TRY(read_at(source, (char *)source->input, INPUT_BYTES, source->offset, &got, err));
    source->offset += got;
    source->input_at = 0;
    source->input_size = (size_t)got;
    return PEN_OK;
}

/* One step of the decoder; advances input_at; *made bytes were written. */
static pen_status inflate_step(struct pen_csv_source *source, char *out, size_t room, size_t *made,
                               struct pen_error *err)
{
    z_stream *z = &source->gzip;
    const size_t available = source->input_size - source->input_at;
    room = room > (1u << 30) ? (1u << 30) : room;
    z->next_in = source->input + source->input_at;
    z->avail_in = (unsigned)available;
    z->next_out = (unsigned char *)out;
    z->avail_out = (unsigned)room;
    const int result = inflate(z, Z_NO_FLUSH);
    source->input_at += available - z->avail_in;
    *made = room - z->avail_out;
    source->in_member = result != Z_STREAM_END;
    if (result == Z_STREAM_END) {
        (void)inflateReset(z);
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: damaged gzip data before byte %lld: %s", source->path,
                 (long long)(source->offset - (int64_t)(source->input_size - source->input_at)),
                 z->msg != NULL ? z->msg : "unknown error");
    }
    return PEN_OK;
}

static pen_status zstd_step(struct pen_csv_source *source, char *out, size_t room, size_t *made, struct pen_error *err)
{
    ZSTD_inBuffer in = {source->input, source->input_size, source->input_at};
    ZSTD_outBuffer buffer = {out, room, 0};
    const size_t result = ZSTD_decompressStream(source->zstd, &buffer, &in);
    source->input_at = in.pos;
    *made = buffer.pos;
    if (ZSTD_isError(result)) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: damaged zstd data before byte %lld: %s", source->path,
                 (long long)(source->offset - (int64_t)(source->input_size - source->input_at)),
                 ZSTD_getErrorName(result));
    }
    source->in_member = result != 0;
    return PEN_OK;
}

/* Bytes behind the last gzip member: zero padding (tar, tapes) is fine, as gzip itself finds. */
static bool only_padding(const struct pen_csv_source *source)
{
    for (size_t i = source->input_at; i < source->input_size; i++) {
        if (source->input[i] != 0) {
            return false;
        }
    }
    return true;
}

static pen_status decode(void *user, char *buffer, int64_t size, int64_t *got, struct pen_error *err)
{
    struct pen_csv_source *source = user;
    *got = 0;
    while (*got < size) {
        if (source->input_at == source->input_size) {
            PEN_TRY(refill(source, err));
        }
        const bool no_input = source->input_size == 0;
        if (no_input && !source->in_member) {
            return check_unchanged(source, err);
        }
        if (source->kind == GZIP && !source->in_member && source->any_member && only_padding(source)) {
            source->input_at = source->input_size;
            continue;
        }
        source->any_member = true;
        size_t made = 0;
        const size_t before = source->input_at;
        const size_t room = (size_t)(size - *got);
        PEN_TRY(source->kind == GZIP ? inflate_step(source, buffer + *got, room, &made, err)
                                     : zstd_step(source, buffer + *got, room, &made, err));
        *got += (int64_t)made;
        if (no_input && made == 0 && source->input_at == before) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: the compressed data ends too early, after %lld bytes; copy the file again",
                     source->path, (long long)source->offset);
        }
    }
    return PEN_OK;
}

pen_status pen_csv_source_read(struct pen_csv_source *source, char *buffer, int64_t size, int n_threads, int64_t *got,
                               struct pen_error *err)
{
    *got = 0;
    if (source->kind == PLAIN) {
        return read_plain(source, buffer, size, n_threads, got, err);
    }
    if (n_threads > 1 && source->ahead == NULL) {
        PEN_TRY(pen_csv_ahead_open(&source->ahead, decode, source, err));
    }
    return source->ahead == NULL ? decode(source, buffer, size, got, err)
                                 : pen_csv_ahead_read(source->ahead, buffer, size, got, err);
}
