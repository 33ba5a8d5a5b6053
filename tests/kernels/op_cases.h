/* Every op has a test: the index is made from PEN_OP_LIST, so an op nobody tests fails to link.
 *
 * One line in the file that holds the op's float64 checks:
 *
 *   PEN_OP_CASE(gemm, matrix_gemm);      op, suite that checks it */
#ifndef PEN_TESTS_KERNELS_OP_CASES_H
#define PEN_TESTS_KERNELS_OP_CASES_H

struct pen_op_case {
    const char *op;
    const char *suite;
};

#define PEN_OP_CASE(op, suite)                        \
    extern const struct pen_op_case pen_op_case_##op; \
    const struct pen_op_case pen_op_case_##op = {#op, #suite}

#endif
