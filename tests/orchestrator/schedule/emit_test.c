/* Schedules handed to systemd and cron: systemd-analyze reads what is written for it, and agrees on when. */
#include "orchestrator/schedule/emit.h"

#include "core/files.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct pen_emit_command command = {.pipeline = "trips",
                                                .program = "/opt/pen stock/bin/penstock",
                                                .file = "/data/100%/it's \"here\" $x.yaml",
                                                .directory = "/data/100%"};

static pen_status emit(const char *section, bool cron, struct pen_text *out, struct pen_error *err)
{
    struct pen_arena arena = {0};
    struct pen_config_node *node = NULL;
    struct pen_schedule schedule;
    pen_status status = pen_config_parse(&arena, section, strlen(section), "pipeline.yaml", &node, err);
    status = status == PEN_OK ? pen_schedule_read(&arena, node, &schedule, err) : status;
    status = status == PEN_OK ? (cron ? pen_emit_cron : pen_emit_systemd)(&schedule, &command, out, err) : status;
    pen_arena_deinit(&arena);
    return status;
}

static void a_crontab_line_is_quoted_for_the_shell_and_cron(void)
{
    struct pen_text text = {0};
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_OK(emit("{cron: 30 2 * * *, zone: local}", true, &text, &err), &err);
    PEN_CHECK_EQ_STR(pen_text_view(&text), "30 2 * * * cd '/data/100\\%' && '/opt/pen stock/bin/penstock' run "
                                           "'/data/100\\%/it'\\''s \"here\" $x.yaml'\n");
    pen_text_reset(&text);
    PEN_CHECK_OK(emit("{every: 6h}", true, &text, &err), &err);
    PEN_CHECK_CONTAINS(pen_text_view(&text), "0 */6 * * * cd");
    pen_text_reset(&text);
    PEN_CHECK_OK(emit("{every: 10m}", true, &text, &err), &err);
    PEN_CHECK_CONTAINS(pen_text_view(&text), "*/10 * * * * cd");
    pen_text_deinit(&text);
}

static void what_they_cannot_do_is_said(void)
{
    static const struct {
        const char *section;
        bool cron;
        const char *message;
    } cases[] = {
        {"{cron: 30 2 * * *, zone: UTC}", true, "cron goes by the machine's time zone, not UTC"},
        {"{cron: 30 2 * * *, zone: local, catch_up: last}", true, "cron makes up no missed time"},
        {"{every: 7h}", true, "cron has no interval of 7h"},
        {"{every: 90m}", true, "cron has no interval of 90m"},
        {"{every: 24h, on_new_data: true}", true, "cannot wait for new data"},
        {"{every: 24h, on_new_data: true}", false, "cannot wait for new data"},
        {"{every: 24h, catch_up: all}", false, "cannot make up every missed time"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_text text = {0};
        struct pen_error err = PEN_ERROR_INIT;
        PEN_CHECK_STATUS(emit(cases[i].section, cases[i].cron, &text, &err), PEN_ERR_CONFIG);
        PEN_CHECK_CONTAINS(err.message, cases[i].message);
        pen_text_deinit(&text);
    }
}

static void units_are_quoted_for_systemd(void)
{
    struct pen_text text = {0};
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_OK(emit("{every: 6h, catch_up: last}", false, &text, &err), &err);
    PEN_CHECK_CONTAINS(pen_text_view(&text), "\nWorkingDirectory=/data/100%%\n");
    PEN_CHECK_CONTAINS(pen_text_view(&text), "\nExecStart=\"/opt/pen stock/bin/penstock\" \"run\" "
                                             "\"/data/100%%/it's \\\"here\\\" $$x.yaml\"");
    PEN_CHECK_CONTAINS(pen_text_view(&text), "\nOnUnitActiveSec=21600s\n");
    PEN_CHECK_CONTAINS(pen_text_view(&text), "\nPersistent=true\n");
    pen_text_deinit(&text);
}

/* The next time of an OnCalendar line after `after`, from systemd itself; -1: it does not read it. */
static int64_t ask_systemd(const char *line, size_t size, int64_t after)
{
    char ask[1024], answer[256] = "";
    struct tm parts = {0};
    (void)snprintf(
        ask, sizeof ask,
        "TZ=UTC LC_ALL=C systemd-analyze calendar --base-time='@%lld' '%.*s' | sed -n 's/.*Next elapse: //p'",
        (long long)after, (int)size, line);
    FILE *pipe = popen(ask, "r");
    if (pipe == NULL) {
        return -1;
    }
    bool is_read = fgets(answer, sizeof answer, pipe) != NULL;
    (void)pclose(pipe);
    return is_read && strptime(answer, "%a %Y-%m-%d %H:%M:%S UTC", &parts) != NULL ? (int64_t)timegm(&parts) : -1;
}

static void systemd_agrees_on_when(void)
{
    static const char *const crons[] = {
        "30 2 * * *",         "*/20 8-18/2 * * mon-fri", "0 0 1,15 * *",       "0 12 13 * 5",
        "15 6 * jan,jul sun", "59 23 31 12 *",           "7 */6 1-7 2-11/3 *", "0 0 29 2 *"};
    if (system("systemd-analyze calendar --base-time=@0 '*-*-* 00:00:00' > /dev/null 2>&1") != 0) {
        PEN_SKIP("no systemd-analyze with --base-time here");
    }
    for (size_t i = 0; i < sizeof crons / sizeof crons[0]; i++) {
        char section[128];
        struct pen_text text = {0};
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_cron cron;
        static const struct pen_zone zone = {"UTC"};
        (void)snprintf(section, sizeof section, "{cron: '%s'}", crons[i]);
        PEN_REQUIRE_OK(emit(section, false, &text, &err), &err);
        PEN_REQUIRE_OK(pen_cron_parse(&cron, crons[i], &err), &err);
        for (int64_t after = 1767225600, n = 0; n < 3; n++) { /* 2026-01-01 */
            int64_t expected = pen_cron_next(&cron, &zone, after), found = INT64_MAX;
            for (const char *at = strstr(pen_text_view(&text), "OnCalendar="); at != NULL;
                 at = strstr(at, "OnCalendar=")) {
                at += strlen("OnCalendar=");
                int64_t next = ask_systemd(at, strcspn(at, "\n"), after);
                found = next < found ? next : found;
            }
            PEN_CHECK_MSG(found == expected, "%s after %lld: systemd says %lld, we say %lld", crons[i],
                          (long long)after, (long long)found, (long long)expected);
            after = expected;
        }
        pen_text_deinit(&text);
    }
}

PEN_SUITE(emit, PEN_CASE(a_crontab_line_is_quoted_for_the_shell_and_cron), PEN_CASE(what_they_cannot_do_is_said),
          PEN_CASE(units_are_quoted_for_systemd), PEN_CASE(systemd_agrees_on_when));
