/* Steps: the nodes of a run that another runner (Airflow, make, Slurm, ...) starts one by one.
 *
 * All steps of one of its runs name that run the same; the first one begins the run here, the others join it. A step
 * takes its inputs from what earlier steps of the same run made, never from another run, and is refused when one of
 * them has not succeeded in it yet. A step that is started again runs again, or comes from the cache, as any node.
 *
 * Between steps the run is "open"; when all nodes have succeeded it is "succeeded" or "cached", after a failed step
 * "failed", until that step is started again. */
#ifndef PEN_ORCHESTRATOR_RUN_STEP_H
#define PEN_ORCHESTRATOR_RUN_STEP_H

#include "orchestrator/run/execution.h"

/* The root is open for writing; run->options->run and ->only are given. Sets run->name and run->joined. PEN_ERR_USAGE:
 * no name for a run, or one of another pipeline; PEN_ERR_NOT_FOUND: something the node needs is not there yet. Nothing
 * is recorded then. */
PEN_MUST_USE pen_status pen_step_enter(struct pen_run *run, struct pen_error *err);

/* What the run has come to when the step ended well. */
const char *pen_step_status(struct pen_run *run);
/* Seconds of the newest execution of each node of the run. */
double pen_step_seconds(struct pen_run *run);

#endif
