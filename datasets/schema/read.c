/* schema.yaml to a schema. Wrong form is refused at its line and column; see schema.h for what is left to the
 * validator.
 *
 * Each section is an option table of core/config.h, which finds unknown fields and names the nearest; what a table
 * cannot say (short forms, one field's meaning depending on another's) is read by hand below. */
#include "datasets/schema/schema.h"

#include "core/files.h"
#include "datasets/schema/schema_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct reader {
    struct pen_schema *schema;
    struct pen_arena *arena;
    struct pen_error *err;
};

struct feature_fields {
    const struct pen_config_node *type, *presence, *shape, *values, *domain, *min, *max, *stage, *unique, *drift, *skew,
        *severities;
    bool disallow_nan, disallow_inf, categorical;
    const char *true_value, *false_value;
    struct pen_config_strings in_environment, not_in_environment;
    double min_domain_mass;
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
    {.name = NULL},
};
#undef NODE

static bool given(const struct pen_config_node *node)
{
    return node != NULL && node->kind != PEN_CONFIG_NULL;
}

static pen_status out_of_memory(struct reader *reader)
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

static pen_status expected(struct reader *reader, const struct pen_config_node *node, const char *name,
                           const char *what)
{
    char text[PEN_QUOTE_BYTES + 2];
    return pen_config_error(node, reader->err, "option %s: expected %s, found %s", name, what, found(node, text));
}

/* Index of the scalar in names[first ..], with the nearest name in the error. */
static pen_status read_choice(struct reader *reader, const struct pen_config_node *node, const char *name,
                              const char *const *names, int first, const char *what, int *value)
{
    if (node->kind != PEN_CONFIG_SCALAR) {
        return expected(reader, node, name, what);
    }
    int n = 0;
    for (; names[n] != NULL; n++) {
        if (n >= first && strcmp(names[n], node->scalar) == 0) {
            *value = n;
            return PEN_OK;
        }
    }
    const char *near = pen_nearest_name(node->scalar, names + first, n - first);
    char text[PEN_QUOTE_BYTES + 2];
    return pen_config_error(node, reader->err, "option %s: expected %s, found %s%s%s%s", name, what, found(node, text),
                            near == NULL ? "" : "; did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?");
}

/* ---- small maps ---- */

static pen_status read_presence(struct reader *reader, const struct pen_config_node *node,
                                struct pen_schema_feature *feature)
{
    static const char *const words[] = {"optional", "some", "required", NULL};
    if (node->kind != PEN_CONFIG_MAP) {
        int word = 0;
        PEN_TRY(read_choice(reader, node, "presence", words, 0, "required, some, optional or {min_count, min_fraction}",
                            &word));
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

/* {min, max} of counts, or one number for both; -1 where not given. */
static pen_status read_count_range(struct reader *reader, const struct pen_config_node *node, const char *name,
                                   int64_t *low, int64_t *high)
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
            return expected(reader, node, name, "a count of 0 or more");
        }
        fields[1] = fields[0];
    } else {
        PEN_TRY(pen_config_options(reader->arena, fields, sizeof fields, table, node, name, reader->err));
    }
    *low = fields[0];
    *high = fields[1];
    return PEN_OK;
}

static pen_status read_shape(struct reader *reader, const struct pen_config_node *node,
                             struct pen_schema_feature *feature)
{
    int64_t n = node->kind == PEN_CONFIG_LIST ? node->n_children : 1;
    int64_t *dimensions = pen_arena_alloc(reader->arena, n + 1, sizeof *dimensions);
    if (dimensions == NULL) {
        return out_of_memory(reader);
    }
    for (int64_t i = 0; i < n; i++) {
        const struct pen_config_node *item = node->kind == PEN_CONFIG_LIST ? node->children[i] : node;
        PEN_TRY(pen_config_int(item, "shape", &dimensions[i], reader->err));
        if (dimensions[i] < 1) {
            return expected(reader, item, "shape", "sizes of 1 or more");
        }
    }
    feature->has_shape = true;
    feature->n_dimensions = n;
    feature->dimensions = dimensions;
    return PEN_OK;
}

static pen_status read_threshold(struct reader *reader, const struct pen_config_node *node, const char *name,
                                 double *threshold)
{
    *threshold = -1.0;
    if (!given(node)) {
        return PEN_OK;
    }
    PEN_TRY(pen_config_double(node, name, threshold, reader->err));
    if (!(*threshold >= 0.0 && *threshold <= 1.0)) {
        return expected(reader, node, name, "0 to 1");
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
    struct reader reader = {NULL, arena, err};
    PEN_TRY(pen_config_options(arena, &fields, sizeof fields, table, node, name, err));
    PEN_TRY(read_threshold(&reader, fields.infinity_norm, "infinity_norm", &comparator->infinity_norm));
    PEN_TRY(read_threshold(&reader, fields.jensen_shannon, "jensen_shannon", &comparator->jensen_shannon));
    PEN_TRY(read_threshold(&reader, fields.normalized_abs_difference, "normalized_abs_difference",
                           &comparator->normalized_abs_difference));
    int source = PEN_SCHEMA_HISTOGRAM_STANDARD;
    if (given(fields.source)) {
        PEN_TRY(read_choice(&reader, fields.source, "source", pen_schema_histogram_names, 0, "standard or quantiles",
                            &source));
    }
    comparator->source = (enum pen_schema_histogram)source;
    return PEN_OK;
}

static pen_status read_severities(struct reader *reader, const struct pen_config_node *node,
                                  struct pen_schema_severities *list)
{
    static const char *const words[] = {"error", "warning", NULL};
    if (node->kind != PEN_CONFIG_MAP) {
        return expected(reader, node, "severities", "a map such as {SCHEMA_NEW_COLUMN: warning}");
    }
    struct pen_schema_severity *items = pen_arena_alloc(reader->arena, node->n_children + 1, sizeof *items);
    if (items == NULL) {
        return out_of_memory(reader);
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
        PEN_TRY(read_choice(reader, node->children[i], node->keys[i], words, 0, "error or warning", &word));
        items[i].severity = (enum pen_severity)word;
    }
    *list = (struct pen_schema_severities){node->n_children, items};
    return PEN_OK;
}

static pen_status read_strings(struct reader *reader, const struct pen_config_node *node, const char *name,
                               struct pen_config_strings *list)
{
    if (node->kind != PEN_CONFIG_LIST) {
        return expected(reader, node, name, "a list of values");
    }
    const char **items = pen_arena_alloc(reader->arena, node->n_children + 1, sizeof *items);
    if (items == NULL) {
        return out_of_memory(reader);
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        const struct pen_config_node *item = node->children[i];
        if (item->kind != PEN_CONFIG_SCALAR) {
            return expected(reader, item, name, "values that are text (quote the empty string and null)");
        }
        items[i] = item->scalar;
    }
    *list = (struct pen_config_strings){items, node->n_children};
    return PEN_OK;
}

/* ---- domains ---- */

static pen_status read_domain(struct reader *reader, const struct pen_config_node *node,
                              struct pen_schema_feature *feature)
{
    if (node->kind == PEN_CONFIG_LIST) {
        feature->domain = PEN_SCHEMA_DOMAIN_STRINGS;
        return read_strings(reader, node, "domain", &feature->domain_values);
    }
    if (node->kind != PEN_CONFIG_SCALAR) {
        return expected(reader, node, "domain", "a list of values, a shared domain's name, bool, int or float");
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
        return out_of_memory(reader);
    }
    for (int64_t i = 0; i < n + 3; i++) {
        names[i] = i < 3 ? words[i] : reader->schema->domains[i - 3].name;
    }
    const char *near = pen_nearest_name(node->scalar, names, n + 3);
    char text[PEN_QUOTE_BYTES + 2];
    return pen_config_error(node, reader->err,
                            "option domain: expected bool, int, float, a list, or a name defined under domains; "
                            "found %s%s%s%s",
                            found(node, text), near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                            near == NULL ? "" : "'?");
}

static pen_status read_limit(struct reader *reader, const struct pen_config_node *node, const char *name,
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
        return expected(reader, node, name, "a finite number (no limit: leave the option out)");
    }
    return PEN_OK;
}

/* ---- features ---- */

static pen_status read_values(struct reader *reader, const struct feature_fields *fields,
                              struct pen_schema_feature *feature)
{
    if (given(fields->domain)) {
        PEN_TRY(read_domain(reader, fields->domain, feature));
    }
    PEN_TRY(read_limit(reader, fields->min, "min", feature, &feature->min_int, &feature->min));
    PEN_TRY(read_limit(reader, fields->max, "max", feature, &feature->max_int, &feature->max));
    feature->disallow_nan = fields->disallow_nan;
    feature->disallow_inf = fields->disallow_inf;
    if ((fields->disallow_nan || fields->disallow_inf) && feature->domain == PEN_SCHEMA_DOMAIN_NONE) {
        feature->domain = PEN_SCHEMA_DOMAIN_FLOAT;
    }
    feature->true_value = fields->true_value;
    feature->false_value = fields->false_value;
    feature->min_domain_mass = fields->min_domain_mass;
    feature->is_categorical = fields->categorical;
    if (given(fields->unique)) {
        feature->has_unique = true;
        PEN_TRY(read_count_range(reader, fields->unique, "unique", &feature->unique_min, &feature->unique_max));
    }
    return PEN_OK;
}

static pen_status read_feature(struct reader *reader, const char *name, const struct pen_config_node *node,
                               struct pen_schema_feature *feature)
{
    struct feature_fields fields;
    char section[PEN_QUOTE_BYTES + 16];
    char quoted[PEN_QUOTE_BYTES];
    (void)snprintf(section, sizeof section, "feature %.356s", pen_quote(quoted, name, strlen(name)));
    PEN_TRY(pen_config_options(reader->arena, &fields, sizeof fields, feature_table, node, section, reader->err));
    pen_schema_feature_init(feature, name, PEN_SCHEMA_TYPE_UNSET);
    int choice = 0;
    if (given(fields.type)) {
        PEN_TRY(
            read_choice(reader, fields.type, "type", pen_schema_type_names, 1, "int, float, string or none", &choice));
        feature->type = (enum pen_schema_type)choice;
    }
    if (given(fields.presence)) {
        PEN_TRY(read_presence(reader, fields.presence, feature));
    }
    if (given(fields.shape)) {
        PEN_TRY(read_shape(reader, fields.shape, feature));
    }
    if (given(fields.values)) {
        PEN_TRY(read_count_range(reader, fields.values, "values", &feature->min_values, &feature->max_values));
    }
    PEN_TRY(read_values(reader, &fields, feature));
    if (given(fields.stage)) {
        PEN_TRY(read_choice(reader, fields.stage, "stage", pen_schema_stage_names, 1,
                            "planned, alpha, beta, production, deprecated, debug_only or disabled", &choice));
        feature->stage = (enum pen_schema_stage)choice;
    }
    feature->in_environment = fields.in_environment;
    feature->not_in_environment = fields.not_in_environment;
    if (given(fields.drift)) {
        PEN_TRY(pen_schema_comparator_from_tree(reader->arena, fields.drift, "drift", &feature->drift, reader->err));
    }
    if (given(fields.skew)) {
        PEN_TRY(pen_schema_comparator_from_tree(reader->arena, fields.skew, "skew", &feature->skew, reader->err));
    }
    if (given(fields.severities)) {
        PEN_TRY(read_severities(reader, fields.severities, &feature->severities));
    }
    return PEN_OK;
}

/* ---- the file ---- */

struct root_fields {
    int64_t version;
    struct pen_config_strings default_environment;
    const struct pen_config_node *dataset, *severities, *domains, *features;
};

static const struct pen_option root_table[] = {
    {"schema", PEN_OPTION_INT, offsetof(struct root_fields, version), "1", 0, 0, NULL, "format version"},
    {"default_environment", PEN_OPTION_STRINGS, offsetof(struct root_fields, default_environment), NULL, 0, 0, NULL,
     "environments of features that name none"},
    {"dataset", PEN_OPTION_NODE, offsetof(struct root_fields, dataset), NULL, 0, 0, NULL, "limits of the row count"},
    {"severities", PEN_OPTION_NODE, offsetof(struct root_fields, severities), NULL, 0, 0, NULL, "for all features"},
    {"domains", PEN_OPTION_NODE, offsetof(struct root_fields, domains), NULL, 0, 0, NULL, "shared by features"},
    {"features", PEN_OPTION_NODE, offsetof(struct root_fields, features), NULL, 0, 0, NULL, "the columns"},
    {.name = NULL},
};

static pen_status read_ratio(struct reader *reader, const struct pen_config_node *node, const char *name,
                             struct pen_schema_ratio *ratio)
{
    double fields[2] = {-1.0, -1.0};
    static const struct pen_option table[] = {
        {"min_ratio", PEN_OPTION_DOUBLE, 0, "-1", -1, 1e300, NULL, "rows now / rows before, at least"},
        {"max_ratio", PEN_OPTION_DOUBLE, sizeof(double), "-1", -1, 1e300, NULL, "rows now / rows before, at most"},
        {.name = NULL},
    };
    if (given(node)) {
        PEN_TRY(pen_config_options(reader->arena, fields, sizeof fields, table, node, name, reader->err));
    }
    *ratio = (struct pen_schema_ratio){fields[0], fields[1]};
    return PEN_OK;
}

static pen_status read_dataset(struct reader *reader, const struct pen_config_node *node,
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

static pen_status read_domains(struct reader *reader, const struct pen_config_node *node)
{
    if (node->kind != PEN_CONFIG_MAP) {
        return expected(reader, node, "domains", "a map of names to lists of values");
    }
    struct pen_schema_shared_domain *domains = pen_arena_alloc(reader->arena, node->n_children + 1, sizeof *domains);
    if (domains == NULL) {
        return out_of_memory(reader);
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        const char *name = node->keys[i];
        if (strcmp(name, "int") == 0 || strcmp(name, "float") == 0 || strcmp(name, "bool") == 0) {
            return pen_config_error(node->children[i], reader->err,
                                    "domains: '%s' is a built-in domain; choose another name", name);
        }
        domains[i].name = name;
        PEN_TRY(read_strings(reader, node->children[i], name, &domains[i].values));
    }
    reader->schema->domains = domains;
    reader->schema->n_domains = node->n_children;
    return PEN_OK;
}

static pen_status read_features(struct reader *reader, const struct pen_config_node *node)
{
    if (node->kind != PEN_CONFIG_MAP) {
        return expected(reader, node, "features", "a map of column names");
    }
    struct pen_schema_feature *features = pen_arena_alloc(reader->arena, node->n_children + 1, sizeof *features);
    if (features == NULL) {
        return out_of_memory(reader);
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        PEN_TRY(read_feature(reader, node->keys[i], node->children[i], &features[i]));
    }
    reader->schema->features = features;
    reader->schema->n_features = node->n_children;
    return PEN_OK;
}

pen_status pen_schema_from_tree(const struct pen_config_node *root, struct pen_schema *schema, struct pen_error *err)
{
    struct reader reader = {schema, &schema->arena, err};
    struct root_fields fields;
    PEN_TRY(pen_config_options(&schema->arena, &fields, sizeof fields, root_table, root, "the schema", err));
    if (fields.version != 1) {
        return pen_config_error(pen_config_get(root, "schema"), err,
                                "option schema: expected format version 1, found %lld", (long long)fields.version);
    }
    if (!given(fields.features)) {
        return pen_config_error(root, err,
                                "the schema has no features: expected a map such as "
                                "features: {fare: {type: float, presence: required}}");
    }
    schema->default_environment = fields.default_environment;
    if (given(fields.dataset)) {
        PEN_TRY(read_dataset(&reader, fields.dataset, &schema->dataset));
    }
    if (given(fields.severities)) {
        PEN_TRY(read_severities(&reader, fields.severities, &schema->severities));
    }
    if (given(fields.domains)) {
        PEN_TRY(read_domains(&reader, fields.domains));
    }
    return read_features(&reader, fields.features);
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
