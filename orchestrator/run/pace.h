/* How fast a phase goes and when it will end, from what its reports say.
 *
 * A phase begins with a report of another name, or of less done than before. Its first report tells where it began (a
 * training that is continued begins far along), so pace is known from the second on:
 *
 *   rows_per_s    rows since that report / seconds since
 *   seconds_left  what is left to do * seconds since / done since; only where the total is known */
#ifndef PEN_ORCHESTRATOR_RUN_PACE_H
#define PEN_ORCHESTRATOR_RUN_PACE_H

#include "core/log.h"

enum { PEN_PACE_PHASE_BYTES = 64 };

struct pen_pace { /* zeroed: nothing was reported yet */
    char phase[PEN_PACE_PHASE_BYTES];
    double began;
    int64_t first_done, first_rows, last_done;
};

/* Fills rows_per_s and seconds_left of the report, which was made at `now` (pen_clock_seconds). */
void pen_pace_take(struct pen_pace *pace, struct pen_progress_report *report, double now);

#endif
