/* Reading the section, and the arithmetic of what is due. */
#include "orchestrator/schedule/schedule.h"

#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400 };

struct options {
    const char *zone;
    const struct pen_config_node *cron, *every, *start, *poll;
    int catch_up;
    bool on_new_data;
};

static const char *const catch_ups[] = {"none", "last", "all", NULL};

static const struct pen_option table[] = {
    {"cron", PEN_OPTION_NODE, offsetof(struct options, cron), NULL, 0, 0, NULL, "minute hour day month weekday"},
    {"every", PEN_OPTION_NODE, offsetof(struct options, every), NULL, 0, 0, NULL, "an interval: 15m, 6h"},
    {"zone", PEN_OPTION_STRING, offsetof(struct options, zone), "UTC", 0, 0, NULL, "time zone of cron"},
    {"catch_up", PEN_OPTION_ENUM, offsetof(struct options, catch_up), "none", 0, 0, catch_ups,
     "what becomes of times at which nothing could run"},
    {"start", PEN_OPTION_NODE, offsetof(struct options, start), NULL, 0, 0, NULL, "a date, UTC: nothing before it"},
    {"on_new_data", PEN_OPTION_BOOL, offsetof(struct options, on_new_data), "false", 0, 0, NULL,
     "also run when the input changed"},
    {"poll", PEN_OPTION_NODE, offsetof(struct options, poll), "60s", 0, 0, NULL, "how often the input is looked at"},
    {.name = NULL}};

static pen_status read_seconds(const struct pen_config_node *node, const char *name, int64_t *seconds,
                               struct pen_error *err)
{
    double value = 0;
    PEN_TRY(pen_config_seconds(node, name, &value, err));
    if (!(value >= 1 && value <= 366.0 * DAY_S) || value != floor(value)) {
        return pen_config_error(node, err, "%s: expected whole seconds, from 1s to a year", name);
    }
    *seconds = (int64_t)value;
    return PEN_OK;
}

static pen_status read_start(const struct pen_config_node *node, int64_t *start, struct pen_error *err)
{
    const char *text = NULL;
    struct tm parts = {0};
    PEN_TRY(pen_config_string(node, "start", &text, err));
    const char *end = strptime(text, "%Y-%m-%d", &parts);
    end = end != NULL && *end == 'T' ? strptime(end, "T%H:%M", &parts) : end;
    end = end != NULL && *end == 'Z' ? end + 1 : end;
    if (end == NULL || *end != '\0') {
        return pen_config_error(node, err, "start: expected a date such as 2026-01-31 or 2026-01-31T06:00, in UTC");
    }
    *start = timegm(&parts);
    return PEN_OK;
}

/* A message of pen_cron_parse or pen_zone_init, at the node's place. */
static pen_status at_node(const struct pen_config_node *node, const struct pen_error *why, struct pen_error *err)
{
    return pen_config_error(node, err, "schedule: %s", why->message);
}

pen_status pen_schedule_read(struct pen_arena *arena, const struct pen_config_node *node, struct pen_schedule *schedule,
                             struct pen_error *err)
{
    struct options options;
    struct pen_error why = PEN_ERROR_INIT;
    *schedule = (struct pen_schedule){0};
    PEN_TRY(pen_config_options(arena, &options, sizeof options, table, node, "schedule", err));
    if (options.cron != NULL && options.every != NULL) {
        return pen_config_error(options.every, err, "schedule: expected cron or every, found both");
    }
    if (options.cron == NULL && options.every == NULL && !options.on_new_data) {
        return pen_config_error(node, err, "schedule: expected one of cron, every and on_new_data: true");
    }
    if (options.cron != NULL) {
        schedule->is_cron = true;
        PEN_TRY(pen_config_string(options.cron, "cron", &schedule->text, err));
        if (pen_cron_parse(&schedule->cron, schedule->text, &why) != PEN_OK) {
            return at_node(options.cron, &why, err);
        }
    }
    if (options.every != NULL) {
        PEN_TRY(pen_config_string(options.every, "every", &schedule->text, err));
        PEN_TRY(read_seconds(options.every, "every", &schedule->every_s, err));
    }
    if (pen_zone_init(&schedule->zone, options.zone, &why) != PEN_OK) {
        return at_node(pen_config_get(node, "zone"), &why, err);
    }
    if (options.start != NULL) {
        PEN_TRY(read_start(options.start, &schedule->start, err));
    }
    schedule->catch_up = (enum pen_catch_up)options.catch_up;
    schedule->on_new_data = options.on_new_data;
    return read_seconds(options.poll, "poll", &schedule->poll_s, err);
}

int64_t pen_schedule_next(const struct pen_schedule *schedule, int64_t after)
{
    after = after < schedule->start ? schedule->start - 1 : after;
    if (schedule->is_cron) {
        return pen_cron_next(&schedule->cron, &schedule->zone, after);
    }
    if (schedule->every_s == 0) {
        return PEN_NEVER;
    }
    return schedule->start + ((after - schedule->start + schedule->every_s) / schedule->every_s) * schedule->every_s;
}

struct pen_due pen_schedule_due(const struct pen_schedule *schedule, int64_t handled, int64_t now)
{
    struct pen_due due = {.handled = handled > now + DAY_S ? now : handled};
    for (int64_t at = pen_schedule_next(schedule, due.handled); at <= now; at = pen_schedule_next(schedule, at)) {
        due.n_missed += due.is_due;
        due.is_due = true;
        due.at = due.handled = at;
        if (schedule->catch_up == PEN_CATCH_UP_ALL) {
            break;
        }
    }
    if (due.is_due && schedule->catch_up == PEN_CATCH_UP_NONE && now - due.at >= PEN_ON_TIME_S) {
        due.is_due = false;
        due.n_missed++;
    }
    return due;
}
