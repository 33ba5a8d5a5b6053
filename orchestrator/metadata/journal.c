/* Reading, verifying, repairing and appending the journal. */
#include "orchestrator/metadata/journal.h"

#include "core/hash.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JOURNAL_LIMIT_BYTES = 1 << 30, PREFIX_BYTES = 9 };

static void line_checksum(const char chain[9], const char *json, size_t size, char out[9])
{
    uint32_t crc = pen_crc32c(pen_crc32c(0, chain, 8), json, size);
    (void)snprintf(out, 9, "%08x", crc);
}

/* Does the line (without its newline) follow the record whose checksum is chain? */
static bool follows(const char chain[9], const char *line, size_t size)
{
    char expected[9];
    if (size < PREFIX_BYTES + 2 || line[8] != ' ') {
        return false;
    }
    line_checksum(chain, line + PREFIX_BYTES, size - PREFIX_BYTES, expected);
    return memcmp(expected, line, 8) == 0;
}

/* Does a whole record stand after the first bad line? Only the last line can be torn by a crash, so then the damage
 * lies in the middle. (Its checksum cannot be judged: the bad line hides what it was chained to.) */
static bool verifies_later(const char *text, size_t size)
{
    bool first = true;
    while (size > 0) {
        const char *newline = memchr(text, '\n', size);
        if (newline == NULL) {
            return false;
        }
        size_t length = (size_t)(newline - text);
        pen_json *record = NULL;
        if (!first && length > PREFIX_BYTES && text[8] == ' ' && text[PREFIX_BYTES] == '{' &&
            pen_json_parse(text + PREFIX_BYTES, length - PREFIX_BYTES, "", &record, NULL) == PEN_OK) {
            pen_json_free(record);
            return true;
        }
        first = false;
        text = newline + 1;
        size -= length + 1;
    }
    return false;
}

static pen_status quarantine(const struct pen_journal *journal, const char *directory, const char *tail, size_t size,
                             struct pen_error *err)
{
    char folder[PEN_PATH_BYTES];
    char file[PEN_PATH_BYTES];
    char name[64];
    PEN_TRY(pen_path_join(folder, directory, "quarantine", err));
    PEN_TRY(pen_directory_create(folder, err));
    (void)snprintf(name, sizeof name, "journal-tail-at-%lld", (long long)journal->size_bytes);
    PEN_TRY(pen_path_join(file, folder, name, err));
    PEN_TRY(pen_file_write_atomic(file, tail, size, err));
    if (ftruncate(journal->fd, journal->size_bytes) != 0 || fdatasync(journal->fd) != 0) {
        PEN_FAIL(err, PEN_ERR_IO, "%s: cannot cut the torn tail: %s", journal->path, strerror(errno));
    }
    pen_log(PEN_LOG_WARNING, "%s: a write was torn at byte %lld; %zu bytes moved to %s", journal->path,
            (long long)journal->size_bytes, size, file);
    return PEN_OK;
}

static pen_status visit_lines(struct pen_journal *journal, const struct pen_text *text, pen_journal_visit *visit,
                              void *user, struct pen_error *err)
{
    const char *at = pen_text_view(text);
    size_t left = text->size_bytes;
    while (left > 0) {
        const char *newline = memchr(at, '\n', left);
        size_t size = newline == NULL ? 0 : (size_t)(newline - at);
        if (newline == NULL || !follows(journal->chain, at, size)) {
            return PEN_OK;
        }
        pen_json *record = NULL;
        char where[PEN_PATH_BYTES + 32];
        (void)snprintf(where, sizeof where, "%s byte %lld", journal->path, (long long)journal->size_bytes);
        PEN_TRY(pen_json_parse(at + PREFIX_BYTES, size - PREFIX_BYTES, where, &record, err));
        pen_status status = visit == NULL ? PEN_OK : visit(user, record, err);
        pen_json_free(record);
        PEN_TRY(status);
        memcpy(journal->chain, at, 8);
        journal->n_records++;
        journal->size_bytes += (int64_t)size + 1;
        at = newline + 1;
        left -= size + 1;
    }
    return PEN_OK;
}

static pen_status open_segment(struct pen_journal *journal, const char *directory, bool write, struct pen_error *err)
{
    char folder[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(folder, directory, "journal", err));
    PEN_TRY(pen_path_join(journal->path, folder, "0000000001.jl", err));
    if (!write) {
        return PEN_OK;
    }
    PEN_TRY(pen_directory_create(folder, err));
    bool fresh = !pen_path_exists(journal->path);
    journal->fd = open(journal->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (journal->fd < 0) {
        int number = errno;
        PEN_FAIL(err, pen_status_from_errno(number), "%s: cannot open: %s", journal->path, strerror(number));
    }
    return fresh ? pen_directory_sync(folder, err) : PEN_OK;
}

pen_status pen_journal_open(struct pen_journal *journal, const char *directory, bool write, pen_journal_visit *visit,
                            void *user, struct pen_error *err)
{
    *journal = (struct pen_journal){.fd = -1, .chain = "00000000"};
    struct pen_text text = {0};
    pen_status status = open_segment(journal, directory, write, err);
    if (status == PEN_OK && pen_path_exists(journal->path)) {
        status = pen_file_read(journal->path, JOURNAL_LIMIT_BYTES, &text, err);
    }
    if (status == PEN_OK) {
        status = visit_lines(journal, &text, visit, user, err);
    }
    size_t good = (size_t)journal->size_bytes;
    if (status == PEN_OK && good < text.size_bytes) {
        const char *bad = pen_text_view(&text) + good;
        if (verifies_later(bad, text.size_bytes - good)) {
            status =
                pen_error_set(err, __FILE__, __LINE__, write ? PEN_ERR_IO : PEN_OK,
                              "%s: byte %zu: expected a record that verifies, found damage with good records after "
                              "it; restore the file from a copy, or move the root away and run afresh",
                              journal->path, good);
        } else if (write) {
            status = quarantine(journal, directory, bad, text.size_bytes - good, err);
        }
    }
    pen_text_deinit(&text);
    if (status != PEN_OK) {
        pen_journal_close(journal);
    }
    return status;
}

pen_status pen_journal_append(struct pen_journal *journal, const pen_json *record, struct pen_error *err)
{
    if (journal->fd < 0 || journal->poisoned) {
        PEN_FAIL(err, PEN_ERR_IO, "%s: not open for writing%s", journal->path,
                 journal->poisoned ? ": an earlier write failed" : "");
    }
    struct pen_text line = {0};
    pen_text_append(&line, "00000000 ");
    pen_status status = pen_json_print(record, PEN_JSON_CANONICAL, &line, err);
    if (status == PEN_OK && line.size_bytes > PEN_JOURNAL_MAX_RECORD_BYTES) {
        status =
            pen_error_set(err, __FILE__, __LINE__, PEN_ERR_LIMIT,
                          "%s: expected a record of at most 1 MiB, found %zu bytes", journal->path, line.size_bytes);
    }
    if (status == PEN_OK) {
        char checksum[9];
        line_checksum(journal->chain, line.data + PREFIX_BYTES, line.size_bytes - PREFIX_BYTES, checksum);
        memcpy(line.data, checksum, 8);
        pen_text_append_char(&line, '\n');
        status = pen_text_check(&line, err);
    }
    if (status == PEN_OK) {
        status = pen_fd_write(journal->fd, line.data, line.size_bytes, journal->path, err);
        if (status != PEN_OK) {
            /* A half-written line must not stay in front of the next one. */
            journal->poisoned = ftruncate(journal->fd, journal->size_bytes) != 0;
        } else if (fdatasync(journal->fd) != 0) {
            journal->poisoned = true;
            status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_IO, "%s: cannot sync: %s", journal->path,
                                   strerror(errno));
        }
    }
    if (status == PEN_OK) {
        memcpy(journal->chain, line.data, 8);
        journal->n_records++;
        journal->size_bytes += (int64_t)line.size_bytes;
    }
    pen_text_deinit(&line);
    return status;
}

void pen_journal_close(struct pen_journal *journal)
{
    if (journal->fd >= 0) {
        (void)close(journal->fd);
        journal->fd = -1;
    }
}
