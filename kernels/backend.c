/* Choice of a backend by the name a user gives. */
#include "kernels/backend.h"

#include <string.h>

pen_status pen_backend_select(const char *device, const struct pen_kernel_table **kernels, const char **reason,
                              struct pen_error *err)
{
    if (strcmp(device, "cpu") == 0) {
        *kernels = &pen_cpu_kernels;
        *reason = "asked for";
        return PEN_OK;
    }
    if (strcmp(device, "auto") == 0) {
        *kernels = &pen_cpu_kernels;
        *reason = "this build has no CUDA backend";
        return PEN_OK;
    }
    if (strncmp(device, "cuda", 4) == 0 && (device[4] == '\0' || device[4] == ':')) {
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "device %s: this build has no CUDA backend; use --device cpu or auto",
                 device);
    }
    PEN_FAIL(err, PEN_ERR_USAGE, "device: expected auto, cpu, cuda or cuda:N, found '%.40s'", device);
}
