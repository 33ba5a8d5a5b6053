/* The double of cuBLASLt refuses what the library refuses, and rounds factors as it is told to. */
#include "kernels/backend.h"
#include "tests/pen_test.h"
#include "tests/shim/shim.h"

#include <cublasLt.h>

extern "C" const struct pen_test_suite pen_suite_cublaslt;
extern "C" struct pen_exec *pen_test_exec(void); /* shim_exec.cc */

namespace
{

constexpr int N = 4;

/* D = A B of N x N, all of them parts of one buffer of the device. */
class square
{
  public:
    square(void)
    {
        constexpr size_t floats = 5 * N * N;
        const int32_t epilogue = CUBLASLT_EPILOGUE_BIAS;
        (void)cudaMalloc(reinterpret_cast<void **>(&memory_), floats * sizeof(float));
        (void)cudaMemset(memory_, 0, floats * sizeof(float));
        (void)cublasLtCreate(&handle_);
        (void)cublasLtMatrixLayoutCreate(&layout_, CUDA_R_32F, N, N, N);
        (void)cublasLtMatmulDescCreate(&operation_, CUBLAS_COMPUTE_32F, CUDA_R_32F);
        (void)cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue);
        (void)cublasLtMatmulPreferenceCreate(&preference_);
        prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, uint64_t{1} << 20);
        for (auto attribute :
             {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
              CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
            prefer(attribute, uint32_t{16});
        }
        set_bias(part(3));
    }
    ~square()
    {
        (void)cublasLtMatmulPreferenceDestroy(preference_);
        (void)cublasLtMatmulDescDestroy(operation_);
        (void)cublasLtMatrixLayoutDestroy(layout_);
        (void)cublasLtDestroy(handle_);
        (void)cudaFree(scratch_);
        (void)cudaFree(memory_);
    }
    float *part(int i) const
    {
        return memory_ + i * N * N;
    }
    template <class T> void prefer(cublasLtMatmulPreferenceAttributes_t attribute, T value)
    {
        (void)cublasLtMatmulPreferenceSetAttribute(preference_, attribute, &value, sizeof value);
    }
    void set_bias(const float *bias)
    {
        (void)cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
    }
    void set_transposed(void)
    {
        const cublasOperation_t transposed = CUBLAS_OP_T;
        (void)cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed);
    }
    cublasStatus_t ask(cublasLtMatrixLayout_t a)
    {
        int n = 0;
        cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(handle_, operation_, a, layout_, layout_, layout_,
                                                               preference_, 1, &answer_, &n);
        if (status == CUBLAS_STATUS_SUCCESS && scratch_ == nullptr) {
            (void)cudaMalloc(&scratch_, answer_.workspaceSize);
        }
        return status;
    }
    cublasStatus_t ask(void)
    {
        return ask(layout_);
    }
    cublasStatus_t run(const float *a, float *d, size_t missing_bytes = 0)
    {
        const float one = 1, zero = 0;
        return cublasLtMatmul(handle_, operation_, &one, a, layout_, part(1), layout_, &zero, d, layout_, d, layout_,
                              &answer_.algo, scratch_, answer_.workspaceSize - missing_bytes, nullptr);
    }

  private:
    float *memory_ = nullptr;
    void *scratch_ = nullptr;
    cublasLtHandle_t handle_ = nullptr;
    cublasLtMatrixLayout_t layout_ = nullptr;
    cublasLtMatmulDesc_t operation_ = nullptr;
    cublasLtMatmulPreference_t preference_ = nullptr;
    cublasLtMatmulHeuristicResult_t answer_ = {};
};

void a_product_is_what_its_algorithm_was_asked_for(void)
{
    square s;
    float host[N * N] = {};
    PEN_CHECK_EQ_I64(s.ask(), CUBLAS_STATUS_SUCCESS);
    PEN_CHECK_EQ_I64(s.run(s.part(0), s.part(2)), CUBLAS_STATUS_SUCCESS);
    PEN_CHECK_EQ_I64(s.run(s.part(0) + 1, s.part(2)), CUBLAS_STATUS_INVALID_VALUE); /* less aligned than promised */
    PEN_CHECK_EQ_I64(s.run(s.part(0), s.part(4) + N), CUBLAS_STATUS_INVALID_VALUE); /* past the end of its buffer */
    PEN_CHECK_EQ_I64(s.run(host, s.part(2)), CUBLAS_STATUS_INVALID_VALUE);
    PEN_CHECK_EQ_I64(s.run(s.part(0), s.part(2), 1), CUBLAS_STATUS_INVALID_VALUE); /* too little scratch */
    s.set_bias(s.part(3) + 1);
    PEN_CHECK_EQ_I64(s.run(s.part(0), s.part(2)), CUBLAS_STATUS_INVALID_VALUE);
    s.set_bias(s.part(3));
    s.set_transposed();
    PEN_CHECK_EQ_I64(s.run(s.part(0), s.part(2)), CUBLAS_STATUS_INVALID_VALUE);
}

void what_there_is_no_algorithm_for_is_refused(void)
{
    square s;
    cublasLtMatrixLayout_t half = nullptr, narrow = nullptr;
    (void)cublasLtMatrixLayoutCreate(&half, CUDA_R_16BF, N, N, N);
    (void)cublasLtMatrixLayoutCreate(&narrow, CUDA_R_32F, N, N - 1, N);
    PEN_CHECK_EQ_I64(s.ask(half), CUBLAS_STATUS_NOT_SUPPORTED);
    PEN_CHECK_EQ_I64(s.ask(narrow), CUBLAS_STATUS_INVALID_VALUE);
    s.prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, uint32_t{4});
    PEN_CHECK_EQ_I64(s.ask(), CUBLAS_STATUS_NOT_SUPPORTED); /* an epilogue on a result that is not aligned */
    (void)cublasLtMatrixLayoutDestroy(half);
    (void)cublasLtMatrixLayoutDestroy(narrow);
}

/* 1 + 2^-9 + 2^-12 times 1, by the gemm op. */
float rounded_by(enum pen_precision precision)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_exec *exec = pen_test_exec();
    float numbers[3] = {1.0f + 0x1p-9f + 0x1p-12f, 1, 0}, *device = nullptr;
    (void)cudaMalloc(reinterpret_cast<void **>(&device), sizeof numbers);
    PEN_CHECK_OK(pen_device_upload(exec, device, numbers, sizeof numbers, &err), &err);
    const struct pen_gemm g = {1, 1, 1, false, false, 1, 0, device, 1, device + 1, 1, device + 2, 1};
    (void)pen_exec_allow(exec, precision);
    PEN_CHECK_OK(exec->kernels->gemm(exec, &g, &err), &err);
    (void)pen_exec_allow(exec, PEN_PRECISION_EXACT);
    PEN_CHECK_OK(pen_device_download(exec, numbers, device, sizeof numbers, &err), &err);
    (void)cudaFree(device);
    return numbers[2];
}

void factors_are_rounded_as_the_exec_says(void)
{
    PEN_CHECK_EQ_F64(rounded_by(PEN_PRECISION_BF16), 1.0f);
    PEN_CHECK_EQ_F64(rounded_by(PEN_PRECISION_TF32), 1.0f + 0x1p-9f);
    PEN_CHECK_EQ_F64(rounded_by(PEN_PRECISION_EXACT), 1.0f + 0x1p-9f + 0x1p-12f);
}

} // namespace

PEN_SUITE(cublaslt, PEN_CASE(a_product_is_what_its_algorithm_was_asked_for),
          PEN_CASE(what_there_is_no_algorithm_for_is_refused), PEN_CASE(factors_are_rounded_as_the_exec_says));
