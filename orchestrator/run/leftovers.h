/* What runs that did not end well left behind: staging, and published folders no record names. Logs stay. */
#ifndef PEN_ORCHESTRATOR_RUN_LEFTOVERS_H
#define PEN_ORCHESTRATOR_RUN_LEFTOVERS_H

#include "orchestrator/run/execution.h"

/* Before the run is recorded; its folder is there. Staging of a node that failed is kept for a look. */
PEN_MUST_USE pen_status pen_leftovers_clean(struct pen_run *run, struct pen_error *err);

#endif
