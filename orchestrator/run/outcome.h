/* The document of `run --json`: what came of each node, and of the run. */
#ifndef PEN_ORCHESTRATOR_RUN_OUTCOME_H
#define PEN_ORCHESTRATOR_RUN_OUTCOME_H

#include "orchestrator/run/execution.h"

/* Takes note of a node's last record and tells who watches. */
void pen_outcome_add(struct pen_run *run, const pen_json *record);

/* The caller's to free. */
pen_json *pen_outcome_make(struct pen_run *run, const char *status, double seconds);

/* Every node came from the cache, or was skipped. */
bool pen_outcome_is_cached(const struct pen_run *run);

#endif
