/* Domains of number columns: limits, NaN, infinities, 0 and 1. */
#include "components/example_validator/check.h"

#include <inttypes.h>
#include <math.h>

/* An integer statistic comes as a double; the nearest int64, clamped. */
static int64_t to_int(double value)
{
    if (value >= 9223372036854775807.0) {
        return INT64_MAX;
    }
    return value <= -9223372036854775808.0 ? INT64_MIN : (int64_t)value;
}

static void check_ints(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    const struct pen_numeric_statistics *numeric = &check->statistics->numeric;
    if (feature->max_int != INT64_MAX && numeric->max > (double)feature->max_int) {
        struct pen_finding *finding =
            pen_check_add(check, PEN_ANOMALY_INT_TYPE_BIG_INT, pen_check_text(check, "max: %" PRId64, feature->max_int),
                          pen_check_text(check, "at most %" PRId64, feature->max_int),
                          pen_check_text(check, "%" PRId64, to_int(numeric->max)));
        finding->rows = (struct pen_row_rule){.kind = PEN_ROW_ABOVE, .limit = (double)feature->max_int};
        check->fixed.max_int = to_int(numeric->max);
    }
    if (feature->min_int != INT64_MIN && numeric->min < (double)feature->min_int) {
        struct pen_finding *finding = pen_check_add(check, PEN_ANOMALY_INT_TYPE_SMALL_INT,
                                                    pen_check_text(check, "min: %" PRId64, feature->min_int),
                                                    pen_check_text(check, "at least %" PRId64, feature->min_int),
                                                    pen_check_text(check, "%" PRId64, to_int(numeric->min)));
        finding->rows = (struct pen_row_rule){.kind = PEN_ROW_BELOW, .limit = (double)feature->min_int};
        check->fixed.min_int = to_int(numeric->min);
    }
}

static void check_float_limits(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    const struct pen_numeric_statistics *numeric = &check->statistics->numeric;
    /* A float32 column holds 0.1 as 0.100000001: its limits are rounded the same way. */
    bool narrow = check->statistics->type == PEN_TYPE_FLOAT32;
    double high = narrow && isfinite(feature->max) ? (double)(float)feature->max : feature->max;
    double low = narrow && isfinite(feature->min) ? (double)(float)feature->min : feature->min;
    if (numeric->max > high) {
        struct pen_finding *finding =
            pen_check_add(check, PEN_ANOMALY_FLOAT_TYPE_BIG_FLOAT,
                          pen_check_text(check, "max: %s", pen_check_number(check, feature->max)),
                          pen_check_text(check, "at most %s", pen_check_number(check, feature->max)),
                          pen_check_number(check, numeric->max));
        finding->rows = (struct pen_row_rule){.kind = PEN_ROW_ABOVE, .limit = high};
        check->fixed.max = numeric->max;
    }
    if (numeric->min < low) {
        struct pen_finding *finding =
            pen_check_add(check, PEN_ANOMALY_FLOAT_TYPE_SMALL_FLOAT,
                          pen_check_text(check, "min: %s", pen_check_number(check, feature->min)),
                          pen_check_text(check, "at least %s", pen_check_number(check, feature->min)),
                          pen_check_number(check, numeric->min));
        finding->rows = (struct pen_row_rule){.kind = PEN_ROW_BELOW, .limit = low};
        check->fixed.min = numeric->min;
    }
}

static void check_floats(struct pen_check *check)
{
    const struct pen_schema_feature *feature = check->feature;
    const struct pen_numeric_statistics *numeric = &check->statistics->numeric;
    check_float_limits(check);
    if (feature->disallow_nan && numeric->n_nan > 0) {
        struct pen_finding *finding = pen_check_add(check, PEN_ANOMALY_FLOAT_TYPE_HAS_NAN, "disallow_nan: true",
                                                    "no NaN", pen_check_text(check, "%" PRId64, numeric->n_nan));
        pen_check_rows(check, finding, (double)numeric->n_nan);
        finding->rows.kind = PEN_ROW_NAN;
        check->fixed.disallow_nan = false;
    }
    int64_t n_infinite = numeric->n_positive_inf + numeric->n_negative_inf;
    if (feature->disallow_inf && n_infinite > 0) {
        struct pen_finding *finding = pen_check_add(check, PEN_ANOMALY_FLOAT_TYPE_HAS_INF, "disallow_inf: true",
                                                    "no infinity", pen_check_text(check, "%" PRId64, n_infinite));
        pen_check_rows(check, finding, (double)n_infinite);
        finding->rows.kind = PEN_ROW_INFINITE;
        check->fixed.disallow_inf = false;
    }
}

static void check_bool_ints(struct pen_check *check)
{
    const struct pen_numeric_statistics *numeric = &check->statistics->numeric;
    if (numeric->max > 1.0) {
        struct pen_finding *finding = pen_check_add(check, PEN_ANOMALY_BOOL_TYPE_BIG_INT, "domain: bool", "0 or 1",
                                                    pen_check_text(check, "%" PRId64, to_int(numeric->max)));
        finding->rows = (struct pen_row_rule){.kind = PEN_ROW_ABOVE, .limit = 1.0};
        pen_check_drop_domain(&check->fixed);
    }
    if (numeric->min < 0.0) {
        struct pen_finding *finding = pen_check_add(check, PEN_ANOMALY_BOOL_TYPE_SMALL_INT, "domain: bool", "0 or 1",
                                                    pen_check_text(check, "%" PRId64, to_int(numeric->min)));
        finding->rows = (struct pen_row_rule){.kind = PEN_ROW_BELOW, .limit = 0.0};
        pen_check_drop_domain(&check->fixed);
    }
}

/* All numbers are 0 or 1: within [0, 1], and their sum is the count of those that are not 0. A value between takes
 * its distance to 1 from the sum; the tolerance is the rounding of a mean over n numbers. */
static bool is_zero_or_one(const struct pen_feature_statistics *statistics)
{
    const struct pen_numeric_statistics *numeric = &statistics->numeric;
    double n = (double)(statistics->n_present - numeric->n_nan);
    double ones = n - (double)numeric->n_zeros;
    if (numeric->n_nan > 0 || numeric->min < 0.0 || numeric->max > 1.0) {
        return false;
    }
    return fabs(ones - numeric->mean * n) <= 1e-14 * n + 1e-12;
}

void pen_check_domain(struct pen_check *check)
{
    const struct pen_feature_statistics *statistics = check->statistics;
    enum pen_schema_domain domain = check->feature->domain;
    if (pen_type_is_string(statistics->type)) {
        pen_check_strings(check);
    } else if (domain == PEN_SCHEMA_DOMAIN_INT) {
        check_ints(check);
    } else if (domain == PEN_SCHEMA_DOMAIN_FLOAT) {
        check_floats(check);
    } else if (domain == PEN_SCHEMA_DOMAIN_BOOL && statistics->type == PEN_TYPE_INT64) {
        check_bool_ints(check);
    } else if (domain == PEN_SCHEMA_DOMAIN_BOOL && !is_zero_or_one(statistics)) {
        struct pen_finding *finding =
            pen_check_add(check, PEN_ANOMALY_BOOL_TYPE_UNEXPECTED_FLOAT, "domain: bool", "0 or 1",
                          pen_check_text(check, "numbers from %s to %s, %" PRId64 " NaN",
                                         pen_check_number(check, statistics->numeric.min),
                                         pen_check_number(check, statistics->numeric.max), statistics->numeric.n_nan));
        finding->rows.kind = PEN_ROW_NOT_BOOL;
        pen_check_drop_domain(&check->fixed);
    }
}
