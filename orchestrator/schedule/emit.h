/* A schedule as units of systemd or a line of crontab, for those who would rather use these than `penstock schedule`.
 * What they cannot do is an error: catch_up: all, on_new_data; cron also knows no zone but the machine's, makes up no
 * missed time, and no interval that does not divide an hour or a day. */
#ifndef PEN_ORCHESTRATOR_SCHEDULE_EMIT_H
#define PEN_ORCHESTRATOR_SCHEDULE_EMIT_H

#include "core/text.h"
#include "orchestrator/schedule/schedule.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_emit_command {
    const char *pipeline;              /* its name */
    const char *program, *file, *root; /* absolute paths; root NULL: the file's */
    const char *directory;             /* the run starts in it, absolute */
};

/* A .service and a .timer, each below a line with the path to put it at. */
PEN_MUST_USE pen_status pen_emit_systemd(const struct pen_schedule *schedule, const struct pen_emit_command *command,
                                         struct pen_text *out, struct pen_error *err);
/* One line for `crontab -e`. */
PEN_MUST_USE pen_status pen_emit_cron(const struct pen_schedule *schedule, const struct pen_emit_command *command,
                                      struct pen_text *out, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
