/* Ranks on CUDA devices: a group (kernels/group.h) through NCCL, and waits that end when a rank is gone. group.cu, or
 * group_absent.cu in a build without NCCL. */
#ifndef PEN_KERNELS_CUDA_GROUP_CUH
#define PEN_KERNELS_CUDA_GROUP_CUH

#include "kernels/cuda/exec.cuh"
#include "kernels/group.h"

pen_status pen_cuda_name_group(struct pen_exec *exec, char id[PEN_GROUP_ID_BYTES], struct pen_error *err);
pen_status pen_cuda_open_group(struct pen_exec *exec, struct pen_group **group, const struct pen_group_place *place,
                               struct pen_error *err);

/* Waits for the stream of an exec that has a group. */
pen_status pen_cuda_group_wait(struct pen_cuda_group *group, cudaStream_t stream, struct pen_error *err);

/* 22809 is 2.28.9; 0: it is not there. */
int pen_cuda_groups_version(void);

#endif
