/* The schema's small questions: defaults, look-up, environments, severities. */
#include "datasets/schema/schema.h"

#include "datasets/schema/schema_internal.h"

#include <math.h>
#include <string.h>

const char *const pen_schema_type_names[] = {"", "none", "int", "float", "string", NULL};
const char *const pen_schema_stage_names[] = {"",           "planned",    "alpha",    "beta",    "production",
                                              "deprecated", "debug_only", "disabled", "derived", NULL};
const char *const pen_schema_deriver_names[] = {"", "length", "count_tokens", "difference", "ratio", NULL};
const char *const pen_schema_histogram_names[] = {"standard", "quantiles", NULL};

static const struct pen_schema_comparator no_comparator = {-1.0, -1.0, -1.0, PEN_SCHEMA_HISTOGRAM_STANDARD};

void pen_schema_feature_init(struct pen_schema_feature *feature, const char *name, enum pen_schema_type type)
{
    memset(feature, 0, sizeof *feature);
    feature->name = name;
    feature->type = type;
    feature->min_values = -1;
    feature->max_values = -1;
    feature->min_int = INT64_MIN;
    feature->max_int = INT64_MAX;
    feature->min = -INFINITY;
    feature->max = INFINITY;
    feature->unique_min = -1;
    feature->unique_max = -1;
    feature->min_domain_mass = 1.0;
    feature->drift = no_comparator;
    feature->skew = no_comparator;
}

void pen_schema_init(struct pen_schema *schema)
{
    memset(schema, 0, sizeof *schema);
    schema->dataset = (struct pen_schema_dataset){-1, -1, {-1.0, -1.0}, {-1.0, -1.0}};
}

void pen_schema_deinit(struct pen_schema *schema)
{
    if (schema != NULL) {
        pen_arena_deinit(&schema->arena);
        pen_schema_init(schema);
    }
}

const struct pen_schema_feature *pen_schema_find(const struct pen_schema *schema, const char *name)
{
    for (int64_t i = 0; i < schema->n_features; i++) {
        if (strcmp(schema->features[i].name, name) == 0) {
            return &schema->features[i];
        }
    }
    return NULL;
}

const struct pen_schema_shared_domain *pen_schema_find_domain(const struct pen_schema *schema, const char *name)
{
    for (int64_t i = 0; i < schema->n_domains; i++) {
        if (strcmp(schema->domains[i].name, name) == 0) {
            return &schema->domains[i];
        }
    }
    return NULL;
}

struct pen_config_strings pen_schema_domain_values(const struct pen_schema *schema,
                                                   const struct pen_schema_feature *feature)
{
    struct pen_config_strings none = {NULL, 0};
    if (feature->domain != PEN_SCHEMA_DOMAIN_STRINGS) {
        return none;
    }
    if (feature->domain_name == NULL) {
        return feature->domain_values;
    }
    const struct pen_schema_shared_domain *shared = pen_schema_find_domain(schema, feature->domain_name);
    return shared == NULL ? none : shared->values;
}

struct pen_config_strings pen_schema_vocabulary(const struct pen_schema *schema,
                                                const struct pen_schema_language *language)
{
    if (language->vocabulary_name == NULL) {
        return language->vocabulary_values;
    }
    const struct pen_schema_shared_domain *shared = pen_schema_find_domain(schema, language->vocabulary_name);
    const struct pen_config_strings none = {NULL, 0};
    return shared == NULL ? none : shared->values;
}

static bool holds(const struct pen_config_strings *names, const char *name)
{
    for (int64_t i = 0; i < names->n_items; i++) {
        if (strcmp(names->items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

bool pen_schema_in_environment(const struct pen_schema *schema, const struct pen_schema_feature *feature,
                               const char *environment)
{
    if (environment == NULL || environment[0] == '\0') {
        return true;
    }
    if (holds(&feature->in_environment, environment)) {
        return true;
    }
    if (holds(&feature->not_in_environment, environment)) {
        return false;
    }
    if (holds(&schema->default_environment, environment)) {
        return true;
    }
    /* Nothing says where it belongs: it belongs everywhere. A feature that is only kept out of one environment, in a
     * schema without defaults, is in all others. */
    return schema->default_environment.n_items == 0 && feature->in_environment.n_items == 0;
}

bool pen_schema_stage_is_checked(enum pen_schema_stage stage)
{
    return stage == PEN_SCHEMA_STAGE_UNSET || stage == PEN_SCHEMA_STAGE_BETA || stage == PEN_SCHEMA_STAGE_PRODUCTION ||
           stage == PEN_SCHEMA_STAGE_DERIVED;
}

bool pen_schema_is_checked(const struct pen_schema_feature *feature)
{
    return pen_schema_stage_is_checked(feature->stage);
}

static bool find_severity(const struct pen_schema_severities *list, enum pen_anomaly anomaly,
                          enum pen_severity *severity)
{
    for (int64_t i = 0; i < list->n_items; i++) {
        if (list->items[i].anomaly == anomaly) {
            *severity = list->items[i].severity;
            return true;
        }
    }
    return false;
}

enum pen_severity pen_schema_severity(const struct pen_schema *schema, const struct pen_schema_feature *feature,
                                      enum pen_anomaly anomaly)
{
    enum pen_severity severity = pen_anomaly_types[anomaly].severity;
    if (feature != NULL && find_severity(&feature->severities, anomaly, &severity)) {
        return severity;
    }
    (void)find_severity(&schema->severities, anomaly, &severity);
    return severity;
}

const char *pen_schema_type_name(enum pen_schema_type type)
{
    return pen_schema_type_names[type];
}

const char *pen_schema_stage_name(enum pen_schema_stage stage)
{
    return pen_schema_stage_names[stage];
}

const char *pen_schema_deriver_name(enum pen_schema_deriver deriver)
{
    return pen_schema_deriver_names[deriver];
}

const char *pen_schema_compound_section(enum pen_schema_compound_kind kind)
{
    return kind == PEN_SCHEMA_SPARSE ? "sparse_features" : "weighted_features";
}

const char *pen_schema_compound_part_name(enum pen_schema_compound_kind kind)
{
    return kind == PEN_SCHEMA_SPARSE ? "index" : "weight";
}
