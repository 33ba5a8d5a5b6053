/* Matrix products of the sizes the trainer has. */
#include "bench/kernels/op_bench.h"

#include "core/memory.h"

static pen_status time_gemm(struct pen_bench *bench, struct pen_error *err)
{
    enum { M = 256, N = 128, K = 429 };
    pen_status status = PEN_OK;
    float *a = NULL, *b = NULL, *c = NULL;
    PEN_ALLOC_GOTO(cleanup, a, M * K, err);
    PEN_ALLOC_GOTO(cleanup, b, K * N, err);
    PEN_ALLOC_GOTO(cleanup, c, M * N, err);
    struct pen_gemm g = {M, N, K, false, false, 1, 0, a, K, b, N, c, N};
    bench->flops = 2.0 * M * N * K;
    bench->bytes = 4.0 * (M * K + K * N + M * N);
    while (pen_bench_next(bench)) {
        PEN_TRY_GOTO(cleanup, bench->exec->kernels->gemm(bench->exec, &g, err));
    }
cleanup:
    pen_free(c);
    pen_free(b);
    pen_free(a);
    return status;
}
PEN_OP_BENCH(gemm, time_gemm);
