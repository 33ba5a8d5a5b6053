/* Option tables: one row says name, type, field, default, bounds and help; this file fills the struct. */
#include "core/config.h"

#include <stdio.h>
#include <string.h>

static pen_status out_of_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading options");
}

static pen_status check_bounds(const struct pen_option *option, const struct pen_config_node *node, double value,
                               struct pen_error *err)
{
    char low[PEN_NUMBER_BYTES];
    char high[PEN_NUMBER_BYTES];
    bool bounded = option->minimum < option->maximum;
    if (bounded && !(value >= option->minimum && value <= option->maximum)) {
        return pen_config_error(node, err, "option %s: expected %s to %s, found %s", option->name,
                                pen_format_double(low, option->minimum), pen_format_double(high, option->maximum),
                                node->scalar);
    }
    return PEN_OK;
}

static pen_status fill_enum(const struct pen_option *option, const struct pen_config_node *node, int *field,
                            struct pen_error *err)
{
    const char *text = NULL;
    PEN_TRY(pen_config_string(node, option->name, &text, err));
    char listed[256] = "";
    size_t used = 0;
    int64_t n = 0;
    for (; option->choices[n] != NULL; n++) {
        if (strcmp(option->choices[n], text) == 0) {
            *field = (int)n;
            return PEN_OK;
        }
        int more = snprintf(listed + used, sizeof listed - used, "%s%s", n == 0 ? "" : ", ", option->choices[n]);
        used += more > 0 && (size_t)more < sizeof listed - used ? (size_t)more : 0;
    }
    const char *near = pen_nearest_name(text, option->choices, n);
    char quoted[PEN_QUOTE_BYTES];
    return pen_config_error(node, err, "option %s: expected one of %s; found '%s'%s%s%s", option->name, listed,
                            pen_quote(quoted, text, strlen(text)), near == NULL ? "" : "; did you mean '",
                            near == NULL ? "" : near, near == NULL ? "" : "'?");
}

/* The items of a list, or a scalar standing for a list of one. */
static const struct pen_config_node *item_of(const struct pen_config_node *node, int64_t i)
{
    return node->kind == PEN_CONFIG_LIST ? node->children[i] : node;
}

static int64_t n_items_of(const struct pen_config_node *node)
{
    return node->kind == PEN_CONFIG_LIST ? node->n_children : 1;
}

static pen_status fill_ints(struct pen_arena *arena, const struct pen_option *option,
                            const struct pen_config_node *node, struct pen_config_ints *field, struct pen_error *err)
{
    int64_t n = n_items_of(node);
    int64_t *items = pen_arena_alloc(arena, n, sizeof *items);
    if (items == NULL) {
        return out_of_memory(err);
    }
    for (int64_t i = 0; i < n; i++) {
        PEN_TRY(pen_config_int(item_of(node, i), option->name, &items[i], err));
        PEN_TRY(check_bounds(option, item_of(node, i), (double)items[i], err));
    }
    *field = (struct pen_config_ints){items, n};
    return PEN_OK;
}

static pen_status fill_strings(struct pen_arena *arena, const struct pen_option *option,
                               const struct pen_config_node *node, struct pen_config_strings *field,
                               struct pen_error *err)
{
    int64_t n = n_items_of(node);
    const char **items = pen_arena_alloc(arena, n, sizeof *items);
    if (items == NULL) {
        return out_of_memory(err);
    }
    for (int64_t i = 0; i < n; i++) {
        PEN_TRY(pen_config_string(item_of(node, i), option->name, &items[i], err));
    }
    *field = (struct pen_config_strings){items, n};
    return PEN_OK;
}

static pen_status fill(struct pen_arena *arena, const struct pen_option *option, const struct pen_config_node *node,
                       void *field, struct pen_error *err)
{
    switch (option->type) {
    case PEN_OPTION_BOOL:
        return pen_config_bool(node, option->name, field, err);
    case PEN_OPTION_INT:
        PEN_TRY(pen_config_int(node, option->name, field, err));
        return check_bounds(option, node, (double)*(int64_t *)field, err);
    case PEN_OPTION_DOUBLE:
        PEN_TRY(pen_config_double(node, option->name, field, err));
        return check_bounds(option, node, *(double *)field, err);
    case PEN_OPTION_STRING:
        return pen_config_string(node, option->name, field, err);
    case PEN_OPTION_ENUM:
        return fill_enum(option, node, field, err);
    case PEN_OPTION_INTS:
        return fill_ints(arena, option, node, field, err);
    case PEN_OPTION_STRINGS:
        return fill_strings(arena, option, node, field, err);
    case PEN_OPTION_NODE:
    default:
        *(const struct pen_config_node **)field = node;
        return PEN_OK;
    }
}

enum { FEW_BYTES = 100 };

/* "by, column, every"; false and nothing where they are too many for a message. */
static bool list_names(char out[FEW_BYTES], const char *const *names, int64_t n)
{
    size_t used = 0;
    for (int64_t i = 0; i < n; i++) {
        int more = snprintf(out + used, FEW_BYTES - used, "%s%s", i == 0 ? "" : ", ", names[i]);
        if (more < 0 || (size_t)more >= FEW_BYTES - used) {
            out[0] = '\0';
            return false;
        }
        used += (size_t)more;
    }
    return n > 0;
}

static pen_status check_keys(const struct pen_option *table, const struct pen_config_node *map, const char *section,
                             struct pen_error *err)
{
    enum { MOST = 128 };
    const char *names[MOST];
    int64_t n = 0;
    for (; table[n].name != NULL && n < MOST; n++) {
        names[n] = table[n].name;
    }
    for (int64_t i = 0; i < map->n_children; i++) {
        bool known = false;
        for (int64_t j = 0; j < n; j++) {
            known = known || strcmp(names[j], map->keys[i]) == 0;
        }
        if (!known) {
            struct pen_config_node place = *map->children[i];
            place.line = map->key_lines[i];
            place.column = map->key_columns[i];
            const char *near = pen_nearest_name(map->keys[i], names, n);
            char quoted[PEN_QUOTE_BYTES], listed[FEW_BYTES] = "";
            bool few = near == NULL && list_names(listed, names, n);
            return pen_config_error(&place, err, "%s has no option '%s'%s%s%s", section,
                                    pen_quote(quoted, map->keys[i], strlen(map->keys[i])),
                                    near != NULL ? "; did you mean '"
                                    : few        ? "; it has "
                                                 : "",
                                    near != NULL ? near : listed, near == NULL ? "" : "'?");
        }
    }
    return PEN_OK;
}

pen_status pen_config_options(struct pen_arena *arena, void *options, size_t options_bytes,
                              const struct pen_option *table, const struct pen_config_node *map, const char *section,
                              struct pen_error *err)
{
    memset(options, 0, options_bytes);
    if (map != NULL && map->kind != PEN_CONFIG_NULL && map->kind != PEN_CONFIG_MAP) {
        return pen_config_error(map, err, "%s: expected a map of options", section);
    }
    if (map != NULL) {
        PEN_TRY(check_keys(table, map, section, err));
    }
    for (int64_t i = 0; table[i].name != NULL; i++) {
        void *field = (char *)options + table[i].offset;
        const struct pen_config_node *given = pen_config_get(map, table[i].name);
        if (given != NULL && given->kind != PEN_CONFIG_NULL) {
            PEN_TRY(fill(arena, &table[i], given, field, err));
        } else if (table[i].default_text != NULL) {
            struct pen_config_node *parsed = NULL;
            PEN_TRY(
                pen_config_parse(arena, table[i].default_text, strlen(table[i].default_text), "default", &parsed, err));
            PEN_TRY(fill(arena, &table[i], parsed, field, err));
        }
    }
    return PEN_OK;
}
