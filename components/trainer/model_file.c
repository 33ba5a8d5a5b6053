/* model.json: what the network is; together with weights.bin, everything a prediction needs. */
#include "components/trainer/model_file.h"

#include "components/trainer/weights_file.h"
#include "core/files.h"

#include <math.h>
#include <string.h>

const char *const pen_model_kind_names[] = {"linear", "dnn", "wide_deep", NULL};
const char *const pen_model_activation_names[] = {"none", "relu", "leaky_relu", "elu", "sigmoid", "tanh", NULL};
const char *const pen_model_norm_names[] = {"none", "batch", "layer", NULL};

enum { FORMAT_VERSION = 1 };

/* Refuses what a file could claim to make us allocate without end: 16 GiB of parameters. */
static const double most_parameters = 4294967296.0;

static pen_json *text_to_json(const struct pen_text_conv_shape *text)
{
    if (text->n_widths == 0) {
        return pen_json_null();
    }
    pen_json *json = pen_json_object(), *widths = pen_json_array();
    for (int64_t k = 0; k < text->n_widths; k++) {
        pen_json_push(widths, pen_json_int(text->widths[k]));
    }
    pen_json_set(json, "widths", widths);
    pen_json_set_int(json, "filters", text->n_filters);
    pen_json_set_int(json, "max_length", text->max_length);
    return json;
}

static pen_json *architecture_to_json(const struct pen_network *n)
{
    const struct pen_architecture *a = &n->architecture;
    pen_json *json = pen_json_object(), *hidden = pen_json_array();
    for (int64_t l = 0; l < a->n_hidden; l++) {
        pen_json_push(hidden, pen_json_int(a->hidden[l]));
    }
    pen_json_set_string(json, "model", pen_model_kind_names[a->kind]);
    pen_json_set(json, "hidden", hidden);
    pen_json_set_string(json, "activation", pen_model_activation_names[a->activation]);
    pen_json_set_string(json, "normalize", pen_model_norm_names[a->norm]);
    pen_json_set_int(json, "embedding_dim", a->embedding_dim);
    pen_json_set(json, "text_cnn", text_to_json(&a->text));
    pen_json_set_string(json, "pooling", a->pool_sum ? "sum" : "mean");
    return json;
}

/* What weights.bin holds, in host memory: the parameters, and the two input arrays after them. */
struct image {
    float *values; /* [n_total] then [2, n_dense] */
    struct pen_weights_entry *entries;
    int64_t n_entries;
};

static pen_status image_init(struct image *image, const struct pen_network *n, struct pen_error *err)
{
    *image = (struct image){.n_entries = n->n_parameters + 2};
    PEN_ALLOC(image->values, n->n_total + 2 * n->spec.n_dense, err);
    PEN_ALLOC(image->entries, image->n_entries, err);
    for (int64_t i = 0; i < n->n_parameters; i++) {
        const struct pen_parameter *p = &n->parameters[i];
        image->entries[i] = (struct pen_weights_entry){p->name, p->n_rows, p->dim, image->values + p->offset};
    }
    float *input = image->values + n->n_total;
    image->entries[n->n_parameters] = (struct pen_weights_entry){"input.shift", 1, n->spec.n_dense, input};
    image->entries[n->n_parameters + 1] =
        (struct pen_weights_entry){"input.scale", 1, n->spec.n_dense, input + n->spec.n_dense};
    return PEN_OK;
}

static void image_deinit(struct image *image)
{
    pen_free(image->values);
    pen_free(image->entries);
}

static pen_status write_weights(const char *directory, const struct pen_network *n, struct image *image,
                                struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    size_t total = (size_t)n->n_total * sizeof(float), input = (size_t)n->spec.n_dense * sizeof(float);
    float *shift = image->values + n->n_total;
    PEN_TRY(pen_device_download(n->exec, image->values, n->values, total, err));
    PEN_TRY(pen_device_download(n->exec, shift, n->input_shift, input, err));
    PEN_TRY(pen_device_download(n->exec, shift + n->spec.n_dense, n->input_scale, input, err));
    PEN_TRY(pen_path_join(path, directory, "weights.bin", err));
    return pen_weights_write(path, image->entries, image->n_entries, err);
}

static pen_status read_weights(const char *directory, struct pen_network *n, struct image *image, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    float *shift = image->values + n->n_total;
    PEN_TRY(pen_path_join(path, directory, "weights.bin", err));
    PEN_TRY(pen_weights_read(path, image->entries, image->n_entries, err));
    PEN_TRY(pen_device_upload(n->exec, n->values, image->values, (size_t)n->n_total * sizeof(float), err));
    return pen_network_set_input(n, shift, shift + n->spec.n_dense, err);
}

pen_status pen_model_write(const char *directory, const struct pen_network *n, pen_json *training,
                           struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    struct image image = {.values = NULL};
    pen_json *root = pen_json_object();
    pen_json_set_string(root, "format", "penstock model");
    pen_json_set_int(root, "format_version", FORMAT_VERSION);
    pen_json_set(root, "architecture", architecture_to_json(n));
    pen_json_set_double(root, "label_shift", n->label_shift);
    pen_json_set_double(root, "label_scale", n->label_scale);
    pen_json_set(root, "tensors", pen_tensor_spec_to_json(&n->spec));
    pen_json_set(root, "training", training);
    pen_status status = pen_path_join(path, directory, "model.json", err);
    if (status == PEN_OK) {
        status = pen_json_write_file(root, path, err);
    }
    pen_json_free(root);
    PEN_TRY(status);
    status = image_init(&image, n, err);
    if (status == PEN_OK) {
        status = write_weights(directory, n, &image, err);
    }
    image_deinit(&image);
    return status;
}

static pen_status find_name(const char *where, const char *key, const char *found, const char *const *names, int *index,
                            struct pen_error *err)
{
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], found) == 0) {
            *index = i;
            return PEN_OK;
        }
    }
    char quoted[PEN_QUOTE_BYTES];
    PEN_FAIL(err, PEN_ERR_DATA, "%s: %s: expected one of those this program has (%s, ...), found %s", where, key,
             names[0], pen_quote(quoted, found, strlen(found)));
}

/* Sizes are checked with the network. */
static pen_status text_from_json(const pen_json *architecture, const char *path, struct pen_text_conv_shape *text,
                                 struct pen_error *err)
{
    const pen_json *json = pen_json_get(architecture, "text_cnn"), *widths = NULL;
    if (!pen_json_is_object(json)) {
        return PEN_OK;
    }
    PEN_TRY(pen_json_need_array(json, "widths", path, &widths, err));
    PEN_TRY(pen_json_need_int(json, "filters", path, &text->n_filters, err));
    PEN_TRY(pen_json_need_int(json, "max_length", path, &text->max_length, err));
    text->n_widths = pen_json_size(widths);
    for (int64_t k = 0; k < text->n_widths && k < PEN_TEXT_WIDTHS_MAX; k++) {
        text->widths[k] = pen_json_int_or(pen_json_at(widths, k), -1);
    }
    return PEN_OK;
}

static pen_status architecture_from_json(const pen_json *root, const char *path, struct pen_architecture *a,
                                         struct pen_error *err)
{
    const pen_json *json = NULL, *hidden = NULL;
    const char *model = NULL, *activation = NULL, *pooling = NULL;
    int kind = 0, function = 0, norm = 0;
    PEN_TRY(pen_json_need_object(root, "architecture", path, &json, err));
    PEN_TRY(pen_json_need_string(json, "model", path, &model, err));
    PEN_TRY(pen_json_need_string(json, "activation", path, &activation, err));
    PEN_TRY(pen_json_need_string(json, "pooling", path, &pooling, err));
    PEN_TRY(pen_json_need_array(json, "hidden", path, &hidden, err));
    PEN_TRY(pen_json_need_int(json, "embedding_dim", path, &a->embedding_dim, err));
    PEN_TRY(find_name(path, "model", model, pen_model_kind_names, &kind, err));
    PEN_TRY(find_name(path, "activation", activation, pen_model_activation_names, &function, err));
    PEN_TRY(text_from_json(json, path, &a->text, err));
    /* A model of before there was normalisation has none. */
    PEN_TRY(find_name(path, "normalize", pen_json_string_or(pen_json_get(json, "normalize"), "none"),
                      pen_model_norm_names, &norm, err));
    a->norm = (enum pen_norm_kind)norm;
    a->kind = (enum pen_model_kind)kind;
    a->activation = (enum pen_activation)function;
    a->pool_sum = strcmp(pooling, "sum") == 0;
    a->n_hidden = pen_json_size(hidden);
    for (int64_t l = 0; l < a->n_hidden && l < PEN_NETWORK_HIDDEN_MAX; l++) {
        a->hidden[l] = pen_json_int_or(pen_json_at(hidden, l), -1);
    }
    return PEN_OK;
}

/* Parameters the claims of model.json would need, against the size of weights.bin, before anything is allocated. */
static pen_status check_claims(const char *directory, const struct pen_architecture *a,
                               const struct pen_tensor_spec *spec, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    int64_t size_bytes = 0;
    double n_values = 0;
    PEN_TRY(pen_path_join(path, directory, "weights.bin", err));
    PEN_TRY(pen_file_size(path, &size_bytes, err));
    for (int64_t f = 0; f < spec->n_ids; f++) {
        n_values += (double)spec->ids[f].n_values;
    }
    bool deep = a->kind != PEN_MODEL_LINEAR;
    double dense = (double)spec->n_dense * (deep && a->n_hidden > 0 ? (double)a->hidden[0] : 1.0);
    for (int64_t l = 1; deep && l < a->n_hidden && l < PEN_NETWORK_HIDDEN_MAX; l++) {
        dense += (double)a->hidden[l - 1] * (double)a->hidden[l];
    }
    for (int64_t f = 0; deep && f < spec->n_ids && a->text.n_widths <= PEN_TEXT_WIDTHS_MAX; f++) {
        if (spec->ids[f].ragged) {
            dense += (double)pen_text_conv_filter_rows(&a->text, a->text.n_widths) *
                     (double)(a->embedding_dim > 0 ? a->embedding_dim : 1);
        }
    }
    double least = n_values + dense;
    if (least > most_parameters || least * 4 > (double)size_bytes) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected at least %.0f bytes for what model.json describes, found %lld", path,
                 least * 4, (long long)size_bytes);
    }
    return PEN_OK;
}

static pen_status build(struct pen_network **network, const pen_json *root, const char *path, const char *directory,
                        struct pen_exec *exec, struct pen_arena *arena, struct pen_error *err)
{
    const pen_json *tensors = NULL;
    const char *format = NULL;
    int64_t version = 0;
    struct pen_architecture architecture = {.n_hidden = 0};
    struct pen_tensor_spec spec = {.n_dense = 0};
    double shift = 0, scale = 0;
    PEN_TRY(pen_json_need_string(root, "format", path, &format, err));
    PEN_TRY(pen_json_need_int(root, "format_version", path, &version, err));
    if (strcmp(format, "penstock model") != 0 || version != FORMAT_VERSION) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a penstock model of format version %d, found '%.40s' version %lld",
                 path, FORMAT_VERSION, format, (long long)version);
    }
    PEN_TRY(architecture_from_json(root, path, &architecture, err));
    PEN_TRY(pen_json_need_double(root, "label_shift", path, &shift, err));
    PEN_TRY(pen_json_need_double(root, "label_scale", path, &scale, err));
    if (!isfinite(shift) || !isfinite(scale) || scale == 0) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a finite label_shift and label_scale, found %g and %g", path, shift,
                 scale);
    }
    PEN_TRY(pen_json_need_object(root, "tensors", path, &tensors, err));
    PEN_TRY(pen_tensor_spec_from_json(arena, tensors, path, &spec, err));
    PEN_TRY(check_claims(directory, &architecture, &spec, err));
    pen_status status = pen_network_create(network, &architecture, &spec, exec, err);
    if (status != PEN_OK) {
        pen_error_prefix(err, "%s: ", path);
        return status;
    }
    (*network)->label_shift = shift;
    (*network)->label_scale = scale;
    return PEN_OK;
}

pen_status pen_model_read(struct pen_network **network, const char *directory, struct pen_exec *exec,
                          struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    struct pen_arena arena = {NULL};
    struct pen_network *n = NULL;
    struct image image = {.values = NULL};
    pen_json *root = NULL;
    PEN_TRY(pen_path_join(path, directory, "model.json", err));
    PEN_TRY(pen_json_read_file(path, &root, err));
    pen_status status = build(&n, root, path, directory, exec, &arena, err);
    if (status == PEN_OK) {
        status = image_init(&image, n, err);
    }
    if (status == PEN_OK) {
        status = read_weights(directory, n, &image, err);
    }
    image_deinit(&image);
    pen_arena_deinit(&arena);
    pen_json_free(root);
    if (status != PEN_OK) {
        pen_network_destroy(n);
        return status;
    }
    *network = n;
    return PEN_OK;
}
