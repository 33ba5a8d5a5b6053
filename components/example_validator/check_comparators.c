/* Drift and skew: distances between a feature's distribution here and in other data, against thresholds.
 *
 * Strings and categorical integers are compared by their values, other numbers by their histograms. What is measured is
 * kept, crossed or not. A threshold of the schema that fits no data of its feature stops the run: in TFX it is passed
 * over in silence, and people believe they are protected. */
#include "components/example_validator/check.h"

#include "datasets/statistics/distance.h"

#include <math.h>
#include <string.h>

enum measure { L_INFINITY, JENSEN_SHANNON, NORMALIZED, N_MEASURES };

static const char *const measure_names[N_MEASURES] = {"infinity_norm", "jensen_shannon", "normalized_abs_difference"};
static const enum pen_anomaly measure_anomalies[N_MEASURES] = {
    PEN_ANOMALY_COMPARATOR_L_INFTY_HIGH, PEN_ANOMALY_COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH,
    PEN_ANOMALY_COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH};

static double *threshold_of(struct pen_schema_comparator *comparator, enum measure measure)
{
    return measure == L_INFINITY       ? &comparator->infinity_norm
           : measure == JENSEN_SHANNON ? &comparator->jensen_shannon
                                       : &comparator->normalized_abs_difference;
}

static bool is_set(struct pen_schema_comparator comparator)
{
    for (int i = 0; i < N_MEASURES; i++) {
        if (*threshold_of(&comparator, (enum measure)i) >= 0.0) {
            return true;
        }
    }
    return false;
}

/* Compared by values: strings, and integers that are names. */
static bool by_values(const struct pen_feature_statistics *statistics, bool is_categorical)
{
    return statistics->has_string &&
           (pen_type_is_string(statistics->type) || (is_categorical && statistics->type == PEN_TYPE_INT64));
}

static bool fits(enum measure measure, const struct pen_feature_statistics *statistics, bool is_categorical)
{
    return by_values(statistics, is_categorical) || (measure == JENSEN_SHANNON && statistics->has_numeric);
}

static const struct pen_histogram *histogram_of(const struct pen_feature_statistics *statistics,
                                                enum pen_schema_histogram source)
{
    const struct pen_numeric_statistics *numeric =
        statistics->has_weighted ? &statistics->weighted_numeric : &statistics->numeric;
    return source == PEN_SCHEMA_HISTOGRAM_QUANTILES ? &numeric->quantiles : &numeric->standard;
}

struct comparison {
    const char *kind; /* "drift", "skew" */
    const char *against;
    const struct pen_split_statistics *control;
    struct pen_schema_comparator own, common; /* the feature's thresholds, and those for all */
    struct pen_schema_comparator *fixed;
};

static pen_status measure_one(const struct pen_check *check, const struct comparison *comparison, enum measure measure,
                              const struct pen_feature_statistics *control, struct pen_distance *distance,
                              struct pen_error *err)
{
    const struct pen_feature_statistics *here = check->statistics;
    if (by_values(here, check->feature->is_categorical)) {
        const struct pen_value_counts *a = pen_check_ranks(here);
        const struct pen_value_counts *b = pen_check_ranks(control);
        switch (measure) {
        case L_INFINITY:
            return pen_distance_l_infinity(a, b, distance, err);
        case NORMALIZED:
            return pen_distance_normalized(a, b, distance, err);
        case JENSEN_SHANNON:
        case N_MEASURES:
        default:
            return pen_distance_js_counts(a, b, distance, err);
        }
    }
    enum pen_schema_histogram source = comparison->own.source;
    if (comparison->own.jensen_shannon < 0.0) {
        source = comparison->common.source;
    }
    return pen_distance_js_histogram(histogram_of(here, source), histogram_of(control, source), distance, err);
}

static void report_crossing(struct pen_check *check, const struct comparison *comparison, enum measure measure,
                            double threshold, const struct pen_distance *distance)
{
    const char *worst =
        distance->worst == NULL ? "" : pen_check_text(check, ", most at %s", pen_check_quoted(check, distance->worst));
    struct pen_finding *finding =
        pen_check_add(check, measure_anomalies[measure],
                      pen_check_text(check, "%s.%s: %s", comparison->kind, measure_names[measure],
                                     pen_check_number(check, threshold)),
                      pen_check_text(check, "a distance of at most %s from %s", pen_check_number(check, threshold),
                                     comparison->against),
                      pen_check_text(check, "%.6g%s", distance->value, worst));
    if (distance->worst != NULL) {
        const char **values = pen_arena_alloc(check->findings->arena, 1, sizeof *values);
        if (values != NULL) {
            values[0] = pen_check_text(check, "%s", distance->worst);
            finding->rows = (struct pen_row_rule){.kind = PEN_ROW_EQUAL, .values = {values, 1}};
        }
    }
    double rounded = ceil(distance->value * 1e4) / 1e4;
    *threshold_of(comparison->fixed, measure) = rounded < distance->value ? distance->value : fmin(rounded, 1.0);
    comparison->fixed->source = comparison->own.jensen_shannon < 0.0 && measure == JENSEN_SHANNON
                                    ? comparison->common.source
                                    : comparison->own.source;
}

/* Control data that cannot be compared: an anomaly for a feature's own thresholds, a note for common ones. */
static void report_missing(struct pen_check *check, const struct comparison *comparison, const char *note)
{
    bool own = is_set(comparison->own);
    struct pen_schema_comparator effective = own ? comparison->own : comparison->common;
    for (int i = 0; i < N_MEASURES; i++) {
        double threshold = *threshold_of(&effective, (enum measure)i);
        if (threshold >= 0.0) {
            pen_findings_add_distance(check->findings, &(struct pen_distance_finding){.kind = comparison->kind,
                                                                                      .feature = check->feature->name,
                                                                                      .measure = measure_names[i],
                                                                                      .threshold = threshold,
                                                                                      .note = note});
        }
    }
    if (own) {
        pen_check_add(check, PEN_ANOMALY_COMPARATOR_CONTROL_DATA_MISSING, comparison->kind,
                      pen_check_text(check, "values of this feature in %s", comparison->against), note);
        *comparison->fixed = (struct pen_schema_comparator){-1.0, -1.0, -1.0, PEN_SCHEMA_HISTOGRAM_STANDARD};
    }
}

static pen_status check_fit(const struct pen_check *check, const struct comparison *comparison, struct pen_error *err)
{
    struct pen_schema_comparator own = comparison->own;
    for (int i = 0; i < N_MEASURES; i++) {
        if (*threshold_of(&own, (enum measure)i) >= 0.0 &&
            !fits((enum measure)i, check->statistics, check->feature->is_categorical)) {
            PEN_FAIL(err, PEN_ERR_CONFIG,
                     "schema: feature %s: %s.%s compares the shares of values, and this feature's data are %s: use "
                     "jensen_shannon for numbers, or categorical: true for integers that are names",
                     check->feature->name, comparison->kind, measure_names[i],
                     pen_schema_type_name(pen_check_type_of(check->statistics->type)));
        }
    }
    return PEN_OK;
}

static pen_status compare(struct pen_check *check, struct comparison *comparison, struct pen_error *err)
{
    const struct pen_feature_statistics *here = check->statistics;
    if (!is_set(comparison->own) && !is_set(comparison->common)) {
        return PEN_OK;
    }
    PEN_TRY(check_fit(check, comparison, err));
    if (comparison->control == NULL) {
        return PEN_OK;
    }
    const struct pen_feature_statistics *control =
        pen_statistics_find_feature(comparison->control, check->feature->name);
    if (control == NULL || control->n_present == 0) {
        report_missing(check, comparison, control == NULL ? "no such column" : "every cell is empty");
        return PEN_OK;
    }
    if (by_values(here, check->feature->is_categorical) != by_values(control, check->feature->is_categorical)) {
        report_missing(check, comparison,
                       pen_check_text(check, "values of type %s there, %s here",
                                      pen_schema_type_name(pen_check_type_of(control->type)),
                                      pen_schema_type_name(pen_check_type_of(here->type))));
        return PEN_OK;
    }
    for (int i = 0; i < N_MEASURES; i++) {
        double threshold = *threshold_of(&comparison->own, (enum measure)i);
        threshold = threshold < 0.0 ? *threshold_of(&comparison->common, (enum measure)i) : threshold;
        if (threshold < 0.0 || !fits((enum measure)i, here, check->feature->is_categorical)) {
            continue;
        }
        struct pen_distance distance;
        PEN_TRY(measure_one(check, comparison, (enum measure)i, control, &distance, err));
        bool crossed = distance.value > threshold;
        pen_findings_add_distance(check->findings, &(struct pen_distance_finding){.kind = comparison->kind,
                                                                                  .feature = check->feature->name,
                                                                                  .measure = measure_names[i],
                                                                                  .value = distance.value,
                                                                                  .threshold = threshold,
                                                                                  .is_measured = true,
                                                                                  .crossed = crossed,
                                                                                  .worst = distance.worst});
        if (crossed) {
            report_crossing(check, comparison, (enum measure)i, threshold, &distance);
        }
    }
    return PEN_OK;
}

pen_status pen_check_comparators(struct pen_check *check, struct pen_error *err)
{
    const struct pen_validate_options *options = check->options;
    struct comparison drift = {"drift",        "the previous data", options->previous, check->feature->drift,
                               options->drift, &check->fixed.drift};
    PEN_TRY(compare(check, &drift, err));
    const char *against = options->control_name != NULL ? options->control_name : "the reference data";
    struct comparison skew = {"skew",        against,           options->control, check->feature->skew,
                              options->skew, &check->fixed.skew};
    return compare(check, &skew, err);
}

pen_status pen_check_common_thresholds(const struct pen_split_statistics *split, const struct pen_schema *schema,
                                       const struct pen_schema_comparator *common, const char *kind,
                                       struct pen_error *err)
{
    struct pen_schema_comparator thresholds = *common;
    for (int i = 0; i < N_MEASURES; i++) {
        bool wanted = *threshold_of(&thresholds, (enum measure)i) >= 0.0;
        for (int64_t j = 0; j < split->n_features && wanted; j++) {
            const struct pen_schema_feature *feature = pen_schema_find(schema, split->features[j].name);
            wanted = !fits((enum measure)i, &split->features[j], feature != NULL && feature->is_categorical);
        }
        if (wanted) {
            PEN_FAIL(err, PEN_ERR_CONFIG,
                     "option %s.%s: expected a feature it can measure, found none in split %s (it compares %s)", kind,
                     measure_names[i], split->split,
                     i == JENSEN_SHANNON ? "values or histograms"
                                         : "the shares of values: strings, categorical "
                                           "integers");
        }
    }
    return PEN_OK;
}
