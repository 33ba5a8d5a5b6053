/* The loop of `penstock schedule`: runs pipelines when they are due, one at a time, until it is asked to stop.
 *
 * That a time was dealt with is written down before its run begins, so that no death in between runs it twice. Pipeline
 * files are read again when they change; one that cannot be read stops nothing but itself until it is mended. A root
 * that another run holds is asked again every PEN_BUSY_S. What fell due while a pipeline was paused, while another run
 * went on, or while the machine was off, is for catch_up to decide (schedule.h). */
#ifndef PEN_ORCHESTRATOR_DAEMON_SERVE_H
#define PEN_ORCHESTRATOR_DAEMON_SERVE_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PEN_BUSY_S = 10,
    PEN_WHY_BYTES = 128,
    PEN_LOOK_S = 10 /* for a mended file, the end of a pause */
};

/* What the loop sees of the world; times in seconds since 1970-01-01 UTC. A test gives a world of its own. */
struct pen_schedule_world {
    void *user;
    int64_t (*now)(void *user);
    /* Returns at `until`, or before: the sooner, the sooner a trigger is noticed. false: asked to stop. */
    bool (*wait)(void *user, int64_t until);
    /* Runs the pipeline to its end. `at`: the time it was due. PEN_ERR_BUSY: another run holds the root. Any other
     * failure is the run's own: it is kept as its status. */
    pen_status (*run)(void *user, const char *file, const char *root, const char *why, int64_t at);
    void (*say)(void *user, const char *pipeline, const char *text);
};

/* root: instead of the file's, for one pipeline alone; or NULL. PEN_ERR_BUSY when another schedule serves a root. */
PEN_MUST_USE pen_status pen_schedule_serve(const char *const *files, int64_t n_files, const char *root,
                                           const struct pen_schedule_world *world, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
