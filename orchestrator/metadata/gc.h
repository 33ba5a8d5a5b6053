/* Old artifacts, by policy: which may go, and taking them away.
 *
 * A run is kept when it is one of the newest `keep_runs` or younger than `younger_than_s`. An execution is kept with
 * all its outputs when
 *
 *   a kept run, or one whose steps another runner puts together, did it, took it from the cache or used an output of
 * it; it is the newest of its node that succeeded: `--from` and `--only` take its outputs; it trained a model that was
 * ever blessed or pushed, or it judged or pushed one so; it made the newest statistics of one of the last two spans:
 * drift is measured against them.
 *
 * The rest may go: its folder, by one rename into <root>/trash, so that no artifact is ever there by half, then its
 * bytes. The journal keeps every record; what is gone is made again when a run needs it. What Pusher put into its
 * directory is Pusher's. */
#ifndef PEN_ORCHESTRATOR_METADATA_GC_H
#define PEN_ORCHESTRATOR_METADATA_GC_H

#include "orchestrator/metadata/metadata.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_gc_policy {
    int64_t keep_runs;     /* 0: none for their number */
    double younger_than_s; /* 0: none for their age */
    double now_s;          /* since 1970 */
};

/* *document, the caller's: {removed: [{id, type, run, uri, bytes}], bytes, kept}: what may go of what is there, how
 * much that is by the manifests, and how many artifacts stay. Changes nothing. */
PEN_MUST_USE pen_status pen_gc_choose(struct pen_metadata *metadata, const struct pen_gc_policy *policy,
                                      pen_json **document, struct pen_error *err);

/* Takes away what was chosen, and what an earlier one that was killed left in the trash. The root is open for writing,
 * so no run is going on. */
PEN_MUST_USE pen_status pen_gc_remove(struct pen_metadata *metadata, const pen_json *document, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
