/* penstock as a process of its own: runs are started as people start them, so that nothing of them stays behind, and
 * stopped as people stop them. */
#ifndef PEN_ORCHESTRATOR_DAEMON_PROCESS_H
#define PEN_ORCHESTRATOR_DAEMON_PROCESS_H

#include "core/status.h"

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pen_process {
    const char *program;     /* NULL: this one */
    const char *const *line; /* arguments, ended by NULL; the first is "penstock" */
    int out, err;            /* descriptors of its streams; -1: ours */
    bool outlives;           /* it has a session of its own: what ends ours does not end it */
};

PEN_MUST_USE pen_status pen_process_start(const struct pen_process *process, pid_t *child, struct pen_error *err);
/* What waitpid gave, as the status whose exit code it is; PEN_ERR_FAILED: no code of ours. */
pen_status pen_process_status(int state);

/* *pid: the process that writes to the root now; 0: nobody. */
PEN_MUST_USE pen_status pen_process_writer(const char *root, int64_t *pid, struct pen_error *err);
/* Asks the run that holds the root to stop: it writes its checkpoint and ends as cancelled. PEN_ERR_NOT_FOUND: none
 * does, on this machine. */
PEN_MUST_USE pen_status pen_process_stop_writer(const char *root, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
