/* The device of a run. */
#ifndef PEN_ORCHESTRATOR_RUN_DEVICE_H
#define PEN_ORCHESTRATOR_RUN_DEVICE_H

#include "kernels/exec.h"
#include "orchestrator/run/execution.h"

/* What the choice of a run's device depends on, "" when it has to be made anew each time. PEN_ERR_USAGE: the options or
 * the pipeline file ask for what is no device. */
PEN_MUST_USE pen_status pen_run_device_key(const struct pen_run *run, char key[PEN_DEVICE_KEY_BYTES],
                                           struct pen_error *err);

/* Sets run->device to what is asked for. Takes what the run before took when it went well and had the same key: asking
 * a driver takes longer than an unchanged pipeline. key becomes what the run's record is to keep; "" when the next run
 * has to ask. The metadata is open, or there is none. */
PEN_MUST_USE pen_status pen_run_choose_device(struct pen_run *run, struct pen_device_choice *choice,
                                              char key[PEN_DEVICE_KEY_BYTES], struct pen_error *err);

#endif
