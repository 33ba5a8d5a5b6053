/* Nodes on several ranks, each with a device of its own: the shim's, PEN_SHIM_DEVICES of them. */
#include "core/files.h"
#include "tests/device/shim_run.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The batches of some ranks are those of one, so that only the order of sums differs, as between CPU and CUDA. */
#define LINE "run pipeline.yaml --device cuda --root @ --to evaluator --set trainer.steps=12 "

static const struct shim_metric metrics[] = {{"auc", 1e-4},   {"pr_auc", 1e-3},          {"logloss", 1e-5},
                                             {"brier", 1e-5}, {"mean_prediction", 1e-5}, {NULL, 0}};
static const char *const fields[] = {"value", NULL};

static bool prepare(const char *n_devices)
{
    (void)setenv("PEN_SHIM_DEVICES", n_devices, 1);
    if (!shim_is_built()) {
        return false;
    }
    shim_expect_success(0, "generate taxi --rows 1200 --seed 1 -o t.csv", "");
    shim_expect_success(0, "init t.csv --label 'tips > 0.2 * fare'", "");
    return true;
}

static void the_model_of_some_ranks_is_that_of_one(void)
{
    if (!prepare("4")) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    shim_expect_success(1, LINE, "one");
    shim_expect_success(1, LINE "--set launcher.ranks=2", "two");
    shim_expect_success(2, LINE "--set launcher.ranks=2", "again");
    shim_expect_success(1, LINE "--set launcher.ranks=4", "four");
    shim_compare_evaluations("one", "two", metrics, fields);
    shim_compare_evaluations("one", "four", metrics, fields);
    PEN_CHECK(shim_same_outputs("one", "two", "statistics_gen/statistics", "statistics.json"));
    PEN_CHECK(shim_same_outputs("one", "four", "transform/transform_graph", "graph.json"));
    PEN_CHECK(shim_same_outputs("two", "again", "trainer/model", "weights.bin"));
    (void)unsetenv("PEN_SHIM_DEVICES");
}

/* Wide enough for gradients to be on their way while the first layer's are worked out. */
static void layers_that_are_sent_early(void)
{
    static const char line[] = "run pipeline.yaml --device cuda --root @ --to evaluator --set trainer.steps=4 "
                               "--set 'trainer.hidden=[520, 512]' ";
    char two[256];
    (void)snprintf(two, sizeof two, "%s --set launcher.ranks=2", line);
    if (!prepare("2")) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    shim_expect_success(1, line, "one");
    shim_expect_success(1, two, "two");
    shim_expect_success(2, two, "again");
    shim_compare_evaluations("one", "two", metrics, fields);
    PEN_CHECK(shim_same_outputs("two", "again", "trainer/model", "weights.bin"));
    (void)unsetenv("PEN_SHIM_DEVICES");
}

static void ranks_without_a_device(void)
{
    struct program_result result;
    if (!prepare("2")) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    shim_run(&result, 1, "run pipeline.yaml --device cuda --to transform --set launcher.ranks=3");
    PEN_CHECK_EQ_I64(result.exit_code, 3);
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "expected a CUDA device for each of the 3 ranks on this machine, "
                                                   "found 2 from cuda:0 on");
    program_deinit(&result);
    (void)unsetenv("PEN_SHIM_DEVICES");
}

static void without_nccl_the_host_is_asked_for(void)
{
    struct program_result result;
    if (!prepare("2")) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    (void)setenv("PEN_SHIM_NO_NCCL", "1", 1);
    shim_run(&result, 1, "run pipeline.yaml --device cuda --root host --to trainer --set launcher.ranks=2");
    PEN_CHECK_EQ_I64(result.exit_code, pen_status_exit_code(PEN_ERR_UNSUPPORTED));
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "expected NCCL, by which they add up gradients, found none");
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "trainer.exchange: host");
    program_deinit(&result);
    shim_expect_success(1, LINE "--set launcher.ranks=2 --set trainer.exchange=host", "host");
    (void)unsetenv("PEN_SHIM_NO_NCCL");
    shim_expect_success(1, LINE "--set launcher.ranks=2", "device");
    shim_compare_evaluations("host", "device", metrics, fields);
    (void)unsetenv("PEN_SHIM_DEVICES");
}

/* Lists of ids, convolved and pooled, whose tables are as sparse as text is. */
static void tables_of_some_ranks_are_those_of_one(void)
{
    static const char line[] = "run pipeline.yaml --device cuda --root @ --to evaluator --set trainer.steps=4 "
                               "--set 'trainer.text_cnn={widths: [2], filters: 4, max_length: 20}' ";
    static const struct shim_metric logloss[] = {{"logloss", 1e-5}, {NULL, 0}};
    char some[256];
    (void)setenv("PEN_SHIM_DEVICES", "3", 1);
    if (!shim_is_built()) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    shim_expect_success(0, "generate complaints --rows 400 --seed 1 -o t.csv", "");
    shim_expect_success(0, "init t.csv --label product", "");
    (void)snprintf(some, sizeof some, "%s --set launcher.ranks=3", line);
    shim_expect_success(1, line, "one");
    shim_expect_success(1, some, "three");
    shim_compare_evaluations("one", "three", logloss, fields);
    (void)unsetenv("PEN_SHIM_DEVICES");
}

static void mpirun_gives_the_bits_of_forked_ranks(void)
{
    if (!program_has_mpirun() || !prepare("2")) {
        PEN_SKIP("OpenMPI is not installed (libopenmpi-dev, openmpi-bin)");
    }
    shim_expect_success(1, LINE "--set launcher.ranks=2", "forked");
    shim_expect_success(
        1, LINE "--set launcher.ranks=2 --set 'launcher.command=[mpirun, --oversubscribe, --bind-to, none]'",
        "started");
    PEN_CHECK(shim_same_outputs("forked", "started", "trainer/model", "weights.bin"));
    (void)unsetenv("ASAN_OPTIONS");
    (void)unsetenv("PEN_SHIM_DEVICES");
}

/* The second child of the program: rank 1. 0: it has fewer. */
static pid_t find_rank_1(pid_t program)
{
    char path[64], line[128] = "", *second = line;
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", program, program);
    FILE *stream = fopen(path, "r");
    if (stream != NULL && fgets(line, sizeof line, stream) != NULL) {
        (void)strtol(line, &second, 10);
    }
    if (stream != NULL) {
        (void)fclose(stream);
    }
    return (pid_t)strtol(second, NULL, 10);
}

#define LONG_LINE                                                                                           \
    "run pipeline.yaml --device cuda --root %s --to trainer --set launcher.ranks=2 --set trainer.steps=24 " \
    "--set trainer.early_stopping=false --set trainer.checkpoint.steps=2"

/* Rank 0 waits for its device, or for rank 1 itself: in either case it ends soon, and what it kept is gone on from. */
static void a_rank_that_is_killed(void)
{
    struct program_result result;
    char checkpoints[PEN_PATH_BYTES], line[256];
    if (!prepare("2")) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    shim_environment(1);
    (void)snprintf(checkpoints, sizeof checkpoints, "%s/parts/checkpoints/trainer", pen_test_directory());
    (void)snprintf(line, sizeof line, LONG_LINE, "parts");
    pid_t program = program_start(pen_test_directory(), line);
    for (int i = 0; i < 6000 && !pen_path_is_directory(checkpoints); i++) {
        (void)usleep(10000);
    }
    pid_t rank = find_rank_1(program);
    PEN_CHECK(rank > 0 && kill(rank, SIGKILL) == 0);
    program_finish(pen_test_directory(), program, &result);
    PEN_CHECK_EQ_I64(result.exit_code, 1);
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "rank 1 of 2 (process ");
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "died of signal 9");
    program_deinit(&result);
    shim_expect_success(1, line, "");
    (void)snprintf(line, sizeof line, LONG_LINE, "whole");
    shim_expect_success(1, line, "");
    PEN_CHECK(shim_same_outputs("parts", "whole", "trainer/model", "weights.bin"));
    (void)unsetenv("PEN_SHIM_DEVICES");
}

PEN_SUITE(device_ranks, PEN_CASE(the_model_of_some_ranks_is_that_of_one), PEN_CASE(layers_that_are_sent_early),
          PEN_CASE(ranks_without_a_device), PEN_CASE(without_nccl_the_host_is_asked_for),
          PEN_CASE(a_rank_that_is_killed), PEN_CASE(tables_of_some_ranks_are_those_of_one),
          PEN_CASE(mpirun_gives_the_bits_of_forked_ranks));
