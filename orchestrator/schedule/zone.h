/* Time zones, by the C library and the system's zoneinfo files.
 *
 * The library knows one zone at a time, so questions are asked between enter and leave, on one thread. */
#ifndef PEN_ORCHESTRATOR_SCHEDULE_ZONE_H
#define PEN_ORCHESTRATOR_SCHEDULE_ZONE_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_ZONE_NAME_BYTES = 64, PEN_ZONE_TIME_BYTES = 96 };

struct pen_zone {
    char name[PEN_ZONE_NAME_BYTES]; /* "UTC", "local" (the machine's), or one of the system's: Europe/Berlin */
};

/* A date and a time of day in a zone. */
struct pen_zone_time {
    int year, month, day, hour, minute, second; /* month and day from 1 */
    int weekday;                                /* 0: Sunday */
    int64_t offset_s;                           /* of the zone's clock from UTC, positive to the east */
};

/* PEN_ERR_CONFIG when the system does not have the zone. */
PEN_MUST_USE pen_status pen_zone_init(struct pen_zone *zone, const char *name, struct pen_error *err);

void pen_zone_enter(const struct pen_zone *zone);
void pen_zone_leave(void);

/* Between enter and leave. `at`: seconds since 1970-01-01 UTC. */
struct pen_zone_time pen_zone_time(int64_t at);

/* "Sun 2026-03-29 03:00 +0200", in any zone; no enter needed. */
const char *pen_zone_print(char out[PEN_ZONE_TIME_BYTES], const struct pen_zone *zone, int64_t at);

#ifdef __cplusplus
}
#endif

#endif
