/* When a run asks the driver for devices and when it takes what the run before took, against the fake CUDA module of
 * tests/kernels/device: with the fault "crash" an answer to the question would be the CPU. */
#include "core/files.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The line's first words on standard error say the device. */
static void expect_device(const char *line, const char *wanted)
{
    struct program_result result;
    program_run(pen_test_directory(), line, &result);
    PEN_CHECK_EQ_I64(result.exit_code, 0);
    PEN_CHECK_MSG(strncmp(pen_text_view(&result.err), wanted, strlen(wanted)) == 0, "%s: expected %s, found %s", line,
                  wanted, pen_text_view(&result.err));
    program_deinit(&result);
}

static void make_pipeline(void)
{
    struct program_result result;
    program_run(pen_test_directory(), "generate taxi --rows 60 --seed 1 -o t.csv", &result);
    program_deinit(&result);
    program_run(pen_test_directory(), "init t.csv --label tips", &result);
    program_deinit(&result);
}

/* A copy of the fake module in the case's folder, named for the program. */
static void name_module(char path[PEN_PATH_BYTES])
{
    struct pen_text module = {0};
    struct pen_error err = PEN_ERROR_INIT;
    PEN_REQUIRE_OK(pen_file_read(PEN_FAKE_MODULE, 1 << 28, &module, &err), &err);
    PEN_REQUIRE_OK(pen_path_join(path, pen_test_directory(), "fake.so", &err), &err);
    PEN_REQUIRE_OK(pen_file_write_atomic(path, module.data, module.size_bytes, &err), &err);
    pen_text_deinit(&module);
    (void)setenv("PENSTOCK_CUDA_MODULE", path, 1);
}

static void an_answer_is_kept_as_long_as_it_holds(void)
{
    static const char taken[] = "device cuda:0 (Fake 0)", not_taken[] = "device cpu (the process that asked";
    static const char run[] = "run pipeline.yaml --to schema_gen";
    static const struct timespec long_ago[2] = {{1, 0}, {1, 0}};
    char module[PEN_PATH_BYTES];
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    make_pipeline();
    name_module(module);
    expect_device(run, taken);
    (void)setenv("PEN_FAKE_FAULT", "crash", 1);
    expect_device(run, taken);
    expect_device("run pipeline.yaml --to schema_gen --device cpu", "device cpu (asked for)");
    expect_device(run, not_taken); /* the run before was of another question */
    (void)unsetenv("PEN_FAKE_FAULT");
    expect_device(run, taken); /* that it could not be taken is no answer to keep */
    expect_device("run pipeline.yaml --to schema_gen --device cuda", taken);
    PEN_CHECK_EQ_I64(utimensat(AT_FDCWD, module, long_ago, 0), 0);
    (void)setenv("PEN_FAKE_FAULT", "crash", 1);
    expect_device(run, not_taken);
    (void)unsetenv("PEN_FAKE_FAULT");
    (void)unsetenv("PENSTOCK_CUDA_MODULE");
}

/* What hides or orders devices, and what says which libraries are loaded. */
static void another_environment_is_another_question(void)
{
    static const char *const settings[][2] = {{"CUDA_VISIBLE_DEVICES", "1"},
                                              {"CUDA_VISIBLE_DEVICES", ""},
                                              {"CUDA_DEVICE_ORDER", "PCI_BUS_ID"},
                                              {"LD_LIBRARY_PATH", "/nowhere"}};
    static const char run[] = "run pipeline.yaml --to schema_gen";
    char module[PEN_PATH_BYTES];
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    make_pipeline();
    name_module(module);
    for (int i = 0; i < 4; i++) {
        const char *before = getenv(settings[i][0]);
        char *kept = before == NULL ? NULL : strdup(before);
        expect_device(run, "device cuda:0 (Fake 0)");
        (void)setenv("PEN_FAKE_FAULT", "crash", 1);
        (void)setenv(settings[i][0], settings[i][1], 1);
        expect_device(run, "device cpu (the process that asked");
        (void)(kept == NULL ? unsetenv(settings[i][0]) : setenv(settings[i][0], kept, 1));
        (void)unsetenv("PEN_FAKE_FAULT");
        free(kept);
    }
    (void)unsetenv("PENSTOCK_CUDA_MODULE");
}

static void a_name_that_is_no_device_leaves_nothing_behind(void)
{
    struct program_result result;
    char root[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    make_pipeline();
    program_run(pen_test_directory(), "run pipeline.yaml --device gpu", &result);
    PEN_CHECK_EQ_I64(result.exit_code, 2);
    PEN_CHECK(strstr(pen_text_view(&result.err), "expected auto, cpu, cuda or cuda:N, found 'gpu'") != NULL);
    PEN_REQUIRE_OK(pen_path_join(root, pen_test_directory(), "out", &err), &err);
    PEN_CHECK(access(root, F_OK) != 0);
    program_deinit(&result);
}

static void after_a_failure_it_is_asked_again(void)
{
    char module[PEN_PATH_BYTES];
    struct program_result result;
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    make_pipeline();
    name_module(module);
    program_run(pen_test_directory(), "run pipeline.yaml --to transform --set transform.label=tipps", &result);
    PEN_CHECK(result.exit_code != 0);
    program_deinit(&result);
    (void)setenv("PEN_FAKE_FAULT", "crash", 1);
    expect_device("run pipeline.yaml --to schema_gen", "device cpu (the process that asked");
    (void)unsetenv("PEN_FAKE_FAULT");
    (void)unsetenv("PENSTOCK_CUDA_MODULE");
}

PEN_SUITE(device, PEN_CASE(an_answer_is_kept_as_long_as_it_holds), PEN_CASE(another_environment_is_another_question),
          PEN_CASE(a_name_that_is_no_device_leaves_nothing_behind), PEN_CASE(after_a_failure_it_is_asked_again));
