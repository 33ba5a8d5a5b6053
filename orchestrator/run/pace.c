/* Rates since the first report of a phase. */
#include "orchestrator/run/pace.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_of_phase(const struct pen_pace *pace, const struct pen_progress_report *report)
{
    return strncmp(pace->phase, report->phase, sizeof pace->phase - 1) == 0 && report->done >= pace->last_done;
}

void pen_pace_take(struct pen_pace *pace, struct pen_progress_report *report, double now)
{
    if (!is_of_phase(pace, report)) {
        *pace = (struct pen_pace){.began = now, .first_done = report->done, .first_rows = report->rows};
        (void)snprintf(pace->phase, sizeof pace->phase, "%s", report->phase);
    }
    pace->last_done = report->done;
    const double spent = now - pace->began;
    const int64_t done = report->done - pace->first_done, rows = report->rows - pace->first_rows;
    report->rows_per_s = report->rows >= 0 && rows > 0 && spent > 0 ? (double)rows / spent : (double)NAN;
    report->seconds_left = done > 0 && report->total >= report->done
                               ? (double)(report->total - report->done) * spent / (double)done
                               : (double)NAN;
}
