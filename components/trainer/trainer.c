/* The component: options, opening the split, running training, writing model and curves. */
#include "components/trainer/trainer.h"

#include "components/trainer/model_file.h"
#include "components/trainer/training.h"
#include "components/trainer/tree.h"
#include "components/trainer/validate.h"
#include "core/files.h"
#include "core/log.h"

#include <string.h>

struct stop_options {
    int64_t patience;
    double min_delta;
    int metric;
};

struct checkpoint_options {
    const struct pen_config_node *every;
    int64_t steps, keep;
    bool epochs;
};

struct text_options {
    struct pen_config_ints widths;
    int64_t filters, max_length;
};

struct options {
    int model, activation, normalize, optimizer, schedule, pooling, precision, exchange;
    struct pen_config_ints hidden;
    int64_t embedding_dim, warmup_steps, schedule_step, batch_size, steps, epochs, eval_every, seed, log_every, threads;
    int64_t memory_limit_mb;
    double learning_rate, schedule_factor, momentum, beta1, beta2, epsilon, l1, l2, ftrl_beta, dropout, clip_norm;
    double validation_fraction;
    bool average, standardize, warm_start;
    const char *split;
    const struct pen_config_node *early_stopping, *checkpoint, *text_cnn;
};

static const char *const optimizers[] = {"sgd", "adam", "adamw", "adagrad", "ftrl", NULL};
static const char *const schedules[] = {"constant", "cosine", "linear", "step", NULL};
static const char *const poolings[] = {"mean", "sum", NULL};
static const char *const exchanges[] = {"device", "host", NULL};
static const char *const stop_metrics[] = {"loss", "metric", NULL};

#define OPTION(name, type, text, low, high, choices, help)                                       \
    {                                                                                            \
#name, PEN_OPTION_##type, offsetof(struct options, name), text, low, high, choices, help \
    }

static const struct pen_option option_table[] = {
    OPTION(model, ENUM, "wide_deep", 0, 0, pen_model_kind_names, "linear, dnn, or both added: wide_deep"),
    OPTION(hidden, INTS, "[128, 64]", 1, PEN_NETWORK_WIDTH_MAX, NULL, "widths of the hidden layers"),
    OPTION(activation, ENUM, "relu", 0, 0, pen_model_activation_names, "of the hidden layers"),
    OPTION(normalize, ENUM, "none", 0, 0, pen_model_norm_names,
           "outputs of the hidden layers: batch (over the rows of a step) or layer (over a row's values)"),
    OPTION(embedding_dim, INT, "0", 0, PEN_NETWORK_DIM_MAX, NULL,
           "width of an embedding; 0: from its number of values, at most 16"),
    OPTION(pooling, ENUM, "mean", 0, 0, poolings, "how the embeddings of a list of ids become one"),
    OPTION(text_cnn, NODE, NULL, 0, 0, NULL,
           "{widths: [3, 4, 5], filters: 64, max_length: 256}: convolutions over lists of ids, in place of pooling"),
    OPTION(optimizer, ENUM, "adam", 0, 0, optimizers, "update rule"),
    OPTION(learning_rate, DOUBLE, "0", 0, 1000, NULL, "0: from the optimizer and the model"),
    OPTION(schedule, ENUM, "constant", 0, 0, schedules, "learning rate over the steps"),
    OPTION(warmup_steps, INT, "-1", -1, 1e9, NULL,
           "steps in which the rate rises to its value; -1: a twentieth, at most 100"),
    OPTION(schedule_step, INT, "0", 0, 1e12, NULL, "step schedule: steps between decays; 0: a third of all"),
    OPTION(schedule_factor, DOUBLE, "0.1", 0, 1, NULL, "step schedule: factor of a decay"),
    OPTION(momentum, DOUBLE, "0.9", 0, 0.9999, NULL, "of sgd"),
    OPTION(beta1, DOUBLE, "0.9", 0, 0.99999, NULL, "of adam and adamw"),
    OPTION(beta2, DOUBLE, "0.999", 0, 0.9999999, NULL, "of adam and adamw"),
    OPTION(epsilon, DOUBLE, "1e-8", 1e-30, 1, NULL, "of adam, adamw and adagrad"),
    OPTION(ftrl_beta, DOUBLE, "1", 0, 1e6, NULL, "of ftrl"),
    OPTION(l1, DOUBLE, "0", 0, 1e6, NULL, "L1 penalty on weights, not on biases"),
    OPTION(l2, DOUBLE, "0", 0, 1e6, NULL, "L2 penalty (weight decay of adamw) on weights, not on biases"),
    OPTION(dropout, DOUBLE, "0", 0, 0.95, NULL, "share of hidden values dropped in training"),
    OPTION(clip_norm, DOUBLE, "0", 0, 1e9, NULL, "longest gradient; 0: as it is"),
    OPTION(batch_size, INT, "0", 0, 1048576, NULL, "rows a step; 0: 32 to 1024, from the number of rows"),
    OPTION(steps, INT, "0", 0, 1e12, NULL, "most steps; 0: from epochs"),
    OPTION(epochs, INT, "0", 0, 1e6, NULL, "most passes over the rows; 0: 4 to 100, from the number of rows"),
    OPTION(eval_every, INT, "0", 0, 1e12, NULL, "steps between validations; 0: an epoch, at most 2000 steps"),
    OPTION(seed, INT, "1", 0, 9e15, NULL, "of first weights, order and dropout"),
    OPTION(validation_fraction, DOUBLE, "-1", -1, 0.9, NULL,
           "share of the train split held out to choose the best step; -1: 0.1 to 0.2; 0: none"),
    OPTION(early_stopping, NODE, NULL, 0, 0, NULL, "{patience, metric: loss|metric, min_delta}, or false"),
    OPTION(checkpoint, NODE, NULL, 0, 0, NULL,
           "{every: 60s, steps, epochs, keep}, or false; an interrupted training goes on from its newest"),
    OPTION(average, BOOL, "true", 0, 0, NULL, "use the running mean of the weights over about an epoch"),
    OPTION(standardize, BOOL, "true", 0, 0, NULL, "scale dense columns whose mean or deviation is above 4"),
    OPTION(warm_start, BOOL, "false", 0, 0, NULL,
           "begin with the weights of the last blessed model; every blessed run then has another to begin with"),
    OPTION(precision, ENUM, "float32", 0, 0, pen_precision_names,
           "what a GPU may round the factors of products and text convolutions to; all else is float32, on the CPU "
           "these too"),
    OPTION(exchange, ENUM, "device", 0, 0, exchanges,
           "how several ranks on GPUs add up gradients: from device to device (NCCL), or through the host's memory, as "
           "ranks on the CPU do"),
    OPTION(split, STRING, "train", 0, 0, NULL, "split to train on"),
    OPTION(memory_limit_mb, INT, "0", 0, 1e7, NULL,
           "rows above this stay on disk and are read a window at a time; 0: 1024, or half of a GPU's memory"),
    OPTION(log_every, INT, "0", 0, 1e12, NULL, "steps between log lines; 0: none"),
    OPTION(threads, INT, "0", 0, 4096, NULL,
           "0: one for small steps, else all cores; the result is the same for any number"),
    {NULL, PEN_OPTION_BOOL, 0, NULL, 0, 0, NULL, NULL}};

#define STOP_OPTION(name, type, text, low, high, choices, help)                                       \
    {                                                                                                 \
#name, PEN_OPTION_##type, offsetof(struct stop_options, name), text, low, high, choices, help \
    }

static const struct pen_option stop_table[] = {
    STOP_OPTION(patience, INT, "0", 0, 1e9, NULL,
                "validations without a better one before the end; 0: 5, or 10 below 5000 rows"),
    STOP_OPTION(metric, ENUM, "loss", 0, 0, stop_metrics, "what is watched: the loss, or auc, accuracy, rmse"),
    STOP_OPTION(min_delta, DOUBLE, "0", 0, 1e9, NULL, "a smaller gain does not count; 0: a thousandth"),
    {NULL, PEN_OPTION_BOOL, 0, NULL, 0, 0, NULL, NULL}};

#define TEXT_OPTION(name, type, text, low, high, help)                                             \
    {                                                                                              \
#name, PEN_OPTION_##type, offsetof(struct text_options, name), text, low, high, NULL, help \
    }

static const struct pen_option text_table[] = {
    TEXT_OPTION(widths, INTS, "[3, 4, 5]", 1, PEN_TEXT_WIDTH_MAX, "tokens a filter covers"),
    TEXT_OPTION(filters, INT, "64", 1, 8192, "of each width"),
    TEXT_OPTION(max_length, INT, "256", 1, PEN_NETWORK_LENGTH_MAX,
                "tokens of a row that are looked at, its first ones"),
    {NULL, PEN_OPTION_BOOL, 0, NULL, 0, 0, NULL, NULL}};

#define CHECKPOINT_OPTION(name, type, text, low, high, help)                                             \
    {                                                                                                    \
#name, PEN_OPTION_##type, offsetof(struct checkpoint_options, name), text, low, high, NULL, help \
    }

static const struct pen_option checkpoint_table[] = {
    CHECKPOINT_OPTION(every, NODE, NULL, 0, 0, "time between two: 90s, 15m, 2h; 0: not by the clock"),
    CHECKPOINT_OPTION(steps, INT, "0", 0, 1e12, "steps between two; 0: not by steps"),
    CHECKPOINT_OPTION(epochs, BOOL, "false", 0, 0, "one at the end of each epoch"),
    CHECKPOINT_OPTION(keep, INT, "2", 1, 1000, "how many are kept"),
    {NULL, PEN_OPTION_BOOL, 0, NULL, 0, 0, NULL, NULL}};

/* A section with options, or true or false. */
static pen_status read_section(struct pen_arena *arena, const struct pen_config_node *node, const char *name,
                               void *options, size_t options_bytes, const struct pen_option *table, bool *enabled,
                               struct pen_error *err)
{
    *enabled = true;
    if (node != NULL && node->kind == PEN_CONFIG_SCALAR) {
        PEN_TRY(pen_config_bool(node, name, enabled, err));
        node = NULL;
    }
    return pen_config_options(arena, options, options_bytes, table, node, name, err);
}

static pen_status text_options(const struct pen_component_context *context, const struct pen_config_node *node,
                               struct pen_text_conv_shape *shape, struct pen_error *err)
{
    struct text_options o;
    bool enabled = node != NULL;
    *shape = (struct pen_text_conv_shape){.n_widths = 0};
    if (enabled) {
        PEN_TRY(read_section(context->arena, node, "text_cnn", &o, sizeof o, text_table, &enabled, err));
    }
    if (!enabled) {
        return PEN_OK;
    }
    if (o.widths.n_items < 1 || o.widths.n_items > PEN_TEXT_WIDTHS_MAX) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "trainer.text_cnn.widths: expected 1 to %d widths, found %lld",
                 PEN_TEXT_WIDTHS_MAX, (long long)o.widths.n_items);
    }
    shape->n_widths = o.widths.n_items;
    shape->n_filters = o.filters;
    shape->max_length = o.max_length;
    for (int64_t k = 0; k < o.widths.n_items; k++) {
        shape->widths[k] = o.widths.items[k];
    }
    return PEN_OK;
}

/* What the result depends on: not on when checkpoints are written, on threads or on log lines. */
static pen_json *configuration_of(const struct pen_component_context *context)
{
    static const char *const irrelevant[] = {"checkpoint", "threads", "log_every"};
    pen_json *configuration = pen_json_copy(context->configuration);
    pen_json *options = pen_json_edit(configuration, "options");
    for (size_t i = 0; pen_json_is_object(options) && i < sizeof irrelevant / sizeof irrelevant[0]; i++) {
        pen_json_set(options, irrelevant[i], pen_json_null());
    }
    return configuration;
}

/* checkpoints.where.configuration is the caller's to free. */
static pen_status checkpoint_options(const struct pen_component_context *context, const struct pen_config_node *node,
                                     struct pen_training_checkpoints *checkpoints, bool *enabled, struct pen_error *err)
{
    struct checkpoint_options o;
    double seconds = 60;
    PEN_TRY(read_section(context->arena, node, "checkpoint", &o, sizeof o, checkpoint_table, enabled, err));
    if (o.every != NULL) {
        PEN_TRY(pen_config_seconds(o.every, "every", &seconds, err));
    }
    *enabled = *enabled && context->checkpoints != NULL;
    *checkpoints = (struct pen_training_checkpoints){
        .where = {context->checkpoints, NULL, o.keep, context->resume},
        .seconds = seconds,
        .steps = o.steps,
        .epochs = o.epochs,
    };
    return PEN_OK;
}

static pen_status training_options(const struct options *o, const struct stop_options *stop,
                                   struct pen_training_options *t, struct pen_error *err)
{
    *t = (struct pen_training_options){.architecture = {.kind = (enum pen_model_kind)o->model,
                                                        .n_hidden = o->hidden.n_items,
                                                        .activation = (enum pen_activation)o->activation,
                                                        .norm = (enum pen_norm_kind)o->normalize,
                                                        .embedding_dim = o->embedding_dim,
                                                        .pool_sum = o->pooling == 1},
                                       .update = {.rule = {(enum pen_optimiser_kind)o->optimizer, o->momentum, o->beta1,
                                                           o->beta2, o->epsilon, o->l1, o->l2, o->ftrl_beta},
                                                  .clip_norm = o->clip_norm},
                                       .learning_rate = o->learning_rate,
                                       .schedule = (enum pen_schedule)o->schedule,
                                       .warmup_steps = o->warmup_steps,
                                       .schedule_step = o->schedule_step,
                                       .schedule_factor = o->schedule_factor,
                                       .dropout = o->dropout,
                                       .batch_size = o->batch_size,
                                       .steps = o->steps,
                                       .epochs = o->epochs,
                                       .eval_every = o->eval_every,
                                       .seed = (uint64_t)o->seed,
                                       .validation_fraction = o->validation_fraction,
                                       .patience = stop->patience,
                                       .min_delta = stop->min_delta,
                                       .stop_metric = (enum pen_stop_metric)stop->metric,
                                       .average = o->average,
                                       .standardise = o->standardize,
                                       .memory_bytes = o->memory_limit_mb << 20,
                                       .log_every = o->log_every,
                                       .threads = o->threads,
                                       .precision = (enum pen_precision)o->precision,
                                       .through_host = o->exchange == 1};
    if (o->hidden.n_items > PEN_NETWORK_HIDDEN_MAX) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "trainer.hidden: expected at most %d layers, found %lld", PEN_NETWORK_HIDDEN_MAX,
                 (long long)o->hidden.n_items);
    }
    for (int64_t l = 0; l < o->hidden.n_items; l++) {
        t->architecture.hidden[l] = o->hidden.items[l];
    }
    return PEN_OK;
}

struct store_source {
    struct pen_tensor_store *store;
    struct pen_tensor_buffer *buffer;
};

static pen_status read_store(void *user, int64_t first_row, int64_t n_rows, struct pen_tensor_batch *batch,
                             struct pen_error *err)
{
    struct store_source *s = user;
    return pen_tensor_read(s->store, first_row, n_rows, s->buffer, batch, err);
}

static int64_t count_parameters(const struct pen_network *n)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n->n_parameters; i++) {
        count += n->parameters[i].n_rows * n->parameters[i].dim;
    }
    return count;
}

static pen_json *result_to_json(const struct pen_network *n, const struct pen_training_result *r)
{
    pen_json *json = pen_json_object();
    pen_json_set_int(json, "steps", r->steps);
    pen_json_set_int(json, "best_step", r->best_step);
    pen_json_set_bool(json, "stopped_early", r->stopped_early);
    pen_json_set_double(json, "epochs", r->epochs);
    pen_json_set_int(json, "train_rows", r->n_train);
    pen_json_set_int(json, "validation_rows", r->n_validation);
    pen_json_set_int(json, "batch_size", r->batch_size);
    pen_json_set_double(json, "learning_rate", r->learning_rate);
    pen_json_set_string(json, "precision", pen_precision_names[r->precision]);
    pen_json_set_int(json, "parameters", count_parameters(n));
    pen_json_set_double(json, "train_loss", r->train_loss);
    pen_json_set_double(json, "validation_loss", r->validation_loss);
    char name[64] = "validation_";
    strncat(name, pen_validation_metric_name(n), sizeof name - sizeof "validation_");
    pen_json_set_double(json, name, r->validation_metric);
    return json;
}

static pen_status write_outputs(struct pen_component_context *context, const struct pen_network *network,
                                const struct pen_training_result *result, pen_json *curves, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    const char *model = pen_component_output(context, "model"), *run = pen_component_output(context, "model_run");
    /* The model's own facts leave the clock out, so that the same training gives the same bytes. */
    pen_json *root = pen_json_object(), *timed = result_to_json(network, result);
    pen_json_set_double(timed, "seconds", result->seconds);
    pen_json_set_double(timed, "rows_per_s", result->rows_per_s);
    pen_json_set_int(root, "schema", 1);
    pen_json_set_string(root, "metric", pen_validation_metric_name(network));
    pen_json_set(root, "result", timed);
    pen_json_set(root, "curves", pen_json_copy(curves));
    pen_status status = pen_path_join(path, run, "curves.json", err);
    if (status == PEN_OK) {
        status = pen_json_write_file(root, path, err);
    }
    pen_json_free(root);
    PEN_TRY(status);
    PEN_TRY(pen_model_write(model, network, result_to_json(network, result), err));
    PEN_TRY(pen_path_join(path, model, "transform", err));
    PEN_TRY(pen_trainer_copy_tree(context->arena, pen_component_input(context, "transform_graph"), path, err));
    pen_json_set_int(pen_component_properties(context, "model"), "steps", result->steps);
    pen_json_set_double(pen_component_properties(context, "model"), "validation_loss", result->validation_loss);
    return PEN_OK;
}

static pen_status train(struct pen_component_context *context, const struct options *o,
                        const struct pen_training_options *training, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct store_source store = {NULL, NULL};
    struct pen_network *network = NULL, *base = NULL;
    struct pen_training_result result;
    pen_json *curves = pen_json_array();
    const char *examples = pen_component_input(context, "transformed_examples");
    const char *base_path = pen_component_input(context, "base_model");
    const char *const *splits = NULL;
    int64_t n_splits = 0;
    PEN_TRY_GOTO(cleanup, pen_component_splits(context, examples, &splits, &n_splits, err));
    PEN_TRY_GOTO(cleanup, pen_component_check_split(context, "split", o->split, splits, n_splits, err));
    const char *path = pen_component_split_path(context, examples, o->split);
    if (path == NULL || curves == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: opening %s", examples);
    }
    PEN_TRY_GOTO(cleanup, pen_tensor_open(&store.store, path, err));
    const struct pen_tensor_spec *spec = pen_tensor_spec_of(store.store);
    PEN_TRY_GOTO(cleanup, pen_tensor_buffer_create(&store.buffer, spec, err));
    if (base_path != NULL) {
        PEN_TRY_GOTO(cleanup, pen_model_read(&base, base_path, context->exec, err));
    } else if (o->warm_start) {
        pen_log(PEN_LOG_INFO, "warm start: no model was blessed yet, the first weights are drawn by the seed");
    }
    struct pen_examples_source source = {&store, pen_tensor_n_rows(store.store), spec, path, read_store};
    PEN_TRY_GOTO(cleanup, pen_training_run(&network, &result, curves, &source, training, base, context->exec, err));
    pen_log(PEN_LOG_INFO,
            "trained %lld steps of %lld rows (%.1f epochs), %s; best at step %lld: validation loss %.5f, %s %.5f",
            (long long)result.steps, (long long)result.batch_size, result.epochs,
            result.stopped_early ? "stopped early" : "all planned", (long long)result.best_step, result.validation_loss,
            pen_validation_metric_name(network), result.validation_metric);
    if (training->ranks->rank == 0) {
        status = write_outputs(context, network, &result, curves, err);
    }
cleanup:
    pen_json_free(curves);
    pen_network_destroy(network);
    pen_network_destroy(base);
    pen_tensor_buffer_destroy(store.buffer);
    pen_tensor_close(store.store);
    return status;
}

static pen_status run(struct pen_component_context *context, struct pen_error *err)
{
    struct options options;
    struct stop_options stop;
    struct pen_training_options training;
    struct pen_training_checkpoints checkpoints;
    bool stops_early = false, has_checkpoints = false;
    PEN_TRY(
        pen_config_options(context->arena, &options, sizeof options, option_table, context->options, "trainer", err));
    PEN_TRY(read_section(context->arena, options.early_stopping, "early_stopping", &stop, sizeof stop, stop_table,
                         &stops_early, err));
    PEN_TRY(checkpoint_options(context, options.checkpoint, &checkpoints, &has_checkpoints, err));
    PEN_TRY(training_options(&options, &stop, &training, err));
    PEN_TRY(text_options(context, options.text_cnn, &training.architecture.text, err));
    training.early_stopping = stops_early;
    pen_json *configuration = configuration_of(context);
    checkpoints.where.configuration = configuration;
    training.ranks = pen_component_ranks(context);
    training.checkpoints = has_checkpoints ? &checkpoints : NULL;
    pen_status status = train(context, &options, &training, err);
    pen_json_free(configuration);
    return status;
}

static const struct pen_component_port inputs[] = {
    {"transformed_examples", "Examples", false, "transform", "tensors of each split"},
    {"transform_graph", "TransformGraph", false, "transform", "copied into the model"},
    {"base_model", "Model", true, NULL, "warm start: weights to begin with"},
    {NULL, NULL, false, NULL, NULL}};

static const struct pen_component_port outputs[] = {
    {"model", "Model", false, NULL, "architecture, weights and transform graph"},
    {"model_run", "ModelRun", false, NULL, "training curves"},
    {NULL, NULL, false, NULL, NULL}};

const struct pen_component pen_trainer = {.name = "trainer",
                                          .version = 1,
                                          .description = "Trains a model on the transformed examples",
                                          .options = option_table,
                                          .options_bytes = sizeof(struct options),
                                          .inputs = inputs,
                                          .outputs = outputs,
                                          .over_ranks = true,
                                          .on_device = true,
                                          .rounds_by_ranks = true,
                                          .run = run};
