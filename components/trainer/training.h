/* Training: minibatches in a fixed pseudo-random order, validation on a share of the training rows, early stopping
 * with the best weights restored, averaged weights.
 *
 * Same source, options and seed give the same bits, whatever the thread count, and whether the training ran through or
 * was killed and went on from a checkpoint.
 *
 * Several ranks take each its part of every batch, add up the gradients, make the same update and keep the same
 * weights; the batches are the same for any number of ranks, the bits for the same number. Every rank holds all rows.
 * Rank 0 watches for requests to stop and writes the checkpoints. Every buffer is planned before the
 * first step. What is left at 0 or below in the options is chosen from the data (plan.c says how). */
#ifndef PEN_COMPONENTS_TRAINER_TRAINING_H
#define PEN_COMPONENTS_TRAINER_TRAINING_H

#include "components/trainer/checkpoint.h"
#include "components/trainer/examples.h"
#include "components/trainer/update.h"
#include "core/communicator.h"

enum pen_schedule { PEN_SCHEDULE_CONSTANT, PEN_SCHEDULE_COSINE, PEN_SCHEDULE_LINEAR, PEN_SCHEDULE_STEP };
enum pen_stop_metric { PEN_STOP_LOSS, PEN_STOP_METRIC };

/* When checkpoints are written, beside the one that a request to stop leaves behind. */
struct pen_training_checkpoints {
    struct pen_checkpoints where;
    double seconds; /* between two, and a hundred times what one takes; 0: not by the clock */
    int64_t steps;  /* 0: not by steps */
    bool epochs;    /* at the end of each */
};

struct pen_training_options {
    struct pen_architecture architecture;
    struct pen_update_options update;
    double learning_rate; /* 0: automatic */
    enum pen_schedule schedule;
    int64_t warmup_steps;   /* -1: automatic */
    int64_t schedule_step;  /* step schedule: steps between decays; 0: a third of all steps */
    double schedule_factor; /* step schedule: factor of a decay */
    double dropout;
    int64_t batch_size, steps, epochs; /* 0: automatic */
    int64_t eval_every;                /* steps between validations; 0: an epoch, at most 2000 */
    uint64_t seed;
    double validation_fraction; /* -1: automatic; 0: none */
    bool early_stopping;
    int64_t patience; /* validations without a better one; 0: automatic */
    double min_delta;
    enum pen_stop_metric stop_metric;
    int64_t threads;              /* 0: one for small steps, else all cores */
    enum pen_precision precision; /* of products and text convolutions, validation's too; a device that cannot says so
                                     and computes float32. Parameters, sums and updates are float32 in any case */
    bool average;
    bool standardise;
    int64_t memory_bytes;                               /* for rows; 0: 1 GiB of a CPU's, half of a GPU's */
    int64_t log_every;                                  /* steps; 0: at validations */
    const struct pen_training_checkpoints *checkpoints; /* NULL: none */
    struct pen_communicator *ranks;                     /* that train one model together; NULL: this one alone */
    bool through_host;                                  /* their gradients, where devices could send to each other */
};

struct pen_training_result {
    int64_t steps, best_step, n_train, n_validation, batch_size, epochs_planned, steps_planned;
    double epochs, learning_rate, seconds, rows_per_s;
    bool stopped_early;
    enum pen_precision precision;                                               /* that products were computed in */
    double train_loss, validation_loss, validation_metric, validation_accuracy; /* NaN where not measured */
};

/* Trains a new network on source. base: a network to start from (same architecture and shapes are taken over name by
 * name, the rest is fresh), or NULL. curves: a JSON array that gets one object a validation. */
PEN_MUST_USE pen_status pen_training_run(struct pen_network **network, struct pen_training_result *result,
                                         pen_json *curves, const struct pen_examples_source *source,
                                         const struct pen_training_options *options, const struct pen_network *base,
                                         struct pen_exec *exec, struct pen_error *err);

/* Fills in what is automatic, from the examples. plan.c */
void pen_training_plan(struct pen_training_options *options, const struct pen_network *network, int64_t n_train);
double pen_training_validation_share(const struct pen_training_options *options, int64_t n_rows);
double pen_training_rate(const struct pen_training_options *options, int64_t step); /* step from 1 */

#endif
