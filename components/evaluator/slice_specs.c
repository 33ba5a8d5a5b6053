/* Slice specs from the pipeline file. */
#include "components/evaluator/slices.h"

#include "core/memory.h"

enum { MOST_COLUMNS = 3, MOST_SPECS = 200 };

static pen_status read_spec(struct pen_arena *arena, const struct pen_config_node *node, struct pen_slice_spec *spec,
                            struct pen_error *err)
{
    int64_t n = node->kind == PEN_CONFIG_SCALAR ? 1 : node->n_children;
    if (n > MOST_COLUMNS) {
        return pen_config_error(node, err, "slices: expected at most %d columns crossed, found %lld", MOST_COLUMNS,
                                (long long)n);
    }
    *spec = (struct pen_slice_spec){.n_columns = node->kind == PEN_CONFIG_NULL ? 0 : n, .node = node};
    spec->columns = pen_arena_alloc(arena, n + 1, sizeof *spec->columns);
    const char **values = pen_arena_alloc(arena, n + 1, sizeof *values);
    if (spec->columns == NULL || values == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: slices");
    }
    if (node->kind == PEN_CONFIG_SCALAR) {
        spec->columns[0] = node->scalar;
        return PEN_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        const struct pen_config_node *child = node->children[i];
        if (child->kind != PEN_CONFIG_SCALAR) {
            return pen_config_error(child, err, "slices: expected a column name or column: value");
        }
        spec->columns[i] = node->kind == PEN_CONFIG_MAP ? node->keys[i] : child->scalar;
        values[i] = child->scalar;
    }
    spec->values = node->kind == PEN_CONFIG_MAP && n > 0 ? values : NULL;
    return PEN_OK;
}

pen_status pen_slice_specs(struct pen_arena *arena, const struct pen_config_node *node, struct pen_slice_spec **specs,
                           int64_t *n_specs, struct pen_error *err)
{
    int64_t n = node != NULL && node->kind == PEN_CONFIG_LIST ? node->n_children : 0;
    if (node != NULL && node->kind != PEN_CONFIG_LIST && node->kind != PEN_CONFIG_NULL) {
        return pen_config_error(node, err, "slices: expected a list such as [[], [column], [column, column]]");
    }
    if (n > MOST_SPECS) {
        return pen_config_error(node, err, "slices: expected at most %d, found %lld", MOST_SPECS, (long long)n);
    }
    *specs = pen_arena_alloc(arena, n + 1, sizeof **specs);
    if (*specs == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: slices");
    }
    *n_specs = 1;
    for (int64_t i = 0; i < n; i++) {
        struct pen_slice_spec *spec = &(*specs)[*n_specs];
        PEN_TRY(read_spec(arena, node->children[i], spec, err));
        *n_specs += spec->n_columns > 0 ? 1 : 0;
    }
    return PEN_OK;
}
