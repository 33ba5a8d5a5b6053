/* The gradients of a batch that several ranks worked on, each on its rows: added up, so that all make the same update
 * and keep the same weights to the last bit.
 *
 * Dense gradients are sums (kernels/group.h): those of layers begin as soon as there are enough of them, while the
 * layers before are still worked on. Of a table only the rows that a batch touched travel: every rank gets the touched
 * rows of all, and adds them up id by id, as it did with the rows of its own batch. Batch normalisation takes each
 * rank's rows for a batch of their own; the running statistics are the average over the ranks. */
#ifndef PEN_COMPONENTS_TRAINER_EXCHANGE_H
#define PEN_COMPONENTS_TRAINER_EXCHANGE_H

#include "components/trainer/pass.h"
#include "kernels/group.h"

/* A table's touched rows of all ranks. */
struct pen_exchange_table {
    int32_t *ids; /* [size, most], device memory; -1: none */
    float *grad;  /* [size, most, dim], device memory */
    int64_t ids_capacity, grad_capacity;
    int64_t most; /* touched rows of any rank in this step */
};

struct pen_exchange {
    struct pen_communicator *ranks;
    struct pen_pass *pass;
    struct pen_group *group; /* NULL: one rank */
    int64_t layers_end,
        unsent; /* gradients [0, layers_end) of layers and the wide part; [unsent, ..) are on their way */

    /* Of several ranks, a table each. Host memory, but for what is added up in. */
    struct pen_exchange_table *tables;
    struct pen_group_piece *pieces;       /* [2 n_tables] */
    int64_t *own_touched, *touched;       /* [n_tables], [size, n_tables] rows */
    struct pen_embedding_feature *read;   /* the pass's tables as they lie on the device */
    struct pen_embedding_feature *placed; /* the same over the gathered ids */
    struct pen_embedding_feature *sums;   /* and on the device: what the update reads */
};

/* through_host: also where devices could send to each other. */
PEN_MUST_USE pen_status pen_exchange_init(struct pen_exchange *exchange, struct pen_communicator *ranks,
                                          bool through_host, struct pen_pass *pass, struct pen_error *err);
void pen_exchange_deinit(struct pen_exchange *exchange);

/* After the backward pass of the own rows, before the update: gradients are those of all ranks' rows afterwards,
 * and running statistics the same on all ranks. */
PEN_MUST_USE pen_status pen_exchange_gradients(struct pen_exchange *exchange, struct pen_error *err);

/* After the last step. */
PEN_MUST_USE pen_status pen_exchange_finish(struct pen_exchange *exchange, struct pen_error *err);

#endif
