/* One node of a run: from the cache, or executed and published. */
#ifndef PEN_ORCHESTRATOR_RUN_EXECUTION_H
#define PEN_ORCHESTRATOR_RUN_EXECUTION_H

#include "orchestrator/metadata/metadata.h"
#include "orchestrator/run/runner.h"

enum { PEN_RUN_NAME_BYTES = 251 }; /* as long as Airflow's */

/* What a run carries from node to node. */
struct pen_run {
    struct pen_arena arena;
    const struct pen_pipeline *pipeline;
    const struct pen_run_options *options;
    const char *device; /* "cpu", "cuda:0" */
    struct pen_metadata metadata;
    char name[PEN_RUN_NAME_BYTES]; /* "run-12" */
    bool joined;                   /* an earlier step began it */
    const char *folder;            /* <root>/runs/<name> */
    const char *resumed;           /* name of the run that is continued, or NULL */
    pen_json *continued;           /* object: nodes taken from it */
    pen_json *outputs;             /* node -> {port: output object} of the nodes that are done */
    pen_json *nodes;               /* results, for the outcome */
    pen_json *skipped;             /* object: nodes that were skipped */
    double deadline;               /* when the run has taken too long, by the monotonic clock; 0: never */
    int64_t attempt;               /* at the node that runs, from 1 */
};

/* *record (the caller's to free) is the execution record; NULL only when the journal could not be written. */
PEN_MUST_USE pen_status pen_execution_run(struct pen_run *run, const struct pen_node *node, pen_json **record,
                                          struct pen_error *err);

/* Records that the node failed before anything of it was done; gives back the error's status. */
PEN_MUST_USE pen_status pen_execution_fail(struct pen_run *run, const struct pen_node *node, pen_json **record,
                                           const struct pen_error *err);

/* A node that is not selected: its last success stands in. Nodes that need it fail when there is none. */
void pen_execution_stand_in(struct pen_run *run, const struct pen_node *node);

/* {node, action, reason, changes}; puts a cached node's outputs into run->outputs. */
PEN_MUST_USE pen_status pen_execution_plan(struct pen_run *run, const struct pen_node *node, bool selected,
                                           pen_json **entry, struct pen_error *err);

#endif
