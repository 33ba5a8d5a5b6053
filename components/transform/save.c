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
 * sizes are checked by the compiler, so a damaged or hostile file is an error and never a wrong graph. Doubles are
 * written with the digits that give back the same bits. */
#include "components/transform/program.h"

#include "core/files.h"
#include "core/json.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_VOCABULARY_BYTES = 1 << 30 };

static const char *const task_names[] = {"auto", "binary", "multiclass", "regression"};
static const struct {
    const char *name;
    enum pen_type type;
} column_types[] = {{"int64", PEN_TYPE_INT64},
                    {"float32", PEN_TYPE_FLOAT32},
                    {"float64", PEN_TYPE_FLOAT64},
                    {"string", PEN_TYPE_CODES},
                    {"none", PEN_TYPE_NONE}};
enum { N_COLUMN_TYPES = sizeof column_types / sizeof column_types[0] };

static const char *column_type_name(enum pen_type type)
{
    if (pen_type_is_string(type)) {
        return "string";
    }
    for (int i = 0; i < N_COLUMN_TYPES; i++) {
        if (column_types[i].type == type) {
            return column_types[i].name;
        }
    }
    return "none";
}

/* ---- saving ---- */

static pen_status write_vocabulary(const struct pen_string_table *table, const char *directory, const char *name,
                                   struct pen_error *err)
{
    struct pen_text text = {0};
    for (int64_t i = 0; i < pen_string_table_size(table); i++) {
        size_t size = 0;
        const char *entry = pen_string_table_text(table, i, &size);
        for (size_t k = 0; k < size; k++) {
            char c = entry[k];
            if (c == '\\' || c == '\n' || c == '\r') {
                pen_text_append_char(&text, '\\');
                c = (char)(c == '\n' ? 'n' : c == '\r' ? 'r' : '\\');
            }
            pen_text_append_char(&text, c);
        }
        pen_text_append_char(&text, '\n');
    }
    char path[PEN_PATH_BYTES];
    pen_status status = pen_text_check(&text, err);
    status = status == PEN_OK ? pen_path_join(path, directory, name, err) : status;
    status = status == PEN_OK ? pen_file_write_atomic(path, pen_text_view(&text), text.size_bytes, err) : status;
    pen_text_deinit(&text);
    return status;
}

static pen_json *numbers_to_json(const double *values, int64_t n)
{
    pen_json *list = pen_json_array();
    for (int64_t i = 0; i < n; i++) {
        pen_json_push(list, pen_json_double(values[i]));
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

static pen_status analysis_to_json(const struct pen_transform_graph *graph, int64_t a, const char *directory,
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
    return write_vocabulary(found->vocabulary, directory, name, err);
}

static pen_json *label_to_json(const struct pen_transform_graph *graph)
{
    if (graph->label.expression == NULL) {
        return pen_json_null();
    }
    pen_json *label = pen_json_object();
    pen_json_set_string(label, "expression", graph->label.expression);
    pen_json_set_string(label, "task", task_names[graph->task_asked]);
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
        pen_json_set_string(columns, graph->inputs[i].name, column_type_name(graph->inputs[i].type));
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
        struct pen_text text = {0};
        pen_json *entry = pen_json_object();
        pen_graph_describe(graph, graph->analysis_nodes[a], &text);
        pen_json_set_string(entry, "analyzer", pen_text_view(&text));
        pen_text_deinit(&text);
        pen_json_push(analyses, entry);
        PEN_TRY_GOTO(cleanup, analysis_to_json(graph, a, directory, entry, err));
    }
    pen_json_set(root, "tensors", pen_tensor_spec_to_json(&graph->spec));
    PEN_TRY_GOTO(cleanup, pen_path_join(path, directory, "graph.json", err));
    PEN_TRY_GOTO(cleanup, pen_json_write_file(root, path, err));
cleanup:
    pen_json_free(root);
    return status;
}

/* ---- loading ---- */

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

/* One line of a vocabulary file with its escapes undone, in place. */
static bool unescape(char *line, size_t size, size_t *out_size)
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        if (line[i] == '\\') {
            i++;
            if (i == size || (line[i] != '\\' && line[i] != 'n' && line[i] != 'r')) {
                return false;
            }
            line[n++] = (char)(line[i] == 'n' ? '\n' : line[i] == 'r' ? '\r' : '\\');
        } else {
            line[n++] = line[i];
        }
    }
    *out_size = n;
    return true;
}

static pen_status read_lines(const char *path, struct pen_text *text, struct pen_string_table *table,
                             struct pen_error *err)
{
    int64_t line_number = 1;
    for (size_t at = 0; at < text->size_bytes; line_number++) {
        char *line = text->data + at;
        char *end = memchr(line, '\n', text->size_bytes - at);
        if (end == NULL) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s line %lld: expected a newline at its end; the file is cut short", path,
                     (long long)line_number);
        }
        size_t size = 0;
        int64_t index = 0, before = pen_string_table_size(table);
        if (!unescape(line, (size_t)(end - line), &size)) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s line %lld: expected \\\\, \\n or \\r after a backslash", path,
                     (long long)line_number);
        }
        PEN_TRY(pen_string_table_add(table, line, size, 1, &index, err));
        if (index != before) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s line %lld: expected distinct entries, found that of line %lld again", path,
                     (long long)line_number, (long long)index + 1);
        }
        at = (size_t)(end - text->data) + 1;
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
    struct pen_text text = {0};
    pen_status status = pen_file_read(path, MAX_VOCABULARY_BYTES, &text, l->err);
    status = status == PEN_OK ? pen_string_table_create(&found->vocabulary, l->err) : status;
    status = status == PEN_OK ? read_lines(path, &text, found->vocabulary, l->err) : status;
    pen_text_deinit(&text);
    if (status == PEN_OK && pen_string_table_size(found->vocabulary) != n_values) {
        PEN_FAIL(l->err, PEN_ERR_DATA, "%s: expected %lld entries as graph.json says, found %lld", path,
                 (long long)n_values, (long long)pen_string_table_size(found->vocabulary));
    }
    return status;
}

static pen_status load_numbers(struct loader *l, struct pen_transform_graph *graph, const pen_json *entry,
                               const char *key, bool ascending, struct pen_analysis *found)
{
    const pen_json *list = NULL;
    PEN_TRY(pen_json_need_array(entry, key, l->path, &list, l->err));
    int64_t n = pen_json_size(list);
    double *values = pen_arena_alloc(&graph->arena, n + 1, sizeof *values);
    if (values == NULL) {
        PEN_FAIL(l->err, PEN_ERR_MEMORY, "out of memory: %s", l->path);
    }
    for (int64_t i = 0; i < n; i++) {
        const pen_json *item = pen_json_at(list, i);
        values[i] = pen_json_number_or(item, (double)NAN);
        bool ordered = i == 0 || (ascending ? values[i - 1] < values[i] : values[i - 1] != values[i]);
        if (isnan(values[i]) || !ordered) {
            PEN_FAIL(l->err, PEN_ERR_DATA, "%s: expected %s numbers in '%s'", l->path,
                     ascending ? "growing" : "distinct", key);
        }
    }
    found->edges = values;
    found->n_edges = n;
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
        PEN_TRY(load_numbers(l, graph, entry, "classes", false, found));
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
        return load_numbers(l, graph, entry, "edges", true, found);
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
        const char *text = pen_json_string_or(type, "");
        int found = -1;
        for (int k = 0; k < N_COLUMN_TYPES; k++) {
            found = strcmp(text, column_types[k].name) == 0 ? k : found;
        }
        if (found < 0) {
            PEN_FAIL(l->err, PEN_ERR_DATA, "%s: expected int64, float32, float64, string or none as a column's type",
                     l->path);
        }
        list[i].type = column_types[found].type;
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
        if (strcmp(task, task_names[i]) == 0) {
            request->task = (enum pen_task)i;
            return PEN_OK;
        }
    }
    PEN_FAIL(l->err, PEN_ERR_DATA, "%s: expected auto, binary, multiclass or regression as 'task'", l->path);
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
        PEN_TRY_GOTO(cleanup, load_analysis(&l, graph, a, pen_json_at(analyses, a)));
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
