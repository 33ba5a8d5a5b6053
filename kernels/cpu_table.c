/* The CPU backend: every op of the list, or the build fails. */
#include "kernels/backend.h"

const struct pen_kernel_table pen_cpu_kernels = {.device = "cpu",
#define PEN_OP_CPU(op) .op = pen_##op##_cpu,
                                                 PEN_OP_LIST(PEN_OP_CPU)
#undef PEN_OP_CPU
};
