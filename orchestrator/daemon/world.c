/* Runs are started as people start them, so that nothing of them stays in the daemon; PENSTOCK_SCHEDULED tells them the
 * time they were due at. */
#include "orchestrator/daemon/world.h"

#include "core/log.h"
#include "orchestrator/daemon/process.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_NS = 50 * 1000 * 1000 }; /* between looks at a run that goes on */

static int64_t now(void *user)
{
    (void)user;
    return (int64_t)time(NULL);
}

/* A second at a time: marks and the clock are looked at again after each. */
static bool wait_until(void *user, int64_t until)
{
    if (now(user) < until) {
        (void)nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
    return !pen_cancel_requested();
}

static void say(void *user, const char *pipeline, const char *text)
{
    char moment[PEN_TIME_BYTES];
    (void)user;
    (void)fprintf(stderr, "%s  %s  %s\n", pen_clock_utc(moment), pipeline, text);
}

static pen_status run(void *user, const char *file, const char *root, const char *why, int64_t at)
{
    char moment[PEN_TIME_BYTES];
    struct tm parts;
    time_t seconds = (time_t)at;
    (void)user;
    (void)why;
    if (gmtime_r(&seconds, &parts) == NULL || strftime(moment, sizeof moment, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0 ||
        setenv("PENSTOCK_SCHEDULED", moment, 1) != 0) {
        return PEN_ERR_INTERNAL;
    }
    const char *const line[] = {"penstock", "run", "--root", root, "--", file, NULL};
    const struct pen_process process = {.line = line, .out = -1, .err = -1};
    pid_t child = 0;
    PEN_TRY(pen_process_start(&process, &child, NULL));
    int state = 0;
    pid_t ended = 0;
    for (bool is_told = false; ended == 0;) {
        ended = waitpid(child, &state, WNOHANG);
        if (ended == 0) {
            (void)nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
        }
        if (pen_cancel_requested() && !is_told) { /* the run writes its checkpoint and ends; then so does the daemon */
            is_told = true;
            (void)kill(child, SIGTERM);
        }
    }
    if (ended < 0) {
        return PEN_ERR_INTERNAL;
    }
    return pen_process_status(state);
}

const struct pen_schedule_world pen_schedule_real_world = {.now = now, .wait = wait_until, .run = run, .say = say};
