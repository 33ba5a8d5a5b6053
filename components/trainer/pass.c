/* Buffers of a pass and the gathering of rows into them; forward.c and backward.c run the ops. */
#include "components/trainer/pass.h"

#include <math.h>
#include <string.h>

static pen_status plan_tables(struct pen_pass *p, struct pen_embedding_feature *features, bool wide, int64_t n_ids_max,
                              struct pen_error *err)
{
    const struct pen_network *n = p->network;
    int64_t single = 0;
    for (int64_t f = 0; f < n->spec.n_ids; f++) {
        const struct pen_tensor_ids_spec *spec = &n->spec.ids[f];
        const struct pen_parameter *table = &n->parameters[wide ? n->wide_table[f] : n->deep_table[f]];
        struct pen_embedding_feature *e = &features[f];
        e->n_values = table->n_rows;
        e->dim = table->dim;
        e->mean = spec->ragged && !wide && !n->architecture.pool_sum;
        e->column = wide ? 0 : n->embedding_columns[f];
        if (!spec->ragged) {
            e->ids = p->single + single++;
            e->id_stride = p->n_single;
        }
        if (!p->training) {
            continue;
        }
        int64_t capacity = spec->ragged ? p->max_rows * n_ids_max : p->max_rows;
        capacity = capacity < e->n_values ? capacity : e->n_values;
        PEN_ALLOC(e->slot, e->n_values, err);
        PEN_ALLOC(e->touched, capacity, err);
        PEN_ALLOC(e->grad, capacity * e->dim, err);
        memset(e->slot, 0xff, (size_t)e->n_values * sizeof *e->slot); /* -1 */
    }
    return PEN_OK;
}

static pen_status plan_ids(struct pen_pass *p, int64_t max_ids_a_row, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    int64_t n_ids = n->spec.n_ids;
    PEN_ALLOC(p->many, n_ids, err);
    PEN_ALLOC(p->many_capacity, n_ids, err);
    PEN_ALLOC(p->many_offsets, n_ids, err);
    PEN_ALLOC(p->deep, n_ids, err);
    PEN_ALLOC(p->wide, n_ids, err);
    for (int64_t f = 0; f < n_ids; f++) {
        p->n_single += !n->spec.ids[f].ragged;
        if (n->spec.ids[f].ragged) {
            PEN_ALLOC(p->many_offsets[f], p->max_rows + 1, err);
            PEN_ALLOC(p->many[f], p->max_rows * max_ids_a_row, err);
            p->many_capacity[f] = p->max_rows * max_ids_a_row;
        }
    }
    PEN_ALLOC(p->single, p->max_rows * p->n_single, err);
    if (n->has_deep) {
        PEN_TRY(plan_tables(p, p->deep, false, max_ids_a_row, err));
    }
    if (n->has_wide) {
        PEN_TRY(plan_tables(p, p->wide, true, max_ids_a_row, err));
    }
    return PEN_OK;
}

static pen_status plan(struct pen_pass *p, int64_t max_ids_a_row, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    int64_t rows = p->max_rows, widest = n->n_outputs;
    PEN_ALLOC(p->x, rows * n->n_x, err);
    PEN_ALLOC(p->logits, rows * n->n_outputs, err);
    PEN_ALLOC(p->label, rows, err);
    PEN_ALLOC(p->weight, rows, err);
    for (int64_t l = 0; n->has_deep && l < n->architecture.n_hidden; l++) {
        int64_t width = n->architecture.hidden[l];
        widest = width > widest ? width : widest;
        PEN_ALLOC(p->hidden[l], rows * width, err);
        p->dropped[l] = p->hidden[l];
        if (p->training && p->dropout > 0) {
            p->dropped[l] = NULL;
            PEN_ALLOC(p->dropped[l], rows * width, err);
        }
        if (p->training) {
            PEN_ALLOC(p->d_hidden[l], rows * width, err);
        }
    }
    PEN_TRY(plan_ids(p, max_ids_a_row, err));
    if (p->training) {
        PEN_ALLOC(p->d_logits, rows * n->n_outputs, err);
        PEN_ALLOC(p->d_x, rows * n->n_embedded, err);
        PEN_ALLOC(p->grad, n->n_weights + n->n_biases, err);
        PEN_ALLOC(p->workspace, (rows + 63) / 64 * widest, err);
    }
    return PEN_OK;
}

pen_status pen_pass_create(struct pen_pass **pass, struct pen_network *network, int64_t max_rows, bool training,
                           double dropout, int64_t max_ids_a_row, struct pen_error *err)
{
    struct pen_pass *p = NULL;
    PEN_ALLOC(p, 1, err);
    p->network = network;
    p->training = training;
    p->max_rows = max_rows;
    p->dropout = dropout;
    pen_status status = plan(p, max_ids_a_row, err);
    if (status != PEN_OK) {
        pen_pass_destroy(p);
        return status;
    }
    *pass = p;
    return PEN_OK;
}

static void free_features(struct pen_embedding_feature *features, int64_t n)
{
    for (int64_t f = 0; features != NULL && f < n; f++) {
        pen_free(features[f].slot);
        pen_free(features[f].touched);
        pen_free(features[f].grad);
    }
    pen_free(features);
}

void pen_pass_destroy(struct pen_pass *p)
{
    if (p == NULL) {
        return;
    }
    int64_t n_ids = p->network->spec.n_ids;
    for (int64_t f = 0; f < n_ids; f++) {
        pen_free(p->many != NULL ? p->many[f] : NULL);
        pen_free(p->many_offsets != NULL ? p->many_offsets[f] : NULL);
    }
    for (int64_t l = 0; l < PEN_NETWORK_HIDDEN_MAX; l++) {
        if (p->dropped[l] != p->hidden[l]) {
            pen_free(p->dropped[l]);
        }
        pen_free(p->hidden[l]);
        pen_free(p->d_hidden[l]);
    }
    free_features(p->deep, n_ids);
    free_features(p->wide, n_ids);
    void *rest[] = {p->x,    p->logits,        p->label,        p->weight,   p->single, p->many,
                    p->grad, p->many_capacity, p->many_offsets, p->d_logits, p->d_x,    p->workspace};
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
        pen_free(rest[i]);
    }
    pen_free(p);
}

/* Ragged ids of the batch, one after the other; the tables' features look at them. */
static pen_status load_ragged(struct pen_pass *p, const struct pen_rows_ids *ids, int64_t f, const int64_t *numbers,
                              int64_t first, int64_t n, struct pen_error *err)
{
    int64_t total = 0, *offsets = p->many_offsets[f];
    for (int64_t i = 0; i < n; i++) {
        int64_t row = numbers != NULL ? numbers[i] : first + i;
        offsets[i] = total;
        total += ids->row_offsets[row + 1] - ids->row_offsets[row];
    }
    offsets[n] = total;
    void *memory = p->many[f];
    PEN_TRY(pen_grow(&memory, &p->many_capacity[f], total, sizeof(int32_t), err));
    p->many[f] = memory;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = numbers != NULL ? numbers[i] : first + i;
        if (offsets[i + 1] > offsets[i]) {
            memcpy(p->many[f] + offsets[i], ids->values + ids->row_offsets[row],
                   (size_t)(offsets[i + 1] - offsets[i]) * sizeof(int32_t));
        }
    }
    p->deep[f].ids = p->wide[f].ids = p->many[f];
    p->deep[f].row_offsets = p->wide[f].row_offsets = offsets;
    return PEN_OK;
}

static void load_row(struct pen_pass *p, const struct pen_rows *rows, int64_t i, int64_t row)
{
    const struct pen_network *n = p->network;
    const float *dense = rows->dense + row * n->spec.n_dense;
    float *x = p->x + i * n->n_x + n->n_embedded;
    for (int64_t j = 0; j < n->spec.n_dense; j++) {
        float value = (dense[j] - n->input_shift[j]) * n->input_scale[j];
        x[j] = isfinite(value) ? value : 0.0f;
    }
    int32_t *single = p->single + i * p->n_single;
    for (int64_t f = 0; f < n->spec.n_ids; f++) {
        if (!n->spec.ids[f].ragged) {
            *single++ = rows->ids[f].values[row * rows->ids[f].stride];
        }
    }
    p->label[i] = rows->label != NULL ? rows->label[row] : NAN;
    p->weight[i] = rows->weight != NULL ? rows->weight[row] : 1.0f;
}

pen_status pen_pass_load(struct pen_pass *p, const struct pen_rows *rows, const int64_t *numbers, int64_t first,
                         int64_t n, struct pen_error *err)
{
    PEN_ASSERT(n <= p->max_rows);
    p->n_rows = n;
    for (int64_t i = 0; i < n; i++) {
        load_row(p, rows, i, numbers != NULL ? numbers[i] : first + i);
    }
    for (int64_t f = 0; f < p->network->spec.n_ids; f++) {
        if (p->network->spec.ids[f].ragged) {
            PEN_TRY(load_ragged(p, &rows->ids[f], f, numbers, first, n, err));
        }
    }
    return PEN_OK;
}
