/* Passes over a batch: the buffers of forward, backward and update, planned once, and the ops that fill them.
 *
 * Buffers lie in the memory of the network's exec. A pass made with training = false holds what prediction needs only.
 * Rows enter through pen_pass_load, which gathers them into the batch's own buffers. In training no later call
 * allocates, because the plan knows the most ids a row has, and every step of as many rows is the same calls with the
 * same arguments: what differs lies in `step` (kernels/step/step.h), written by pen_pass_begin_step, and what is
 * measured is added up in `sums`. */
#ifndef PEN_COMPONENTS_TRAINER_PASS_H
#define PEN_COMPONENTS_TRAINER_PASS_H

#include "components/trainer/network.h"
#include "components/trainer/rows.h"

/* A feature that is convolved: what forward leaves for backward, which overwrites none of it. Device memory. */
struct pen_pass_text {
    int64_t feature;
    struct pen_text_conv_shape shape;
    int64_t n_positions; /* room */
    int64_t *starts;     /* [max_rows + 1] */
    int32_t *best;       /* [max_rows, K F] */
    float *positions;    /* [n_positions, dim] */
    int32_t *position_ids;
    float *d_positions; /* training */
};

/* Gradients [first, those of the wide part and its end) will not change any more. */
typedef pen_status pen_pass_came_down_fn(void *user, int64_t first, struct pen_error *err);

struct pen_pass {
    struct pen_network *network;
    bool training;
    int64_t max_rows, n_rows;
    int64_t n_single; /* id features with one id a row */
    double dropout;
    uint64_t mask_seed; /* of dropout */

    /* Device memory, except where said. */
    struct pen_training_step *step;
    struct pen_step_sums *sums;
    float *x;                               /* [max_rows, ld_x] */
    float *hidden[PEN_NETWORK_HIDDEN_MAX];  /* [max_rows, hidden] */
    float *normed[PEN_NETWORK_HIDDEN_MAX];  /* the same normalised; equal to hidden without, and in prediction */
    float *dropped[PEN_NETWORK_HIDDEN_MAX]; /* the same after dropout; equal to normed without */
    float *mean[PEN_NETWORK_HIDDEN_MAX], *rstd[PEN_NETWORK_HIDDEN_MAX]; /* of the normalisations */
    float *logits;                                                      /* [max_rows, C] */
    float *label, *weight;                                              /* [max_rows] */
    int32_t *single;                                                    /* [max_rows, n_single] */
    struct pen_gather_to *to;                                           /* [n_ids] */
    int64_t n_tables;
    struct pen_embedding_feature *tables, *deep, *wide; /* [n_tables]: the deep part's, then the wide's, in order */
    int64_t most_ids, most_dim;                         /* of a batch; of a table */
    int64_t n_values, n_text_values; /* of the tables of a part: of features that are pooled, of texts */

    /* training only */
    float *d_logits, *d_x;
    float *d_hidden[PEN_NETWORK_HIDDEN_MAX];
    float *grad; /* [n_weights + n_biases], laid out as the values */
    float *workspace;
    struct pen_embedding_feature *summed; /* [n_tables] what the update reads: tables, or the sums of several ranks */
    pen_pass_came_down_fn *came_down;     /* NULL: nobody waits for gradients of layers */
    void *came_down_user;

    /* Host memory: what `to` and `tables` hold, and all that has to be released. */
    struct pen_gather_to *placed_to;
    struct pen_embedding_feature *placed_tables;
    int64_t *many_capacity; /* [n_ids] ids of a ragged feature */
    int64_t n_texts;
    struct pen_pass_text *texts;
    void **owned;
    int64_t n_owned, owned_capacity;
};

/* max_ids_a_row: most ids of one row over the ragged features, for the plan (training). mask_seed: of dropout. */
PEN_MUST_USE pen_status pen_pass_create(struct pen_pass **pass, struct pen_network *network, int64_t max_rows,
                                        bool training, double dropout, uint64_t mask_seed, int64_t max_ids_a_row,
                                        struct pen_error *err);
void pen_pass_destroy(struct pen_pass *pass);

/* Device memory that a row of a training batch takes, at most. */
int64_t pen_pass_row_bytes(const struct pen_network *network, bool dropout, int64_t max_ids_a_row);

/* What is different in the step that follows; sums start at nothing in the first one. */
PEN_MUST_USE pen_status pen_pass_begin_step(struct pen_pass *pass, const struct pen_training_step *step,
                                            struct pen_error *err);

/* Takes n rows, n <= max_rows: those of the step (training), or rows first .. first + n. */
PEN_MUST_USE pen_status pen_pass_load_step(struct pen_pass *pass, const struct pen_device_rows *rows, int64_t n,
                                           struct pen_error *err);
PEN_MUST_USE pen_status pen_pass_load(struct pen_pass *pass, const struct pen_device_rows *rows, int64_t first,
                                      int64_t n, struct pen_error *err);

/* to = from, an output of hidden layer l or its gradient, zeroed and scaled by the mask of (mask_seed, l, step). */
PEN_MUST_USE pen_status pen_pass_dropout(const struct pen_pass *pass, int64_t layer, float *to, const float *from,
                                         struct pen_error *err);

/* logits of the loaded rows: as learning makes them, with dropout and the statistics of the batch, or as prediction
 * does. */
PEN_MUST_USE pen_status pen_pass_forward(struct pen_pass *pass, bool learning, struct pen_error *err);

/* Adds the loss of the loaded rows to sums (device memory), pass->sums or others. */
PEN_MUST_USE pen_status pen_pass_loss(const struct pen_pass *pass, struct pen_step_sums *sums, struct pen_error *err);

/* The same for a step, into pass->sums, and d_logits times scale. */
PEN_MUST_USE pen_status pen_pass_loss_gradient(struct pen_pass *pass, double scale, struct pen_error *err);

/* Gradients of everything: grad for weights and biases; grad, touched and n_touched of the tables. */
PEN_MUST_USE pen_status pen_pass_backward(struct pen_pass *pass, struct pen_error *err);

/* sums as they stand, after all work before; reset: back to nothing. */
PEN_MUST_USE pen_status pen_pass_read_sums(struct pen_pass *pass, struct pen_step_sums *sums, bool reset,
                                           struct pen_error *err);

#endif
