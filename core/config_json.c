/* Configuration nodes as JSON: plain (for cache keys and records), and marked (with file, line and column, so that a
 * component in a child process still points into the pipeline file). */
#include "core/config.h"

#include <math.h>
#include <string.h>

static pen_json *scalar_to_json(const struct pen_config_node *node)
{
    int64_t integer = 0;
    double number = 0;
    size_t size = strlen(node->scalar);
    if (node->quoted) {
        return pen_json_string(node->scalar);
    }
    if (strcmp(node->scalar, "true") == 0 || strcmp(node->scalar, "false") == 0) {
        return pen_json_bool(node->scalar[0] == 't');
    }
    if (pen_parse_int64(node->scalar, size, &integer)) {
        return pen_json_int(integer);
    }
    if (pen_parse_double(node->scalar, size, &number) && isfinite(number)) {
        return pen_json_double(number);
    }
    return pen_json_string(node->scalar);
}

pen_json *pen_config_to_json(const struct pen_config_node *node)
{
    if (node == NULL || node->kind == PEN_CONFIG_NULL) {
        return pen_json_null();
    }
    if (node->kind == PEN_CONFIG_SCALAR) {
        return scalar_to_json(node);
    }
    pen_json *value = node->kind == PEN_CONFIG_MAP ? pen_json_object() : pen_json_array();
    for (int64_t i = 0; value != NULL && i < node->n_children; i++) {
        pen_json *child = pen_config_to_json(node->children[i]);
        if (node->kind == PEN_CONFIG_MAP) {
            pen_json_set(value, node->keys[i], child);
        } else {
            pen_json_push(value, child);
        }
    }
    return value;
}

pen_json *pen_config_to_json_marked(const struct pen_config_node *node)
{
    pen_json *value = pen_json_object();
    pen_json_set_int(value, "kind", node->kind);
    pen_json_set_string(value, "file", node->file);
    pen_json_set_int(value, "line", node->line);
    pen_json_set_int(value, "column", node->column);
    if (node->kind == PEN_CONFIG_SCALAR) {
        pen_json_set_bool(value, "quoted", node->quoted);
        pen_json_set_string(value, "scalar", node->scalar);
    }
    if (node->n_children > 0) {
        pen_json *children = pen_json_array();
        for (int64_t i = 0; i < node->n_children; i++) {
            pen_json *child = pen_config_to_json_marked(node->children[i]);
            if (node->kind == PEN_CONFIG_MAP) {
                pen_json_set_string(child, "key", node->keys[i]);
                pen_json_set_int(child, "key_line", node->key_lines[i]);
                pen_json_set_int(child, "key_column", node->key_columns[i]);
            }
            pen_json_push(children, child);
        }
        pen_json_set(value, "children", children);
    }
    return value;
}

static pen_status children_from_json(struct pen_arena *arena, const pen_json *children, struct pen_config_node *node,
                                     struct pen_error *err)
{
    int64_t n = pen_json_size(children);
    node->children = pen_arena_alloc(arena, n, sizeof *node->children);
    node->keys = pen_arena_alloc(arena, n, sizeof *node->keys);
    node->key_lines = pen_arena_alloc(arena, n, sizeof *node->key_lines);
    node->key_columns = pen_arena_alloc(arena, n, sizeof *node->key_columns);
    if (node->children == NULL || node->keys == NULL || node->key_lines == NULL || node->key_columns == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading options");
    }
    for (int64_t i = 0; i < n; i++) {
        const pen_json *child = pen_json_at(children, i);
        PEN_TRY(pen_config_from_json_marked(arena, child, &node->children[i], err));
        const char *key = pen_json_string_or(pen_json_get(child, "key"), "");
        node->keys[i] = pen_arena_strdup(arena, key);
        node->key_lines[i] = (int)pen_json_int_or(pen_json_get(child, "key_line"), 0);
        node->key_columns[i] = (int)pen_json_int_or(pen_json_get(child, "key_column"), 0);
        if (node->keys[i] == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading options");
        }
    }
    node->n_children = n;
    return PEN_OK;
}

pen_status pen_config_from_json_marked(struct pen_arena *arena, const pen_json *value, struct pen_config_node **root,
                                       struct pen_error *err)
{
    int64_t kind = pen_json_int_or(pen_json_get(value, "kind"), -1);
    if (kind < PEN_CONFIG_NULL || kind > PEN_CONFIG_MAP) {
        PEN_FAIL(err, PEN_ERR_DATA, "options: expected a node of kind 0 to 3, found %lld", (long long)kind);
    }
    struct pen_config_node *node = pen_arena_alloc(arena, 1, sizeof *node);
    if (node == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading options");
    }
    node->kind = (enum pen_config_kind)kind;
    node->file = pen_arena_strdup(arena, pen_json_string_or(pen_json_get(value, "file"), ""));
    node->scalar = pen_arena_strdup(arena, pen_json_string_or(pen_json_get(value, "scalar"), ""));
    if (node->file == NULL || node->scalar == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading options");
    }
    node->line = (int)pen_json_int_or(pen_json_get(value, "line"), 0);
    node->column = (int)pen_json_int_or(pen_json_get(value, "column"), 0);
    node->quoted = pen_json_bool_or(pen_json_get(value, "quoted"), false);
    const pen_json *children = pen_json_get(value, "children");
    if (children != NULL) {
        PEN_TRY(children_from_json(arena, children, node, err));
    }
    *root = node;
    return PEN_OK;
}
