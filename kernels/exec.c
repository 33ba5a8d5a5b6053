/* The device calls with their checks. The CUDA module has them too (kernels/cuda). */
#include "kernels/exec.h"

const char *const pen_precision_names[PEN_PRECISION_COUNT + 1] = {"float32", "tf32", "bf16", NULL};

enum pen_precision pen_exec_allow(struct pen_exec *exec, enum pen_precision precision)
{
    if (exec->rounds) { /* the CPU's is shared by threads, and never written */
        exec->precision = precision;
    }
    return exec->precision;
}

void pen_exec_destroy(struct pen_exec *exec)
{
    if (exec != NULL) {
        exec->device->destroy(exec);
    }
}

pen_status pen_exec_second(struct pen_exec *exec, struct pen_exec **second, struct pen_error *err)
{
    return exec->device->second(exec, second, err);
}

static pen_status count_bytes(const struct pen_exec *exec, size_t *bytes, int64_t n, size_t item_bytes,
                              const char *what, struct pen_error *err)
{
    if (n < 0 || __builtin_mul_overflow((size_t)n, item_bytes, bytes)) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory on %s: %s, %lld x %zu bytes", exec->name, what, (long long)n,
                 item_bytes);
    }
    return PEN_OK;
}

pen_status pen_device_allocate(struct pen_exec *exec, void **memory, int64_t n, size_t item_bytes, const char *what,
                               struct pen_error *err)
{
    size_t bytes = 0;
    *memory = NULL;
    PEN_TRY(count_bytes(exec, &bytes, n, item_bytes, what, err));
    return bytes == 0 ? PEN_OK : exec->device->allocate(exec, memory, bytes, what, err);
}

pen_status pen_device_allocate_pinned(struct pen_exec *exec, void **memory, int64_t n, size_t item_bytes,
                                      const char *what, struct pen_error *err)
{
    size_t bytes = 0;
    *memory = NULL;
    PEN_TRY(count_bytes(exec, &bytes, n, item_bytes, what, err));
    return bytes == 0 ? PEN_OK : exec->device->allocate_pinned(exec, memory, bytes, what, err);
}

void pen_device_release_pinned(struct pen_exec *exec, void *memory)
{
    if (memory != NULL) {
        exec->device->release_pinned(exec, memory);
    }
}

void pen_device_release(struct pen_exec *exec, void *memory)
{
    if (memory != NULL) {
        exec->device->release(exec, memory);
    }
}

pen_status pen_device_upload(struct pen_exec *exec, void *to, const void *host, size_t bytes, struct pen_error *err)
{
    return bytes == 0 ? PEN_OK : exec->device->upload(exec, to, host, bytes, err);
}

pen_status pen_device_download(struct pen_exec *exec, void *host, const void *from, size_t bytes, struct pen_error *err)
{
    return bytes == 0 ? PEN_OK : exec->device->download(exec, host, from, bytes, err);
}

pen_status pen_device_copy(struct pen_exec *exec, void *to, const void *from, size_t bytes, struct pen_error *err)
{
    return bytes == 0 ? PEN_OK : exec->device->copy(exec, to, from, bytes, err);
}

pen_status pen_device_fill(struct pen_exec *exec, void *memory, int byte, size_t bytes, struct pen_error *err)
{
    return bytes == 0 ? PEN_OK : exec->device->fill(exec, memory, byte, bytes, err);
}

pen_status pen_device_synchronise(struct pen_exec *exec, struct pen_error *err)
{
    return exec->device->synchronise(exec, err);
}

pen_status pen_device_is_idle(struct pen_exec *exec, bool *idle, struct pen_error *err)
{
    return exec->device->is_idle(exec, idle, err);
}

pen_status pen_device_memory(struct pen_exec *exec, int64_t *free_bytes, int64_t *total_bytes, struct pen_error *err)
{
    return exec->device->memory(exec, free_bytes, total_bytes, err);
}

pen_status pen_device_repeat(struct pen_exec *exec, struct pen_recording **recording, pen_repeated_fn *work,
                             void *context, struct pen_error *err)
{
    return exec->device->repeat(exec, recording, work, context, err);
}

void pen_device_forget(struct pen_exec *exec, struct pen_recording **recording)
{
    if (*recording != NULL) {
        exec->device->forget(exec, *recording);
        *recording = NULL;
    }
}
