/* The world as it is: the machine's clock, sleep that a signal or a mark of a person ends, `penstock run` as a process
 * of its own, lines on standard error. */
#ifndef PEN_ORCHESTRATOR_DAEMON_WORLD_H
#define PEN_ORCHESTRATOR_DAEMON_WORLD_H

#include "orchestrator/daemon/serve.h"

extern const struct pen_schedule_world pen_schedule_real_world;

#endif
