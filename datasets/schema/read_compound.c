/* sparse_features and weighted_features: columns that are one feature together. */
#include "datasets/schema/read_internal.h"

#include <stdio.h>
#include <string.h>

struct compound_fields {
    const struct pen_config_node *part, *value, *stage;
    const char *separator;
};

/* A scalar that names a feature. */
static pen_status read_column(struct pen_schema_reader *reader, const struct pen_config_node *node, const char *option,
                              const char **name)
{
    const struct pen_schema *schema = reader->schema;
    if (!pen_schema_given(node) || node->kind != PEN_CONFIG_SCALAR) {
        return pen_schema_expected(reader, node, option, "the name of a feature");
    }
    *name = node->scalar;
    if (pen_schema_find(schema, node->scalar) != NULL) {
        return PEN_OK;
    }
    const char **names = pen_arena_alloc(reader->arena, schema->n_features + 1, sizeof *names);
    if (names == NULL) {
        return pen_schema_out_of_memory(reader);
    }
    for (int64_t i = 0; i < schema->n_features; i++) {
        names[i] = schema->features[i].name;
    }
    return pen_schema_unknown_name(reader, node, option, "the name of a feature", names, schema->n_features);
}

static pen_status read_parts(struct pen_schema_reader *reader, const struct pen_config_node *node, const char *option,
                             struct pen_config_strings *parts)
{
    bool is_list = node->kind == PEN_CONFIG_LIST;
    int64_t n = is_list ? node->n_children : 1;
    const char **names = pen_arena_alloc(reader->arena, n + 1, sizeof *names);
    if (names == NULL) {
        return pen_schema_out_of_memory(reader);
    }
    if (n == 0) {
        return pen_schema_expected(reader, node, option, "at least one name of a feature");
    }
    for (int64_t i = 0; i < n; i++) {
        PEN_TRY(read_column(reader, is_list ? node->children[i] : node, option, &names[i]));
    }
    *parts = (struct pen_config_strings){names, n};
    return PEN_OK;
}

static pen_status read_compound(struct pen_schema_reader *reader, enum pen_schema_compound_kind kind, const char *name,
                                const struct pen_config_node *node, struct pen_schema_compound *compound)
{
    const char *part = pen_schema_compound_part_name(kind);
    struct compound_fields fields;
    const struct pen_option table[] = {
        {part, PEN_OPTION_NODE, offsetof(struct compound_fields, part), NULL, 0, 0, NULL, "beside the value"},
        {"value", PEN_OPTION_NODE, offsetof(struct compound_fields, value), NULL, 0, 0, NULL, "column of the values"},
        {"separator", PEN_OPTION_STRING, offsetof(struct compound_fields, separator), NULL, 0, 0, NULL,
         "of the items in one cell"},
        {"stage", PEN_OPTION_NODE, offsetof(struct compound_fields, stage), NULL, 0, 0, NULL, "life cycle"},
        {.name = NULL},
    };
    char section[PEN_QUOTE_BYTES + 32];
    char quoted[PEN_QUOTE_BYTES];
    (void)snprintf(section, sizeof section, "%s %.356s",
                   kind == PEN_SCHEMA_SPARSE ? "sparse feature" : "weighted feature",
                   pen_quote(quoted, name, strlen(name)));
    PEN_TRY(pen_config_options(reader->arena, &fields, sizeof fields, table, node, section, reader->err));
    if (!pen_schema_given(fields.part) || !pen_schema_given(fields.value)) {
        return pen_config_error(node, reader->err, "%s: expected options %s and value, found no %s", section, part,
                                pen_schema_given(fields.part) ? "value" : part);
    }
    compound->name = name;
    if (kind == PEN_SCHEMA_WEIGHTED && fields.part->kind == PEN_CONFIG_LIST) {
        return pen_schema_expected(reader, fields.part, part, "the name of a feature");
    }
    PEN_TRY(read_parts(reader, fields.part, part, &compound->parts));
    PEN_TRY(read_column(reader, fields.value, "value", &compound->value));
    compound->separator = fields.separator;
    if (fields.separator != NULL && fields.separator[0] == '\0') {
        return pen_schema_expected(reader, pen_config_get(node, "separator"), "separator", "at least one character");
    }
    return pen_schema_read_stage(reader, fields.stage, &compound->stage);
}

pen_status pen_schema_read_compounds(struct pen_schema_reader *reader, enum pen_schema_compound_kind kind,
                                     const struct pen_config_node *node)
{
    struct pen_schema_compounds *list = &reader->schema->compounds[kind];
    if (!pen_schema_given(node)) {
        return PEN_OK;
    }
    if (node->kind != PEN_CONFIG_MAP) {
        return pen_schema_expected(reader, node, pen_schema_compound_section(kind),
                                   kind == PEN_SCHEMA_SPARSE ? "a map such as {clicks: {index: [id], value: score}}"
                                                             : "a map such as {vote: {weight: trust, value: vote}}");
    }
    struct pen_schema_compound *items = pen_arena_alloc(reader->arena, node->n_children + 1, sizeof *items);
    if (items == NULL) {
        return pen_schema_out_of_memory(reader);
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        PEN_TRY(read_compound(reader, kind, node->keys[i], node->children[i], &items[i]));
    }
    *list = (struct pen_schema_compounds){node->n_children, items};
    return PEN_OK;
}
