/* Nodes on several ranks, each with a device of its own: the shim's, PEN_SHIM_DEVICES of them. */
#include "tests/device/shim_run.h"
#include "tests/pen_test.h"

#include <stdlib.h>

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

PEN_SUITE(device_ranks, PEN_CASE(the_model_of_some_ranks_is_that_of_one), PEN_CASE(ranks_without_a_device));
