/* NCCL's calls, in a library that is opened when ranks need it: a machine with one GPU does without. Included by
 * group.cu and nccl.cu alone. */
#ifndef PEN_KERNELS_CUDA_NCCL_CUH
#define PEN_KERNELS_CUDA_NCCL_CUH

#include <nccl.h>

#include <stddef.h>

#define PEN_NCCL_CALLS(X)     \
    X(ncclGetVersion)         \
    X(ncclGetErrorString)     \
    X(ncclGetUniqueId)        \
    X(ncclCommInitRankConfig) \
    X(ncclCommGetAsyncError)  \
    X(ncclCommAbort)          \
    X(ncclAllReduce)          \
    X(ncclAllGather)          \
    X(ncclGroupStart)         \
    X(ncclGroupEnd)

struct pen_nccl {
#define PEN_NCCL_CALL(call) decltype(&::call) call;
    PEN_NCCL_CALLS(PEN_NCCL_CALL)
#undef PEN_NCCL_CALL
};

/* NULL: it is not there, and `why` says so, a part of a line. Once opened it stays. */
const struct pen_nccl *pen_nccl_open(char *why, size_t why_bytes);

#endif
