/* One optimiser step over everything a backward pass left: weights with L1 and L2, biases without, and the touched
 * rows of every table (sparse: momentum, moments, L1 and L2 act on a row when a batch meets it). */
#ifndef PEN_COMPONENTS_TRAINER_UPDATE_H
#define PEN_COMPONENTS_TRAINER_UPDATE_H

#include "components/trainer/pass.h"

struct pen_update_options {
    enum pen_optimiser_kind kind;
    double momentum, beta1, beta2, epsilon, l1, l2, ftrl_beta, clip_norm; /* clip_norm 0: no clipping */
};

struct pen_update {
    struct pen_update_options options;
    float *state1, *state2; /* [n_total]; NULL where the kind has none */
};

PEN_MUST_USE pen_status pen_update_init(struct pen_update *update, const struct pen_update_options *options,
                                        const struct pen_network *network, struct pen_error *err);
void pen_update_deinit(struct pen_update *update);

/* step counts from 1. *norm: the gradient's norm before clipping, NaN when clip_norm is 0. */
PEN_MUST_USE pen_status pen_update_apply(struct pen_update *update, struct pen_pass *pass, double learning_rate,
                                         int64_t step, double *norm, struct pen_error *err);

#endif
