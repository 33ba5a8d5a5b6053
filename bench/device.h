/* --device and --precision of the benches. PENSTOCK_CUDA_MODULE names another module, as for the program. */
#ifndef PEN_BENCH_DEVICE_H
#define PEN_BENCH_DEVICE_H

#include "kernels/exec.h"
#include "kernels/load.h"

#include <stdlib.h>
#include <string.h>

/* A number of another precision than asked for would be no measurement: refused where the device has no such products.
 */
static inline pen_status pen_bench_set_precision(struct pen_exec *exec, const char *asked, struct pen_error *err)
{
    int p = 0;
    while (p < PEN_PRECISION_COUNT && strcmp(asked, pen_precision_names[p]) != 0) {
        p++;
    }
    if (p == PEN_PRECISION_COUNT || pen_exec_allow(exec, (enum pen_precision)p) != (enum pen_precision)p) {
        PEN_FAIL(err, PEN_ERR_USAGE, "--precision: expected float32, or tf32 or bf16 on a device that has it, found %s",
                 asked);
    }
    return PEN_OK;
}

static inline pen_status pen_bench_open_device(struct pen_exec **exec, const char *device, const char *precision,
                                               struct pen_error *err)
{
    struct pen_device_choice choice;
    pen_cuda_name_module(getenv("PENSTOCK_CUDA_MODULE"));
    PEN_TRY(pen_device_choose(&choice, device, err));
    PEN_TRY(pen_exec_create(exec, choice.device, err));
    return pen_bench_set_precision(*exec, precision, err);
}

#endif
