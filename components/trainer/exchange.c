/* Adding up gradients: the dense ones by a sum, those of tables row by row. */
#include "components/trainer/exchange.h"

#include <string.h>

pen_status pen_exchange_init(struct pen_exchange *e, struct pen_communicator *ranks, struct pen_pass *pass,
                             struct pen_error *err)
{
    const struct pen_network *n = pass->network;
    int64_t largest = 0;
    *e = (struct pen_exchange){.ranks = ranks, .pass = pass};
    if (ranks->size == 1) {
        return PEN_OK;
    }
    for (int64_t t = 0; t < pass->n_tables; t++) {
        int64_t n_values = pass->placed_tables[t].n_values;
        largest = n_values > largest ? n_values : largest;
    }
    PEN_ALLOC(e->dense, n->n_weights + n->n_biases + n->n_statistics, err);
    PEN_ALLOC(e->tables, pass->n_tables, err);
    PEN_ALLOC(e->slot, largest, err);
    PEN_ALLOC(e->offsets, ranks->size + 1, err);
    PEN_ALLOC(e->cursors, ranks->size, err);
    memset(e->slot, 0xff, (size_t)largest * sizeof *e->slot); /* -1 */
    return PEN_OK;
}

void pen_exchange_deinit(struct pen_exchange *e)
{
    pen_free(e->dense);
    pen_free(e->tables);
    pen_free(e->slot);
    pen_free(e->message);
    pen_free(e->ids);
    pen_free(e->grad);
    pen_free(e->offsets);
    pen_free(e->cursors);
    *e = (struct pen_exchange){.ranks = NULL};
}

static pen_status sum_dense(struct pen_exchange *e, struct pen_error *err)
{
    struct pen_exec *exec = e->pass->network->exec;
    int64_t n = e->pass->network->n_weights + e->pass->network->n_biases;
    PEN_TRY(pen_device_download(exec, e->dense, e->pass->grad, (size_t)n * sizeof *e->dense, err));
    PEN_TRY(pen_communicator_sum_f32(e->ranks, e->dense, n, err));
    return pen_device_upload(exec, e->pass->grad, e->dense, (size_t)n * sizeof *e->dense, err);
}

static pen_status average_statistics(struct pen_exchange *e, struct pen_error *err)
{
    const struct pen_network *network = e->pass->network;
    int64_t n = network->n_statistics;
    float *values = network->values + network->n_weights + network->n_biases;
    PEN_TRY(pen_device_download(network->exec, e->dense, values, (size_t)n * sizeof *e->dense, err));
    PEN_TRY(pen_communicator_sum_f32(e->ranks, e->dense, n, err));
    for (int64_t i = 0; i < n; i++) {
        e->dense[i] /= (float)e->ranks->size;
    }
    PEN_TRY(pen_device_upload(network->exec, values, e->dense, (size_t)n * sizeof *e->dense, err));
    return pen_device_synchronise(network->exec, err); /* `dense` is used again */
}

static int64_t words_of(const struct pen_embedding_feature *table)
{
    return 1 + table->n_touched * (1 + table->dim);
}

/* The touched rows of all tables, one after the other. */
static pen_status write_message(struct pen_exchange *e, int64_t *n_words, struct pen_error *err)
{
    const struct pen_pass *p = e->pass;
    struct pen_exec *exec = p->network->exec;
    *n_words = 0;
    PEN_TRY(pen_device_download(exec, e->tables, p->tables, (size_t)p->n_tables * sizeof *e->tables, err));
    for (int64_t t = 0; t < p->n_tables; t++) {
        *n_words += words_of(&e->tables[t]);
    }
    void *message = e->message;
    PEN_TRY(pen_grow(&message, &e->message_capacity, *n_words, sizeof *e->message, err));
    e->message = message;
    int32_t *at = e->message;
    for (int64_t t = 0; t < p->n_tables; t++) {
        const struct pen_embedding_feature *table = &e->tables[t];
        size_t n = (size_t)table->n_touched;
        at[0] = (int32_t)n;
        PEN_TRY(pen_device_download(exec, at + 1, table->touched, n * sizeof *table->touched, err));
        PEN_TRY(pen_device_download(exec, at + 1 + n, table->grad, n * (size_t)table->dim * sizeof(float), err));
        at += words_of(table);
    }
    return PEN_OK;
}

static pen_status make_room(struct pen_exchange *e, const struct pen_embedding_feature *table, struct pen_error *err)
{
    int64_t most = 0;
    for (int r = 0; r < e->ranks->size; r++) {
        most += e->cursors[r][0];
    }
    void *ids = e->ids, *grad = e->grad;
    PEN_TRY(pen_grow(&ids, &e->ids_capacity, most, sizeof *e->ids, err));
    e->ids = ids;
    PEN_TRY(pen_grow(&grad, &e->grad_capacity, most * table->dim, sizeof *e->grad, err));
    e->grad = grad;
    return PEN_OK;
}

/* The next table of every rank's message, added up into ids and grad; how many rows. */
static int64_t add_up(struct pen_exchange *e, const struct pen_embedding_feature *table)
{
    int64_t n_rows = 0, dim = table->dim;
    for (int r = 0; r < e->ranks->size; r++) {
        int64_t n = e->cursors[r][0];
        const int32_t *ids = e->cursors[r] + 1;
        const char *rows = (const char *)(ids + n); /* float32, read by memcpy */
        for (int64_t i = 0; i < n; i++) {
            PEN_ASSERT(ids[i] >= 0 && ids[i] < table->n_values);
            int32_t *slot = &e->slot[ids[i]];
            if (*slot < 0) {
                *slot = (int32_t)n_rows;
                e->ids[n_rows] = ids[i];
                memcpy(e->grad + n_rows++ * dim, rows + i * dim * (int64_t)sizeof(float), (size_t)dim * sizeof(float));
                continue;
            }
            for (int64_t d = 0; d < dim; d++) {
                float part = 0;
                memcpy(&part, rows + (i * dim + d) * (int64_t)sizeof part, sizeof part);
                e->grad[*slot * dim + d] += part;
            }
        }
        e->cursors[r] += 1 + n * (1 + dim);
    }
    for (int64_t i = 0; i < n_rows; i++) {
        e->slot[e->ids[i]] = -1;
    }
    return n_rows;
}

static pen_status merge_tables(struct pen_exchange *e, const char *messages, struct pen_error *err)
{
    const struct pen_pass *p = e->pass;
    struct pen_exec *exec = p->network->exec;
    for (int r = 0; r < e->ranks->size; r++) {
        e->cursors[r] = (const int32_t *)(const void *)(messages + e->offsets[r]);
    }
    for (int64_t t = 0; t < p->n_tables; t++) {
        struct pen_embedding_feature *table = &e->tables[t];
        PEN_TRY(make_room(e, table, err));
        table->n_touched = add_up(e, table);
        size_t n = (size_t)table->n_touched;
        PEN_TRY(pen_device_upload(exec, table->touched, e->ids, n * sizeof *e->ids, err));
        PEN_TRY(pen_device_upload(exec, table->grad, e->grad, n * (size_t)table->dim * sizeof(float), err));
        PEN_TRY(pen_device_synchronise(exec, err)); /* ids and grad are used again */
    }
    return pen_device_upload(exec, p->tables, e->tables, (size_t)p->n_tables * sizeof *e->tables, err);
}

pen_status pen_exchange_gradients(struct pen_exchange *e, struct pen_error *err)
{
    char *messages = NULL;
    int64_t n_words = 0;
    if (e->ranks->size == 1) {
        return PEN_OK;
    }
    if (e->pass->network->n_statistics > 0) {
        PEN_TRY(average_statistics(e, err));
    }
    PEN_TRY(sum_dense(e, err));
    if (e->pass->n_tables == 0) {
        return PEN_OK;
    }
    PEN_TRY(write_message(e, &n_words, err));
    PEN_TRY(pen_communicator_gather_all(e->ranks, &messages, e->offsets, e->message,
                                        n_words * (int64_t)sizeof *e->message, err));
    pen_status status = merge_tables(e, messages, err);
    pen_free(messages);
    return status;
}
