/* kill -9 at any moment of a run, 200 times on one root: after every single kill the journal opens and replays, what it
 * names verifies byte by byte and nothing half-made stands among the published folders; at the end a run succeeds and
 * leaves no folder that no record names. */
#include "core/log.h"
#include "core/rng.h"
#include "tests/orchestrator/chores.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void pause_seconds(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    (void)nanosleep(&time, NULL);
}

/* How long a run takes changes with what else the machine does: the window of kills shrinks when a run ended before its
 * kill, and grows slowly otherwise, so that kills keep falling anywhere in a run. */
static double next_window(double window, bool killed, double most)
{
    return killed ? fmin(window * 1.05, most) : window * 0.85;
}

/* A changing option makes the runs differ: nodes run, and now and then come from the cache. */
static void describe(char out[256], uint64_t round)
{
    (void)snprintf(out, 256,
                   "source: {text: s%d, files: 2}\nmiddle: {text: m%d, files: 3, pause_ms: 1}\nside: {files: 1}\n"
                   "last: {pause_ms: 1}\n",
                   (int)(round / 4), (int)(round % 3));
}

static pid_t start(const char *root, uint64_t round)
{
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        char more[256];
        struct pen_error err = PEN_ERROR_INIT;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        describe(more, round);
        pen_status status = chore_run_at(root, more, NULL, NULL, &err);
        if (status != PEN_OK) {
            (void)fprintf(stderr, "round %llu: %s\n", (unsigned long long)round, err.message);
        }
        _exit((int)status);
    }
    return child;
}

static void two_hundred_kills_each_audited(void)
{
    enum { KILLS = 200, SEED = 471101 };
    char root[PEN_PATH_BYTES];
    char more[256];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text said = {0};
    int64_t n = 0;
    int killed = 0;
    int state = 0;
    chore_path(root, "root");
    double began = pen_clock_seconds();
    pid_t child = start(root, 1000);
    PEN_REQUIRE(waitpid(child, &state, 0) == child);
    PEN_REQUIRE(WIFEXITED(state) && WEXITSTATUS(state) == 0);
    double most = 0.088; /* a busy machine must not make this a minute */
    double window = fmin(1.1 * (pen_clock_seconds() - began), most);
    printf("kill test: seed %d, kills within %.0f ms of the start\n", SEED, window * 1000);
    for (uint64_t i = 0; i < KILLS; i++) {
        child = start(root, i);
        PEN_REQUIRE(child > 0);
        pause_seconds(window * (double)pen_rng_below(SEED, 1, i, 1000) / 1000);
        (void)kill(child, SIGKILL);
        PEN_REQUIRE(waitpid(child, &state, 0) == child);
        killed += WIFSIGNALED(state);
        window = next_window(window, WIFSIGNALED(state), most);
        PEN_TEST_BASE(WIFSIGNALED(state) || WEXITSTATUS(state) == 0, return, "round %llu ended with status %d",
                      (unsigned long long)i, WEXITSTATUS(state));
        PEN_TEST_BASE(chore_audit(root, false, &n, &err) == PEN_OK, return, "after kill %llu of seed %d: %s",
                      (unsigned long long)i, SEED, err.message);
    }
    PEN_CHECK_MSG(killed > KILLS / 2, "only %d of %d runs were killed before their end", killed, KILLS);
    describe(more, 2000);
    PEN_CHECK_OK(chore_run_at(root, more, NULL, &said, &err), &err);
    PEN_CHECK_CONTAINS(pen_text_view(&said), "run=succeeded");
    PEN_CHECK_OK(chore_audit(root, true, &n, &err), &err);
    PEN_CHECK_OK(chore_run_at(root, more, NULL, &said, &err), &err);
    PEN_CHECK_EQ_STR(pen_text_view(&said),
                     "source=cached middle=cached side=cached last=cached push=succeeded run=succeeded");
    printf("kill test: %d of %d killed, %lld artifacts left, all whole\n", killed, KILLS, (long long)n);
    pen_text_deinit(&said);
}

/* The program in a process of its own, in the case's folder, silent. */
static pid_t start_program(const char *const *arguments)
{
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (chdir(pen_test_directory()) != 0 || freopen("said", "w", stdout) == NULL ||
            freopen("said", "a", stderr) == NULL) {
            _exit(126);
        }
        char *copies[16] = {NULL};
        for (int i = 0; i < 15 && arguments[i] != NULL; i++) {
            copies[i] = strdup(arguments[i]);
        }
        (void)execv(pen_test_program(), copies);
        _exit(127);
    }
    return child;
}

static int finish_program(const char *const *arguments)
{
    int state = 0;
    pid_t child = start_program(arguments);
    return waitpid(child, &state, 0) == child && WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

/* The same with the program and its nine components. A model of 300 rows may stay unblessed: exit code 5. */
static void twenty_kills_of_the_real_program(void)
{
    enum { KILLS = 20, SEED = 471102 };
    static const char *const generate[] = {"penstock", "generate", "taxi", "--rows", "300",
                                           "--seed",   "1",        "-o",   "t.csv",  NULL};
    static const char *const init[] = {"penstock", "init", "t.csv", "--label", "tips > 0.2 * fare", NULL};
    char root[PEN_PATH_BYTES];
    char steps[64] = "trainer.steps=30";
    const char *run[] = {"penstock", "run", "pipeline.yaml", "--root", "root", "--set", steps, NULL};
    struct pen_error err = PEN_ERROR_INIT;
    int64_t n = 0;
    int killed = 0;
    int state = 0;
    chore_path(root, "root");
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    PEN_REQUIRE_EQ_I64(finish_program(generate), 0);
    PEN_REQUIRE_EQ_I64(finish_program(init), 0);
    double began = pen_clock_seconds();
    int code = finish_program(run);
    PEN_REQUIRE(code == 0 || code == 5);
    double window = fmin(pen_clock_seconds() - began, 1);
    printf("kill test: seed %d, kills within %.0f ms of the start\n", SEED, window * 1000);
    for (uint64_t i = 0; i < KILLS; i++) {
        (void)snprintf(steps, sizeof steps, "trainer.steps=%d", 31 + (int)(i / 2));
        const char *fresh[] = {"penstock", "run", "pipeline.yaml", "--root", "root", "--no-cache", NULL};
        pid_t child = start_program(i % 2 == 0 ? fresh : run);
        PEN_REQUIRE(child > 0);
        pause_seconds(window * (double)pen_rng_below(SEED, 1, i, 1000) / 1000);
        (void)kill(child, SIGKILL);
        PEN_REQUIRE(waitpid(child, &state, 0) == child);
        killed += WIFSIGNALED(state);
        window = next_window(window, WIFSIGNALED(state), 1);
        PEN_TEST_BASE(chore_audit(root, false, &n, &err) == PEN_OK, return, "after kill %llu of seed %d: %s",
                      (unsigned long long)i, SEED, err.message);
    }
    PEN_CHECK_MSG(killed > KILLS / 3, "only %d of %d runs were killed before their end", killed, KILLS);
    (void)snprintf(steps, sizeof steps, "trainer.steps=60");
    PEN_CHECK_EQ_I64(finish_program(run), code);
    PEN_CHECK_OK(chore_audit(root, true, &n, &err), &err);
    printf("kill test: %d of %d killed, %lld artifacts left, all whole\n", killed, KILLS, (long long)n);
}

PEN_SUITE(kill, PEN_CASE(two_hundred_kills_each_audited), PEN_CASE(twenty_kills_of_the_real_program));
