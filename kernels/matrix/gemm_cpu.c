/* Matrix product through OpenBLAS, held to one thread so that bits do not depend on the machine's cores: callers
 * split the batch. */
#include "kernels/matrix/gemm.h"

#include <cblas.h>
#include <pthread.h>

static pthread_once_t one_thread_once = PTHREAD_ONCE_INIT;

static void hold_to_one_thread(void)
{
    openblas_set_num_threads(1);
}

pen_status pen_gemm_cpu(struct pen_exec *exec, const struct pen_gemm *g, struct pen_error *err)
{
    PEN_TRY(pen_gemm_check(g, err));
    if (g->m == 0 || g->n == 0) {
        return PEN_OK;
    }
    (void)pthread_once(&one_thread_once, hold_to_one_thread);
    /* BLAS wants leading dimensions of at least 1 and the row length, also where a side is empty. */
    int lda = (int)(g->lda > 0 ? g->lda : 1), ldb = (int)(g->ldb > 0 ? g->ldb : 1);
    cblas_sgemm(CblasRowMajor, g->transpose_a ? CblasTrans : CblasNoTrans, g->transpose_b ? CblasTrans : CblasNoTrans,
                (int)g->m, (int)g->n, (int)g->k, g->alpha, g->a, lda, g->b, ldb, g->beta, g->c, (int)g->ldc);
    return PEN_OK;
}
