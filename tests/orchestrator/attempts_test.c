/* Nodes that are tried again, nodes and runs that take too long, and what a run that was killed leaves in the journal.
 */
#include "core/log.h"
#include "orchestrator/daemon/process.h"
#include "orchestrator/metadata/metadata.h"
#include "tests/orchestrator/chores.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ALL_RAN "source=succeeded middle=succeeded side=succeeded last=succeeded push=succeeded run=succeeded"
#define MIDDLE_FAILED "source=succeeded middle=failed side=skipped last=skipped push=skipped run=failed"

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* "failed 1 crash, succeeded 2": status, attempt and class of the node's records. */
static void tell_attempts(const char *node, struct pen_text *told)
{
    char root[PEN_PATH_BYTES];
    struct pen_metadata metadata;
    struct pen_error err = PEN_ERROR_INIT;
    const struct pen_metadata_query query = {.node = node};
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, chore_path(root, "root"), false, &err), &err);
    for (int64_t i = pen_metadata_seek(&metadata, 0, 1, &query); i >= 0;
         i = pen_metadata_seek(&metadata, i + 1, 1, &query)) {
        const pen_json *record = pen_metadata_execution(&metadata, i);
        pen_text_printf(told, "%s%s %lld", told->size_bytes > 0 ? ", " : "", text_of(record, "status"),
                        (long long)pen_json_int_or(pen_json_get(record, "attempt"), 1));
        pen_text_printf(told, "%s%s", text_of(record, "failure")[0] == '\0' ? "" : " ", text_of(record, "failure"));
    }
    pen_metadata_close(&metadata);
}

static void expect_attempts(int line, const char *node, const char *wanted)
{
    struct pen_text told = {0};
    tell_attempts(node, &told);
    if (strcmp(pen_text_view(&told), wanted) != 0) {
        pen_test_fail(__FILE__, line, "%s: expected %s; found %s", node, wanted, pen_text_view(&told));
    }
    pen_text_deinit(&told);
}
#define EXPECT_ATTEMPTS(...) expect_attempts(__LINE__, __VA_ARGS__)

static void keep_warning(void *user, const char *text)
{
    pen_text_printf(user, "%s\n", text);
}

static void begins(void *user, const char *run, const char *root, const char *device, const char *reason)
{
    (void)user, (void)run, (void)root, (void)device, (void)reason;
}

static void node_starts(void *user, const char *node)
{
    (void)user, (void)node;
}

static void node_ends(void *user, const pen_json *record)
{
    (void)user, (void)record;
}

/* Runs; what the run warned of goes to warnings, its words have to be these. */
static void run_warned(int line, const char *more, pen_status wanted, const char *words, struct pen_text *warnings,
                       struct pen_error *err)
{
    const struct pen_run_watch watch = {warnings, begins, node_starts, NULL, keep_warning, node_ends};
    const struct pen_run_options options = {.watch = &watch};
    struct pen_text said = {0};
    pen_status status = chore_run(more, &options, &said, err);
    if (status != wanted || strcmp(pen_text_view(&said), words) != 0) {
        pen_test_fail(__FILE__, line, "expected %s: %s\nfound %s: %s\n%s", pen_status_name(wanted), words,
                      pen_status_name(status), pen_text_view(&said), err->message);
    }
    pen_text_deinit(&said);
}

static bool has(const char *name)
{
    char path[PEN_PATH_BYTES];
    return pen_path_exists(chore_path(path, name));
}

static void a_failure_that_may_pass_is_tried_again(void)
{
    struct pen_text warnings = {0};
    struct pen_error err = PEN_ERROR_INIT;
    run_warned(__LINE__,
               "middle: {act: crash, times: 2, retries: 2, retry_delay: 0.01s, retry_backoff: 4}\n"
               "last: {retries: 3}\n",
               PEN_OK, ALL_RAN, &warnings, &err);
    EXPECT_ATTEMPTS("middle", "failed 1 crash, failed 2 crash, succeeded 3");
    EXPECT_ATTEMPTS("last", "succeeded 1");
    PEN_CHECK_CONTAINS(pen_text_view(&warnings), "attempt 1 failed (crash): the node's process died of signal 11");
    PEN_CHECK_CONTAINS(pen_text_view(&warnings), "again in 0.01 s");
    PEN_CHECK_CONTAINS(pen_text_view(&warnings), "again in 0.04 s");
    PEN_CHECK(has("root/runs/run-1/middle.try-1.log") && has("root/runs/run-1/middle.try-2.log"));
    PEN_CHECK(has("root/runs/run-1/middle.log") && !has("root/runs/run-1/middle.try-3.log"));
    char root[PEN_PATH_BYTES];
    int64_t n_artifacts = 0;
    PEN_CHECK_OK(chore_audit(chore_path(root, "root"), true, &n_artifacts, &err), &err);
    PEN_CHECK_EQ_I64(n_artifacts, 6);
    pen_text_deinit(&warnings);
}

static void each_class_has_its_own_number(void)
{
    struct pen_text warnings = {0};
    struct pen_error err = PEN_ERROR_INIT;
    run_warned(__LINE__, "middle: {act: io, retries: {infrastructure: 1, crash: 5}, retry_delay: 0s}\n", PEN_ERR_IO,
               MIDDLE_FAILED, &warnings, &err);
    EXPECT_ATTEMPTS("middle", "failed 1 infrastructure, failed 2 infrastructure");
    PEN_CHECK_CONTAINS(err.message, "/data: cannot read");
    pen_text_deinit(&warnings);
}

static void what_a_person_has_to_change_is_not_tried_again(void)
{
    struct pen_text warnings = {0};
    struct pen_error err = PEN_ERROR_INIT;
    run_warned(__LINE__, "middle: {act: fail, retries: 5, retry_delay: 0s}\n", PEN_ERR_DATA, MIDDLE_FAILED, &warnings,
               &err);
    EXPECT_ATTEMPTS("middle", "failed 1 input");
    PEN_CHECK_EQ_STR(pen_text_view(&warnings), "");
    pen_text_deinit(&warnings);
}

static void a_node_that_takes_too_long_is_stopped(void)
{
    struct pen_text warnings = {0};
    struct pen_error err = PEN_ERROR_INIT;
    run_warned(__LINE__, "middle: {act: hang, timeout: 0.05s}\n", PEN_ERR_TIMEOUT, MIDDLE_FAILED, &warnings, &err);
    PEN_CHECK_EQ_STR(err.message, "node middle: stopped at its timeout of 0.05 s");
    EXPECT_ATTEMPTS("middle", "failed 1 timeout");
    pen_text_deinit(&warnings);
}

static void one_that_does_not_stop_is_killed_and_tried_again(void)
{
    struct pen_text warnings = {0};
    struct pen_error err = PEN_ERROR_INIT;
    run_warned(__LINE__,
               "middle: {act: stubborn, times: 1, timeout: 2s, grace: 0.05s, retries: {timeout: 1}, retry_delay: 0s}\n",
               PEN_OK, ALL_RAN, &warnings, &err);
    EXPECT_ATTEMPTS("middle", "failed 1 timeout, succeeded 2");
    PEN_CHECK_CONTAINS(
        pen_text_view(&warnings),
        "(timeout): node middle: did not stop within 0.05 s at its timeout of 2 s and was killed; again in 0 s");
    pen_text_deinit(&warnings);
}

/* Retries do not make it longer: there is none that would begin after its end. */
static void a_run_that_takes_too_long_is_stopped(void)
{
    struct pen_text warnings = {0};
    struct pen_error err = PEN_ERROR_INIT;
    run_warned(__LINE__, "timeout: 3s\nmiddle: {act: hang, timeout: 1h, retries: 9, retry_delay: 0s}\n",
               PEN_ERR_TIMEOUT, MIDDLE_FAILED, &warnings, &err);
    PEN_CHECK_EQ_STR(err.message, "node middle: stopped at the run's timeout of 3 s");
    EXPECT_ATTEMPTS("middle", "failed 1 timeout");
    pen_text_deinit(&warnings);
}

/* The runner that starts steps has retries of its own. */
static void a_step_is_tried_once(void)
{
    const struct pen_run_options options = {.run = "nightly", .only = "source"};
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_STATUS(chore_run("source: {act: quit, retries: 5, retry_delay: 0s}\n", &options, NULL, &err),
                     PEN_ERR_FAILED);
    EXPECT_ATTEMPTS("source", "failed 1 crash");
}

static void cancel(void *user, const char *text)
{
    (void)user, (void)text;
    pen_cancel_request();
}

static void a_request_to_stop_ends_the_waiting(void)
{
    int state = 0;
    (void)pen_test_directory(); /* made at the first call, which is not to be the child's */
    pid_t child = fork();
    if (child == 0) { /* the request stays with the process */
        const struct pen_run_watch watch = {NULL, begins, node_starts, NULL, cancel, node_ends};
        const struct pen_run_options options = {.watch = &watch};
        struct pen_text said = {0};
        pen_status status = chore_run("middle: {act: quit, retries: 1, retry_delay: 1h}\n", &options, &said, NULL);
        _exit(status == PEN_ERR_CANCELLED &&
                      strcmp(pen_text_view(&said), "source=succeeded middle=cancelled side=skipped last=skipped "
                                                   "push=skipped run=cancelled") == 0
                  ? 0
                  : 1);
    }
    PEN_CHECK(waitpid(child, &state, 0) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0);
    EXPECT_ATTEMPTS("middle", "failed 1 crash, cancelled 2");
}

/* ---- seen from elsewhere ---- */

static void check_says(const char *line, const char *const *words, int n_words)
{
    struct program_result result;
    program_run(pen_test_directory(), line, &result);
    PEN_CHECK_MSG(result.exit_code == 0, "penstock %s: %s", line, pen_text_view(&result.err));
    for (int i = 0; i < n_words; i++) {
        PEN_CHECK_CONTAINS(pen_text_view(&result.out), words[i]);
    }
    program_deinit(&result);
}

static pid_t start_hanging_run(void)
{
    const struct timespec nap = {.tv_nsec = 5000000};
    (void)pen_test_directory();
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(chore_run("middle: {act: hang}\n", NULL, NULL, NULL) == PEN_OK ? 0 : 1);
    }
    for (int i = 0; i < 2000 && !has("root/runs/run-1/middle/number/value.txt"); i++) {
        (void)nanosleep(&nap, NULL);
    }
    return child;
}

/* The child of a killed run, which holds the lock with it, ends some milliseconds after it. */
static void wait_for_release(void)
{
    const struct timespec nap = {.tv_nsec = 5000000};
    char root[PEN_PATH_BYTES];
    int64_t pid = 1;
    for (int i = 0; i < 2000 && pid != 0; i++) {
        PEN_CHECK_EQ_I64(pen_process_writer(chore_path(root, "root"), &pid, NULL), PEN_OK);
        (void)nanosleep(&nap, NULL);
    }
}

static void states_of_a_run_from_begin_to_end(void)
{
    static const char *const going[] = {"run-1 running\n", "source               succeeded",
                                        "middle               running", "side                 pending",
                                        "push                 pending"};
    static const char *const gone[] = {"run-1 abandoned\n"};
    static const char *const recorded[] = {"run-1 abandoned\n", "middle               abandoned"};
    int state = 0;
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    pid_t run = start_hanging_run();
    check_says("status --root root", going, 5);
    PEN_CHECK(kill(run, SIGKILL) == 0 && waitpid(run, &state, 0) == run);
    struct pen_error err = PEN_ERROR_INIT;
    wait_for_release();
    check_says("status --root root", gone, 1);
    PEN_CHECK_OK(chore_run("", NULL, NULL, &err), &err);
    EXPECT_ATTEMPTS("middle", "abandoned 1, succeeded 1");
    check_says("status run-1 --root root", recorded, 2);
}

static void attempts_are_shown(void)
{
    static const char *const status[] = {"failed", "crash: the node's process ended with exit code 9", "attempt 2  "};
    static const char *const logs[] = {"middle starts"};
    struct program_result result;
    struct pen_text page = {0};
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    PEN_CHECK_OK(chore_run("middle: {act: quit, times: 1, retries: 1, retry_delay: 0s}\n", NULL, NULL, &err), &err);
    check_says("status --root root", status, 3);
    check_says("logs middle --root root", logs, 1);
    program_run(pen_test_directory(), "logs middle --root root --json", &result);
    PEN_CHECK_CONTAINS(pen_text_view(&result.out), "middle.try-1.log\"");
    PEN_CHECK_CONTAINS(pen_text_view(&result.out), "middle.log\"");
    program_deinit(&result);
    program_run(pen_test_directory(), "report --root root -o run.html", &result);
    program_deinit(&result);
    chore_read(chore_path(path, "run.html"), &page);
    PEN_CHECK_CONTAINS(pen_text_view(&page), "<td>attempt 2</td>");
    PEN_CHECK_CONTAINS(pen_text_view(&page), "<td>crash: the node&#39;s process ended with exit code 9");
    pen_text_deinit(&page);
}

PEN_SUITE(attempts, PEN_CASE(a_failure_that_may_pass_is_tried_again), PEN_CASE(each_class_has_its_own_number),
          PEN_CASE(what_a_person_has_to_change_is_not_tried_again), PEN_CASE(a_node_that_takes_too_long_is_stopped),
          PEN_CASE(one_that_does_not_stop_is_killed_and_tried_again), PEN_CASE(a_run_that_takes_too_long_is_stopped),
          PEN_CASE(a_step_is_tried_once), PEN_CASE(a_request_to_stop_ends_the_waiting),
          PEN_CASE(states_of_a_run_from_begin_to_end), PEN_CASE(attempts_are_shown));
