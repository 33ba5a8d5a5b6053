/* The local, sequential runner: nodes in order, each from the cache or in a child process.
 *
 *   <root>/<node>/<port>/<execution>/   published artifacts, complete or absent, each with its manifest
 *   <root>/runs/<run>/<node>.log        what the node said
 *   <root>/runs/<run>/<node>/<port>/    staging; kept when the node failed, so that `show` can open it
 *   <root>/metadata/                    metadata.h
 *
 * A continued run (--resume) takes from the run it names every node that succeeded there along with all it depends on,
 * whatever changed since; the others run, or come from the cache, as ever. A node with checkpoints goes on from those
 * that an execution of the same cache key left, in any run but one with --no-cache; in a continued run it is an error
 * when they are of another.
 *
 * Partial runs (TFX's rules): the nodes that run are those downstream of --from and upstream of --to; a node that does
 * not run gives the outputs of its last success, and it is an error when a node that runs needs one that has none.
 *
 * A run whose steps another runner starts (step.h) is put together node by node: the first step begins it, the others
 * join it by its name and take their inputs from it alone. */
#ifndef PEN_ORCHESTRATOR_RUN_RUNNER_H
#define PEN_ORCHESTRATOR_RUN_RUNNER_H

#include "core/json.h"
#include "orchestrator/metadata/notes.h"
#include "orchestrator/pipeline/pipeline.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_run_watch {
    void *user;
    void (*begins)(void *user, const char *run, const char *root, const char *device, const char *reason);
    void (*node_starts)(void *user, const char *node);
    void (*progress)(void *user, const pen_json *progress); /* live.h; borrowed */
    void (*warning)(void *user, const char *text);
    /* record: the execution record (metadata.h) with status, seconds, outputs, message */
    void (*node_ends)(void *user, const pen_json *record);
};

struct pen_run_options {
    const char *from, *to, *only; /* node names or NULL */
    const char *run;    /* of the step `only`: the name of the run it begins or joins (step.h); NULL: a new run */
    const char *resume; /* a run that did not end well, or "last": what succeeded in it is taken from it */
    const struct pen_run_note *note; /* name, note and tags of a new run, checked; NULL: none but the file's tags */
    bool no_cache;
    bool paranoid;                     /* hash what is taken from the cache, whatever its times say */
    bool wait;                         /* for another writer of the root; else PEN_ERR_BUSY */
    const char *device;                /* NULL: the pipeline file's */
    const struct pen_run_watch *watch; /* NULL: silent */
};

/* *outcome (the caller's to free) is the document of `run --json`: run, status, seconds, device, nodes, blessed,
 * pushed. It is made whenever a run began, also when the status is not PEN_OK. */
PEN_MUST_USE pen_status pen_run_pipeline(const struct pen_pipeline *pipeline, const struct pen_run_options *options,
                                         pen_json **outcome, struct pen_error *err);

/* What a run would do, without doing it: {root, nodes: [{node, action: run | cached | skip, reason, when}],
 * work: bool}; when: a condition that only the run will decide. A
 * node below one that would run is counted as running: its inputs are not known yet. */
PEN_MUST_USE pen_status pen_plan_pipeline(const struct pen_pipeline *pipeline, const struct pen_run_options *options,
                                          pen_json **plan, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
