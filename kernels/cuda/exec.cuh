/* The CUDA backend's exec: a stream on one device, and memory for what an op needs while it runs.
 *
 * Work of one exec runs in the order of its stream, so the workspace of an op is free again for the next. */
#ifndef PEN_KERNELS_CUDA_EXEC_CUH
#define PEN_KERNELS_CUDA_EXEC_CUH

#include "kernels/cuda/common.cuh"

struct pen_cuda_products;     /* product.cu */
struct pen_cuda_convolutions; /* convolution.cu */
struct pen_cuda_group;        /* group.cu */

/* Pinned host memory that copies to the device start from, filled from the front. */
struct pen_cuda_stage_area {
    char *memory;
    size_t bytes, used;
};

struct pen_cuda_exec {
    struct pen_exec base; /* first: a pen_exec of this backend is one of these */
    char name[24];
    int device;
    cudaStream_t stream;
    void *workspace; /* device memory */
    size_t workspace_bytes;
    struct pen_cuda_stage_area stage;
    struct pen_cuda_stage_area *recorded_stage; /* of the recording that is being made; NULL: none is */
    size_t staged_bytes;                        /* of all copies so far */
    struct pen_cuda_products *products;         /* NULL before the first matrix product */
    struct pen_cuda_convolutions *convolutions; /* NULL before the first one */
    struct pen_cuda_group *group;               /* NULL: it works alone */
};

static inline struct pen_cuda_exec *pen_cuda_exec_of(struct pen_exec *exec)
{
    return reinterpret_cast<struct pen_cuda_exec *>(exec);
}

static inline cudaStream_t pen_cuda_stream(struct pen_exec *exec)
{
    return pen_cuda_exec_of(exec)->stream;
}

/* Sizes of an op's pieces of workspace, each aligned to 256 bytes. */
static inline size_t pen_cuda_piece(size_t bytes)
{
    return (bytes + 255) / 256 * 256;
}

/* Device memory for the running op: asked for once an op, as a whole. `op` names it when memory runs out. */
pen_status pen_cuda_workspace(struct pen_exec *exec, char **workspace, size_t bytes, const char *op,
                              struct pen_error *err);

/* Copies a job's host array to device memory (part of the workspace, usually). The host array is free at once. In a
 * recording the bytes are kept: each replay copies them again. */
pen_status pen_cuda_stage(struct pen_exec *exec, void *to, const void *host, size_t bytes, struct pen_error *err);

/* The host waits for the stream; not for a rank that is gone. */
pen_status pen_cuda_wait(struct pen_exec *exec, struct pen_error *err);

/* recording.cu */
pen_status pen_cuda_repeat(struct pen_exec *exec, struct pen_recording **recording, pen_repeated_fn *work,
                           void *context, struct pen_error *err);
void pen_cuda_forget(struct pen_exec *exec, struct pen_recording *recording);

#endif
