/* The values that several parts of schema.yaml have in common: a word of a list, a range of counts, thresholds,
 * severities. Each error says what was expected and found, with the nearest name. */
#include "datasets/schema/read_internal.h"

#include <stdio.h>
#include <string.h>

bool pen_schema_given(const struct pen_config_node *node)
{
    return node != NULL && node->kind != PEN_CONFIG_NULL;
}

pen_status pen_schema_out_of_memory(struct pen_schema_reader *reader)
{
    PEN_FAIL(reader->err, PEN_ERR_MEMORY, "out of memory: reading a schema");
}

static const char *found(const struct pen_config_node *node, char out[PEN_QUOTE_BYTES + 2])
{
    char quoted[PEN_QUOTE_BYTES];
    switch (node->kind) {
    case PEN_CONFIG_LIST:
        return "a list";
    case PEN_CONFIG_MAP:
        return "a map";
    case PEN_CONFIG_NULL:
        return "nothing";
    case PEN_CONFIG_SCALAR:
    default:
        (void)snprintf(out, PEN_QUOTE_BYTES + 2, "'%.356s'", pen_quote(quoted, node->scalar, strlen(node->scalar)));
        return out;
    }
}

pen_status pen_schema_expected(struct pen_schema_reader *reader, const struct pen_config_node *node, const char *name,
                               const char *what)
{
    char text[PEN_QUOTE_BYTES + 2];
    return pen_config_error(node, reader->err, "option %s: expected %s, found %s", name, what, found(node, text));
}

/* Index of the scalar in names[first ..], with the nearest name in the error. */
pen_status pen_schema_unknown_name(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                   const char *name, const char *what, const char *const *names, int64_t n_names)
{
    const char *near = pen_nearest_name(node->scalar, names, n_names);
    char text[PEN_QUOTE_BYTES + 2];
    return pen_config_error(node, reader->err, "option %s: expected %s, found %s%s%s%s", name, what, found(node, text),
                            near == NULL ? "" : "; did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?");
}

pen_status pen_schema_read_choice(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                  const char *name, const char *const *names, int first, const char *what, int *value)
{
    if (node->kind != PEN_CONFIG_SCALAR) {
        return pen_schema_expected(reader, node, name, what);
    }
    int n = 0;
    for (; names[n] != NULL; n++) {
        if (n >= first && strcmp(names[n], node->scalar) == 0) {
            *value = n;
            return PEN_OK;
        }
    }
    return pen_schema_unknown_name(reader, node, name, what, names + first, n - first);
}

/* {min, max} of counts, or one number for both; -1 where not given. */
pen_status pen_schema_read_count_range(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                       const char *name, int64_t *low, int64_t *high)
{
    int64_t fields[2] = {-1, -1};
    const struct pen_option table[] = {
        {"min", PEN_OPTION_INT, 0, "-1", -1, 9.2e18, NULL, "fewest"},
        {"max", PEN_OPTION_INT, sizeof(int64_t), "-1", -1, 9.2e18, NULL, "most"},
        {.name = NULL},
    };
    if (node->kind == PEN_CONFIG_SCALAR) {
        PEN_TRY(pen_config_int(node, name, &fields[0], reader->err));
        if (fields[0] < 0) {
            return pen_schema_expected(reader, node, name, "a count of 0 or more");
        }
        fields[1] = fields[0];
    } else {
        PEN_TRY(pen_config_options(reader->arena, fields, sizeof fields, table, node, name, reader->err));
    }
    *low = fields[0];
    *high = fields[1];
    return PEN_OK;
}

pen_status pen_schema_read_threshold(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                     const char *name, double *threshold)
{
    *threshold = -1.0;
    if (!pen_schema_given(node)) {
        return PEN_OK;
    }
    PEN_TRY(pen_config_double(node, name, threshold, reader->err));
    if (!(*threshold >= 0.0 && *threshold <= 1.0)) {
        return pen_schema_expected(reader, node, name, "0 to 1");
    }
    return PEN_OK;
}

pen_status pen_schema_comparator_from_tree(struct pen_arena *arena, const struct pen_config_node *node,
                                           const char *name, struct pen_schema_comparator *comparator,
                                           struct pen_error *err)
{
    struct comparator_fields {
        const struct pen_config_node *infinity_norm, *jensen_shannon, *normalized_abs_difference, *source;
    } fields;
    static const struct pen_option table[] = {
        {"infinity_norm", PEN_OPTION_NODE, offsetof(struct comparator_fields, infinity_norm), NULL, 0, 0, NULL, ""},
        {"jensen_shannon", PEN_OPTION_NODE, offsetof(struct comparator_fields, jensen_shannon), NULL, 0, 0, NULL, ""},
        {"normalized_abs_difference", PEN_OPTION_NODE, offsetof(struct comparator_fields, normalized_abs_difference),
         NULL, 0, 0, NULL, ""},
        {"source", PEN_OPTION_NODE, offsetof(struct comparator_fields, source), NULL, 0, 0, NULL, ""},
        {.name = NULL},
    };
    struct pen_schema_reader reader = {NULL, arena, err};
    PEN_TRY(pen_config_options(arena, &fields, sizeof fields, table, node, name, err));
    PEN_TRY(pen_schema_read_threshold(&reader, fields.infinity_norm, "infinity_norm", &comparator->infinity_norm));
    PEN_TRY(pen_schema_read_threshold(&reader, fields.jensen_shannon, "jensen_shannon", &comparator->jensen_shannon));
    PEN_TRY(pen_schema_read_threshold(&reader, fields.normalized_abs_difference, "normalized_abs_difference",
                                      &comparator->normalized_abs_difference));
    int source = PEN_SCHEMA_HISTOGRAM_STANDARD;
    if (pen_schema_given(fields.source)) {
        PEN_TRY(pen_schema_read_choice(&reader, fields.source, "source", pen_schema_histogram_names, 0,
                                       "standard or quantiles", &source));
    }
    comparator->source = (enum pen_schema_histogram)source;
    return PEN_OK;
}

pen_status pen_schema_read_severities(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                      struct pen_schema_severities *list)
{
    static const char *const words[] = {"error", "warning", NULL};
    if (node->kind != PEN_CONFIG_MAP) {
        return pen_schema_expected(reader, node, "severities", "a map such as {SCHEMA_NEW_COLUMN: warning}");
    }
    struct pen_schema_severity *items = pen_arena_alloc(reader->arena, node->n_children + 1, sizeof *items);
    if (items == NULL) {
        return pen_schema_out_of_memory(reader);
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        const char *near = NULL;
        if (!pen_anomaly_find(node->keys[i], &items[i].anomaly, &near)) {
            struct pen_config_node place = *node->children[i];
            char quoted[PEN_QUOTE_BYTES];
            place.line = node->key_lines[i];
            place.column = node->key_columns[i];
            return pen_config_error(&place, reader->err, "option severities: no anomaly is called '%s'%s%s%s",
                                    pen_quote(quoted, node->keys[i], strlen(node->keys[i])),
                                    near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                                    near == NULL ? "" : "'?");
        }
        int word = 0;
        PEN_TRY(pen_schema_read_choice(reader, node->children[i], node->keys[i], words, 0, "error or warning", &word));
        items[i].severity = (enum pen_severity)word;
    }
    *list = (struct pen_schema_severities){node->n_children, items};
    return PEN_OK;
}

pen_status pen_schema_read_strings(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                   const char *name, struct pen_config_strings *list)
{
    if (node->kind != PEN_CONFIG_LIST) {
        return pen_schema_expected(reader, node, name, "a list of values");
    }
    const char **items = pen_arena_alloc(reader->arena, node->n_children + 1, sizeof *items);
    if (items == NULL) {
        return pen_schema_out_of_memory(reader);
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        const struct pen_config_node *item = node->children[i];
        if (item->kind != PEN_CONFIG_SCALAR) {
            return pen_schema_expected(reader, item, name, "values that are text (quote the empty string and null)");
        }
        items[i] = item->scalar;
    }
    *list = (struct pen_config_strings){items, node->n_children};
    return PEN_OK;
}

pen_status pen_schema_read_stage(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                 enum pen_schema_stage *stage)
{
    int choice = PEN_SCHEMA_STAGE_UNSET;
    if (pen_schema_given(node)) {
        PEN_TRY(pen_schema_read_choice(reader, node, "stage", pen_schema_stage_names, 1,
                                       "planned, alpha, beta, production, deprecated, debug_only, disabled or derived",
                                       &choice));
    }
    *stage = (enum pen_schema_stage)choice;
    return PEN_OK;
}
