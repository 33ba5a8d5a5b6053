/* What a node that runs has come to, for other processes to read, without a lock.
 *
 *   <root>/runs/<run>/<node>/progress.json    in the node's staging folder, from its start to its end
 *
 *   {node, began, phase, done, total, unit, percent, epoch, loss, rows, rows_per_s, seconds_left, detail}
 *
 * Only node and began are always there; a member that is not known is left out. The file is replaced by a rename, so a
 * reader sees one report or the next, never parts of two; at most four times a second, and not synced: it is of no use
 * after a crash. A killed run leaves it, so readers ask first whether someone holds the root. */
#ifndef PEN_ORCHESTRATOR_RUN_LIVE_H
#define PEN_ORCHESTRATOR_RUN_LIVE_H

#include "core/files.h"
#include "core/log.h"
#include "orchestrator/run/child.h"
#include "orchestrator/run/runner.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_live {
    struct pen_child_watch watch;     /* the child's: passes on to `then` what it hears */
    const struct pen_run_watch *then; /* NULL: nobody else listens */
    const char *node;
    char path[PEN_PATH_BYTES], began[PEN_TIME_BYTES];
    double written_at;
    bool is_broken; /* it could not be written once; that was said */
};

/* folder: <root>/runs/<run>; the node's staging is there. A file that cannot be written is a warning. */
void pen_live_begin(struct pen_live *live, const char *folder, const char *node, const struct pen_run_watch *then);
void pen_live_end(struct pen_live *live);

/* Of each node of the run that runs now, as above, with `seconds` since it began; empty when none does. The caller's to
 * free. */
pen_json *pen_live_read(const char *root, const char *run);

/* A report as members of such an object. */
void pen_live_add(pen_json *progress, const struct pen_progress_report *report);
/* "training 34% of 2000 steps, epoch 1.2, loss 0.4123, 120000 rows/s, 12 s left"; "" without a report. */
void pen_live_describe(const pen_json *progress, struct pen_text *out);

#ifdef __cplusplus
}
#endif

#endif
