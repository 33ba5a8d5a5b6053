/* Appending to the journal and rolling to the next segment. Opening: journal_open.c; reading a file: replay.c. */
#include "orchestrator/metadata/journal_internal.h"

#include "core/log.h"
#include "core/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

pen_status pen_journal_file(char path[PEN_PATH_BYTES], const char *directory, const char *room, int64_t number,
                            struct pen_error *err)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s/%010lld.jl", room, (long long)number);
    return pen_path_join(path, directory, name, err);
}

pen_status pen_journal_numbers(struct pen_arena *arena, const char *directory, const char *room, int64_t **numbers,
                               int64_t *n_numbers, struct pen_error *err)
{
    char folder[PEN_PATH_BYTES];
    char **names = NULL;
    int64_t n = 0;
    *n_numbers = 0;
    PEN_TRY(pen_path_join(folder, directory, room, err));
    if (pen_path_is_directory(folder)) {
        PEN_TRY(pen_directory_list(arena, folder, &names, &n, err));
    }
    *numbers = pen_arena_alloc(arena, n, sizeof **numbers);
    if (*numbers == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: opening %s", folder);
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t number = 0;
        if (strlen(names[i]) == 13 && strcmp(names[i] + 10, ".jl") == 0 && pen_parse_int64(names[i], 10, &number)) {
            (*numbers)[(*n_numbers)++] = number;
        }
    }
    return PEN_OK;
}

pen_status pen_journal_open_file(struct pen_journal *journal, const char *path, int flags, struct pen_error *err)
{
    PEN_TRY(pen_grow((void **)&journal->fds, &journal->fds_capacity, journal->n_files + 1, sizeof *journal->fds, err));
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0) {
        int number = errno;
        PEN_FAIL(err, pen_status_from_errno(number), "%s: cannot open: %s", path, strerror(number));
    }
    journal->fds[journal->n_files++] = fd;
    return PEN_OK;
}

pen_status pen_journal_begin_segment(struct pen_journal *journal, struct pen_error *err)
{
    char folder[PEN_PATH_BYTES];
    char path[PEN_PATH_BYTES];
    char chain[9];
    bool torn = journal->n_files > 0 && journal->size_bytes == 0; /* its header never came to be */
    int64_t number = torn ? journal->segment : journal->segment + 1;
    struct pen_text line = {0};
    PEN_TRY(pen_path_join(folder, journal->directory, "journal", err));
    PEN_TRY(pen_journal_file(path, journal->directory, "journal", number, err));
    memcpy(chain, journal->chain, sizeof chain);
    pen_json *header = pen_json_object();
    pen_json_set_string(header, "format", "penstock journal");
    pen_json_set_int(header, "version", 1);
    pen_json_set_int(header, "segment", number);
    pen_json_set_int(header, "first_seq", journal->n_records + 1);
    pen_json_set_string(header, "chain", journal->chain);
    pen_status status = pen_journal_record_line(chain, header, &line, err);
    pen_json_free(header);
    PEN_TRY_GOTO(cleanup, status);
    if (!torn) {
        PEN_TRY_GOTO(cleanup, pen_journal_open_file(journal, path, O_RDWR | O_APPEND | O_CREAT | O_EXCL, err));
    }
    journal->poisoned = true; /* until it is whole */
    int fd = journal->fds[journal->n_files - 1];
    PEN_TRY_GOTO(cleanup, pen_fd_write(fd, line.data, line.size_bytes, path, err));
    if (fdatasync(fd) != 0) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_IO, "%s: cannot sync: %s", path, strerror(errno));
    }
    PEN_TRY_GOTO(cleanup, pen_directory_sync(folder, err));
    journal->poisoned = false;
    memcpy(journal->chain, chain, sizeof chain);
    memcpy(journal->path, path, sizeof path);
    journal->segment = number;
    journal->size_bytes = (int64_t)line.size_bytes;
cleanup:
    pen_text_deinit(&line);
    return status;
}

pen_status pen_journal_append(struct pen_journal *journal, const char *json, size_t size_bytes,
                              struct pen_journal_place *place, struct pen_error *err)
{
    if (!journal->writing || journal->poisoned || journal->n_files == 0) {
        PEN_FAIL(err, PEN_ERR_IO, "%s: not open for writing%s", journal->path,
                 journal->poisoned ? ": an earlier write failed" : "");
    }
    char chain[9];
    struct pen_text line = {0};
    memcpy(chain, journal->chain, sizeof chain);
    pen_status status = pen_journal_line(chain, json, size_bytes, &line, err);
    if (status == PEN_OK && journal->size_bytes + (int64_t)line.size_bytes > journal->segment_limit_bytes) {
        status = pen_journal_begin_segment(journal, err);
        pen_text_reset(&line);
        memcpy(chain, journal->chain, sizeof chain);
        status = status == PEN_OK ? pen_journal_line(chain, json, size_bytes, &line, err) : status;
    }
    int fd = journal->fds[journal->n_files - 1];
    if (status == PEN_OK) {
        status = pen_fd_write(fd, line.data, line.size_bytes, journal->path, err);
        if (status != PEN_OK) {
            /* A half-written line must not stay in front of the next one. */
            journal->poisoned = ftruncate(fd, journal->size_bytes) != 0;
        } else if (fdatasync(fd) != 0) {
            journal->poisoned = true;
            status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_IO, "%s: cannot sync: %s", journal->path,
                                   strerror(errno));
        }
    }
    if (status == PEN_OK) {
        if (place != NULL) {
            *place =
                (struct pen_journal_place){journal->size_bytes + PEN_LINE_PREFIX_BYTES, (int32_t)(journal->n_files - 1),
                                           (int32_t)line.size_bytes - PEN_LINE_PREFIX_BYTES - 1};
        }
        memcpy(journal->chain, chain, sizeof chain);
        journal->n_records++;
        journal->size_bytes += (int64_t)line.size_bytes;
    }
    pen_text_deinit(&line);
    return status;
}

pen_status pen_journal_read(const struct pen_journal *journal, struct pen_journal_place place, struct pen_text *json,
                            struct pen_error *err)
{
    char *bytes = pen_malloc(place.size_bytes, 1);
    if (bytes == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading a record of %d bytes", (int)place.size_bytes);
    }
    pen_status status =
        pen_fd_pread(journal->fds[place.file], bytes, (size_t)place.size_bytes, place.offset, journal->directory, err);
    if (status == PEN_OK) {
        pen_text_append_bytes(json, bytes, (size_t)place.size_bytes);
        status = pen_text_check(json, err);
    }
    pen_free(bytes);
    return status;
}

void pen_journal_close_files(struct pen_journal *journal)
{
    for (int64_t i = 0; i < journal->n_files; i++) {
        (void)close(journal->fds[i]);
    }
    journal->n_files = 0;
}

void pen_journal_close(struct pen_journal *journal)
{
    pen_journal_close_files(journal);
    pen_free(journal->fds);
    journal->fds = NULL;
    journal->fds_capacity = 0;
    journal->writing = false;
}
