/* Is the column there, often enough, of the right type, with the right number of values, distinct enough? */
#include "components/example_validator/check.h"

#include <inttypes.h>
#include <math.h>

static void make_optional(struct pen_schema_feature *feature)
{
    feature->min_count = 0;
    feature->min_fraction = 0.0;
    feature->has_shape = false;
    feature->n_dimensions = 0;
}

static const char *presence_rule(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    if (feature->min_count == 1 && feature->min_fraction == 1.0) {
        return "presence: required";
    }
    if (feature->min_count == 1 && feature->min_fraction == 0.0) {
        return "presence: some";
    }
    return pen_check_text(check, "presence: {min_count: %" PRId64 ", min_fraction: %s}", feature->min_count,
                          pen_check_number(check, feature->min_fraction));
}

static void check_fraction(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    const struct pen_feature_statistics *statistics = check->statistics;
    bool weighted = statistics->has_weighted;
    double present = weighted ? statistics->weighted_present : (double)statistics->n_present;
    double missing = weighted ? statistics->weighted_missing : (double)statistics->n_missing;
    double fraction = present + missing > 0.0 ? present / (present + missing) : 1.0;
    bool low = feature->min_fraction == 1.0 ? missing > 0.0 : fraction < feature->min_fraction;
    if (low) {
        struct pen_finding *finding = pen_check_add(
            check, PEN_ANOMALY_FEATURE_TYPE_LOW_FRACTION_PRESENT, presence_rule(check),
            feature->min_fraction == 1.0
                ? "a value in every row"
                : pen_check_text(check, "values in at least %.6g %% of rows", 100.0 * feature->min_fraction),
            pen_check_text(check, "%" PRId64 " of %s %s empty%s", statistics->n_missing,
                           pen_check_count(check, statistics->n_rows, "row"), statistics->n_missing == 1 ? "is" : "are",
                           weighted ? " (the share is taken by weight)" : ""));
        pen_check_rows(check, finding, (double)statistics->n_missing);
        finding->rows.kind = PEN_ROW_MISSING;
        check->fixed.min_fraction = floor(fraction * 1e4) / 1e4;
        check->fixed.has_shape = false;
        check->fixed.n_dimensions = 0;
    }
    if (statistics->n_present < feature->min_count) {
        struct pen_finding *finding = pen_check_add(
            check, PEN_ANOMALY_FEATURE_TYPE_LOW_NUMBER_PRESENT, presence_rule(check),
            pen_check_text(check, "values in at least %s", pen_check_count(check, feature->min_count, "row")),
            pen_check_text(check, "values in %s", pen_check_count(check, statistics->n_present, "row")));
        pen_check_rows(check, finding, (double)statistics->n_missing);
        finding->rows.kind = PEN_ROW_MISSING;
        check->fixed.min_count = statistics->n_present;
    }
}

bool pen_check_presence(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    bool wanted = feature->min_count > 0 || feature->min_fraction > 0.0;
    if (check->statistics == NULL) {
        if (wanted) {
            pen_check_add(check, PEN_ANOMALY_SCHEMA_MISSING_COLUMN, presence_rule(check), "a column of this name",
                          "no such column");
            make_optional(&check->fixed);
        }
        return false;
    }
    if (check->statistics->n_present == 0) {
        if (wanted) {
            struct pen_finding *finding =
                pen_check_add(check, PEN_ANOMALY_FEATURE_TYPE_NOT_PRESENT, presence_rule(check), "values in some rows",
                              "every cell is empty");
            pen_check_rows(check, finding, (double)check->statistics->n_missing);
            finding->rows.kind = PEN_ROW_MISSING;
            make_optional(&check->fixed);
        }
        return false;
    }
    check_fraction(check);
    return true;
}

static bool type_fits(enum pen_schema_type wanted, enum pen_schema_type found)
{
    return wanted == found || (wanted == PEN_SCHEMA_TYPE_FLOAT && found == PEN_SCHEMA_TYPE_INT);
}

bool pen_check_type(struct pen_check *check)
{
    const struct pen_feature_statistics *statistics = check->statistics;
    enum pen_schema_type found = pen_check_type_of(statistics->type);
    enum pen_schema_type wanted = check->fixed.type;
    if (!type_fits(wanted, found)) {
        const char *expected = wanted == PEN_SCHEMA_TYPE_NONE
                                   ? "no value at all"
                                   : pen_check_text(check, "values of type %s", pen_schema_type_name(wanted));
        struct pen_finding *finding = pen_check_add(
            check, PEN_ANOMALY_UNEXPECTED_DATA_TYPE, pen_check_text(check, "type: %s", pen_schema_type_name(wanted)),
            expected, pen_check_text(check, "values of type %s", pen_schema_type_name(found)));
        finding->rows.kind = wanted == PEN_SCHEMA_TYPE_INT     ? PEN_ROW_NOT_INT
                             : wanted == PEN_SCHEMA_TYPE_FLOAT ? PEN_ROW_NOT_FLOAT
                                                               : PEN_ROW_PRESENT;
        check->fixed.type = found;
        pen_check_drop_domain(&check->fixed);
        return false;
    }
    bool is_string = found == PEN_SCHEMA_TYPE_STRING;
    if (is_string ? !statistics->has_string : !statistics->has_numeric) {
        pen_check_add(check, PEN_ANOMALY_STATS_NOT_AVAILABLE, "type",
                      pen_check_text(check, "statistics of %s", is_string ? "strings" : "numbers"),
                      "none: the statistics were made without this feature's values");
        check->fixed.stage = PEN_SCHEMA_STAGE_DISABLED;
        return false;
    }
    return true;
}

static void check_shape(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    const struct pen_feature_statistics *statistics = check->statistics;
    int64_t wanted = 1;
    for (int64_t i = 0; i < feature->n_dimensions; i++) {
        wanted *= feature->dimensions[i];
    }
    bool same = statistics->min_values == wanted && statistics->max_values == wanted;
    bool known_missing = feature->min_fraction == 1.0; /* then it is reported as LOW_FRACTION_PRESENT */
    if (same && (statistics->n_missing == 0 || known_missing)) {
        return;
    }
    struct pen_finding *finding =
        pen_check_add(check, PEN_ANOMALY_INVALID_FEATURE_SHAPE, "shape",
                      pen_check_text(check, "%s in every row", pen_check_count(check, wanted, "value")),
                      same ? pen_check_count(check, statistics->n_missing, "empty row")
                           : pen_check_text(check, "%" PRId64 " to %" PRId64 " values", statistics->min_values,
                                            statistics->max_values));
    if (same) {
        pen_check_rows(check, finding, (double)statistics->n_missing);
        finding->rows.kind = PEN_ROW_MISSING;
    }
    check->fixed.has_shape = false;
    check->fixed.n_dimensions = 0;
    check->fixed.min_values = statistics->min_values;
    check->fixed.max_values = statistics->max_values;
}

static void check_value_count(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    const struct pen_feature_statistics *statistics = check->statistics;
    if (feature->min_values >= 0 && statistics->min_values < feature->min_values) {
        pen_check_add(check, PEN_ANOMALY_FEATURE_TYPE_LOW_NUMBER_VALUES,
                      pen_check_text(check, "values.min: %" PRId64, feature->min_values),
                      pen_check_text(check, "at least %s a row", pen_check_count(check, feature->min_values, "value")),
                      pen_check_text(check, "a row with %" PRId64, statistics->min_values));
        check->fixed.min_values = statistics->min_values;
    }
    if (feature->max_values >= 0 && statistics->max_values > feature->max_values) {
        pen_check_add(check, PEN_ANOMALY_FEATURE_TYPE_HIGH_NUMBER_VALUES,
                      pen_check_text(check, "values.max: %" PRId64, feature->max_values),
                      pen_check_text(check, "at most %s a row", pen_check_count(check, feature->max_values, "value")),
                      pen_check_text(check, "a row with %" PRId64, statistics->max_values));
        check->fixed.max_values = statistics->max_values;
    }
}

static void check_unique(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    const struct pen_feature_statistics *statistics = check->statistics;
    if (!statistics->has_string) {
        pen_check_add(check, PEN_ANOMALY_FEATURE_TYPE_NO_UNIQUE, "unique",
                      "a feature whose distinct values are counted: strings, or integers with categorical: true",
                      pen_check_text(check, "%s", pen_schema_type_name(pen_check_type_of(statistics->type))));
        check->fixed.has_unique = false;
        return;
    }
    int64_t n = statistics->string.n_unique;
    const char *about = statistics->string.exact_unique ? "" : "about ";
    if (feature->unique_min >= 0 && n < feature->unique_min) {
        pen_check_add(
            check, PEN_ANOMALY_FEATURE_TYPE_LOW_UNIQUE,
            pen_check_text(check, "unique.min: %" PRId64, feature->unique_min),
            pen_check_text(check, "at least %s", pen_check_count(check, feature->unique_min, "distinct value")),
            pen_check_text(check, "%s%" PRId64, about, n));
        check->fixed.unique_min = n;
    }
    if (feature->unique_max >= 0 && n > feature->unique_max) {
        pen_check_add(
            check, PEN_ANOMALY_FEATURE_TYPE_HIGH_UNIQUE,
            pen_check_text(check, "unique.max: %" PRId64, feature->unique_max),
            pen_check_text(check, "at most %s", pen_check_count(check, feature->unique_max, "distinct value")),
            pen_check_text(check, "%s%" PRId64, about, n));
        check->fixed.unique_max = n;
    }
}

void pen_check_values(struct pen_check *check)
{
    if (check->feature->has_shape) {
        check_shape(check);
    } else {
        check_value_count(check);
    }
    if (check->feature->has_unique) {
        check_unique(check);
    }
}
