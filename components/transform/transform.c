/* The Transform component: compile over the analyze split, save the graph, apply it to every split. */
#include "components/transform/transform.h"

#include "components/transform/evaluate.h"
#include "components/transform/transform_internal.h"
#include "core/communicator.h"
#include "core/files.h"
#include "core/log.h"
#include "core/text.h"

#include <string.h>

static const char *const tasks[] = {"auto", "binary", "multiclass", "regression", NULL};

static const struct pen_option option_table[] = {
    {"features", PEN_OPTION_NODE, offsetof(struct pen_transform_options, features), NULL, 0, 0, NULL,
     "name: expression of each feature; absent: chosen from the statistics"},
    {"label", PEN_OPTION_NODE, offsetof(struct pen_transform_options, label), NULL, 0, 0, NULL,
     "expression of what is predicted"},
    {"weight", PEN_OPTION_NODE, offsetof(struct pen_transform_options, weight), NULL, 0, 0, NULL,
     "expression of a row's weight; absent: 1"},
    {"task", PEN_OPTION_ENUM, offsetof(struct pen_transform_options, task), "auto", 0, 0, tasks,
     "binary, multiclass, regression, or auto: from the label's values"},
    {"positive", PEN_OPTION_STRING, offsetof(struct pen_transform_options, positive), NULL, 0, 0, NULL,
     "binary label: the value that counts as 1; absent: the larger one"},
    {"analyze", PEN_OPTION_STRING, offsetof(struct pen_transform_options, analyze), "train", 0, 0, NULL,
     "the split the analyzers see"},
    {.name = NULL},
};

static pen_status compile(struct pen_component_context *context, const struct pen_transform_options *options,
                          struct pen_store *const *stores, const char *const *splits, int64_t n_splits,
                          struct pen_transform_graph **graph, struct pen_error *err)
{
    struct pen_transform_request request;
    struct pen_transform_rows rows = {0};
    int64_t split = 0;
    PEN_TRY(pen_component_check_split(context, "analyze", options->analyze, splits, n_splits, err));
    while (strcmp(splits[split], options->analyze) != 0) {
        split++;
    }
    struct pen_transform_source source = {
        .user = &rows, .n_chunks = pen_store_n_chunks(stores[split]), .read = pen_transform_rows_read};
    PEN_TRY(pen_transform_make_request(context, options, stores[split], &request, err));
    request.ranks = pen_component_ranks(context);
    request.folder = pen_component_output(context, "transform_graph");
    PEN_TRY(pen_transform_rows_open(context, &rows, stores[split], request.n_columns, err));
    pen_status status = pen_transform_compile(graph, &request, &source, context->exec, err);
    pen_transform_rows_close(&rows);
    return status;
}

static pen_status write_splits(const char *folder, const char *const *splits, struct pen_store *const *stores,
                               int64_t n_splits, pen_json *properties, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(path, folder, "examples.json", err));
    pen_json *root = pen_json_object(), *list = pen_json_object();
    for (int64_t i = 0; i < n_splits; i++) {
        pen_json_set_int(list, splits[i], pen_store_n_rows(stores[i]));
    }
    pen_json_set(properties, "splits", pen_json_copy(list));
    pen_json_set(root, "splits", list);
    pen_status status = pen_json_write_file(root, path, err);
    pen_json_free(root);
    return status;
}

static void describe(struct pen_component_context *context, const struct pen_transform_graph *graph)
{
    static const char *const task_names[] = {"none", "binary", "multiclass", "regression"};
    const struct pen_tensor_spec *spec = pen_transform_spec(graph);
    pen_json *properties = pen_component_properties(context, "transform_graph");
    pen_json_set_string(properties, "task", task_names[spec->task]);
    pen_json_set_int(properties, "dense", spec->n_dense);
    pen_json_set_int(properties, "ids", spec->n_ids);
    pen_log(PEN_LOG_INFO, "transform graph: %lld numbers and %lld id features a row, task %s", (long long)spec->n_dense,
            (long long)spec->n_ids, task_names[spec->task]);
    if (spec->task == PEN_TASK_BINARY) {
        pen_log(PEN_LOG_INFO, "label: %s; the positive class is %s", spec->label, spec->classes[1]);
    }
}

static pen_status run_stores(struct pen_component_context *context, const struct pen_transform_options *options,
                             struct pen_store **stores, const char *const *splits, int64_t n_splits,
                             struct pen_error *err)
{
    const char *examples = pen_component_input(context, "examples");
    const char *out = pen_component_output(context, "transformed_examples");
    struct pen_transform_graph *graph = NULL;
    pen_status status = PEN_OK;
    for (int64_t i = 0; i < n_splits; i++) {
        PEN_TRY(pen_store_open(&stores[i], pen_component_split_path(context, examples, splits[i]), err));
    }
    PEN_TRY(compile(context, options, stores, splits, n_splits, &graph, err));
    if (pen_component_ranks(context)->rank > 0) { /* the graph is all they help with */
        pen_transform_destroy(graph);
        return PEN_OK;
    }
    describe(context, graph);
    pen_transform_log_places(graph, context->exec);
    PEN_TRY_GOTO(cleanup, pen_transform_save(graph, pen_component_output(context, "transform_graph"), err));
    for (int64_t i = 0; i < n_splits; i++) {
        PEN_TRY_GOTO(cleanup, pen_transform_apply_split(context, graph, stores[i], splits[i], err));
    }
    PEN_TRY_GOTO(cleanup, write_splits(out, splits, stores, n_splits,
                                       pen_component_properties(context, "transformed_examples"), err));
cleanup:
    pen_transform_destroy(graph);
    return status;
}

static pen_status run(struct pen_component_context *context, struct pen_error *err)
{
    struct pen_transform_options options;
    const char *const *splits = NULL;
    int64_t n_splits = 0;
    PEN_TRY(
        pen_config_options(context->arena, &options, sizeof options, option_table, context->options, "transform", err));
    PEN_TRY(pen_component_splits(context, pen_component_input(context, "examples"), &splits, &n_splits, err));
    struct pen_store **stores = pen_arena_alloc(context->arena, n_splits + 1, sizeof(*stores));
    if (stores == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: %lld splits", (long long)n_splits);
    }
    pen_status status = run_stores(context, &options, stores, splits, n_splits, err);
    for (int64_t i = 0; i < n_splits; i++) {
        pen_store_close(stores[i]);
    }
    return status;
}

static pen_status check(const struct pen_component_context *context, struct pen_error *err)
{
    struct pen_transform_options options;
    PEN_TRY(
        pen_config_options(context->arena, &options, sizeof options, option_table, context->options, "transform", err));
    return pen_transform_check_syntax(context->arena, &options, err);
}

static const struct pen_component_port inputs[] = {
    {"examples", "Examples", false, "example_gen", "the raw rows"},
    {"schema", "Schema", true, "schema_gen", "column types that a person declared"},
    {"statistics", "ExampleStatistics", true, "statistics_gen", "for features nobody wrote"},
    {.key = NULL},
};

static const struct pen_component_port outputs[] = {
    {"transform_graph", "TransformGraph", false, NULL, "graph.json and vocabularies"},
    {"transformed_examples", "Examples", false, NULL, "tensors, split by split"},
    {.key = NULL},
};

const struct pen_component pen_transform = {
    .name = "transform",
    .version = 1,
    .description = "turns raw rows into tensors, by expressions and what they learn from the data",
    .options = option_table,
    .options_bytes = sizeof(struct pen_transform_options),
    .inputs = inputs,
    .outputs = outputs,
    .over_ranks = true,
    .on_device = true,
    .run = run,
    .check = check,
};
