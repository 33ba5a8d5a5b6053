/* Reading the option `per_feature_weight_override` (weight_override.h). */
#include "components/statistics_gen/weight_override.h"

pen_status pen_weight_overrides_parse(struct pen_arena *arena, const struct pen_config_node *node,
                                      const struct pen_weight_override **overrides, int64_t *n_overrides,
                                      struct pen_error *err)
{
    *n_overrides = 0;
    *overrides = NULL;
    if (node == NULL || node->kind == PEN_CONFIG_NULL) {
        return PEN_OK;
    }
    if (node->kind != PEN_CONFIG_MAP) {
        return pen_config_error(
            node, err, "option per_feature_weight_override: expected a map such as {fare: trip_weight}, found no map");
    }
    struct pen_weight_override *list = pen_arena_alloc(arena, node->n_children + 1, sizeof *list);
    if (list == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading option per_feature_weight_override");
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        list[i].feature = node->keys[i];
        PEN_TRY(pen_config_string(node->children[i], "per_feature_weight_override", &list[i].weight_feature, err));
    }
    *overrides = list;
    *n_overrides = node->n_children;
    return PEN_OK;
}
