/* Parsing into sets of bits, and the walk over days that finds the next time. */
#include "orchestrator/schedule/cron.h"

#include "core/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    N_FIELDS = 5,
    DAY_S = 86400,
    HOUR_S = 3600,
    MINUTE_S = 60,
    MOST_DAYS = 366 * 45 /* 29 February on one weekday, over 2100 */
};

struct field {
    const char *name;
    int low, high;
    const char *const *names; /* of low, low + 1, ... */
};

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
static const struct field fields[N_FIELDS] = {{"minute", 0, 59, NULL},
                                              {"hour", 0, 23, NULL},
                                              {"day of the month", 1, 31, NULL},
                                              {"month", 1, 12, month_names},
                                              {"day of the week", 0, 7, weekday_names}};

static const struct {
    const char *name, *fields;
} shorthands[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
                  {"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
                  {"@annually", "0 0 1 1 *"}};

/* ---- parsing ---- */

static bool read_value(const struct field *field, const char **at, int *value)
{
    if (isdigit((unsigned char)**at)) {
        *value = 0;
        for (; isdigit((unsigned char)**at) && *value <= 99; (*at)++) {
            *value = *value * 10 + (**at - '0');
        }
        return *value >= field->low && *value <= field->high;
    }
    for (int i = 0; field->names != NULL && field->names[i] != NULL; i++) {
        if (strncasecmp(*at, field->names[i], 3) == 0) {
            *at += 3;
            *value = field->low + i;
            return true;
        }
    }
    return false;
}

/* One part of a list: a, a-b, *, with /step. */
static bool read_part(const struct field *field, const char **at, uint64_t *bits)
{
    int first = field->low, last = field->high, step = 1;
    bool is_range = true;
    if (**at == '*') {
        (*at)++;
    } else {
        if (!read_value(field, at, &first)) {
            return false;
        }
        is_range = **at == '-';
        last = first;
        if (is_range) {
            (*at)++;
            if (!read_value(field, at, &last) || last < first) {
                return false;
            }
        }
    }
    if (**at == '/') {
        (*at)++;
        struct field steps = {field->name, 1, field->high, NULL};
        if (!is_range || !read_value(&steps, at, &step)) {
            return false;
        }
    }
    for (int i = first; i <= last; i += step) {
        *bits |= UINT64_C(1) << i;
    }
    return true;
}

static pen_status read_field(const struct field *field, const char **at, uint64_t *bits, bool *is_any,
                             struct pen_error *err)
{
    const char *begin = *at;
    size_t size = strcspn(begin, " \t");
    *is_any = *begin == '*';
    *bits = 0;
    bool fits = read_part(field, at, bits);
    while (fits && **at == ',') {
        (*at)++;
        fits = read_part(field, at, bits);
    }
    if (!fits || *at != begin + size) {
        char quoted[PEN_QUOTE_BYTES];
        PEN_FAIL(err, PEN_ERR_CONFIG, "cron: %s: expected %d to %d, *, a-b, a list or steps (*/5, 8-18/2), found '%s'",
                 field->name, field->low, field->high, pen_quote(quoted, begin, size));
    }
    *at += strspn(*at, " \t");
    return PEN_OK;
}

/* Does a day of these ever come in these months? 29 February does. */
static bool has_a_date(const struct pen_cron *cron)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (!cron->is_any_day && !cron->is_any_weekday) {
        return true; /* a day of the week will do */
    }
    for (int month = 1; month <= 12; month++) {
        uint64_t days = (UINT64_C(2) << lengths[month - 1]) - 2;
        if ((cron->months >> month & 1) != 0 && (cron->days & days) != 0) {
            return true;
        }
    }
    return false;
}

pen_status pen_cron_parse(struct pen_cron *cron, const char *text, struct pen_error *err)
{
    char quoted[PEN_QUOTE_BYTES];
    const char *at = text + strspn(text, " \t");
    for (size_t i = 0; *at == '@' && i < sizeof shorthands / sizeof shorthands[0]; i++) {
        at = strcmp(at, shorthands[i].name) == 0 ? shorthands[i].fields : at;
    }
    uint64_t bits[N_FIELDS];
    bool any[N_FIELDS];
    for (int i = 0; i < N_FIELDS; i++) {
        if (*at == '\0' || *at == '@') {
            PEN_FAIL(err, PEN_ERR_CONFIG,
                     "cron: expected five fields (minute hour day month weekday) or @daily and the like, found '%s'",
                     pen_quote(quoted, text, strlen(text)));
        }
        PEN_TRY(read_field(&fields[i], &at, &bits[i], &any[i], err));
    }
    if (*at != '\0') {
        PEN_FAIL(err, PEN_ERR_CONFIG, "cron: expected the end after five fields, found '%s'",
                 pen_quote(quoted, at, strlen(at)));
    }
    *cron = (struct pen_cron){.minutes = bits[0],
                              .hours = bits[1],
                              .days = bits[2],
                              .months = bits[3],
                              .weekdays = (bits[4] | bits[4] >> 7) & 0x7F,
                              .is_any_day = any[2],
                              .is_any_weekday = any[4],
                              .is_by_the_hour = any[0] || any[1]};
    if (!has_a_date(cron)) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "cron: expected a date that comes, found a day that none of the months has: '%s'",
                 pen_quote(quoted, text, strlen(text)));
    }
    return PEN_OK;
}

/* ---- the next time ----
 *
 * A wall time is counted as if it were UTC, so a day on the wall has 86,400 seconds whatever its clock does. */

static bool fits_day(const struct pen_cron *cron, int64_t midnight)
{
    time_t seconds = (time_t)midnight;
    struct tm day;
    PEN_ASSERT(gmtime_r(&seconds, &day) != NULL);
    bool fits_date = (cron->days >> day.tm_mday & 1) != 0;
    bool fits_weekday = (cron->weekdays >> day.tm_wday & 1) != 0;
    bool fits = cron->is_any_day || cron->is_any_weekday ? fits_date && fits_weekday : fits_date || fits_weekday;
    return fits && (cron->months >> (day.tm_mon + 1) & 1) != 0;
}

/* The moment between the two, both in UTC, at which the zone's clock is set. */
static int64_t clock_change(int64_t before, int64_t after)
{
    int64_t offset = pen_zone_time(after).offset_s;
    while (after - before > 1) {
        int64_t middle = before + (after - before) / 2;
        if (pen_zone_time(middle).offset_s == offset) {
            after = middle;
        } else {
            before = middle;
        }
    }
    return after;
}

/* The first moment after `after` at which a wall time is taken, or INT64_MAX; early and late: the offsets in force
 * before and after a change of the clock nearby. */
static int64_t take(const struct pen_cron *cron, int64_t wall, int64_t early, int64_t late, int64_t after)
{
    int64_t first = wall - early, second = wall - late;
    bool is_first = pen_zone_time(first).offset_s == early, is_second = pen_zone_time(second).offset_s == late;
    if (cron->is_by_the_hour) {
        return is_first && first > after ? first : is_second && second > after ? second : INT64_MAX;
    }
    int64_t at = is_first ? first : is_second ? second : clock_change(second, first);
    return at > after ? at : INT64_MAX;
}

/* The first time of one day that comes after `after`, or INT64_MAX. */
static int64_t next_of_day(const struct pen_cron *cron, int64_t midnight, int64_t after)
{
    int64_t early = pen_zone_time(midnight - DAY_S).offset_s, late = pen_zone_time(midnight + 2 * DAY_S).offset_s;
    int64_t found = INT64_MAX;
    for (int hour = 0; hour < 24; hour++) {
        for (int minute = 0; (cron->hours >> hour & 1) != 0 && minute < 60; minute++) {
            int64_t wall = midnight + hour * HOUR_S + minute * MINUTE_S;
            if ((cron->minutes >> minute & 1) == 0) {
                continue;
            }
            if (early == late) {
                if (wall - early > after) {
                    return wall - early;
                }
                continue;
            }
            int64_t at = take(cron, wall, early, late, after);
            found = at < found ? at : found;
        }
    }
    return found;
}

int64_t pen_cron_next(const struct pen_cron *cron, const struct pen_zone *zone, int64_t after)
{
    int64_t found = INT64_MAX;
    pen_zone_enter(zone);
    int64_t wall = after + pen_zone_time(after).offset_s;
    int64_t midnight = wall - ((wall % DAY_S) + DAY_S) % DAY_S - DAY_S; /* a clock set back may lead to yesterday */
    for (int i = 0; i < MOST_DAYS; i++, midnight += DAY_S) {
        bool is_last = found != INT64_MAX; /* one day more: a clock set back at midnight mixes two */
        if (fits_day(cron, midnight)) {
            int64_t at = next_of_day(cron, midnight, after);
            found = at < found ? at : found;
        }
        if (is_last) {
            break;
        }
    }
    pen_zone_leave();
    PEN_ASSERT(found != INT64_MAX); /* pen_cron_parse refuses dates that never come */
    return found;
}
