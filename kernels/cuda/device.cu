/* Memory and queue of a CUDA device, and the module's entry.
 *
 * Device memory is cudaMalloc's, one call a buffer: buffers are planned before the work that uses them. Copies are
 * asynchronous on the exec's stream, from pinned memory without the host; a download waits. Small host arrays of a job
 * go through pinned memory that is filled from the front; when it is full the stream is waited for and filling begins
 * anew. */
#include "kernels/cuda/convolution.cuh"
#include "kernels/cuda/group.cuh"
#include "kernels/cuda/module.h"
#include "kernels/cuda/product.cuh"

#include "core/memory.h"

#include <stdio.h>
#include <string.h>

static const size_t STAGE_BYTES = size_t{1} << 20;
static const size_t SMALL_BYTES = 4096; /* CUDA lets the host wait for a copy from memory that is not pinned */

static pen_status out_of_memory(struct pen_exec *exec, const char *what, size_t bytes, struct pen_error *err)
{
    size_t free_bytes = 0, total_bytes = 0;
    (void)cudaGetLastError(); /* an allocation that failed leaves the device usable */
    (void)cudaMemGetInfo(&free_bytes, &total_bytes);
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory on %s: %s, %zu bytes; %zu of %zu bytes are free", exec->name, what,
             bytes, free_bytes, total_bytes);
}

static pen_status cuda_allocate(struct pen_exec *exec, void **memory, size_t bytes, const char *what,
                                struct pen_error *err)
{
    cudaError_t error = cudaMalloc(memory, bytes);
    if (error == cudaErrorMemoryAllocation) {
        return out_of_memory(exec, what, bytes, err);
    }
    PEN_CUDA(err, error);
    return PEN_OK;
}

static void cuda_release(struct pen_exec *exec, void *memory)
{
    (void)exec;
    (void)cudaFree(memory);
}

static pen_status cuda_upload(struct pen_exec *exec, void *to, const void *host, size_t bytes, struct pen_error *err)
{
    if (bytes <= SMALL_BYTES) {
        return pen_cuda_stage(exec, to, host, bytes, err);
    }
    PEN_CUDA(err, cudaMemcpyAsync(to, host, bytes, cudaMemcpyHostToDevice, pen_cuda_stream(exec)));
    return PEN_OK;
}

static pen_status cuda_download(struct pen_exec *exec, void *host, const void *from, size_t bytes,
                                struct pen_error *err)
{
    if (pen_cuda_exec_of(exec)->group != NULL) { /* the copy itself waits for ever */
        PEN_TRY(pen_cuda_wait(exec, err));
    }
    PEN_CUDA(err, cudaMemcpyAsync(host, from, bytes, cudaMemcpyDeviceToHost, pen_cuda_stream(exec)));
    PEN_CUDA(err, cudaStreamSynchronize(pen_cuda_stream(exec)));
    return PEN_OK;
}

static pen_status cuda_copy(struct pen_exec *exec, void *to, const void *from, size_t bytes, struct pen_error *err)
{
    PEN_CUDA(err, cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, pen_cuda_stream(exec)));
    return PEN_OK;
}

static pen_status cuda_fill(struct pen_exec *exec, void *memory, int byte, size_t bytes, struct pen_error *err)
{
    PEN_CUDA(err, cudaMemsetAsync(memory, byte, bytes, pen_cuda_stream(exec)));
    return PEN_OK;
}

pen_status pen_cuda_wait(struct pen_exec *exec, struct pen_error *err)
{
    struct pen_cuda_exec *own = pen_cuda_exec_of(exec);
    if (own->group != NULL) {
        return pen_cuda_group_wait(own->group, own->stream, err);
    }
    PEN_CUDA(err, cudaStreamSynchronize(own->stream));
    return PEN_OK;
}

static pen_status cuda_is_idle(struct pen_exec *exec, bool *idle, struct pen_error *err)
{
    cudaError_t error = cudaStreamQuery(pen_cuda_stream(exec));
    *idle = error == cudaSuccess;
    if (error == cudaErrorNotReady) {
        (void)cudaGetLastError(); /* it is no error, but remembered like one */
        return PEN_OK;
    }
    PEN_CUDA(err, error);
    return PEN_OK;
}

static pen_status cuda_memory(struct pen_exec *exec, int64_t *free_bytes, int64_t *total_bytes, struct pen_error *err)
{
    size_t available = 0, total = 0;
    (void)exec;
    PEN_CUDA(err, cudaMemGetInfo(&available, &total));
    *free_bytes = (int64_t)available;
    *total_bytes = (int64_t)total;
    return PEN_OK;
}

static pen_status cuda_allocate_pinned(struct pen_exec *exec, void **memory, size_t bytes, const char *what,
                                       struct pen_error *err)
{
    cudaError_t error = cudaMallocHost(memory, bytes);
    if (error == cudaErrorMemoryAllocation) {
        (void)cudaGetLastError();
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of pinned host memory for %s: %s, %zu bytes", exec->name, what, bytes);
    }
    PEN_CUDA(err, error);
    return PEN_OK;
}

static void cuda_release_pinned(struct pen_exec *exec, void *memory)
{
    (void)exec;
    (void)cudaFreeHost(memory);
}

static void cuda_destroy(struct pen_exec *exec)
{
    struct pen_cuda_exec *own = pen_cuda_exec_of(exec);
    if (own->stream != NULL) {
        (void)cudaStreamDestroy(own->stream);
    }
    pen_cuda_products_destroy(own->products);
    pen_cuda_convolutions_destroy(own->convolutions);
    (void)cudaFree(own->workspace);
    (void)cudaFreeHost(own->stage.memory);
    pen_free(own);
}

pen_status pen_cuda_workspace(struct pen_exec *exec, char **workspace, size_t bytes, const char *op,
                              struct pen_error *err)
{
    struct pen_cuda_exec *own = pen_cuda_exec_of(exec);
    if (bytes > own->workspace_bytes) {
        PEN_TRY(pen_cuda_wait(exec, err));
        (void)cudaFree(own->workspace);
        own->workspace = NULL;
        own->workspace_bytes = 0;
        PEN_TRY(cuda_allocate(exec, &own->workspace, bytes, op, err));
        own->workspace_bytes = bytes;
    }
    *workspace = static_cast<char *>(own->workspace);
    return PEN_OK;
}

pen_status pen_cuda_stage(struct pen_exec *exec, void *to, const void *host, size_t bytes, struct pen_error *err)
{
    struct pen_cuda_exec *own = pen_cuda_exec_of(exec);
    const char *from = static_cast<const char *>(host);
    char *at = static_cast<char *>(to);
    own->staged_bytes += bytes;
    struct pen_cuda_stage_area *area = own->recorded_stage != NULL ? own->recorded_stage : &own->stage;
    while (bytes > 0) {
        if (area->used == area->bytes) {
            if (own->recorded_stage != NULL) {
                PEN_FAIL(err, PEN_ERR_INTERNAL, "%s: a recording copies more than the run before it", exec->name);
            }
            PEN_TRY(pen_cuda_wait(exec, err));
            area->used = 0;
        }
        size_t room = area->bytes - area->used, part = bytes < room ? bytes : room;
        memcpy(area->memory + area->used, from, part);
        PEN_CUDA(err, cudaMemcpyAsync(at, area->memory + area->used, part, cudaMemcpyHostToDevice, own->stream));
        area->used += part;
        from += part;
        at += part;
        bytes -= part;
    }
    return PEN_OK;
}

/* ---- the module ---- */

static pen_status prepare(struct pen_cuda_exec *exec, struct pen_error *err)
{
    int major = 0;
    PEN_CUDA(err, cudaSetDevice(exec->device));
    PEN_CUDA(err, cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, exec->device));
    exec->base.rounds = major >= 8; /* tf32 and bf16 came with Ampere */
    PEN_CUDA(err, cudaStreamCreateWithFlags(&exec->stream, cudaStreamNonBlocking));
    void *stage = NULL;
    PEN_CUDA(err, cudaMallocHost(&stage, STAGE_BYTES));
    exec->stage = {static_cast<char *>(stage), STAGE_BYTES, 0};
    return PEN_OK;
}

static pen_status cuda_second(struct pen_exec *exec, struct pen_exec **second, struct pen_error *err);

/* In the order of struct pen_device_table. */
static const struct pen_device_table device_table = {
    cuda_allocate,       cuda_release, cuda_upload,  cuda_download,       cuda_copy,          cuda_fill,
    pen_cuda_wait,       cuda_is_idle, cuda_memory,  pen_cuda_repeat,     pen_cuda_forget,    cuda_allocate_pinned,
    cuda_release_pinned, cuda_second,  cuda_destroy, pen_cuda_name_group, pen_cuda_open_group};

static pen_status open_exec(struct pen_exec **exec, int device, struct pen_error *err)
{
    auto *own = static_cast<struct pen_cuda_exec *>(pen_calloc(1, sizeof(struct pen_cuda_exec)));
    if (own == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: opening cuda:%d", device);
    }
    (void)snprintf(own->name, sizeof own->name, "cuda:%d", device);
    own->device = device;
    own->base.kernels = &pen_cuda_kernels;
    own->base.device = &device_table;
    own->base.name = own->name;
    pen_status status = prepare(own, err);
    if (status != PEN_OK) {
        cuda_destroy(&own->base);
        return status;
    }
    *exec = &own->base;
    return PEN_OK;
}

static pen_status cuda_second(struct pen_exec *exec, struct pen_exec **second, struct pen_error *err)
{
    return open_exec(second, pen_cuda_exec_of(exec)->device, err);
}

static pen_status count_devices(int *n_devices, struct pen_error *err)
{
    cudaError_t error = cudaGetDeviceCount(n_devices);
    if (error == cudaErrorNoDevice) {
        *n_devices = 0;
        return PEN_OK;
    }
    if (error == cudaErrorInsufficientDriver) {
        int driver = 0, runtime = 0;
        (void)cudaDriverGetVersion(&driver);
        (void)cudaRuntimeGetVersion(&runtime);
        if (driver == 0) {
            PEN_FAIL(err, PEN_ERR_DEVICE,
                     "no NVIDIA driver on this machine, or one that does not work: see nvidia-smi");
        }
        PEN_FAIL(err, PEN_ERR_DEVICE, "the NVIDIA driver is for CUDA %d.%d, expected %d.0 or later: update the driver",
                 driver / 1000, driver % 1000 / 10, runtime / 1000);
    }
    PEN_CUDA(err, error);
    return PEN_OK;
}

static pen_status describe(struct pen_cuda_device *facts, int device, struct pen_error *err)
{
    cudaDeviceProp properties;
    PEN_CUDA(err, cudaGetDeviceProperties(&properties, device));
    (void)snprintf(facts->name, sizeof facts->name, "%s", properties.name);
    for (size_t i = 0; i < sizeof properties.uuid.bytes; i++) {
        (void)snprintf(facts->id + 2 * i, 3, "%02x", (unsigned char)properties.uuid.bytes[i]);
    }
    facts->memory_bytes = (int64_t)properties.totalGlobalMem;
    facts->capability = properties.major * 10 + properties.minor;
    facts->multiprocessors = properties.multiProcessorCount;
    return PEN_OK;
}

/* number: 13000 is CUDA 13.0. */
static struct pen_cuda_version cuda_version(const char *name, int number)
{
    struct pen_cuda_version version = {};
    (void)snprintf(version.name, sizeof version.name, "%s", name);
    (void)snprintf(version.version, sizeof version.version, "%d.%d", number / 1000, number % 1000 / 10);
    return version;
}

static pen_status list_versions(struct pen_cuda_version versions[PEN_CUDA_VERSIONS], int *n, struct pen_error *err)
{
    int driver = 0, runtime = 0, products = pen_cuda_products_version();
    int convolutions = pen_cuda_convolutions_version(), groups = pen_cuda_groups_version();
    PEN_CUDA(err, cudaDriverGetVersion(&driver)); /* 0: there is none */
    PEN_CUDA(err, cudaRuntimeGetVersion(&runtime));
    versions[0] = cuda_version("runtime", runtime);
    versions[1] = {"cublasLt", ""};
    (void)snprintf(versions[1].version, sizeof versions[1].version, "%d.%d.%d", products / 10000,
                   products % 10000 / 100, products % 100);
    versions[2] = {"cuDNN", "absent"};
    if (convolutions > 0) {
        (void)snprintf(versions[2].version, sizeof versions[2].version, "%d.%d.%d", convolutions / 10000,
                       convolutions % 10000 / 100, convolutions % 100);
    }
    versions[3] = {"NCCL", "absent"};
    if (groups > 0) {
        (void)snprintf(versions[3].version, sizeof versions[3].version, "%d.%d.%d", groups / 10000,
                       groups % 10000 / 100, groups % 100);
    }
    versions[4] = cuda_version("driver", driver);
    *n = driver == 0 ? 4 : 5;
    return PEN_OK;
}

extern "C" const struct pen_cuda_module *pen_cuda_module_get(void)
{
    static const int built_for[] = {__CUDA_ARCH_LIST__}; /* ascending: 750, 800, ... */
    static const struct pen_cuda_module module = {PEN_CUDA_MODULE_ABI,
                                                  sizeof(struct pen_kernel_table),
                                                  PEN_OP_NAMES,
                                                  &pen_cuda_kernels,
                                                  built_for[0] / 10,
                                                  count_devices,
                                                  describe,
                                                  list_versions,
                                                  open_exec};
    return &module;
}
