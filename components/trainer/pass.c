/* Buffers of a pass and the gathering of rows into them; forward.c and backward.c run the ops. */
#include "components/trainer/pass.h"

#include <string.h>

/* What a GPU's embedding_backward takes for an id: key and row, before and after sorting, what sorting takes, a scale.
 */
enum { SORT_WORDS = 7 };

/* Device memory that the pass releases in the end. */
static pen_status own(struct pen_pass *p, void *pointer, int64_t n, size_t item_bytes, const char *what,
                      struct pen_error *err)
{
    void *memory = NULL, *list = p->owned;
    PEN_TRY(pen_grow(&list, &p->owned_capacity, p->n_owned + 1, sizeof *p->owned, err));
    p->owned = list;
    PEN_TRY(pen_device_allocate(p->network->exec, &memory, n, item_bytes, what, err));
    p->owned[p->n_owned++] = memory;
    memcpy(pointer, &memory, sizeof memory);
    return PEN_OK;
}

#define OWN(p, pointer, n, err) PEN_TRY(own((p), &(pointer), (n), sizeof *(pointer), "buffers of a batch", (err)))

/* Of table t of the plan: its feature, and what is convolved there (NULL: its ids are pooled). */
static int64_t feature_of(const struct pen_network *n, int64_t t)
{
    return n->order[t % n->spec.n_ids];
}

static const struct pen_pass_text *text_of(const struct pen_pass *p, int64_t t)
{
    const struct pen_network *n = p->network;
    return n->has_deep && t >= n->n_pooled && t < n->spec.n_ids ? &p->texts[t - n->n_pooled] : NULL;
}

/* Room for the positions of a batch whose texts have at most n_ids ids together, of those that are looked at. */
static pen_status plan_positions(struct pen_pass *p, struct pen_pass_text *text, int64_t n_ids, struct pen_error *err)
{
    int64_t n_positions = n_ids + p->max_rows * (pen_text_conv_widest(&text->shape) - 1);
    if (n_positions <= text->n_positions) {
        return PEN_OK;
    }
    text->n_positions = n_positions;
    OWN(p, text->positions, text->n_positions * text->shape.dim, err);
    OWN(p, text->position_ids, text->n_positions, err);
    if (p->training) {
        OWN(p, text->d_positions, text->n_positions * text->shape.dim, err);
    }
    return PEN_OK;
}

static pen_status plan_text(struct pen_pass *p, struct pen_pass_text *text, int64_t feature, int64_t max_ids_a_row,
                            struct pen_error *err)
{
    const struct pen_network *n = p->network;
    text->feature = feature;
    text->shape = n->architecture.text;
    text->shape.dim = n->embedding_dims[feature];
    OWN(p, text->starts, p->max_rows + 1, err);
    OWN(p, text->best, p->max_rows * text->shape.n_widths * text->shape.n_filters, err);
    int64_t length = max_ids_a_row < text->shape.max_length ? max_ids_a_row : text->shape.max_length;
    return plan_positions(p, text, p->max_rows * length, err);
}

/* A text's table meets one id a position, any other one the ids of the rows. */
static pen_status plan_table(struct pen_pass *p, int64_t t, int64_t max_ids_a_row, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    const struct pen_pass_text *text = text_of(p, t);
    struct pen_embedding_feature *e = &p->placed_tables[t];
    int64_t f = feature_of(n, t);
    bool ragged = n->spec.ids[f].ragged, wide = !n->has_deep || t >= n->spec.n_ids;
    const struct pen_parameter *table = &n->parameters[wide ? n->wide_table[f] : n->deep_table[f]];
    e->n_values = table->n_rows;
    e->dim = table->dim;
    e->offset = table->offset;
    e->mean = ragged && !wide && !n->architecture.pool_sum;
    e->column = wide || text != NULL ? 0 : n->embedding_columns[f];
    e->id_stride = text != NULL ? 1 : p->placed_to[f].stride;
    e->row_offsets = text != NULL ? NULL : p->placed_to[f].offsets;
    if (p->training) {
        int64_t capacity = text != NULL ? text->n_positions : ragged ? p->max_rows * max_ids_a_row : p->max_rows;
        capacity = capacity < e->n_values ? capacity : e->n_values;
        OWN(p, e->slot, e->n_values, err);
        OWN(p, e->touched, capacity, err);
        OWN(p, e->grad, capacity * e->dim, err);
        PEN_TRY(pen_device_fill(n->exec, e->slot, 0xff, (size_t)e->n_values * sizeof *e->slot, err)); /* -1 */
    }
    return PEN_OK;
}

/* The ids of a ragged feature: room for `capacity`. */
static pen_status plan_ragged(struct pen_pass *p, int64_t f, int64_t capacity, struct pen_error *err)
{
    OWN(p, p->placed_to[f].ids, capacity, err);
    p->many_capacity[f] = capacity;
    return PEN_OK;
}

/* Says on the device where the batch's ids lie. */
static pen_status place_ids(struct pen_pass *p, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    for (int64_t t = 0; t < p->n_tables; t++) {
        const struct pen_pass_text *text = text_of(p, t);
        p->placed_tables[t].ids = text != NULL ? text->position_ids : p->placed_to[feature_of(n, t)].ids;
    }
    PEN_TRY(pen_device_upload(n->exec, p->to, p->placed_to, (size_t)n->spec.n_ids * sizeof *p->to, err));
    PEN_TRY(pen_device_upload(n->exec, p->tables, p->placed_tables, (size_t)p->n_tables * sizeof *p->tables, err));
    return pen_device_synchronise(n->exec, err);
}

static pen_status plan_ids(struct pen_pass *p, int64_t max_ids_a_row, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    int64_t n_ids = n->spec.n_ids, single = 0;
    p->n_tables = n_ids * (n->has_deep + n->has_wide);
    PEN_ALLOC(p->placed_to, n_ids, err);
    PEN_ALLOC(p->placed_tables, p->n_tables, err);
    PEN_ALLOC(p->many_capacity, n_ids, err);
    OWN(p, p->to, n_ids, err);
    OWN(p, p->tables, p->n_tables, err);
    p->deep = p->summed = p->tables;
    p->wide = n->has_deep ? p->tables + n_ids : p->tables;
    for (int64_t f = 0; f < n_ids; f++) {
        p->n_single += !n->spec.ids[f].ragged;
    }
    OWN(p, p->single, p->max_rows * p->n_single, err);
    for (int64_t f = 0; f < n_ids; f++) {
        struct pen_gather_to *to = &p->placed_to[f];
        if (n->spec.ids[f].ragged) {
            to->stride = 1;
            OWN(p, to->offsets, p->max_rows + 1, err);
            PEN_TRY(plan_ragged(p, f, p->max_rows * max_ids_a_row, err));
        } else {
            *to = (struct pen_gather_to){p->single + single++, p->n_single, NULL};
        }
    }
    p->n_texts = n->has_deep ? n_ids - n->n_pooled : 0;
    PEN_ALLOC(p->texts, p->n_texts, err);
    for (int64_t i = 0; i < p->n_texts; i++) {
        PEN_TRY(plan_text(p, &p->texts[i], n->order[n->n_pooled + i], max_ids_a_row, err));
    }
    for (int64_t t = 0; t < p->n_tables; t++) {
        PEN_TRY(plan_table(p, t, max_ids_a_row, err));
    }
    for (int64_t f = 0; f < n_ids; f++) {
        p->most_ids += n->spec.ids[f].ragged ? p->max_rows * max_ids_a_row : p->max_rows;
        *(pen_network_is_text(n, f) ? &p->n_text_values : &p->n_values) += n->spec.ids[f].n_values;
    }
    for (int64_t t = 0; t < p->n_tables; t++) {
        p->most_dim = p->placed_tables[t].dim > p->most_dim ? p->placed_tables[t].dim : p->most_dim;
    }
    return place_ids(p, err);
}

static pen_status plan_hidden(struct pen_pass *p, int64_t l, struct pen_error *err)
{
    const struct pen_architecture *a = &p->network->architecture;
    int64_t width = a->hidden[l], size = p->max_rows * width;
    OWN(p, p->hidden[l], size, err);
    p->normed[l] = p->hidden[l];
    if (a->norm != PEN_NORM_NONE) {
        int64_t n_groups = a->norm == PEN_NORM_LAYER ? p->max_rows : width;
        OWN(p, p->mean[l], n_groups, err);
        OWN(p, p->rstd[l], n_groups, err);
        if (p->training) {
            OWN(p, p->normed[l], size, err);
        }
    }
    p->dropped[l] = p->normed[l];
    if (p->training && p->dropout > 0) {
        OWN(p, p->dropped[l], size, err);
    }
    if (p->training) {
        OWN(p, p->d_hidden[l], size, err);
    }
    return PEN_OK;
}

static pen_status plan(struct pen_pass *p, int64_t max_ids_a_row, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    int64_t rows = p->max_rows, widest = n->n_outputs;
    OWN(p, p->step, 1, err);
    OWN(p, p->sums, 1, err);
    OWN(p, p->x, rows * n->ld_x, err);
    OWN(p, p->logits, rows * n->n_outputs, err);
    OWN(p, p->label, rows, err);
    OWN(p, p->weight, rows, err);
    for (int64_t l = 0; n->has_deep && l < n->architecture.n_hidden; l++) {
        int64_t width = n->architecture.hidden[l];
        widest = width > widest ? width : widest;
        PEN_TRY(plan_hidden(p, l, err));
    }
    PEN_TRY(plan_ids(p, max_ids_a_row, err));
    if (p->training) {
        OWN(p, p->d_logits, rows * n->n_outputs, err);
        OWN(p, p->d_x, rows * n->ld_embedded, err);
        OWN(p, p->grad, n->n_weights + n->n_biases, err);
        OWN(p, p->workspace, (rows + 63) / 64 * widest, err);
    }
    struct pen_step_sums nothing;
    return pen_pass_read_sums(p, &nothing, true, err);
}

pen_status pen_pass_create(struct pen_pass **pass, struct pen_network *network, int64_t max_rows, bool training,
                           double dropout, uint64_t mask_seed, int64_t max_ids_a_row, struct pen_error *err)
{
    struct pen_pass *p = NULL;
    PEN_ALLOC(p, 1, err);
    p->network = network;
    p->training = training;
    p->max_rows = max_rows;
    p->dropout = dropout;
    p->mask_seed = mask_seed;
    pen_status status = plan(p, max_ids_a_row, err);
    if (status != PEN_OK) {
        pen_pass_destroy(p);
        return status;
    }
    *pass = p;
    return PEN_OK;
}

/* Positions with their ids and gradients, and the best windows. */
static int64_t text_row_floats(const struct pen_network *n, int64_t f, int64_t max_ids_a_row)
{
    const struct pen_text_conv_shape *text = &n->architecture.text;
    int64_t length = max_ids_a_row < text->max_length ? max_ids_a_row : text->max_length;
    return (length + pen_text_conv_widest(text) - 1) * (2 * n->embedding_dims[f] + 1) +
           text->n_widths * text->n_filters + 2;
}

int64_t pen_pass_row_bytes(const struct pen_network *n, bool dropout, int64_t max_ids_a_row)
{
    int64_t floats = n->ld_x + n->ld_embedded + 2 * n->n_outputs + 2;
    for (int64_t l = 0; n->has_deep && l < n->architecture.n_hidden; l++) {
        bool norm = n->architecture.norm != PEN_NORM_NONE;
        floats += (2 + dropout + norm) * n->architecture.hidden[l] + 2 * norm;
    }
    for (int64_t f = 0; f < n->spec.n_ids; f++) {
        int64_t dims = (n->has_deep ? n->embedding_dims[f] : 0) + (n->has_wide ? n->n_outputs : 0);
        floats +=
            (n->spec.ids[f].ragged ? max_ids_a_row : 1) * (2 + SORT_WORDS + dims); /* id, its place, its gradients */
        if (pen_network_is_text(n, f)) {
            floats += text_row_floats(n, f, max_ids_a_row);
        }
    }
    return floats * (int64_t)sizeof(float);
}

void pen_pass_destroy(struct pen_pass *p)
{
    if (p == NULL) {
        return;
    }
    for (int64_t i = 0; i < p->n_owned; i++) {
        pen_device_release(p->network->exec, p->owned[i]);
    }
    pen_free(p->owned);
    pen_free(p->placed_to);
    pen_free(p->placed_tables);
    pen_free(p->many_capacity);
    pen_free(p->texts);
    pen_free(p);
}

pen_status pen_pass_read_sums(struct pen_pass *p, struct pen_step_sums *sums, bool reset, struct pen_error *err)
{
    struct pen_exec *exec = p->network->exec;
    const struct pen_step_sums nothing = {.grad_scale = 1};
    PEN_TRY(pen_device_download(exec, sums, p->sums, sizeof *sums, err));
    return reset ? pen_device_upload(exec, p->sums, &nothing, sizeof nothing, err) : PEN_OK;
}

pen_status pen_pass_begin_step(struct pen_pass *p, const struct pen_training_step *step, struct pen_error *err)
{
    return pen_device_upload(p->network->exec, p->step, step, sizeof *step, err);
}

static pen_status load(struct pen_pass *p, const struct pen_device_rows *rows, const struct pen_training_step *step,
                       int64_t first, int64_t n_rows, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    PEN_ASSERT(n_rows <= p->max_rows);
    p->n_rows = n_rows;
    struct pen_gather g = {.n_rows = n_rows,
                           .step = step,
                           .first = first,
                           .n_dense = n->spec.n_dense,
                           .n_ids = n->spec.n_ids,
                           .n_ragged = n->spec.n_ids - p->n_single,
                           .dense = rows->dense,
                           .shift = n->input_shift,
                           .scale = n->input_scale,
                           .from = rows->from,
                           .from_label = rows->label,
                           .from_weight = rows->weight,
                           .x = p->x + n->n_embedded,
                           .ld_x = n->ld_x,
                           .to = p->to,
                           .label = p->label,
                           .weight = p->weight};
    return n->exec->kernels->gather(n->exec, &g, err);
}

pen_status pen_pass_load_step(struct pen_pass *p, const struct pen_device_rows *rows, int64_t n, struct pen_error *err)
{
    return load(p, rows, p->step, 0, n, err);
}

/* Outside training nobody knew how many ids there would be. */
static pen_status make_room(struct pen_pass *p, const struct pen_device_rows *rows, struct pen_error *err)
{
    bool moved = false;
    for (int64_t f = 0; f < p->network->spec.n_ids; f++) {
        if (p->network->spec.ids[f].ragged && rows->n_many[f] > p->many_capacity[f]) {
            PEN_TRY(plan_ragged(p, f, 2 * rows->n_many[f], err));
            moved = true;
        }
    }
    for (int64_t i = 0; i < p->n_texts && moved; i++) {
        PEN_TRY(plan_positions(p, &p->texts[i], p->many_capacity[p->texts[i].feature], err));
    }
    return moved ? place_ids(p, err) : PEN_OK;
}

pen_status pen_pass_load(struct pen_pass *p, const struct pen_device_rows *rows, int64_t first, int64_t n,
                         struct pen_error *err)
{
    if (!p->training) {
        PEN_TRY(make_room(p, rows, err));
    }
    return load(p, rows, NULL, first, n, err);
}
