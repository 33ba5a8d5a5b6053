/* Passes over a batch: the buffers of forward, backward and update, planned once, and the ops that fill them.
 *
 * A pass made with training = false holds what prediction needs only. Rows enter through pen_pass_load, which gathers
 * them (by row number, or in order) into the batch's own buffers; in training no later call allocates, because the
 * plan knows the most ids a row has. */
#ifndef PEN_COMPONENTS_TRAINER_PASS_H
#define PEN_COMPONENTS_TRAINER_PASS_H

#include "components/trainer/network.h"

/* One id feature of some rows: id of row r at values[r * stride], or values[row_offsets[r] .. row_offsets[r + 1]). */
struct pen_rows_ids {
    const int32_t *values;
    int64_t stride;
    const int64_t *row_offsets;
};

/* A borrowed view of rows to gather from. */
struct pen_rows {
    int64_t n_rows;
    const float *dense; /* [n_rows, n_dense] */
    const struct pen_rows_ids *ids;
    const float *label;
    const float *weight;
};

struct pen_pass {
    struct pen_network *network;
    bool training;
    int64_t max_rows, n_rows;
    int64_t n_single; /* id features with one id a row */
    double dropout;

    float *x;                               /* [max_rows, n_x] */
    float *hidden[PEN_NETWORK_HIDDEN_MAX];  /* [max_rows, hidden] */
    float *dropped[PEN_NETWORK_HIDDEN_MAX]; /* the same after dropout; equal to hidden without */
    float *logits;                          /* [max_rows, C] */
    float *label, *weight;                  /* [max_rows] */
    int32_t *single;                        /* [max_rows, n_single] */
    int32_t **many;                         /* a ragged feature: gathered ids */
    int64_t *many_capacity;
    int64_t **many_offsets;                    /* [max_rows + 1] */
    struct pen_embedding_feature *deep, *wide; /* [n_ids] */

    /* training only */
    float *d_logits, *d_x;
    float *d_hidden[PEN_NETWORK_HIDDEN_MAX];
    float *grad; /* [n_weights + n_biases], laid out as the values */
    float *workspace;
    double loss_sum, weight_sum;
};

/* max_ids_a_row: most ids of one row over the ragged features, for the plan (training). */
PEN_MUST_USE pen_status pen_pass_create(struct pen_pass **pass, struct pen_network *network, int64_t max_rows,
                                        bool training, double dropout, int64_t max_ids_a_row, struct pen_error *err);
void pen_pass_destroy(struct pen_pass *pass);

/* Takes rows numbers[0 .. n), or rows first .. first + n when numbers is NULL; n <= max_rows. */
PEN_MUST_USE pen_status pen_pass_load(struct pen_pass *pass, const struct pen_rows *rows, const int64_t *numbers,
                                      int64_t first, int64_t n, struct pen_error *err);

/* Zeroes and scales `values`, the output of a hidden layer or its gradient, by the mask of (seed, layer, step). */
PEN_MUST_USE pen_status pen_pass_dropout(const struct pen_pass *pass, int64_t layer, float *values, uint64_t seed,
                                         int64_t step, struct pen_error *err);

/* logits of the loaded rows. step and seed choose the dropout masks; step 0: no dropout. */
PEN_MUST_USE pen_status pen_pass_forward(struct pen_pass *pass, uint64_t seed, int64_t step, struct pen_error *err);

/* Loss of the loaded rows (loss_sum, weight_sum), and with gradient = true d_logits times scale. */
PEN_MUST_USE pen_status pen_pass_loss(struct pen_pass *pass, bool gradient, double scale, struct pen_error *err);

/* Gradients of everything: grad for weights and biases; grad, touched and n_touched of deep and wide for tables. */
PEN_MUST_USE pen_status pen_pass_backward(struct pen_pass *pass, uint64_t seed, int64_t step, struct pen_error *err);

#endif
