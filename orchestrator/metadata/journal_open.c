/* Opening the journal: which files, verified to the end, a torn tail set aside, damage told. */
#include "orchestrator/metadata/journal_internal.h"

#include "core/log.h"
#include "core/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The newest base and every segment after it, up to `until` (0: all). */
static pen_status open_files(struct pen_journal *journal, int64_t until, struct pen_error *err)
{
    struct pen_arena arena = {0};
    int64_t *bases = NULL;
    int64_t *segments = NULL;
    int64_t n_bases = 0;
    int64_t n_segments = 0;
    char path[PEN_PATH_BYTES];
    pen_status status = PEN_OK;
    pen_journal_close_files(journal);
    PEN_TRY_GOTO(cleanup, pen_journal_numbers(&arena, journal->directory, "base", &bases, &n_bases, err));
    PEN_TRY_GOTO(cleanup, pen_journal_numbers(&arena, journal->directory, "journal", &segments, &n_segments, err));
    journal->base = n_bases == 0 ? 0 : bases[n_bases - 1];
    journal->segment = journal->base;
    if (journal->base > 0) {
        PEN_TRY_GOTO(cleanup, pen_journal_file(path, journal->directory, "base", journal->base, err));
        PEN_TRY_GOTO(cleanup, pen_journal_open_file(journal, path, O_RDONLY, err));
    }
    for (int64_t i = 0; i < n_segments && (until == 0 || segments[i] <= until); i++) {
        if (segments[i] <= journal->base) {
            continue;
        }
        PEN_TRY_GOTO(cleanup, pen_journal_file(path, journal->directory, "journal", journal->segment + 1, err));
        if (segments[i] != journal->segment + 1) {
            PEN_FAIL_GOTO(cleanup, err, PEN_ERR_IO,
                          "%s: expected the segment before %010lld.jl, found none; restore the file from a copy", path,
                          (long long)segments[i]);
        }
        bool last = i + 1 == n_segments;
        PEN_TRY_GOTO(cleanup, pen_journal_open_file(journal, path,
                                                    last && journal->writing ? O_RDWR | O_APPEND : O_RDONLY, err));
        journal->segment++;
    }
    if (journal->base > 0 && journal->segment == journal->base) {
        PEN_TRY_GOTO(cleanup, pen_journal_file(path, journal->directory, "journal", journal->base + 1, err));
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_IO,
                      "%s: expected the segment after the base, found none; restore the file from a copy", path);
    }
cleanup:
    pen_arena_deinit(&arena);
    return status;
}

/* While a reader lists files a writer may move them: then it looks again. */
static pen_status open_files_patiently(struct pen_journal *journal, int64_t until, struct pen_error *err)
{
    enum { TRIES = 20 };
    pen_status status = open_files(journal, until, err);
    for (int i = 1; i < TRIES && status != PEN_OK && !journal->writing; i++) {
        status = open_files(journal, until, err);
    }
    return status;
}

static pen_status quarantine(struct pen_journal *journal, const struct pen_text *tail, struct pen_error *err)
{
    char folder[PEN_PATH_BYTES];
    char file[PEN_PATH_BYTES];
    char name[64];
    int fd = journal->fds[journal->n_files - 1];
    PEN_TRY(pen_path_join(folder, journal->directory, "quarantine", err));
    PEN_TRY(pen_directory_create(folder, err));
    (void)snprintf(name, sizeof name, "segment-%lld-tail-at-%lld", (long long)journal->segment,
                   (long long)journal->size_bytes);
    PEN_TRY(pen_path_join(file, folder, name, err));
    PEN_TRY(pen_file_write_atomic(file, tail->data, tail->size_bytes, err));
    if (ftruncate(fd, journal->size_bytes) != 0 || fdatasync(fd) != 0) {
        PEN_FAIL(err, PEN_ERR_IO, "%s: cannot cut the torn tail: %s", journal->path, strerror(errno));
    }
    journal->torn_bytes = (int64_t)tail->size_bytes;
    pen_log(PEN_LOG_WARNING, "%s: a write was torn at byte %lld; %zu bytes moved to %s", journal->path,
            (long long)journal->size_bytes, tail->size_bytes, file);
    return PEN_OK;
}

/* A file ended at byte `at`, or what follows does not verify. */
static pen_status judge_end(struct pen_journal *journal, int64_t file, const char *path, int64_t at,
                            struct pen_error *err)
{
    struct pen_text tail = {0};
    bool is_damage = false;
    pen_status status = pen_journal_tail(journal->fds[file], at, path, &tail, &is_damage, err);
    is_damage = is_damage || (tail.size_bytes > 0 && file + 1 < journal->n_files);
    if (status == PEN_OK && is_damage) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_IO,
                               "%s: byte %lld: chain break at record %lld: expected a record that verifies, found "
                               "damage in the middle of the journal; restore the file from a copy, or move the root "
                               "away and run afresh",
                               path, (long long)at, (long long)journal->n_records + 1);
    } else if (status == PEN_OK && tail.size_bytes > 0 && journal->writing) {
        status = quarantine(journal, &tail, err);
    }
    pen_text_deinit(&tail);
    return status;
}

static pen_status read_base(struct pen_journal *journal, const char *path, pen_journal_visit *visit, void *user,
                            struct pen_error *err)
{
    int64_t at = 0;
    int64_t n_expected = -1;
    struct stat facts;
    PEN_TRY(pen_journal_replay(journal, 0, path, journal->base, &at, &n_expected, visit, user, err));
    if (fstat(journal->fds[0], &facts) != 0 || facts.st_size != at || journal->n_records != n_expected) {
        PEN_FAIL(err, PEN_ERR_IO,
                 "%s: byte %lld: expected %lld records that verify, found %lld; move the files of journal/archive back "
                 "into journal/ and this one away: the next run makes it anew",
                 path, (long long)at, (long long)n_expected, (long long)journal->n_records);
    }
    /* What the segments after it go on from stands in its header. */
    char line[512] = "";
    pen_json *header = NULL;
    PEN_TRY(pen_fd_pread(journal->fds[0], line, at < 511 ? (size_t)at : 511, 0, path, err));
    const char *json = line + PEN_LINE_PREFIX_BYTES;
    PEN_TRY(pen_json_parse(json, strcspn(json, "\n"), path, &header, err));
    (void)snprintf(journal->chain, sizeof journal->chain, "%s",
                   pen_json_string_or(pen_json_get(header, "chain"), "00000000"));
    journal->n_records = pen_json_int_or(pen_json_get(header, "seq"), 0);
    pen_json_free(header);
    return PEN_OK;
}

/* All open files in order, the first segment from byte *at when the start is not the beginning. */
static pen_status read_files(struct pen_journal *journal, int64_t first_file, int64_t at, pen_journal_visit *visit,
                             void *user, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    if (first_file == 0 && journal->base > 0) {
        PEN_TRY(pen_journal_file(path, journal->directory, "base", journal->base, err));
        PEN_TRY(read_base(journal, path, visit, user, err));
        first_file = 1;
    }
    int64_t first_segment = journal->segment - journal->n_files + 1;
    for (int64_t file = first_file; file < journal->n_files; file++, at = 0) {
        int64_t number = first_segment + file;
        PEN_TRY(pen_journal_file(path, journal->directory, "journal", number, err));
        PEN_TRY(pen_journal_replay(journal, (int32_t)file, path, number, &at, NULL, visit, user, err));
        journal->size_bytes = at;
        pen_status status = judge_end(journal, file, path, at, err);
        if (status != PEN_OK && !journal->writing) {
            pen_log(PEN_LOG_WARNING, "%s", err == NULL ? "the journal is damaged" : err->message);
            return PEN_OK; /* readers take what stands before it */
        }
        PEN_TRY(status);
    }
    return PEN_OK;
}

static pen_status begin(struct pen_journal *journal, const char *directory, bool write, struct pen_error *err)
{
    *journal =
        (struct pen_journal){.chain = "00000000", .writing = write, .segment_limit_bytes = PEN_JOURNAL_SEGMENT_BYTES};
    if (snprintf(journal->directory, PEN_PATH_BYTES, "%s", directory) >= PEN_PATH_BYTES) {
        PEN_FAIL(err, PEN_ERR_USAGE, "%.80s...: the path is too long", directory);
    }
    return PEN_OK;
}

static pen_status done(struct pen_journal *journal, pen_status status)
{
    if (status != PEN_OK) {
        pen_journal_close(journal);
    }
    return status;
}

pen_status pen_journal_open(struct pen_journal *journal, const char *directory, bool write, pen_journal_visit *visit,
                            void *user, struct pen_error *err)
{
    char folder[PEN_PATH_BYTES];
    pen_status status = begin(journal, directory, write, err);
    PEN_TRY_GOTO(end, status);
    PEN_TRY_GOTO(end, pen_path_join(folder, directory, "journal", err));
    if (write) {
        PEN_TRY_GOTO(end, pen_directory_create(folder, err));
    }
    PEN_TRY_GOTO(end, open_files_patiently(journal, 0, err));
    PEN_TRY_GOTO(end, pen_journal_file(journal->path, directory, "journal", journal->segment, err));
    PEN_TRY_GOTO(end, read_files(journal, 0, 0, visit, user, err));
    if (write && journal->size_bytes == 0) {
        status = pen_journal_begin_segment(journal, err);
    }
end:
    return done(journal, status);
}

pen_status pen_journal_open_until(struct pen_journal *journal, const char *directory, int64_t segment,
                                  pen_journal_visit *visit, void *user, struct pen_error *err)
{
    pen_status status = begin(journal, directory, false, err);
    PEN_TRY_GOTO(end, status);
    PEN_TRY_GOTO(end, open_files(journal, segment, err));
    PEN_TRY_GOTO(end, read_files(journal, 0, 0, visit, user, err));
end:
    return done(journal, status);
}

pen_status pen_journal_open_base(struct pen_journal *journal, const char *base_path, int64_t number,
                                 pen_journal_visit *visit, void *user, struct pen_error *err)
{
    pen_status status = begin(journal, "", false, err);
    PEN_TRY_GOTO(end, status);
    journal->base = number;
    PEN_TRY_GOTO(end, pen_journal_open_file(journal, base_path, O_RDONLY, err));
    PEN_TRY_GOTO(end, read_base(journal, base_path, visit, user, err));
end:
    return done(journal, status);
}

/* Byte of the n-th last line with the marker in the last segment, and the chain before it; false: not as many. */
static bool find_recent(struct pen_journal *journal, const char *marker, int64_t n, int64_t *at)
{
    struct stat facts;
    int fd = journal->n_files == 0 ? -1 : journal->fds[journal->n_files - 1];
    bool found = false;
    for (int64_t window = 1 << 16; fd >= 0 && fstat(fd, &facts) == 0 && !found; window *= 4) {
        int64_t begin = facts.st_size > window ? facts.st_size - window : 0;
        char *bytes = pen_malloc(facts.st_size - begin + 1, 1);
        if (bytes == NULL ||
            pen_fd_pread(fd, bytes, (size_t)(facts.st_size - begin), begin, journal->path, NULL) != PEN_OK) {
            pen_free(bytes);
            return false;
        }
        size_t size = (size_t)(facts.st_size - begin);
        int64_t left = n;
        while (!found) {
            const char *newline = memrchr(bytes, '\n', size); /* ends the line before this one */
            const char *line = newline == NULL ? NULL : newline + 1;
            const char *before = newline == NULL ? NULL : memrchr(bytes, '\n', (size_t)(newline - bytes));
            if (before == NULL && !(begin == 0 && newline != NULL)) {
                break;
            }
            size_t line_size = size - (size_t)(line - bytes);
            if (memmem(line, line_size, marker, strlen(marker)) != NULL && --left == 0) {
                memcpy(journal->chain, before == NULL ? bytes : before + 1, 8);
                *at = begin + (line - bytes);
                found = true;
            }
            size = (size_t)(newline - bytes);
        }
        pen_free(bytes);
        if (begin == 0) {
            break;
        }
    }
    return found;
}

pen_status pen_journal_open_recent(struct pen_journal *journal, const char *directory, const char *marker, int64_t n,
                                   pen_journal_visit *visit, void *user, struct pen_error *err)
{
    int64_t at = 0;
    pen_status status = begin(journal, directory, false, err);
    PEN_TRY_GOTO(end, status);
    PEN_TRY_GOTO(end, open_files_patiently(journal, 0, err));
    bool found = find_recent(journal, marker, n, &at);
    PEN_TRY_GOTO(end, read_files(journal, found ? journal->n_files - 1 : 0, at, visit, user, err));
end:
    return done(journal, status);
}
