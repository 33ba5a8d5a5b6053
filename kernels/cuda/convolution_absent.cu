/* A build without cuDNN: no shape has a plan. */
#include "kernels/cuda/convolution.cuh"

pen_status pen_cuda_convolution_plan(struct pen_exec *, int64_t *scratch_bytes, const struct pen_cuda_convolution *,
                                     struct pen_error *)
{
    *scratch_bytes = -1;
    return PEN_OK;
}

pen_status pen_cuda_convolve(struct pen_exec *, float *, const float *, const float *, void *,
                             const struct pen_cuda_convolution *, struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "convolution: this build is without cuDNN");
}

int pen_cuda_convolutions_version(void)
{
    return 0;
}

void pen_cuda_convolutions_destroy(struct pen_cuda_convolutions *)
{
    /* there are none */
}
