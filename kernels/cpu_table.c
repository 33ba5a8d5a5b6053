/* The CPU backend: every op of the list, or the build fails; its memory is the host's, its queue is the caller. */
#include "kernels/backend.h"

#include "core/memory.h"

#include <string.h>
#include <unistd.h>

static pen_status cpu_allocate(struct pen_exec *exec, void **memory, size_t bytes, const char *what,
                               struct pen_error *err)
{
    *memory = pen_malloc((int64_t)bytes, 1);
    if (*memory == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory on %s: %s, %zu bytes", exec->name, what, bytes);
    }
    return PEN_OK;
}

static void cpu_release(struct pen_exec *exec, void *memory)
{
    pen_free(memory);
}

static pen_status cpu_copy(struct pen_exec *exec, void *to, const void *from, size_t bytes, struct pen_error *err)
{
    memcpy(to, from, bytes);
    return PEN_OK;
}

static pen_status cpu_fill(struct pen_exec *exec, void *memory, int byte, size_t bytes, struct pen_error *err)
{
    memset(memory, byte, bytes);
    return PEN_OK;
}

static pen_status cpu_synchronise(struct pen_exec *exec, struct pen_error *err)
{
    return PEN_OK;
}

static pen_status cpu_is_idle(struct pen_exec *exec, bool *idle, struct pen_error *err)
{
    *idle = true;
    return PEN_OK;
}

static pen_status cpu_memory(struct pen_exec *exec, int64_t *free_bytes, int64_t *total_bytes, struct pen_error *err)
{
    const int64_t page = sysconf(_SC_PAGESIZE);
    *free_bytes = sysconf(_SC_AVPHYS_PAGES) * page;
    *total_bytes = sysconf(_SC_PHYS_PAGES) * page;
    return PEN_OK;
}

/* Nothing is faster than the calls themselves. */
static pen_status cpu_repeat(struct pen_exec *exec, struct pen_recording **recording, pen_repeated_fn *work,
                             void *context, struct pen_error *err)
{
    return work(context, err);
}

static void cpu_forget(struct pen_exec *exec, struct pen_recording *recording)
{
    /* it makes none */
}

static pen_status cpu_second(struct pen_exec *exec, struct pen_exec **second, struct pen_error *err)
{
    *second = exec;
    return PEN_OK;
}

static void cpu_destroy(struct pen_exec *exec)
{
    /* one for all, static */
}

static const struct pen_kernel_table kernels = {
#define PEN_OP_CPU(op) .op = pen_##op##_cpu,
    PEN_OP_LIST(PEN_OP_CPU)
#undef PEN_OP_CPU
};

static const struct pen_device_table device = {
    .allocate = cpu_allocate,
    .release = cpu_release,
    .upload = cpu_copy,
    .download = cpu_copy,
    .copy = cpu_copy,
    .fill = cpu_fill,
    .synchronise = cpu_synchronise,
    .is_idle = cpu_is_idle,
    .memory = cpu_memory,
    .repeat = cpu_repeat,
    .forget = cpu_forget,
    .allocate_pinned = cpu_allocate,
    .release_pinned = cpu_release,
    .second = cpu_second,
    .destroy = cpu_destroy,
};

struct pen_exec *pen_exec_cpu(void)
{
    static struct pen_exec cpu = {&kernels, &device, "cpu", false, PEN_PRECISION_EXACT};
    return &cpu;
}
