/* Cron expressions: five fields, and the times they stand for in a time zone.
 *
 *   minute 0-59, hour 0-23, day of the month 1-31, month 1-12 or jan-dec, day of the week 0-7 or sun-sat (0 and 7:
 * Sunday) each: *, a value, a-b, a list with commas, any of them in steps: (*)/15, 8-18/2
 *   @hourly @daily @midnight @weekly @monthly @yearly @annually
 *
 * As in Vixie's cron, and so in Debian's: where both day fields are given (neither begins with *), a day fits that fits
 * one of them; else it must fit both. When the zone's clock is set: an expression whose minute and hour fields do not
 * begin with * names times of day, so a time that the clock jumps over is taken at the jump, and one that comes twice
 * is taken the first time. Any other goes by the hour: what is jumped over is left out, what comes twice counts twice.
 */
#ifndef PEN_ORCHESTRATOR_SCHEDULE_CRON_H
#define PEN_ORCHESTRATOR_SCHEDULE_CRON_H

#include "orchestrator/schedule/zone.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_cron { /* bit i: the value i fits */
    uint64_t minutes, hours, days, months, weekdays;
    bool is_any_day, is_any_weekday; /* the field begins with * */
    bool is_by_the_hour;             /* minute or hour does */
};

/* PEN_ERR_CONFIG names the field; also for dates that never come (30 February). */
PEN_MUST_USE pen_status pen_cron_parse(struct pen_cron *cron, const char *text, struct pen_error *err);

/* The first time after `after`, both in seconds since 1970-01-01 UTC. There always is one. */
int64_t pen_cron_next(const struct pen_cron *cron, const struct pen_zone *zone, int64_t after);

#ifdef __cplusplus
}
#endif

#endif
