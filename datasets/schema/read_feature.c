/* One feature of schema.yaml. Its section is an option table of core/config.h, which finds unknown fields and names the
 * nearest; what a table cannot say (short forms, one field's meaning depending on another's) is read by hand. */
#include "datasets/schema/read_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct feature_fields {
    const struct pen_config_node *type, *presence, *shape, *values, *domain, *min, *max, *stage, *unique, *drift, *skew,
        *severities, *language, *derived;
    bool disallow_nan, disallow_inf, categorical;
    const char *true_value, *false_value;
    struct pen_config_strings in_environment, not_in_environment, tags;
    double min_domain_mass;
    const char *comment;
};

#define NODE(name, help)                                                                      \
    {                                                                                         \
#name, PEN_OPTION_NODE, offsetof(struct feature_fields, name), NULL, 0, 0, NULL, help \
    }
static const struct pen_option feature_table[] = {
    NODE(type, "int, float, string or none"),
    NODE(presence, "required, some, optional or {min_count, min_fraction}"),
    NODE(shape, "values in every row: [1]"),
    NODE(values, "values in a row that has any: {min, max}"),
    NODE(domain, "a list, a name, bool, int or float"),
    NODE(min, "smallest number"),
    NODE(max, "largest number"),
    {"disallow_nan", PEN_OPTION_BOOL, offsetof(struct feature_fields, disallow_nan), "false", 0, 0, NULL, "no NaN"},
    {"disallow_inf", PEN_OPTION_BOOL, offsetof(struct feature_fields, disallow_inf), "false", 0, 0, NULL,
     "no infinities"},
    {"true_value", PEN_OPTION_STRING, offsetof(struct feature_fields, true_value), NULL, 0, 0, NULL, "bool as string"},
    {"false_value", PEN_OPTION_STRING, offsetof(struct feature_fields, false_value), NULL, 0, 0, NULL,
     "bool as string"},
    {"min_domain_mass", PEN_OPTION_DOUBLE, offsetof(struct feature_fields, min_domain_mass), "1", 0, 1, NULL,
     "share of values in the domain"},
    {"categorical", PEN_OPTION_BOOL, offsetof(struct feature_fields, categorical), "false", 0, 0, NULL,
     "integers that are names"},
    NODE(unique, "distinct values: {min, max}"),
    NODE(stage, "life cycle"),
    {"in_environment", PEN_OPTION_STRINGS, offsetof(struct feature_fields, in_environment), NULL, 0, 0, NULL,
     "environments it is in"},
    {"not_in_environment", PEN_OPTION_STRINGS, offsetof(struct feature_fields, not_in_environment), NULL, 0, 0, NULL,
     "environments it is not in"},
    NODE(drift, "thresholds against the previous data"),
    NODE(skew, "thresholds between splits, or against serving data"),
    NODE(severities, "anomaly: error or warning"),
    {"natural_language", PEN_OPTION_NODE, offsetof(struct feature_fields, language), NULL, 0, 0, NULL,
     "what its tokens must be like"},
    NODE(derived, "what it is made of: {ratio: [a, b]}"),
    {"tags", PEN_OPTION_STRINGS, offsetof(struct feature_fields, tags), NULL, 0, 0, NULL, "for people"},
    {"comment", PEN_OPTION_STRING, offsetof(struct feature_fields, comment), NULL, 0, 0, NULL, "for people"},
    {.name = NULL},
};
#undef NODE

static pen_status read_presence(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                struct pen_schema_feature *feature)
{
    static const char *const words[] = {"optional", "some", "required", NULL};
    if (node->kind != PEN_CONFIG_MAP) {
        int word = 0;
        PEN_TRY(pen_schema_read_choice(reader, node, "presence", words, 0,
                                       "required, some, optional or {min_count, min_fraction}", &word));
        feature->min_count = word > 0 ? 1 : 0;
        feature->min_fraction = word == 2 ? 1.0 : 0.0;
        return PEN_OK;
    }
    struct {
        int64_t min_count;
        double min_fraction;
    } fields;
    const struct pen_option table[] = {
        {"min_count", PEN_OPTION_INT, 0, "0", 0, 9.2e18, NULL, "rows with a value"},
        {"min_fraction", PEN_OPTION_DOUBLE, sizeof(int64_t), "0", 0, 1, NULL, "share of rows with a value"},
        {.name = NULL},
    };
    PEN_TRY(pen_config_options(reader->arena, &fields, sizeof fields, table, node, "presence", reader->err));
    feature->min_count = fields.min_count;
    feature->min_fraction = fields.min_fraction;
    return PEN_OK;
}

static pen_status read_shape(struct pen_schema_reader *reader, const struct pen_config_node *node,
                             struct pen_schema_feature *feature)
{
    int64_t n = node->kind == PEN_CONFIG_LIST ? node->n_children : 1;
    int64_t *dimensions = pen_arena_alloc(reader->arena, n + 1, sizeof *dimensions);
    if (dimensions == NULL) {
        return pen_schema_out_of_memory(reader);
    }
    for (int64_t i = 0; i < n; i++) {
        const struct pen_config_node *item = node->kind == PEN_CONFIG_LIST ? node->children[i] : node;
        PEN_TRY(pen_config_int(item, "shape", &dimensions[i], reader->err));
        if (dimensions[i] < 1) {
            return pen_schema_expected(reader, item, "shape", "sizes of 1 or more");
        }
    }
    feature->has_shape = true;
    feature->n_dimensions = n;
    feature->dimensions = dimensions;
    return PEN_OK;
}

static pen_status read_domain(struct pen_schema_reader *reader, const struct pen_config_node *node,
                              struct pen_schema_feature *feature)
{
    if (node->kind == PEN_CONFIG_LIST) {
        feature->domain = PEN_SCHEMA_DOMAIN_STRINGS;
        return pen_schema_read_strings(reader, node, "domain", &feature->domain_values);
    }
    if (node->kind != PEN_CONFIG_SCALAR) {
        return pen_schema_expected(reader, node, "domain",
                                   "a list of values, a shared domain's name, bool, int or float");
    }
    static const char *const words[] = {"int", "float", "bool"};
    static const enum pen_schema_domain kinds[] = {PEN_SCHEMA_DOMAIN_INT, PEN_SCHEMA_DOMAIN_FLOAT,
                                                   PEN_SCHEMA_DOMAIN_BOOL};
    for (int i = 0; i < 3; i++) {
        if (strcmp(node->scalar, words[i]) == 0) {
            feature->domain = kinds[i];
            return PEN_OK;
        }
    }
    feature->domain = PEN_SCHEMA_DOMAIN_STRINGS;
    feature->domain_name = node->scalar;
    if (pen_schema_find_domain(reader->schema, node->scalar) != NULL) {
        return PEN_OK;
    }
    int64_t n = reader->schema->n_domains;
    const char **names = pen_arena_alloc(reader->arena, n + 3, sizeof *names);
    if (names == NULL) {
        return pen_schema_out_of_memory(reader);
    }
    for (int64_t i = 0; i < n + 3; i++) {
        names[i] = i < 3 ? words[i] : reader->schema->domains[i - 3].name;
    }
    return pen_schema_unknown_name(reader, node, "domain", "bool, int, float, a list, or a name defined under domains",
                                   names, n + 3);
}

static pen_status read_limit(struct pen_schema_reader *reader, const struct pen_config_node *node, const char *name,
                             struct pen_schema_feature *feature, int64_t *as_int, double *as_float)
{
    if (node == NULL || node->kind == PEN_CONFIG_NULL) {
        return PEN_OK;
    }
    if (feature->domain == PEN_SCHEMA_DOMAIN_NONE) {
        if (feature->type == PEN_SCHEMA_TYPE_STRING) {
            return pen_config_error(node, reader->err,
                                    "option %s: a limit of strings needs domain: int or domain: float beside it", name);
        }
        feature->domain = feature->type == PEN_SCHEMA_TYPE_INT ? PEN_SCHEMA_DOMAIN_INT : PEN_SCHEMA_DOMAIN_FLOAT;
    }
    if (feature->domain == PEN_SCHEMA_DOMAIN_INT) {
        return pen_config_int(node, name, as_int, reader->err);
    }
    if (feature->domain != PEN_SCHEMA_DOMAIN_FLOAT) {
        return pen_config_error(node, reader->err, "option %s: a limit fits domain: int and domain: float only", name);
    }
    PEN_TRY(pen_config_double(node, name, as_float, reader->err));
    if (!isfinite(*as_float)) {
        return pen_schema_expected(reader, node, name, "a finite number (no limit: leave the option out)");
    }
    return PEN_OK;
}

/* NaN and infinities are matters of floats: with nothing said about the domain, they say it is one. */
static pen_status read_disallowed(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                  const struct feature_fields *fields, struct pen_schema_feature *feature)
{
    const char *option = fields->disallow_nan ? "disallow_nan" : "disallow_inf";
    if (!fields->disallow_nan && !fields->disallow_inf) {
        return PEN_OK;
    }
    if (feature->domain == PEN_SCHEMA_DOMAIN_NONE) {
        feature->domain = PEN_SCHEMA_DOMAIN_FLOAT;
    }
    if (feature->domain != PEN_SCHEMA_DOMAIN_FLOAT) {
        return pen_config_error(pen_config_get(node, option), reader->err, "option %s: it fits domain: float only",
                                option);
    }
    feature->disallow_nan = fields->disallow_nan;
    feature->disallow_inf = fields->disallow_inf;
    return PEN_OK;
}

static pen_status read_values(struct pen_schema_reader *reader, const struct pen_config_node *node,
                              const struct feature_fields *fields, struct pen_schema_feature *feature)
{
    if (pen_schema_given(fields->domain)) {
        PEN_TRY(read_domain(reader, fields->domain, feature));
    }
    PEN_TRY(read_limit(reader, fields->min, "min", feature, &feature->min_int, &feature->min));
    PEN_TRY(read_limit(reader, fields->max, "max", feature, &feature->max_int, &feature->max));
    PEN_TRY(read_disallowed(reader, node, fields, feature));
    feature->true_value = fields->true_value;
    feature->false_value = fields->false_value;
    feature->min_domain_mass = fields->min_domain_mass;
    feature->is_categorical = fields->categorical;
    if (pen_schema_given(fields->unique)) {
        feature->has_unique = true;
        PEN_TRY(
            pen_schema_read_count_range(reader, fields->unique, "unique", &feature->unique_min, &feature->unique_max));
    }
    return PEN_OK;
}

/* {length: text}, {ratio: [a, b]}: one way, and as many columns as it takes. */
static pen_status read_derived(struct pen_schema_reader *reader, const struct pen_config_node *node,
                               struct pen_schema_feature *feature)
{
    static const char what[] = "one of {length: a}, {count_tokens: a}, {difference: [a, b]}, {ratio: [a, b]}";
    if (node->kind != PEN_CONFIG_MAP || node->n_children != 1) {
        return pen_schema_expected(reader, node, "derived", what);
    }
    struct pen_config_node key = *node->children[0];
    key.kind = PEN_CONFIG_SCALAR;
    key.scalar = node->keys[0];
    key.line = node->key_lines[0];
    key.column = node->key_columns[0];
    int way = 0;
    PEN_TRY(pen_schema_read_choice(reader, &key, "derived", pen_schema_deriver_names, 1, what, &way));
    feature->deriver = (enum pen_schema_deriver)way;
    const struct pen_config_node *columns = node->children[0];
    bool two = feature->deriver == PEN_SCHEMA_DERIVER_DIFFERENCE || feature->deriver == PEN_SCHEMA_DERIVER_RATIO;
    if (two ? columns->kind != PEN_CONFIG_LIST || columns->n_children != 2 : columns->kind != PEN_CONFIG_SCALAR) {
        return pen_schema_expected(reader, columns, node->keys[0], two ? "a list of two columns" : "one column");
    }
    for (int i = 0; i < (two ? 2 : 1); i++) {
        PEN_TRY(pen_config_string(two ? columns->children[i] : columns, node->keys[0], &feature->derived_from[i],
                                  reader->err));
    }
    return PEN_OK;
}

pen_status pen_schema_read_feature(struct pen_schema_reader *reader, const char *name,
                                   const struct pen_config_node *node, struct pen_schema_feature *feature)
{
    struct feature_fields fields;
    char section[PEN_QUOTE_BYTES + 16];
    char quoted[PEN_QUOTE_BYTES];
    (void)snprintf(section, sizeof section, "feature %.356s", pen_quote(quoted, name, strlen(name)));
    PEN_TRY(pen_config_options(reader->arena, &fields, sizeof fields, feature_table, node, section, reader->err));
    pen_schema_feature_init(feature, name, PEN_SCHEMA_TYPE_UNSET);
    int choice = 0;
    if (pen_schema_given(fields.type)) {
        PEN_TRY(pen_schema_read_choice(reader, fields.type, "type", pen_schema_type_names, 1,
                                       "int, float, string or none", &choice));
        feature->type = (enum pen_schema_type)choice;
    }
    if (pen_schema_given(fields.presence)) {
        PEN_TRY(read_presence(reader, fields.presence, feature));
    }
    if (pen_schema_given(fields.shape)) {
        PEN_TRY(read_shape(reader, fields.shape, feature));
    }
    if (pen_schema_given(fields.values)) {
        PEN_TRY(
            pen_schema_read_count_range(reader, fields.values, "values", &feature->min_values, &feature->max_values));
    }
    PEN_TRY(read_values(reader, node, &fields, feature));
    PEN_TRY(pen_schema_read_stage(reader, fields.stage, &feature->stage));
    feature->in_environment = fields.in_environment;
    feature->not_in_environment = fields.not_in_environment;
    if (pen_schema_given(fields.drift)) {
        PEN_TRY(pen_schema_comparator_from_tree(reader->arena, fields.drift, "drift", &feature->drift, reader->err));
    }
    if (pen_schema_given(fields.skew)) {
        PEN_TRY(pen_schema_comparator_from_tree(reader->arena, fields.skew, "skew", &feature->skew, reader->err));
    }
    if (pen_schema_given(fields.severities)) {
        PEN_TRY(pen_schema_read_severities(reader, fields.severities, &feature->severities));
    }
    if (pen_schema_given(fields.language)) {
        PEN_TRY(pen_schema_read_language(reader, fields.language, &feature->language));
    }
    if (pen_schema_given(fields.derived)) {
        PEN_TRY(read_derived(reader, fields.derived, feature));
    }
    feature->tags = fields.tags;
    feature->comment = fields.comment;
    return PEN_OK;
}
