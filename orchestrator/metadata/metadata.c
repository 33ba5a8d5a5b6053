/* Opening a root, replaying its journal, and the questions asked of it. */
#include "orchestrator/metadata/metadata.h"

#include "core/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static void apply(struct pen_metadata *metadata, const pen_json *record)
{
    const char *kind = text_of(record, "kind");
    metadata->last_seq = pen_json_int_or(pen_json_get(record, "seq"), metadata->last_seq);
    if (strcmp(kind, "run_start") == 0) {
        pen_json *run = pen_json_copy(record);
        pen_json_set_string(run, "status", "running");
        pen_json_push(metadata->runs, run);
    } else if (strcmp(kind, "exec_start") == 0) {
        metadata->last_execution = pen_json_int_or(pen_json_get(record, "execution"), metadata->last_execution);
    } else if (strcmp(kind, "execution") == 0) {
        int64_t number = pen_json_int_or(pen_json_get(record, "execution"), 0);
        metadata->last_execution = number > metadata->last_execution ? number : metadata->last_execution;
        pen_json_push(metadata->executions, pen_json_copy(record));
    } else if (strcmp(kind, "run_end") == 0) {
        pen_json *run = (pen_json *)(uintptr_t)pen_metadata_find_run(metadata, text_of(record, "run"));
        const char *key = NULL;
        const pen_json *value = NULL;
        for (int64_t i = 0; run != NULL && pen_json_member(record, i, &key, &value); i++) {
            if (strcmp(key, "kind") != 0 && strcmp(key, "seq") != 0 && strcmp(key, "time") != 0) {
                pen_json_set(run, key, pen_json_copy(value));
            }
        }
    }
}

static pen_status visit(void *user, const pen_json *record, struct pen_error *err)
{
    struct pen_metadata *metadata = user;
    int64_t seq = pen_json_int_or(pen_json_get(record, "seq"), -1);
    if (seq != metadata->last_seq + 1) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected record %lld, found %lld", metadata->journal.path,
                 (long long)metadata->last_seq + 1, (long long)seq);
    }
    apply(metadata, record);
    return PEN_OK;
}

static pen_status initialise(const char *folder, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(path, folder, "ROOT.json", err));
    if (pen_path_exists(path)) {
        pen_json *root = NULL;
        PEN_TRY(pen_json_read_file(path, &root, err));
        int64_t version = pen_json_int_or(pen_json_get(root, "version"), -1);
        pen_json_free(root);
        if (version != 1) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: expected format version 1, found %lld: made by another penstock", path,
                     (long long)version);
        }
        return PEN_OK;
    }
    uint64_t id[2];
    if (getrandom(id, sizeof id, 0) != (ssize_t)sizeof id) {
        PEN_FAIL(err, PEN_ERR_CREATE, "%s: cannot draw a root id: %s", path, strerror(errno));
    }
    char hex[33];
    char now[PEN_TIME_BYTES];
    (void)snprintf(hex, sizeof hex, "%016llx%016llx", (unsigned long long)id[0], (unsigned long long)id[1]);
    pen_json *root = pen_json_object();
    pen_json_set_string(root, "format", "penstock root");
    pen_json_set_int(root, "version", 1);
    pen_json_set_string(root, "root_id", hex);
    pen_json_set_string(root, "created", pen_clock_utc(now));
    pen_status status = pen_json_write_file(root, path, err);
    pen_json_free(root);
    return status;
}

/* Runs without an end were killed: nobody holds the lock that we hold now. */
static pen_status abandon_unfinished(struct pen_metadata *metadata, struct pen_error *err)
{
    for (int64_t i = 0; i < pen_json_size(metadata->runs); i++) {
        const pen_json *run = pen_json_at(metadata->runs, i);
        if (strcmp(text_of(run, "status"), "running") == 0) {
            pen_log(PEN_LOG_WARNING,
                    "run %s was killed before its end: recorded as abandoned, going on from what it published",
                    text_of(run, "run"));
            pen_json *end = pen_json_object();
            pen_json_set_string(end, "run", text_of(run, "run"));
            pen_json_set_string(end, "status", "abandoned");
            PEN_TRY(pen_metadata_record(metadata, "run_end", end, err));
        }
    }
    return PEN_OK;
}

/* A killed run's child shares its lock until the kernel has ended it too, some milliseconds later: ask again for a
 * quarter of a second before the root counts as busy. */
static pen_status take_lock(struct pen_lock *lock, const char *path, struct pen_error *err)
{
    enum { TRIES = 25, PAUSE_NS = 10000000 };
    pen_status status = pen_lock_take(lock, path, err);
    for (int i = 1; i < TRIES && status == PEN_ERR_BUSY; i++) {
        const struct timespec pause = {.tv_nsec = PAUSE_NS};
        (void)nanosleep(&pause, NULL);
        status = pen_lock_take(lock, path, err);
    }
    return status;
}

pen_status pen_metadata_open(struct pen_metadata *metadata, const char *root, bool write, struct pen_error *err)
{
    char folder[PEN_PATH_BYTES];
    char path[PEN_PATH_BYTES];
    *metadata = (struct pen_metadata){.lock = PEN_LOCK_INIT, .journal = {.fd = -1}};
    PEN_TRY(pen_path_join(folder, root, "metadata", err));
    PEN_TRY(pen_path_join(path, folder, "lock", err));
    (void)snprintf(metadata->root, sizeof metadata->root, "%s", root);
    if (!write && !pen_path_is_directory(folder)) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND,
                 "%s: expected a pipeline root, found no metadata in it; run a pipeline first, "
                 "or name its root with --root",
                 root);
    }
    metadata->runs = pen_json_array();
    metadata->executions = pen_json_array();
    pen_status status = metadata->runs == NULL || metadata->executions == NULL
                            ? pen_error_set(err, __FILE__, __LINE__, PEN_ERR_MEMORY, "out of memory: opening %s", root)
                            : PEN_OK;
    if (write) {
        PEN_TRY_GOTO(failed, status);
        PEN_TRY_GOTO(failed, pen_directory_create(folder, err));
        PEN_TRY_GOTO(failed, take_lock(&metadata->lock, path, err));
        PEN_TRY_GOTO(failed, initialise(folder, err));
    }
    PEN_TRY_GOTO(failed, status);
    PEN_TRY_GOTO(failed, pen_journal_open(&metadata->journal, folder, write, visit, metadata, err));
    if (write) {
        PEN_TRY_GOTO(failed, abandon_unfinished(metadata, err));
    }
    return PEN_OK;
failed:
    pen_metadata_close(metadata);
    return status;
}

void pen_metadata_close(struct pen_metadata *metadata)
{
    pen_journal_close(&metadata->journal);
    pen_lock_release(&metadata->lock);
    pen_json_free(metadata->runs);
    pen_json_free(metadata->executions);
    metadata->runs = NULL;
    metadata->executions = NULL;
}

pen_status pen_metadata_record(struct pen_metadata *metadata, const char *kind, pen_json *record, struct pen_error *err)
{
    char now[PEN_TIME_BYTES];
    pen_json_set_string(record, "kind", kind);
    pen_json_set_string(record, "time", pen_clock_utc(now));
    pen_json_set_int(record, "seq", metadata->last_seq + 1);
    pen_status status = pen_journal_append(&metadata->journal, record, err);
    if (status == PEN_OK) {
        apply(metadata, record);
    }
    pen_json_free(record);
    return status;
}

const pen_json *pen_metadata_find_run(const struct pen_metadata *metadata, const char *run)
{
    for (int64_t i = pen_json_size(metadata->runs) - 1; i >= 0; i--) {
        const pen_json *record = pen_json_at(metadata->runs, i);
        if (run == NULL || strcmp(text_of(record, "run"), run) == 0) {
            return record;
        }
    }
    return NULL;
}

const pen_json *pen_metadata_find_execution(const struct pen_metadata *metadata, int64_t execution)
{
    for (int64_t i = pen_json_size(metadata->executions) - 1; i >= 0; i--) {
        const pen_json *record = pen_json_at(metadata->executions, i);
        if (pen_json_int_or(pen_json_get(record, "execution"), -1) == execution &&
            strcmp(text_of(record, "status"), "cached") != 0) {
            return record;
        }
    }
    return NULL;
}

static bool has_outputs(const pen_json *execution)
{
    const char *status = text_of(execution, "status");
    return strcmp(status, "succeeded") == 0 || strcmp(status, "cached") == 0;
}

const pen_json *pen_metadata_find_success(const struct pen_metadata *metadata, const char *node, const char *key)
{
    for (int64_t i = pen_json_size(metadata->executions) - 1; i >= 0; i--) {
        const pen_json *record = pen_json_at(metadata->executions, i);
        if (has_outputs(record) && strcmp(text_of(record, "node"), node) == 0 &&
            (key == NULL || strcmp(text_of(record, "key"), key) == 0)) {
            return record;
        }
    }
    return NULL;
}

const pen_json *pen_metadata_find_in_run(const struct pen_metadata *metadata, const char *run, const char *node)
{
    for (int64_t i = pen_json_size(metadata->executions) - 1; i >= 0; i--) {
        const pen_json *record = pen_json_at(metadata->executions, i);
        if (strcmp(text_of(record, "run"), run) == 0 && strcmp(text_of(record, "node"), node) == 0) {
            return record;
        }
    }
    return NULL;
}

const pen_json *pen_metadata_find_artifact(const struct pen_metadata *metadata, const char *id_or_kind,
                                           const pen_json **producer)
{
    for (int64_t i = pen_json_size(metadata->executions) - 1; i >= 0; i--) {
        const pen_json *record = pen_json_at(metadata->executions, i);
        const pen_json *outputs = pen_json_get(record, "outputs");
        const char *port = NULL;
        const pen_json *output = NULL;
        for (int64_t o = 0; has_outputs(record) && pen_json_member(outputs, o, &port, &output); o++) {
            if (strcmp(text_of(output, "id"), id_or_kind) == 0 || strcmp(text_of(output, "type"), id_or_kind) == 0 ||
                strcmp(port, id_or_kind) == 0) {
                int64_t maker = pen_json_int_or(pen_json_get(output, "execution"), -1);
                const pen_json *found = pen_metadata_find_execution(metadata, maker);
                *producer = found == NULL ? record : found;
                return output;
            }
        }
    }
    return NULL;
}
