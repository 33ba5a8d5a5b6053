/* graph.json: a transform graph as a file that people can read.
 *
 *   format, version
 *   columns      {name: type} of the raw columns it reads
 *   features     {name: expression}
 *   label        {expression, task, positive} or null;  weight: expression or null
 *   analyses     what the analyzers found, in the order in which the expressions name them
 *   tensors      the resulting tensor spec, for readers of the file
 *
 * Vocabularies are text files beside it, one entry a line in order of id; a backslash, newline or carriage return in
 * an entry is written \\, \n or \r. Loading compiles the expressions again and fills in the analyses: types, order and
 * Vocabularies are text files beside it (graph_file.h). Doubles are written with the digits that give back the same
 * bits. */
#include "components/transform/graph_file.h"
#include "components/transform/program.h"

#include "core/files.h"
#include "core/json.h"
#include "core/text.h"

#include <stdio.h>

static pen_json *numbers_to_json(const double *values, int64_t n)
{
    pen_json *list = pen_json_array();
    for (int64_t i = 0; i < n; i++) {
        pen_json_push(list, pen_json_double(values[i]));
    }
    return list;
}

static pen_json *groups_to_json(const struct pen_analysis *found)
{
    pen_json *list = pen_json_array();
    for (int64_t g = 0; g < found->n_groups; g++) {
        int64_t first = found->starts[g];
        pen_json_push(list, numbers_to_json(found->edges + first, found->starts[g + 1] - first));
    }
    return list;
}

static void mode_to_json(const struct pen_node *node, const struct pen_analysis *found, pen_json *out)
{
    if (node->type == PEN_VALUE_STRING) {
        pen_json_set(out, "value", found->text == NULL ? pen_json_null() : pen_json_string(found->text));
    } else if (node->type == PEN_VALUE_FLOAT) {
        pen_json_set_double(out, "value", found->number[0]);
    } else {
        pen_json_set_int(out, "value", found->integer);
    }
}

static pen_status found_to_json(const struct pen_transform_graph *graph, int64_t a, const char *directory,
                                pen_json *out, struct pen_error *err)
{
    const struct pen_node *node = &graph->nodes[graph->analysis_nodes[a]];
    const struct pen_analysis *found = &graph->analyses[a];
    char name[64];
    switch ((int)node->op) {
    case PEN_NODE_ZSCORE:
    case PEN_NODE_ROBUST:
        pen_json_set_double(out, node->op == PEN_NODE_ZSCORE ? "mean" : "median", found->number[0]);
        pen_json_set_double(out, "scale", found->number[1]);
        return PEN_OK;
    case PEN_NODE_MINMAX:
        pen_json_set_double(out, "min", found->number[0]);
        pen_json_set_double(out, "max", found->number[1]);
        return PEN_OK;
    case PEN_NODE_BUCKETIZE:
        pen_json_set(out, "edges", numbers_to_json(found->edges, found->n_edges));
        return PEN_OK;
    case PEN_NODE_RANK:
        pen_json_set(out, "quantiles", numbers_to_json(found->edges, found->n_edges));
        return PEN_OK;
    case PEN_NODE_STATISTIC_BY:
    case PEN_NODE_TFIDF:
        pen_json_set(out, "values", numbers_to_json(found->edges, found->n_edges));
        return PEN_OK;
    case PEN_NODE_BUCKETIZE_BY:
        pen_json_set(out, "edges", groups_to_json(found));
        return PEN_OK;
    case PEN_NODE_MODE:
        mode_to_json(node, found, out);
        return PEN_OK;
    case PEN_NODE_CLASSES:
        pen_json_set_bool(out, "many", found->many);
        if (found->vocabulary == NULL) {
            pen_json_set(out, "classes", numbers_to_json(found->edges, found->n_edges));
            return PEN_OK;
        }
        break;
    case PEN_NODE_VOCAB:
    case PEN_NODE_VOCAB_LIST:
        break;
    default:
        pen_json_set_double(out, "value", found->number[0]);
        return PEN_OK;
    }
    (void)snprintf(name, sizeof name, "vocabulary-%lld.txt", (long long)a);
    pen_json_set_string(out, "file", name);
    pen_json_set_int(out, "n_values", pen_string_table_size(found->vocabulary));
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(path, directory, name, err));
    return pen_vocabulary_write(found->vocabulary, path, err);
}

pen_status pen_analysis_to_json(const struct pen_transform_graph *graph, int64_t analysis, const char *folder,
                                pen_json *entry, struct pen_error *err)
{
    struct pen_text text = {0};
    pen_graph_describe(graph, graph->analysis_nodes[analysis], &text);
    pen_json_set_string(entry, "analyzer", pen_text_view(&text));
    pen_text_deinit(&text);
    return found_to_json(graph, analysis, folder, entry, err);
}

static pen_json *label_to_json(const struct pen_transform_graph *graph)
{
    if (graph->label.expression == NULL) {
        return pen_json_null();
    }
    pen_json *label = pen_json_object();
    pen_json_set_string(label, "expression", graph->label.expression);
    pen_json_set_string(label, "task", pen_graph_file_tasks[graph->task_asked]);
    pen_json_set_string(label, "positive", graph->positive);
    return label;
}

pen_status pen_transform_save(const struct pen_transform_graph *graph, const char *directory, struct pen_error *err)
{
    pen_status status = PEN_OK;
    char path[PEN_PATH_BYTES];
    pen_json *root = pen_json_object(), *columns = pen_json_object(), *features = pen_json_object();
    pen_json *analyses = pen_json_array();
    for (int64_t i = 0; i < graph->n_inputs; i++) {
        pen_json_set_string(columns, graph->inputs[i].name, pen_graph_file_type_name(graph->inputs[i].type));
    }
    for (int64_t i = 0; i < graph->n_features; i++) {
        pen_json_set_string(features, graph->features[i].name, graph->features[i].expression);
    }
    pen_json_set_string(root, "format", "penstock transform graph");
    pen_json_set_int(root, "version", 1);
    pen_json_set(root, "columns", columns);
    pen_json_set(root, "features", features);
    pen_json_set(root, "label", label_to_json(graph));
    pen_json_set_string(root, "weight", graph->weight.expression);
    pen_json_set(root, "analyses", analyses);
    for (int64_t a = 0; a < graph->n_analyses; a++) {
        pen_json *entry = pen_json_object();
        pen_json_push(analyses, entry);
        PEN_TRY_GOTO(cleanup, pen_analysis_to_json(graph, a, directory, entry, err));
    }
    pen_json_set(root, "tensors", pen_tensor_spec_to_json(&graph->spec));
    PEN_TRY_GOTO(cleanup, pen_path_join(path, directory, "graph.json", err));
    PEN_TRY_GOTO(cleanup, pen_json_write_file(root, path, err));
cleanup:
    pen_json_free(root);
    return status;
}
