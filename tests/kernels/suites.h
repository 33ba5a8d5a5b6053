X(op_cases)
X(matrix_gemm)
