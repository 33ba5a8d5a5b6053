/* Transform graphs: built from expressions, analyzed, asked for what they need and give. */
#include "components/transform/graph.h"

#include "components/transform/analyze.h"
#include "components/transform/language/functions.h"
#include "components/transform/program.h"

#include <string.h>

void pen_transform_destroy(struct pen_transform_graph *graph)
{
    if (graph == NULL) {
        return;
    }
    for (int64_t i = 0; i < graph->n_analyses; i++) {
        pen_string_table_destroy(graph->analyses[i].vocabulary);
    }
    pen_free(graph->nodes);
    pen_free(graph->node_table);
    pen_free(graph->inputs);
    pen_free(graph->analyses);
    pen_free(graph->analysis_nodes);
    pen_arena_deinit(&graph->arena);
    pen_free(graph);
}

const struct pen_tensor_spec *pen_transform_spec(const struct pen_transform_graph *graph)
{
    return &graph->spec;
}

/* Features are compiled first, so the inputs they read stand in front. */
int64_t pen_transform_n_inputs(const struct pen_transform_graph *graph, bool with_label)
{
    int64_t n = 0;
    while (n < graph->n_inputs && (with_label || graph->inputs[n].in_features)) {
        n++;
    }
    return n;
}

const char *pen_transform_input_name(const struct pen_transform_graph *graph, int64_t input)
{
    return graph->inputs[input].name;
}

enum pen_type pen_transform_input_type(const struct pen_transform_graph *graph, int64_t input)
{
    return graph->inputs[input].type;
}

/* ---- building ---- */

static pen_status adopt_expression(struct pen_transform_graph *graph, const struct pen_transform_expression *from,
                                   const char *what, struct pen_transform_feature *to, struct pen_error *err)
{
    to->name = pen_arena_strdup(&graph->arena, from->name == NULL ? what : from->name);
    to->expression = pen_arena_strdup(&graph->arena, from->text);
    const char *file = pen_arena_strdup(&graph->arena, from->file == NULL ? "transform" : from->file);
    const char *whole = from->name == NULL ? what : pen_arena_printf(&graph->arena, "%s '%.100s'", what, from->name);
    if (to->name == NULL || to->expression == NULL || file == NULL || whole == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: compiling a transform");
    }
    to->source = (struct pen_syntax_source){
        .text = to->expression, .file = file, .line = from->line, .column = from->column, .what = whole};
    return PEN_OK;
}

static pen_status build_feature(struct pen_transform_graph *graph, const struct pen_transform_request *request,
                                int64_t i, struct pen_error *err)
{
    struct pen_transform_feature *feature = &graph->features[i];
    PEN_TRY(adopt_expression(graph, &request->features[i], "feature", feature, err));
    PEN_TRY(
        pen_graph_compile(graph, &feature->source, request->columns, request->n_columns, true, &feature->node, err));
    enum pen_value_type type = graph->nodes[feature->node].type;
    if (type == PEN_VALUE_STRING) {
        return pen_syntax_error(&feature->source, 0, err,
                                "expected a number, ids or a vector, found a string; use vocab(x), onehot(x) or "
                                "hash(x, n)");
    }
    if (type == PEN_VALUE_TOKENS) {
        return pen_syntax_error(&feature->source, 0, err,
                                "expected a number, ids or a vector, found a list of tokens; use vocab(x), multihot(x) "
                                "or hash(x, n)");
    }
    if (type == PEN_VALUE_INT || type == PEN_VALUE_BOOL) {
        struct pen_node convert = {.op = PEN_NODE_TO_FLOAT,
                                   .type = PEN_VALUE_FLOAT,
                                   .n_arguments = 1,
                                   .arguments = {feature->node},
                                   .source = &feature->source};
        return pen_graph_add(graph, &convert, &feature->node, err);
    }
    return PEN_OK;
}

static pen_status add_one(struct pen_transform_graph *graph, enum pen_transform_op op, int32_t argument,
                          enum pen_value_type type, const struct pen_transform_feature *of, int32_t *out,
                          struct pen_error *err)
{
    struct pen_node node = {.op = op, .type = type, .n_arguments = 1, .arguments = {argument}, .source = &of->source};
    return pen_graph_add(graph, &node, out, err);
}

static pen_status build_label(struct pen_transform_graph *graph, const struct pen_transform_request *request,
                              struct pen_error *err)
{
    struct pen_transform_feature *label = &graph->label;
    PEN_TRY(adopt_expression(graph, &request->label, "label", label, err));
    PEN_TRY(pen_graph_compile(graph, &label->source, request->columns, request->n_columns, false, &label->node, err));
    graph->task_asked = request->task;
    graph->positive = request->positive == NULL ? NULL : pen_arena_strdup(&graph->arena, request->positive);
    enum pen_value_type type = graph->nodes[label->node].type;
    if (type > PEN_VALUE_STRING) {
        return pen_syntax_error(&label->source, 0, err, "expected a number, a string or a truth value, found %s",
                                pen_value_type_name(type));
    }
    if (type == PEN_VALUE_STRING && request->task == PEN_TASK_REGRESSION) {
        return pen_syntax_error(&label->source, 0, err, "task regression: expected a number, found a string");
    }
    int32_t value = label->node;
    if (type == PEN_VALUE_BOOL && graph->positive != NULL && strcmp(graph->positive, "false") == 0) {
        PEN_TRY(add_one(graph, PEN_NODE_NOT, value, PEN_VALUE_BOOL, label, &value, err));
    }
    if (type != PEN_VALUE_STRING) {
        if (type != PEN_VALUE_FLOAT) {
            PEN_TRY(add_one(graph, PEN_NODE_TO_FLOAT, value, PEN_VALUE_FLOAT, label, &value, err));
        }
        graph->label_number = value;
    }
    if (type != PEN_VALUE_BOOL && request->task != PEN_TASK_REGRESSION) {
        return add_one(graph, PEN_NODE_CLASSES, value, PEN_VALUE_FLOAT, label, &graph->classes_node, err);
    }
    return PEN_OK;
}

static pen_status build_weight(struct pen_transform_graph *graph, const struct pen_transform_request *request,
                               struct pen_error *err)
{
    struct pen_transform_feature *weight = &graph->weight;
    PEN_TRY(adopt_expression(graph, &request->weight, "weight", weight, err));
    PEN_TRY(pen_graph_compile(graph, &weight->source, request->columns, request->n_columns, false, &weight->node, err));
    enum pen_value_type type = graph->nodes[weight->node].type;
    if (type > PEN_VALUE_BOOL) {
        return pen_syntax_error(&weight->source, 0, err, "expected a number, found %s", pen_value_type_name(type));
    }
    return type == PEN_VALUE_FLOAT
               ? PEN_OK
               : add_one(graph, PEN_NODE_TO_FLOAT, weight->node, PEN_VALUE_FLOAT, weight, &weight->node, err);
}

pen_status pen_graph_build(struct pen_transform_graph **out, const struct pen_transform_request *request,
                           struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_transform_graph *graph = NULL;
    PEN_ALLOC(graph, 1, err);
    graph->classes_node = -1;
    graph->label_number = -1;
    graph->features = pen_arena_alloc(&graph->arena, request->n_features + 1, sizeof *graph->features);
    if (graph->features == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: compiling a transform");
    }
    for (int64_t i = 0; i < request->n_features; i++) {
        PEN_TRY_GOTO(cleanup, build_feature(graph, request, i, err));
        graph->n_features++;
    }
    if (request->label.text != NULL) {
        PEN_TRY_GOTO(cleanup, build_label(graph, request, err));
    }
    if (request->weight.text != NULL) {
        PEN_TRY_GOTO(cleanup, build_weight(graph, request, err));
    }
    *out = graph;
    return PEN_OK;
cleanup:
    pen_transform_destroy(graph);
    return status;
}

pen_status pen_transform_compile(struct pen_transform_graph **out, const struct pen_transform_request *request,
                                 const struct pen_transform_source *rows, struct pen_exec *exec, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_transform_graph *graph = NULL;
    PEN_TRY(pen_graph_build(&graph, request, err));
    PEN_TRY_GOTO(cleanup, pen_graph_analyze(graph, rows, request, exec, err));
    PEN_TRY_GOTO(cleanup, pen_graph_finish(graph, err));
    *out = graph;
    return PEN_OK;
cleanup:
    pen_transform_destroy(graph);
    return status;
}
