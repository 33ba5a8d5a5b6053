/* The runner over fake components: cache, failures, partial runs, a busy root, cancelling, kills at any moment. */
#include "orchestrator/run/runner.h"

#include "core/files.h"
#include "core/log.h"
#include "core/rng.h"
#include "orchestrator/metadata/metadata.h"
#include "orchestrator/run/manifest.h"
#include "tests/orchestrator/fakes.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct trial {
    char statuses[256]; /* "source=cached twice=succeeded sink=failed" */
    pen_status status;
    struct pen_error err;
};

/* Writes the pipeline file once, runs it with one --set (NULL: none). */
static void run_once(struct trial *trial, const char *set, const struct pen_run_options *options)
{
    static const struct pen_run_options plain = {0};
    char file[PEN_PATH_BYTES];
    const char *directory = pen_test_directory();
    struct pen_text text = {0};
    *trial = (struct trial){.err = PEN_ERROR_INIT};
    pen_text_printf(&text, "pipeline: fake\nroot: %s/root\n", directory);
    (void)snprintf(file, sizeof file, "%s/pipeline.yaml", directory);
    trial->status =
        pen_path_exists(file) ? PEN_OK : pen_file_write_atomic(file, text.data, text.size_bytes, &trial->err);
    pen_text_deinit(&text);
    struct pen_pipeline pipeline;
    pen_json *outcome = NULL;
    if (trial->status != PEN_OK) {
        return;
    }
    trial->status = pen_pipeline_read(&pipeline, file, &set, set == NULL ? 0 : 1, fake_components, &trial->err);
    if (trial->status != PEN_OK) {
        return;
    }
    trial->status = pen_run_pipeline(&pipeline, options == NULL ? &plain : options, &outcome, &trial->err);
    const pen_json *nodes = pen_json_get(outcome, "nodes");
    size_t used = 0;
    for (int64_t i = 0; i < pen_json_size(nodes); i++) {
        const pen_json *node = pen_json_at(nodes, i);
        used += (size_t)snprintf(trial->statuses + used, sizeof trial->statuses - used, "%s%s=%s", i > 0 ? " " : "",
                                 pen_json_string_or(pen_json_get(node, "node"), "?"),
                                 pen_json_string_or(pen_json_get(node, "status"), "?"));
    }
    pen_json_free(outcome);
    pen_pipeline_deinit(&pipeline);
}

#define CHECK_RUN(set, options, expected_status, expected_nodes)                                                   \
    do {                                                                                                           \
        struct trial once;                                                                                         \
        run_once(&once, (set), (options));                                                                         \
        PEN_CHECK_MSG(once.status == (expected_status), "%s: %s", pen_status_name(once.status), once.err.message); \
        PEN_CHECK_EQ_STR(once.statuses, (expected_nodes));                                                         \
    } while (0)

static void unchanged_nodes_come_from_the_cache(void)
{
    CHECK_RUN(NULL, NULL, PEN_OK, "source=succeeded twice=succeeded sink=succeeded");
    CHECK_RUN(NULL, NULL, PEN_OK, "source=cached twice=cached sink=cached");
    /* The same bytes from other options: what follows need not run. */
    CHECK_RUN("source.value=1", NULL, PEN_OK, "source=succeeded twice=cached sink=cached");
    CHECK_RUN("source.value=5", NULL, PEN_OK, "source=succeeded twice=succeeded sink=succeeded");
    CHECK_RUN("twice.value=7", NULL, PEN_OK, "source=cached twice=succeeded sink=cached");
    CHECK_RUN("source.value=5", NULL, PEN_OK, "source=cached twice=cached sink=cached");
    struct pen_run_options no_cache = {.no_cache = true};
    CHECK_RUN(NULL, &no_cache, PEN_OK, "source=succeeded twice=succeeded sink=succeeded");
}

static void a_failed_node_keeps_its_code_and_skips_the_rest(void)
{
    CHECK_RUN("twice.mode=fail", NULL, PEN_ERR_ANOMALY, "source=succeeded twice=failed sink=skipped");
    char staged[PEN_PATH_BYTES];
    (void)snprintf(staged, sizeof staged, "%s/root/runs", pen_test_directory());
    PEN_CHECK(pen_path_is_directory(staged));
    (void)snprintf(staged, sizeof staged, "%s/root/twice", pen_test_directory());
    PEN_CHECK(!pen_path_exists(staged));
    CHECK_RUN(NULL, NULL, PEN_OK, "source=cached twice=succeeded sink=succeeded");
}

static void a_killed_child_is_named_by_its_signal(void)
{
    struct trial trial;
    run_once(&trial, "sink.mode=crash", NULL);
    PEN_CHECK_STATUS(trial.status, PEN_ERR_FAILED);
    PEN_CHECK_CONTAINS(trial.err.message, "signal 9");
    PEN_CHECK_EQ_STR(trial.statuses, "source=succeeded twice=succeeded sink=failed");
    run_once(&trial, "sink.mode=vanish", NULL);
    PEN_CHECK_STATUS(trial.status, PEN_ERR_FAILED);
    PEN_CHECK_CONTAINS(trial.err.message, "exit code 9");
    CHECK_RUN(NULL, NULL, PEN_OK, "source=cached twice=cached sink=succeeded");
}

static void an_artifact_removed_by_hand_is_made_again(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    char path[PEN_PATH_BYTES];
    CHECK_RUN(NULL, NULL, PEN_OK, "source=succeeded twice=succeeded sink=succeeded");
    (void)snprintf(path, sizeof path, "%s/root/twice/twofold", pen_test_directory());
    PEN_REQUIRE_OK(pen_directory_remove(path, &err), &err);
    CHECK_RUN(NULL, NULL, PEN_OK, "source=cached twice=succeeded sink=cached");
}

static void parts_of_a_pipeline_run_alone(void)
{
    struct pen_run_options only_sink = {.only = "sink"};
    struct pen_run_options to_twice = {.to = "twice"};
    struct pen_run_options from_twice = {.from = "twice"};
    struct pen_run_options wrong = {.from = "twise"};
    struct pen_run_options backwards = {.from = "sink", .to = "source"};
    struct trial trial;
    run_once(&trial, NULL, &only_sink);
    PEN_CHECK_STATUS(trial.status, PEN_ERR_NOT_FOUND);
    PEN_CHECK_CONTAINS(trial.err.message, "which never succeeded: run that first");
    CHECK_RUN(NULL, &to_twice, PEN_OK, "source=succeeded twice=succeeded");
    CHECK_RUN("source.value=9", &from_twice, PEN_OK, "twice=cached sink=succeeded");
    run_once(&trial, NULL, &wrong);
    PEN_CHECK_EQ_STR(trial.err.message, "there is no node 'twise'; did you mean 'twice'?");
    PEN_CHECK_STATUS(trial.status, PEN_ERR_USAGE);
    run_once(&trial, NULL, &backwards);
    PEN_CHECK_STATUS(trial.status, PEN_ERR_USAGE);
}

static void a_second_run_on_a_busy_root_says_who(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    char root[PEN_PATH_BYTES];
    CHECK_RUN(NULL, NULL, PEN_OK, "source=succeeded twice=succeeded sink=succeeded");
    (void)snprintf(root, sizeof root, "%s/root", pen_test_directory());
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, root, true, &err), &err);
    struct trial trial;
    run_once(&trial, NULL, NULL);
    pen_metadata_close(&metadata);
    PEN_CHECK_STATUS(trial.status, PEN_ERR_BUSY);
    char pid[32];
    (void)snprintf(pid, sizeof pid, "pid %ld on host", (long)getpid());
    PEN_CHECK_CONTAINS(trial.err.message, pid);
    CHECK_RUN(NULL, NULL, PEN_OK, "source=cached twice=cached sink=cached");
}

static void on_term(int number)
{
    (void)number;
    pen_cancel_request();
}

static pid_t run_in_background(const char *set)
{
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct sigaction action = {.sa_handler = on_term};
        (void)sigaction(SIGTERM, &action, NULL);
        struct trial trial;
        run_once(&trial, set, NULL);
        _exit(pen_status_exit_code(trial.status));
    }
    return pid;
}

static void a_cancelled_run_stops_and_the_next_goes_on(void)
{
    CHECK_RUN(NULL, NULL, PEN_OK, "source=succeeded twice=succeeded sink=succeeded");
    pid_t pid = run_in_background("twice.mode=wait");
    PEN_REQUIRE(pid > 0);
    (void)usleep(300000);
    (void)kill(pid, SIGTERM);
    int state = 0;
    PEN_REQUIRE(waitpid(pid, &state, 0) == pid);
    PEN_CHECK(WIFEXITED(state));
    PEN_CHECK_EQ_I64(WEXITSTATUS(state), 130);
    CHECK_RUN(NULL, NULL, PEN_OK, "source=cached twice=cached sink=cached");
}

/* Every published artifact verifies, byte for byte; the number of them, or -1. */
static int64_t verify_all(const char *root, struct pen_error *err)
{
    static const char *const ports[] = {"source/number", "twice/twofold", "sink/result"};
    struct pen_arena arena = {0};
    int64_t count = 0;
    for (size_t i = 0; i < sizeof ports / sizeof ports[0] && count >= 0; i++) {
        const char *folder = pen_arena_printf(&arena, "%s/%s", root, ports[i]);
        char **names = NULL;
        int64_t n = 0;
        if (!pen_path_exists(folder)) {
            continue;
        }
        if (pen_directory_list(&arena, folder, &names, &n, err) != PEN_OK) {
            count = -1;
        }
        for (int64_t k = 0; k < n && count >= 0; k++) {
            const char *artifact = pen_arena_printf(&arena, "%s/%s", folder, names[k]);
            count = pen_manifest_verify(artifact, NULL, true, err) == PEN_OK ? count + 1 : -1;
        }
    }
    pen_arena_deinit(&arena);
    return count;
}

static void two_hundred_kills_leave_nothing_half_published(void)
{
    enum { KILLS = 200, SEED = 20261124 };
    struct pen_error err = PEN_ERROR_INIT;
    char root[PEN_PATH_BYTES];
    (void)snprintf(root, sizeof root, "%s/root", pen_test_directory());
    int64_t killed = 0;
    for (uint64_t i = 0; i < KILLS; i++) {
        char set[64];
        (void)snprintf(set, sizeof set, "source.value=%llu", (unsigned long long)(i / 2 + 10));
        pid_t pid = run_in_background(set);
        PEN_REQUIRE(pid > 0);
        (void)usleep((useconds_t)pen_rng_below(SEED, 1, i, 25000));
        (void)kill(pid, SIGKILL);
        int state = 0;
        PEN_REQUIRE(waitpid(pid, &state, 0) == pid);
        killed += WIFSIGNALED(state);
        PEN_TEST_BASE(WIFSIGNALED(state) || WEXITSTATUS(state) == 0, return, "run %llu exits %d", (unsigned long long)i,
                      WEXITSTATUS(state));
        if (i % 20 == 19) {
            PEN_CHECK_MSG(verify_all(root, &err) >= 0, "after kill %llu (seed %d): %s", (unsigned long long)i, SEED,
                          err.message);
        }
    }
    PEN_CHECK_MSG(killed > KILLS / 10, "only %lld runs were killed before their end", (long long)killed);
    struct trial trial;
    run_once(&trial, NULL, NULL);
    PEN_CHECK_MSG(trial.status == PEN_OK, "%s", trial.err.message);
    PEN_CHECK_MSG(verify_all(root, &err) >= 3, "%s", err.message);
    CHECK_RUN(NULL, NULL, PEN_OK, "source=cached twice=cached sink=cached");
}

PEN_SUITE(runner, PEN_CASE(unchanged_nodes_come_from_the_cache),
          PEN_CASE(a_failed_node_keeps_its_code_and_skips_the_rest), PEN_CASE(a_killed_child_is_named_by_its_signal),
          PEN_CASE(an_artifact_removed_by_hand_is_made_again), PEN_CASE(parts_of_a_pipeline_run_alone),
          PEN_CASE(a_second_run_on_a_busy_root_says_who), PEN_CASE(a_cancelled_run_stops_and_the_next_goes_on),
          PEN_CASE(two_hundred_kills_leave_nothing_half_published));
