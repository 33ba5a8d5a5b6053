/* Shapes, places and first values of a network's parameters. */
#include "components/trainer/network.h"

#include "core/rng.h"

#include <math.h>
#include <string.h>

enum { STREAM_WEIGHTS = 1000, TABLE_ALIGNMENT = 16, ROW_ALIGNMENT = 4 };

/* 1.6 n^0.56 is the usual rule for a table's width; above 16 it costs more than it brings on tabular data. */
static int64_t automatic_dim(int64_t n_values, bool ragged)
{
    double dim = round(1.6 * pow((double)n_values, 0.56));
    return ragged || dim > 16 ? 16 : dim < 1 ? 1 : (int64_t)dim;
}

static pen_status copy_strings(struct pen_arena *arena, const char *const **out, const char *const *in, int64_t n,
                               struct pen_error *err)
{
    const char **copy = pen_arena_alloc(arena, n + 1, sizeof *copy);
    for (int64_t i = 0; copy != NULL && i < n; i++) {
        copy[i] = pen_arena_strdup(arena, in[i]);
        if (copy[i] == NULL) {
            copy = NULL;
        }
    }
    if (copy == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: copying a tensor spec");
    }
    *out = copy;
    return PEN_OK;
}

static pen_status copy_spec(struct pen_network *n, const struct pen_tensor_spec *spec, struct pen_error *err)
{
    n->spec = *spec;
    n->spec.label = spec->label != NULL ? pen_arena_strdup(&n->arena, spec->label) : NULL;
    if (spec->classes != NULL) {
        PEN_TRY(copy_strings(&n->arena, &n->spec.classes, spec->classes, spec->n_classes, err));
    }
    if (spec->dense_names != NULL) {
        PEN_TRY(copy_strings(&n->arena, &n->spec.dense_names, spec->dense_names, spec->n_dense, err));
    }
    struct pen_tensor_ids_spec *ids = pen_arena_alloc(&n->arena, spec->n_ids + 1, sizeof *ids);
    if (ids == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: copying a tensor spec");
    }
    for (int64_t i = 0; i < spec->n_ids; i++) {
        ids[i] = spec->ids[i];
        ids[i].name = pen_arena_strdup(&n->arena, spec->ids[i].name);
    }
    n->spec.ids = ids;
    return PEN_OK;
}

static pen_status set_head(struct pen_network *n, struct pen_error *err)
{
    n->label_shift = 0;
    n->label_scale = 1;
    n->n_outputs = 1;
    switch (n->spec.task) {
    case PEN_TASK_BINARY:
        n->loss = PEN_LOSS_SIGMOID;
        return PEN_OK;
    case PEN_TASK_REGRESSION:
        n->loss = PEN_LOSS_SQUARED;
        return PEN_OK;
    case PEN_TASK_MULTICLASS:
        n->loss = PEN_LOSS_SOFTMAX;
        n->n_outputs = n->spec.n_classes;
        if (n->n_outputs < 2 || n->n_outputs > PEN_NETWORK_WIDTH_MAX) {
            PEN_FAIL(err, PEN_ERR_DATA, "label: expected 2 to %d classes, found %lld", PEN_NETWORK_WIDTH_MAX,
                     (long long)n->n_outputs);
        }
        return PEN_OK;
    case PEN_TASK_NONE:
        break;
    }
    PEN_FAIL(err, PEN_ERR_DATA, "the transformed data has no label to train on; set transform.label");
}

static pen_status check_sizes(const struct pen_network *n, struct pen_error *err)
{
    const struct pen_architecture *a = &n->architecture;
    if (a->n_hidden < 0 || a->n_hidden > PEN_NETWORK_HIDDEN_MAX) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "hidden: expected at most %d layers, found %lld", PEN_NETWORK_HIDDEN_MAX,
                 (long long)a->n_hidden);
    }
    for (int64_t i = 0; i < a->n_hidden; i++) {
        if (a->hidden[i] < 1 || a->hidden[i] > PEN_NETWORK_WIDTH_MAX) {
            PEN_FAIL(err, PEN_ERR_CONFIG, "hidden: expected widths of 1 to %d, found %lld", PEN_NETWORK_WIDTH_MAX,
                     (long long)a->hidden[i]);
        }
    }
    if (a->embedding_dim < 0 || a->embedding_dim > PEN_NETWORK_DIM_MAX) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "embedding_dim: expected 0 (automatic) to %d, found %lld", PEN_NETWORK_DIM_MAX,
                 (long long)a->embedding_dim);
    }
    if (n->spec.n_dense < 0 || n->spec.n_dense > 1 << 22 || n->spec.n_ids < 0 || n->spec.n_ids > 1 << 20) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "features: expected at most %d dense columns and %d id features, found %lld, %lld",
                 1 << 22, 1 << 20, (long long)n->spec.n_dense, (long long)n->spec.n_ids);
    }
    for (int64_t i = 0; i < n->spec.n_ids; i++) {
        if (n->spec.ids[i].n_values < 0 || n->spec.ids[i].n_values > INT32_MAX) {
            PEN_FAIL(err, PEN_ERR_LIMIT, "id feature %.100s: expected 0 to 2147483647 values, found %lld",
                     n->spec.ids[i].name, (long long)n->spec.ids[i].n_values);
        }
    }
    return PEN_OK;
}

static pen_status check_text(const struct pen_network *n, struct pen_error *err)
{
    const struct pen_text_conv_shape *text = &n->architecture.text;
    int64_t n_lists = 0;
    PEN_TRY(pen_text_conv_check("text_cnn", text, 0, err));
    if (text->n_widths == 0) {
        return PEN_OK;
    }
    if (text->n_filters < 1 || text->n_filters * text->n_widths > PEN_NETWORK_WIDTH_MAX || text->max_length < 1 ||
        text->max_length > PEN_NETWORK_LENGTH_MAX) {
        PEN_FAIL(err, PEN_ERR_CONFIG,
                 "text_cnn: expected 1 to %d filters over all widths and a max_length of 1 to %d, found %lld, %lld",
                 PEN_NETWORK_WIDTH_MAX, PEN_NETWORK_LENGTH_MAX, (long long)(text->n_filters * text->n_widths),
                 (long long)text->max_length);
    }
    for (int64_t i = 0; i < n->spec.n_ids; i++) {
        n_lists += n->spec.ids[i].ragged;
    }
    if (!n->has_deep) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "text_cnn: expected a model with a deep part, dnn or wide_deep, found linear");
    }
    if (n_lists == 0) {
        PEN_FAIL(err, PEN_ERR_CONFIG,
                 "text_cnn: expected a feature that is a list of ids, such as vocab(tokens(message)), found none");
    }
    return PEN_OK;
}

static int64_t add_parameter(struct pen_network *n, int64_t *cursor, const char *name, int64_t n_rows, int64_t dim)
{
    struct pen_parameter *p = &n->parameters[n->n_parameters];
    p->name = name;
    p->n_rows = n_rows;
    p->dim = dim;
    p->offset = *cursor;
    *cursor += n_rows * dim;
    return n->n_parameters++;
}

/* A table of 16 columns begins where a line of the cache does: its rows then lie in one line, not across two. */
static int64_t add_table(struct pen_network *n, int64_t *cursor, const char *name, int64_t n_rows, int64_t dim)
{
    *cursor = (*cursor + TABLE_ALIGNMENT - 1) / TABLE_ALIGNMENT * TABLE_ALIGNMENT;
    return add_parameter(n, cursor, name, n_rows, dim);
}

/* A parameter of hidden layer l, or of the output layer. */
static int64_t add_deep(struct pen_network *n, int64_t *cursor, int64_t l, const char *name, int64_t n_rows)
{
    const struct pen_architecture *a = &n->architecture;
    return add_parameter(n, cursor, pen_arena_printf(&n->arena, "deep.%lld.%s", (long long)l, name), n_rows,
                         l < a->n_hidden ? a->hidden[l] : n->n_outputs);
}

static void place_weights(struct pen_network *n, int64_t n_layers, int64_t *cursor)
{
    for (int64_t l = 0; l < n_layers; l++) {
        n->layer[l] = add_deep(n, cursor, l, "weight", l == 0 ? n->n_x : n->architecture.hidden[l - 1]);
    }
    if (n->has_wide) {
        n->wide_dense = add_parameter(n, cursor, "wide.weight", n->spec.n_dense, n->n_outputs);
    }
    const struct pen_text_conv_shape *text = &n->architecture.text;
    for (int64_t i = 0; i < n->spec.n_ids; i++) {
        n->text_filters[i] = -1;
        if (pen_network_is_text(n, i)) {
            n->text_filters[i] =
                add_parameter(n, cursor, pen_arena_printf(&n->arena, "text.%s.filters", n->spec.ids[i].name),
                              pen_text_conv_filter_rows(text, text->n_widths), n->embedding_dims[i]);
        }
    }
    n->n_weights = *cursor;
}

static void place_biases(struct pen_network *n, int64_t n_layers, int64_t *cursor)
{
    for (int64_t l = 0; l < n_layers; l++) {
        n->bias[l] = add_deep(n, cursor, l, "bias", 1);
    }
    for (int64_t l = 0; l + 1 < n_layers && n->architecture.norm != PEN_NORM_NONE; l++) {
        n->gamma[l] = add_deep(n, cursor, l, "gamma", 1);
        n->beta[l] = add_deep(n, cursor, l, "beta", 1);
    }
    if (n->has_wide) {
        n->wide_bias = add_parameter(n, cursor, "wide.bias", 1, n->n_outputs);
    }
    const struct pen_text_conv_shape *text = &n->architecture.text;
    for (int64_t i = 0; i < n->spec.n_ids; i++) {
        n->text_bias[i] = -1;
        if (pen_network_is_text(n, i)) {
            n->text_bias[i] = add_parameter(n, cursor, pen_arena_printf(&n->arena, "text.%s.bias", n->spec.ids[i].name),
                                            1, text->n_widths * text->n_filters);
        }
    }
    n->n_biases = *cursor - n->n_weights;
}

static void place_statistics(struct pen_network *n, int64_t n_layers, int64_t *cursor)
{
    for (int64_t l = 0; l + 1 < n_layers && n->architecture.norm == PEN_NORM_BATCH; l++) {
        n->running_mean[l] = add_deep(n, cursor, l, "mean", 1);
        n->running_variance[l] = add_deep(n, cursor, l, "variance", 1);
    }
    n->n_statistics = *cursor - n->n_weights - n->n_biases;
}

static void place_tables(struct pen_network *n, int64_t *cursor)
{
    for (int64_t i = 0; i < n->spec.n_ids; i++) {
        const struct pen_tensor_ids_spec *ids = &n->spec.ids[i];
        n->deep_table[i] = n->wide_table[i] = -1;
        if (n->has_deep) {
            n->deep_table[i] = add_table(n, cursor, pen_arena_printf(&n->arena, "embedding.%s", ids->name),
                                         ids->n_values, n->embedding_dims[i]);
        }
        if (n->has_wide) {
            n->wide_table[i] =
                add_table(n, cursor, pen_arena_printf(&n->arena, "wide.%s", ids->name), ids->n_values, n->n_outputs);
        }
    }
}

static void place_parameters(struct pen_network *n)
{
    int64_t n_layers = n->has_deep ? n->architecture.n_hidden + 1 : 0, cursor = 0;
    n->wide_dense = n->wide_bias = -1;
    place_weights(n, n_layers, &cursor);
    place_biases(n, n_layers, &cursor);
    place_statistics(n, n_layers, &cursor);
    place_tables(n, &cursor);
    n->n_total = cursor;
}

static pen_status set_plain_input(struct pen_network *n, struct pen_error *err)
{
    float *shift = NULL, *scale = NULL;
    pen_status status = PEN_OK;
    PEN_DEVICE_ALLOC(n->exec, n->input_shift, n->spec.n_dense, "shift of the inputs", err);
    PEN_DEVICE_ALLOC(n->exec, n->input_scale, n->spec.n_dense, "scale of the inputs", err);
    PEN_ALLOC_GOTO(cleanup, shift, n->spec.n_dense, err);
    PEN_ALLOC_GOTO(cleanup, scale, n->spec.n_dense, err);
    for (int64_t i = 0; i < n->spec.n_dense; i++) {
        scale[i] = 1;
    }
    status = pen_network_set_input(n, shift, scale, err);
cleanup:
    pen_free(shift);
    pen_free(scale);
    return status;
}

bool pen_network_is_text(const struct pen_network *n, int64_t feature)
{
    return n->has_deep && n->architecture.text.n_widths > 0 && n->spec.ids[feature].ragged;
}

/* Columns of x, and the order of the deep part's features. */
static void place_embeddings(struct pen_network *n)
{
    const struct pen_text_conv_shape *text = &n->architecture.text;
    int64_t n_texts = 0, n_ids = n->spec.n_ids;
    n->n_embedded = n->n_pooled = 0;
    for (int64_t i = 0; i < n_ids; i++) {
        int64_t dim = n->architecture.embedding_dim;
        bool is_text = pen_network_is_text(n, i);
        n->embedding_dims[i] = dim > 0 ? dim : automatic_dim(n->spec.ids[i].n_values, n->spec.ids[i].ragged);
        n->embedding_columns[i] = n->n_embedded;
        n->n_embedded += !n->has_deep ? 0 : is_text ? text->n_widths * text->n_filters : n->embedding_dims[i];
        n->n_pooled += !is_text;
    }
    for (int64_t i = 0, n_pooled = 0; i < n_ids; i++) { /* stable */
        n->order[pen_network_is_text(n, i) ? n->n_pooled + n_texts++ : n_pooled++] = i;
    }
    n->n_x = n->n_embedded + n->spec.n_dense;
    n->ld_x = (n->n_x + ROW_ALIGNMENT - 1) / ROW_ALIGNMENT * ROW_ALIGNMENT;
    n->ld_embedded = (n->n_embedded + ROW_ALIGNMENT - 1) / ROW_ALIGNMENT * ROW_ALIGNMENT;
}

static pen_status allocate(struct pen_network *n, struct pen_error *err)
{
    int64_t n_ids = n->spec.n_ids;
    n->order = pen_arena_alloc(&n->arena, n_ids + 1, sizeof *n->order);
    n->text_filters = pen_arena_alloc(&n->arena, n_ids + 1, sizeof *n->text_filters);
    n->text_bias = pen_arena_alloc(&n->arena, n_ids + 1, sizeof *n->text_bias);
    n->embedding_dims = pen_arena_alloc(&n->arena, n_ids + 1, sizeof *n->embedding_dims);
    n->embedding_columns = pen_arena_alloc(&n->arena, n_ids + 1, sizeof *n->embedding_columns);
    n->deep_table = pen_arena_alloc(&n->arena, n_ids + 1, sizeof *n->deep_table);
    n->wide_table = pen_arena_alloc(&n->arena, n_ids + 1, sizeof *n->wide_table);
    n->parameters = pen_arena_alloc(&n->arena, 4 * n_ids + 6 * PEN_NETWORK_HIDDEN_MAX + 4, sizeof *n->parameters);
    if (n->order == NULL || n->text_filters == NULL || n->text_bias == NULL || n->embedding_dims == NULL ||
        n->embedding_columns == NULL || n->deep_table == NULL || n->wide_table == NULL || n->parameters == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: planning a model of %lld id features", (long long)n_ids);
    }
    place_embeddings(n);
    place_parameters(n);
    for (int64_t i = 0; i < n->n_parameters; i++) {
        if (n->parameters[i].name == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: naming the parameters");
        }
    }
    PEN_DEVICE_ALLOC(n->exec, n->values, n->n_total, "parameters", err);
    PEN_TRY(pen_device_fill(n->exec, n->values, 0, (size_t)n->n_total * sizeof *n->values, err));
    return set_plain_input(n, err);
}

pen_status pen_network_create(struct pen_network **network, const struct pen_architecture *architecture,
                              const struct pen_tensor_spec *spec, struct pen_exec *exec, struct pen_error *err)
{
    struct pen_network *n = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC(n, 1, err);
    n->architecture = *architecture;
    n->exec = exec;
    n->has_wide = architecture->kind != PEN_MODEL_DNN;
    n->has_deep = architecture->kind != PEN_MODEL_LINEAR;
    PEN_TRY_GOTO(failed, copy_spec(n, spec, err));
    PEN_TRY_GOTO(failed, set_head(n, err));
    PEN_TRY_GOTO(failed, check_sizes(n, err));
    PEN_TRY_GOTO(failed, check_text(n, err));
    PEN_TRY_GOTO(failed, allocate(n, err));
    *network = n;
    return PEN_OK;
failed:
    pen_network_destroy(n);
    return status;
}

void pen_network_destroy(struct pen_network *network)
{
    if (network != NULL) {
        pen_device_release(network->exec, network->values);
        pen_device_release(network->exec, network->input_shift);
        pen_device_release(network->exec, network->input_scale);
        pen_arena_deinit(&network->arena);
        pen_free(network);
    }
}

float *pen_network_value(const struct pen_network *network, int64_t parameter)
{
    return network->values + network->parameters[parameter].offset;
}

pen_status pen_network_set_input(struct pen_network *n, const float *shift, const float *scale, struct pen_error *err)
{
    size_t bytes = (size_t)n->spec.n_dense * sizeof(float);
    PEN_TRY(pen_device_upload(n->exec, n->input_shift, shift, bytes, err));
    PEN_TRY(pen_device_upload(n->exec, n->input_scale, scale, bytes, err));
    return pen_device_synchronise(n->exec, err);
}

/* Glorot uniform, of w E inputs and F outputs. */
static void first_filters(const struct pen_network *n, float *values, uint64_t seed, int64_t feature)
{
    const struct pen_text_conv_shape *text = &n->architecture.text;
    const struct pen_parameter *p = &n->parameters[n->text_filters[feature]];
    uint64_t stream = STREAM_WEIGHTS + (uint64_t)n->text_filters[feature];
    for (int64_t k = 0, i = 0; k < text->n_widths; k++) {
        double bound = sqrt(6.0 / (double)(text->widths[k] * p->dim + text->n_filters));
        for (int64_t end = pen_text_conv_filter_rows(text, k + 1) * p->dim; i < end; i++) {
            values[p->offset + i] = (float)(bound * (2 * pen_rng_uniform(seed, stream, (uint64_t)i) - 1));
        }
    }
}

static void first_weights(const struct pen_network *n, float *values, uint64_t seed)
{
    for (int64_t l = 0; n->has_deep && l <= n->architecture.n_hidden; l++) {
        const struct pen_parameter *p = &n->parameters[n->layer[l]];
        float *w = values + p->offset;
        double bound = sqrt(6.0 / (double)(p->n_rows + p->dim + 1));
        for (int64_t i = 0; i < p->n_rows * p->dim; i++) {
            w[i] =
                (float)(bound * (2 * pen_rng_uniform(seed, STREAM_WEIGHTS + (uint64_t)n->layer[l], (uint64_t)i) - 1));
        }
    }
    for (int64_t f = 0; n->has_deep && f < n->spec.n_ids; f++) {
        const struct pen_parameter *p = &n->parameters[n->deep_table[f]];
        float *w = values + p->offset;
        for (int64_t i = 0; i < p->n_rows * p->dim; i++) {
            w[i] = (float)(0.1 * pen_rng_normal(seed, STREAM_WEIGHTS + (uint64_t)n->deep_table[f], (uint64_t)i));
        }
        if (pen_network_is_text(n, f)) {
            first_filters(n, values, seed, f);
        }
    }
}

/* Normalisation changes nothing but the scale at first. */
static void first_norms(const struct pen_network *n, float *values)
{
    const struct pen_architecture *a = &n->architecture;
    for (int64_t l = 0; n->has_deep && l < a->n_hidden; l++) {
        for (int64_t d = 0; d < a->hidden[l]; d++) {
            if (a->norm != PEN_NORM_NONE) {
                values[n->parameters[n->gamma[l]].offset + d] = 1;
            }
            if (a->norm == PEN_NORM_BATCH) {
                values[n->parameters[n->running_variance[l]].offset + d] = 1;
            }
        }
    }
}

static void first_biases(const struct pen_network *n, float *values, const double *class_shares)
{
    float *bias = values + n->parameters[n->has_wide ? n->wide_bias : n->bias[n->architecture.n_hidden]].offset;
    if (n->loss == PEN_LOSS_SIGMOID) {
        double p = fmin(fmax(class_shares[1], 1e-4), 1 - 1e-4);
        bias[0] = (float)log(p / (1 - p));
        return;
    }
    for (int64_t c = 0; c < n->n_outputs; c++) {
        bias[c] = (float)log(fmax(class_shares[c], 1e-4));
    }
}

pen_status pen_network_initialise(struct pen_network *n, uint64_t seed, const double *class_shares,
                                  struct pen_error *err)
{
    float *values = NULL;
    PEN_ALLOC(values, n->n_total, err);
    first_weights(n, values, seed);
    first_norms(n, values);
    if (class_shares != NULL && n->loss != PEN_LOSS_SQUARED) {
        first_biases(n, values, class_shares);
    }
    pen_status status = pen_device_upload(n->exec, n->values, values, (size_t)n->n_total * sizeof *values, err);
    if (status == PEN_OK) {
        status = pen_device_synchronise(n->exec, err);
    }
    pen_free(values);
    return status;
}
