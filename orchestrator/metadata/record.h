/* What is looked for in a journal's records without parsing them: a history of 100,000 executions opens in the time it
 * takes to read it once. Names stand as hashes; a record that is wanted is then read and compared by its text. */
#ifndef PEN_ORCHESTRATOR_METADATA_RECORD_H
#define PEN_ORCHESTRATOR_METADATA_RECORD_H

#include "core/json.h"

enum pen_record_kind {
    PEN_RECORD_OTHER,
    PEN_RECORD_RUN, /* in a base: run_start, run_end and run_notes in one */
    PEN_RECORD_RUN_START,
    PEN_RECORD_RUN_END,
    PEN_RECORD_RUN_JOIN,
    PEN_RECORD_RUN_NOTE,
    PEN_RECORD_EXEC_START,
    PEN_RECORD_EXECUTION
};

enum pen_record_status {
    PEN_RECORD_NO_STATUS,
    PEN_RECORD_RUNNING,
    PEN_RECORD_SUCCEEDED,
    PEN_RECORD_CACHED,
    PEN_RECORD_SKIPPED,
    PEN_RECORD_ENDED /* failed, cancelled, abandoned */
};

struct pen_record {
    enum pen_record_kind kind;
    enum pen_record_status status;
    uint64_t run, node, key; /* pen_record_name of the texts; 0: absent */
    int64_t execution, seq;
    uint64_t title; /* pen_record_name of "name" */
};

uint64_t pen_record_name(const char *text, size_t size_bytes);

/* json: one record as the journal prints it (sorted keys, no spaces). */
PEN_MUST_USE pen_status pen_record_look(struct pen_record *record, const char *json, size_t size_bytes,
                                        struct pen_error *err);

#endif
