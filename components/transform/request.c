/* The options of Transform as a request: expressions with their places, columns with their types. */
#include "components/transform/transform_internal.h"

#include "components/transform/defaults.h"
#include "components/transform/language/syntax.h"
#include "core/files.h"
#include "core/log.h"
#include "core/text.h"
#include "datasets/schema/schema.h"

static bool is_given(const struct pen_config_node *node)
{
    return node != NULL && node->kind != PEN_CONFIG_NULL;
}

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

static pen_status given_features(struct pen_arena *arena, const struct pen_config_node *features,
                                 struct pen_transform_request *request, struct pen_error *err)
{
    if (features->kind != PEN_CONFIG_MAP || features->n_children == 0) {
        return pen_config_error(features, err, "features: expected name: expression, one a line");
    }
    struct pen_transform_expression *list = pen_arena_alloc(arena, features->n_children, sizeof *list);
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
    const char *left_out = NULL; /* the last column that makes none, and why */
    char path[PEN_PATH_BYTES];
    int64_t n_excluded = 0, n = 0;
    PEN_TRY(excluded_columns(context, request, &excluded, &n_excluded, err));
    PEN_TRY(pen_path_join(path, folder, "statistics.json", err));
    PEN_TRY(pen_statistics_read(path, &statistics, err));
    pen_status status =
        pen_transform_default_features(context->arena, &statistics, NULL, excluded, n_excluded, &chosen, &n, err);
    struct pen_transform_expression *list = pen_arena_alloc(context->arena, n + 1, sizeof *list);
    for (int64_t i = 0; status == PEN_OK && list != NULL && i < n; i++) {
        if (chosen[i].expression == NULL) {
            left_out = pen_arena_printf(context->arena, "%s: %s", chosen[i].column, chosen[i].note);
            pen_log(PEN_LOG_INFO, "no feature of column %s", left_out == NULL ? chosen[i].column : left_out);
            continue;
        }
        list[request->n_features++] = (struct pen_transform_expression){
            .name = chosen[i].name, .text = chosen[i].expression, .file = "default features"};
    }
    pen_statistics_deinit(&statistics);
    if (status == PEN_OK && list == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: choosing features");
    }
    if (status == PEN_OK && request->n_features == 0) {
        PEN_FAIL(err, PEN_ERR_CONFIG,
                 "transform: expected features, and no column makes one by itself%s%s%s; write features: name: "
                 "expression",
                 left_out == NULL ? "" : " (", left_out == NULL ? "" : left_out, left_out == NULL ? "" : ")");
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

static pen_status given_targets(const struct pen_transform_options *options, struct pen_transform_request *request,
                                struct pen_error *err)
{
    if (is_given(options->label)) {
        PEN_TRY(expression_of(options->label, NULL, "label", &request->label, err));
    }
    if (is_given(options->weight)) {
        PEN_TRY(expression_of(options->weight, NULL, "weight", &request->weight, err));
    }
    return PEN_OK;
}

static pen_status check_syntax(struct pen_arena *arena, const struct pen_transform_expression *expression,
                               const char *what, struct pen_error *err)
{
    const struct pen_syntax *tree = NULL;
    const char *whole =
        expression->name == NULL ? what : pen_arena_printf(arena, "%s '%.100s'", what, expression->name);
    if (whole == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading features");
    }
    const struct pen_syntax_source source = {.text = expression->text,
                                             .file = expression->file,
                                             .line = expression->line,
                                             .column = expression->column,
                                             .what = whole};
    return expression->text == NULL ? PEN_OK : pen_syntax_parse(arena, &source, &tree, err);
}

pen_status pen_transform_check_syntax(struct pen_arena *arena, const struct pen_transform_options *options,
                                      struct pen_error *err)
{
    struct pen_transform_request request = {.n_features = 0};
    PEN_TRY(given_targets(options, &request, err));
    if (is_given(options->features)) {
        PEN_TRY(given_features(arena, options->features, &request, err));
    }
    PEN_TRY(check_syntax(arena, &request.label, "label", err));
    PEN_TRY(check_syntax(arena, &request.weight, "weight", err));
    for (int64_t i = 0; i < request.n_features; i++) {
        PEN_TRY(check_syntax(arena, &request.features[i], "feature", err));
    }
    return PEN_OK;
}

pen_status pen_transform_make_request(struct pen_component_context *context,
                                      const struct pen_transform_options *options, const struct pen_store *store,
                                      struct pen_transform_request *request, struct pen_error *err)
{
    *request = (struct pen_transform_request){.task = (enum pen_task)options->task, .positive = options->positive};
    PEN_TRY(given_targets(options, request, err));
    PEN_TRY(raw_columns(context, store, request, err));
    if (is_given(options->features)) {
        return given_features(context->arena, options->features, request, err);
    }
    return default_features(context, request, err);
}
