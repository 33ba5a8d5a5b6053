/* Progress for other processes: its pace by the formula of pace.h, the file never seen in part, the words. */
#include "core/files.h"
#include "orchestrator/run/live.h"
#include "orchestrator/run/pace.h"
#include "tests/pen_test.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct pen_progress_report report_of(const char *phase, int64_t done, int64_t total, int64_t rows)
{
    return (struct pen_progress_report){.phase = phase,
                                        .done = done,
                                        .total = total,
                                        .unit = "steps",
                                        .detail = "",
                                        .rows = rows,
                                        .epoch = (double)NAN,
                                        .loss = (double)NAN,
                                        .rows_per_s = (double)NAN,
                                        .seconds_left = (double)NAN};
}

/* A training continued at step 1000 of 2000: 100 steps of 128 rows in 2 s, so 900 steps take 18 s. */
static void pace_counts_from_the_first_report(void)
{
    struct pen_pace pace = {.began = 0};
    struct pen_progress_report report = report_of("training", 1000, 2000, 128000);
    pen_pace_take(&pace, &report, 50);
    PEN_CHECK(isnan(report.rows_per_s) && isnan(report.seconds_left));
    report = report_of("training", 1100, 2000, 140800);
    pen_pace_take(&pace, &report, 52);
    PEN_CHECK_EQ_F64(report.rows_per_s, 6400);
    PEN_CHECK_EQ_F64(report.seconds_left, 18);
    report = report_of("training", 2000, 2000, 256000);
    pen_pace_take(&pace, &report, 60);
    PEN_CHECK_EQ_F64(report.rows_per_s, 12800);
    PEN_CHECK_EQ_F64(report.seconds_left, 0);
}

static void a_phase_begins_anew(void)
{
    struct pen_pace pace = {.began = 0};
    struct pen_progress_report report = report_of("statistics", 1, 4, -1);
    pen_pace_take(&pace, &report, 0);
    report = report_of("statistics", 4, 4, -1);
    pen_pace_take(&pace, &report, 3);
    PEN_CHECK_EQ_F64(report.seconds_left, 0);
    PEN_CHECK(isnan(report.rows_per_s));
    report = report_of("statistics", 1, 4, -1); /* the next split */
    pen_pace_take(&pace, &report, 4);
    PEN_CHECK(isnan(report.seconds_left));
    report = report_of("statistics", 2, 4, -1);
    pen_pace_take(&pace, &report, 6);
    PEN_CHECK_EQ_F64(report.seconds_left, 4);
    report = report_of("slices", 3, 4, -1);
    pen_pace_take(&pace, &report, 7);
    PEN_CHECK(isnan(report.seconds_left));
    report = report_of("slices", 5, 0, -1); /* without a total there is no end to tell */
    pen_pace_take(&pace, &report, 9);
    PEN_CHECK(isnan(report.seconds_left));
}

static void expect_words(const struct pen_progress_report *report, const char *words)
{
    struct pen_text text = {0};
    pen_json *progress = pen_json_object();
    pen_live_add(progress, report);
    pen_live_describe(progress, &text);
    PEN_CHECK_EQ_STR(pen_text_view(&text), words);
    pen_text_deinit(&text);
    pen_json_free(progress);
}

static void progress_in_words(void)
{
    struct pen_progress_report report = report_of("training", 500, 2000, 64000);
    expect_words(&report, "training 25% of 2000 steps");
    report.epoch = 6.375;
    report.loss = 0.41234;
    report.rows_per_s = 120000.4;
    report.seconds_left = 99.4;
    expect_words(&report, "training 25% of 2000 steps, epoch 6.4, loss 0.4123, 120000 rows/s, 99 s left");
    report.seconds_left = 600;
    report.loss = (double)INFINITY; /* no number that JSON has */
    report.detail = "pass 2";
    expect_words(&report, "training 25% of 2000 steps, pass 2, epoch 6.4, 120000 rows/s, 10 min left");
    report.seconds_left = 9000;
    report.total = 0;
    expect_words(&report, "training 500 steps, pass 2, epoch 6.4, 120000 rows/s, 2.5 h left");
}

static const char *folder_of(char out[PEN_PATH_BYTES], const char *below)
{
    (void)snprintf(out, PEN_PATH_BYTES, "%s/runs/run-1%s", pen_test_directory(), below);
    return out;
}

/* Each report is alike in all its numbers and has a long detail. */
static void write_reports(void)
{
    enum { LONG = 9000 };
    static char detail[LONG];
    char folder[PEN_PATH_BYTES];
    memset(detail, 'x', sizeof detail - 1);
    for (int64_t i = 0;; i++) {
        struct pen_live live;
        struct pen_progress_report report = report_of("training", i, 0, i);
        report.detail = detail + i % LONG;
        pen_json *progress = pen_json_object();
        pen_live_add(progress, &report);
        pen_live_begin(&live, folder_of(folder, ""), "trainer", NULL);
        live.watch.progress(live.watch.user, progress);
        pen_live_end(&live);
        pen_json_free(progress);
    }
}

static void a_reader_sees_whole_reports(void)
{
    enum { READS = 3000 };
    struct pen_error err = PEN_ERROR_INIT;
    char path[PEN_PATH_BYTES];
    int64_t n_reports = 0;
    PEN_REQUIRE_OK(pen_directory_create(folder_of(path, "/trainer"), &err), &err);
    (void)fflush(NULL);
    pid_t writer = fork();
    if (writer == 0) {
        write_reports();
    }
    folder_of(path, "/trainer/progress.json");
    for (int reads = 0; reads < READS;) {
        struct pen_text text = {0};
        pen_json *progress = NULL;
        if (pen_file_read(path, 1 << 16, &text, NULL) == PEN_OK) { /* else it is between two nodes */
            reads++;
            PEN_TEST_BASE(pen_json_parse(text.data, text.size_bytes, path, &progress, &err) == PEN_OK, reads = READS,
                          "%s", err.message);
            int64_t done = pen_json_int_or(pen_json_get(progress, "done"), -1);
            PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(progress, "rows"), -1), done);
            n_reports += done >= 0;
        }
        pen_json_free(progress);
        pen_text_deinit(&text);
    }
    PEN_CHECK(n_reports > 0);
    (void)kill(writer, SIGKILL);
    PEN_CHECK_EQ_I64(waitpid(writer, NULL, 0), writer);
}

static void what_runs_is_read_and_then_gone(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_live live;
    char folder[PEN_PATH_BYTES];
    PEN_REQUIRE_OK(pen_directory_create(folder_of(folder, "/trainer"), &err), &err);
    pen_json *nothing = pen_live_read(pen_test_directory(), "run-1");
    PEN_CHECK_EQ_I64(pen_json_size(nothing), 0);
    pen_json_free(nothing);
    pen_live_begin(&live, folder_of(folder, ""), "trainer", NULL);
    pen_json *begun = pen_live_read(pen_test_directory(), "run-1");
    PEN_CHECK_EQ_I64(pen_json_size(begun), 1);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(pen_json_at(begun, 0), "node"), "?"), "trainer");
    PEN_CHECK(pen_json_number_or(pen_json_get(pen_json_at(begun, 0), "seconds"), -1) >= 0);
    pen_json_free(begun);
    pen_live_end(&live);
    nothing = pen_live_read(pen_test_directory(), "run-1");
    PEN_CHECK_EQ_I64(pen_json_size(nothing), 0);
    pen_json_free(nothing);
}

static void times_are_read_as_they_are_written(void)
{
    char now[PEN_TIME_BYTES];
    PEN_CHECK_EQ_F64(pen_clock_utc_seconds("1970-01-02T00:00:00.500Z"), 86400.5);
    PEN_CHECK_EQ_F64(pen_clock_utc_seconds("2026-11-26T13:06:23.021Z"), 1795698383.021); /* date -d ... +%s */
    PEN_CHECK(isnan(pen_clock_utc_seconds("yesterday")) && isnan(pen_clock_utc_seconds("2026-11-26T13:06:23.xZ")));
    PEN_CHECK(pen_clock_utc_seconds(pen_clock_utc(now)) > 1795698383.0);
}

PEN_SUITE(progress, PEN_CASE(times_are_read_as_they_are_written), PEN_CASE(pace_counts_from_the_first_report),
          PEN_CASE(a_phase_begins_anew), PEN_CASE(progress_in_words), PEN_CASE(a_reader_sees_whole_reports),
          PEN_CASE(what_runs_is_read_and_then_gone));
