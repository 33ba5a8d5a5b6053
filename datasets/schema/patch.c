/* Putting a fragment of schema.yaml into a schema: the schema's text and the fragment are parsed, the trees merged at
 * the level of whole entries (a feature, a shared domain, a severity, a data set field), and the result read again. So
 * a patched schema has passed every check a written one has. */
#include "datasets/schema/schema.h"

#include "datasets/schema/schema_internal.h"

#include <string.h>

static int64_t find_key(const struct pen_config_node *map, const char *key)
{
    for (int64_t i = 0; i < map->n_children; i++) {
        if (strcmp(map->keys[i], key) == 0) {
            return i;
        }
    }
    return -1;
}

/* A copy of `map` with the entries of `fragment` put in; nested: entries that are maps on both sides are merged, too,
 * `nested` levels deep. */
static struct pen_config_node *merge(struct pen_arena *arena, const struct pen_config_node *map,
                                     const struct pen_config_node *fragment, int nested)
{
    int64_t room = map->n_children + fragment->n_children + 1;
    struct pen_config_node *merged = pen_arena_alloc(arena, 1, sizeof *merged);
    struct pen_config_node **children = pen_arena_alloc(arena, room, sizeof *children);
    const char **keys = pen_arena_alloc(arena, room, sizeof *keys);
    int *lines = pen_arena_alloc(arena, room, sizeof *lines);
    int *columns = pen_arena_alloc(arena, room, sizeof *columns);
    if (merged == NULL || children == NULL || keys == NULL || lines == NULL || columns == NULL) {
        return NULL;
    }
    int64_t n = 0;
    for (int64_t i = 0; i < map->n_children + fragment->n_children; i++) {
        bool from_fragment = i >= map->n_children;
        const struct pen_config_node *source = from_fragment ? fragment : map;
        int64_t at = from_fragment ? i - map->n_children : i;
        struct pen_config_node *child = source->children[at];
        int64_t other = find_key(from_fragment ? map : fragment, source->keys[at]);
        if (from_fragment && other >= 0) {
            continue; /* merged when the map's own entry was met */
        }
        if (!from_fragment && other >= 0) {
            source = fragment;
            struct pen_config_node *newer = fragment->children[other];
            bool deeper = nested > 0 && child->kind == PEN_CONFIG_MAP && newer->kind == PEN_CONFIG_MAP;
            child = deeper ? merge(arena, child, newer, nested - 1) : newer;
            at = other;
            if (child == NULL) {
                return NULL;
            }
        }
        if (child->kind == PEN_CONFIG_NULL) {
            continue; /* removed */
        }
        children[n] = child;
        keys[n] = source->keys[at];
        lines[n] = source->key_lines[at];
        columns[n] = source->key_columns[at];
        n++;
    }
    *merged = *map;
    merged->kind = PEN_CONFIG_MAP;
    merged->n_children = n;
    merged->children = children;
    merged->keys = keys;
    merged->key_lines = lines;
    merged->key_columns = columns;
    return merged;
}

static pen_status patch_into(const struct pen_schema *schema, const char *fragment, size_t size_bytes, const char *file,
                             struct pen_schema *patched, struct pen_text *text, struct pen_error *err)
{
    struct pen_config_node *base = NULL;
    struct pen_config_node *change = NULL;
    PEN_TRY(pen_schema_print(schema, false, text, err));
    PEN_TRY(pen_config_parse(&patched->arena, pen_text_view(text), text->size_bytes, "schema.yaml", &base, err));
    PEN_TRY(pen_config_parse(&patched->arena, fragment, size_bytes, file, &change, err));
    if (change->kind != PEN_CONFIG_MAP && change->kind != PEN_CONFIG_NULL) {
        return pen_config_error(change, err,
                                "expected a fragment of schema.yaml such as features: {fare: {type: int}}");
    }
    base = merge(&patched->arena, base, change, 1);
    if (base == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: changing a schema");
    }
    return pen_schema_from_tree(base, patched, err);
}

pen_status pen_schema_patch(const struct pen_schema *schema, const char *fragment, size_t size_bytes, const char *file,
                            struct pen_schema *patched, struct pen_error *err)
{
    struct pen_text text = {0};
    pen_schema_init(patched);
    pen_status status = patch_into(schema, fragment, size_bytes, file, patched, &text, err);
    pen_text_deinit(&text);
    if (status != PEN_OK) {
        pen_schema_deinit(patched);
    }
    return status;
}
