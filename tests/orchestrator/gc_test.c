/* What may go is what nothing needs, by hand; killed at any moment it leaves artifacts whole or none. */
#include "core/files.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/rng.h"
#include "orchestrator/metadata/gc.h"
#include "tests/orchestrator/program.h"
#include "tests/orchestrator/records.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FILES = 12, FILE_BYTES = 10 };

static const double day_s = 86400;

static void folder_of(char path[PEN_PATH_BYTES], int64_t number)
{
    char name[32];
    records_name(name, number);
    PEN_CHECK_EQ_I64(pen_path_join(path, pen_test_directory(), name, NULL), PEN_OK);
}

/* FILES files of FILE_BYTES and a manifest that says so. */
static void make_folder(int64_t number)
{
    char folder[PEN_PATH_BYTES], path[PEN_PATH_BYTES], name[32];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text manifest = {0};
    folder_of(folder, number);
    PEN_CHECK_OK(pen_directory_create(folder, &err), &err);
    pen_text_append(&manifest, "{\"files\":[");
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(name, sizeof name, "file-%d", i);
        PEN_CHECK_OK(pen_path_join(path, folder, name, &err), &err);
        PEN_CHECK_OK(pen_file_write_unsynced(path, "0123456789", FILE_BYTES, &err), &err);
        pen_text_printf(&manifest, "%s{\"path\":\"%s\",\"size_bytes\":%d}", i == 0 ? "" : ",", name, FILE_BYTES);
    }
    pen_text_append(&manifest, "]}");
    PEN_CHECK_OK(pen_path_join(path, folder, "manifest.json", &err), &err);
    PEN_CHECK_OK(pen_file_write_unsynced(path, manifest.data, manifest.size_bytes, &err), &err);
    pen_text_deinit(&manifest);
}

/* Files in the folder; -1: it is not there. */
static int64_t count_files(const char *folder)
{
    struct pen_arena arena = {0};
    char **names = NULL;
    int64_t n = -1;
    if (pen_path_is_directory(folder)) {
        PEN_CHECK_EQ_I64(pen_directory_list(&arena, folder, &names, &n, NULL), PEN_OK);
    }
    pen_arena_deinit(&arena);
    return n;
}

static void make(struct pen_metadata *metadata, const char *run, const char *node, int64_t number, pen_json *inputs,
                 pen_json *output)
{
    records_execution(metadata, run, node, number, inputs, output);
    make_folder(number);
}

static void take_from_cache(struct pen_metadata *metadata, const char *run, const char *node, int64_t number)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *execution = pen_json_object();
    pen_json_set_string(execution, "run", run);
    pen_json_set_string(execution, "node", node);
    pen_json_set_int(execution, "execution", number);
    pen_json_set_string(execution, "status", "cached");
    pen_json_set_string(execution, "key", node);
    pen_json_set(execution, "inputs", pen_json_object());
    PEN_CHECK_OK(pen_metadata_record(metadata, "execution", execution, &err), &err);
}

static void make_span(struct pen_metadata *metadata, const char *run, int64_t number, int64_t span)
{
    make(metadata, run, "example_gen", number, pen_json_object(),
         records_output(number, "Examples", records_property("span", pen_json_int(span))));
    make(metadata, run, "statistics_gen", number + 1, records_input("examples", number),
         records_output(number + 1, "ExampleStatistics", NULL));
}

static void make_model(struct pen_metadata *metadata, const char *run, int64_t number, int64_t examples, bool blessed)
{
    make(metadata, run, "trainer", number, records_input("examples", examples), records_output(number, "Model", NULL));
    make(metadata, run, "evaluator", number + 1, records_input("model", number),
         records_output(number + 1, "ModelBlessing", records_property("blessed", pen_json_bool(blessed))));
}

/* Three spans; a model of the first was blessed, one of the third pushed; runs 4 and 5 train on the third once more. */
static void make_history(struct pen_metadata *metadata)
{
    struct pen_error err = PEN_ERROR_INIT;
    PEN_REQUIRE_OK(pen_metadata_open(metadata, pen_test_directory(), true, &err), &err);
    records_run(metadata, "run-1");
    make_span(metadata, "run-1", 1, 1);
    make_model(metadata, "run-1", 3, 1, true);
    records_run(metadata, "run-2");
    make_span(metadata, "run-2", 5, 2);
    make_model(metadata, "run-2", 7, 5, false);
    records_run(metadata, "run-3");
    make_span(metadata, "run-3", 9, 3);
    make(metadata, "run-3", "trainer", 11, records_input("examples", 9), records_output(11, "Model", NULL));
    make(metadata, "run-3", "pusher", 12, records_input("model", 11),
         records_output(12, "PushedModel", records_property("pushed", pen_json_bool(true))));
    records_run(metadata, "run-4");
    take_from_cache(metadata, "run-4", "example_gen", 9);
    make_model(metadata, "run-4", 13, 9, false);
    records_run(metadata, "run-5");
    take_from_cache(metadata, "run-5", "example_gen", 9);
    make_model(metadata, "run-5", 15, 9, false);
}

static struct pen_gc_policy policy_of(int64_t keep_runs, double younger_than_s, double later_s)
{
    char now[PEN_TIME_BYTES];
    return (struct pen_gc_policy){keep_runs, younger_than_s, pen_clock_utc_seconds(pen_clock_utc(now)) + later_s};
}

static void what_nothing_needs_may_go(void)
{
    static const struct {
        int64_t keep_runs;
        double younger_than_days;
        const char *removed; /* numbers */
    } cases[] = {
        {1, 0, " 1 2 5 7 8 13 14"}, /* of span 2 the statistics stay: drift */
        {2, 0, " 1 2 5 7 8"},       /* run-4 too */
        {4, 0, " 1 2"},             /* run-2 uses 5, 7 and 8 */
        {5, 0, ""},
        {0, 0, " 1 2 5 7 8 13 14"}, /* the newest of each node stay */
        {0, 11, ""},                /* all began ten days ago */
        {1, 9, " 1 2 5 7 8 13 14"},
        {2, 9, " 1 2 5 7 8"},
    };
    struct pen_metadata metadata;
    struct pen_error err = PEN_ERROR_INIT;
    make_history(&metadata);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct pen_gc_policy policy =
            policy_of(cases[i].keep_runs, cases[i].younger_than_days * day_s, 10 * day_s);
        struct pen_text numbers = {0};
        pen_json *document = NULL;
        PEN_REQUIRE_OK(pen_gc_choose(&metadata, &policy, &document, &err), &err);
        const pen_json *removed = pen_json_get(document, "removed");
        for (int64_t k = 0; k < pen_json_size(removed); k++) {
            const char *id = pen_json_string_or(pen_json_get(pen_json_at(removed, k), "id"), "");
            pen_text_printf(&numbers, " %s", id + strlen("node.thing."));
        }
        PEN_CHECK_EQ_STR(pen_text_view(&numbers), cases[i].removed);
        PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(document, "bytes"), -1),
                         pen_json_size(removed) * FILES * FILE_BYTES);
        PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(document, "kept"), -1), 16 - pen_json_size(removed));
        pen_json_free(document);
        pen_text_deinit(&numbers);
    }
    pen_metadata_close(&metadata);
}

/* Written by somebody else, who would have penstock remove what is not its own. */
static void folders_outside_stay(void)
{
    static const char *const uris[] = {"/etc", "../other", "node/../../other", ""};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    const struct pen_gc_policy policy = policy_of(0, 0, day_s);
    pen_json *document = NULL;
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, pen_test_directory(), true, &err), &err);
    records_run(&metadata, "run-1");
    for (int64_t i = 0; i < 4; i++) {
        pen_json *output = records_output(i + 1, "Examples", NULL);
        pen_json_set_string(output, "uri", uris[i]);
        records_execution(&metadata, "run-1", "example_gen", i + 1, pen_json_object(), output);
    }
    PEN_REQUIRE_OK(pen_gc_choose(&metadata, &policy, &document, &err), &err);
    PEN_CHECK_EQ_I64(pen_json_size(pen_json_get(document, "removed")), 0);
    pen_json_free(document);
    pen_metadata_close(&metadata);
}

static void collect_in_a_child(uint64_t moment)
{
    pid_t child = fork();
    if (child == 0) {
        struct pen_metadata metadata;
        const struct pen_gc_policy policy = policy_of(0, 0, day_s);
        pen_json *document = NULL;
        bool done = pen_metadata_open(&metadata, pen_test_directory(), true, NULL) == PEN_OK &&
                    pen_gc_choose(&metadata, &policy, &document, NULL) == PEN_OK &&
                    pen_gc_remove(&metadata, document, NULL) == PEN_OK;
        _exit(done ? 0 : 1);
    }
    struct timespec pause = {0, (long)((4e6 + 5e5 * (double)moment) * pen_rng_uniform(91, 1, moment))};
    (void)nanosleep(&pause, NULL);
    (void)kill(child, SIGKILL);
    PEN_CHECK(waitpid(child, NULL, 0) == child);
}

static void killed_at_any_moment_artifacts_are_whole_or_gone(void)
{
    enum { ARTIFACTS = 150, MOST_KILLS = 200 };
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    char path[PEN_PATH_BYTES];
    int64_t n_there = ARTIFACTS, n_kills = 0;
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, pen_test_directory(), true, &err), &err);
    records_run(&metadata, "run-1");
    for (int64_t i = 1; i <= ARTIFACTS; i++) {
        make(&metadata, "run-1", "example_gen", i, pen_json_object(), records_output(i, "Examples", NULL));
    }
    pen_metadata_close(&metadata);
    for (; n_there > 1 && n_kills < MOST_KILLS; n_kills++) {
        collect_in_a_child((uint64_t)n_kills);
        n_there = 0;
        for (int64_t i = 1; i <= ARTIFACTS; i++) {
            folder_of(path, i);
            int64_t n = count_files(path);
            PEN_CHECK_MSG(n == -1 || n == FILES + 1, "thing %lld has %lld files", (long long)i, (long long)n);
            n_there += n != -1;
        }
    }
    PEN_CHECK_MSG(n_there == 1, "%lld artifacts after %lld kills", (long long)n_there, (long long)n_kills);
    const struct pen_gc_policy policy = policy_of(0, 0, day_s);
    pen_json *document = NULL;
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, pen_test_directory(), true, &err), &err);
    PEN_CHECK_OK(pen_gc_choose(&metadata, &policy, &document, &err), &err);
    PEN_CHECK_OK(pen_gc_remove(&metadata, document, &err), &err);
    PEN_CHECK_OK(pen_path_join(path, pen_test_directory(), "trash", &err), &err);
    PEN_CHECK_EQ_I64(count_files(path), -1);
    pen_json_free(document);
    pen_metadata_close(&metadata);
}

static void while_a_run_goes_on_nothing_is_taken(void)
{
    struct pen_metadata metadata;
    struct program_result result = {0};
    if (access(PEN_TEST_PROGRAM, X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    make_history(&metadata); /* holds the root */
    program_run(pen_test_directory(), "gc --keep-runs 0 --root .", &result);
    PEN_CHECK_MSG(result.exit_code != 0, "exit %lld", (long long)result.exit_code);
    program_deinit(&result);
    char path[PEN_PATH_BYTES];
    folder_of(path, 1);
    PEN_CHECK_EQ_I64(count_files(path), FILES + 1);
    pen_metadata_close(&metadata);
}

PEN_SUITE(gc, PEN_CASE(what_nothing_needs_may_go), PEN_CASE(folders_outside_stay),
          PEN_CASE(killed_at_any_moment_artifacts_are_whole_or_gone), PEN_CASE(while_a_run_goes_on_nothing_is_taken));
