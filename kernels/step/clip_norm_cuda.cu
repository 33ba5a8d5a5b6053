/* Scale of a clipped gradient: one thread, so that nobody waits for the norm on the host. */
#include "kernels/cuda/exec.cuh"
#include "kernels/step/step.h"

#include <math.h>

static __global__ void clip_norm_k(pen_step_sums *sums, double limit)
{
    if (threadIdx.x == 0) {
        double norm = sqrt(sums->squared_norm);
        sums->grad_scale = isfinite(norm) && norm > limit ? limit / norm : 1;
        sums->squared_norm = 0;
    }
}

extern "C" pen_status pen_clip_norm_cuda(struct pen_exec *exec, const struct pen_clip_norm *c, struct pen_error *err)
{
    if (!(c->limit > 0)) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "clip_norm: expected a limit > 0, found %g", c->limit);
    }
    PEN_LAUNCH(clip_norm_k, 1, 32, 0, pen_cuda_stream(exec), c->sums, c->limit);
    PEN_CUDA_LAUNCHED("clip_norm", err);
    return PEN_OK;
}
