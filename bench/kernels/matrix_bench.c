/* Matrix products of the sizes the trainer has. */
#include "bench/kernels/op_bench.h"

static pen_status time_gemm(struct pen_bench *bench, struct pen_error *err)
{
    const int64_t m = pen_bench_size(bench, 256, 65536), n = 128, k = 429;
    struct pen_gemm g = {m, n, k, false, false, 1, 0, NULL, k, NULL, n, NULL, n};
    PEN_BENCH_FLOATS(bench, g.a, m * k, err);
    PEN_BENCH_FLOATS(bench, g.b, k * n, err);
    PEN_BENCH_ZEROS(bench, g.c, m * n, err);
    bench->flops = 2.0 * (double)(m * n * k);
    bench->bytes = 4.0 * (double)(m * k + k * n + m * n);
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->gemm(bench->exec, &g, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(gemm, time_gemm);
