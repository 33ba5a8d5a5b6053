/* What a schedule remembers and is told, in files below the root, each written whole:
 *
 *   <root>/metadata/schedule/state.json   what was dealt with
 *   <root>/metadata/schedule/paused       there: nothing is started
 *   <root>/metadata/schedule/trigger      there: one run now, then it is taken away
 *   <root>/metadata/schedule/lock         held by the schedule that serves the root */
#ifndef PEN_ORCHESTRATOR_DAEMON_STATE_H
#define PEN_ORCHESTRATOR_DAEMON_STATE_H

#include "core/files.h"
#include "core/hash.h"
#include "core/json.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_schedule_state {
    bool is_new;                      /* no file yet */
    int64_t handled;                  /* all times up to here are dealt with; seconds since 1970-01-01 UTC */
    char input[PEN_SHA256_HEX_BYTES]; /* what the pipeline's data were when last looked at; "": not looked at */
};

PEN_MUST_USE pen_status pen_schedule_state_read(const char *root, struct pen_schedule_state *state,
                                                struct pen_error *err);
PEN_MUST_USE pen_status pen_schedule_state_write(const char *root, const struct pen_schedule_state *state,
                                                 struct pen_error *err);

/* name: "paused" or "trigger". */
bool pen_schedule_has_mark(const char *root, const char *name);
PEN_MUST_USE pen_status pen_schedule_set_mark(const char *root, const char *name, bool is_set, struct pen_error *err);

/* Does a schedule serve the root? Its lock says so. */
bool pen_schedule_is_served(const char *root);

/* The path of a file in the folder, which is made when absent. */
PEN_MUST_USE pen_status pen_schedule_path(char out[PEN_PATH_BYTES], const char *root, const char *name,
                                          struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
