/* Compaction: the records of sealed segments come to a base, which opens faster and is what they said and no more.
 *
 * A base holds each run as one record and each execution as it was; what only said that something began is left out.
 * Steps, each of which may be the last before a crash: base/<K>.tmp written and synced; read back and compared by its
 * state hash; renamed; a record of it appended; the segments moved to journal/archive, older bases removed. Until the
 * rename the segments count, from then on the base does; a later opening moves what was left. Nothing is deleted that
 * the archive does not hold. */
#include "core/hash.h"
#include "core/log.h"
#include "core/memory.h"
#include "orchestrator/metadata/journal_internal.h"
#include "orchestrator/metadata/metadata_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A record's canonical JSON. */
typedef pen_status visit_record(void *user, const struct pen_text *json, struct pen_error *err);

static pen_status visit_run(struct pen_metadata *metadata, int64_t index, visit_record *each, void *user,
                            struct pen_text *text, struct pen_error *err)
{
    pen_json *run = pen_json_copy(pen_metadata_run(metadata, index));
    pen_status status = pen_metadata_check(metadata, err);
    pen_json_set_string(run, "kind", "run");
    pen_text_reset(text);
    status = status == PEN_OK ? pen_json_print(run, PEN_JSON_CANONICAL, text, err) : status;
    pen_json_free(run);
    return status == PEN_OK ? each(user, text, err) : status;
}

/* Runs and executions in the order of their seq, then the last number. */
static pen_status visit_state(struct pen_metadata *metadata, visit_record *each, void *user, struct pen_error *err)
{
    int64_t run = 0;
    struct pen_text text = {0};
    pen_status status = PEN_OK;
    for (int64_t i = 0; i <= metadata->n_executions; i++) {
        int64_t seq = i < metadata->n_executions ? metadata->executions[i].record.seq : INT64_MAX;
        for (; run < metadata->n_runs && metadata->runs[run].seq < seq; run++) {
            PEN_TRY_GOTO(cleanup, visit_run(metadata, run, each, user, &text, err));
        }
        if (i < metadata->n_executions) {
            pen_text_reset(&text);
            PEN_TRY_GOTO(cleanup, pen_journal_read(&metadata->journal, metadata->executions[i].place, &text, err));
            PEN_TRY_GOTO(cleanup, each(user, &text, err));
        }
    }
    pen_text_reset(&text);
    pen_text_printf(&text, "{\"execution\":%lld,\"kind\":\"numbers\"}", (long long)metadata->last_execution);
    PEN_TRY_GOTO(cleanup, pen_text_check(&text, err));
    status = each(user, &text, err);
cleanup:
    pen_text_deinit(&text);
    return status;
}

static pen_status hash_record(void *user, const struct pen_text *json, struct pen_error *err)
{
    (void)err;
    pen_sha256_update(user, json->data, json->size_bytes);
    pen_sha256_update(user, "\n", 1);
    return PEN_OK;
}

pen_status pen_metadata_state_hash(struct pen_metadata *metadata, char hex[65], struct pen_error *err)
{
    struct pen_sha256 hash;
    uint8_t digest[PEN_SHA256_BYTES];
    pen_sha256_init(&hash);
    PEN_TRY(visit_state(metadata, hash_record, &hash, err));
    pen_sha256_final(&hash, digest);
    pen_sha256_hex(digest, hex);
    return PEN_OK;
}

struct base_writer {
    FILE *file;
    const char *path;
    char chain[9];
    struct pen_text line;
};

static pen_status write_line(struct base_writer *writer, struct pen_error *err)
{
    if (fwrite(writer->line.data, 1, writer->line.size_bytes, writer->file) != writer->line.size_bytes) {
        PEN_FAIL(err, pen_status_from_errno(errno), "%s: cannot write: %s", writer->path, strerror(errno));
    }
    pen_text_reset(&writer->line);
    return PEN_OK;
}

static pen_status write_record(void *user, const struct pen_text *json, struct pen_error *err)
{
    struct base_writer *writer = user;
    PEN_TRY(pen_journal_line(writer->chain, json->data, json->size_bytes, &writer->line, err));
    return write_line(writer, err);
}

static pen_status write_header(struct base_writer *writer, const struct pen_metadata *state, int64_t segment,
                               struct pen_error *err)
{
    pen_json *header = pen_json_object();
    pen_json_set_string(header, "format", "penstock base");
    pen_json_set_int(header, "version", 1);
    pen_json_set_int(header, "segment", segment);
    pen_json_set_int(header, "seq", state->journal.n_records);
    pen_json_set_string(header, "chain", state->journal.chain);
    pen_json_set_int(header, "records", state->n_runs + state->n_executions + 1);
    pen_status status = pen_journal_record_line(writer->chain, header, &writer->line, err);
    pen_json_free(header);
    return status == PEN_OK ? write_line(writer, err) : status;
}

/* state: the metadata as of the end of the segment. */
static pen_status write_base(struct pen_metadata *state, const char *path, int64_t segment, struct pen_error *err)
{
    struct base_writer writer = {.file = fopen(path, "we"), .path = path, .chain = "00000000"};
    if (writer.file == NULL) {
        int number = errno;
        PEN_FAIL(err, pen_status_from_errno(number), "%s: cannot create: %s", path, strerror(number));
    }
    pen_status status = write_header(&writer, state, segment, err);
    status = status == PEN_OK ? visit_state(state, write_record, &writer, err) : status;
    if (status == PEN_OK && (fflush(writer.file) != 0 || fsync(fileno(writer.file)) != 0)) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_IO, "%s: cannot sync: %s", path, strerror(errno));
    }
    (void)fclose(writer.file);
    pen_text_deinit(&writer.line);
    return status;
}

/* Reads the base alone and compares what it comes to. */
static pen_status verify_base(const char *path, int64_t segment, const char *expected, struct pen_error *err)
{
    struct pen_metadata again;
    char found[PEN_SHA256_HEX_BYTES] = "";
    pen_metadata_init(&again, "");
    pen_status status = pen_journal_open_base(&again.journal, path, segment, pen_metadata_visit, &again, err);
    if (status == PEN_OK) {
        status = pen_metadata_state_hash(&again, found, err);
    }
    pen_metadata_close(&again);
    if (status == PEN_OK && strcmp(found, expected) != 0) {
        PEN_FAIL(err, PEN_ERR_INTERNAL, "%s: expected a base with state %s, found %s; the segments stay in use", path,
                 expected, found);
    }
    return status;
}

static pen_status make_base(struct pen_metadata *metadata, int64_t segment, char hash[PEN_SHA256_HEX_BYTES],
                            struct pen_error *err)
{
    struct pen_metadata state;
    const char *directory = metadata->journal.directory;
    char folder[PEN_PATH_BYTES];
    char path[PEN_PATH_BYTES];
    char temporary[PEN_PATH_BYTES];
    pen_metadata_init(&state, "");
    pen_status status = pen_path_join(folder, directory, "base", err);
    PEN_TRY_GOTO(cleanup, status);
    PEN_TRY_GOTO(cleanup, pen_path_join(temporary, folder, "new.tmp", err));
    PEN_TRY_GOTO(cleanup, pen_journal_file(path, directory, "base", segment, err));
    PEN_TRY_GOTO(cleanup, pen_directory_create(folder, err));
    PEN_TRY_GOTO(cleanup, pen_journal_open_until(&state.journal, directory, segment, pen_metadata_visit, &state, err));
    PEN_TRY_GOTO(cleanup, pen_metadata_state_hash(&state, hash, err));
    PEN_TRY_GOTO(cleanup, write_base(&state, temporary, segment, err));
    PEN_TRY_GOTO(cleanup, verify_base(temporary, segment, hash, err));
    if (rename(temporary, path) != 0) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_IO, "%s: cannot rename: %s", temporary, strerror(errno));
    }
    status = pen_directory_sync(folder, err);
cleanup:
    pen_metadata_close(&state);
    return status;
}

/* Segments the base stands for go to the archive, older bases go. */
static pen_status put_away(const char *directory, int64_t base, struct pen_error *err)
{
    struct pen_arena arena = {0};
    int64_t *numbers = NULL;
    int64_t n = 0;
    char archive[PEN_PATH_BYTES];
    char from[PEN_PATH_BYTES];
    char to[PEN_PATH_BYTES];
    pen_status status = pen_path_join(archive, directory, "journal/archive", err);
    PEN_TRY_GOTO(cleanup, status);
    PEN_TRY_GOTO(cleanup, pen_directory_create(archive, err));
    PEN_TRY_GOTO(cleanup, pen_journal_numbers(&arena, directory, "journal", &numbers, &n, err));
    for (int64_t i = 0; i < n && numbers[i] <= base; i++) {
        PEN_TRY_GOTO(cleanup, pen_journal_file(from, directory, "journal", numbers[i], err));
        PEN_TRY_GOTO(cleanup, pen_journal_file(to, directory, "journal/archive", numbers[i], err));
        if (rename(from, to) != 0) {
            PEN_FAIL_GOTO(cleanup, err, PEN_ERR_IO, "%s: cannot move to the archive: %s", from, strerror(errno));
        }
    }
    PEN_TRY_GOTO(cleanup, pen_directory_sync(archive, err));
    PEN_TRY_GOTO(cleanup, pen_journal_numbers(&arena, directory, "base", &numbers, &n, err));
    for (int64_t i = 0; i < n && numbers[i] < base; i++) {
        PEN_TRY_GOTO(cleanup, pen_journal_file(from, directory, "base", numbers[i], err));
        if (unlink(from) != 0) {
            PEN_FAIL_GOTO(cleanup, err, PEN_ERR_IO, "%s: cannot remove: %s", from, strerror(errno));
        }
    }
cleanup:
    pen_arena_deinit(&arena);
    return status;
}

/* Does the journal folder still hold a segment that the base stands for, or the base folder an older base? */
static bool has_leftovers(const char *directory, int64_t base)
{
    struct pen_arena arena = {0};
    int64_t *numbers = NULL;
    int64_t n = 0;
    bool found = base > 0 && pen_journal_numbers(&arena, directory, "journal", &numbers, &n, NULL) == PEN_OK && n > 0 &&
                 numbers[0] <= base;
    found =
        found || (base > 0 && pen_journal_numbers(&arena, directory, "base", &numbers, &n, NULL) == PEN_OK && n > 1);
    pen_arena_deinit(&arena);
    return found;
}

pen_status pen_metadata_compact(struct pen_metadata *metadata, struct pen_error *err)
{
    const char *directory = metadata->journal.directory;
    int64_t sealed = metadata->journal.segment - 1;
    if (sealed <= metadata->journal.base) {
        return has_leftovers(directory, metadata->journal.base) ? put_away(directory, metadata->journal.base, err)
                                                                : PEN_OK;
    }
    char hash[PEN_SHA256_HEX_BYTES];
    PEN_TRY(make_base(metadata, sealed, hash, err));
    pen_json *record = pen_json_object();
    pen_json_set_int(record, "segment", sealed);
    pen_json_set_string(record, "state", hash);
    PEN_TRY(pen_metadata_record(metadata, "base", record, err));
    return put_away(directory, sealed, err);
}
