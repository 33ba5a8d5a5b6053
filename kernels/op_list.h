/* Every op, once. X(name): the contract is kernels/<family>/<family>.h, the function type pen_<name>_fn.
 * Tables, tests and benches walk this list, so a missing implementation fails to compile or link. */
#ifndef PEN_KERNELS_OP_LIST_H
#define PEN_KERNELS_OP_LIST_H

#define PEN_OP_LIST(X) X(gemm)

#endif
