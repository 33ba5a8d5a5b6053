/* Between the files of metadata: the index, and compaction. */
#ifndef PEN_ORCHESTRATOR_METADATA_METADATA_INTERNAL_H
#define PEN_ORCHESTRATOR_METADATA_METADATA_INTERNAL_H

#include "orchestrator/metadata/metadata.h"
#include "orchestrator/metadata/record.h"

struct pen_run_entry {
    struct pen_journal_place start, end;
    uint64_t name;
    int64_t seq;
    bool has_end;
    enum pen_record_status status;
    uint64_t title;                /* pen_record_name of the name people gave it; 0: none */
    int64_t first_note, last_note; /* -1: nothing was said of it */
    pen_json *json;                /* NULL: not asked for yet */
};

struct pen_note_entry {
    struct pen_journal_place place;
    int64_t next; /* of the same run; -1: it is the last */
};

struct pen_execution_entry {
    struct pen_journal_place place;
    struct pen_record record;
    pen_json *json;
};

/* The visit of a journal's records that fills the index; user: the metadata. */
PEN_MUST_USE pen_status pen_metadata_visit(void *user, const char *json, size_t size_bytes,
                                           struct pen_journal_place place, struct pen_error *err);

/* Adds what a run_note says to the run. */
void pen_run_note_apply(pen_json *run, const pen_json *record);

/* Writes base/<K>.jl for the sealed segments up to K, verifies it, moves them to journal/archive. */
PEN_MUST_USE pen_status pen_metadata_compact(struct pen_metadata *metadata, struct pen_error *err);

#endif
