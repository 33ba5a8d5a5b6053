/* Reading journal files: lines verified one after another through one buffer, however long the file. */
#include "orchestrator/metadata/journal_internal.h"

#include "core/hash.h"
#include "core/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The buffer holds the longest line; pieces are small, so that they are still in the cache when they are looked at. */
enum { BUFFER_BYTES = 2 << 20, PIECE_BYTES = 256 << 10, FORMAT_VERSION = 1 };

static void line_checksum(const char chain[9], const char *json, size_t size, char out[9])
{
    static const char digits[] = "0123456789abcdef";
    uint32_t crc = pen_crc32c(pen_crc32c(0, chain, 8), json, size);
    for (int i = 0; i < 8; i++) {
        out[i] = digits[(crc >> (28 - 4 * i)) & 15];
    }
    out[8] = '\0';
}

bool pen_journal_follows(const char chain[9], const char *line, size_t size_bytes)
{
    char expected[9];
    if (size_bytes < PEN_LINE_PREFIX_BYTES + 2 || line[8] != ' ') {
        return false;
    }
    line_checksum(chain, line + PEN_LINE_PREFIX_BYTES, size_bytes - PEN_LINE_PREFIX_BYTES, expected);
    return memcmp(expected, line, 8) == 0;
}

pen_status pen_journal_line(char chain[9], const char *json, size_t size_bytes, struct pen_text *line,
                            struct pen_error *err)
{
    if (size_bytes > PEN_JOURNAL_MAX_RECORD_BYTES - PEN_LINE_PREFIX_BYTES) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "journal: expected a record of at most 1 MiB, found %zu bytes", size_bytes);
    }
    line_checksum(chain, json, size_bytes, chain);
    pen_text_append_bytes(line, chain, 8);
    pen_text_append_char(line, ' ');
    pen_text_append_bytes(line, json, size_bytes);
    pen_text_append_char(line, '\n');
    return pen_text_check(line, err);
}

pen_status pen_journal_record_line(char chain[9], const pen_json *record, struct pen_text *line, struct pen_error *err)
{
    struct pen_text json = {0};
    pen_status status = pen_json_print(record, PEN_JSON_CANONICAL, &json, err);
    if (status == PEN_OK) {
        status = pen_journal_line(chain, json.data, json.size_bytes, line, err);
    }
    pen_text_deinit(&json);
    return status;
}

/* The first line of a file; number: of the segment, or of the last one a base stands for. */
static pen_status take_header(struct pen_journal *journal, const char *json, size_t size, const char *path,
                              int64_t number, int64_t *n_expected, struct pen_error *err)
{
    bool is_base = n_expected != NULL;
    const char *wanted = is_base ? "penstock base" : "penstock journal";
    pen_json *header = NULL;
    PEN_TRY(pen_json_parse(json, size, path, &header, err));
    const char *format = pen_json_string_or(pen_json_get(header, "format"), "none");
    int64_t version = pen_json_int_or(pen_json_get(header, "version"), -1);
    int64_t segment = pen_json_int_or(pen_json_get(header, "segment"), -1);
    int64_t first = pen_json_int_or(pen_json_get(header, "first_seq"), -1);
    const char *chain = pen_json_string_or(pen_json_get(header, "chain"), "");
    pen_status status = PEN_OK;
    if (strcmp(format, wanted) != 0 || version != FORMAT_VERSION) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_DATA,
                               "%s: expected format %s version %d, found %.40s version %lld: made by another penstock; "
                               "move the root away and run afresh",
                               path, wanted, FORMAT_VERSION, format, (long long)version);
    } else if (segment != number || strlen(chain) != 8 || (!is_base && first != journal->n_records + 1)) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_IO,
                               "%s: chain break at record %lld: expected segment %lld to begin there, found the header "
                               "of segment %lld that begins at %lld; restore the file from a copy",
                               path, (long long)journal->n_records + 1, (long long)number, (long long)segment,
                               (long long)first);
    } else if (is_base) {
        *n_expected = pen_json_int_or(pen_json_get(header, "records"), -1);
    }
    pen_json_free(header);
    return status;
}

pen_status pen_journal_replay(struct pen_journal *journal, int32_t file, const char *path, int64_t number, int64_t *at,
                              int64_t *n_expected, pen_journal_visit *visit, void *user, struct pen_error *err)
{
    char *buffer = pen_malloc(BUFFER_BYTES, 1);
    size_t held = 0; /* bytes in the buffer, which begins at *at */
    pen_status status = PEN_OK;
    if (buffer == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading %s", path);
    }
    for (bool more = true; more;) {
        size_t room = BUFFER_BYTES - held < PIECE_BYTES ? BUFFER_BYTES - held : PIECE_BYTES;
        ssize_t got = pread(journal->fds[file], buffer + held, room, *at + (int64_t)held);
        if (got < 0 && errno != EINTR) {
            PEN_FAIL_GOTO(cleanup, err, PEN_ERR_IO, "%s byte %lld: cannot read: %s", path, (long long)*at,
                          strerror(errno));
        }
        held += got > 0 ? (size_t)got : 0;
        more = got != 0;
        size_t used = 0;
        const char *newline = NULL;
        while ((newline = memchr(buffer + used, '\n', held - used)) != NULL) {
            const char *line = buffer + used;
            size_t size = (size_t)(newline - line);
            if (!pen_journal_follows(journal->chain, line, size)) {
                goto cleanup;
            }
            const char *json = line + PEN_LINE_PREFIX_BYTES;
            size_t json_size = size - PEN_LINE_PREFIX_BYTES;
            if (*at == 0) {
                PEN_TRY_GOTO(cleanup, take_header(journal, json, json_size, path, number, n_expected, err));
            } else {
                struct pen_journal_place place = {*at + PEN_LINE_PREFIX_BYTES, file, (int32_t)json_size};
                PEN_TRY_GOTO(cleanup, visit == NULL ? PEN_OK : visit(user, json, json_size, place, err));
                journal->n_records++;
            }
            memcpy(journal->chain, line, 8);
            used += size + 1;
            *at += (int64_t)size + 1;
        }
        more = more && (used > 0 || held < BUFFER_BYTES); /* a line longer than any record */
        held -= used;
        memmove(buffer, buffer + used, held);
    }
cleanup:
    pen_free(buffer);
    return status;
}

/* A line that a crash could not have left: only the last one can be torn. (Its checksum cannot be judged: the bad line
 * hides what it was chained to.) */
static bool looks_whole(const char *line, size_t size)
{
    pen_json *record = NULL;
    bool whole =
        size > PEN_LINE_PREFIX_BYTES && line[8] == ' ' && line[PEN_LINE_PREFIX_BYTES] == '{' &&
        pen_json_parse(line + PEN_LINE_PREFIX_BYTES, size - PEN_LINE_PREFIX_BYTES, "", &record, NULL) == PEN_OK;
    pen_json_free(record);
    return whole;
}

pen_status pen_journal_tail(int fd, int64_t at, const char *path, struct pen_text *tail, bool *is_damage,
                            struct pen_error *err)
{
    struct stat facts;
    *is_damage = false;
    if (fstat(fd, &facts) != 0) {
        PEN_FAIL(err, PEN_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
    }
    for (int64_t offset = at; offset < facts.st_size;) {
        char piece[1 << 16];
        size_t room = facts.st_size - offset < (int64_t)sizeof piece ? (size_t)(facts.st_size - offset) : sizeof piece;
        PEN_TRY(pen_fd_pread(fd, piece, room, offset, path, err));
        pen_text_append_bytes(tail, piece, room);
        offset += (int64_t)room;
    }
    PEN_TRY(pen_text_check(tail, err));
    const char *line = tail->data;
    size_t left = tail->size_bytes;
    /* The header of a segment is on the disk before its first record is: whole, it must verify. */
    bool may_be_torn = at > 0;
    for (const char *newline = NULL; left > 0 && (newline = memchr(line, '\n', left)) != NULL && !*is_damage;) {
        *is_damage = !may_be_torn && looks_whole(line, (size_t)(newline - line));
        may_be_torn = false;
        left -= (size_t)(newline - line) + 1;
        line = newline + 1;
    }
    return PEN_OK;
}
