/* Choice of a device by the name a user gives, and the device calls with their checks. */
#include "kernels/exec.h"

#include <string.h>

pen_status pen_device_choose(const char *asked, const char **device, const char **reason, struct pen_error *err)
{
    if (strcmp(asked, "cpu") == 0) {
        *device = "cpu";
        *reason = "asked for";
        return PEN_OK;
    }
    if (strcmp(asked, "auto") == 0) {
        *device = "cpu";
        *reason = "the CUDA backend does not have every op yet";
        return PEN_OK;
    }
    if (strncmp(asked, "cuda", 4) == 0 && (asked[4] == '\0' || asked[4] == ':')) {
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED,
                 "device %s: the CUDA backend does not have every op yet; use --device cpu or auto", asked);
    }
    PEN_FAIL(err, PEN_ERR_USAGE, "device: expected auto, cpu, cuda or cuda:N, found '%.40s'", asked);
}

pen_status pen_exec_create(struct pen_exec **exec, const char *device, struct pen_error *err)
{
    if (strcmp(device, "cpu") != 0) {
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "device %s: the CUDA backend does not have every op yet", device);
    }
    *exec = pen_exec_cpu();
    return PEN_OK;
}

void pen_exec_destroy(struct pen_exec *exec)
{
    if (exec != NULL) {
        exec->device->destroy(exec);
    }
}

pen_status pen_device_allocate(struct pen_exec *exec, void **memory, int64_t n, size_t item_bytes, const char *what,
                               struct pen_error *err)
{
    size_t bytes = 0;
    *memory = NULL;
    if (n < 0 || __builtin_mul_overflow((size_t)n, item_bytes, &bytes)) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory on %s: %s, %lld x %zu bytes", exec->name, what, (long long)n,
                 item_bytes);
    }
    return bytes == 0 ? PEN_OK : exec->device->allocate(exec, memory, bytes, what, err);
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
