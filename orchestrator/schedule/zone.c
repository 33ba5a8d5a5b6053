/* TZ is set while a zone is entered and put back after: children and messages keep the machine's own. */
#include "orchestrator/schedule/zone.h"

#include "core/files.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char folder[] = "/usr/share/zoneinfo";

static struct {
    bool entered, had_value;
    char value[PEN_PATH_BYTES];
} before; /* TZ as it was */

pen_status pen_zone_init(struct pen_zone *zone, const char *name, struct pen_error *err)
{
    char quoted[PEN_QUOTE_BYTES];
    char path[PEN_PATH_BYTES];
    bool is_name = name[0] != '/' && strstr(name, "..") == NULL &&
                   strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-") == strlen(name);
    bool is_known = strcmp(name, "UTC") == 0 || strcmp(name, "local") == 0;
    (void)snprintf(path, sizeof path, "%s/%s", folder, is_name ? name : "");
    if (!is_known && !pen_path_is_directory(folder)) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "time zone '%s' is not known here: %s is missing; install tzdata, or use UTC",
                 pen_quote(quoted, name, strlen(name)), folder);
    }
    if (!is_known && (!is_name || name[0] == '\0' || !pen_path_exists(path) || pen_path_is_directory(path) ||
                      strlen(name) >= sizeof zone->name)) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "expected a time zone such as Europe/Berlin, UTC or local, found '%s'",
                 pen_quote(quoted, name, strlen(name)));
    }
    (void)snprintf(zone->name, sizeof zone->name, "%s", name);
    return PEN_OK;
}

void pen_zone_enter(const struct pen_zone *zone)
{
    const char *value = getenv("TZ");
    PEN_ASSERT(!before.entered);
    before.entered = true;
    before.had_value = value != NULL;
    (void)snprintf(before.value, sizeof before.value, "%s", value == NULL ? "" : value);
    if (strcmp(zone->name, "local") != 0) {
        char entry[PEN_ZONE_NAME_BYTES + 1];
        (void)snprintf(entry, sizeof entry, "%s%s", strcmp(zone->name, "UTC") == 0 ? "" : ":", zone->name);
        PEN_ASSERT(setenv("TZ", entry, 1) == 0);
    }
    tzset();
}

void pen_zone_leave(void)
{
    PEN_ASSERT(before.entered);
    before.entered = false;
    PEN_ASSERT((before.had_value ? setenv("TZ", before.value, 1) : unsetenv("TZ")) == 0);
    tzset();
}

struct pen_zone_time pen_zone_time(int64_t at)
{
    time_t seconds = (time_t)at;
    struct tm parts;
    PEN_ASSERT(before.entered && localtime_r(&seconds, &parts) != NULL);
    return (struct pen_zone_time){.year = parts.tm_year + 1900,
                                  .month = parts.tm_mon + 1,
                                  .day = parts.tm_mday,
                                  .hour = parts.tm_hour,
                                  .minute = parts.tm_min,
                                  .second = parts.tm_sec,
                                  .weekday = parts.tm_wday,
                                  .offset_s = parts.tm_gmtoff};
}

const char *pen_zone_print(char out[PEN_ZONE_TIME_BYTES], const struct pen_zone *zone, int64_t at)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    pen_zone_enter(zone);
    struct pen_zone_time time = pen_zone_time(at);
    pen_zone_leave();
    int64_t minutes = (time.offset_s < 0 ? -time.offset_s : time.offset_s) / 60;
    (void)snprintf(out, PEN_ZONE_TIME_BYTES, "%s %04d-%02d-%02d %02d:%02d %c%02d%02d", days[time.weekday], time.year,
                   time.month, time.day, time.hour, time.minute, time.offset_s < 0 ? '-' : '+', (int)(minutes / 60),
                   (int)(minutes % 60));
    return out;
}
