/* Cron: every minute of years asked one by one by a rule of its own, and the days on which clocks are set. */
#include "core/memory.h"
#include "orchestrator/schedule/cron.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

static int64_t utc(int year, int month, int day, int hour, int minute)
{
    struct tm parts = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute};
    return timegm(&parts);
}

static bool has_zones(void)
{
    struct pen_zone zone;
    return pen_zone_init(&zone, "Europe/Berlin", NULL) == PEN_OK;
}

static int64_t next(const char *text, const char *zone_name, int64_t after)
{
    struct pen_cron cron;
    struct pen_zone zone;
    struct pen_error err = PEN_ERROR_INIT;
    if (pen_cron_parse(&cron, text, &err) != PEN_OK || pen_zone_init(&zone, zone_name, &err) != PEN_OK) {
        pen_test_fail(__FILE__, __LINE__, "%s in %s: %s", text, zone_name, err.message);
        return -1;
    }
    return pen_cron_next(&cron, &zone, after);
}

static void times_in_utc(void)
{
    const int64_t new_year = utc(2026, 1, 1, 0, 0);
    PEN_CHECK_EQ_I64(next("30 2 * * *", "UTC", new_year), utc(2026, 1, 1, 2, 30));
    PEN_CHECK_EQ_I64(next("30 2 * * *", "UTC", utc(2026, 1, 1, 2, 30)), utc(2026, 1, 2, 2, 30));
    PEN_CHECK_EQ_I64(next("30 2 * * *", "UTC", utc(2026, 1, 1, 2, 30) - 1), utc(2026, 1, 1, 2, 30));
    PEN_CHECK_EQ_I64(next("*/15 * * * *", "UTC", new_year + 1), utc(2026, 1, 1, 0, 15));
    PEN_CHECK_EQ_I64(next("0 9-17/4 * * mon-fri", "UTC", utc(2026, 1, 2, 17, 0)), utc(2026, 1, 5, 9, 0));
    PEN_CHECK_EQ_I64(next("0 0 31 * *", "UTC", utc(2026, 1, 31, 0, 0)), utc(2026, 3, 31, 0, 0));
    PEN_CHECK_EQ_I64(next("0 0 29 feb *", "UTC", utc(2096, 3, 1, 0, 0)), utc(2104, 2, 29, 0, 0));
    PEN_CHECK_EQ_I64(next("@weekly", "UTC", new_year), utc(2026, 1, 4, 0, 0));
    PEN_CHECK_EQ_I64(next("@yearly", "UTC", new_year), utc(2027, 1, 1, 0, 0));
    PEN_CHECK_EQ_I64(next("0 0 * * 7", "UTC", new_year), utc(2026, 1, 4, 0, 0));
}

/* Friday the 13th needs both to fit; cron takes either when both fields are given. */
static void either_day_fits_when_both_are_given(void)
{
    PEN_CHECK_EQ_I64(next("0 0 13 * 5", "UTC", utc(2026, 2, 1, 0, 0)), utc(2026, 2, 6, 0, 0));
    PEN_CHECK_EQ_I64(next("0 0 13 * 5", "UTC", utc(2026, 3, 31, 0, 0)), utc(2026, 4, 3, 0, 0));
    PEN_CHECK_EQ_I64(next("0 0 13 * 5", "UTC", utc(2026, 4, 10, 0, 0)), utc(2026, 4, 13, 0, 0));
}

/* Berlin 2026: 02:00 becomes 03:00 on 29 March (01:00 UTC), 03:00 becomes 02:00 on 25 October (01:00 UTC). */
static void a_time_jumped_over_is_taken_at_the_jump(void)
{
    if (!has_zones()) {
        PEN_SKIP("no zoneinfo files here");
    }
    int64_t jump = utc(2026, 3, 29, 1, 0);
    PEN_CHECK_EQ_I64(next("30 2 * * *", "Europe/Berlin", utc(2026, 3, 28, 1, 30)), jump);
    PEN_CHECK_EQ_I64(next("30 2 * * *", "Europe/Berlin", jump), utc(2026, 3, 30, 0, 30));
    PEN_CHECK_EQ_I64(next("0,15,30 2 * * *", "Europe/Berlin", jump), utc(2026, 3, 30, 0, 0)); /* once, not thrice */
    PEN_CHECK_EQ_I64(next("*/30 * * * *", "Europe/Berlin", jump - 1), jump);
    PEN_CHECK_EQ_I64(next("*/30 * * * *", "Europe/Berlin", jump), jump + 30 * MINUTE);
}

static void a_time_that_comes_twice_is_taken_once_or_by_the_hour(void)
{
    if (!has_zones()) {
        PEN_SKIP("no zoneinfo files here");
    }
    int64_t back = utc(2026, 10, 25, 1, 0), first = back - 30 * MINUTE, second = back + 30 * MINUTE;
    PEN_CHECK_EQ_I64(next("30 2 * * *", "Europe/Berlin", back - 2 * HOUR), first);
    PEN_CHECK_EQ_I64(next("30 2 * * *", "Europe/Berlin", first), utc(2026, 10, 26, 1, 30));
    PEN_CHECK_EQ_I64(next("30 * * * *", "Europe/Berlin", first), second);
}

/* Lord Howe sets its clock by half an hour; Beirut did at midnight, so that a day began at one; Apia left out 30
 * December 2011. */
static void odd_clocks(void)
{
    if (!has_zones()) {
        PEN_SKIP("no zoneinfo files here");
    }
    PEN_CHECK_EQ_I64(next("15 2 * * *", "Australia/Lord_Howe", utc(2026, 10, 3, 0, 0)), utc(2026, 10, 3, 15, 30));
    PEN_CHECK_EQ_I64(next("0 0 * * *", "Asia/Beirut", utc(2021, 3, 27, 0, 0)), utc(2021, 3, 27, 22, 0));
    PEN_CHECK_EQ_I64(next("0 12 30 12 *", "Pacific/Apia", utc(2011, 12, 1, 0, 0)), utc(2011, 12, 30, 10, 0));
}

/* A field by itself, from the definition: does `value` fit the text? For a, a-b, * and their steps and lists. */
static bool fits(const char *field, int value)
{
    for (const char *at = field; at != NULL; at = strchr(at, ',')) {
        int low = 0, high = 59, step = 1;
        at += *at == ',';
        if (sscanf(at, "*/%d", &step) != 1 && *at != '*' && sscanf(at, "%d-%d/%d", &low, &high, &step) == 1) {
            high = low;
        }
        if (value >= low && value <= high && (value - low) % step == 0) {
            return true;
        }
    }
    return false;
}

/* A year, minute by minute, in a zone: each moment either is the next one after the last found, or does not fit. */
static void walk_a_year(const char *text, const char *zone_name, int year)
{
    char parts[5][16];
    struct pen_cron cron;
    struct pen_zone zone;
    struct pen_error err = PEN_ERROR_INIT;
    PEN_REQUIRE(sscanf(text, "%15s %15s %15s %15s %15s", parts[0], parts[1], parts[2], parts[3], parts[4]) == 5);
    PEN_REQUIRE_OK(pen_cron_parse(&cron, text, &err), &err);
    PEN_REQUIRE_OK(pen_zone_init(&zone, zone_name, &err), &err);
    bool any_day = parts[2][0] == '*', any_weekday = parts[4][0] == '*';
    enum { MOST_TIMES = 366 * 24 * 60 };
    int64_t *times = pen_calloc(MOST_TIMES, sizeof *times), n = 0, found = 0;
    PEN_REQUIRE(times != NULL);
    for (int64_t at = utc(year, 1, 1, 0, 0) - 1; at < utc(year + 1, 1, 1, 0, 0) && n < MOST_TIMES; n++) {
        at = times[n] = pen_cron_next(&cron, &zone, at);
    }
    pen_zone_enter(&zone);
    for (int64_t at = utc(year, 1, 1, 0, 0); at < utc(year + 1, 1, 1, 0, 0); at += MINUTE) {
        struct pen_zone_time time = pen_zone_time(at);
        bool date = fits(parts[2], any_day ? time.day - 1 : time.day);
        bool weekday = fits(parts[4], time.weekday) || fits(parts[4], time.weekday == 0 ? 7 : time.weekday);
        bool day = any_day || any_weekday ? date && weekday : date || weekday;
        bool is_time = fits(parts[0], time.minute) && fits(parts[1], time.hour) && fits(parts[3], time.month) && day;
        if (is_time != (at == times[found])) {
            pen_test_fail(__FILE__, __LINE__, "%s in %s at %lld: expected %s", text, zone_name, (long long)at,
                          is_time ? "a time" : "none");
            break;
        }
        found += is_time;
    }
    pen_zone_leave();
    PEN_CHECK_EQ_I64(found, n - 1); /* the last is of the next year */
    pen_free(times);
}

static void years_minute_by_minute(void)
{
    walk_a_year("*/20 * * * *", "UTC", 2026);
    walk_a_year("7,37 3-5 1,15 * 1-5", "UTC", 2028);
    if (!has_zones()) {
        PEN_SKIP("no zoneinfo files here");
    }
    walk_a_year("*/20 * * * *", "Europe/Berlin", 2026); /* by the hour: the clock's jumps change nothing */
    walk_a_year("10 * */3 2-11/3 *", "America/New_York", 2026);
    walk_a_year("*/15 2 * * 0", "America/St_Johns", 2025);
}

static void refusals(void)
{
    static const char *const texts[][2] = {
        {"", "expected five fields"},
        {"* * * *", "expected five fields"},
        {"* * * * * *", "expected the end after five fields, found '*'"},
        {"60 * * * *", "minute: expected 0 to 59"},
        {"* 24 * * *", "hour: expected 0 to 23"},
        {"* * 0 * *", "day of the month: expected 1 to 31"},
        {"* * * 13 *", "month: expected 1 to 12"},
        {"* * * * 8", "day of the week: expected 0 to 7"},
        {"*/0 * * * *", "minute"},
        {"5/2 * * * *", "found '5/2'"},
        {"9-5 * * * *", "found '9-5'"},
        {"1,,2 * * * *", "found '1,,2'"},
        {"1; * * * *", "found '1;'"},
        {"* * * * moon", "found 'moon'"},
        {"0 0 30 2 *", "a day that none of the months has"},
        {"0 0 31 apr,jun,sep,nov *", "a day that none of the months has"},
        {"@reboot", "expected five fields"},
        {"99999999999999999999 * * * *", "minute"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct pen_cron cron;
        struct pen_error err = PEN_ERROR_INIT;
        PEN_CHECK_STATUS(pen_cron_parse(&cron, texts[i][0], &err), PEN_ERR_CONFIG);
        PEN_CHECK_CONTAINS(err.message, texts[i][1]);
    }
    struct pen_zone zone;
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_STATUS(pen_zone_init(&zone, "Europe/Atlantis", &err), PEN_ERR_CONFIG);
    PEN_CHECK_STATUS(pen_zone_init(&zone, "../../../etc/passwd", &err), PEN_ERR_CONFIG);
    PEN_CHECK_STATUS(pen_zone_init(&zone, "Europe", &err), PEN_ERR_CONFIG);
}

static void the_machines_zone_is_put_back(void)
{
    PEN_REQUIRE(setenv("TZ", "UTC", 1) == 0);
    (void)next("0 0 * * *", "UTC", 0);
    PEN_CHECK_EQ_STR(getenv("TZ"), "UTC");
    PEN_REQUIRE(unsetenv("TZ") == 0);
    (void)next("0 0 * * *", "UTC", 0);
    PEN_CHECK(getenv("TZ") == NULL);
}

PEN_SUITE(cron, PEN_CASE(times_in_utc), PEN_CASE(either_day_fits_when_both_are_given),
          PEN_CASE(a_time_jumped_over_is_taken_at_the_jump),
          PEN_CASE(a_time_that_comes_twice_is_taken_once_or_by_the_hour), PEN_CASE(odd_clocks),
          PEN_CASE(years_minute_by_minute), PEN_CASE(refusals), PEN_CASE(the_machines_zone_is_put_back));
