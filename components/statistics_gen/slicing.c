/* Reading the option `slices` (slicing.h). */
#include "components/statistics_gen/slicing.h"

#include <string.h>

static pen_status out_of_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading option slices");
}

static pen_status parse_item(struct pen_arena *arena, const struct pen_config_node *node, struct pen_slice_item *item,
                             struct pen_error *err)
{
    const char *text = NULL;
    if (node->kind != PEN_CONFIG_SCALAR || node->scalar[0] == '\0' || node->scalar[0] == '=') {
        return pen_config_error(node, err, "option slices: expected a feature, or feature=value");
    }
    PEN_TRY(pen_config_string(node, "slices", &text, err));
    const char *equals = strchr(text, '=');
    size_t name_bytes = equals == NULL ? strlen(text) : (size_t)(equals - text);
    item->feature = pen_arena_strndup(arena, text, name_bytes);
    item->value = equals == NULL ? NULL : pen_arena_strdup(arena, equals + 1);
    return item->feature == NULL || (equals != NULL && item->value == NULL) ? out_of_memory(err) : PEN_OK;
}

static pen_status parse_slicing(struct pen_arena *arena, const struct pen_config_node *node,
                                struct pen_slicing *slicing, struct pen_error *err)
{
    int64_t n_items = node->kind == PEN_CONFIG_LIST ? node->n_children : 1;
    struct pen_slice_item *items = pen_arena_alloc(arena, n_items + 1, sizeof *items);
    if (items == NULL) {
        return out_of_memory(err);
    }
    for (int64_t i = 0; i < n_items; i++) {
        PEN_TRY(parse_item(arena, node->kind == PEN_CONFIG_LIST ? node->children[i] : node, &items[i], err));
    }
    *slicing = (struct pen_slicing){n_items, items};
    return PEN_OK;
}

pen_status pen_slicings_parse(struct pen_arena *arena, const struct pen_config_node *node,
                              const struct pen_slicing **slicings, int64_t *n_slicings, struct pen_error *err)
{
    *n_slicings = 0;
    *slicings = NULL;
    if (node == NULL || node->kind == PEN_CONFIG_NULL) {
        return PEN_OK;
    }
    if (node->kind != PEN_CONFIG_LIST) {
        return pen_config_error(node, err, "option slices: expected a list of slicings such as [[hour], [company]]");
    }
    struct pen_slicing *list = pen_arena_alloc(arena, node->n_children + 1, sizeof *list);
    if (list == NULL) {
        return out_of_memory(err);
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        PEN_TRY(parse_slicing(arena, node->children[i], &list[i], err));
    }
    *slicings = list;
    *n_slicings = node->n_children;
    return PEN_OK;
}
