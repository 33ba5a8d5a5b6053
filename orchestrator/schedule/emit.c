/* Units of systemd.timer(5) and lines of crontab(5), with the quoting of each. */
#include "orchestrator/schedule/emit.h"

#include <string.h>

enum { HOUR_S = 3600, DAY_S = 86400 };

static pen_status check(const struct pen_schedule *schedule, const char *target, struct pen_error *err)
{
    if (schedule->on_new_data) {
        PEN_FAIL(err, PEN_ERR_CONFIG,
                 "schedule: %s cannot wait for new data: leave on_new_data out, or let 'penstock "
                 "schedule' serve it",
                 target);
    }
    if (schedule->catch_up == PEN_CATCH_UP_ALL) {
        PEN_FAIL(err, PEN_ERR_CONFIG,
                 "schedule: %s cannot make up every missed time: use catch_up: last or none, or "
                 "let 'penstock schedule' serve it",
                 target);
    }
    return PEN_OK;
}

/* ---- systemd ---- */

/* A word of ExecStart=: in double quotes, with what systemd would expand doubled. */
static void add_systemd_word(struct pen_text *out, const char *word)
{
    pen_text_append(out, "\"");
    for (; *word != '\0'; word++) {
        if (*word == '%' || *word == '$') {
            pen_text_append_char(out, *word);
        } else if (*word == '"' || *word == '\\') {
            pen_text_append_char(out, '\\');
        }
        pen_text_append_char(out, *word);
    }
    pen_text_append(out, "\" ");
}

/* The values of a field, "1,15"; "*" when all fit. */
static void add_values(struct pen_text *out, uint64_t bits, int low, int high)
{
    const char *comma = "";
    uint64_t all = ((UINT64_C(2) << high) - 1) & ~((UINT64_C(1) << low) - 1);
    if ((bits & all) == all) {
        pen_text_append(out, "*");
        return;
    }
    for (int i = low; i <= high; i++) {
        if ((bits >> i & 1) != 0) {
            pen_text_printf(out, "%s%02d", comma, i);
            comma = ",";
        }
    }
}

static void add_calendar(struct pen_text *out, const struct pen_schedule *schedule, bool with_weekdays, bool with_days)
{
    static const char *const names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    const struct pen_cron *cron = &schedule->cron;
    pen_text_append(out, "OnCalendar=");
    if (with_weekdays && cron->weekdays != 0x7F) {
        const char *comma = "";
        for (int i = 0; i < 7; i++) {
            if ((cron->weekdays >> i & 1) != 0) {
                pen_text_printf(out, "%s%s", comma, names[i]);
                comma = ",";
            }
        }
        pen_text_append(out, " ");
    }
    pen_text_append(out, "*-");
    add_values(out, cron->months, 1, 12);
    pen_text_append(out, "-");
    add_values(out, with_days ? cron->days : ~UINT64_C(0), 1, 31);
    pen_text_append(out, " ");
    add_values(out, cron->hours, 0, 23);
    pen_text_append(out, ":");
    add_values(out, cron->minutes, 0, 59);
    pen_text_printf(out, ":00%s%s\n", strcmp(schedule->zone.name, "local") == 0 ? "" : " ",
                    strcmp(schedule->zone.name, "local") == 0 ? "" : schedule->zone.name);
}

pen_status pen_emit_systemd(const struct pen_schedule *schedule, const struct pen_emit_command *command,
                            struct pen_text *out, struct pen_error *err)
{
    PEN_TRY(check(schedule, "a timer of systemd", err));
    pen_text_printf(out,
                    "# ~/.config/systemd/user/penstock-%s.service\n[Unit]\nDescription=penstock pipeline %s\n\n"
                    "[Service]\nType=oneshot\nWorkingDirectory=",
                    command->pipeline, command->pipeline);
    for (const char *at = command->directory; *at != '\0'; at++) {
        pen_text_append(out, *at == '%' ? "%%" : (const char[]){*at, '\0'});
    }
    pen_text_append(out, "\nExecStart=");
    add_systemd_word(out, command->program);
    add_systemd_word(out, "run");
    if (command->root != NULL) {
        add_systemd_word(out, "--root");
        add_systemd_word(out, command->root);
    }
    add_systemd_word(out, command->file);
    pen_text_printf(
        out,
        "\n\n# ~/.config/systemd/user/penstock-%s.timer\n[Unit]\nDescription=penstock pipeline %s: %s\n\n[Timer]\n",
        command->pipeline, command->pipeline, schedule->text);
    if (!schedule->is_cron) {
        pen_text_printf(out, "OnActiveSec=0\nOnUnitActiveSec=%llds\n", (long long)schedule->every_s);
    } else if (schedule->cron.is_any_day || schedule->cron.is_any_weekday) {
        add_calendar(out, schedule, true, true);
    } else { /* either day fits */
        add_calendar(out, schedule, true, false);
        add_calendar(out, schedule, false, true);
    }
    pen_text_printf(out, "AccuracySec=1s\nPersistent=%s\n\n[Install]\nWantedBy=timers.target\n",
                    schedule->catch_up == PEN_CATCH_UP_LAST ? "true" : "false");
    pen_text_printf(out,
                    "\n# then: systemctl --user daemon-reload && systemctl --user enable --now penstock-%s.timer\n",
                    command->pipeline);
    return pen_text_check(out, err);
}

/* ---- cron ---- */

/* A word of the shell in single quotes; crontab ends a command at %. */
static void add_cron_word(struct pen_text *out, const char *word)
{
    pen_text_append(out, " '");
    for (; *word != '\0'; word++) {
        pen_text_append(out, *word == '\'' ? "'\\''" : *word == '%' ? "\\%" : (const char[]){*word, '\0'});
    }
    pen_text_append(out, "'");
}

static pen_status add_interval(struct pen_text *out, const struct pen_schedule *schedule, struct pen_error *err)
{
    int64_t every = schedule->every_s;
    if (every % 60 == 0 && HOUR_S % every == 0 && every < HOUR_S) {
        pen_text_printf(out, "*/%lld * * * *", (long long)(every / 60));
    } else if (every % HOUR_S == 0 && DAY_S % every == 0 && every < DAY_S) {
        pen_text_printf(out, "0 */%lld * * *", (long long)(every / HOUR_S));
    } else if (every == DAY_S) {
        pen_text_append(out, "0 0 * * *");
    } else {
        PEN_FAIL(err, PEN_ERR_CONFIG,
                 "schedule: cron has no interval of %s: expected one that divides an hour or a day", schedule->text);
    }
    return PEN_OK;
}

pen_status pen_emit_cron(const struct pen_schedule *schedule, const struct pen_emit_command *command,
                         struct pen_text *out, struct pen_error *err)
{
    PEN_TRY(check(schedule, "cron", err));
    if (schedule->is_cron && strcmp(schedule->zone.name, "local") != 0) {
        PEN_FAIL(err, PEN_ERR_CONFIG,
                 "schedule: cron goes by the machine's time zone, not %s: write zone: local, or "
                 "--emit systemd",
                 schedule->zone.name);
    }
    if (schedule->catch_up != PEN_CATCH_UP_NONE) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "schedule: cron makes up no missed time: use catch_up: none, or --emit systemd");
    }
    if (schedule->is_cron) {
        pen_text_append(out, schedule->text);
    } else {
        PEN_TRY(add_interval(out, schedule, err));
    }
    pen_text_append(out, " cd");
    add_cron_word(out, command->directory);
    pen_text_append(out, " &&");
    add_cron_word(out, command->program);
    pen_text_append(out, " run");
    if (command->root != NULL) {
        pen_text_append(out, " --root");
        add_cron_word(out, command->root);
    }
    add_cron_word(out, command->file);
    pen_text_append(out, "\n");
    return pen_text_check(out, err);
}
