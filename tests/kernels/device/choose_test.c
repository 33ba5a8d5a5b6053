/* Which device is taken and why, against fake modules (fake_module.c): what is asked of a machine is answered in a
 * child process, so every fault is one line here. */
#include "core/files.h"
#include "kernels/backend.h"
#include "kernels/probe.h"
#include "tests/kernels/ranks/forked.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void use_fake(const char *fault)
{
    pen_cuda_name_module(PEN_FAKE_MODULE);
    (void)setenv("PEN_FAKE_FAULT", fault, 1);
}

/* Other tests have this machine's own. */
static void use_none(void)
{
    pen_cuda_name_module(NULL);
}

/* Not in a folder of programs alone. */
static bool fakes_are_built(void)
{
    return access(PEN_FAKE_MODULE, R_OK) == 0 && access(PEN_NO_MODULE, R_OK) == 0;
}

static void the_cpu_is_there(void)
{
    struct pen_device_choice choice;
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_exec *exec = NULL;
    PEN_REQUIRE_OK(pen_device_choose(&choice, "cpu", &err), &err);
    PEN_CHECK_EQ_STR(choice.device, "cpu");
    PEN_CHECK_EQ_STR(choice.reason, "asked for");
    PEN_REQUIRE_OK(pen_exec_create(&exec, choice.device, &err), &err);
    PEN_CHECK(exec == pen_exec_cpu());
    pen_exec_destroy(exec);
}

static void names_of_devices(void)
{
    static const char *const wrong[] = {"", "gpu", "cud", "cuda:", "cuda:x", "cuda:-1", "cuda:1000", "cuda0", "cpu:0"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct pen_device_choice choice;
        struct pen_error err = PEN_ERROR_INIT;
        PEN_CHECK_STATUS(pen_device_choose(&choice, wrong[i], &err), PEN_ERR_USAGE);
        PEN_CHECK_CONTAINS(err.message, "expected auto, cpu, cuda or cuda:N");
    }
}

static void a_usable_device_is_taken(void)
{
    if (!fakes_are_built()) {
        PEN_SKIP("the fake modules are not built");
    }
    static const char *const asked[] = {"auto", "cuda", "cuda:0"};
    use_fake("");
    for (int i = 0; i < 3; i++) {
        struct pen_device_choice choice;
        struct pen_error err = PEN_ERROR_INIT;
        PEN_REQUIRE_OK(pen_device_choose(&choice, asked[i], &err), &err);
        PEN_CHECK_EQ_STR(choice.device, "cuda:0");
        PEN_CHECK_EQ_STR(choice.reason, "Fake 0");
    }
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_exec *exec = NULL;
    PEN_REQUIRE_OK(pen_exec_create(&exec, "cuda:1", &err), &err);
    PEN_CHECK_EQ_STR(exec->name, "cuda:1");
    pen_exec_destroy(exec);
    use_none();
}

static void devices_that_cannot_be_taken(void)
{
    if (!fakes_are_built()) {
        PEN_SKIP("the fake modules are not built");
    }
    struct pen_device_choice choice;
    struct pen_error err = PEN_ERROR_INIT;
    use_fake("");
    PEN_CHECK_STATUS(pen_device_choose(&choice, "cuda:2", &err), PEN_ERR_CONFIG);
    PEN_CHECK_EQ_STR(err.message, "device cuda:2: the last CUDA device of this machine is cuda:1; use --device cpu or "
                                  "auto");
    PEN_CHECK_STATUS(pen_device_choose(&choice, "cuda:1", &err), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "Fake 1 has compute capability 6.1, the CUDA module is built for 7.5 and later");
    use_none();
}

static const struct {
    const char *fault;
    enum pen_cuda_state state;
    const char *says;
} faults[] = {
    {"interface", PEN_CUDA_BAD_MODULE, "expected a CUDA module of interface 7, found 8: build program and module"},
    {"table", PEN_CUDA_BAD_MODULE, "expected this program's list of ops, found another one"},
    {"ops", PEN_CUDA_BAD_MODULE, "expected this program's list of ops, found another one"},
    {"lacks", PEN_CUDA_LACKS_OPS, "the CUDA backend lacks 2 ops: gemm hash_strings"},
    {"no_device", PEN_CUDA_NO_DEVICE, "an NVIDIA driver but no CUDA device: see nvidia-smi"},
    {"refuse", PEN_CUDA_NO_DEVICE, "the fake driver is too old"},
    {"crash", PEN_CUDA_NO_ANSWER, "the process that asked for CUDA devices died"},
};

/* auto goes on with the CPU and says why; cuda is refused with the same words. */
static void every_fault_has_its_reason(void)
{
    if (!fakes_are_built()) {
        PEN_SKIP("the fake modules are not built");
    }
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct pen_device_choice choice;
        struct pen_cuda_probe probe;
        struct pen_error err = PEN_ERROR_INIT;
        use_fake(faults[i].fault);
        PEN_REQUIRE_OK(pen_cuda_probe(&probe, 60, &err), &err);
        PEN_CHECK_MSG(probe.state == faults[i].state, "%s: state %d: %s", faults[i].fault, (int)probe.state,
                      probe.reason);
        PEN_REQUIRE_OK(pen_device_choose(&choice, "auto", &err), &err);
        PEN_CHECK_EQ_STR(choice.device, "cpu");
        PEN_CHECK_CONTAINS(choice.reason, faults[i].says);
        PEN_CHECK_STATUS(pen_device_choose(&choice, "cuda", &err), PEN_ERR_CONFIG);
        PEN_CHECK_CONTAINS(err.message, faults[i].says);
        PEN_CHECK_CONTAINS(err.message, "use --device cpu or auto");
        PEN_CHECK(strchr(err.message, '\n') == NULL);
    }
    use_none();
}

static void a_driver_that_hangs(void)
{
    if (!fakes_are_built()) {
        PEN_SKIP("the fake modules are not built");
    }
    struct pen_cuda_probe probe;
    struct pen_error err = PEN_ERROR_INIT;
    use_fake("hang");
    PEN_REQUIRE_OK(pen_cuda_probe(&probe, 0.05, &err), &err);
    PEN_CHECK_EQ_I64(probe.state, PEN_CUDA_NO_ANSWER);
    PEN_CHECK_CONTAINS(probe.reason, "did not answer for 0.05 s");
    PEN_CHECK_EQ_I64(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    use_none();
}

/* Files that are no module, and none at all. */
static void files_that_are_no_module(void)
{
    if (!fakes_are_built()) {
        PEN_SKIP("the fake modules are not built");
    }
    struct pen_cuda_probe probe;
    struct pen_error err = PEN_ERROR_INIT;
    char text[PEN_PATH_BYTES];
    PEN_REQUIRE_OK(pen_path_join(text, pen_test_directory(), "text.so", &err), &err);
    PEN_REQUIRE_OK(pen_file_write_atomic(text, "no library", 10, &err), &err);
    pen_cuda_name_module(text);
    PEN_REQUIRE_OK(pen_cuda_probe(&probe, 60, &err), &err);
    PEN_CHECK_EQ_I64(probe.state, PEN_CUDA_BAD_MODULE);
    PEN_CHECK_CONTAINS(probe.reason, "the CUDA module cannot be opened: ");
    PEN_CHECK_CONTAINS(probe.reason, "text.so");
    pen_cuda_name_module(PEN_NO_MODULE);
    PEN_REQUIRE_OK(pen_cuda_probe(&probe, 60, &err), &err);
    PEN_CHECK_EQ_I64(probe.state, PEN_CUDA_BAD_MODULE);
    PEN_CHECK_CONTAINS(probe.reason, "expected a CUDA module of penstock, found no pen_cuda_module_get in it");
    pen_cuda_name_module("gone/away.so");
    PEN_REQUIRE_OK(pen_cuda_probe(&probe, 60, &err), &err);
    PEN_CHECK_EQ_I64(probe.state, PEN_CUDA_NO_MODULE);
    PEN_CHECK_CONTAINS(probe.reason, "the CUDA module that was named: gone/away.so: No such file or directory");
    use_none();
}

/* What an exec of a lacking module would do is refused when it is made, too. */
static void an_exec_of_a_lacking_module(void)
{
    if (!fakes_are_built()) {
        PEN_SKIP("the fake modules are not built");
    }
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_exec *exec = NULL;
    use_fake("lacks");
    PEN_CHECK_STATUS(pen_exec_create(&exec, "cuda:0", &err), PEN_ERR_UNSUPPORTED);
    PEN_CHECK_CONTAINS(err.message, "gemm hash_strings");
    use_none();
}

/* The device that a rank must get: devices[rank] "" where it is refused. */
struct expected_devices {
    const char *asked, *devices[3];
    bool bound; /* rank 2 sees devices of its own */
};

static int check_device_of_rank(struct pen_communicator *ranks, void *context)
{
    const struct expected_devices *expected = context;
    struct pen_error err = PEN_ERROR_INIT;
    char own[PEN_DEVICE_NAME_BYTES] = "";
    (void)setenv("PEN_FAKE_BOUND", expected->bound && ranks->rank == 2 ? "elsewhere" : "", 1);
    pen_status status = pen_device_of_rank(own, expected->asked, ranks, &err);
    const char *wanted = expected->devices[ranks->rank];
    if (wanted[0] == '\0') {
        return status == PEN_ERR_CONFIG && strstr(err.message, "expected a CUDA device for each of the") != NULL ? 0
                                                                                                                 : 1;
    }
    return status == PEN_OK && strcmp(own, wanted) == 0 ? 0 : 2;
}

static void devices_of_ranks(void)
{
    static struct expected_devices cases[] = {{"cpu", {"cpu", "cpu", "cpu"}, false},
                                              {"cuda:0", {"", "", ""}, false},
                                              {"cuda:0", {"cuda:0", "cuda:1", "cuda:0"}, true},
                                              {"cuda:1", {"", "", "cuda:1"}, true}};
    static struct expected_devices two = {"cuda:0", {"cuda:0", "cuda:1", ""}, false};
    static struct expected_devices one = {"cuda:1", {"cuda:1", "", ""}, false};
    if (!fakes_are_built()) {
        PEN_SKIP("the fake modules are not built");
    }
    use_fake("");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        forked_ranks_check(3, check_device_of_rank, &cases[i]);
    }
    forked_ranks_check(2, check_device_of_rank, &two);
    PEN_CHECK_EQ_I64(check_device_of_rank(pen_communicator_one(), &one), 0);
    (void)unsetenv("PEN_FAKE_BOUND");
    use_none();
}

/* Nothing is named: what this machine has, and nothing of it worse than a reason. */
static void this_machine(void)
{
    struct pen_device_choice choice;
    struct pen_error err = PEN_ERROR_INIT;
    PEN_REQUIRE_OK(pen_device_choose(&choice, "auto", &err), &err);
    PEN_CHECK(strcmp(choice.device, "cpu") == 0 || strcmp(choice.device, "cuda:0") == 0);
    PEN_CHECK(choice.reason[0] != '\0');
}

PEN_SUITE(choose, PEN_CASE(the_cpu_is_there), PEN_CASE(names_of_devices), PEN_CASE(a_usable_device_is_taken),
          PEN_CASE(devices_that_cannot_be_taken), PEN_CASE(every_fault_has_its_reason), PEN_CASE(a_driver_that_hangs),
          PEN_CASE(files_that_are_no_module), PEN_CASE(an_exec_of_a_lacking_module), PEN_CASE(devices_of_ranks),
          PEN_CASE(this_machine));
