/* The program with --device cuda, from CSV to pushed model and predictions, beside the same on the CPU.
 *
 * The device is the shim's (tests/shim): host code that touches device memory ends the node, and work waits until it is
 * waited for, so that a forgotten wait shows as a wrong number. Bounds: both sides compute in float32 with sums in
 * other orders; after so few steps predictions agree to 1e-5, so that mean metrics do too, and a ranking metric may
 * exchange the places of a few pairs of rows in a million. */
#include "core/files.h"
#include "tests/device/shim_run.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>

static void read_predictions(const char *name, struct pen_text *text)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    PEN_REQUIRE_OK(pen_path_join(path, pen_test_directory(), name, &err), &err);
    PEN_CHECK_OK(pen_file_read(path, 1 << 24, text, &err), &err);
}

/* The last field of a line. */
static double last_number(const char *line)
{
    const char *end = line + strcspn(line, "\n");
    while (end > line && end[-1] != ',') {
        end--;
    }
    return strtod(end, NULL);
}

/* Each line ends in the probability. */
static void compare_predictions(const char *a_name, const char *b_name, int n_rows)
{
    struct pen_text a = {0};
    struct pen_text b = {0};
    int n = 0;
    read_predictions(a_name, &a);
    read_predictions(b_name, &b);
    const char *x = strchr(pen_text_view(&a), '\n');
    const char *y = strchr(pen_text_view(&b), '\n');
    for (; x != NULL && y != NULL && x[1] != '\0'; x = strchr(x + 1, '\n'), y = strchr(y + 1, '\n'), n++) {
        double wanted = last_number(x + 1);
        PEN_CHECK(wanted > 0 && wanted < 1);
        PEN_CHECK_NEAR(last_number(y + 1), wanted, 1e-5);
    }
    PEN_CHECK_EQ_I64(n, n_rows);
    pen_text_deinit(&a);
    pen_text_deinit(&b);
}

static bool same_weights(const char *a_root, const char *b_root)
{
    return shim_same_outputs(a_root, b_root, "trainer/model", "weights.bin");
}

static const struct shim_metric of_two_classes[] = {
    {"auc", 1e-4},         {"pr_auc", 1e-3},      {"logloss", 1e-5}, {"brier", 1e-5}, {"mean_prediction", 1e-5},
    {"calibration", 1e-4}, {"mean_label", 1e-12}, {NULL, 0}};
static const struct shim_metric of_many_classes[] = {{"logloss", 1e-5}, {"auc", 1e-4}, {NULL, 0}};
static const char *const one_model[] = {"value", NULL};
static const char *const with_baseline[] = {"value", "baseline", NULL};

/* Dense columns, look-ups, dropout, clipped gradients; then a second model against the first as its baseline. */
static void taxi_trips(void)
{
    static const char first[] = "run pipeline.yaml --device @ --root @ --set trainer.steps=16 "
                                "--set trainer.dropout=0.1 --set trainer.clip_norm=0.5 --set pusher.directory=@.pushed";
    static const char second[] = "run pipeline.yaml --device @ --root @ --set trainer.steps=12 "
                                 "--set trainer.optimizer=adagrad --set pusher.directory=@.pushed";
    if (!shim_is_built()) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    shim_expect_success(0, "generate taxi --rows 1200 --seed 1 -o t.csv", "");
    shim_expect_success(0, "init t.csv --label 'tips > 0.2 * fare'", "");
    shim_expect_success(0, first, "cpu");
    shim_expect_success(1, first, "cuda");
    shim_compare_evaluations("cpu", "cuda", of_two_classes, one_model);
    shim_expect_success(2, "predict cpu.pushed/1 --csv t.csv --device @ -o @.csv", "cuda");
    shim_expect_success(0, "predict cpu.pushed/1 --csv t.csv --device @ -o @.csv", "cpu");
    compare_predictions("cpu.csv", "cuda.csv", 1200);
    shim_expect_success(0, second, "cpu");
    shim_expect_success(1, second, "cuda");
    shim_compare_evaluations("cpu", "cuda", of_two_classes, with_baseline);
}

/* What of another device's run stands: nodes that do not compute on a device neither open it nor depend on it. */
static void nodes_that_another_device_keeps(void)
{
    struct program_result result;
    if (!shim_is_built()) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    shim_expect_success(0, "generate taxi --rows 300 --seed 1 -o t.csv", "");
    shim_expect_success(0, "init t.csv --label 'tips > 0.2 * fare'", "");
    shim_expect_success(0, "run pipeline.yaml --device cpu --to transform", "");
    shim_run(&result, 0, "plan pipeline.yaml --device cuda");
    PEN_CHECK_CONTAINS(pen_text_view(&result.out), "example_gen          cached");
    PEN_CHECK_CONTAINS(pen_text_view(&result.out), "schema_gen           cached");
    PEN_CHECK_CONTAINS(pen_text_view(&result.out), "transform            run     device: \"cpu\" -> \"cuda:0\"");
    program_deinit(&result);
}

/* Several classes, lists of tokens, sparse updates; then the tokens in their order, and that through the library. */
static void complaints(void)
{
    static const char texts[] = "run pipeline.yaml --device @ --root @ --set trainer.steps=6 "
                                "--set 'trainer.text_cnn={widths: [2, 3], filters: 8, max_length: 40}' "
                                "--set pusher.directory=@.pushed";
    static const char rounded[] = "run pipeline.yaml --device cuda --root @ --set trainer.steps=6 "
                                  "--set 'trainer.text_cnn={widths: [2, 3], filters: 8, max_length: 40}' "
                                  "--set trainer.precision=tf32 --to evaluator";
    static const struct shim_metric within[] = {{"logloss", 0x1p-9}, {NULL, 0}}; /* of a product's terms (gemm.h) */
    static const char line[] = "run pipeline.yaml --device @ --root @ --set trainer.steps=6 "
                               "--set trainer.optimizer=adamw --set pusher.directory=@.pushed";
    if (!shim_is_built()) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    shim_expect_success(0, "generate complaints --rows 800 --seed 1 -o t.csv", "");
    shim_expect_success(0, "init t.csv --label product", "");
    shim_expect_success(0, line, "cpu");
    shim_expect_success(1, line, "cuda");
    shim_compare_evaluations("cpu", "cuda", of_many_classes, one_model);
    shim_expect_success(0, texts, "cpu");
    shim_expect_success(2, texts, "cuda");
    shim_compare_evaluations("cpu", "cuda", of_many_classes, one_model);
    shim_expect_success(1, rounded, "rounded");
    shim_compare_evaluations("cpu", "rounded", within, one_model);
    PEN_CHECK(!same_weights("cuda", "rounded"));
}

/* Whatever the order of blocks and threads. */
static void the_same_bits_twice(void)
{
    static const char line[] = "run pipeline.yaml --device cuda --root @ --to trainer --set trainer.steps=8";
    if (!shim_is_built()) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    shim_expect_success(0, "generate clicks --rows 600 --seed 1 -o t.csv", "");
    shim_expect_success(0, "init t.csv --label clicked", "");
    shim_expect_success(1, line, "a");
    shim_expect_success(2, line, "b");
    PEN_CHECK(same_weights("a", "b"));
}

/* Rounded factors: other weights, the same for any order, told by the model; a product is off by at most 2^-6 of
 * its terms (gemm.h), and the mean metrics of a few steps are held to that. */
static void products_of_rounded_factors(void)
{
    static const struct shim_metric metrics[] = {{"logloss", 0x1p-6}, {"mean_prediction", 0x1p-6}, {NULL, 0}};
    static const char exact[] = "run pipeline.yaml --device cuda --root @ --set trainer.steps=8 --to evaluator";
    static const char rounded[] = "run pipeline.yaml --device cuda --root @ --set trainer.steps=8 --to evaluator "
                                  "--set trainer.precision=bf16";
    struct pen_text told = {0};
    if (!shim_is_built()) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    shim_expect_success(0, "generate taxi --rows 600 --seed 1 -o t.csv", "");
    shim_expect_success(0, "init t.csv --label 'tips > 0.2 * fare'", "");
    shim_expect_success(1, exact, "exact");
    shim_expect_success(1, rounded, "one");
    shim_expect_success(2, rounded, "two");
    shim_compare_evaluations("exact", "one", metrics, one_model);
    PEN_CHECK(!same_weights("exact", "one"));
    PEN_CHECK(same_weights("one", "two"));
    shim_read_output("one", "trainer/model", "model.json", &told);
    PEN_CHECK_CONTAINS(pen_text_view(&told), "\"precision\": \"bf16\"");
    pen_text_deinit(&told);
}

PEN_SUITE(pipelines, PEN_CASE(taxi_trips), PEN_CASE(nodes_that_another_device_keeps), PEN_CASE(complaints),
          PEN_CASE(the_same_bits_twice), PEN_CASE(products_of_rounded_factors));
