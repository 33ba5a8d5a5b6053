/* --precision of the benches: what a device's products may round factors to. */
#ifndef PEN_BENCH_PRECISION_H
#define PEN_BENCH_PRECISION_H

#include "kernels/exec.h"

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

#endif
