/* Rows to tensors: the graph's program run over a batch, its outputs laid out as the trainer reads them. */
#include "components/transform/compile.h"
#include "components/transform/evaluate.h"

#include <math.h>
#include <string.h>

struct ids_buffer {
    int32_t *values;
    int64_t capacity, n;
    int64_t *row_offsets;
    int64_t offsets_capacity;
};

/* On a device with memory of its own: the dense numbers of a tile there, and how they come to the host. */
struct apart {
    float *dense;        /* [tile_rows, n_dense] */
    int64_t *n_replaced; /* [n_dense], counted on */
    float *landed;       /* on the host, as dense; NULL: none of the dense columns is the host's to write */
};

struct pen_transform_scratch {
    const struct pen_transform_graph *graph;
    struct pen_evaluator evaluators[2]; /* without and with label */
    bool ready[2], keep_dictionaries;
    struct pen_exec *exec; /* NULL: not applied yet */
    int64_t tile_rows;
    struct apart apart;
    float *dense, *label, *weight;
    int64_t dense_capacity, label_capacity, weight_capacity;
    struct ids_buffer *ids;       /* [n_ids] */
    struct pen_tensor_ids *views; /* [n_ids] */
    int64_t *n_replaced;          /* [n_dense] */
    int64_t n_negative_weights;
};

pen_status pen_transform_scratch_create(struct pen_transform_scratch **out, const struct pen_transform_graph *graph,
                                        struct pen_error *err)
{
    struct pen_transform_scratch *scratch = NULL;
    PEN_ALLOC(scratch, 1, err);
    scratch->graph = graph;
    scratch->ids = pen_calloc(graph->spec.n_ids + 1, sizeof *scratch->ids);
    scratch->views = pen_calloc(graph->spec.n_ids + 1, sizeof *scratch->views);
    scratch->n_replaced = pen_calloc(graph->spec.n_dense + 1, sizeof *scratch->n_replaced);
    if (scratch->ids == NULL || scratch->views == NULL || scratch->n_replaced == NULL) {
        pen_transform_scratch_destroy(scratch);
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: buffers of a transform");
    }
    *out = scratch;
    return PEN_OK;
}

void pen_transform_scratch_destroy(struct pen_transform_scratch *scratch)
{
    if (scratch == NULL) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        if (scratch->ready[i]) {
            pen_evaluator_deinit(&scratch->evaluators[i]);
        }
    }
    if (scratch->exec != NULL) {
        pen_device_release(scratch->exec, scratch->apart.dense);
        pen_device_release(scratch->exec, scratch->apart.n_replaced);
    }
    pen_free(scratch->apart.landed);
    for (int64_t i = 0; scratch->ids != NULL && i < scratch->graph->spec.n_ids; i++) {
        pen_free(scratch->ids[i].values);
        pen_free(scratch->ids[i].row_offsets);
    }
    pen_free(scratch->dense);
    pen_free(scratch->label);
    pen_free(scratch->weight);
    pen_free(scratch->ids);
    pen_free(scratch->views);
    pen_free(scratch->n_replaced);
    pen_free(scratch);
}

void pen_transform_scratch_keep_dictionaries(struct pen_transform_scratch *scratch)
{
    scratch->keep_dictionaries = true;
}

int64_t pen_transform_scratch_n_negative_weights(const struct pen_transform_scratch *scratch)
{
    return scratch->n_negative_weights;
}

int64_t pen_transform_scratch_n_replaced(const struct pen_transform_scratch *scratch, int64_t dense_column)
{
    return scratch->n_replaced[dense_column];
}

/* ---- outputs of a tile ---- */

static void put_multihot(const struct pen_value *value, float *y, int64_t width, int64_t stride, int64_t n)
{
    const int32_t *codes = value->data;
    for (int64_t i = 0; i < n; i++) {
        float *row = y + i * stride;
        memset(row, 0, (size_t)width * sizeof *row);
        int64_t count = codes[i] < 0 ? 0 : value->lists->counts[codes[i]];
        for (int64_t k = 0; k < count; k++) {
            int32_t id = value->lists->ids[value->lists->starts[codes[i]] + k];
            if (id >= 0 && id < width) {
                row[id] = 1.0F;
            }
        }
    }
}

/* tf = occurrences / length of the row's list, unknown tokens counted in the length; times the id's idf. A row is
 * counted first; the sign then tells ids that are done. */
static void put_tfidf(const struct pen_value *value, const double *idf, float *y, int64_t width, int64_t stride,
                      int64_t n)
{
    const int32_t *codes = value->data;
    for (int64_t i = 0; i < n; i++) {
        float *row = y + i * stride;
        memset(row, 0, (size_t)width * sizeof *row);
        int64_t count = codes[i] < 0 ? 0 : value->lists->counts[codes[i]];
        const int32_t *ids = count == 0 ? NULL : value->lists->ids + value->lists->starts[codes[i]];
        for (int64_t k = 0; k < count; k++) {
            if (ids[k] >= 0) {
                row[ids[k]] += 1.0F;
            }
        }
        for (int64_t k = 0; k < count; k++) {
            if (ids[k] >= 0 && row[ids[k]] > 0) {
                row[ids[k]] = -(float)((double)row[ids[k]] / (double)count * idf[ids[k]]);
            }
        }
        for (int64_t k = 0; k < count; k++) {
            if (ids[k] >= 0) {
                row[ids[k]] = fabsf(row[ids[k]]);
            }
        }
    }
}

/* Lists are laid out by the host, all else by ops. */
static bool is_of_lists(const struct pen_transform_graph *graph, int32_t node)
{
    return graph->nodes[node].op == PEN_NODE_MULTIHOT || graph->nodes[node].op == PEN_NODE_TFIDF;
}

static pen_status put_dense(struct pen_transform_scratch *s, const struct pen_evaluator *e,
                            const struct pen_transform_output *output, int32_t node, int64_t first_row, int64_t n,
                            struct pen_error *err)
{
    int64_t stride = s->graph->spec.n_dense;
    const struct pen_value *value = &e->values[node];
    float *y = s->dense + first_row * stride + output->first;
    if (s->graph->nodes[node].op == PEN_NODE_MULTIHOT) {
        put_multihot(value, y, output->width, stride, n);
        return PEN_OK;
    }
    if (s->graph->nodes[node].op == PEN_NODE_TFIDF) {
        const double *idf = s->graph->analyses[s->graph->nodes[node].analysis].edges;
        put_tfidf(value, idf, y, output->width, stride, n);
        return PEN_OK;
    }
    bool apart = pen_evaluator_is_apart(e);
    y = apart ? s->apart.dense + output->first : y;
    if (s->graph->nodes[node].type == PEN_VALUE_DENSE) {
        const struct pen_columns_onehot onehot = {
            .n = n, .ids = pen_value_for_ops(e, value), .width = output->width, .y = y, .stride = stride};
        return s->exec->kernels->columns_onehot(s->exec, &onehot, err);
    }
    const struct pen_columns_store store = {.n = n,
                                            .x = pen_value_for_ops(e, value),
                                            .y = y,
                                            .stride = stride,
                                            .n_replaced =
                                                (apart ? s->apart.n_replaced : s->n_replaced) + output->first};
    return s->exec->kernels->columns_store(s->exec, &store, err);
}

static pen_status put_ragged(struct ids_buffer *to, const struct pen_value *value, int64_t first_row, int64_t n,
                             struct pen_error *err)
{
    const int32_t *codes = value->data;
    for (int64_t i = 0; i < n; i++) {
        int64_t count = codes[i] < 0 ? 0 : value->lists->counts[codes[i]];
        int64_t start = codes[i] < 0 ? 0 : value->lists->starts[codes[i]];
        PEN_TRY(pen_grow((void **)&to->values, &to->capacity, to->n + count + 1, sizeof *to->values, err));
        for (int64_t k = 0; k < count; k++) {
            to->values[to->n] = value->lists->ids[start + k];
            to->n += value->lists->ids[start + k] >= 0;
        }
        to->row_offsets[first_row + i + 1] = to->n;
    }
    return PEN_OK;
}

/* Label: NaN where missing. Weight: 0 where missing, negative or not finite. */
static void put_label(const double *x, float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = isfinite(x[i]) ? (float)x[i] : NAN;
        y[i] = isfinite(y[i]) ? y[i] : NAN;
    }
}

static void put_weight(struct pen_transform_scratch *s, const double *x, float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        float weight = isfinite(x[i]) && x[i] > 0 ? (float)x[i] : 0.0F;
        s->n_negative_weights += x[i] < 0;
        y[i] = isfinite(weight) ? weight : 0.0F;
    }
}

static pen_status put(struct pen_evaluator *e, int32_t sink, int32_t node, int64_t first_row, int64_t n,
                      struct pen_error *err)
{
    struct pen_transform_scratch *s = e->user;
    const struct pen_transform_output *output = &s->graph->outputs[sink];
    const struct pen_value *value = &e->values[node];
    PEN_TRY(pen_evaluator_bring(e, node, output->kind == PEN_OUTPUT_DENSE && !is_of_lists(s->graph, node), n, err));
    switch (output->kind) {
    case PEN_OUTPUT_DENSE:
        return put_dense(s, e, output, node, first_row, n, err);
    case PEN_OUTPUT_IDS:
        memcpy(s->ids[output->first].values + first_row, value->data, (size_t)n * sizeof(int32_t));
        return PEN_OK;
    case PEN_OUTPUT_RAGGED:
        return put_ragged(&s->ids[output->first], value, first_row, n, err);
    case PEN_OUTPUT_LABEL:
        put_label(value->data, s->label + first_row, n);
        return PEN_OK;
    case PEN_OUTPUT_WEIGHT:
        put_weight(s, value->data, s->weight + first_row, n);
        return PEN_OK;
    }
    return PEN_OK;
}

/* The tile's dense numbers from the device, between those that the host wrote. */
static pen_status land(struct pen_evaluator *e, int64_t first_row, int64_t n, struct pen_error *err)
{
    struct pen_transform_scratch *s = e->user;
    const struct pen_transform_graph *graph = s->graph;
    int64_t stride = graph->spec.n_dense;
    float *dense = s->dense + first_row * stride, *landed = s->apart.landed;
    PEN_TRY(pen_device_download(s->exec, landed != NULL ? landed : dense, s->apart.dense,
                                (size_t)(n * stride) * sizeof *dense, err));
    for (int64_t o = 0; landed != NULL && o < graph->n_feature_outputs; o++) {
        const struct pen_transform_output *output = &graph->outputs[o];
        if (output->kind != PEN_OUTPUT_DENSE || is_of_lists(graph, output->node)) {
            continue;
        }
        for (int64_t i = 0; i < n; i++) {
            int64_t at = i * stride + output->first;
            memcpy(dense + at, landed + at, (size_t)output->width * sizeof *dense);
        }
    }
    return PEN_OK;
}

/* ---- a batch ---- */

static pen_status set_apart(struct pen_transform_scratch *s, struct pen_error *err)
{
    const struct pen_transform_graph *graph = s->graph;
    int64_t n_dense = graph->spec.n_dense;
    bool mixed = false;
    for (int64_t o = 0; o < graph->n_feature_outputs; o++) {
        mixed = mixed || (graph->outputs[o].kind == PEN_OUTPUT_DENSE && is_of_lists(graph, graph->outputs[o].node));
    }
    PEN_DEVICE_ALLOC(s->exec, s->apart.dense, s->tile_rows * n_dense, "dense features of a transform", err);
    PEN_DEVICE_ALLOC(s->exec, s->apart.n_replaced, n_dense, "dense features of a transform", err);
    PEN_TRY(pen_device_fill(s->exec, s->apart.n_replaced, 0, (size_t)n_dense * sizeof(int64_t), err));
    if (mixed) {
        PEN_ALLOC(s->apart.landed, s->tile_rows * n_dense, err);
    }
    return PEN_OK;
}

static pen_status bind_exec(struct pen_transform_scratch *s, struct pen_exec *exec, struct pen_error *err)
{
    PEN_ASSERT(s->exec == NULL || s->exec == exec);
    if (s->exec != NULL) {
        return PEN_OK;
    }
    s->exec = exec;
    s->tile_rows = pen_transform_tile_rows(exec, s->graph->spec.n_dense);
    return pen_exec_is_apart(exec) ? set_apart(s, err) : PEN_OK;
}

static pen_status reserve(struct pen_transform_scratch *s, int64_t n_rows, bool with_label, struct pen_error *err)
{
    const struct pen_tensor_spec *spec = &s->graph->spec;
    if (n_rows > INT64_MAX / 4 / PEN_TRANSFORM_MAX_DENSE) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "transform: expected a batch of fewer rows, found %lld", (long long)n_rows);
    }
    PEN_TRY(pen_grow((void **)&s->dense, &s->dense_capacity, n_rows * spec->n_dense + 1, sizeof *s->dense, err));
    if (with_label) {
        PEN_TRY(pen_grow((void **)&s->label, &s->label_capacity, n_rows + 1, sizeof *s->label, err));
        PEN_TRY(pen_grow((void **)&s->weight, &s->weight_capacity, n_rows + 1, sizeof *s->weight, err));
    }
    for (int64_t i = 0; i < spec->n_ids; i++) {
        struct ids_buffer *ids = &s->ids[i];
        ids->n = 0;
        PEN_TRY(pen_grow((void **)&ids->values, &ids->capacity, n_rows + 1, sizeof *ids->values, err));
        if (spec->ids[i].ragged) {
            PEN_TRY(pen_grow((void **)&ids->row_offsets, &ids->offsets_capacity, n_rows + 1, sizeof *ids->row_offsets,
                             err));
            ids->row_offsets[0] = 0;
        }
    }
    return PEN_OK;
}

pen_status pen_transform_apply(const struct pen_transform_graph *graph, struct pen_exec *exec,
                               const struct pen_batch *rows, bool with_label, struct pen_transform_scratch *scratch,
                               struct pen_tensor_batch *out, struct pen_error *err)
{
    struct pen_transform_scratch *s = scratch;
    PEN_ASSERT(s->graph == graph);
    struct pen_evaluator *e = &s->evaluators[with_label];
    PEN_TRY(bind_exec(s, exec, err));
    if (!s->ready[with_label]) {
        PEN_TRY(pen_evaluator_init(e, graph, &graph->apply[with_label], exec, s->tile_rows, err));
        s->ready[with_label] = true;
        e->sink = put;
        e->tile_done = pen_exec_is_apart(exec) ? land : NULL;
        e->user = s;
    }
    e->keep_dictionaries = s->keep_dictionaries;
    PEN_TRY(reserve(s, rows->n_rows, with_label, err));
    PEN_TRY(pen_evaluator_run(e, rows, err));
    const struct pen_tensor_spec *spec = &graph->spec;
    if (pen_evaluator_is_apart(e)) {
        PEN_TRY(pen_device_download(exec, s->n_replaced, s->apart.n_replaced,
                                    (size_t)spec->n_dense * sizeof *s->n_replaced, err));
    }
    for (int64_t i = 0; i < spec->n_ids; i++) {
        s->views[i] = (struct pen_tensor_ids){.values = s->ids[i].values,
                                              .row_offsets = spec->ids[i].ragged ? s->ids[i].row_offsets : NULL};
    }
    *out = (struct pen_tensor_batch){.n_rows = rows->n_rows,
                                     .dense = s->dense,
                                     .ids = s->views,
                                     .label = with_label && spec->task != PEN_TASK_NONE ? s->label : NULL,
                                     .weight = with_label && spec->has_weight ? s->weight : NULL};
    return PEN_OK;
}
