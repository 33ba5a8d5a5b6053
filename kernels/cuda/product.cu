/* Matrix products by cuBLASLt.
 *
 * The library is column-major, and a row-major matrix is its transpose there: C' = op(B)' op(A)', so the library's A is
 * our B, the rows of its result are our columns, and a bias along our columns is one along its rows, as it wants it.
 *
 * Split sums are let in only where their parts are stored and added in a step of their own (COMPUTE_TYPE): the gradient
 * of weights sums over a whole batch and needs many blocks. The bias epilogue is asked for where the result is aligned
 * to 16 bytes; narrow results are left to the caller's kernel (some releases skip the bias of a result of one row). The
 * library wants the bias aligned too: one that is not is copied in front of the scratch. The relu epilogue is never
 * asked for: it is max(x, 0), which on a GPU makes 0 of NaN, and a training that diverged would hide behind it. */
#include "kernels/cuda/product.cuh"

#include "core/memory.h"

#include <cublasLt.h>

#include <string.h>

#define PEN_CUBLAS(err, call)                                                                         \
    do {                                                                                              \
        cublasStatus_t pen_cublas_status_ = (call);                                                   \
        if (pen_cublas_status_ != CUBLAS_STATUS_SUCCESS) {                                            \
            (void)pen_error_set((err), __FILE__, __LINE__, PEN_ERR_DEVICE, "cuBLASLt: %s: %s", #call, \
                                cublasLtGetStatusString(pen_cublas_status_));                         \
            return PEN_ERR_DEVICE;                                                                    \
        }                                                                                             \
    } while (0)

static constexpr int MOST_PLANS = 128;
static constexpr size_t SCRATCH_BYTES = size_t{32} << 20;

/* Two calls with the same key are served by the same plan. */
struct plan_key {
    int64_t m, n, k, lda, ldb, ldc;
    int32_t transpose_a, transpose_b, epilogue, precision;
    uint32_t align_a, align_b, align_c, unused;
};

/* a, b, c: of the library, that is our B, A and C. */
struct plan {
    struct plan_key key;
    cublasLtMatmulDesc_t operation;
    cublasLtMatrixLayout_t a, b, c;
    cublasLtMatmulAlgo_t algorithm;
    size_t scratch_bytes;
    bool fused;
};

struct pen_cuda_products {
    cublasLtHandle_t handle;
    cublasLtMatmulPreference_t preference;
    struct plan plans[MOST_PLANS];
    int n_plans, oldest; /* when all are taken, the oldest makes room */
};

int pen_cuda_products_version(void)
{
    return (int)cublasLtGetVersion();
}

static void drop_plan(struct plan *p)
{
    for (cublasLtMatrixLayout_t layout : {p->a, p->b, p->c}) {
        if (layout != NULL) {
            (void)cublasLtMatrixLayoutDestroy(layout);
        }
    }
    if (p->operation != NULL) {
        (void)cublasLtMatmulDescDestroy(p->operation);
    }
    *p = {};
}

void pen_cuda_products_destroy(struct pen_cuda_products *products)
{
    if (products == NULL) {
        return;
    }
    for (int i = 0; i < products->n_plans; i++) {
        drop_plan(&products->plans[i]);
    }
    if (products->preference != NULL) {
        (void)cublasLtMatmulPreferenceDestroy(products->preference);
    }
    if (products->handle != NULL) {
        (void)cublasLtDestroy(products->handle);
    }
    pen_free(products);
}

static pen_status open_library(struct pen_cuda_products *products, struct pen_error *err)
{
    uint64_t scratch_bytes = SCRATCH_BYTES;
    uint32_t schemes = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
    PEN_CUBLAS(err, cublasLtCreate(&products->handle));
    PEN_CUBLAS(err, cublasLtMatmulPreferenceCreate(&products->preference));
    PEN_CUBLAS(err, cublasLtMatmulPreferenceSetAttribute(products->preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                         &scratch_bytes, sizeof scratch_bytes));
    PEN_CUBLAS(err, cublasLtMatmulPreferenceSetAttribute(
                        products->preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &schemes, sizeof schemes));
    return PEN_OK;
}

static pen_status products_of(struct pen_cuda_products **products, struct pen_exec *exec, struct pen_error *err)
{
    struct pen_cuda_exec *own = pen_cuda_exec_of(exec);
    if (own->products == NULL) {
        auto *made = static_cast<struct pen_cuda_products *>(pen_calloc(1, sizeof(struct pen_cuda_products)));
        if (made == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: matrix products on %s", exec->name);
        }
        pen_status status = open_library(made, err);
        if (status != PEN_OK) {
            pen_cuda_products_destroy(made);
            return status;
        }
        own->products = made;
    }
    *products = own->products;
    return PEN_OK;
}

/* ---- plans ---- */

static uint32_t alignment_of(const void *at)
{
    uintptr_t bits = (uintptr_t)at | 256;
    return (uint32_t)(bits & (~bits + 1));
}

static cublasLtEpilogue_t epilogue_for(const struct pen_gemm *g, const float *bias)
{
    bool wide = g->n % 4 == 0 && g->ldc % 4 == 0 && (uintptr_t)g->c % 16 == 0;
    return wide && bias != NULL ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
}

static struct plan_key key_of(const struct pen_exec *exec, const struct pen_gemm *g, cublasLtEpilogue_t epilogue)
{
    struct plan_key key = {};
    key.m = g->m;
    key.n = g->n;
    key.k = g->k;
    key.lda = g->lda;
    key.ldb = g->ldb;
    key.ldc = g->ldc;
    key.transpose_a = g->transpose_a;
    key.transpose_b = g->transpose_b;
    key.epilogue = (int32_t)epilogue;
    key.precision = (int32_t)exec->precision;
    key.align_a = alignment_of(g->a);
    key.align_b = alignment_of(g->b);
    key.align_c = alignment_of(g->c);
    return key;
}

/* A row-major matrix [rows, columns] as the library sees it. */
static pen_status make_layout(cublasLtMatrixLayout_t *layout, int64_t rows, int64_t columns, int64_t ld,
                              struct pen_error *err)
{
    int64_t least = ld > columns ? ld : columns; /* of a single row, any leading dimension will do */
    PEN_CUBLAS(err, cublasLtMatrixLayoutCreate(layout, CUDA_R_32F, (uint64_t)columns, (uint64_t)rows, least));
    return PEN_OK;
}

static pen_status describe(struct plan *p, struct pen_error *err)
{
    static const cublasComputeType_t compute[PEN_PRECISION_COUNT] = {CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F_FAST_TF32,
                                                                     CUBLAS_COMPUTE_32F_FAST_16BF};
    const struct plan_key *key = &p->key;
    cublasOperation_t of_a = key->transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    cublasOperation_t of_b = key->transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    PEN_CUBLAS(err, cublasLtMatmulDescCreate(&p->operation, compute[key->precision], CUDA_R_32F));
    PEN_CUBLAS(err, cublasLtMatmulDescSetAttribute(p->operation, CUBLASLT_MATMUL_DESC_TRANSA, &of_a, sizeof of_a));
    PEN_CUBLAS(err, cublasLtMatmulDescSetAttribute(p->operation, CUBLASLT_MATMUL_DESC_TRANSB, &of_b, sizeof of_b));
    PEN_TRY(make_layout(&p->a, key->transpose_b ? key->n : key->k, key->transpose_b ? key->k : key->n, key->ldb, err));
    PEN_TRY(make_layout(&p->b, key->transpose_a ? key->k : key->m, key->transpose_a ? key->m : key->k, key->lda, err));
    return make_layout(&p->c, key->m, key->n, key->ldc, err);
}

/* Asks for an algorithm with this epilogue; *found: there is one. */
static pen_status ask(bool *found, struct pen_cuda_products *products, struct plan *p, cublasLtEpilogue_t epilogue,
                      struct pen_error *err)
{
    const struct {
        cublasLtMatmulPreferenceAttributes_t attribute;
        uint32_t bytes;
    } alignments[] = {{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, p->key.align_b},
                      {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, p->key.align_a},
                      {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, p->key.align_c},
                      {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, p->key.align_c}};
    for (const auto &a : alignments) {
        PEN_CUBLAS(err,
                   cublasLtMatmulPreferenceSetAttribute(products->preference, a.attribute, &a.bytes, sizeof a.bytes));
    }
    PEN_CUBLAS(err,
               cublasLtMatmulDescSetAttribute(p->operation, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue));
    cublasLtMatmulHeuristicResult_t answer;
    int n_answers = 0;
    cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(products->handle, p->operation, p->a, p->b, p->c, p->c,
                                                           products->preference, 1, &answer, &n_answers);
    *found = status == CUBLAS_STATUS_SUCCESS && n_answers > 0 && answer.state == CUBLAS_STATUS_SUCCESS;
    if (!*found && status != CUBLAS_STATUS_SUCCESS && status != CUBLAS_STATUS_NOT_SUPPORTED) {
        PEN_CUBLAS(err, status);
    }
    if (*found) {
        p->algorithm = answer.algo;
        p->scratch_bytes = answer.workspaceSize;
        p->fused = epilogue != CUBLASLT_EPILOGUE_DEFAULT;
    }
    return PEN_OK;
}

static pen_status make_plan(struct pen_cuda_products *products, struct plan *p, const char *op, struct pen_error *err)
{
    auto epilogue = (cublasLtEpilogue_t)p->key.epilogue;
    bool found = false;
    PEN_TRY(describe(p, err));
    PEN_TRY(ask(&found, products, p, epilogue, err));
    if (!found && epilogue != CUBLASLT_EPILOGUE_DEFAULT) {
        PEN_TRY(ask(&found, products, p, CUBLASLT_EPILOGUE_DEFAULT, err));
    }
    if (!found) {
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "%s: cuBLASLt has no algorithm for a product of m %lld, n %lld, k %lld", op,
                 (long long)p->key.m, (long long)p->key.n, (long long)p->key.k);
    }
    return PEN_OK;
}

static pen_status plan_for(struct plan **plan, struct pen_cuda_products *products, const struct plan_key *key,
                           const char *op, struct pen_error *err)
{
    for (int i = 0; i < products->n_plans; i++) {
        if (memcmp(&products->plans[i].key, key, sizeof *key) == 0) {
            *plan = &products->plans[i];
            return PEN_OK;
        }
    }
    struct plan made = {};
    made.key = *key;
    pen_status status = make_plan(products, &made, op, err);
    if (status != PEN_OK) {
        drop_plan(&made);
        return status;
    }
    int place = products->n_plans;
    if (place == MOST_PLANS) {
        place = products->oldest;
        products->oldest = (place + 1) % MOST_PLANS;
        drop_plan(&products->plans[place]);
    } else {
        products->n_plans++;
    }
    products->plans[place] = made;
    *plan = &products->plans[place];
    return PEN_OK;
}

/* ---- products ---- */

/* Without a k to sum over the library is not asked: C = beta C. */
static __global__ void scale_k(float *c, int64_t ldc, int64_t m, int64_t n, float beta)
{
    for (int64_t i = pen_cuda_first(); i < m * n; i += pen_cuda_step()) {
        float *at = c + i / n * ldc + i % n;
        *at = beta == 0.0f ? 0.0f : beta * *at;
    }
}

pen_status pen_cuda_product(struct pen_exec *exec, bool *fused, const struct pen_gemm *g, const float *bias,
                            const char *op, struct pen_error *err)
{
    *fused = bias == NULL;
    PEN_TRY(pen_gemm_check(g, err));
    if (g->m == 0 || g->n == 0) {
        return PEN_OK;
    }
    if (g->k == 0) {
        PEN_LAUNCH(scale_k, pen_cuda_grid(g->m * g->n), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), g->c, g->ldc, g->m,
                   g->n, g->beta);
        PEN_CUDA_LAUNCHED(op, err);
        return PEN_OK;
    }
    struct pen_cuda_products *products = NULL;
    struct plan *plan = NULL;
    char *scratch = NULL;
    struct plan_key key = key_of(exec, g, epilogue_for(g, bias));
    PEN_TRY(products_of(&products, exec, err));
    PEN_TRY(plan_for(&plan, products, &key, op, err));
    bias = plan->fused ? bias : NULL;
    size_t copied = (uintptr_t)bias % 16 == 0 ? 0 : pen_cuda_piece((size_t)g->n * sizeof *bias);
    PEN_TRY(pen_cuda_workspace(exec, &scratch, copied + plan->scratch_bytes, op, err));
    if (copied > 0) {
        PEN_TRY(pen_device_copy(exec, scratch, bias, (size_t)g->n * sizeof *bias, err));
        bias = reinterpret_cast<const float *>(scratch);
    }
    if (bias != NULL) {
        PEN_CUBLAS(err, cublasLtMatmulDescSetAttribute(plan->operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias,
                                                       sizeof bias));
    }
    PEN_CUBLAS(err, cublasLtMatmul(products->handle, plan->operation, &g->alpha, g->b, plan->a, g->a, plan->b, &g->beta,
                                   g->c, plan->c, g->c, plan->c, &plan->algorithm, scratch + copied,
                                   plan->scratch_bytes, pen_cuda_stream(exec)));
    *fused = *fused || plan->fused;
    return PEN_OK;
}
