/* Inputs that no node of the run produces: what the runner looks up in the root's metadata.
 *
 *   candidates           (Resolver)  the newest blessed models of this pipeline, at most 16, newest first, except those
 *                        with the content of the model trained in this run: so an unchanged run stays unchanged
 *   base_model           (Trainer)  the last blessed model, when its options say warm_start: true
 *   previous_statistics  (ExampleValidator)  the newest statistics of an earlier span
 *
 * A model that was changed since it was published is passed over, with a warning. */
#ifndef PEN_ORCHESTRATOR_RUN_PROVIDED_H
#define PEN_ORCHESTRATOR_RUN_PROVIDED_H

#include "orchestrator/run/execution.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_provided {
    const char *path; /* in the arena; NULL: there is none */
    const char *id;   /* of the artifact, or "" */
    const char *hash;
};

/* What has to be written (candidates.json) lies in the run's folder; a plan, which has none, gets its identity alone.
 */
PEN_MUST_USE pen_status pen_provide_input(struct pen_run *run, const struct pen_node *node, const char *port,
                                          struct pen_provided *provided, struct pen_error *err);

/* What is given at this port depends on what a node has made that need not be an input: its index, or -1. */
int64_t pen_provided_after(const struct pen_pipeline *pipeline, const char *port);

#ifdef __cplusplus
}
#endif

#endif
