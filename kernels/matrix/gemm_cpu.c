/* Matrix product through OpenBLAS, held to one thread so that bits do not depend on the machine's cores: callers
 * split the batch. */
#include "kernels/matrix/gemm.h"

#include <cblas.h>
#include <limits.h>

pen_status pen_gemm_cpu(const struct pen_gemm *g, struct pen_error *err)
{
    if (g->m < 0 || g->n < 0 || g->k < 0 || g->m > INT_MAX || g->n > INT_MAX || g->k > INT_MAX) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "gemm: expected 0 <= m, n, k <= %d, found %lld, %lld, %lld", INT_MAX,
                 (long long)g->m, (long long)g->n, (long long)g->k);
    }
    if (g->m == 0 || g->n == 0) {
        return PEN_OK;
    }
    cblas_sgemm(CblasRowMajor, g->transpose_a ? CblasTrans : CblasNoTrans, g->transpose_b ? CblasTrans : CblasNoTrans,
                (int)g->m, (int)g->n, (int)g->k, g->alpha, g->a, (int)g->lda, g->b, (int)g->ldb, g->beta, g->c,
                (int)g->ldc);
    return PEN_OK;
}
