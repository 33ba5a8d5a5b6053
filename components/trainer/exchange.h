/* The gradients of a batch that several ranks worked on, each on its rows: added up in the order of the ranks, so that
 * all make the same update and keep the same weights to the last bit.
 *
 * Dense gradients are one sum. Of a table only the rows that a batch touched travel: every rank gets the touched rows
 * of all, and adds them up id by id. Batch normalisation takes each rank's rows for a batch of their own; the running
 * statistics are the average over the ranks. */
#ifndef PEN_COMPONENTS_TRAINER_EXCHANGE_H
#define PEN_COMPONENTS_TRAINER_EXCHANGE_H

#include "components/trainer/pass.h"
#include "core/communicator.h"

struct pen_exchange {
    struct pen_communicator *ranks;
    struct pen_pass *pass;
    /* Host memory; nothing on one rank. */
    float *dense;                         /* [n_weights + n_biases + n_statistics] */
    struct pen_embedding_feature *tables; /* [n_tables] as they lie in the pass */
    int32_t *slot;                        /* [values of the largest table], -1 between steps */
    int32_t *message;                     /* of each table: rows, their ids, their gradients (float32) */
    int32_t *ids;                         /* of a table, added up */
    float *grad;
    int64_t message_capacity, ids_capacity, grad_capacity;
    int64_t *offsets;        /* [size + 1] of the ranks' messages */
    const int32_t **cursors; /* [size] */
};

PEN_MUST_USE pen_status pen_exchange_init(struct pen_exchange *exchange, struct pen_communicator *ranks,
                                          struct pen_pass *pass, struct pen_error *err);
void pen_exchange_deinit(struct pen_exchange *exchange);

/* After the backward pass of the own rows, before the update: gradients are those of all ranks' rows afterwards,
 * and running statistics the same on all ranks. */
PEN_MUST_USE pen_status pen_exchange_gradients(struct pen_exchange *exchange, struct pen_error *err);

#endif
