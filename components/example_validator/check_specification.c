/* What is wrong with the schema itself, whatever the data are. */
#include "components/example_validator/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool has_duplicate(const struct pen_config_strings *values, int64_t *where)
{
    for (int64_t i = 0; i < values->n_items; i++) {
        for (int64_t j = 0; j < i; j++) {
            if (strcmp(values->items[i], values->items[j]) == 0) {
                *where = i;
                return true;
            }
        }
    }
    return false;
}

static struct pen_config_strings without_duplicates(struct pen_check *check, const struct pen_config_strings *values)
{
    const char **kept = pen_arena_alloc(check->findings->arena, values->n_items + 1, sizeof *kept);
    struct pen_config_strings list = {kept, 0};
    if (kept == NULL) {
        check->findings->failed = true;
        return list;
    }
    for (int64_t i = 0; i < values->n_items; i++) {
        bool known = false;
        for (int64_t j = 0; j < list.n_items && !known; j++) {
            known = strcmp(kept[j], values->items[i]) == 0;
        }
        if (!known) {
            kept[list.n_items++] = values->items[i];
        }
    }
    return list;
}

static void check_contradictions(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    struct pen_schema_feature *fixed = &check->fixed;
    const enum pen_anomaly type = PEN_ANOMALY_INVALID_SCHEMA_SPECIFICATION;
    if (!(feature->min_fraction >= 0.0 && feature->min_fraction <= 1.0) || feature->min_count < 0) {
        pen_check_add(check, type, "presence", "min_fraction from 0 to 1 and min_count of 0 or more",
                      pen_check_text(check, "min_fraction %s, min_count %" PRId64,
                                     pen_check_number(check, feature->min_fraction), feature->min_count));
        fixed->min_fraction = 0.0;
        fixed->min_count = 0;
    }
    if (feature->min_values >= 0 && feature->max_values >= 0 && feature->min_values > feature->max_values) {
        pen_check_add(check, type, "values", "values.min at most values.max",
                      pen_check_text(check, "min %" PRId64 ", max %" PRId64, feature->min_values, feature->max_values));
        fixed->min_values = -1;
        fixed->max_values = -1;
    }
    if (feature->has_shape && (feature->min_values >= 0 || feature->max_values >= 0)) {
        pen_check_add(check, type, "shape, values", "a shape or a number of values, not both", "both");
        fixed->min_values = -1;
        fixed->max_values = -1;
    }
    if (feature->has_unique && feature->unique_min >= 0 && feature->unique_max >= 0 &&
        feature->unique_min > feature->unique_max) {
        pen_check_add(check, type, "unique", "unique.min at most unique.max",
                      pen_check_text(check, "min %" PRId64 ", max %" PRId64, feature->unique_min, feature->unique_max));
        fixed->has_unique = false;
        fixed->unique_min = -1;
        fixed->unique_max = -1;
    }
    if (feature->min_domain_mass != 1.0 && feature->domain != PEN_SCHEMA_DOMAIN_STRINGS) {
        pen_check_add(check, type, "min_domain_mass", "a domain of values beside min_domain_mass", "none");
        fixed->min_domain_mass = 1.0;
    }
}

static void check_string_domain(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    struct pen_config_strings values = pen_schema_domain_values(check->schema, feature);
    int64_t where = 0;
    if (values.n_items == 0) {
        pen_check_add(check, PEN_ANOMALY_INVALID_DOMAIN_SPECIFICATION, "domain", "a domain of at least one value",
                      "an empty one");
        pen_check_drop_domain(&check->fixed);
    } else if (has_duplicate(&values, &where)) {
        pen_check_add(check, PEN_ANOMALY_INVALID_DOMAIN_SPECIFICATION, "domain", "each value once in the domain",
                      pen_check_text(check, "%s again", pen_check_quoted(check, values.items[where])));
        values = without_duplicates(check, &values);
        if (feature->domain_name != NULL) {
            check->domain_changed = true;
            check->shared_values = values;
        } else {
            check->fixed.domain_values = values;
        }
    }
}

static void check_range(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    if (feature->domain == PEN_SCHEMA_DOMAIN_INT && feature->min_int > feature->max_int) {
        pen_check_add(check, PEN_ANOMALY_INVALID_DOMAIN_SPECIFICATION, "min, max", "min at most max",
                      pen_check_text(check, "min %" PRId64 ", max %" PRId64, feature->min_int, feature->max_int));
        pen_check_drop_domain(&check->fixed);
    }
    if (feature->domain == PEN_SCHEMA_DOMAIN_FLOAT && feature->min > feature->max) {
        pen_check_add(check, PEN_ANOMALY_INVALID_DOMAIN_SPECIFICATION, "min, max", "min at most max",
                      pen_check_text(check, "min %s, max %s", pen_check_number(check, feature->min),
                                     pen_check_number(check, feature->max)));
        pen_check_drop_domain(&check->fixed);
    }
}

static void check_bool(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    bool worded = feature->true_value != NULL || feature->false_value != NULL;
    const char *seen = NULL;
    const char *expected = "true_value and false_value with domain: bool of strings only";
    if (feature->domain != PEN_SCHEMA_DOMAIN_BOOL) {
        seen = worded ? "them without domain: bool" : NULL;
    } else if (feature->type != PEN_SCHEMA_TYPE_STRING) {
        seen = worded ? pen_check_text(check, "them on type %s", pen_schema_type_name(feature->type)) : NULL;
    } else if (!worded) {
        expected = "true_value, false_value or both beside domain: bool of strings";
        seen = "neither";
    } else if (feature->true_value != NULL && feature->false_value != NULL &&
               strcmp(feature->true_value, feature->false_value) == 0) {
        expected = "different words for true and false";
        seen = pen_check_text(check, "%s for both", pen_check_quoted(check, feature->true_value));
    }
    if (seen == NULL) {
        return;
    }
    pen_check_add(check, PEN_ANOMALY_BOOL_TYPE_INVALID_CONFIG, "domain: bool", expected, seen);
    if (feature->type == PEN_SCHEMA_TYPE_STRING && feature->domain == PEN_SCHEMA_DOMAIN_BOOL) {
        pen_check_drop_domain(&check->fixed);
    }
    check->fixed.true_value = NULL;
    check->fixed.false_value = NULL;
}

static bool domain_fits(enum pen_schema_domain domain, enum pen_schema_type type)
{
    switch (domain) {
    case PEN_SCHEMA_DOMAIN_INT:
        return type != PEN_SCHEMA_TYPE_FLOAT;
    case PEN_SCHEMA_DOMAIN_FLOAT:
        return type != PEN_SCHEMA_TYPE_INT;
    case PEN_SCHEMA_DOMAIN_STRINGS:
        return type != PEN_SCHEMA_TYPE_INT && type != PEN_SCHEMA_TYPE_FLOAT;
    case PEN_SCHEMA_DOMAIN_NONE:
    case PEN_SCHEMA_DOMAIN_BOOL:
    default:
        return true;
    }
}

bool pen_check_specification(struct pen_check *check)
{
    static const char *const kinds[] = {"none", "int", "float", "bool", "strings"};
    const struct pen_schema_feature *feature = check->feature;
    if (feature->name[0] == '\0') {
        pen_check_add(check, PEN_ANOMALY_FEATURE_MISSING_NAME, "features", "a name for every feature", "\"\"");
        check->removed = true;
        return false;
    }
    bool good = true;
    int64_t before = check->findings->n_items;
    check_contradictions(check);
    if (feature->type == PEN_SCHEMA_TYPE_UNSET) {
        enum pen_schema_type type =
            check->statistics == NULL ? PEN_SCHEMA_TYPE_NONE : pen_check_type_of(check->statistics->type);
        pen_check_add(check, PEN_ANOMALY_FEATURE_MISSING_TYPE, "type", "a type: int, float or string",
                      pen_check_text(check, "none; the data are %s", pen_schema_type_name(type)));
        check->fixed.type = type;
        good = domain_fits(feature->domain, type);
        if (!good || (feature->domain == PEN_SCHEMA_DOMAIN_BOOL && type == PEN_SCHEMA_TYPE_STRING)) {
            pen_check_drop_domain(&check->fixed);
            good = false;
        }
    }
    if (!domain_fits(feature->domain, feature->type)) {
        pen_check_add(check, PEN_ANOMALY_DOMAIN_INVALID_FOR_TYPE, "domain",
                      pen_check_text(check, "a domain for values of type %s", pen_schema_type_name(feature->type)),
                      pen_check_text(check, "a domain of %s", kinds[feature->domain]));
        pen_check_drop_domain(&check->fixed);
        return false;
    }
    if (feature->language != NULL && feature->type != PEN_SCHEMA_TYPE_STRING &&
        feature->type != PEN_SCHEMA_TYPE_UNSET) {
        pen_check_add(check, PEN_ANOMALY_DOMAIN_INVALID_FOR_TYPE, "natural_language",
                      pen_check_text(check, "a domain for values of type %s", pen_schema_type_name(feature->type)),
                      "natural_language, which strings have");
        check->fixed.language = NULL;
        return false;
    }
    if (feature->domain == PEN_SCHEMA_DOMAIN_STRINGS) {
        check_string_domain(check);
    }
    check_range(check);
    pen_check_language_specification(check);
    if (feature->type != PEN_SCHEMA_TYPE_UNSET) {
        check_bool(check);
    }
    return good && check->findings->n_items == before;
}
