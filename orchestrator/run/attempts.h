/* A node of a run, tried again as its policy says (pipeline/policy.h). Each attempt is an execution with a record of
 * its own; the log of one that failed becomes <node>.try-<attempt>.log. A step that another runner starts is tried
 * once: that runner has retries of its own. */
#ifndef PEN_ORCHESTRATOR_RUN_ATTEMPTS_H
#define PEN_ORCHESTRATOR_RUN_ATTEMPTS_H

#include "orchestrator/run/execution.h"

/* As pen_execution_run; *record is that of the last attempt. */
PEN_MUST_USE pen_status pen_attempts_run(struct pen_run *run, const struct pen_node *node, pen_json **record,
                                         struct pen_error *err);

#endif
