/* Telling of a run that has ended, by the hooks its pipeline names. */
#ifndef PEN_ORCHESTRATOR_RUN_TELL_H
#define PEN_ORCHESTRATOR_RUN_TELL_H

#include "orchestrator/run/execution.h"

/* The root is no longer held, so that a hook may start a run on it. Adds `hooks`, what came of them, to the outcome
 * when there are any, and keeps it as <root>/runs/<run>/hooks.json. */
void pen_run_tell(const struct pen_run *run, pen_json *outcome);

#endif
