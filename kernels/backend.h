/* Backends: one table of function pointers per kind of device, through which Transform, Trainer and Evaluator call
 * every op: exec->kernels->gemm(exec, &job, err). `cpu` is linked in. An op a device lacks is PEN_ERR_UNSUPPORTED that
 * names it: no silent fall-back. */
#ifndef PEN_KERNELS_BACKEND_H
#define PEN_KERNELS_BACKEND_H

#include "core/status.h"
#include "kernels/batch/batch.h"
#include "kernels/columns/columns.h"
#include "kernels/dropout/dropout.h"
#include "kernels/embedding/embedding.h"
#include "kernels/exec.h"
#include "kernels/hash/hash.h"
#include "kernels/loss/loss.h"
#include "kernels/matrix/dense.h"
#include "kernels/matrix/gemm.h"
#include "kernels/metric/metric.h"
#include "kernels/norm/norm.h"
#include "kernels/op_list.h"
#include "kernels/optimiser/optimiser.h"
#include "kernels/sort/deal.h"
#include "kernels/sort/sort.h"
#include "kernels/step/step.h"
#include "kernels/text/text_conv.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_kernel_table {
#define PEN_OP_SLOT(op) pen_##op##_fn *op;
    PEN_OP_LIST(PEN_OP_SLOT)
#undef PEN_OP_SLOT
};

#ifdef __cplusplus
}
#endif

#endif
