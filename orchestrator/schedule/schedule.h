/* When a pipeline runs by itself: the `schedule:` section of its file.
 *
 *   schedule:
 *     cron: 30 2 * * mon-fri    # or every: 6h (from `start` on, whatever the clock's zone does)
 *     zone: Europe/Berlin       # UTC; or local, the machine's
 *     catch_up: last            # times at which nothing could run: none (left out), last (one run for all), all
 *     start: 2026-01-01         # UTC: nothing before; `all` begins here
 *     on_new_data: true         # also when the input of the pipeline changed, a new span for example
 *     poll: 60s                 # how often that is looked at
 *
 * A time is on time when it is noticed within PEN_ON_TIME_S: a schedule wakes for it, so a later one means that the
 * machine was off or a run was still going. */
#ifndef PEN_ORCHESTRATOR_SCHEDULE_SCHEDULE_H
#define PEN_ORCHESTRATOR_SCHEDULE_SCHEDULE_H

#include "core/config.h"
#include "orchestrator/schedule/cron.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_ON_TIME_S = 60 };
#define PEN_NEVER INT64_MAX

enum pen_catch_up { PEN_CATCH_UP_NONE, PEN_CATCH_UP_LAST, PEN_CATCH_UP_ALL };

struct pen_schedule {
    const char *text; /* what a person wrote as cron: or every:; NULL: only on new data */
    bool is_cron;
    struct pen_cron cron;
    struct pen_zone zone;
    int64_t every_s, start; /* start: seconds since 1970-01-01 UTC; 0 when not given */
    enum pen_catch_up catch_up;
    bool on_new_data;
    int64_t poll_s;
};

/* node: the section, which must be there. Texts live in the arena. */
PEN_MUST_USE pen_status pen_schedule_read(struct pen_arena *arena, const struct pen_config_node *node,
                                          struct pen_schedule *schedule, struct pen_error *err);

/* The first time after `after` and not before start; PEN_NEVER without cron and every. */
int64_t pen_schedule_next(const struct pen_schedule *schedule, int64_t after);

struct pen_due {
    bool is_due;
    int64_t at;       /* the time that is due */
    int64_t handled;  /* all times up to here are dealt with when the run for `at` has begun */
    int64_t n_missed; /* times that are left out, catch_up says so */
};

/* What is to be done now, when all times up to `handled` are dealt with. A `handled` more than a day ahead of now was
 * written by a clock that went wrong: times count from now on. */
struct pen_due pen_schedule_due(const struct pen_schedule *schedule, int64_t handled, int64_t now);

#ifdef __cplusplus
}
#endif

#endif
