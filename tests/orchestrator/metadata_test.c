/* Metadata of a root: what compaction keeps, at every step it may be cut at; long histories; the walk over a line. */
#include "orchestrator/metadata/metadata.h"

#include "core/log.h"
#include "orchestrator/metadata/record.h"
#include "tests/orchestrator/history.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SMALL_SEGMENT = 8000 };

static const char *root_path(char out[PEN_PATH_BYTES], const char *below)
{
    (void)snprintf(out, PEN_PATH_BYTES, "%s/root%s", pen_test_directory(), below);
    return out;
}

static int64_t files_in(const char *below, const char *suffix)
{
    struct pen_arena arena = {0};
    char path[PEN_PATH_BYTES];
    char **names = NULL;
    int64_t n = 0;
    int64_t count = 0;
    if (pen_path_is_directory(root_path(path, below))) {
        PEN_CHECK_OK(pen_directory_list(&arena, path, &names, &n, NULL), &(struct pen_error)PEN_ERROR_INIT);
    }
    for (int64_t i = 0; i < n; i++) {
        count += strlen(names[i]) > strlen(suffix) && strcmp(names[i] + strlen(names[i]) - strlen(suffix), suffix) == 0;
    }
    pen_arena_deinit(&arena);
    return count;
}

/* Runs of nodes in small segments; no base yet. The state they come to. */
static bool make_root(int64_t n_runs, char state[65])
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    char root[PEN_PATH_BYTES];
    bool good = pen_metadata_open(&metadata, root_path(root, ""), true, &err) == PEN_OK;
    metadata.journal.segment_limit_bytes = SMALL_SEGMENT;
    good = good && history_write(&metadata, n_runs, &err) == PEN_OK &&
           pen_metadata_state_hash(&metadata, state, &err) == PEN_OK;
    pen_metadata_close(&metadata);
    return good;
}

static void expect_state(bool write, const char *state, const char *when)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    char root[PEN_PATH_BYTES];
    char found[65] = "";
    PEN_TEST_BASE(pen_metadata_open(&metadata, root_path(root, ""), write, &err) == PEN_OK, return, "%s: %s", when,
                  err.message);
    PEN_CHECK_OK(pen_metadata_state_hash(&metadata, found, &err), &err);
    PEN_CHECK_MSG(strcmp(found, state) == 0, "%s: expected state %s, found %s", when, state, found);
    pen_metadata_close(&metadata);
}

static void shell(const char *command)
{
    char line[2 * PEN_PATH_BYTES];
    (void)snprintf(line, sizeof line, "cd '%s/root/metadata' && %s", pen_test_directory(), command);
    PEN_CHECK_EQ_I64(system(line), 0); /* NOLINT(cert-env33-c): a test's own folder */
}

static void compaction_keeps_the_state_and_the_archive(void)
{
    char state[65];
    PEN_REQUIRE(make_root(40, state));
    int64_t segments = files_in("/metadata/journal", ".jl");
    PEN_REQUIRE(segments > 3);
    expect_state(false, state, "before");
    PEN_CHECK_EQ_I64(files_in("/metadata/base", ".jl"), 0); /* a reader changes nothing */
    expect_state(true, state, "while compacting");
    PEN_CHECK_EQ_I64(files_in("/metadata/base", ".jl"), 1);
    PEN_CHECK_EQ_I64(files_in("/metadata/journal", ".jl"), 1);
    PEN_CHECK_EQ_I64(files_in("/metadata/journal/archive", ".jl"), segments - 1);
    expect_state(false, state, "after");
    expect_state(true, state, "again");
    /* More of it: a second base replaces the first. */
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    char root[PEN_PATH_BYTES];
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, root_path(root, ""), true, &err), &err);
    metadata.journal.segment_limit_bytes = SMALL_SEGMENT;
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(pen_metadata_find_run(&metadata, "run-1"), "status"), "?"),
                     "succeeded");
    PEN_CHECK_OK(history_write(&metadata, 20, &err), &err);
    PEN_CHECK_OK(pen_metadata_state_hash(&metadata, state, &err), &err);
    pen_metadata_close(&metadata);
    expect_state(true, state, "a second time");
    PEN_CHECK_EQ_I64(files_in("/metadata/base", ".jl"), 1);
    expect_state(false, state, "after the second time");
}

/* What is on the disk when compaction ends after each of its steps. */
static void compaction_cut_after_any_step_goes_on(void)
{
    static const struct {
        const char *when, *command;
    } steps[] = {
        {"half a base, not renamed", "mv journal/archive/* journal/ && mv base/*.jl base/new.tmp && "
                                     "truncate -s 1000 base/new.tmp"},
        {"a whole base, not renamed", "mv journal/archive/* journal/ && mv base/*.jl base/new.tmp"},
        {"renamed, nothing moved", "mv journal/archive/* journal/"},
        {"renamed, one segment moved", "mv journal/archive/0000000002.jl journal/"},
        {"an older base still there", "cp base/*.jl base/0000000001.jl"},
        {"no archive folder yet", "mv journal/archive/* journal/ && rmdir journal/archive"},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        char state[65];
        char root[PEN_PATH_BYTES];
        struct pen_error err = PEN_ERROR_INIT;
        PEN_REQUIRE_OK(pen_directory_remove(root_path(root, ""), &err), &err);
        PEN_REQUIRE(make_root(25, state));
        expect_state(true, state, "compacting");
        shell(steps[i].command);
        expect_state(false, state, steps[i].when);
        expect_state(true, state, steps[i].when);
        expect_state(true, state, steps[i].when);
        PEN_CHECK_EQ_I64(files_in("/metadata/base", ".jl"), 1);
        PEN_CHECK_EQ_I64(files_in("/metadata/journal", ".jl"), 1);
    }
}

static void a_damaged_base_is_refused_and_the_archive_mends_it(void)
{
    char state[65];
    char root[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    PEN_REQUIRE(make_root(25, state));
    expect_state(true, state, "compacting");
    shell("truncate -s -1 base/*.jl");
    PEN_CHECK_STATUS(pen_metadata_open(&metadata, root_path(root, ""), true, &err), PEN_ERR_IO);
    PEN_CHECK_CONTAINS(err.message, "move the files of journal/archive back into journal/ and this one away");
    shell("mv journal/archive/* journal/ && rm base/*.jl");
    expect_state(true, state, "mended");
    shell("mv journal/*.jl .");
    PEN_CHECK_STATUS(pen_metadata_open(&metadata, root_path(root, ""), true, &err), PEN_ERR_IO);
    PEN_CHECK_CONTAINS(err.message, "expected the segment after the base, found none");
}

/* A run that goes over the end of a segment: begun in the base, ended after it. */
static void a_run_may_reach_over_a_base(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    char root[PEN_PATH_BYTES];
    char state[65];
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, root_path(root, ""), true, &err), &err);
    pen_json *start = pen_json_object();
    pen_json_set_string(start, "run", "run-1");
    PEN_REQUIRE_OK(pen_metadata_record(&metadata, "run_start", start, &err), &err);
    metadata.journal.segment_limit_bytes = 1;
    pen_json *end = pen_json_object();
    pen_json_set_string(end, "run", "run-1");
    pen_json_set_string(end, "status", "failed");
    PEN_REQUIRE_OK(pen_metadata_record(&metadata, "run_end", end, &err), &err);
    PEN_CHECK_OK(pen_metadata_state_hash(&metadata, state, &err), &err);
    pen_metadata_close(&metadata);
    expect_state(true, state, "compacting");
    expect_state(false, state, "after");
}

static void record_of_run(struct pen_metadata *metadata, const char *kind, const char *status)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *record = pen_json_object();
    pen_json_set_string(record, "run", "nightly");
    if (status != NULL) {
        pen_json_set_string(record, "status", status);
    }
    PEN_CHECK_OK(pen_metadata_record(metadata, kind, record, &err), &err);
}

/* A run of two steps: the first ended in the base, the second joined after it. */
static void a_run_is_joined_over_a_base(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    char root[PEN_PATH_BYTES];
    char state[65];
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, root_path(root, ""), true, &err), &err);
    record_of_run(&metadata, "run_start", NULL);
    record_of_run(&metadata, "run_end", "open");
    metadata.journal.segment_limit_bytes = 1;
    record_of_run(&metadata, "run_join", NULL);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(pen_metadata_run(&metadata, 0), "status"), ""), "running");
    record_of_run(&metadata, "run_end", "succeeded");
    PEN_CHECK_EQ_I64(metadata.n_runs, 1);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(pen_metadata_run(&metadata, 0), "status"), ""), "succeeded");
    PEN_CHECK_OK(pen_metadata_state_hash(&metadata, state, &err), &err);
    pen_metadata_close(&metadata);
    expect_state(true, state, "compacting");
    expect_state(false, state, "after");
}

/* Readers while a writer writes, rolls and compacts: always a prefix, never an error. */
static void readers_never_see_compaction(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    char root[PEN_PATH_BYTES];
    char state[65];
    int64_t before = 0;
    int state_of_child = 0;
    int rounds = 0;
    PEN_REQUIRE(make_root(1, state));
    (void)fflush(NULL);
    pid_t writer = fork();
    if (writer == 0) {
        pen_status status = PEN_OK;
        for (int i = 0; i < 12 && status == PEN_OK; i++) {
            struct pen_metadata metadata;
            status = pen_metadata_open(&metadata, root_path(root, ""), true, NULL);
            metadata.journal.segment_limit_bytes = SMALL_SEGMENT;
            status = status == PEN_OK ? history_write(&metadata, 6, NULL) : status;
            pen_metadata_close(&metadata);
        }
        _exit(status == PEN_OK ? 0 : 1);
    }
    while (waitpid(writer, &state_of_child, WNOHANG) == 0) {
        struct pen_metadata metadata;
        pen_status status = pen_metadata_open(&metadata, root_path(root, ""), false, &err);
        PEN_CHECK_MSG(status == PEN_OK && metadata.n_executions >= before, "round %d: %lld after %lld: %s", rounds,
                      (long long)metadata.n_executions, (long long)before, err.message);
        before = metadata.n_executions;
        rounds++;
        pen_metadata_close(&metadata);
    }
    PEN_CHECK(WIFEXITED(state_of_child) && WEXITSTATUS(state_of_child) == 0);
    PEN_CHECK(rounds > 5);
}

/* kill -9 of a writer that rolls and compacts all the time. */
static void killed_while_compacting_nothing_is_lost(void)
{
    enum { KILLS = 40 };
    struct pen_error err = PEN_ERROR_INIT;
    char root[PEN_PATH_BYTES];
    char state[65];
    int64_t before = 0;
    PEN_REQUIRE(make_root(1, state));
    for (int i = 0; i < KILLS; i++) {
        (void)fflush(NULL);
        pid_t writer = fork();
        for (pen_status status = PEN_OK; writer == 0 && status == PEN_OK;) {
            struct pen_metadata metadata;
            status = pen_metadata_open(&metadata, root_path(root, ""), true, NULL);
            metadata.journal.segment_limit_bytes = SMALL_SEGMENT / 4;
            status = status == PEN_OK ? history_write(&metadata, 2, NULL) : status;
            pen_metadata_close(&metadata);
        }
        if (writer == 0) {
            _exit(1);
        }
        (void)usleep((useconds_t)(500 * (1 + i % 37)));
        (void)kill(writer, SIGKILL);
        int ended = 0;
        PEN_REQUIRE(waitpid(writer, &ended, 0) == writer);
        PEN_CHECK_MSG(WIFSIGNALED(ended), "round %d: the writer failed", i);
        struct pen_metadata metadata;
        PEN_REQUIRE_OK(pen_metadata_open(&metadata, root_path(root, ""), true, &err), &err);
        PEN_CHECK_MSG(metadata.n_executions >= before, "kill %d: %lld executions after %lld", i,
                      (long long)metadata.n_executions, (long long)before);
        before = metadata.n_executions;
        PEN_CHECK_OK(history_check(&metadata, &err), &err);
        pen_metadata_close(&metadata);
    }
}

/* 100,000 executions: all found, by number, node, key, run; the newest runs without reading the rest. */
static void a_hundred_thousand_executions_are_opened(void)
{
    enum { N_RUNS = 11112 };
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    char root[PEN_PATH_BYTES];
    PEN_REQUIRE_OK(history_write_fast(root_path(root, ""), N_RUNS, &err), &err);
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, root, false, &err), &err);
    PEN_CHECK_EQ_I64(metadata.n_runs, N_RUNS);
    PEN_CHECK_EQ_I64(metadata.n_executions, (int64_t)N_RUNS * HISTORY_NODES);
    for (int64_t number = 1; number <= metadata.last_execution; number += 9973) {
        const pen_json *record = pen_metadata_find_execution(&metadata, number);
        PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(record, "execution"), -1), number);
    }
    const struct pen_metadata_query in_run = {.run = "run-5000"};
    int64_t n = 0;
    for (int64_t i = pen_metadata_seek(&metadata, 0, 1, &in_run); i >= 0;
         i = pen_metadata_seek(&metadata, i + 1, 1, &in_run)) {
        n++;
    }
    PEN_CHECK_EQ_I64(n, HISTORY_NODES);
    const pen_json *found = pen_metadata_find_run(&metadata, "run-77");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(found, "run"), "?"), "run-77");
    PEN_CHECK_OK(pen_metadata_check(&metadata, &err), &err);
    pen_metadata_close(&metadata);
    PEN_REQUIRE_OK(pen_metadata_open_recent(&metadata, root, 50, &err), &err);
    PEN_CHECK_EQ_I64(metadata.n_runs, 50);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(pen_metadata_run(&metadata, 49), "run"), "?"), "run-11112");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(pen_metadata_run(&metadata, 0), "status"), "?"), "succeeded");
    pen_metadata_close(&metadata);
}

static void a_line_walked_over_is_a_line_parsed(void)
{
    static const char *const lines[] = {
        "{\"execution\":7,\"inputs\":{\"run\":\"no\"},\"key\":\"abc\",\"kind\":\"execution\",\"node\":\"trainer\","
        "\"outputs\":{\"run\":\"no\",\"x\":[1,{\"seq\":4}]},\"parts\":{\"t\":\"a,\\\"run\\\":\\\"no\"},"
        "\"run\":\"run-3\",\"seconds\":0.1,\"seq\":12,\"status\":\"succeeded\",\"time\":\"t\"}",
        "{\"kind\":\"run_start\",\"run\":\"run-3\",\"seq\":1}",
        "{\"kind\":\"run_end\",\"run\":\"run-3\",\"seq\":9,\"status\":\"cached\"}",
        "{\"execution\":7,\"kind\":\"exec_start\",\"node\":\"trainer\",\"run\":\"run-3\",\"seq\":2}",
        "{\"kind\":\"execution\",\"message\":\"he said \\\"no\\\"\",\"node\":\"trainer\",\"run\":\"run-3\",\"seq\":5,"
        "\"status\":\"failed\"}",
        "{\"kind\":\"run_note\",\"name\":\"baseline\",\"run\":\"run-3\",\"seq\":6,\"tags\":[\"run\",\"name\"]}",
        "{\"kind\":\"run_note\",\"name\":\"baseline\",\"run\":\"run-3\",\"seq\":7,\"text\":\"he said \\\"no\\\"\"}",
        "{}",
    };
    static const struct pen_record facts[] = {
        {PEN_RECORD_EXECUTION, PEN_RECORD_SUCCEEDED, 1, 1, 1, 7, 12, 0},
        {PEN_RECORD_RUN_START, PEN_RECORD_NO_STATUS, 1, 0, 0, 0, 1, 0},
        {PEN_RECORD_RUN_END, PEN_RECORD_CACHED, 1, 0, 0, 0, 9, 0},
        {PEN_RECORD_EXEC_START, PEN_RECORD_NO_STATUS, 1, 1, 0, 7, 2, 0},
        {PEN_RECORD_EXECUTION, PEN_RECORD_ENDED, 1, 1, 0, 0, 5, 0},
        {PEN_RECORD_RUN_NOTE, PEN_RECORD_NO_STATUS, 1, 0, 0, 0, 6, 1},
        {PEN_RECORD_RUN_NOTE, PEN_RECORD_NO_STATUS, 1, 0, 0, 0, 7, 1},
        {PEN_RECORD_OTHER, PEN_RECORD_NO_STATUS, 0, 0, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct pen_record record;
        struct pen_error err = PEN_ERROR_INIT;
        PEN_REQUIRE_OK(pen_record_look(&record, lines[i], strlen(lines[i]), &err), &err);
        PEN_CHECK_EQ_I64(record.kind, facts[i].kind);
        PEN_CHECK_EQ_I64(record.status, facts[i].status);
        PEN_CHECK(record.run == (facts[i].run == 0 ? 0 : pen_record_name("run-3", 5)));
        PEN_CHECK(record.node == (facts[i].node == 0 ? 0 : pen_record_name("trainer", 7)));
        PEN_CHECK(record.key == (facts[i].key == 0 ? 0 : pen_record_name("abc", 3)));
        PEN_CHECK_EQ_I64(record.execution, facts[i].execution);
        PEN_CHECK_EQ_I64(record.seq, facts[i].seq);
        PEN_CHECK(record.title == (facts[i].title == 0 ? 0 : pen_record_name("baseline", 8)));
        for (size_t size = 0; size < strlen(lines[i]); size++) { /* never past the end; half a line is no record */
            PEN_CHECK_STATUS(pen_record_look(&record, lines[i], size, NULL), PEN_ERR_DATA);
        }
    }
}

PEN_SUITE(metadata, PEN_CASE(compaction_keeps_the_state_and_the_archive),
          PEN_CASE(compaction_cut_after_any_step_goes_on), PEN_CASE(a_damaged_base_is_refused_and_the_archive_mends_it),
          PEN_CASE(a_run_may_reach_over_a_base), PEN_CASE(a_run_is_joined_over_a_base),
          PEN_CASE(readers_never_see_compaction), PEN_CASE(killed_while_compacting_nothing_is_lost),
          PEN_CASE(a_hundred_thousand_executions_are_opened), PEN_CASE(a_line_walked_over_is_a_line_parsed));
