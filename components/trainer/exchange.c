/* Adding up gradients: the dense ones by sums, those of tables row by row. */
#include "components/trainer/exchange.h"

#include <string.h>

enum { BUCKET_FLOATS = 1 << 18 }; /* fewer are not worth a message of their own */

static int64_t n_dense(const struct pen_exchange *e)
{
    return e->pass->network->n_weights + e->pass->network->n_biases;
}

/* The backward pass has come down to gradient `first`. */
static pen_status send_layers(void *user, int64_t first, struct pen_error *err)
{
    struct pen_exchange *e = user;
    int64_t n = e->unsent - first;
    if (n < BUCKET_FLOATS) {
        return PEN_OK;
    }
    e->unsent = first;
    return pen_group_sum(e->group, e->pass->grad + first, n, err);
}

static pen_status sum_rest(struct pen_exchange *e, struct pen_error *err)
{
    float *grad = e->pass->grad;
    if (e->unsent == e->layers_end) {
        return pen_group_sum(e->group, grad, n_dense(e), err);
    }
    PEN_TRY(pen_group_sum(e->group, grad, e->unsent, err));
    return pen_group_sum(e->group, grad + e->layers_end, n_dense(e) - e->layers_end, err);
}

/* ---- tables ---- */

/* Releasing waits for the device, also for a rank that is gone: so what is under way is waited for before. */
static pen_status reserve(struct pen_exchange *e, void **memory, int64_t *capacity, int64_t n, size_t item_bytes,
                          struct pen_error *err)
{
    struct pen_exec *exec = e->pass->network->exec;
    if (n <= *capacity) {
        return PEN_OK;
    }
    PEN_TRY(pen_group_join(e->group, err));
    PEN_TRY(pen_device_synchronise(exec, err));
    pen_device_release(exec, *memory);
    *memory = NULL;
    *capacity = 0;
    PEN_TRY(pen_device_allocate(exec, memory, 2 * n, item_bytes, "gradients of all ranks", err));
    *capacity = 2 * n;
    return PEN_OK;
}

/* How many rows of each table any rank has. */
static pen_status count_rows(struct pen_exchange *e, struct pen_error *err)
{
    int64_t n = e->pass->n_tables;
    PEN_TRY(pen_device_download(e->pass->network->exec, e->read, e->pass->tables, (size_t)n * sizeof *e->read, err));
    for (int64_t t = 0; t < n; t++) {
        e->own_touched[t] = e->read[t].n_touched;
    }
    PEN_TRY(pen_communicator_gather(e->ranks, e->touched, e->own_touched, n * (int64_t)sizeof *e->touched, err));
    for (int64_t t = 0; t < n; t++) {
        int64_t most = 0;
        for (int r = 0; r < e->ranks->size; r++) {
            int64_t rows = e->touched[r * n + t];
            most = rows > most ? rows : most;
        }
        e->tables[t].most = most;
    }
    return PEN_OK;
}

/* Room for a table's rows, and those of this rank: behind the touched ones stands -1, up to `most`. */
static pen_status prepare_table(struct pen_exchange *e, int64_t t, struct pen_error *err)
{
    struct pen_exec *exec = e->pass->network->exec;
    struct pen_exchange_table *table = &e->tables[t];
    struct pen_embedding_feature *own = &e->read[t];
    int64_t n = table->most * e->ranks->size;
    void *ids = table->ids, *grad = table->grad;
    pen_status status = reserve(e, &ids, &table->ids_capacity, n, sizeof *table->ids, err);
    table->ids = ids;
    PEN_TRY(status);
    status = reserve(e, &grad, &table->grad_capacity, n * own->dim, sizeof *table->grad, err);
    table->grad = grad;
    PEN_TRY(status);
    e->placed[t].ids = table->ids;
    e->pieces[2 * t] = (struct pen_group_piece){table->ids, own->touched, table->most * (int64_t)sizeof *table->ids};
    e->pieces[2 * t + 1] =
        (struct pen_group_piece){table->grad, own->grad, table->most * own->dim * (int64_t)sizeof *table->grad};
    return pen_device_fill(exec, own->touched + own->n_touched, 0xff,
                           (size_t)(table->most - own->n_touched) * sizeof *own->touched, err);
}

/* The gathered rows are those of a batch whose gradient they are: the same op adds them up. */
static pen_status sum_table(struct pen_exchange *e, int64_t t, struct pen_error *err)
{
    struct pen_exec *exec = e->pass->network->exec;
    int64_t n = e->tables[t].most * e->ranks->size;
    struct pen_embedding_grad g = {.n_rows = n,
                                   .n_features = 1,
                                   .features = e->sums + t,
                                   .dout = e->tables[t].grad,
                                   .ld_dout = e->read[t].dim,
                                   .most_ids = n,
                                   .n_values = e->read[t].n_values,
                                   .most_dim = e->read[t].dim};
    return n == 0 ? PEN_OK : exec->kernels->embedding_backward(exec, &g, err);
}

static pen_status gather_tables(struct pen_exchange *e, struct pen_error *err)
{
    PEN_TRY(count_rows(e, err));
    for (int64_t t = 0; t < e->pass->n_tables; t++) {
        PEN_TRY(prepare_table(e, t, err));
    }
    PEN_TRY(pen_device_upload(e->pass->network->exec, e->sums, e->placed, (size_t)e->pass->n_tables * sizeof *e->sums,
                              err)); /* n_touched is 0 there */
    return pen_group_gather(e->group, e->pieces, 2 * e->pass->n_tables, err);
}

/* ---- both ---- */

pen_status pen_exchange_gradients(struct pen_exchange *e, struct pen_error *err)
{
    const struct pen_network *n = e->pass->network;
    if (e->group == NULL) {
        return PEN_OK;
    }
    PEN_TRY(pen_group_mean(e->group, n->values + n_dense(e), n->n_statistics, err));
    PEN_TRY(sum_rest(e, err));
    if (e->pass->n_tables > 0) {
        PEN_TRY(gather_tables(e, err));
    }
    PEN_TRY(pen_group_join(e->group, err));
    for (int64_t t = 0; t < e->pass->n_tables; t++) {
        PEN_TRY(sum_table(e, t, err));
    }
    e->unsent = e->layers_end;
    return PEN_OK;
}

pen_status pen_exchange_finish(struct pen_exchange *e, struct pen_error *err)
{
    return e->group == NULL ? PEN_OK : pen_group_finish(e->group, err);
}

static pen_status plan_tables(struct pen_exchange *e, struct pen_error *err)
{
    struct pen_pass *p = e->pass;
    PEN_ALLOC(e->tables, p->n_tables, err);
    PEN_ALLOC(e->pieces, 2 * p->n_tables, err);
    PEN_ALLOC(e->own_touched, p->n_tables, err);
    PEN_ALLOC(e->touched, p->n_tables * e->ranks->size, err);
    PEN_ALLOC(e->read, p->n_tables, err);
    PEN_ALLOC(e->placed, p->n_tables, err);
    PEN_DEVICE_ALLOC(p->network->exec, e->sums, p->n_tables, "tables of all ranks", err);
    for (int64_t t = 0; t < p->n_tables; t++) {
        struct pen_embedding_feature *f = &e->placed[t];
        *f = p->placed_tables[t];
        f->id_stride = 1;
        f->row_offsets = NULL;
        f->mean = false;
        f->column = 0;
    }
    p->summed = e->sums;
    return PEN_OK;
}

pen_status pen_exchange_init(struct pen_exchange *e, struct pen_communicator *ranks, bool through_host,
                             struct pen_pass *pass, struct pen_error *err)
{
    const struct pen_network *n = pass->network;
    *e = (struct pen_exchange){.ranks = ranks, .pass = pass, .layers_end = n->n_weights};
    if (ranks->size == 1) {
        return PEN_OK;
    }
    for (int64_t f = 0; f < n->spec.n_ids; f++) {
        if (pen_network_is_text(n, f)) {
            int64_t offset = n->parameters[n->text_filters[f]].offset;
            e->layers_end = offset < e->layers_end ? offset : e->layers_end;
        }
    }
    e->unsent = e->layers_end;
    PEN_TRY(pen_group_open(&e->group, n->exec, ranks, through_host, err));
    pass->came_down = send_layers;
    pass->came_down_user = e;
    return pass->n_tables > 0 ? plan_tables(e, err) : PEN_OK;
}

void pen_exchange_deinit(struct pen_exchange *e)
{
    pen_group_close(e->group);
    for (int64_t t = 0; e->tables != NULL && t < e->pass->n_tables; t++) {
        pen_device_release(e->pass->network->exec, e->tables[t].ids);
        pen_device_release(e->pass->network->exec, e->tables[t].grad);
    }
    if (e->sums != NULL) {
        pen_device_release(e->pass->network->exec, e->sums);
    }
    pen_free(e->tables);
    pen_free(e->pieces);
    pen_free(e->own_touched);
    pen_free(e->touched);
    pen_free(e->read);
    pen_free(e->placed);
    *e = (struct pen_exchange){.ranks = NULL};
}
