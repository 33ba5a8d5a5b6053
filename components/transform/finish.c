/* From analyzed nodes to outputs: which tensor each feature fills, what the label is, which columns may be absent. */
#include "components/transform/program.h"

#include "core/text.h"

#include <math.h>
#include <string.h>

static pen_status fail_at(const struct pen_transform_feature *feature, struct pen_error *err, const char *message)
{
    return pen_syntax_error(&feature->source, 0, err, "%s", message);
}

/* ---- columns that may be absent ---- */

/* A node tolerates missing when every reader replaces or only asks for it; outputs do not count as such readers. */
static pen_status mark_fillable(struct pen_transform_graph *graph, struct pen_error *err)
{
    bool *strict = NULL; /* a reader needs the value itself */
    PEN_ALLOC(strict, graph->n_nodes + 1, err);
    for (int64_t i = 0; i < graph->n_outputs; i++) {
        strict[graph->outputs[i].node] = true;
    }
    for (int64_t i = graph->n_nodes - 1; i >= 0; i--) {
        const struct pen_node *node = &graph->nodes[i];
        if (pen_node_is_constant(node->op) || node->op == PEN_NODE_IS_MISSING) {
            continue;
        }
        bool passes_on = node->op == PEN_NODE_TO_FLOAT || node->op == PEN_NODE_TO_STRING;
        for (int k = 0; k < node->n_arguments; k++) {
            bool replaced = node->op == PEN_NODE_FILL && k == 0;
            strict[node->arguments[k]] = strict[node->arguments[k]] || (passes_on ? strict[i] : !replaced);
        }
        if (node->op == PEN_NODE_COLUMN) {
            graph->inputs[node->input].fillable = !strict[i];
        }
    }
    pen_free(strict);
    return PEN_OK;
}

/* ---- features ---- */

static const char *dense_name(struct pen_transform_graph *graph, const struct pen_transform_output *output,
                              int64_t column)
{
    const struct pen_node *node = &graph->nodes[output->node];
    if (node->type != PEN_VALUE_DENSE) {
        return output->name;
    }
    const struct pen_node *ids = &graph->nodes[node->arguments[0]];
    const struct pen_analysis *found = ids->analysis >= 0 ? &graph->analyses[ids->analysis] : NULL;
    if (found != NULL && found->vocabulary != NULL) {
        char quoted[PEN_QUOTE_BYTES];
        size_t size = 0;
        int64_t n = pen_string_table_size(found->vocabulary);
        if (column >= n) {
            return pen_arena_printf(&graph->arena, "%s[other %lld]", output->name, (long long)(column - n));
        }
        const char *text = pen_string_table_text(found->vocabulary, column, &size);
        return pen_arena_printf(&graph->arena, "%s[%s]", output->name, pen_quote(quoted, text, size));
    }
    return pen_arena_printf(&graph->arena, "%s[%lld]", output->name, (long long)column);
}

static pen_status add_feature(struct pen_transform_graph *graph, const struct pen_transform_feature *feature,
                              struct pen_error *err)
{
    const struct pen_node *node = &graph->nodes[feature->node];
    struct pen_transform_output *output = &graph->outputs[graph->n_outputs++];
    *output = (struct pen_transform_output){.name = feature->name, .node = feature->node, .width = 1};
    if (node->type == PEN_VALUE_IDS || node->type == PEN_VALUE_ID_LIST) {
        output->kind = node->type == PEN_VALUE_IDS ? PEN_OUTPUT_IDS : PEN_OUTPUT_RAGGED;
        output->first = graph->spec.n_ids++;
        return PEN_OK;
    }
    output->kind = PEN_OUTPUT_DENSE;
    if (node->type == PEN_VALUE_DENSE) {
        output->width = pen_node_n_values(graph, feature->node);
        if (output->width > PEN_TRANSFORM_MAX_ONEHOT) {
            return pen_syntax_error(&feature->source, node->offset, err,
                                    "%s: expected at most %d values, found %lld; use vocab(x) for an embedding, or "
                                    "onehot(vocab(x, top_k: 100))",
                                    pen_node_op_text(node->op), PEN_TRANSFORM_MAX_ONEHOT, (long long)output->width);
        }
    }
    output->first = graph->spec.n_dense;
    graph->spec.n_dense += output->width;
    if (graph->spec.n_dense > PEN_TRANSFORM_MAX_DENSE) {
        return pen_syntax_error(&feature->source, 0, err, "expected at most %d numbers a row in all features together",
                                PEN_TRANSFORM_MAX_DENSE);
    }
    return PEN_OK;
}

static pen_status describe_features(struct pen_transform_graph *graph, struct pen_error *err)
{
    struct pen_tensor_spec *spec = &graph->spec;
    const char **names = pen_arena_alloc(&graph->arena, spec->n_dense + 1, sizeof *names);
    struct pen_tensor_ids_spec *ids = pen_arena_alloc(&graph->arena, spec->n_ids + 1, sizeof *ids);
    bool failed = names == NULL || ids == NULL;
    for (int64_t i = 0; i < graph->n_outputs && !failed; i++) {
        const struct pen_transform_output *output = &graph->outputs[i];
        if (output->kind == PEN_OUTPUT_DENSE) {
            for (int64_t k = 0; k < output->width; k++) {
                names[output->first + k] = dense_name(graph, output, k);
                failed = failed || names[output->first + k] == NULL;
            }
        } else {
            ids[output->first] = (struct pen_tensor_ids_spec){.name = output->name,
                                                              .n_values = pen_node_n_values(graph, output->node),
                                                              .ragged = output->kind == PEN_OUTPUT_RAGGED};
        }
    }
    if (failed) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: describing the features");
    }
    spec->dense_names = names;
    spec->ids = ids;
    return PEN_OK;
}

/* ---- the label ---- */

static int64_t n_classes_found(const struct pen_analysis *found)
{
    return found->vocabulary != NULL ? pen_string_table_size(found->vocabulary) : found->n_edges;
}

static pen_status name_classes(struct pen_transform_graph *graph, const struct pen_analysis *found,
                               struct pen_error *err)
{
    int64_t n = n_classes_found(found);
    const char **names = pen_arena_alloc(&graph->arena, n + 1, sizeof *names);
    for (int64_t i = 0; names != NULL && i < n; i++) {
        char number[PEN_NUMBER_BYTES];
        size_t size = 0;
        const char *text = found->vocabulary != NULL ? pen_string_table_text(found->vocabulary, i, &size) : NULL;
        names[i] = text != NULL ? pen_arena_strndup(&graph->arena, text, size)
                                : pen_arena_strdup(&graph->arena, pen_format_double(number, found->edges[i]));
        names = names[i] == NULL ? NULL : names;
    }
    if (names == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: the label's classes");
    }
    graph->spec.n_classes = n;
    graph->spec.classes = names;
    return PEN_OK;
}

/* Two classes in the other order. */
static pen_status swap_classes(struct pen_transform_graph *graph, struct pen_analysis *found, struct pen_error *err)
{
    if (found->vocabulary == NULL) {
        double *swapped = pen_arena_alloc(&graph->arena, 2, sizeof *swapped);
        if (swapped == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: the label's classes");
        }
        swapped[0] = found->edges[1];
        swapped[1] = found->edges[0];
        found->edges = swapped;
        return PEN_OK;
    }
    struct pen_string_table *swapped = NULL;
    PEN_TRY(pen_string_table_create(&swapped, err));
    for (int64_t i = 1; i >= 0; i--) {
        size_t size = 0;
        int64_t ignored = 0;
        const char *text = pen_string_table_text(found->vocabulary, i, &size);
        pen_status status =
            pen_string_table_add(swapped, text, size, pen_string_table_count(found->vocabulary, i), &ignored, err);
        if (status != PEN_OK) {
            pen_string_table_destroy(swapped);
            return status;
        }
    }
    pen_string_table_destroy(found->vocabulary);
    found->vocabulary = swapped;
    return PEN_OK;
}

/* Which class counts as positive: the second, or the one asked for. */
static pen_status place_positive(struct pen_transform_graph *graph, struct pen_analysis *found, struct pen_error *err)
{
    const char *const *classes = graph->spec.classes;
    if (graph->positive == NULL || strcmp(graph->positive, classes[1]) == 0) {
        return PEN_OK;
    }
    char first[PEN_QUOTE_BYTES], second[PEN_QUOTE_BYTES], asked[PEN_QUOTE_BYTES];
    if (strcmp(graph->positive, classes[0]) != 0) {
        return pen_syntax_error(&graph->label.source, 0, err, "positive: expected '%s' or '%s', found '%s'",
                                pen_quote(first, classes[0], strlen(classes[0])),
                                pen_quote(second, classes[1], strlen(classes[1])),
                                pen_quote(asked, graph->positive, strlen(graph->positive)));
    }
    PEN_TRY(swap_classes(graph, found, err));
    return name_classes(graph, found, err);
}

/* Few whole numbers that count from 0 or 1 are classes; other numbers with more than two values are quantities. */
static bool looks_like_classes(const struct pen_analysis *found)
{
    enum { MOST = 10 };
    if (found->n_edges > MOST || (found->edges[0] != 0 && found->edges[0] != 1)) {
        return false;
    }
    for (int64_t i = 0; i < found->n_edges; i++) {
        if (found->edges[i] != found->edges[0] + (double)i) {
            return false;
        }
    }
    return true;
}

static enum pen_task choose_task(const struct pen_transform_graph *graph, const struct pen_analysis *found)
{
    int64_t n = n_classes_found(found);
    if (graph->task_asked != PEN_TASK_NONE) {
        return graph->task_asked;
    }
    if (found->many || n > 2) {
        bool is_string = graph->label_number < 0;
        return is_string || (!found->many && looks_like_classes(found)) ? PEN_TASK_MULTICLASS : PEN_TASK_REGRESSION;
    }
    return PEN_TASK_BINARY;
}

static pen_status check_classes(struct pen_transform_graph *graph, const struct pen_analysis *found, enum pen_task task,
                                struct pen_error *err)
{
    int64_t n = n_classes_found(found);
    const struct pen_transform_feature *label = &graph->label;
    if (found->many) {
        return pen_syntax_error(&label->source, 0, err, "expected at most %d classes, found more distinct values%s",
                                PEN_TRANSFORM_MAX_CLASSES,
                                graph->label_number >= 0 ? "; for a quantity write task: regression" : "");
    }
    if (n == 0) {
        return fail_at(label, err, "expected values in the analyze split, found all missing");
    }
    if (n == 1) {
        return fail_at(label, err, "expected two or more distinct values in the analyze split, found one");
    }
    if (task == PEN_TASK_BINARY && n != 2) {
        return pen_syntax_error(&label->source, 0, err, "task binary: expected two distinct values, found %lld",
                                (long long)n);
    }
    return PEN_OK;
}

static pen_status truth_label(struct pen_transform_graph *graph, struct pen_error *err)
{
    static const char *const usual[] = {"false", "true"}, *const swapped[] = {"true", "false"};
    const char *positive = graph->positive;
    if (graph->task_asked != PEN_TASK_NONE && graph->task_asked != PEN_TASK_BINARY) {
        return fail_at(&graph->label, err, "a true or false label: expected task binary");
    }
    if (positive != NULL && strcmp(positive, "true") != 0 && strcmp(positive, "false") != 0) {
        return fail_at(&graph->label, err, "positive: expected true or false");
    }
    graph->spec.task = PEN_TASK_BINARY;
    graph->spec.n_classes = 2;
    graph->spec.classes = positive != NULL && positive[0] == 'f' ? swapped : usual;
    return PEN_OK;
}

static pen_status finish_label(struct pen_transform_graph *graph, int32_t *node, struct pen_error *err)
{
    if (graph->nodes[graph->label.node].type == PEN_VALUE_BOOL) {
        *node = graph->label_number;
        return truth_label(graph, err);
    }
    graph->spec.task = PEN_TASK_REGRESSION;
    *node = graph->label_number;
    if (graph->classes_node < 0) {
        return PEN_OK;
    }
    struct pen_analysis *found = &graph->analyses[graph->nodes[graph->classes_node].analysis];
    enum pen_task task = choose_task(graph, found);
    if (task == PEN_TASK_REGRESSION) {
        if (graph->positive != NULL) {
            return fail_at(&graph->label, err, "positive: expected a label of two classes, found a quantity");
        }
        return PEN_OK;
    }
    PEN_TRY(check_classes(graph, found, task, err));
    graph->spec.task = task;
    *node = graph->classes_node;
    PEN_TRY(name_classes(graph, found, err));
    if (graph->positive != NULL && task != PEN_TASK_BINARY) {
        return fail_at(&graph->label, err, "positive: expected a label of two classes, found more");
    }
    return task == PEN_TASK_BINARY ? place_positive(graph, found, err) : PEN_OK;
}

/* ---- all ---- */

static pen_status plan(struct pen_transform_graph *graph, int with_label, struct pen_error *err)
{
    int64_t n = with_label ? graph->n_outputs : graph->n_feature_outputs;
    int32_t *roots = pen_arena_alloc(&graph->arena, n + 1, sizeof *roots);
    int32_t *sinks = pen_arena_alloc(&graph->arena, n + 1, sizeof *sinks);
    if (roots == NULL || sinks == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: planning a transform");
    }
    for (int64_t i = 0; i < n; i++) {
        roots[i] = graph->outputs[i].node;
        sinks[i] = (int32_t)i;
    }
    return pen_program_plan(&graph->arena, graph, roots, sinks, n, &graph->apply[with_label], err);
}

pen_status pen_graph_finish(struct pen_transform_graph *graph, struct pen_error *err)
{
    graph->outputs = pen_arena_alloc(&graph->arena, graph->n_features + 3, sizeof *graph->outputs);
    if (graph->outputs == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: outputs of a transform");
    }
    for (int64_t i = 0; i < graph->n_features; i++) {
        PEN_TRY(add_feature(graph, &graph->features[i], err));
    }
    PEN_TRY(describe_features(graph, err));
    graph->n_feature_outputs = graph->n_outputs;
    if (graph->label.expression != NULL) {
        struct pen_transform_output output = {.kind = PEN_OUTPUT_LABEL, .name = "label", .width = 1};
        PEN_TRY(finish_label(graph, &output.node, err));
        graph->outputs[graph->n_outputs++] = output;
        graph->spec.label = graph->label.expression;
    }
    if (graph->weight.expression != NULL) {
        graph->outputs[graph->n_outputs++] = (struct pen_transform_output){
            .kind = PEN_OUTPUT_WEIGHT, .name = "weight", .node = graph->weight.node, .width = 1};
        graph->spec.has_weight = true;
    }
    PEN_TRY(mark_fillable(graph, err));
    PEN_TRY(plan(graph, 0, err));
    return plan(graph, 1, err);
}
