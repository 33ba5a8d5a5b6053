/* penstock doctor on a machine without a GPU, and on one that a fake CUDA module makes up. */
#include "core/files.h"
#include "core/json.h"
#include "kernels/op_list.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ONE(op) +1
enum { N_OPS = PEN_OP_LIST(ONE) };

/* The lines from "devices" on: those above are of this machine's size. */
static void check_doctor(const char *line, int exit_code, const char *wanted)
{
    struct program_result result;
    program_run(pen_test_directory(), line, &result);
    PEN_CHECK_EQ_I64(result.exit_code, exit_code);
    const char *devices = strstr(pen_text_view(&result.out), "devices");
    PEN_CHECK_EQ_STR(devices, wanted);
    PEN_CHECK_EQ_STR(pen_text_view(&result.err), "");
    program_deinit(&result);
}

static void without_a_gpu(void)
{
    char wanted[512];
    void *driver = dlopen("libcuda.so.1", RTLD_LAZY);
    if (driver != NULL) {
        (void)dlclose(driver);
        PEN_SKIP("this machine has an NVIDIA driver");
    }
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    (void)unsetenv("PENSTOCK_CUDA_MODULE");
    (void)snprintf(wanted, sizeof wanted,
                   "devices  cpu\nops      %d on cpu\n"
                   "cuda     no NVIDIA driver on this machine: libcuda.so.1 is not there\nall is well\n",
                   N_OPS);
    check_doctor("doctor", 0, wanted);
}

static void with_devices(void)
{
    char wanted[PEN_PATH_BYTES];
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    (void)setenv("PENSTOCK_CUDA_MODULE", PEN_FAKE_MODULE, 1);
    (void)snprintf(wanted, sizeof wanted,
                   "devices  cpu\n"
                   "         cuda:0  Fake 0, 8.0 GiB, compute capability 8.0\n"
                   "         cuda:1  Fake 1, 8.0 GiB, compute capability 6.1\n"
                   "ops      %d on cpu, %d on cuda\n"
                   "cuda     usable\n"
                   "         driver 13.0\n"
                   "         %s\n"
                   "all is well\n",
                   N_OPS, N_OPS, PEN_FAKE_MODULE);
    check_doctor("doctor", 0, wanted);
    (void)setenv("PEN_FAKE_FAULT", "lacks", 1);
    (void)snprintf(wanted, sizeof wanted,
                   "devices  cpu\n"
                   "         cuda:0  Fake 0, 8.0 GiB, compute capability 8.0\n"
                   "         cuda:1  Fake 1, 8.0 GiB, compute capability 6.1\n"
                   "ops      %d on cpu, %d on cuda\n"
                   "cuda     the CUDA backend lacks 2 ops: gemm hash_strings\n"
                   "         driver 13.0\n"
                   "         %s\n"
                   "all is well\n",
                   N_OPS, N_OPS - 2, PEN_FAKE_MODULE);
    check_doctor("doctor", 0, wanted);
    (void)unsetenv("PEN_FAKE_FAULT");
    (void)unsetenv("PENSTOCK_CUDA_MODULE");
}

/* What can be mended is a problem, and exit code 1. */
static void a_broken_module(void)
{
    char wanted[512];
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    (void)setenv("PENSTOCK_CUDA_MODULE", "gone.so", 1);
    (void)snprintf(wanted, sizeof wanted,
                   "devices  cpu\nops      %d on cpu\ncuda     not usable\n"
                   "problem  the CUDA module that was named: gone.so: No such file or directory; name another file, "
                   "or none\n",
                   N_OPS);
    check_doctor("doctor", 1, wanted);
    (void)unsetenv("PENSTOCK_CUDA_MODULE");
}

static void as_json(void)
{
    struct program_result result;
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *document = NULL;
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    (void)setenv("PENSTOCK_CUDA_MODULE", PEN_FAKE_MODULE, 1);
    (void)setenv("PEN_FAKE_FAULT", "lacks", 1);
    program_run(pen_test_directory(), "doctor --json", &result);
    (void)unsetenv("PEN_FAKE_FAULT");
    (void)unsetenv("PENSTOCK_CUDA_MODULE");
    PEN_REQUIRE_OK(pen_json_parse(pen_text_view(&result.out), result.out.size_bytes, "doctor", &document, &err), &err);
    const pen_json *device = pen_json_at(pen_json_get(document, "devices"), 1);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(device, "device"), ""), "cuda:0");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(device, "name"), ""), "Fake 0");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(device, "compute_capability"), ""), "8.0");
    PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(device, "memory_bytes"), 0), (int64_t)8 << 30);
    PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(device, "ops"), 0), N_OPS - 2);
    const pen_json *lacks = pen_json_get(document, "cuda_lacks");
    PEN_CHECK_EQ_I64(pen_json_size(lacks), 2);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_at(lacks, 0), ""), "gemm");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_at(lacks, 1), ""), "hash_strings");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(document, "cuda_module"), ""), PEN_FAKE_MODULE);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(pen_json_get(document, "cuda_versions"), "driver"), ""), "13.0");
    pen_json_free(document);
    program_deinit(&result);
}

PEN_SUITE(doctor, PEN_CASE(without_a_gpu), PEN_CASE(with_devices), PEN_CASE(a_broken_module), PEN_CASE(as_json));
