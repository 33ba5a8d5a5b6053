/* Opening a root, replaying its journal into the index, recording. */
#include "orchestrator/metadata/metadata.h"

#include "core/log.h"
#include "core/memory.h"
#include "orchestrator/metadata/metadata_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* The newest run of that name; nearly always the last one. */
static struct pen_run_entry *run_named(const struct pen_metadata *metadata, uint64_t name)
{
    for (int64_t i = metadata->n_runs - 1; i >= 0; i--) {
        if (metadata->runs[i].name == name) {
            return &metadata->runs[i];
        }
    }
    return NULL;
}

static pen_status add_run(struct pen_metadata *metadata, const struct pen_record *record,
                          struct pen_journal_place place, struct pen_error *err)
{
    PEN_TRY(pen_grow((void **)&metadata->runs, &metadata->runs_capacity, metadata->n_runs + 1, sizeof *metadata->runs,
                     err));
    bool is_whole = record->kind == PEN_RECORD_RUN;
    metadata->runs[metadata->n_runs++] = (struct pen_run_entry){
        .start = place,
        .name = record->run,
        .seq = record->seq,
        .status = is_whole ? record->status : PEN_RECORD_RUNNING,
        .title = record->title,
        .first_note = -1,
        .last_note = -1,
    };
    return PEN_OK;
}

static pen_status add_note(struct pen_metadata *metadata, const struct pen_record *record,
                           struct pen_journal_place place, struct pen_error *err)
{
    struct pen_run_entry *run = run_named(metadata, record->run);
    if (run == NULL) {
        return PEN_OK; /* of a run before those that are read */
    }
    PEN_TRY(pen_grow((void **)&metadata->notes, &metadata->notes_capacity, metadata->n_notes + 1,
                     sizeof *metadata->notes, err));
    const int64_t index = metadata->n_notes++;
    metadata->notes[index] = (struct pen_note_entry){place, -1};
    if (run->last_note < 0) {
        run->first_note = index;
    } else {
        metadata->notes[run->last_note].next = index;
    }
    run->last_note = index;
    run->title = record->title != 0 ? record->title : run->title;
    pen_json_free(run->json);
    run->json = NULL;
    return PEN_OK;
}

static pen_status add_execution(struct pen_metadata *metadata, const struct pen_record *record,
                                struct pen_journal_place place, struct pen_error *err)
{
    PEN_TRY(pen_grow((void **)&metadata->executions, &metadata->executions_capacity, metadata->n_executions + 1,
                     sizeof *metadata->executions, err));
    metadata->executions[metadata->n_executions++] = (struct pen_execution_entry){.place = place, .record = *record};
    if (record->status != PEN_RECORD_CACHED && record->status != PEN_RECORD_SKIPPED) {
        PEN_TRY(pen_grow((void **)&metadata->first_hand, &metadata->first_hand_capacity, metadata->n_first_hand + 1,
                         sizeof *metadata->first_hand, err));
        metadata->first_hand[metadata->n_first_hand++] = metadata->n_executions - 1;
    }
    return PEN_OK;
}

pen_status pen_metadata_visit(void *user, const char *json, size_t size_bytes, struct pen_journal_place place,
                              struct pen_error *err)
{
    struct pen_metadata *metadata = user;
    struct pen_record record;
    PEN_TRY(pen_record_look(&record, json, size_bytes, err));
    if (record.execution > metadata->last_execution) {
        metadata->last_execution = record.execution;
    }
    switch (record.kind) {
    case PEN_RECORD_RUN:
    case PEN_RECORD_RUN_START:
        return add_run(metadata, &record, place, err);
    case PEN_RECORD_RUN_END: {
        struct pen_run_entry *run = run_named(metadata, record.run);
        if (run != NULL) {
            run->end = place;
            run->has_end = true;
            run->status = record.status;
            pen_json_free(run->json);
            run->json = NULL;
        }
        return PEN_OK;
    }
    case PEN_RECORD_RUN_JOIN: {
        struct pen_run_entry *run = run_named(metadata, record.run);
        if (run != NULL) {
            run->has_end = false;
            run->status = PEN_RECORD_RUNNING;
            pen_json_free(run->json);
            run->json = NULL;
        }
        return PEN_OK;
    }
    case PEN_RECORD_RUN_NOTE:
        return add_note(metadata, &record, place, err);
    case PEN_RECORD_EXECUTION:
        if (record.execution == metadata->started_execution) {
            metadata->started_execution = 0;
        }
        return add_execution(metadata, &record, place, err);
    case PEN_RECORD_EXEC_START:
        metadata->started = place;
        metadata->started_execution = record.execution;
        return PEN_OK;
    case PEN_RECORD_OTHER:
    default:
        return PEN_OK;
    }
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

static pen_status abandon_execution(struct pen_metadata *metadata, struct pen_error *err)
{
    pen_json *started = pen_metadata_started(metadata);
    PEN_TRY(pen_metadata_check(metadata, err));
    if (started == NULL) {
        return PEN_OK;
    }
    pen_json *record = pen_json_object();
    pen_json_set_string(record, "run", text_of(started, "run"));
    pen_json_set_string(record, "node", text_of(started, "node"));
    pen_json_set_int(record, "execution", metadata->started_execution);
    pen_json_set_string(record, "status", "abandoned");
    pen_json_set_double(record, "seconds", 0);
    pen_json_set_string(record, "message", "the runner was killed while it ran");
    pen_json_free(started);
    return pen_metadata_record(metadata, "execution", record, err);
}

/* Runs without an end were killed: nobody holds the lock that we hold now. */
static pen_status abandon_unfinished(struct pen_metadata *metadata, struct pen_error *err)
{
    PEN_TRY(abandon_execution(metadata, err));
    for (int64_t i = 0; i < metadata->n_runs; i++) {
        if (metadata->runs[i].status == PEN_RECORD_RUNNING) {
            const pen_json *run = pen_metadata_run(metadata, i);
            PEN_TRY(pen_metadata_check(metadata, err));
            pen_log(PEN_LOG_WARNING,
                    "run %s was killed before its end: recorded as abandoned, going on from what it published",
                    text_of(run, "run"));
            pen_json *end = pen_json_object();
            pen_json_set_string(end, "run", text_of(run, "run"));
            pen_json_set_string(end, "status", "abandoned");
            PEN_TRY(pen_metadata_record(metadata, "run_end", end, err));
            metadata->n_abandoned++;
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

void pen_metadata_init(struct pen_metadata *metadata, const char *root)
{
    *metadata = (struct pen_metadata){.lock = PEN_LOCK_INIT};
    (void)snprintf(metadata->root, sizeof metadata->root, "%s", root);
}

static pen_status open_for_writing(struct pen_metadata *metadata, const char *folder, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(path, folder, "lock", err));
    PEN_TRY(pen_directory_create(folder, err));
    PEN_TRY(take_lock(&metadata->lock, path, err));
    PEN_TRY(initialise(folder, err));
    PEN_TRY(pen_journal_open(&metadata->journal, folder, true, pen_metadata_visit, metadata, err));
    if (metadata->journal.torn_bytes > 0) {
        pen_json *repair = pen_json_object();
        pen_json_set_int(repair, "torn_bytes", metadata->journal.torn_bytes);
        PEN_TRY(pen_metadata_record(metadata, "repair", repair, err));
    }
    PEN_TRY(abandon_unfinished(metadata, err)); /* first: a base has no record of what only began */
    return pen_metadata_compact(metadata, err);
}

static pen_status open_root(struct pen_metadata *metadata, const char *root, bool write, int64_t n_recent,
                            struct pen_error *err)
{
    char folder[PEN_PATH_BYTES];
    pen_metadata_init(metadata, root);
    pen_status status = pen_path_join(folder, root, "metadata", err);
    PEN_TRY_GOTO(end, status);
    if (write) {
        status = open_for_writing(metadata, folder, err);
    } else if (!pen_path_is_directory(folder)) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_NOT_FOUND,
                               "%s: expected a pipeline root, found no metadata in it; run a pipeline first, "
                               "or name its root with --root",
                               root);
    } else if (n_recent > 0) {
        status = pen_journal_open_recent(&metadata->journal, folder, "\"kind\":\"run_start\"", n_recent,
                                         pen_metadata_visit, metadata, err);
    } else {
        status = pen_journal_open(&metadata->journal, folder, false, pen_metadata_visit, metadata, err);
    }
end:
    if (status != PEN_OK) {
        pen_metadata_close(metadata);
    }
    return status;
}

pen_status pen_metadata_open(struct pen_metadata *metadata, const char *root, bool write, struct pen_error *err)
{
    return open_root(metadata, root, write, 0, err);
}

pen_status pen_metadata_open_recent(struct pen_metadata *metadata, const char *root, int64_t n_runs,
                                    struct pen_error *err)
{
    return open_root(metadata, root, false, n_runs, err);
}

void pen_metadata_close(struct pen_metadata *metadata)
{
    pen_journal_close(&metadata->journal);
    pen_lock_release(&metadata->lock);
    for (int64_t i = 0; i < metadata->n_runs; i++) {
        pen_json_free(metadata->runs[i].json);
    }
    for (int64_t i = 0; i < metadata->n_executions; i++) {
        pen_json_free(metadata->executions[i].json);
    }
    pen_free(metadata->runs);
    pen_free(metadata->executions);
    pen_free(metadata->notes);
    pen_free(metadata->first_hand);
    pen_metadata_init(metadata, "");
}

pen_status pen_metadata_record(struct pen_metadata *metadata, const char *kind, pen_json *record, struct pen_error *err)
{
    char now[PEN_TIME_BYTES];
    struct pen_journal_place place;
    struct pen_text text = {0};
    pen_json_set_string(record, "kind", kind);
    pen_json_set_string(record, "time", pen_clock_utc(now));
    pen_json_set_int(record, "seq", metadata->journal.n_records + 1);
    pen_status status = pen_json_print(record, PEN_JSON_CANONICAL, &text, err);
    if (status == PEN_OK) {
        status = pen_journal_append(&metadata->journal, text.data, text.size_bytes, &place, err);
    }
    if (status == PEN_OK) {
        status = pen_metadata_visit(metadata, text.data, text.size_bytes, place, err);
    }
    pen_text_deinit(&text);
    pen_json_free(record);
    return status;
}
