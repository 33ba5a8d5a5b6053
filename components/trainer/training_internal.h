/* A training under way: what its loop (training.c) and its checkpoints (training_state.c) share. */
#ifndef PEN_COMPONENTS_TRAINER_TRAINING_INTERNAL_H
#define PEN_COMPONENTS_TRAINER_TRAINING_INTERNAL_H

#include "components/trainer/exchange.h"
#include "components/trainer/training.h"
#include "components/trainer/validate.h"

struct pen_training {
    struct pen_training_options options;
    struct pen_network *network;
    struct pen_examples *examples;
    struct pen_pass *pass;
    struct pen_update update;
    struct pen_communicator *ranks;
    struct pen_exchange exchange;
    struct pen_validation validation;
    struct pen_recording *whole_step[2]; /* of a full batch, by where its rows lie */
    float *live, *mean, *best;           /* parameter arrays, device memory; live is network->values */
    pen_json *curves;
    struct pen_training_result *result;

    /* Where it stands: all that changes from step to step is here, in the arrays, in result and in curves, and belongs
     * into a checkpoint (training_state.c). */
    int64_t epoch, window, place; /* of the next row, in the order of the window */
    int64_t step, n_means, best_step, n_waiting;
    double best_score, patience_score; /* lowest yet; what a gain has to beat to reset the patience */
    int64_t rows_seen;
    double started, last_progress;
    bool finished;

    int64_t mean_every, horizon; /* of the averaged weights: steps between two means, steps a mean reaches back */
    double last_checkpoint, checkpoint_seconds; /* when, and what the last one took */
};

/* What the steps since the last validation added up. Work on the device ends here; a step that diverged is told. */
PEN_MUST_USE pen_status pen_training_read_sums(struct pen_training *training, struct pen_step_sums *sums, bool reset,
                                               struct pen_error *err);

/* Writes a checkpoint when one is due; now: in any case. One that cannot be written is a warning: training goes on. */
PEN_MUST_USE pen_status pen_training_save(struct pen_training *training, bool now, struct pen_error *err);

/* Puts a prepared training where its newest checkpoint stands; without one it is left at its beginning. */
PEN_MUST_USE pen_status pen_training_restore(struct pen_training *training, struct pen_error *err);

#endif
