/* Scale of a clipped gradient on the CPU. */
#include "kernels/step/step.h"

#include <math.h>

pen_status pen_clip_norm_cpu(struct pen_exec *exec, const struct pen_clip_norm *c, struct pen_error *err)
{
    if (!(c->limit > 0)) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "clip_norm: expected a limit > 0, found %g", c->limit);
    }
    double norm = sqrt(c->sums->squared_norm);
    c->sums->grad_scale = isfinite(norm) && norm > c->limit ? c->limit / norm : 1;
    c->sums->squared_norm = 0;
    return PEN_OK;
}
