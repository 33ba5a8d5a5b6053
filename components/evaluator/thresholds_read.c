/* The thresholds section of the pipeline file. */
#include "components/evaluator/thresholds.h"

#include "core/memory.h"

#include <string.h>

static const char *const rule_names[] = {
    "min", "max", "min_change", "max_change", "min_relative_change", "max_relative_change", "slices"};

static pen_status read_slices(struct pen_arena *arena, const struct pen_config_node *node, struct pen_threshold *item,
                              struct pen_error *err)
{
    struct pen_slice_spec *specs = NULL;
    int64_t n_specs = 0;
    item->all_slices = node != NULL && node->kind == PEN_CONFIG_SCALAR && strcmp(node->scalar, "all") == 0;
    if (item->all_slices) {
        return PEN_OK;
    }
    PEN_TRY(pen_slice_specs(arena, node, &specs, &n_specs, err));
    bool overall = node == NULL || node->n_children == 0;
    for (int64_t i = 0; !overall && i < node->n_children; i++) {
        overall = node->children[i]->kind != PEN_CONFIG_SCALAR && node->children[i]->n_children == 0;
    }
    item->specs = overall ? specs : specs + 1; /* overall stands first in specs */
    item->n_specs = overall ? n_specs : n_specs - 1;
    return PEN_OK;
}

static pen_status read_metric(struct pen_arena *arena, const char *metric, const struct pen_config_node *node,
                              struct pen_threshold_list *list, struct pen_error *err)
{
    if (node->kind != PEN_CONFIG_MAP || node->n_children == 0) {
        return pen_config_error(node, err, "thresholds.%s: expected a map such as {min: 0.7}", metric);
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        int rule = 0;
        while (rule <= PEN_RULE_COUNT && strcmp(rule_names[rule], node->keys[i]) != 0) {
            rule++;
        }
        if (rule > PEN_RULE_COUNT) {
            const char *near = pen_nearest_name(node->keys[i], rule_names, PEN_RULE_COUNT + 1);
            return pen_config_error(node->children[i], err, "thresholds.%s: unknown rule '%.60s'%s%s%s", metric,
                                    node->keys[i], near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
        }
        if (rule == PEN_RULE_COUNT) {
            continue;
        }
        struct pen_threshold *item = &list->items[list->n_items++];
        *item = (struct pen_threshold){.metric = metric, .rule = (enum pen_rule)rule, .node = node->children[i]};
        PEN_TRY(pen_config_double(node->children[i], node->keys[i], &item->bound, err));
        PEN_TRY(read_slices(arena, pen_config_get(node, "slices"), item, err));
    }
    return PEN_OK;
}

pen_status pen_thresholds_read(struct pen_arena *arena, const struct pen_config_node *node,
                               struct pen_threshold_list *list, struct pen_error *err)
{
    *list = (struct pen_threshold_list){0};
    if (node == NULL || node->kind == PEN_CONFIG_NULL) {
        return PEN_OK;
    }
    if (node->kind != PEN_CONFIG_MAP) {
        return pen_config_error(node, err, "thresholds: expected a map such as {auc: {min: 0.7}}");
    }
    list->items = pen_arena_alloc(arena, node->n_children * PEN_RULE_COUNT + 1, sizeof *list->items);
    if (list->items == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: thresholds");
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        PEN_TRY(read_metric(arena, node->keys[i], node->children[i], list, err));
    }
    return PEN_OK;
}
