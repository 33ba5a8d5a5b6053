/* One component in a child process: its own log file, progress to the parent through a pipe, its result too.
 *
 * The child is a fork of the runner, which has no threads and has touched no data: it starts in under a millisecond,
 * closes the runner's lock and journal, and dies with the runner. Text it writes to standard output or error lands in
 * its log. */
#ifndef PEN_ORCHESTRATOR_RUN_CHILD_H
#define PEN_ORCHESTRATOR_RUN_CHILD_H

#include "components/component.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_child_watch {
    void *user;
    void (*progress)(void *user, const pen_json *progress); /* live.h; borrowed */
    void (*warning)(void *user, const char *text);
};

struct pen_child_options {
    const char *log_path;
    struct pen_config_strings launcher; /* of several ranks: a command such as mpirun; none: forks, on this machine */
    const char *task_path;              /* what the launcher's ranks are told; written when there is one */
    double ranks_timeout_s;             /* how long ranks wait for each other */
    double timeout_s;                   /* then it is told to stop, as by a cancel request; 0: never */
    const char *timeout_words;          /* whose it is, for the message: "its timeout of 5 s" */
    double grace_s;                     /* after which one that was told to stop is killed */
    const struct pen_child_watch *watch;
};

/* Runs component->run(context) in a child, in context->n_ranks of them that share a communicator when that is more than
 * one: rank 0 reports, what the others say above a note goes to the same log. One that dies ends them all, and is
 * named; blocks until it ends. The outputs' properties are filled from the child's. A cancel request is passed on; a
 * child that does not stop within grace_s is killed. One that took too long is PEN_ERR_TIMEOUT,
 * naming node and limit. A child that dies of a
 * signal is PEN_ERR_FAILED naming the signal and the last line of its log. */
PEN_MUST_USE pen_status pen_child_run(const struct pen_component *component, struct pen_component_context *context,
                                      const struct pen_child_options *options, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
