/* schema.yaml to a schema. Wrong form is refused at its line and column; see schema.h for what is left to the
 * validator. A feature is read in read_feature.c, what its sections share in read_values.c. */
#include "datasets/schema/read_internal.h"

#include <string.h>

struct root_fields {
    int64_t version;
    struct pen_config_strings default_environment;
    const struct pen_config_node *dataset, *severities, *domains, *features, *sparse, *weighted;
};

static const struct pen_option root_table[] = {
    {"schema", PEN_OPTION_INT, offsetof(struct root_fields, version), "1", 0, 0, NULL, "format version"},
    {"default_environment", PEN_OPTION_STRINGS, offsetof(struct root_fields, default_environment), NULL, 0, 0, NULL,
     "environments of features that name none"},
    {"dataset", PEN_OPTION_NODE, offsetof(struct root_fields, dataset), NULL, 0, 0, NULL, "limits of the row count"},
    {"severities", PEN_OPTION_NODE, offsetof(struct root_fields, severities), NULL, 0, 0, NULL, "for all features"},
    {"domains", PEN_OPTION_NODE, offsetof(struct root_fields, domains), NULL, 0, 0, NULL, "shared by features"},
    {"features", PEN_OPTION_NODE, offsetof(struct root_fields, features), NULL, 0, 0, NULL, "the columns"},
    {"sparse_features", PEN_OPTION_NODE, offsetof(struct root_fields, sparse), NULL, 0, 0, NULL,
     "index and value columns that belong together"},
    {"weighted_features", PEN_OPTION_NODE, offsetof(struct root_fields, weighted), NULL, 0, 0, NULL,
     "weight and value columns that belong together"},
    {.name = NULL},
};

static pen_status read_ratio(struct pen_schema_reader *reader, const struct pen_config_node *node, const char *name,
                             struct pen_schema_ratio *ratio)
{
    double fields[2] = {-1.0, -1.0};
    static const struct pen_option table[] = {
        {"min_ratio", PEN_OPTION_DOUBLE, 0, "-1", -1, 1e300, NULL, "rows now / rows before, at least"},
        {"max_ratio", PEN_OPTION_DOUBLE, sizeof(double), "-1", -1, 1e300, NULL, "rows now / rows before, at most"},
        {.name = NULL},
    };
    if (pen_schema_given(node)) {
        PEN_TRY(pen_config_options(reader->arena, fields, sizeof fields, table, node, name, reader->err));
    }
    *ratio = (struct pen_schema_ratio){fields[0], fields[1]};
    return PEN_OK;
}

static pen_status read_dataset(struct pen_schema_reader *reader, const struct pen_config_node *node,
                               struct pen_schema_dataset *dataset)
{
    struct {
        int64_t min_examples, max_examples;
        const struct pen_config_node *drift, *version;
    } fields;
    const struct pen_option table[] = {
        {"min_examples", PEN_OPTION_INT, 0, "-1", -1, 9.2e18, NULL, "fewest rows"},
        {"max_examples", PEN_OPTION_INT, sizeof(int64_t), "-1", -1, 9.2e18, NULL, "most rows"},
        {"drift", PEN_OPTION_NODE, 2 * sizeof(int64_t), NULL, 0, 0, NULL, "against the previous data"},
        {"version", PEN_OPTION_NODE, 2 * sizeof(int64_t) + sizeof(void *), NULL, 0, 0, NULL,
         "against the previous version"},
        {.name = NULL},
    };
    PEN_TRY(pen_config_options(reader->arena, &fields, sizeof fields, table, node, "dataset", reader->err));
    dataset->min_examples = fields.min_examples;
    dataset->max_examples = fields.max_examples;
    PEN_TRY(read_ratio(reader, fields.drift, "dataset.drift", &dataset->drift));
    return read_ratio(reader, fields.version, "dataset.version", &dataset->version);
}

static pen_status read_domains(struct pen_schema_reader *reader, const struct pen_config_node *node)
{
    if (node->kind != PEN_CONFIG_MAP) {
        return pen_schema_expected(reader, node, "domains", "a map of names to lists of values");
    }
    struct pen_schema_shared_domain *domains = pen_arena_alloc(reader->arena, node->n_children + 1, sizeof *domains);
    if (domains == NULL) {
        return pen_schema_out_of_memory(reader);
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        const char *name = node->keys[i];
        if (strcmp(name, "int") == 0 || strcmp(name, "float") == 0 || strcmp(name, "bool") == 0) {
            return pen_config_error(node->children[i], reader->err,
                                    "domains: '%s' is a built-in domain; choose another name", name);
        }
        domains[i].name = name;
        PEN_TRY(pen_schema_read_strings(reader, node->children[i], name, &domains[i].values));
    }
    reader->schema->domains = domains;
    reader->schema->n_domains = node->n_children;
    return PEN_OK;
}

static pen_status read_features(struct pen_schema_reader *reader, const struct pen_config_node *node)
{
    if (node->kind != PEN_CONFIG_MAP) {
        return pen_schema_expected(reader, node, "features", "a map of column names");
    }
    struct pen_schema_feature *features = pen_arena_alloc(reader->arena, node->n_children + 1, sizeof *features);
    if (features == NULL) {
        return pen_schema_out_of_memory(reader);
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        PEN_TRY(pen_schema_read_feature(reader, node->keys[i], node->children[i], &features[i]));
    }
    reader->schema->features = features;
    reader->schema->n_features = node->n_children;
    return PEN_OK;
}

pen_status pen_schema_from_tree(const struct pen_config_node *root, struct pen_schema *schema, struct pen_error *err)
{
    struct pen_schema_reader reader = {schema, &schema->arena, err};
    struct root_fields fields;
    PEN_TRY(pen_config_options(&schema->arena, &fields, sizeof fields, root_table, root, "the schema", err));
    if (fields.version != 1) {
        return pen_config_error(pen_config_get(root, "schema"), err,
                                "option schema: expected format version 1, found %lld", (long long)fields.version);
    }
    if (!pen_schema_given(fields.features)) {
        return pen_config_error(root, err,
                                "the schema has no features: expected a map such as "
                                "features: {fare: {type: float, presence: required}}");
    }
    schema->default_environment = fields.default_environment;
    if (pen_schema_given(fields.dataset)) {
        PEN_TRY(read_dataset(&reader, fields.dataset, &schema->dataset));
    }
    if (pen_schema_given(fields.severities)) {
        PEN_TRY(pen_schema_read_severities(&reader, fields.severities, &schema->severities));
    }
    if (pen_schema_given(fields.domains)) {
        PEN_TRY(read_domains(&reader, fields.domains));
    }
    PEN_TRY(read_features(&reader, fields.features));
    PEN_TRY(pen_schema_read_compounds(&reader, PEN_SCHEMA_SPARSE, fields.sparse));
    return pen_schema_read_compounds(&reader, PEN_SCHEMA_WEIGHTED, fields.weighted);
}

pen_status pen_schema_parse(const char *text, size_t size_bytes, const char *file, struct pen_schema *schema,
                            struct pen_error *err)
{
    pen_schema_init(schema);
    struct pen_config_node *root = NULL;
    pen_status status = pen_config_parse(&schema->arena, text, size_bytes, file, &root, err);
    if (status == PEN_OK) {
        status = pen_schema_from_tree(root, schema, err);
    }
    if (status != PEN_OK) {
        pen_schema_deinit(schema);
    }
    return status;
}

pen_status pen_schema_read(const char *path, struct pen_schema *schema, struct pen_error *err)
{
    pen_schema_init(schema);
    struct pen_config_node *root = NULL;
    pen_status status = pen_config_read_file(&schema->arena, path, &root, err);
    if (status == PEN_OK) {
        status = pen_schema_from_tree(root, schema, err);
    }
    if (status != PEN_OK) {
        pen_schema_deinit(schema);
    }
    return status;
}
