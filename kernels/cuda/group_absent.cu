/* A build without NCCL: no group has a name. */
#include "kernels/cuda/group.cuh"

pen_status pen_cuda_name_group(struct pen_exec *exec, char *, struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_UNSUPPORTED,
             "ranks on %s: this build is without NCCL, by which they add up gradients; build with its header "
             "(libnccl-dev), or set trainer.exchange: host to go through the host's memory, which is slower",
             exec->name);
}

pen_status pen_cuda_open_group(struct pen_exec *exec, struct pen_group **, const struct pen_group_place *,
                               struct pen_error *err)
{
    return pen_cuda_name_group(exec, NULL, err);
}

pen_status pen_cuda_group_wait(struct pen_cuda_group *, cudaStream_t stream, struct pen_error *err)
{
    PEN_CUDA(err, cudaStreamSynchronize(stream));
    return PEN_OK;
}

int pen_cuda_groups_version(void)
{
    return 0;
}
