/* Components that do nothing but write small files, so that the runner can be tested in milliseconds.
 *
 *   source --data--> middle --number, notes--> last --final--> push (never cached)
 *          --data--> side   --extra----------> last (optional input)
 *                    (over ranks)
 *
 * The value.txt of an output is "node=text(values of the inputs)", so content shows what a node was given. Options, the
 * same for all: text, act (ok, fail, anomaly, crash, hang, quit, io; rank_dies, rank_hangs: rank 1 does; stubborn: does
 * not hear SIGTERM), times (how often it fails, crashes, quits or is stubborn, then ok; 0: always), watched (a file
 * that belongs to the cache key), files (how many more to write), pause_ms (before each file). */
#ifndef PEN_TESTS_ORCHESTRATOR_CHORES_H
#define PEN_TESTS_ORCHESTRATOR_CHORES_H

#include "core/files.h"
#include "orchestrator/run/runner.h"

extern const struct pen_component *const chore_table[]; /* source, middle, side, last, push */

/* <the case's folder>/<name> */
const char *chore_path(char out[PEN_PATH_BYTES], const char *name);
void chore_write(const char *path, const char *text);
/* Whole file; "" when it is not there. */
void chore_read(const char *path, struct pen_text *text);

/* Writes <the case's folder>/pipeline.yaml with `name` and root, then `more`, and runs it. said: "source=succeeded
 * middle=cached ..." of the outcome, then " run=STATUS"; owned by the caller. */
pen_status chore_run(const char *more, const struct pen_run_options *options, struct pen_text *said,
                     struct pen_error *err);
pen_status chore_run_at(const char *root, const char *more, const struct pen_run_options *options,
                        struct pen_text *said, struct pen_error *err);

/* Every folder <root>/<node>/<port>/<n> verifies deep, and the journal's succeeded executions name it; *n_artifacts
 * counts them. strict = false: folders no record names are allowed, yet have to be complete. Root holds no run. */
pen_status chore_audit(const char *root, bool strict, int64_t *n_artifacts, struct pen_error *err);

#endif
