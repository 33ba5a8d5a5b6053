/* Backends: one table of function pointers per kind of device, through which Transform, Trainer and Evaluator call
 * every op. `cpu` is linked in. An op a device lacks is PEN_ERR_UNSUPPORTED that names it: no silent fall-back. */
#ifndef PEN_KERNELS_BACKEND_H
#define PEN_KERNELS_BACKEND_H

#include "core/status.h"
#include "kernels/columns/columns.h"
#include "kernels/dropout/dropout.h"
#include "kernels/embedding/embedding.h"
#include "kernels/hash/hash.h"
#include "kernels/loss/loss.h"
#include "kernels/matrix/dense.h"
#include "kernels/matrix/gemm.h"
#include "kernels/metric/metric.h"
#include "kernels/op_list.h"
#include "kernels/optimiser/optimiser.h"
#include "kernels/sort/sort.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_kernel_table {
    const char *device; /* "cpu" */
#define PEN_OP_SLOT(op) pen_##op##_fn *op;
    PEN_OP_LIST(PEN_OP_SLOT)
#undef PEN_OP_SLOT
};

PEN_API extern const struct pen_kernel_table pen_cpu_kernels;

/* "auto", "cpu", "cuda", "cuda:1". *reason (static text) says what was taken and why. */
PEN_API PEN_MUST_USE pen_status pen_backend_select(const char *device, const struct pen_kernel_table **kernels,
                                                   const char **reason, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
