/* The program with --device cuda, from CSV to pushed model and predictions, beside the same on the CPU.
 *
 * The device is the shim's (tests/shim): host code that touches device memory ends the node, and work waits until it is
 * waited for, so that a forgotten wait shows as a wrong number. Bounds: both sides compute in float32 with sums in
 * other orders; after so few steps predictions agree to 1e-5, so that mean metrics do too, and a ranking metric may
 * exchange the places of a few pairs of rows in a million. */
#include "core/files.h"
#include "core/json.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Runs the line on the device in an order of blocks and threads, or on the CPU (order 0). One thread: the others of
 * Transform would open queues of their own, and the shim serves one thread. */
static void run(struct program_result *result, int order, const char *line)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%d", order);
    (void)setenv("PENSTOCK_CUDA_MODULE", PEN_SHIM_MODULE, 1);
    (void)setenv("PEN_SHIM_DEFERRED", "1", 1);
    (void)setenv("PEN_SHIM_ORDER", number, 1);
    (void)setenv("OMP_NUM_THREADS", "1", 1);
    program_run(pen_test_directory(), line, result);
    (void)unsetenv("PENSTOCK_CUDA_MODULE");
    (void)unsetenv("PEN_SHIM_DEFERRED");
    (void)unsetenv("PEN_SHIM_ORDER");
    (void)unsetenv("OMP_NUM_THREADS");
}

/* pattern: the line, with @ for the device (also the names of what it writes). */
static void expect_success(int order, const char *pattern, const char *device)
{
    struct pen_text line = {0};
    struct program_result result;
    for (const char *c = pattern; *c != '\0'; c++) {
        if (*c == '@') {
            pen_text_append(&line, device);
        } else {
            pen_text_append_char(&line, *c);
        }
    }
    run(&result, order, pen_text_view(&line));
    PEN_CHECK_MSG(result.exit_code == 0, "penstock %s: exit %d: %s", pen_text_view(&line), result.exit_code,
                  pen_text_view(&result.err));
    program_deinit(&result);
    pen_text_deinit(&line);
}

static pen_json *show_evaluation(const char *root)
{
    char line[128];
    struct program_result result;
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *document = NULL;
    (void)snprintf(line, sizeof line, "show evaluation --json --root %s", root);
    program_run(pen_test_directory(), line, &result);
    PEN_CHECK_OK(pen_json_parse(pen_text_view(&result.out), result.out.size_bytes, line, &document, &err), &err);
    program_deinit(&result);
    return document;
}

static double value_of(const pen_json *slice, const char *metric, const char *field)
{
    return pen_json_number_or(pen_json_get(pen_json_get(pen_json_get(slice, "metrics"), metric), field), NAN);
}

struct metric {
    const char *name;
    double bound;
};

/* fields: what an evaluation has of a metric, ends with NULL. */
static void compare_evaluations(const char *cpu_root, const char *cuda_root, const struct metric *metrics,
                                const char *const *fields)
{
    pen_json *cpu = show_evaluation(cpu_root);
    pen_json *cuda = show_evaluation(cuda_root);
    const pen_json *slices = pen_json_get(cpu, "slices");
    PEN_CHECK(pen_json_size(slices) > 0);
    PEN_CHECK_EQ_I64(pen_json_size(pen_json_get(cuda, "slices")), pen_json_size(slices));
    for (int64_t s = 0; s < pen_json_size(slices); s++) {
        const pen_json *wanted = pen_json_at(slices, s);
        const pen_json *found = pen_json_at(pen_json_get(cuda, "slices"), s);
        for (const struct metric *metric = metrics; metric->name != NULL; metric++) {
            for (const char *const *field = fields; *field != NULL; field++) {
                double a = value_of(wanted, metric->name, *field);
                double b = value_of(found, metric->name, *field);
                PEN_CHECK_MSG(fabs(a - b) <= metric->bound || (s > 0 && isnan(a) && isnan(b)),
                              "slice %lld: %s %s: expected the CPU's %.9g within %g, found %.9g", (long long)s,
                              metric->name, *field, a, metric->bound, b);
            }
        }
    }
    pen_json_free(cpu);
    pen_json_free(cuda);
}

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

/* A file of the newest version of the model under a root of the case's folder. */
static void read_of_model(const char *root, const char *file, struct pen_text *text)
{
    struct pen_arena arena = {0};
    struct pen_error err = PEN_ERROR_INIT;
    char **names = NULL;
    int64_t n = 0;
    const char *folder = pen_arena_printf(&arena, "%s/%s/trainer/model", pen_test_directory(), root);
    PEN_CHECK_OK(pen_directory_list(&arena, folder, &names, &n, &err), &err);
    if (n > 0) {
        const char *path = pen_arena_printf(&arena, "%s/%s/%s", folder, names[n - 1], file);
        PEN_CHECK_OK(pen_file_read(path, 1 << 24, text, &err), &err);
    }
    pen_arena_deinit(&arena);
}

static bool same_weights(const char *a_root, const char *b_root)
{
    struct pen_text a = {0};
    struct pen_text b = {0};
    read_of_model(a_root, "weights.bin", &a);
    read_of_model(b_root, "weights.bin", &b);
    PEN_CHECK(a.size_bytes > 0 && b.size_bytes > 0);
    bool same = a.size_bytes > 0 && a.size_bytes == b.size_bytes && memcmp(a.data, b.data, a.size_bytes) == 0;
    pen_text_deinit(&a);
    pen_text_deinit(&b);
    return same;
}

static bool is_built(void)
{
    return access(pen_test_program(), X_OK) == 0 && access(PEN_SHIM_MODULE, R_OK) == 0;
}

static const struct metric of_two_classes[] = {
    {"auc", 1e-4},         {"pr_auc", 1e-3},      {"logloss", 1e-5}, {"brier", 1e-5}, {"mean_prediction", 1e-5},
    {"calibration", 1e-4}, {"mean_label", 1e-12}, {NULL, 0}};
static const struct metric of_many_classes[] = {{"logloss", 1e-5}, {"auc", 1e-4}, {NULL, 0}};
static const char *const one_model[] = {"value", NULL};
static const char *const with_baseline[] = {"value", "baseline", NULL};

/* Dense columns, look-ups, dropout, clipped gradients; then a second model against the first as its baseline. */
static void taxi_trips(void)
{
    static const char first[] = "run pipeline.yaml --device @ --root @ --set trainer.steps=16 "
                                "--set trainer.dropout=0.1 --set trainer.clip_norm=0.5 --set pusher.directory=@.pushed";
    static const char second[] = "run pipeline.yaml --device @ --root @ --set trainer.steps=12 "
                                 "--set trainer.optimizer=adagrad --set pusher.directory=@.pushed";
    if (!is_built()) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    expect_success(0, "generate taxi --rows 1200 --seed 1 -o t.csv", "");
    expect_success(0, "init t.csv --label 'tips > 0.2 * fare'", "");
    expect_success(0, first, "cpu");
    expect_success(1, first, "cuda");
    compare_evaluations("cpu", "cuda", of_two_classes, one_model);
    expect_success(2, "predict cpu.pushed/1 --csv t.csv --device @ -o @.csv", "cuda");
    expect_success(0, "predict cpu.pushed/1 --csv t.csv --device @ -o @.csv", "cpu");
    compare_predictions("cpu.csv", "cuda.csv", 1200);
    expect_success(0, second, "cpu");
    expect_success(1, second, "cuda");
    compare_evaluations("cpu", "cuda", of_two_classes, with_baseline);
}

/* What of another device's run stands: nodes that do not compute on a device neither open it nor depend on it. */
static void nodes_that_another_device_keeps(void)
{
    struct program_result result;
    if (!is_built()) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    expect_success(0, "generate taxi --rows 300 --seed 1 -o t.csv", "");
    expect_success(0, "init t.csv --label 'tips > 0.2 * fare'", "");
    expect_success(0, "run pipeline.yaml --device cpu --to transform", "");
    run(&result, 0, "plan pipeline.yaml --device cuda");
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
    static const struct metric within[] = {{"logloss", 0x1p-9}, {NULL, 0}}; /* of a product's terms (gemm.h) */
    static const char line[] = "run pipeline.yaml --device @ --root @ --set trainer.steps=6 "
                               "--set trainer.optimizer=adamw --set pusher.directory=@.pushed";
    if (!is_built()) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    expect_success(0, "generate complaints --rows 800 --seed 1 -o t.csv", "");
    expect_success(0, "init t.csv --label product", "");
    expect_success(0, line, "cpu");
    expect_success(1, line, "cuda");
    compare_evaluations("cpu", "cuda", of_many_classes, one_model);
    expect_success(0, texts, "cpu");
    expect_success(2, texts, "cuda");
    compare_evaluations("cpu", "cuda", of_many_classes, one_model);
    expect_success(1, rounded, "rounded");
    compare_evaluations("cpu", "rounded", within, one_model);
    PEN_CHECK(!same_weights("cuda", "rounded"));
}

/* Whatever the order of blocks and threads. */
static void the_same_bits_twice(void)
{
    static const char line[] = "run pipeline.yaml --device cuda --root @ --to trainer --set trainer.steps=8";
    if (!is_built()) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    expect_success(0, "generate clicks --rows 600 --seed 1 -o t.csv", "");
    expect_success(0, "init t.csv --label clicked", "");
    expect_success(1, line, "a");
    expect_success(2, line, "b");
    PEN_CHECK(same_weights("a", "b"));
}

/* Rounded factors: other weights, the same for any order, told by the model; a product is off by at most 2^-6 of
 * its terms (gemm.h), and the mean metrics of a few steps are held to that. */
static void products_of_rounded_factors(void)
{
    static const struct metric metrics[] = {{"logloss", 0x1p-6}, {"mean_prediction", 0x1p-6}, {NULL, 0}};
    static const char exact[] = "run pipeline.yaml --device cuda --root @ --set trainer.steps=8 --to evaluator";
    static const char rounded[] = "run pipeline.yaml --device cuda --root @ --set trainer.steps=8 --to evaluator "
                                  "--set trainer.precision=bf16";
    struct pen_text told = {0};
    if (!is_built()) {
        PEN_SKIP("the program or the shim's module is not built");
    }
    expect_success(0, "generate taxi --rows 600 --seed 1 -o t.csv", "");
    expect_success(0, "init t.csv --label 'tips > 0.2 * fare'", "");
    expect_success(1, exact, "exact");
    expect_success(1, rounded, "one");
    expect_success(2, rounded, "two");
    compare_evaluations("exact", "one", metrics, one_model);
    PEN_CHECK(!same_weights("exact", "one"));
    PEN_CHECK(same_weights("one", "two"));
    read_of_model("one", "model.json", &told);
    PEN_CHECK_CONTAINS(pen_text_view(&told), "\"precision\": \"bf16\"");
    pen_text_deinit(&told);
}

PEN_SUITE(pipelines, PEN_CASE(taxi_trips), PEN_CASE(nodes_that_another_device_keeps), PEN_CASE(complaints),
          PEN_CASE(the_same_bits_twice), PEN_CASE(products_of_rounded_factors));
