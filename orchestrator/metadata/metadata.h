/* Metadata of a pipeline root: runs, executions and artifacts, kept in the journal; in memory an index of it.
 *
 *   <root>/metadata/ROOT.json   {format, version, root_id, created}: made last, marks the root as initialised
 *   <root>/metadata/lock        held while writing; never unlinked
 *   <root>/metadata/journal/    journal.h; when a segment is full, compact.h
 *
 * Records, each with seq, time and kind:
 *
 *   run_start   run, pipeline, file, device, device_reason, device_key (what the choice depended on; only where a
 *               driver was asked); resumes (the run that is continued); nodes (those selected, in order;
 *               only where all are to run in it)
 *   exec_start  run, node, execution; attempt, from the second on
 *   execution   run, node, execution, component, status (succeeded | cached | failed | skipped | cancelled |
 *               abandoned), seconds, key, parts (what the key was made of), inputs {port: artifact id}, outputs {port:
 *               {id, type, uri, hash, properties}}, message; attempt, from the second on; of a failed one failure (its
 *               class: failure.h). A cached one names in `execution` the one whose outputs it took, and leaves parts
 *               and outputs to it; a skipped one has no number: it never began; condition: true when
 *               it was for its own or of a node before it, not because the run ended
 *   run_end     run, status (succeeded | cached | failed | cancelled | abandoned | open), seconds, blessed, pushed;
 *               open: a step of a run that another runner puts together has ended, others are to come
 *   run_join    run, node: such a run goes on with this step; the run_end after it counts
 *   run_note    run; name, text, tags, untags: what people say of it (notes.h)
 *   run         in a base: run_start, run_end and run_notes in one
 *   numbers     in a base: the last execution number given
 *   repair      torn_bytes: a torn tail was moved to quarantine
 *
 * A run that has no run_end when the root is next opened for writing was killed: it is recorded as abandoned, and so is
 * the execution that it had begun. An
 * artifact's uri is relative to the root; the hash is that of its manifest. */
#ifndef PEN_ORCHESTRATOR_METADATA_METADATA_H
#define PEN_ORCHESTRATOR_METADATA_METADATA_H

#include "orchestrator/metadata/journal.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_run_entry;
struct pen_execution_entry;
struct pen_note_entry;

struct pen_metadata {
    char root[PEN_PATH_BYTES];
    struct pen_lock lock;
    struct pen_journal journal;
    struct pen_run_entry *runs;             /* in the order they began */
    struct pen_execution_entry *executions; /* in the order they ended */
    struct pen_note_entry *notes;           /* notes.h */
    int64_t *first_hand;                    /* indices of those that are no hits of the cache, so by rising number */
    int64_t n_runs, runs_capacity, n_executions, executions_capacity, n_first_hand, first_hand_capacity;
    int64_t n_notes, notes_capacity;
    int64_t last_execution;
    int64_t n_abandoned;              /* runs recorded as abandoned by this opening */
    struct pen_journal_place started; /* the last exec_start */
    int64_t started_execution;        /* its number while its execution has no record; 0: none is open */
    struct pen_error problem;         /* the first record that could not be read again */
};

/* write = true: creates the root when absent, takes the lock (PEN_ERR_BUSY says who holds it), repairs, compacts,
 * records abandoned runs. write = false: PEN_ERR_NOT_FOUND when there is no root yet. */
PEN_MUST_USE pen_status pen_metadata_open(struct pen_metadata *metadata, const char *root, bool write,
                                          struct pen_error *err);
/* For reading, about the last n runs alone: the time does not grow with the history. */
PEN_MUST_USE pen_status pen_metadata_open_recent(struct pen_metadata *metadata, const char *root, int64_t n_runs,
                                                 struct pen_error *err);
/* A root that has no history yet. */
void pen_metadata_init(struct pen_metadata *metadata, const char *root);
void pen_metadata_close(struct pen_metadata *metadata);

/* Adds seq, time and kind to the record, appends it, takes it over. */
PEN_MUST_USE pen_status pen_metadata_record(struct pen_metadata *metadata, const char *kind, pen_json *record,
                                            struct pen_error *err);

/* ---- questions: answers are borrowed, parsed when first asked for; NULL: there is none ----
 *
 * A record that cannot be read again (the disk failed) counts as none and is kept as the problem, so whoever asked
 * checks once. */
PEN_MUST_USE pen_status pen_metadata_check(const struct pen_metadata *metadata, struct pen_error *err);

/* The run_start record, with members of its run_end put in (status "running" without); the execution record. */
const pen_json *pen_metadata_run(struct pen_metadata *metadata, int64_t index);
const pen_json *pen_metadata_execution(struct pen_metadata *metadata, int64_t index);

/* The exec_start of an execution that has not ended, the caller's to free; NULL: there is none. */
pen_json *pen_metadata_started(struct pen_metadata *metadata);

/* Executions that fit; NULL or false: any. */
struct pen_metadata_query {
    const char *run, *node, *key;
    bool has_outputs;   /* succeeded or cached */
    bool is_first_hand; /* neither a hit of the cache nor skipped */
};
/* Number of the execution at an index: equal for a hit of the cache and the one it took its outputs from. */
int64_t pen_metadata_number(const struct pen_metadata *metadata, int64_t index);
/* Index of the first that fits, going from `from` by `step` (1 or -1); -1: none. */
int64_t pen_metadata_seek(struct pen_metadata *metadata, int64_t from, int step,
                          const struct pen_metadata_query *query);
/* The newest that fits. */
const pen_json *pen_metadata_newest(struct pen_metadata *metadata, const struct pen_metadata_query *query);

const pen_json *pen_metadata_find_run(struct pen_metadata *metadata, const char *run); /* NULL run: the newest */
/* The execution itself, never a later record that took its outputs from the cache. */
const pen_json *pen_metadata_find_execution(struct pen_metadata *metadata, int64_t execution);
/* "outputs" or "parts" of an execution record: its own, or those of the one it took them from. */
const pen_json *pen_metadata_member(struct pen_metadata *metadata, const pen_json *execution, const char *key);
/* The output object with this id, or the newest of this type or port (Model, statistics, ...); *producer gets the
 * execution that made it. */
const pen_json *pen_metadata_find_artifact(struct pen_metadata *metadata, const char *id_or_kind,
                                           const pen_json **producer);

/* ---- compact.c ---- */

/* SHA-256 over what the records come to: runs, executions, the last number. Equal before and after compaction. */
PEN_MUST_USE pen_status pen_metadata_state_hash(struct pen_metadata *metadata, char hex[65], struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
