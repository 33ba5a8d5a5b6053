/* Runs that another runner puts together: steps that begin and join a run, in order and out of it, again, killed, two
 * at once. */
#include "core/log.h"
#include "orchestrator/metadata/metadata.h"
#include "tests/orchestrator/chores.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pen_status step_with(const char *more, const char *run, const char *node, struct pen_text *said,
                            struct pen_error *err)
{
    const struct pen_run_options options = {.run = run, .only = node};
    return chore_run(more, &options, said, err);
}

#define CHECK_STEP(more, run, node, wanted)                                        \
    do {                                                                           \
        struct pen_text said = {0};                                                \
        struct pen_error problem = PEN_ERROR_INIT;                                 \
        PEN_CHECK_OK(step_with((more), (run), (node), &said, &problem), &problem); \
        PEN_CHECK_EQ_STR(pen_text_view(&said), (wanted));                          \
        pen_text_deinit(&said);                                                    \
    } while (0)

#define CHECK_REFUSED(more, run, node, code, words)                                 \
    do {                                                                            \
        struct pen_error problem = PEN_ERROR_INIT;                                  \
        PEN_CHECK_STATUS(step_with((more), (run), (node), NULL, &problem), (code)); \
        PEN_CHECK_CONTAINS(problem.message, (words));                               \
    } while (0)

/* "nightly=succeeded(5) ...": the runs of the root with how many records of executions each has. */
static void tell_runs(struct pen_text *text)
{
    char root[PEN_PATH_BYTES];
    struct pen_metadata metadata;
    struct pen_error err = PEN_ERROR_INIT;
    pen_text_reset(text);
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, chore_path(root, "root"), false, &err), &err);
    for (int64_t i = 0; i < metadata.n_runs; i++) {
        const pen_json *run = pen_metadata_run(&metadata, i);
        int64_t n = 0;
        for (int64_t k = 0; k < metadata.n_executions; k++) {
            n += strcmp(pen_json_string_or(pen_json_get(pen_metadata_execution(&metadata, k), "run"), ""),
                        pen_json_string_or(pen_json_get(run, "run"), "")) == 0;
        }
        pen_text_printf(text, "%s%s=%s(%lld)", i == 0 ? "" : " ", pen_json_string_or(pen_json_get(run, "run"), ""),
                        pen_json_string_or(pen_json_get(run, "status"), ""), (long long)n);
    }
    pen_metadata_close(&metadata);
}

#define CHECK_RUNS(wanted)                                \
    do {                                                  \
        struct pen_text runs = {0};                       \
        tell_runs(&runs);                                 \
        PEN_CHECK_EQ_STR(pen_text_view(&runs), (wanted)); \
        pen_text_deinit(&runs);                           \
    } while (0)

static void steps_of_one_name_are_one_run(void)
{
    CHECK_STEP("", "nightly", "source", "source=succeeded run=open");
    CHECK_STEP("", "nightly", "middle", "middle=succeeded run=open");
    CHECK_STEP("", "nightly", "side", "side=succeeded run=open");
    CHECK_RUNS("nightly=open(3)");
    CHECK_STEP("", "nightly", "last", "last=succeeded run=open");
    CHECK_STEP("", "nightly", "push", "push=succeeded run=succeeded");
    CHECK_RUNS("nightly=succeeded(5)");
    /* Another run of the same is another run here too, from the cache. */
    CHECK_STEP("", "scheduled__2026-11-26T06:30:00+00:00", "source", "source=cached run=open");
    CHECK_STEP("", "scheduled__2026-11-26T06:30:00+00:00", "middle", "middle=cached run=open");
    CHECK_RUNS("nightly=succeeded(5) scheduled__2026-11-26T06:30:00+00:00=open(2)");
    /* And so it is for our own runner. */
    struct pen_text said = {0};
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_OK(chore_run("", NULL, &said, &err), &err);
    PEN_CHECK_EQ_STR(pen_text_view(&said),
                     "source=cached middle=cached side=cached last=cached push=succeeded run=succeeded");
    pen_text_deinit(&said);
}

static void nothing_runs_before_what_it_needs(void)
{
    CHECK_REFUSED("", "nightly", "middle", PEN_ERR_NOT_FOUND,
                  "node middle: node source has not succeeded in run nightly yet; its step comes first");
    CHECK_STEP("", "nightly", "source", "source=succeeded run=open");
    CHECK_STEP("", "nightly", "middle", "middle=succeeded run=open");
    /* An optional input is waited for as well: the graph says that it comes. */
    CHECK_REFUSED("", "nightly", "last", PEN_ERR_NOT_FOUND, "node side has not succeeded in run nightly yet");
    /* What another run has made is not this run's. */
    CHECK_REFUSED("", "weekly", "middle", PEN_ERR_NOT_FOUND, "node source has not succeeded in run weekly yet");
    CHECK_RUNS("nightly=open(2)"); /* what was refused has left no trace */
}

static void a_step_takes_what_its_own_run_made(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_text value = {0};
    CHECK_STEP("source: {text: one}\n", "a", "source", "source=succeeded run=open");
    CHECK_STEP("source: {text: two}\n", "b", "source", "source=succeeded run=open");
    CHECK_STEP("source: {text: two}\n", "a", "middle", "middle=succeeded run=open");
    chore_read(chore_path(path, "root/middle/number/3/value.txt"), &value);
    PEN_CHECK_EQ_STR(pen_text_view(&value), "middle=plain(source=one())");
    pen_text_deinit(&value);
}

static void a_failed_step_runs_again_in_its_run(void)
{
    CHECK_STEP("", "nightly", "source", "source=succeeded run=open");
    CHECK_REFUSED("middle: {act: fail}\n", "nightly", "middle", PEN_ERR_DATA, "expected 3 cells, found 2");
    CHECK_RUNS("nightly=failed(2)");
    CHECK_STEP("", "nightly", "side", "side=succeeded run=failed"); /* a branch that does not need it */
    CHECK_REFUSED("", "nightly", "last", PEN_ERR_NOT_FOUND, "node middle has not succeeded");
    CHECK_STEP("", "nightly", "middle", "middle=succeeded run=open");
    CHECK_STEP("", "nightly", "last", "last=succeeded run=open");
    CHECK_STEP("", "nightly", "push", "push=succeeded run=succeeded");
    /* A step that is done again: what was made of it counts no more. */
    CHECK_STEP("middle: {text: new}\n", "nightly", "middle", "middle=succeeded run=open");
    CHECK_REFUSED("", "nightly", "push", PEN_ERR_NOT_FOUND, "node last has not succeeded");
    CHECK_STEP("", "nightly", "last", "last=succeeded run=open");
    CHECK_STEP("", "nightly", "push", "push=succeeded run=succeeded");
    CHECK_RUNS("nightly=succeeded(9)");
}

static void names_of_runs(void)
{
    static const char *const wrong[] = {"", "a b", "a/b", ".a", "-a", "a'b", "a\nb", "a%b", "{{ run_id }}"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK_REFUSED("", wrong[i], "source", PEN_ERR_USAGE, "--run: expected a name of letters, digits and _.~:+-");
    }
    CHECK_REFUSED("", "run-7", "source", PEN_ERR_USAGE, "names of that form are given by penstock");
    CHECK_REFUSED("", "nightly", "sourse", PEN_ERR_USAGE, "there is no node 'sourse'; did you mean 'source'?");
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_OK(chore_run("", NULL, NULL, &err), &err);
    CHECK_STEP("middle: {text: new}\n", "run-1", "middle", "middle=succeeded run=open");
    CHECK_RUNS("run-1=open(6)");
}

static void start_hanging_step(pid_t *child, const char *run, const char *node)
{
    char path[PEN_PATH_BYTES];
    const struct timespec nap = {.tv_nsec = 5000000};
    *child = fork();
    if (*child == 0) {
        struct pen_text more = {0};
        pen_text_printf(&more, "%s: {act: hang}\n", node);
        _exit(step_with(pen_text_view(&more), run, node, NULL, NULL) == PEN_OK ? 0 : 1);
    }
    (void)snprintf(path, sizeof path, "%s/root/runs/%s/%s.log", pen_test_directory(), run, node);
    for (int i = 0; i < 1000 && !pen_path_exists(path); i++) {
        (void)nanosleep(&nap, NULL);
    }
}

static void a_killed_step_is_abandoned_and_joined(void)
{
    pid_t child = 0;
    int state = 0;
    CHECK_STEP("", "nightly", "source", "source=succeeded run=open");
    start_hanging_step(&child, "nightly", "middle");
    CHECK_RUNS("nightly=running(1)");
    PEN_CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &state, 0) == child);
    CHECK_STEP("", "nightly", "side", "side=succeeded run=open");
    CHECK_STEP("", "nightly", "middle", "middle=succeeded run=open");
    CHECK_STEP("", "nightly", "last", "last=succeeded run=open");
    CHECK_STEP("", "nightly", "push", "push=succeeded run=succeeded");
    char root[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    int64_t n_artifacts = 0;
    PEN_CHECK_OK(chore_audit(chore_path(root, "root"), true, &n_artifacts, &err), &err);
    PEN_CHECK_EQ_I64(n_artifacts, 6);
}

static void two_steps_at_once_wait_or_are_refused(void)
{
    pid_t first = 0;
    char stop[PEN_PATH_BYTES];
    int state = 0;
    CHECK_STEP("", "nightly", "source", "source=succeeded run=open");
    start_hanging_step(&first, "nightly", "middle");
    CHECK_REFUSED("", "nightly", "side", PEN_ERR_BUSY, "is held by pid ");
    pid_t second = fork();
    if (second == 0) {
        const struct pen_run_options waits = {.run = "nightly", .only = "side", .wait = true};
        _exit(chore_run("", &waits, NULL, NULL) == PEN_OK ? 0 : 1);
    }
    const struct timespec nap = {.tv_nsec = 400000000}; /* longer than a busy root is asked again anyway */
    (void)nanosleep(&nap, NULL);
    PEN_CHECK_EQ_I64(waitpid(second, &state, WNOHANG), 0);
    chore_write(chore_path(stop, "stop"), "");
    PEN_CHECK(waitpid(first, &state, 0) == first && WIFEXITED(state) && WEXITSTATUS(state) == 0);
    PEN_CHECK(waitpid(second, &state, 0) == second && WIFEXITED(state) && WEXITSTATUS(state) == 0);
    CHECK_RUNS("nightly=open(3)");
}

/* ---- the program ---- */

static void check_program(const char *line, int exit_code, const char *out, const char *err)
{
    struct program_result result;
    program_run(pen_test_directory(), line, &result);
    PEN_CHECK_MSG(result.exit_code == exit_code, "penstock %s: expected exit code %d, found %d: %s", line, exit_code,
                  result.exit_code, pen_text_view(&result.err));
    PEN_CHECK_CONTAINS(pen_text_view(&result.out), out);
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), err);
    program_deinit(&result);
}

static void the_verb_says_one_line(void)
{
    struct program_result result;
    struct pen_error err = PEN_ERROR_INIT;
    char path[PEN_PATH_BYTES];
    pen_json *summary = NULL;
    pen_json *receipt = NULL;
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    check_program("generate taxi --rows 300 --seed 1 -o t.csv", 0, "", "");
    check_program("init t.csv --label 'tips > 0.2 * fare'", 0, "", "");
    check_program("component example_gen", 2, "", "expected --pipeline FILE");
    check_program("component schema_gen -p pipeline.yaml -r one", 66, "",
                  "statistics_gen has not succeeded in run one");
    program_run(pen_test_directory(), "component example_gen -p pipeline.yaml -r one --receipt made.json", &result);
    PEN_CHECK_EQ_I64(result.exit_code, 0);
    PEN_CHECK(result.out.size_bytes > 0 && strchr(pen_text_view(&result.out), '\n') != NULL &&
              strchr(pen_text_view(&result.out), '\n')[1] == '\0');
    PEN_REQUIRE_OK(pen_json_parse(result.out.data, result.out.size_bytes, "the summary", &summary, &err), &err);
    program_deinit(&result);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(summary, "node"), ""), "example_gen");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(summary, "run"), ""), "one");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(summary, "status"), ""), "succeeded");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(summary, "run_status"), ""), "open");
    PEN_REQUIRE_OK(pen_json_read_file(chore_path(path, "made.json"), &receipt, &err), &err);
    const pen_json *examples = pen_json_get(pen_json_get(summary, "outputs"), "examples");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(pen_json_get(receipt, "outputs"), "examples"), ""),
                     pen_json_string_or(pen_json_get(examples, "hash"), "?"));
    pen_json_free(summary);
    pen_json_free(receipt);
    check_program("component statistics_gen -p pipeline.yaml -r one", 0, "\"node\":\"statistics_gen\"", "");
    check_program("component schema_gen -p pipeline.yaml -r one", 0, "", "");
    check_program("component transform -p pipeline.yaml -r one", 0, "", "");
    /* What the resolver is given depends on the model of its run, though that is none of its inputs. */
    check_program("component resolver -p pipeline.yaml -r one", 66, "", "node trainer has not succeeded in run one");
    check_program("component transform -p pipeline.yaml", 0, "\"status\":\"cached\"", "");
}

PEN_SUITE(step, PEN_CASE(steps_of_one_name_are_one_run), PEN_CASE(nothing_runs_before_what_it_needs),
          PEN_CASE(a_step_takes_what_its_own_run_made), PEN_CASE(a_failed_step_runs_again_in_its_run),
          PEN_CASE(names_of_runs), PEN_CASE(a_killed_step_is_abandoned_and_joined),
          PEN_CASE(two_steps_at_once_wait_or_are_refused), PEN_CASE(the_verb_says_one_line));
