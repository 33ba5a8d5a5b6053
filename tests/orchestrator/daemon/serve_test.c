/* The loop of a schedule under a clock that jumps over months: which runs begin, and which do not, over a year with
 * days on which clocks are set, with runs that take long, with the daemon stopped and started, with clocks put right.
 */
#include "orchestrator/daemon/serve.h"

#include "core/files.h"
#include "core/rng.h"
#include "orchestrator/daemon/state.h"
#include "orchestrator/schedule/schedule.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400, MOST = 4096, SEED = 7 };

struct world {
    int64_t now, stop; /* asked to stop at */
    int64_t run_s;     /* how long runs take */
    pen_status status; /* how they end */
    int n_busy;        /* so many attempts find the root held */
    int64_t n;
    int64_t at[MOST], began[MOST];
    char why[MOST][PEN_WHY_BYTES];
    char said[PEN_ERROR_MESSAGE_BYTES]; /* the last line */
    void (*waits)(struct world *world); /* what else happens while it waits; NULL: nothing */
    const char *file;
};

static int64_t now(void *user)
{
    return ((struct world *)user)->now;
}

static bool wait_until(void *user, int64_t until)
{
    struct world *world = user;
    until = until > world->stop ? world->stop : until;
    world->now = until > world->now ? until : world->now;
    if (world->waits != NULL) {
        world->waits(world);
    }
    return world->now < world->stop;
}

static pen_status run(void *user, const char *file, const char *root, const char *why, int64_t at)
{
    struct world *world = user;
    (void)file;
    (void)root;
    if (world->n_busy > 0) {
        world->n_busy--;
        return PEN_ERR_BUSY;
    }
    if (world->n < MOST) {
        world->at[world->n] = at;
        world->began[world->n] = world->now;
        (void)snprintf(world->why[world->n], PEN_WHY_BYTES, "%s", why);
        world->n++;
    }
    world->now += world->run_s;
    return world->status;
}

static void say(void *user, const char *pipeline, const char *text)
{
    struct world *world = user;
    (void)pipeline;
    (void)snprintf(world->said, sizeof world->said, "%s", text);
}

static int64_t utc(int year, int month, int day, int hour, int minute)
{
    struct tm parts = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute};
    return timegm(&parts);
}

static const char *in_folder(const char *name)
{
    static char path[PEN_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", pen_test_directory(), name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_OK(pen_file_write_atomic(in_folder(name), text, strlen(text), &err), &err);
}

/* A pipeline with this schedule, its root in the case's folder. */
static void write_pipeline(const char *schedule)
{
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "pipeline: trips\nroot: %s/root\nschedule: %s\nexample_gen: {csv: 'trips-{SPAN}.csv'}\n",
                   pen_test_directory(), schedule);
    write_file("pipeline.yaml", text);
}

static pen_status serve(struct world *world, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/pipeline.yaml", pen_test_directory());
    const char *files[] = {path};
    const struct pen_schedule_world as_world = {world, now, wait_until, run, say};
    return pen_schedule_serve(files, 1, NULL, &as_world, err);
}

static void serve_until(struct world *world, int64_t stop)
{
    struct pen_error err = PEN_ERROR_INIT;
    world->stop = stop;
    PEN_CHECK_OK(serve(world, &err), &err);
}

static bool has_zones(void)
{
    struct pen_zone zone;
    return pen_zone_init(&zone, "Europe/Berlin", NULL) == PEN_OK;
}

/* 2:30 in Berlin through 2026, a run of ten minutes: 365 runs, each when the clock there shows it, the one of 29 March
 * at the jump from 2:00 to 3:00, the one of 25 October before the clock goes back. */
static void a_year_of_nights(void)
{
    if (!has_zones()) {
        PEN_SKIP("no zoneinfo files here");
    }
    struct world world = {.now = utc(2025, 12, 31, 23, 0), .run_s = 10 * MINUTE};
    write_pipeline("{cron: 30 2 * * *, zone: Europe/Berlin}");
    serve_until(&world, utc(2026, 12, 31, 23, 0));
    PEN_REQUIRE_EQ_I64(world.n, 365);
    for (int64_t i = 0; i < world.n; i++) {
        int64_t day = utc(2026, 1, 1, 0, 0) + i * DAY;
        bool is_summer = day > utc(2026, 3, 29, 0, 0) && day <= utc(2026, 10, 25, 0, 0);
        int64_t expected = day + (is_summer ? 30 * MINUTE : 90 * MINUTE);
        expected = day == utc(2026, 3, 29, 0, 0) ? utc(2026, 3, 29, 1, 0) : expected;
        PEN_CHECK_EQ_I64(world.at[i], expected);
        PEN_CHECK_EQ_I64(world.began[i], expected);
    }
}

/* The daemon is stopped at random, for minutes to weeks, runs take minutes to days, the clock is put right by up to an
 * hour. Whatever happens: no time twice, none before it is due, in order; `all` leaves none out, `last` and `none`
 * begin each run with the newest there was, `none` only on time. */
static void a_hard_year(const char *catch_up)
{
    char text[128];
    struct world world = {.now = utc(2026, 1, 1, 0, 0)};
    uint64_t n_drawn = 0;
    bool is_all = strcmp(catch_up, "all") == 0, is_none = strcmp(catch_up, "none") == 0;
    (void)snprintf(text, sizeof text, "{cron: '0 5,17 * * *', catch_up: %s}", catch_up);
    write_pipeline(text);
    while (world.now < utc(2027, 1, 1, 0, 0)) {
        world.run_s = pen_rng_below(SEED, 0, n_drawn++, 3) == 0 ? 2 * DAY : 5 * MINUTE;
        world.status = pen_rng_below(SEED, 0, n_drawn++, 2) == 0 ? PEN_OK : PEN_ERR_DATA;
        serve_until(&world, world.now + (int64_t)pen_rng_below(SEED, 0, n_drawn++, 6 * DAY));
        world.now += (int64_t)pen_rng_below(SEED, 0, n_drawn++, 3 * DAY); /* off */
        world.now += (int64_t)pen_rng_below(SEED, 0, n_drawn++, HOUR) - HOUR / 2;
    }
    world.run_s = 0;
    serve_until(&world, world.now + DAY);
    PEN_REQUIRE(world.n > 50);
    for (int64_t i = 0; i < world.n; i++) {
        int64_t hour = world.at[i] % DAY / HOUR, newest = world.began[i] - (world.began[i] + 7 * HOUR) % (12 * HOUR);
        PEN_CHECK(world.at[i] % HOUR == 0 && (hour == 5 || hour == 17));
        PEN_CHECK(world.began[i] >= world.at[i] && world.at[i] >= utc(2026, 1, 1, 5, 0));
        PEN_CHECK(i == 0 || world.at[i] > world.at[i - 1]);
        PEN_CHECK(is_all || world.at[i] == newest);
        PEN_CHECK(!is_none || world.began[i] - world.at[i] < PEN_ON_TIME_S);
        PEN_CHECK(!is_all || world.at[i] == utc(2026, 1, 1, 5, 0) + i * 12 * HOUR);
    }
    if (!is_none) { /* nothing that fell due was forgotten */
        PEN_CHECK(world.now - world.at[world.n - 1] <= 12 * HOUR);
    }
}

static void none_of_the_missed_times_is_made_up(void)
{
    a_hard_year("none");
}

static void the_last_of_the_missed_times_is_made_up(void)
{
    a_hard_year("last");
}

static void all_of_the_missed_times_are_made_up(void)
{
    a_hard_year("all");
}

static void all_begins_at_the_start(void)
{
    struct world world = {.now = utc(2026, 2, 1, 12, 0)};
    write_pipeline("{every: 24h, start: 2026-01-01, catch_up: all}");
    serve_until(&world, utc(2026, 2, 1, 13, 0));
    PEN_REQUIRE_EQ_I64(world.n, 32);
    PEN_CHECK_EQ_I64(world.at[0], utc(2026, 1, 1, 0, 0));
    PEN_CHECK_EQ_I64(world.at[31], utc(2026, 2, 1, 0, 0));
}

/* The clock was in 2031 for a while: its time is not waited for again. */
static void a_clock_gone_wrong(void)
{
    struct world world = {.now = utc(2031, 1, 1, 0, 0)};
    write_pipeline("{every: 1h}");
    serve_until(&world, utc(2031, 1, 1, 2, 30));
    PEN_CHECK_EQ_I64(world.n, 3);
    world.now = utc(2026, 1, 1, 0, 30);
    serve_until(&world, utc(2026, 1, 1, 2, 30));
    PEN_REQUIRE_EQ_I64(world.n, 5);
    PEN_CHECK_EQ_I64(world.at[4], utc(2026, 1, 1, 2, 0));
}

static void a_held_root_is_asked_again(void)
{
    struct world world = {.now = utc(2026, 1, 1, 0, 30), .n_busy = 5};
    write_pipeline("{every: 1h}");
    serve_until(&world, utc(2026, 1, 1, 1, 30));
    PEN_REQUIRE_EQ_I64(world.n, 1);
    PEN_CHECK_EQ_I64(world.at[0], utc(2026, 1, 1, 1, 0));
    PEN_CHECK_EQ_I64(world.began[0], world.at[0] + 5 * PEN_BUSY_S);
}

static void set_mark(const char *name, bool is_set)
{
    struct pen_error err = PEN_ERROR_INIT;
    char root[PEN_PATH_BYTES];
    (void)snprintf(root, sizeof root, "%s/root", pen_test_directory());
    PEN_CHECK_OK(pen_schedule_set_mark(root, name, is_set, &err), &err);
}

static void paused_starts_nothing_and_trigger_starts_one(void)
{
    struct world world = {.now = utc(2026, 1, 1, 0, 30)};
    write_pipeline("{every: 1h, catch_up: last}");
    set_mark("paused", true);
    set_mark("trigger", true);
    serve_until(&world, utc(2026, 1, 1, 3, 30));
    PEN_CHECK_EQ_I64(world.n, 0);
    set_mark("paused", false);
    serve_until(&world, utc(2026, 1, 1, 3, 40));
    PEN_REQUIRE_EQ_I64(world.n, 2);
    PEN_CHECK_EQ_STR(world.why[0], "triggered");
    PEN_CHECK_EQ_STR(world.why[1], "due at Thu 2026-01-01 03:00 +0000");
    serve_until(&world, utc(2026, 1, 1, 3, 50));
    PEN_CHECK_EQ_I64(world.n, 2);
}

/* A second span comes at 0:05, and a third while the run of the second goes on. */
static void spans_come(struct world *world)
{
    const char *rows = "a,b\n1,2\n";
    if (world->n == 0 && world->now >= utc(2026, 1, 1, 0, 5)) {
        write_file("trips-2.csv", rows);
    } else if (world->n == 1) {
        write_file("trips-3.csv", rows);
    }
}

static void new_data_starts_a_run(void)
{
    struct world world = {.now = utc(2026, 1, 1, 0, 0), .run_s = 5 * MINUTE, .waits = spans_come};
    write_pipeline("{on_new_data: true, poll: 60s}");
    write_file("trips-1.csv", "a,b\n1,2\n");
    serve_until(&world, utc(2026, 1, 1, 1, 0));
    PEN_REQUIRE_EQ_I64(world.n, 2);
    PEN_CHECK_EQ_STR(world.why[0], "new data");
    PEN_CHECK_EQ_I64(world.began[0], utc(2026, 1, 1, 0, 5));
    world.waits = NULL;
    serve_until(&world, utc(2026, 1, 1, 3, 0)); /* started again, with nothing new */
    PEN_CHECK_EQ_I64(world.n, 2);
}

/* The file is broken before 1:00 and mended after 1:30: every half hour from then on. */
static void edits(struct world *world)
{
    bool is_broken = strstr(world->said, "nothing is started until it is mended") != NULL;
    if (world->n == 0 && !is_broken && world->now >= utc(2026, 1, 1, 0, 50)) {
        write_pipeline("{every: never}");
    } else if (is_broken && world->now >= utc(2026, 1, 1, 1, 31)) {
        write_pipeline("{every: 30m}");
    }
}

static void an_edited_file_counts_at_once(void)
{
    struct world world = {.now = utc(2026, 1, 1, 0, 30), .waits = edits};
    write_pipeline("{every: 1h}");
    serve_until(&world, utc(2026, 1, 1, 3, 1));
    PEN_REQUIRE_EQ_I64(world.n, 3);
    PEN_CHECK_EQ_I64(world.at[0], utc(2026, 1, 1, 2, 0));
    PEN_CHECK_EQ_I64(world.at[1], utc(2026, 1, 1, 2, 30));
}

static void one_schedule_serves_a_root(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_lock lock = PEN_LOCK_INIT;
    struct world world = {.now = utc(2026, 1, 1, 0, 30)};
    char path[PEN_PATH_BYTES];
    write_pipeline("{every: 1h}");
    PEN_REQUIRE_OK(pen_schedule_path(path, in_folder("root"), "lock", &err), &err);
    PEN_REQUIRE_OK(pen_lock_take(&lock, path, &err), &err);
    PEN_CHECK_STATUS(serve(&world, &err), PEN_ERR_BUSY);
    pen_lock_release(&lock);
    write_file("pipeline.yaml", "pipeline: trips\n");
    PEN_CHECK_STATUS(serve(&world, &err), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "expected a section 'schedule:'");
}

/* ---- the program itself ---- */

/* Asks until the answer holds the text; false: it never did. */
static bool wait_for(const char *line, const char *text)
{
    bool found = false;
    for (int i = 0; !found && i < 600; i++) {
        struct program_result result;
        program_run(pen_test_directory(), line, &result);
        found = strstr(pen_text_view(&result.out), text) != NULL;
        program_deinit(&result);
        (void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return found;
}

static void the_program_is_triggered_and_stopped(void)
{
    struct program_result result;
    char daemon[PEN_PATH_BYTES];
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    write_file("trips.csv", "a,b\n1,2\n");
    write_file("pipeline.yaml", "pipeline: trips\nschedule: {cron: '@yearly', zone: local}\n"
                                "example_gen: {csv: trips.csv}\ntransform: {label: b}\n");
    (void)snprintf(daemon, sizeof daemon, "%s/daemon", pen_test_directory());
    PEN_REQUIRE(mkdir(daemon, 0777) == 0); /* its streams are kept apart from those of the others */
    pid_t child = program_start(daemon, "schedule ../pipeline.yaml --root ../out/trips");
    PEN_CHECK(wait_for("schedule pipeline.yaml --show --json", "\"served\": true"));
    program_run(pen_test_directory(), "schedule pipeline.yaml --trigger", &result);
    PEN_CHECK_EQ_I64(result.exit_code, 0);
    program_deinit(&result);
    PEN_CHECK(wait_for("runs --root out/trips --json", "\"failed\""));
    (void)kill(child, SIGTERM);
    program_finish(daemon, child, &result);
    PEN_CHECK_EQ_I64(result.exit_code, 0);
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "trips  triggered");
    PEN_CHECK(wait_for("schedule pipeline.yaml --show --json", "\"served\": false"));
    program_deinit(&result);
}

PEN_SUITE(serve, PEN_CASE(a_year_of_nights), PEN_CASE(none_of_the_missed_times_is_made_up),
          PEN_CASE(the_last_of_the_missed_times_is_made_up), PEN_CASE(all_of_the_missed_times_are_made_up),
          PEN_CASE(all_begins_at_the_start), PEN_CASE(a_clock_gone_wrong), PEN_CASE(a_held_root_is_asked_again),
          PEN_CASE(paused_starts_nothing_and_trigger_starts_one), PEN_CASE(new_data_starts_a_run),
          PEN_CASE(an_edited_file_counts_at_once), PEN_CASE(one_schedule_serves_a_root),
          PEN_CASE(the_program_is_triggered_and_stopped));
