/* The CUDA backend as a module: penstock_cuda.so, opened at run time (load.c), so that one binary starts on any
 * machine. It exports pen_cuda_module_get() alone; what it was built for is compared before anything else of it is
 * used. */
#ifndef PEN_KERNELS_CUDA_MODULE_H
#define PEN_KERNELS_CUDA_MODULE_H

#include "kernels/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_CUDA_MODULE_ABI = 7 };

/* "gemm dense_forward ...": two builds with the same names in the same order have the same table. */
#define PEN_OP_NAME(op) #op " "
#define PEN_OP_NAMES PEN_OP_LIST(PEN_OP_NAME)

struct pen_cuda_device {
    char name[256];
    int64_t memory_bytes;
    char id[40];    /* hexadecimal digits that no other device has */
    int capability; /* 90: compute capability 9.0 */
    int multiprocessors;
};

/* Of the driver, the runtime and the libraries that ops call. */
struct pen_cuda_version {
    char name[16], version[32]; /* "driver" "13.0", "cublasLt" "13.1.0" */
};

enum { PEN_CUDA_VERSIONS = 8 };

struct pen_cuda_module {
    /* Compared before anything below is used. */
    uint32_t abi;
    uint64_t table_bytes; /* sizeof(struct pen_kernel_table) */
    const char *ops;      /* PEN_OP_NAMES */

    const struct pen_kernel_table *kernels; /* of every exec; NULL slots: ops it lacks */
    int least_capability;                   /* of the devices that it is built for */
    pen_status (*count_devices)(int *n_devices, struct pen_error *err);
    pen_status (*describe)(struct pen_cuda_device *facts, int device, struct pen_error *err);
    pen_status (*list_versions)(struct pen_cuda_version versions[PEN_CUDA_VERSIONS], int *n, struct pen_error *err);
    pen_status (*open)(struct pen_exec **exec, int device, struct pen_error *err);
};

PEN_API const struct pen_cuda_module *pen_cuda_module_get(void);
typedef const struct pen_cuda_module *pen_cuda_module_get_fn(void);

/* table.c */
extern const struct pen_kernel_table pen_cuda_kernels;

#ifdef __cplusplus
}
#endif

#endif
