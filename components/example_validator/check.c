/* What the checks of a feature have in common. */
#include "components/example_validator/check.h"

#include <inttypes.h>
#include <string.h>

struct pen_finding *pen_check_add(struct pen_check *check, enum pen_anomaly type, const char *rule,
                                  const char *expected, const char *seen)
{
    return pen_findings_add(check->findings, check->schema, check->feature, type, rule, expected, seen);
}

void pen_check_rows(const struct pen_check *check, struct pen_finding *finding, double n_rows)
{
    finding->n_rows = (int64_t)n_rows;
    finding->share = check->split->n_rows > 0 ? n_rows / (double)check->split->n_rows : 0.0;
}

void pen_check_measured(const struct pen_check *check, struct pen_finding *finding,
                        const struct pen_measured_rows *measured)
{
    pen_check_rows(check, finding, (double)measured->n_rows);
    finding->n_examples = measured->n_examples;
    for (int64_t i = 0; i < measured->n_examples; i++) {
        finding->example_rows[i] = measured->rows[i];
        finding->example_values[i] = measured->values[i];
    }
}

const char *pen_check_number(struct pen_check *check, double value)
{
    char number[PEN_NUMBER_BYTES];
    return pen_check_text(check, "%s", pen_format_double(number, value));
}

const char *pen_check_count(struct pen_check *check, int64_t n, const char *noun)
{
    return pen_check_text(check, "%" PRId64 " %s%s", n, noun, n == 1 ? "" : "s");
}

const char *pen_check_quoted(struct pen_check *check, const char *value)
{
    char quoted[PEN_QUOTE_BYTES];
    return pen_check_text(check, "'%s'", pen_quote(quoted, value, strlen(value)));
}

void pen_check_drop_domain(struct pen_schema_feature *feature)
{
    struct pen_schema_feature plain;
    pen_schema_feature_init(&plain, feature->name, feature->type);
    feature->domain = plain.domain;
    feature->min_int = plain.min_int;
    feature->max_int = plain.max_int;
    feature->min = plain.min;
    feature->max = plain.max;
    feature->disallow_nan = false;
    feature->disallow_inf = false;
    feature->domain_name = NULL;
    feature->domain_values = plain.domain_values;
    feature->true_value = NULL;
    feature->false_value = NULL;
    feature->min_domain_mass = 1.0;
}

enum pen_schema_type pen_check_type_of(enum pen_type type)
{
    if (pen_type_is_string(type)) {
        return PEN_SCHEMA_TYPE_STRING;
    }
    if (type == PEN_TYPE_INT64) {
        return PEN_SCHEMA_TYPE_INT;
    }
    return type == PEN_TYPE_NONE ? PEN_SCHEMA_TYPE_NONE : PEN_SCHEMA_TYPE_FLOAT;
}

const struct pen_value_counts *pen_check_ranks(const struct pen_feature_statistics *statistics)
{
    return statistics->has_weighted ? &statistics->weighted_string.ranks : &statistics->string.ranks;
}

double pen_check_present(const struct pen_feature_statistics *statistics)
{
    return statistics->has_weighted ? statistics->weighted_present : (double)statistics->n_present;
}
