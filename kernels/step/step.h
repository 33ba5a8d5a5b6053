/* What changes from one training step to the next, in device memory, so that a step is the same calls with the same
 * arguments every time: a device with a queue can record it once and replay it.
 *
 * pen_training_step is written before the step, by one upload; the ops read it. pen_step_sums is what the ops add up,
 * read by a download when somebody wants to know; zeroed (pen_device_fill) to start again.
 *
 * clip_norm
 * formula      grad_scale = squared_norm > limit^2 ? limit / sqrt(squared_norm) : 1;  squared_norm = 0
 * shapes       one pen_step_sums
 * special      a norm that is not finite: grad_scale = 1; the loss will tell
 * determinism  bit-identical
 * error bound  2 eps64 |grad_scale|
 * cost         none worth stating
 * errors       PEN_ERR_SHAPE for limit <= 0 */
#ifndef PEN_KERNELS_STEP_STEP_H
#define PEN_KERNELS_STEP_STEP_H

#include "core/status.h"
#include "kernels/exec.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_training_step {
    int64_t number;      /* from 1 */
    int64_t first_place; /* of the batch, in the order of rows */
    uint64_t order_seed; /* the order: pen_rng_permute(order_seed, order_stream, place, n_order) */
    uint64_t order_stream;
    int64_t n_order;
    double learning_rate;
};

struct pen_step_sums {
    double loss, weight;
    int64_t n_diverged, first_diverged; /* steps whose loss was not finite, and the first one's number; 0: none */
    double squared_norm, grad_scale;    /* of the newest step; grad_scale is 1 until clip_norm says otherwise */
};

struct pen_clip_norm {
    double limit;
    struct pen_step_sums *sums;
};

typedef pen_status pen_clip_norm_fn(struct pen_exec *exec, const struct pen_clip_norm *clip, struct pen_error *err);
pen_clip_norm_fn pen_clip_norm_cpu, pen_clip_norm_cuda;

#ifdef __cplusplus
}
#endif

#endif
