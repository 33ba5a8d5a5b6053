/* Reading parameters, checking values, putting them in. */
#include "orchestrator/pipeline/params.h"

#include <string.h>

enum { MOST_PARAMS = 128 };

const char *const pen_param_type_names[] = {"int", "float", "bool", "string", "list", "map", NULL};

static const char opening[] = "${params.";

struct declaration {
    int type;
    const struct pen_config_node *standard, *choices;
    const char *description;
};

static const struct pen_option table[] = {
    {"type", PEN_OPTION_ENUM, offsetof(struct declaration, type), "string", 0, 0, pen_param_type_names,
     "what values it takes"},
    {"default", PEN_OPTION_NODE, offsetof(struct declaration, standard), NULL, 0, 0, NULL, "its value unless given"},
    {"choices", PEN_OPTION_NODE, offsetof(struct declaration, choices), NULL, 0, 0, NULL, "the only values it takes"},
    {"description", PEN_OPTION_STRING, offsetof(struct declaration, description), "''", 0, 0, NULL, "what it is"},
    {.name = NULL}};

static pen_status out_of_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading parameters");
}

static pen_status check_type(const struct pen_param *param, const struct pen_config_node *value, struct pen_error *err)
{
    int64_t integer = 0;
    double number = 0;
    bool truth = false;
    const char *text = NULL;
    switch (param->type) {
    case PEN_PARAM_INT:
        return pen_config_int(value, param->name, &integer, err);
    case PEN_PARAM_FLOAT:
        return pen_config_double(value, param->name, &number, err);
    case PEN_PARAM_BOOL:
        return pen_config_bool(value, param->name, &truth, err);
    case PEN_PARAM_STRING:
        return pen_config_string(value, param->name, &text, err);
    case PEN_PARAM_LIST:
    case PEN_PARAM_MAP:
    default: {
        bool is_list = param->type == PEN_PARAM_LIST;
        return value->kind == (is_list ? PEN_CONFIG_LIST : PEN_CONFIG_MAP)
                   ? PEN_OK
                   : pen_config_error(value, err, "option %s: expected a %s", param->name, is_list ? "list" : "map");
    }
    }
}

/* Equal as JSON: 1 and 1.0 are not; as a text, for a string. */
static bool equal(const struct pen_param *param, const struct pen_config_node *a, const struct pen_config_node *b)
{
    if (param->type == PEN_PARAM_STRING) {
        return strcmp(a->scalar, b->scalar) == 0;
    }
    pen_json *left = pen_config_to_json(a);
    pen_json *right = pen_config_to_json(b);
    pen_json *differences = pen_json_differences(left, right);
    bool same = pen_json_size(differences) == 0;
    pen_json_free(differences);
    pen_json_free(left);
    pen_json_free(right);
    return same;
}

static pen_status check_value(const struct pen_param *param, const struct pen_config_node *value, struct pen_error *err)
{
    PEN_TRY(check_type(param, value, err));
    struct pen_text listed = {0};
    for (int64_t i = 0; param->choices != NULL && i < param->choices->n_children; i++) {
        if (equal(param, param->choices->children[i], value)) {
            pen_text_deinit(&listed);
            return PEN_OK;
        }
        const char *text = param->choices->children[i]->scalar;
        pen_text_printf(&listed, "%s%s", i == 0 ? "" : ", ", text == NULL ? "..." : text);
    }
    pen_status status =
        param->choices == NULL
            ? PEN_OK
            : pen_config_error(value, err, "parameter %s: expected one of %.200s; found '%.80s'", param->name,
                               pen_text_view(&listed), value->scalar == NULL ? "..." : value->scalar);
    pen_text_deinit(&listed);
    return status;
}

static pen_status declare(struct pen_arena *arena, const char *name, const struct pen_config_node *node,
                          struct pen_param *param, struct pen_error *err)
{
    struct declaration declaration;
    const char *section = pen_arena_printf(arena, "parameter %s", name);
    if (section == NULL) {
        return out_of_memory(err);
    }
    if (!pen_is_plain_name(name) || strchr(name, '.') != NULL) {
        return pen_config_error(node, err, "parameter %.80s: expected a name of letters, digits, '_' and '-'", name);
    }
    PEN_TRY(pen_config_options(arena, &declaration, sizeof declaration, table, node, section, err));
    *param = (struct pen_param){name,
                                declaration.description,
                                (enum pen_param_type)declaration.type,
                                declaration.standard,
                                declaration.standard,
                                declaration.choices};
    if (param->standard == NULL) {
        return pen_config_error(node, err, "%s: expected a default, such as {type: int, default: 1000}", section);
    }
    if (param->choices != NULL && (param->choices->kind != PEN_CONFIG_LIST || param->choices->n_children == 0)) {
        return pen_config_error(param->choices, err, "%s: choices: expected a list of values", section);
    }
    for (int64_t i = 0; param->choices != NULL && i < param->choices->n_children; i++) {
        PEN_TRY(check_type(param, param->choices->children[i], err));
    }
    PEN_TRY(check_value(param, param->standard, err));
    if (param->type == PEN_PARAM_STRING) { /* a text, whatever it looks like */
        struct pen_config_node *text = pen_arena_alloc(arena, 1, sizeof *text);
        if (text == NULL) {
            return out_of_memory(err);
        }
        *text = *param->standard;
        text->quoted = true;
        param->standard = param->value = text;
    }
    return PEN_OK;
}

static struct pen_param *find(const struct pen_params *params, const char *name, size_t size)
{
    for (int64_t i = 0; i < params->n; i++) {
        if (strlen(params->items[i].name) == size && memcmp(params->items[i].name, name, size) == 0) {
            return &params->items[i];
        }
    }
    return NULL;
}

static const char *nearest(const struct pen_params *params, const char *name)
{
    const char *known[MOST_PARAMS];
    for (int64_t i = 0; i < params->n; i++) {
        known[i] = params->items[i].name;
    }
    return pen_nearest_name(name, known, params->n);
}

/* "rows=5": the value is YAML on one line; a string needs no quotes. */
static pen_status give(struct pen_arena *arena, const struct pen_params *params, const char *given,
                       struct pen_error *err)
{
    const char *equals = strchr(given, '=');
    char quoted[PEN_QUOTE_BYTES];
    if (equals == NULL || equals == given) {
        PEN_FAIL(err, PEN_ERR_USAGE, "--param: expected NAME=VALUE, such as rows=5; found '%s'",
                 pen_quote(quoted, given, strlen(given)));
    }
    struct pen_param *param = find(params, given, (size_t)(equals - given));
    if (param == NULL) {
        const char *name = pen_arena_strndup(arena, given, (size_t)(equals - given));
        const char *near = name == NULL ? NULL : nearest(params, name);
        PEN_FAIL(err, PEN_ERR_USAGE, "--param: the pipeline has no parameter '%s'%s%s%s",
                 pen_quote(quoted, given, (size_t)(equals - given)), near == NULL ? "" : "; did you mean '",
                 near == NULL ? "" : near, near == NULL ? "" : "'?");
    }
    struct pen_config_node *value = pen_arena_alloc(arena, 1, sizeof *value);
    if (value == NULL) {
        return out_of_memory(err);
    }
    if (param->type == PEN_PARAM_STRING) {
        *value = (struct pen_config_node){.kind = PEN_CONFIG_SCALAR,
                                          .quoted = true,
                                          .line = 1,
                                          .column = 1,
                                          .file = "--param",
                                          .scalar = pen_arena_strdup(arena, equals + 1)};
        PEN_TRY(value->scalar == NULL ? out_of_memory(err) : PEN_OK);
    } else {
        PEN_TRY(pen_config_parse(arena, equals + 1, strlen(equals + 1), "--param", &value, err));
    }
    PEN_TRY(check_value(param, value, err));
    param->value = value;
    return PEN_OK;
}

/* ---- putting values in ---- */

/* The parameter that ${params.NAME} at `at` names, NULL when that is an error; *end is behind its brace. */
static const struct pen_param *named_at(const struct pen_params *params, const struct pen_config_node *node,
                                        const char *at, const char **end, struct pen_error *err)
{
    const char *name = at + sizeof opening - 1;
    const char *brace = strchr(name, '}');
    if (brace == NULL) {
        (void)pen_config_error(node, err, "expected ${params.NAME}, found '%.80s'", at);
        return NULL;
    }
    const struct pen_param *param = find(params, name, (size_t)(brace - name));
    if (param == NULL) {
        char text[64];
        size_t size = (size_t)(brace - name) < sizeof text ? (size_t)(brace - name) : sizeof text - 1;
        memcpy(text, name, size);
        text[size] = '\0';
        const char *near = nearest(params, text);
        (void)pen_config_error(node, err, "there is no parameter '%.80s'%s%s%s", text,
                               near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                               near == NULL ? "" : "'?");
    }
    *end = brace + 1;
    return param;
}

static pen_status append_pieces(const struct pen_params *params, const struct pen_config_node *node,
                                struct pen_text *text, struct pen_error *err)
{
    const char *rest = node->scalar;
    for (const char *at = NULL; (at = strstr(rest, opening)) != NULL;) {
        bool is_escaped = at > rest && at[-1] == '$';
        pen_text_append_bytes(text, rest, (size_t)(at - rest) - is_escaped);
        if (is_escaped) {
            pen_text_append(text, opening);
            rest = at + sizeof opening - 1;
            continue;
        }
        const struct pen_param *param = named_at(params, node, at, &rest, err);
        if (param == NULL) {
            return PEN_ERR_CONFIG;
        }
        if (param->value->kind != PEN_CONFIG_SCALAR) {
            return pen_config_error(node, err, "parameter %s: a list or a map stands alone, not within a text",
                                    param->name);
        }
        pen_text_append(text, param->value->scalar);
    }
    pen_text_append(text, rest);
    return pen_text_check(text, err);
}

static pen_status put_in(struct pen_arena *arena, const struct pen_params *params, struct pen_config_node *node,
                         struct pen_error *err)
{
    for (int64_t i = 0; i < node->n_children; i++) {
        PEN_TRY(put_in(arena, params, node->children[i], err));
    }
    if (node->kind != PEN_CONFIG_SCALAR || strstr(node->scalar, opening) == NULL) {
        return PEN_OK;
    }
    if (strncmp(node->scalar, opening, sizeof opening - 1) == 0) {
        const char *end = "";
        const struct pen_param *param = named_at(params, node, node->scalar, &end, err);
        if (param == NULL) {
            return PEN_ERR_CONFIG;
        }
        if (*end == '\0') {
            struct pen_config_node place = *node;
            *node = *param->value;
            node->file = place.file;
            node->line = place.line;
            node->column = place.column;
            return PEN_OK;
        }
    }
    struct pen_text text = {0};
    pen_status status = append_pieces(params, node, &text, err);
    if (status == PEN_OK) {
        node->scalar = pen_arena_strdup(arena, pen_text_view(&text));
        status = node->scalar == NULL ? out_of_memory(err) : PEN_OK;
    }
    pen_text_deinit(&text);
    return status;
}

static pen_status declare_all(struct pen_arena *arena, const struct pen_config_node *map, struct pen_params *params,
                              struct pen_error *err)
{
    if (map->kind != PEN_CONFIG_MAP || map->n_children > MOST_PARAMS) {
        return pen_config_error(map, err, "params: expected a map of at most %d names", MOST_PARAMS);
    }
    params->items = pen_arena_alloc(arena, map->n_children, sizeof *params->items);
    if (params->items == NULL) {
        return out_of_memory(err);
    }
    for (; params->n < map->n_children; params->n++) {
        PEN_TRY(declare(arena, map->keys[params->n], map->children[params->n], &params->items[params->n], err));
    }
    return PEN_OK;
}

pen_status pen_params_apply(struct pen_arena *arena, struct pen_config_node *root, const char *const *given,
                            int64_t n_given, struct pen_params *params, struct pen_error *err)
{
    const struct pen_config_node *map = pen_config_get(root, "params");
    *params = (struct pen_params){0, NULL};
    PEN_TRY(map == NULL || map->kind == PEN_CONFIG_NULL ? PEN_OK : declare_all(arena, map, params, err));
    for (int64_t i = 0; i < n_given; i++) {
        PEN_TRY(give(arena, params, given[i], err));
    }
    for (int64_t i = 0; i < root->n_children; i++) {
        if (strcmp(root->keys[i], "params") != 0) {
            PEN_TRY(put_in(arena, params, root->children[i], err));
        }
    }
    return PEN_OK;
}

pen_json *pen_params_to_json(const struct pen_params *params)
{
    pen_json *object = pen_json_object();
    for (int64_t i = 0; i < params->n; i++) {
        pen_json_set(object, params->items[i].name, pen_config_to_json(params->items[i].value));
    }
    return object;
}
