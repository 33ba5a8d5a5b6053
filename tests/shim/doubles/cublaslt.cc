/* Stands for cuBLASLt: the products and epilogues of include/cublasLt.h, column-major, in the order of the stream.
 *
 * An algorithm is a note of what it was asked for: the kind of product, the sizes and the alignment promised. A product
 * that is not what its algorithm was asked for, memory that is not the device's, scratch that is too small and a bias
 * that is not aligned are refused, as the library may refuse them or fail. Sums are float64; factors are rounded to the
 * bits of the compute type. The relu epilogue is max(x, 0) as a GPU computes it: NaN becomes 0. */
#include "tests/shim/doubles/rounded.h"
#include "tests/shim/shim.h"

#include <cublasLt.h>

#include <cstring>

struct cublasLtContext {
    int unused;
};

struct cublasLtMatrixLayoutOpaque_t {
    cudaDataType_t type;
    int64_t rows, cols, ld;
};

struct cublasLtMatmulDescOpaque_t {
    cublasComputeType_t compute;
    cublasOperation_t of_a = CUBLAS_OP_N, of_b = CUBLAS_OP_N;
    cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
    const float *bias = nullptr;
};

struct cublasLtMatmulPreferenceOpaque_t {
    uint64_t scratch_bytes = 0;
    uint32_t schemes = CUBLASLT_REDUCTION_SCHEME_MASK;
    uint32_t alignment[4] = {256, 256, 256, 256}; /* of A, B, C, D */
};

namespace
{

constexpr size_t SCRATCH_BYTES = 512;

/* What an algorithm is good for. */
struct note {
    int32_t compute, of_a, of_b, epilogue;
    uint32_t alignment[4];
    int64_t m, n, k;
};
static_assert(sizeof(note) <= sizeof(cublasLtMatmulAlgo_t), "an algorithm holds the note");

bool is_sound(const cublasLtMatrixLayoutOpaque_t *l)
{
    return l != nullptr && l->rows > 0 && l->cols > 0 && l->ld >= l->rows;
}

/* What is asked for; false: not a product. */
bool take_note(note *wanted, const cublasLtMatmulDescOpaque_t *op, const cublasLtMatrixLayoutOpaque_t *a,
               const cublasLtMatrixLayoutOpaque_t *b, const cublasLtMatrixLayoutOpaque_t *c,
               const cublasLtMatrixLayoutOpaque_t *d)
{
    if (op == nullptr || !is_sound(a) || !is_sound(b) || !is_sound(c) || !is_sound(d)) {
        return false;
    }
    bool ta = op->of_a == CUBLAS_OP_T, tb = op->of_b == CUBLAS_OP_T;
    int64_t k = ta ? a->rows : a->cols;
    *wanted = {op->compute, op->of_a, op->of_b, op->epilogue, {}, ta ? a->cols : a->rows, tb ? b->rows : b->cols, k};
    return k == (tb ? b->cols : b->rows) && wanted->m == d->rows && wanted->n == d->cols && c->rows == d->rows &&
           c->cols == d->cols;
}

template <class T> cublasStatus_t set(T *field, const void *value, size_t bytes)
{
    if (value == nullptr || bytes != sizeof *field) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    std::memcpy(field, value, bytes);
    return CUBLAS_STATUS_SUCCESS;
}

int dropped_bits(int32_t compute)
{
    return compute == CUBLAS_COMPUTE_32F_FAST_TF32   ? TF32_DROPPED_BITS
           : compute == CUBLAS_COMPUTE_32F_FAST_16BF ? BF16_DROPPED_BITS
                                                     : 0;
}

struct product {
    note what;
    float alpha, beta;
    const float *a, *b, *c, *bias;
    float *d;
    int64_t lda, ldb, ldc, ldd;
};

void compute(const product &p)
{
    pen_shim::open_memory open;
    int dropped = dropped_bits(p.what.compute);
    for (int64_t j = 0; j < p.what.n; j++) {
        for (int64_t i = 0; i < p.what.m; i++) {
            double sum = 0;
            for (int64_t l = 0; l < p.what.k; l++) {
                float x = p.what.of_a == CUBLAS_OP_T ? p.a[l + i * p.lda] : p.a[i + l * p.lda];
                float y = p.what.of_b == CUBLAS_OP_T ? p.b[j + l * p.ldb] : p.b[l + j * p.ldb];
                sum += rounded(x, dropped) * rounded(y, dropped);
            }
            sum *= static_cast<double>(p.alpha);
            sum += p.beta != 0.0f ? static_cast<double>(p.beta) * static_cast<double>(p.c[i + j * p.ldc]) : 0.0;
            sum += (p.what.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0 ? static_cast<double>(p.bias[i]) : 0.0;
            bool cut = (p.what.epilogue & CUBLASLT_EPILOGUE_RELU) != 0 && !(sum > 0);
            p.d[i + j * p.ldd] = cut ? 0.0f : static_cast<float>(sum);
        }
    }
}

bool is_matrix(const void *at, const cublasLtMatrixLayoutOpaque_t *l, uint32_t alignment)
{
    auto floats = static_cast<size_t>((l->cols - 1) * l->ld + l->rows);
    return pen_shim::is_device(at, floats * sizeof(float)) && reinterpret_cast<uintptr_t>(at) % alignment == 0;
}

bool is_bias(const note &what, const float *bias)
{
    return (what.epilogue & CUBLASLT_EPILOGUE_BIAS) == 0 ||
           (pen_shim::is_device(bias, static_cast<size_t>(what.m) * sizeof(float)) &&
            reinterpret_cast<uintptr_t>(bias) % 16 == 0);
}

} // namespace

size_t cublasLtGetVersion(void)
{
    return 130000;
}

const char *cublasLtGetStatusString(cublasStatus_t status)
{
    return status == CUBLAS_STATUS_SUCCESS         ? "success"
           : status == CUBLAS_STATUS_NOT_SUPPORTED ? "not supported"
                                                   : "an unsupported value or parameter was passed to the function";
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t *handle)
{
    *handle = new cublasLtContext{0};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle)
{
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *layout, cudaDataType type, uint64_t rows,
                                          uint64_t cols, int64_t ld)
{
    *layout = new cublasLtMatrixLayoutOpaque_t{type, static_cast<int64_t>(rows), static_cast<int64_t>(cols), ld};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout)
{
    delete layout;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *operation, cublasComputeType_t compute,
                                        cudaDataType_t scale)
{
    if (scale != CUDA_R_32F) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    *operation = new cublasLtMatmulDescOpaque_t{compute};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t operation)
{
    delete operation;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t attribute,
                                              const void *value, size_t bytes)
{
    switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
        return set(&operation->of_a, value, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB:
        return set(&operation->of_b, value, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
        return set(&operation->epilogue, value, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
        return set(&operation->bias, value, bytes);
    }
    return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *preference)
{
    *preference = new cublasLtMatmulPreferenceOpaque_t;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference)
{
    delete preference;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void *value,
                                                    size_t bytes)
{
    switch (attribute) {
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
        return set(&preference->scratch_bytes, value, bytes);
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
        return set(&preference->schemes, value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES:
        return set(&preference->alignment[attribute - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES], value, bytes);
    }
    return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int n_wanted,
                                              cublasLtMatmulHeuristicResult_t answers[], int *n_answers)
{
    note wanted;
    *n_answers = 0;
    if (handle == nullptr || n_wanted < 1 || !take_note(&wanted, operation, a, b, c, d)) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    bool floats = a->type == CUDA_R_32F && b->type == CUDA_R_32F && c->type == CUDA_R_32F && d->type == CUDA_R_32F;
    bool plain = wanted.epilogue == CUBLASLT_EPILOGUE_DEFAULT;
    if (!floats || (!plain && preference->alignment[3] < 16)) {
        return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    std::memcpy(wanted.alignment, preference->alignment, sizeof wanted.alignment);
    answers[0] = {};
    std::memcpy(&answers[0].algo, &wanted, sizeof wanted);
    answers[0].workspaceSize = preference->scratch_bytes < SCRATCH_BYTES ? 0 : SCRATCH_BYTES;
    answers[0].state = CUBLAS_STATUS_SUCCESS;
    *n_answers = 1;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, const void *alpha, const void *a,
                              cublasLtMatrixLayout_t a_layout, const void *b, cublasLtMatrixLayout_t b_layout,
                              const void *beta, const void *c, cublasLtMatrixLayout_t c_layout, void *d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t *algorithm, void *scratch,
                              size_t scratch_bytes, cudaStream_t stream)
{
    note wanted, known;
    if (handle == nullptr || algorithm == nullptr ||
        !take_note(&wanted, operation, a_layout, b_layout, c_layout, d_layout)) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    std::memcpy(&known, algorithm, sizeof known);
    std::memcpy(wanted.alignment, known.alignment, sizeof wanted.alignment);
    bool right = std::memcmp(&wanted, &known, sizeof known) == 0 && scratch_bytes >= SCRATCH_BYTES &&
                 pen_shim::is_device(scratch, scratch_bytes) && is_matrix(a, a_layout, known.alignment[0]) &&
                 is_matrix(b, b_layout, known.alignment[1]) && is_matrix(c, c_layout, known.alignment[2]) &&
                 is_matrix(d, d_layout, known.alignment[3]) && is_bias(wanted, operation->bias);
    if (!right) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    product p = {wanted,
                 *static_cast<const float *>(alpha),
                 *static_cast<const float *>(beta),
                 static_cast<const float *>(a),
                 static_cast<const float *>(b),
                 static_cast<const float *>(c),
                 operation->bias,
                 static_cast<float *>(d),
                 a_layout->ld,
                 b_layout->ld,
                 c_layout->ld,
                 d_layout->ld};
    pen_shim::enqueue_call(stream, [=]() { compute(p); });
    return CUBLAS_STATUS_SUCCESS;
}
