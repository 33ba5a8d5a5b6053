/* A CUDA module without CUDA: the CPU's ops and memory behind its interface, and one fault of choice, which
 * PEN_FAKE_FAULT names. */
#include "kernels/cuda/module.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool fault_is(const char *name)
{
    const char *fault = getenv("PEN_FAKE_FAULT");
    return fault != NULL && strcmp(fault, name) == 0;
}

static pen_status count_devices(int *n_devices, struct pen_error *err)
{
    if (fault_is("crash")) {
        (void)raise(SIGKILL);
    }
    if (fault_is("hang")) {
        (void)pause();
    }
    if (fault_is("refuse")) {
        PEN_FAIL(err, PEN_ERR_DEVICE, "the fake driver is too old");
    }
    *n_devices = fault_is("no_device") ? 0 : 2;
    return PEN_OK;
}

static pen_status describe(struct pen_cuda_device *facts, int device, struct pen_error *err)
{
    const char *bound = getenv("PEN_FAKE_BOUND"); /* what this process sees and others do not */
    (void)err;
    bound = bound == NULL ? "" : bound;
    *facts = (struct pen_cuda_device){
        .memory_bytes = (int64_t)8 << 30, .capability = device == 0 ? 80 : 61, .multiprocessors = 4};
    (void)snprintf(facts->name, sizeof facts->name, "Fake %d", device);
    (void)snprintf(facts->id, sizeof facts->id, "%d%s", device, bound);
    return PEN_OK;
}

static pen_status list_versions(struct pen_cuda_version versions[PEN_CUDA_VERSIONS], int *n, struct pen_error *err)
{
    (void)err;
    versions[0] = (struct pen_cuda_version){"driver", "13.0"};
    *n = 1;
    return PEN_OK;
}

static pen_status open_exec(struct pen_exec **exec, int device, struct pen_error *err)
{
    static char name[24];
    static struct pen_exec fake;
    (void)err;
    (void)snprintf(name, sizeof name, "cuda:%d", device);
    fake = *pen_exec_cpu();
    fake.name = name;
    *exec = &fake;
    return PEN_OK;
}

const struct pen_cuda_module *pen_cuda_module_get(void)
{
    static struct pen_kernel_table kernels;
    static struct pen_cuda_module module = {.abi = PEN_CUDA_MODULE_ABI,
                                            .table_bytes = sizeof(struct pen_kernel_table),
                                            .ops = PEN_OP_NAMES,
                                            .kernels = &kernels,
                                            .least_capability = 75,
                                            .count_devices = count_devices,
                                            .describe = describe,
                                            .list_versions = list_versions,
                                            .open = open_exec};
    kernels = *pen_exec_cpu()->kernels;
    if (fault_is("lacks")) {
        kernels.gemm = NULL;
        kernels.hash_strings = NULL;
    }
    module.abi = fault_is("interface") ? PEN_CUDA_MODULE_ABI + 1 : PEN_CUDA_MODULE_ABI;
    module.table_bytes = fault_is("table") ? 8 : sizeof kernels;
    module.ops = fault_is("ops") ? "gemm " : PEN_OP_NAMES;
    return &module;
}
