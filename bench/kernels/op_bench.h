/* Every op has a bench: the list is made from PEN_OP_LIST, so an op nobody times fails to link.
 *
 *   static pen_status time_gemm(struct pen_bench *bench, struct pen_error *err)
 *   {
 *       ... prepare ...
 *       bench->bytes = ...; bench->flops = ...;      of one call, from the contract's cost line
 *       while (pen_bench_next(bench)) {
 *           PEN_TRY(bench->exec->kernels->gemm(bench->exec, &g, err));
 *       }
 *       ... check the result, free ...
 *   }
 *   PEN_OP_BENCH(gemm, time_gemm); */
#ifndef PEN_BENCH_KERNELS_OP_BENCH_H
#define PEN_BENCH_KERNELS_OP_BENCH_H

#include "kernels/backend.h"

struct pen_bench {
    struct pen_exec *exec;
    double bytes, flops; /* of one call; 0: not stated */
    double limit_s;      /* time to spend */
    int64_t n_calls;
    double started, last, best_s, sum_s;
};

/* True while another call is wanted. The first call warms up and is not counted. */
bool pen_bench_next(struct pen_bench *bench);

typedef pen_status pen_op_bench_fn(struct pen_bench *bench, struct pen_error *err);

struct pen_op_bench {
    const char *op;
    pen_op_bench_fn *run;
};

#define PEN_OP_BENCH(op, function)                      \
    extern const struct pen_op_bench pen_op_bench_##op; \
    const struct pen_op_bench pen_op_bench_##op = {#op, function}

#endif
