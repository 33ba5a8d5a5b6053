/* One optimiser step over everything a backward pass left: weights with L1 and L2, biases without, and the touched
 * rows of every table (sparse: momentum, moments, L1 and L2 act on a row when a batch meets it). */
#ifndef PEN_COMPONENTS_TRAINER_UPDATE_H
#define PEN_COMPONENTS_TRAINER_UPDATE_H

#include "components/trainer/pass.h"

struct pen_update_options {
    struct pen_optimiser_rule rule;
    double clip_norm; /* 0: no clipping */
};

struct pen_update {
    struct pen_update_options options;
    struct pen_exec *exec;
    float *state1, *state2; /* [n_total] device memory; NULL where the kind has none */
};

PEN_MUST_USE pen_status pen_update_init(struct pen_update *update, const struct pen_update_options *options,
                                        const struct pen_network *network, struct pen_error *err);
void pen_update_deinit(struct pen_update *update);

/* The step's number and learning rate are those of pass->step. */
PEN_MUST_USE pen_status pen_update_apply(struct pen_update *update, struct pen_pass *pass, struct pen_error *err);

#endif
