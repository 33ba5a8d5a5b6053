/* The Transform component: options to a request, stores to batches, batches to tensor stores. */
#include "components/transform/transform.h"

#include "components/transform/compile.h"
#include "components/transform/defaults.h"
#include "components/transform/evaluate.h"
#include "core/files.h"
#include "core/log.h"
#include "core/text.h"
#include "datasets/schema/schema.h"

#include <omp.h>
#include <string.h>

struct transform_options {
    const struct pen_config_node *features, *label, *weight;
    int task;
    const char *positive;
    const char *analyze;
};

static const char *const tasks[] = {"auto", "binary", "multiclass", "regression", NULL};

static const struct pen_option option_table[] = {
    {"features", PEN_OPTION_NODE, offsetof(struct transform_options, features), NULL, 0, 0, NULL,
     "name: expression of each feature; absent: chosen from the statistics"},
    {"label", PEN_OPTION_NODE, offsetof(struct transform_options, label), NULL, 0, 0, NULL,
     "expression of what is predicted"},
    {"weight", PEN_OPTION_NODE, offsetof(struct transform_options, weight), NULL, 0, 0, NULL,
     "expression of a row's weight; absent: 1"},
    {"task", PEN_OPTION_ENUM, offsetof(struct transform_options, task), "auto", 0, 0, tasks,
     "binary, multiclass, regression, or auto: from the label's values"},
    {"positive", PEN_OPTION_STRING, offsetof(struct transform_options, positive), NULL, 0, 0, NULL,
     "binary label: the value that counts as 1; absent: the larger one"},
    {"analyze", PEN_OPTION_STRING, offsetof(struct transform_options, analyze), "train", 0, 0, NULL,
     "the split the analyzers see"},
    {.name = NULL},
};

/* ---- the request ---- */

static pen_status expression_of(const struct pen_config_node *node, const char *name, const char *what,
                                struct pen_transform_expression *out, struct pen_error *err)
{
    if (node->kind != PEN_CONFIG_SCALAR) {
        return pen_config_error(node, err, "%s: expected an expression, found %s", what,
                                node->kind == PEN_CONFIG_NULL ? "nothing" : "a list or a map");
    }
    *out = (struct pen_transform_expression){.name = name,
                                             .text = node->scalar,
                                             .file = node->file,
                                             .line = node->line,
                                             .column = node->column + (node->quoted ? 1 : 0)};
    return PEN_OK;
}

static pen_status given_features(struct pen_component_context *context, const struct pen_config_node *features,
                                 struct pen_transform_request *request, struct pen_error *err)
{
    if (features->kind != PEN_CONFIG_MAP || features->n_children == 0) {
        return pen_config_error(features, err, "features: expected name: expression, one a line");
    }
    struct pen_transform_expression *list = pen_arena_alloc(context->arena, features->n_children, sizeof *list);
    if (list == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading features");
    }
    for (int64_t i = 0; i < features->n_children; i++) {
        if (!pen_is_plain_name(features->keys[i])) {
            return pen_config_error(features->children[i], err,
                                    "feature '%.100s': expected a name of letters, digits, '_', '-' and '.'",
                                    features->keys[i]);
        }
        PEN_TRY(expression_of(features->children[i], features->keys[i], features->keys[i], &list[i], err));
    }
    request->features = list;
    request->n_features = features->n_children;
    return PEN_OK;
}

/* Columns of the label and the weight stay out of the default features. */
static pen_status excluded_columns(struct pen_component_context *context, const struct pen_transform_request *request,
                                   const char ***excluded, int64_t *n_excluded, struct pen_error *err)
{
    const struct pen_transform_expression *both[] = {&request->label, &request->weight};
    *excluded = NULL;
    *n_excluded = 0;
    for (int i = 0; i < 2; i++) {
        const char *const *columns = NULL;
        int64_t n = 0;
        if (both[i]->text == NULL) {
            continue;
        }
        PEN_TRY(pen_transform_expression_columns(context->arena, both[i]->text, both[i]->file, &columns, &n, err));
        const char **all = pen_arena_alloc(context->arena, *n_excluded + n + 1, sizeof *all);
        if (all == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: choosing features");
        }
        for (int64_t k = 0; k < *n_excluded; k++) {
            all[k] = (*excluded)[k];
        }
        for (int64_t k = 0; k < n; k++) {
            all[(*n_excluded)++] = columns[k];
        }
        *excluded = all;
    }
    return PEN_OK;
}

static pen_status default_features(struct pen_component_context *context, struct pen_transform_request *request,
                                   struct pen_error *err)
{
    const char *folder = pen_component_input(context, "statistics");
    if (folder == NULL) {
        PEN_FAIL(err, PEN_ERR_CONFIG,
                 "transform: expected features: name: expression, as there are no statistics to "
                 "choose them from");
    }
    struct pen_statistics statistics;
    struct pen_transform_default *chosen = NULL;
    const char **excluded = NULL;
    char path[PEN_PATH_BYTES];
    int64_t n_excluded = 0, n = 0;
    PEN_TRY(excluded_columns(context, request, &excluded, &n_excluded, err));
    PEN_TRY(pen_path_join(path, folder, "statistics.json", err));
    PEN_TRY(pen_statistics_read(path, &statistics, err));
    pen_status status =
        pen_transform_default_features(context->arena, &statistics, NULL, excluded, n_excluded, &chosen, &n, err);
    struct pen_transform_expression *list = pen_arena_alloc(context->arena, n + 1, sizeof *list);
    for (int64_t i = 0; status == PEN_OK && list != NULL && i < n; i++) {
        const char *column = pen_arena_strdup(context->arena, chosen[i].column);
        if (chosen[i].expression == NULL) {
            pen_log(PEN_LOG_INFO, "column %s: no feature: %s", column, chosen[i].note);
            continue;
        }
        list[request->n_features++] = (struct pen_transform_expression){
            .name = chosen[i].name, .text = chosen[i].expression, .file = "default features"};
    }
    pen_statistics_deinit(&statistics);
    if (status == PEN_OK && list == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: choosing features");
    }
    request->features = list;
    return status;
}

/* Types as stored, or as a person declared them in the schema. */
static pen_status raw_columns(struct pen_component_context *context, const struct pen_store *store,
                              struct pen_transform_request *request, struct pen_error *err)
{
    const char *folder = pen_component_input(context, "schema");
    struct pen_schema schema;
    pen_schema_init(&schema);
    if (folder != NULL) {
        char path[PEN_PATH_BYTES];
        PEN_TRY(pen_path_join(path, folder, "schema.yaml", err));
        PEN_TRY(pen_schema_read(path, &schema, err));
    }
    int64_t n = pen_store_n_columns(store);
    struct pen_transform_raw_column *columns = pen_arena_alloc(context->arena, n + 1, sizeof *columns);
    for (int64_t i = 0; columns != NULL && i < n; i++) {
        columns[i].name = pen_arena_strdup(context->arena, pen_store_column_name(store, i));
        columns[i].type = pen_store_column_type(store, i);
        const struct pen_schema_feature *declared = pen_schema_find(&schema, pen_store_column_name(store, i));
        if (declared != NULL && declared->type == PEN_SCHEMA_TYPE_STRING && !pen_type_is_string(columns[i].type)) {
            columns[i].type = PEN_TYPE_CODES;
        } else if (declared != NULL && declared->type == PEN_SCHEMA_TYPE_FLOAT && columns[i].type == PEN_TYPE_INT64) {
            columns[i].type = PEN_TYPE_FLOAT64;
        } else if (declared != NULL && declared->type == PEN_SCHEMA_TYPE_INT && columns[i].type == PEN_TYPE_NONE) {
            columns[i].type = PEN_TYPE_INT64;
        }
        columns = columns[i].name == NULL ? NULL : columns;
    }
    pen_schema_deinit(&schema);
    if (columns == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: %lld columns", (long long)n);
    }
    request->columns = columns;
    request->n_columns = n;
    return PEN_OK;
}

static pen_status make_request(struct pen_component_context *context, const struct transform_options *options,
                               const struct pen_store *store, struct pen_transform_request *request,
                               struct pen_error *err)
{
    *request = (struct pen_transform_request){.task = (enum pen_task)options->task, .positive = options->positive};
    if (options->label != NULL && options->label->kind != PEN_CONFIG_NULL) {
        PEN_TRY(expression_of(options->label, NULL, "label", &request->label, err));
    }
    if (options->weight != NULL && options->weight->kind != PEN_CONFIG_NULL) {
        PEN_TRY(expression_of(options->weight, NULL, "weight", &request->weight, err));
    }
    PEN_TRY(raw_columns(context, store, request, err));
    if (options->features != NULL && options->features->kind != PEN_CONFIG_NULL) {
        return given_features(context, options->features, request, err);
    }
    return default_features(context, request, err);
}

/* ---- stores as batches ---- */

struct reader {
    const struct pen_store *store;
    int64_t n_columns;
    struct pen_store_buffer *buffers; /* [n_columns] */
    struct pen_column *columns;
};

static pen_status open_reader(struct pen_component_context *context, struct reader *reader,
                              const struct pen_store *store, int64_t n_columns, struct pen_error *err)
{
    *reader = (struct reader){.store = store,
                              .n_columns = n_columns,
                              .buffers = pen_arena_alloc(context->arena, n_columns + 1, sizeof *reader->buffers),
                              .columns = pen_arena_alloc(context->arena, n_columns + 1, sizeof *reader->columns)};
    if (reader->buffers == NULL || reader->columns == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading %lld columns", (long long)n_columns);
    }
    return PEN_OK;
}

static void close_reader(struct reader *reader)
{
    for (int64_t i = 0; reader->buffers != NULL && i < reader->n_columns; i++) {
        pen_store_buffer_deinit(&reader->buffers[i]);
    }
}

/* One chunk of the named columns, each read by any thread. */
static pen_status read_chunk(struct reader *reader, int64_t chunk, const char *const *names, int64_t n_names,
                             struct pen_batch *batch, struct pen_error *err)
{
    const struct pen_store *store = reader->store;
    pen_status status = PEN_OK;
    PEN_ASSERT(n_names <= reader->n_columns);
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t i = 0; i < n_names; i++) {
        struct pen_error own = PEN_ERROR_INIT;
        int64_t column = pen_store_find_column(store, names[i]);
        pen_status result = column >= 0
                                ? pen_store_read(store, column, chunk, &reader->buffers[i], &reader->columns[i], &own)
                                : pen_error_set(&own, __FILE__, __LINE__, PEN_ERR_DATA,
                                                "%s: expected a column '%.100s'", pen_store_path(store), names[i]);
        if (result != PEN_OK) {
#pragma omp critical(pen_transform_read)
            {
                status = result;
                if (err != NULL) {
                    *err = own;
                }
            }
        }
    }
    *batch = (struct pen_batch){.n_rows = pen_store_chunk_rows(store, chunk),
                                .first_row = chunk * PEN_STORE_CHUNK_ROWS,
                                .n_columns = n_names,
                                .names = names,
                                .columns = reader->columns};
    return status;
}

static pen_status read_source(void *user, int64_t chunk, const char *const *names, int64_t n_names,
                              struct pen_batch *batch, struct pen_error *err)
{
    struct reader *reader = user;
    return read_chunk(reader, chunk, names, n_names, batch, err);
}

/* ---- applying ---- */

struct application {
    const struct pen_transform_graph *graph;
    struct pen_exec *exec;
    struct pen_tensor_writer *writer;
    struct pen_transform_scratch **scratches; /* one a thread */
    int n_threads;
    int64_t segment_rows;
};

static pen_status apply_segment(struct application *a, const struct pen_batch *batch, int64_t first, int64_t n,
                                struct pen_tensor_batch *tensors, struct pen_error *err)
{
    struct pen_column *columns = NULL;
    struct pen_batch rows;
    PEN_ALLOC(columns, batch->n_columns + 1, err);
    pen_transform_slice(batch, first, n, columns, &rows);
    pen_status status =
        pen_transform_apply(a->graph, a->exec, &rows, true, a->scratches[omp_get_thread_num()], tensors, err);
    pen_free(columns);
    return status;
}

/* Segments in parallel, appended in row order; the first failing one's error is reported. */
static pen_status apply_chunk(struct application *a, const struct pen_batch *batch, struct pen_error *err)
{
    pen_status status = PEN_OK;
    int64_t n_segments = (batch->n_rows + a->segment_rows - 1) / a->segment_rows;
#pragma omp parallel for ordered schedule(static, 1) num_threads(a->n_threads)
    for (int64_t s = 0; s < n_segments; s++) {
        struct pen_error own = PEN_ERROR_INIT;
        struct pen_tensor_batch tensors;
        int64_t first = s * a->segment_rows, left = batch->n_rows - first;
        pen_status result =
            apply_segment(a, batch, first, left < a->segment_rows ? left : a->segment_rows, &tensors, &own);
#pragma omp ordered
        {
            if (result == PEN_OK && status == PEN_OK) {
                result = pen_tensor_append(a->writer, &tensors, &own);
            }
            if (result != PEN_OK && status == PEN_OK) {
                status = result;
                if (err != NULL) {
                    *err = own;
                }
            }
        }
    }
    return status;
}

static void log_replaced(const struct application *a, const char *split)
{
    const struct pen_tensor_spec *spec = pen_transform_spec(a->graph);
    for (int64_t i = 0; i < spec->n_dense; i++) {
        int64_t n = 0;
        for (int t = 0; t < a->n_threads; t++) {
            n += pen_transform_scratch_n_replaced(a->scratches[t], i);
        }
        if (n > 0) {
            pen_log(PEN_LOG_INFO, "split %s: feature %s is missing or not finite in %lld rows, written as 0", split,
                    spec->dense_names[i], (long long)n);
        }
    }
}

static pen_status apply_store(struct application *a, struct reader *reader, const char *const *names, int64_t n_names,
                              struct pen_error *err)
{
    int64_t n_chunks = pen_store_n_chunks(reader->store);
    for (int64_t chunk = 0; chunk < n_chunks; chunk++) {
        struct pen_batch batch;
        PEN_TRY(pen_cancel_check(err));
        PEN_TRY(read_chunk(reader, chunk, names, n_names, &batch, err));
        PEN_TRY(apply_chunk(a, &batch, err));
        pen_progress("transform", chunk + 1, n_chunks, "chunks", "%s", pen_store_split(reader->store));
    }
    return PEN_OK;
}

static pen_status apply_split(struct pen_component_context *context, const struct pen_transform_graph *graph,
                              const struct pen_store *store, const char *split, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct reader reader = {0};
    int n_threads = omp_get_max_threads();
    /* A segment's dense block stays near 16 MiB. */
    int64_t fitting = ((int64_t)4 << 20) / (pen_transform_spec(graph)->n_dense + 1) / 8 * 8;
    struct application a = {.graph = graph,
                            .exec = context->exec,
                            .n_threads = n_threads,
                            .segment_rows = fitting < 64                      ? 64
                                            : fitting < PEN_TRANSFORM_SEGMENT ? fitting
                                                                              : PEN_TRANSFORM_SEGMENT};
    int64_t n_names = pen_transform_n_inputs(graph, true);
    const char **names = pen_arena_alloc(context->arena, n_names + 1, sizeof *names);
    a.scratches = pen_arena_alloc(context->arena, n_threads, sizeof(*a.scratches));
    if (names == NULL || a.scratches == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: transforming split %s", split);
    }
    for (int64_t i = 0; i < n_names; i++) {
        names[i] = pen_transform_input_name(graph, i);
    }
    const char *path = pen_component_split_path(context, pen_component_output(context, "transformed_examples"), split);
    const struct pen_store_options options = {.split = split, .span = -1};
    PEN_TRY_GOTO(cleanup, open_reader(context, &reader, store, n_names, err));
    for (int t = 0; t < n_threads; t++) {
        PEN_TRY_GOTO(cleanup, pen_transform_scratch_create(&a.scratches[t], graph, err));
        pen_transform_scratch_keep_dictionaries(a.scratches[t]);
    }
    PEN_TRY_GOTO(cleanup,
                 pen_tensor_create(&a.writer, path, pen_transform_spec(graph), pen_store_n_rows(store), &options, err));
    PEN_TRY_GOTO(cleanup, apply_store(&a, &reader, names, n_names, err));
    log_replaced(&a, split);
    status = pen_tensor_finish(a.writer, err);
    a.writer = NULL;
cleanup:
    pen_tensor_abandon(a.writer);
    for (int t = 0; t < n_threads; t++) {
        pen_transform_scratch_destroy(a.scratches[t]);
    }
    close_reader(&reader);
    return status;
}

/* ---- the whole ---- */

static pen_status find_split(const char *name, const char *const *splits, int64_t n_splits, int64_t *index,
                             struct pen_error *err)
{
    for (int64_t i = 0; i < n_splits; i++) {
        if (strcmp(splits[i], name) == 0) {
            *index = i;
            return PEN_OK;
        }
    }
    const char *near = pen_nearest_name(name, splits, n_splits);
    PEN_FAIL(err, PEN_ERR_CONFIG, "option analyze: expected a split of the examples, such as '%s', found '%.100s'",
             near != NULL    ? near
             : n_splits == 0 ? "train"
                             : splits[0],
             name);
}

static pen_status compile(struct pen_component_context *context, const struct transform_options *options,
                          struct pen_store *const *stores, const char *const *splits, int64_t n_splits,
                          struct pen_transform_graph **graph, struct pen_error *err)
{
    struct pen_transform_request request;
    struct reader reader = {0};
    int64_t split = 0;
    PEN_TRY(find_split(options->analyze, splits, n_splits, &split, err));
    struct pen_transform_source source = {
        .user = &reader, .n_chunks = pen_store_n_chunks(stores[split]), .read = read_source};
    PEN_TRY(make_request(context, options, stores[split], &request, err));
    PEN_TRY(open_reader(context, &reader, stores[split], request.n_columns, err));
    pen_status status = pen_transform_compile(graph, &request, &source, context->exec, err);
    close_reader(&reader);
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

static pen_status run_stores(struct pen_component_context *context, const struct transform_options *options,
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
    describe(context, graph);
    PEN_TRY_GOTO(cleanup, pen_transform_save(graph, pen_component_output(context, "transform_graph"), err));
    for (int64_t i = 0; i < n_splits; i++) {
        PEN_TRY_GOTO(cleanup, apply_split(context, graph, stores[i], splits[i], err));
    }
    PEN_TRY_GOTO(cleanup, write_splits(out, splits, stores, n_splits,
                                       pen_component_properties(context, "transformed_examples"), err));
cleanup:
    pen_transform_destroy(graph);
    return status;
}

static pen_status run(struct pen_component_context *context, struct pen_error *err)
{
    struct transform_options options;
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
    .options_bytes = sizeof(struct transform_options),
    .inputs = inputs,
    .outputs = outputs,
    .run = run,
};
