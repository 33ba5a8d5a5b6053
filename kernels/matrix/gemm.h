/* Matrix product.
 *
 * formula      C[m,n] = alpha * sum_k op(A)[m,k] * op(B)[k,n] + beta * C[m,n];  op = transpose where asked
 * shapes       op(A): [M, K], op(B): [K, N], C: [M, N]; row-major, leading dimensions in elements; M, N, K >= 0
 * dtypes       f32; a device may round A and B as exec->precision lets it
 * aliasing     C overlaps neither A nor B
 * special      beta = 0 does not read C; K = 0: C = beta * C
 * workspace    0 bytes
 * determinism  bit-identical for equal input on one machine, whatever the thread count
 * error bound  |C - ref| <= (K + 2) * eps * (|alpha| sum_k |A| |B| + |beta C|), and (2 u + u^2) |alpha| sum_k |A| |B|
 *              more where factors are changed by u
 * cost         2 M N K flops
 * errors       PEN_ERR_SHAPE (pen_gemm_check)
 * backward     itself, transposed */
#ifndef PEN_KERNELS_MATRIX_GEMM_H
#define PEN_KERNELS_MATRIX_GEMM_H

#include "core/status.h"
#include "kernels/exec.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_gemm {
    int64_t m, n, k;
    bool transpose_a, transpose_b;
    float alpha, beta;
    const float *a;
    int64_t lda;
    const float *b;
    int64_t ldb;
    float *c;
    int64_t ldc;
};

typedef pen_status pen_gemm_fn(struct pen_exec *exec, const struct pen_gemm *gemm, struct pen_error *err);
pen_gemm_fn pen_gemm_cpu, pen_gemm_cuda;

/* What every implementation refuses. */
static inline pen_status pen_gemm_check(const struct pen_gemm *g, struct pen_error *err)
{
    if (g->m < 0 || g->n < 0 || g->k < 0 || g->m > INT32_MAX || g->n > INT32_MAX || g->k > INT32_MAX) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "gemm: expected 0 <= m, n, k <= %d, found %lld, %lld, %lld", INT32_MAX,
                 (long long)g->m, (long long)g->n, (long long)g->k);
    }
    return PEN_OK;
}

#ifdef __cplusplus
}
#endif

#endif
