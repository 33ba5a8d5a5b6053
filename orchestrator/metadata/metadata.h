/* Metadata of a pipeline root: runs, executions and artifacts, kept in the journal and in memory while open.
 *
 *   <root>/metadata/ROOT.json   {format, version, root_id, created}: made last, marks the root as initialised
 *   <root>/metadata/lock        held while writing; never unlinked
 *   <root>/metadata/journal/    journal.h
 *
 * Records, each with seq, time and kind:
 *
 *   run_start   run, pipeline, file, device, device_reason
 *   exec_start  run, node, execution
 *   execution   run, node, execution, component, status (succeeded | cached | failed | cancelled | abandoned |
 * skipped), seconds, key, parts (what the key was made of), inputs {port: artifact id}, outputs {port: {id, type, uri,
 * hash, properties}}, message run_end     run, status (succeeded | failed | cancelled | abandoned), seconds, blessed,
 * pushed
 *
 * A run that has no run_end when the root is next opened for writing was killed: it is recorded as abandoned. An
 * artifact's uri is relative to the root; the hash is that of its manifest. */
#ifndef PEN_ORCHESTRATOR_METADATA_METADATA_H
#define PEN_ORCHESTRATOR_METADATA_METADATA_H

#include "orchestrator/metadata/journal.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_metadata {
    char root[PEN_PATH_BYTES];
    struct pen_lock lock;
    struct pen_journal journal;
    pen_json *runs; /* array of run_start records, with members of their run_end put in (status "running" without) */
    pen_json *executions; /* array of execution records, in order */
    int64_t last_seq;
    int64_t last_execution;
};

/* write = true: creates the root when absent, takes the lock (PEN_ERR_BUSY says who holds it), repairs, records
 * abandoned runs. write = false: PEN_ERR_NOT_FOUND when there is no root yet. */
PEN_MUST_USE pen_status pen_metadata_open(struct pen_metadata *metadata, const char *root, bool write,
                                          struct pen_error *err);
void pen_metadata_close(struct pen_metadata *metadata);

/* Adds seq, time and kind to the record, appends it, takes it over. */
PEN_MUST_USE pen_status pen_metadata_record(struct pen_metadata *metadata, const char *kind, pen_json *record,
                                            struct pen_error *err);

/* Borrowed; NULL when there is none. */
const pen_json *pen_metadata_find_run(const struct pen_metadata *metadata, const char *run); /* NULL run: the newest */
/* The execution itself, never a later record that took its outputs from the cache. */
const pen_json *pen_metadata_find_execution(const struct pen_metadata *metadata, int64_t execution);
/* The newest execution of the node that succeeded (or was cached) under the key; key NULL: under any. */
const pen_json *pen_metadata_find_success(const struct pen_metadata *metadata, const char *node, const char *key);
/* The execution record of a node in a run. */
const pen_json *pen_metadata_find_in_run(const struct pen_metadata *metadata, const char *run, const char *node);
/* The output object with this id, or the newest of this type or port (Model, statistics, ...); *producer gets the
 * execution that made it. */
const pen_json *pen_metadata_find_artifact(const struct pen_metadata *metadata, const char *id_or_kind,
                                           const pen_json **producer);

#ifdef __cplusplus
}
#endif

#endif
