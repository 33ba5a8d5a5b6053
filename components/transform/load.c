/* Loading graph.json, the format in save.c: the expressions are compiled again and the analyses filled in. Types, order
 * and sizes are checked by the compiler, so a damaged or hostile file is an error and never a wrong graph. */
#include "components/transform/graph_file.h"
#include "components/transform/program.h"

#include "core/files.h"
#include "core/json.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct loader {
    struct pen_arena arena; /* of the request */
    const char *directory;
    char path[PEN_PATH_BYTES];
    struct pen_error *err;
};

static pen_status need_finite(struct loader *l, const pen_json *entry, const char *key, double *value)
{
    PEN_TRY(pen_json_need_double(entry, key, l->path, value, l->err));
    if (!isfinite(*value)) {
        PEN_FAIL(l->err, PEN_ERR_DATA, "%s: expected a finite '%s'", l->path, key);
    }
    return PEN_OK;
}

static pen_status load_vocabulary(struct loader *l, const pen_json *entry, struct pen_analysis *found)
{
    const char *name = NULL;
    int64_t n_values = 0;
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_json_need_string(entry, "file", l->path, &name, l->err));
    PEN_TRY(pen_json_need_int(entry, "n_values", l->path, &n_values, l->err));
    if (!pen_is_plain_name(name)) {
        PEN_FAIL(l->err, PEN_ERR_DATA, "%s: expected a file name without folders in 'file'", l->path);
    }
    PEN_TRY(pen_path_join(path, l->directory, name, l->err));
    PEN_TRY(pen_vocabulary_read(&found->vocabulary, path, l->err));
    if (pen_string_table_size(found->vocabulary) != n_values) {
        PEN_FAIL(l->err, PEN_ERR_DATA, "%s: expected %lld entries as graph.json says, found %lld", path,
                 (long long)n_values, (long long)pen_string_table_size(found->vocabulary));
    }
    return PEN_OK;
}

/* What a list of numbers must be. */
enum numbers { GROWING, NOT_FALLING, DISTINCT, FINITE, ANY };

static bool fits(enum numbers wanted, const double *values, int64_t i)
{
    switch (wanted) {
    case GROWING:
        return !isnan(values[i]) && (i == 0 || values[i - 1] < values[i]);
    case NOT_FALLING:
        return isfinite(values[i]) && (i == 0 || values[i - 1] <= values[i]);
    case DISTINCT:
        return !isnan(values[i]) && (i == 0 || values[i - 1] != values[i]);
    case FINITE:
        return isfinite(values[i]);
    case ANY:
        break;
    }
    return true;
}

static pen_status read_numbers(struct loader *l, const pen_json *list, const char *key, enum numbers wanted,
                               double *values)
{
    static const char *const texts[] = {"growing", "ascending", "distinct", "finite", "any"};
    for (int64_t i = 0; i < pen_json_size(list); i++) {
        values[i] = pen_json_number_or(pen_json_at(list, i), (double)NAN);
        if (!fits(wanted, values, i)) {
            PEN_FAIL(l->err, PEN_ERR_DATA, "%s: expected %s numbers in '%s'", l->path, texts[wanted], key);
        }
    }
    return PEN_OK;
}

/* n_wanted < 0: as many as there are. */
static pen_status load_numbers(struct loader *l, struct pen_transform_graph *graph, const pen_json *entry,
                               const char *key, enum numbers wanted, int64_t n_wanted, struct pen_analysis *found)
{
    const pen_json *list = NULL;
    PEN_TRY(pen_json_need_array(entry, key, l->path, &list, l->err));
    int64_t n = pen_json_size(list);
    if (n_wanted >= 0 && n != n_wanted) {
        PEN_FAIL(l->err, PEN_ERR_DATA, "%s: expected %lld numbers in '%s', found %lld", l->path, (long long)n_wanted,
                 key, (long long)n);
    }
    double *values = pen_arena_alloc(&graph->arena, n + 1, sizeof *values);
    if (values == NULL) {
        PEN_FAIL(l->err, PEN_ERR_MEMORY, "out of memory: %s", l->path);
    }
    PEN_TRY(read_numbers(l, list, key, wanted, values));
    found->edges = values;
    found->n_edges = n;
    return PEN_OK;
}

static pen_status load_buckets_by(struct loader *l, struct pen_transform_graph *graph, const struct pen_node *node,
                                  const pen_json *entry, struct pen_analysis *found)
{
    const pen_json *groups = NULL;
    PEN_TRY(pen_json_need_array(entry, "edges", l->path, &groups, l->err));
    int64_t n = pen_json_size(groups), n_edges = 0;
    if (n != pen_node_n_values(graph, node->arguments[1])) {
        PEN_FAIL(l->err, PEN_ERR_DATA, "%s: expected the edges of %lld groups, found %lld", l->path,
                 (long long)pen_node_n_values(graph, node->arguments[1]), (long long)n);
    }
    for (int64_t g = 0; g < n; g++) {
        n_edges += pen_json_size(pen_json_at(groups, g));
    }
    double *edges = pen_arena_alloc(&graph->arena, n_edges + 1, sizeof *edges);
    int64_t *starts = pen_arena_alloc(&graph->arena, n + 1, sizeof *starts);
    if (edges == NULL || starts == NULL) {
        PEN_FAIL(l->err, PEN_ERR_MEMORY, "out of memory: %s", l->path);
    }
    for (int64_t g = 0; g < n; g++) {
        const pen_json *list = pen_json_at(groups, g);
        PEN_TRY(read_numbers(l, list, "edges", GROWING, edges + starts[g]));
        starts[g + 1] = starts[g] + pen_json_size(list);
    }
    found->edges = edges;
    found->n_edges = n_edges;
    found->starts = starts;
    found->n_groups = n;
    return PEN_OK;
}

static pen_status load_mode(struct loader *l, struct pen_transform_graph *graph, const struct pen_node *node,
                            const pen_json *entry, struct pen_analysis *found)
{
    if (node->type == PEN_VALUE_FLOAT) {
        return pen_json_need_double(entry, "value", l->path, &found->number[0], l->err);
    }
    if (node->type != PEN_VALUE_STRING) {
        PEN_TRY(pen_json_need_int(entry, "value", l->path, &found->integer, l->err));
        if (node->type == PEN_VALUE_BOOL && (found->integer < -1 || found->integer > 1)) {
            PEN_FAIL(l->err, PEN_ERR_DATA, "%s: expected a 'value' of -1, 0 or 1", l->path);
        }
        return PEN_OK;
    }
    const char *text = NULL;
    if (pen_json_is_null(pen_json_get(entry, "value"))) {
        return PEN_OK;
    }
    PEN_TRY(pen_json_need_string(entry, "value", l->path, &text, l->err));
    found->text = pen_arena_strdup(&graph->arena, text);
    if (found->text == NULL) {
        PEN_FAIL(l->err, PEN_ERR_MEMORY, "out of memory: %s", l->path);
    }
    return PEN_OK;
}

static pen_status load_classes(struct loader *l, struct pen_transform_graph *graph, const struct pen_node *node,
                               const pen_json *entry, struct pen_analysis *found)
{
    found->many = pen_json_bool_or(pen_json_get(entry, "many"), false);
    if (graph->nodes[node->arguments[0]].type == PEN_VALUE_STRING) {
        PEN_TRY(load_vocabulary(l, entry, found));
    } else {
        PEN_TRY(load_numbers(l, graph, entry, "classes", DISTINCT, -1, found));
    }
    int64_t n = found->vocabulary != NULL ? pen_string_table_size(found->vocabulary) : found->n_edges;
    if (n > PEN_TRANSFORM_MAX_CLASSES) {
        PEN_FAIL(l->err, PEN_ERR_DATA, "%s: expected at most %d classes, found %lld", l->path,
                 PEN_TRANSFORM_MAX_CLASSES, (long long)n);
    }
    return PEN_OK;
}

static pen_status load_analysis(struct loader *l, struct pen_transform_graph *graph, int64_t a, const pen_json *entry)
{
    const struct pen_node *node = &graph->nodes[graph->analysis_nodes[a]];
    struct pen_analysis *found = &graph->analyses[a];
    const char *analyzer = NULL;
    struct pen_text text = {0};
    PEN_TRY(pen_json_need_string(entry, "analyzer", l->path, &analyzer, l->err));
    pen_graph_describe(graph, graph->analysis_nodes[a], &text);
    bool same = strcmp(analyzer, pen_text_view(&text)) == 0;
    pen_text_deinit(&text);
    if (!same) {
        PEN_FAIL(l->err, PEN_ERR_DATA, "%s: analysis %lld: its analyzer is not the one the expressions name there",
                 l->path, (long long)a);
    }
    found->done = true;
    switch ((int)node->op) {
    case PEN_NODE_ZSCORE:
    case PEN_NODE_ROBUST:
        PEN_TRY(need_finite(l, entry, node->op == PEN_NODE_ZSCORE ? "mean" : "median", &found->number[0]));
        return need_finite(l, entry, "scale", &found->number[1]);
    case PEN_NODE_MINMAX:
        PEN_TRY(need_finite(l, entry, "min", &found->number[0]));
        return need_finite(l, entry, "max", &found->number[1]);
    case PEN_NODE_BUCKETIZE:
        return load_numbers(l, graph, entry, "edges", GROWING, -1, found);
    case PEN_NODE_BUCKETIZE_BY:
        return load_buckets_by(l, graph, node, entry, found);
    case PEN_NODE_RANK:
        return load_numbers(l, graph, entry, "quantiles", NOT_FALLING, -1, found);
    case PEN_NODE_STATISTIC_BY:
        return load_numbers(l, graph, entry, "values", ANY, pen_node_n_values(graph, node->arguments[1]), found);
    case PEN_NODE_TFIDF:
        return load_numbers(l, graph, entry, "values", FINITE, pen_node_n_values(graph, node->arguments[0]), found);
    case PEN_NODE_MODE:
        return load_mode(l, graph, node, entry, found);
    case PEN_NODE_CLASSES:
        return load_classes(l, graph, node, entry, found);
    case PEN_NODE_VOCAB:
    case PEN_NODE_VOCAB_LIST:
        return load_vocabulary(l, entry, found);
    default:
        return pen_json_need_double(entry, "value", l->path, &found->number[0], l->err);
    }
}

static pen_status read_columns(struct loader *l, const pen_json *root, struct pen_transform_request *request)
{
    const pen_json *columns = NULL, *type = NULL;
    PEN_TRY(pen_json_need_object(root, "columns", l->path, &columns, l->err));
    request->n_columns = pen_json_size(columns);
    struct pen_transform_raw_column *list = pen_arena_alloc(&l->arena, request->n_columns + 1, sizeof *list);
    if (list == NULL) {
        PEN_FAIL(l->err, PEN_ERR_MEMORY, "out of memory: %s", l->path);
    }
    for (int64_t i = 0; pen_json_member(columns, i, &list[i].name, &type); i++) {
        if (!pen_graph_file_type(pen_json_string_or(type, ""), &list[i].type)) {
            PEN_FAIL(l->err, PEN_ERR_DATA, "%s: expected int64, float32, float64, string or none as a column's type",
                     l->path);
        }
    }
    request->columns = list;
    return PEN_OK;
}

static pen_status read_features(struct loader *l, const pen_json *root, struct pen_transform_request *request)
{
    const pen_json *features = NULL, *text = NULL;
    PEN_TRY(pen_json_need_object(root, "features", l->path, &features, l->err));
    request->n_features = pen_json_size(features);
    struct pen_transform_expression *list = pen_arena_alloc(&l->arena, request->n_features + 1, sizeof *list);
    if (list == NULL) {
        PEN_FAIL(l->err, PEN_ERR_MEMORY, "out of memory: %s", l->path);
    }
    for (int64_t i = 0; pen_json_member(features, i, &list[i].name, &text); i++) {
        list[i].text = pen_json_string_or(text, NULL);
        list[i].file = l->path;
        if (list[i].text == NULL) {
            PEN_FAIL(l->err, PEN_ERR_DATA, "%s: feature '%.100s': expected an expression", l->path, list[i].name);
        }
    }
    request->features = list;
    return PEN_OK;
}

static pen_status read_label(struct loader *l, const pen_json *root, struct pen_transform_request *request)
{
    const pen_json *label = pen_json_get(root, "label"), *weight = pen_json_get(root, "weight");
    request->label.file = l->path;
    request->weight.file = l->path;
    request->weight.text = pen_json_string_or(weight, NULL);
    if (label == NULL || pen_json_is_null(label)) {
        return PEN_OK;
    }
    const char *task = NULL;
    PEN_TRY(pen_json_need_string(label, "expression", l->path, &request->label.text, l->err));
    PEN_TRY(pen_json_need_string(label, "task", l->path, &task, l->err));
    request->positive = pen_json_string_or(pen_json_get(label, "positive"), NULL);
    for (int i = 0; i < 4; i++) {
        if (strcmp(task, pen_graph_file_tasks[i]) == 0) {
            request->task = (enum pen_task)i;
            return PEN_OK;
        }
    }
    PEN_FAIL(l->err, PEN_ERR_DATA, "%s: expected auto, binary, multiclass or regression as 'task'", l->path);
}

pen_status pen_analysis_from_json(struct pen_transform_graph *graph, int64_t analysis, const char *folder,
                                  const pen_json *entry, const char *where, struct pen_error *err)
{
    struct loader l = {.directory = folder, .err = err};
    (void)snprintf(l.path, sizeof l.path, "%s", where);
    return load_analysis(&l, graph, analysis, entry);
}

static pen_status check_format(struct loader *l, const pen_json *root)
{
    const char *format = NULL;
    int64_t version = 0;
    PEN_TRY(pen_json_need_string(root, "format", l->path, &format, l->err));
    PEN_TRY(pen_json_need_int(root, "version", l->path, &version, l->err));
    if (strcmp(format, "penstock transform graph") != 0 || version != 1) {
        PEN_FAIL(l->err, PEN_ERR_DATA, "%s: expected a penstock transform graph of version 1", l->path);
    }
    return PEN_OK;
}

pen_status pen_transform_load(struct pen_transform_graph **out, const char *directory, struct pen_error *err)
{
    pen_status status = PEN_OK;
    pen_json *root = NULL;
    struct pen_transform_graph *graph = NULL;
    struct pen_transform_request request = {0};
    struct loader l = {.directory = directory, .err = err};
    const pen_json *analyses = NULL;
    PEN_TRY(pen_path_join(l.path, directory, "graph.json", err));
    PEN_TRY(pen_json_read_file(l.path, &root, err));
    PEN_TRY_GOTO(cleanup, check_format(&l, root));
    PEN_TRY_GOTO(cleanup, read_columns(&l, root, &request));
    PEN_TRY_GOTO(cleanup, read_features(&l, root, &request));
    PEN_TRY_GOTO(cleanup, read_label(&l, root, &request));
    PEN_TRY_GOTO(cleanup, pen_graph_build(&graph, &request, err));
    PEN_TRY_GOTO(cleanup, pen_json_need_array(root, "analyses", l.path, &analyses, err));
    if (pen_json_size(analyses) != graph->n_analyses) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_DATA, "%s: expected %lld analyses, found %lld", l.path,
                      (long long)graph->n_analyses, (long long)pen_json_size(analyses));
    }
    for (int64_t a = 0; a < graph->n_analyses; a++) {
        PEN_TRY_GOTO(cleanup, pen_analysis_from_json(graph, a, directory, pen_json_at(analyses, a), l.path, err));
    }
    PEN_TRY_GOTO(cleanup, pen_graph_finish(graph, err));
    *out = graph;
    graph = NULL;
cleanup:
    pen_transform_destroy(graph);
    pen_json_free(root);
    pen_arena_deinit(&l.arena);
    return status;
}
