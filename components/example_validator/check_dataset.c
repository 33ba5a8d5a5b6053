/* The number of rows: within its limits, and against the data before. */
#include "components/example_validator/check.h"

#include <inttypes.h>

static void dataset_finding(struct pen_findings *findings, const struct pen_schema *schema, enum pen_anomaly type,
                            const char *rule, const char *expected, const char *seen, const char *change)
{
    pen_findings_add(findings, schema, NULL, type, rule, expected, seen)->change = change;
}

static void check_ratio(struct pen_findings *findings, const struct pen_schema *schema,
                        const struct pen_schema_ratio *limits, const char *name, int64_t n_rows, int64_t n_before)
{
    char number[PEN_NUMBER_BYTES];
    if (!(limits->min_ratio >= 0.0) && !(limits->max_ratio >= 0.0)) {
        return;
    }
    const char *off = pen_findings_text(findings, "dataset: {%s: null}\n", name);
    if (n_before == 0) {
        dataset_finding(findings, schema, PEN_ANOMALY_COMPARATOR_CONTROL_DATA_MISSING,
                        pen_findings_text(findings, "dataset.%s", name), "rows in the data compared with", "none", off);
        return;
    }
    double ratio = (double)n_rows / (double)n_before;
    const char *seen =
        pen_findings_text(findings, "%.6g (%" PRId64 " rows, %" PRId64 " before)", ratio, n_rows, n_before);
    struct pen_schema_ratio fixed = *limits;
    bool low = limits->min_ratio >= 0.0 && ratio < limits->min_ratio;
    bool high = limits->max_ratio >= 0.0 && ratio > limits->max_ratio;
    fixed.min_ratio = low ? ratio : fixed.min_ratio;
    fixed.max_ratio = high ? ratio : fixed.max_ratio;
    struct pen_text change = {0};
    pen_text_printf(&change, "dataset: {%s: {", name);
    if (fixed.min_ratio >= 0.0) {
        pen_text_printf(&change, "min_ratio: %s%s", pen_format_double(number, fixed.min_ratio),
                        fixed.max_ratio >= 0.0 ? ", " : "");
    }
    if (fixed.max_ratio >= 0.0) {
        pen_text_printf(&change, "max_ratio: %s", pen_format_double(number, fixed.max_ratio));
    }
    pen_text_append(&change, "}}\n");
    const char *text = pen_findings_text(findings, "%s", pen_text_view(&change));
    pen_text_deinit(&change);
    if (low) {
        dataset_finding(findings, schema, PEN_ANOMALY_COMPARATOR_LOW_NUM_EXAMPLES,
                        pen_findings_text(findings, "dataset.%s.min_ratio", name),
                        pen_findings_text(findings, "rows now / before of at least %s",
                                          pen_format_double(number, limits->min_ratio)),
                        seen, text);
    }
    if (high) {
        dataset_finding(findings, schema, PEN_ANOMALY_COMPARATOR_HIGH_NUM_EXAMPLES,
                        pen_findings_text(findings, "dataset.%s.max_ratio", name),
                        pen_findings_text(findings, "rows now / before of at most %s",
                                          pen_format_double(number, limits->max_ratio)),
                        seen, text);
    }
}

void pen_check_dataset(struct pen_findings *findings, const struct pen_schema *schema, int64_t n_rows,
                       const struct pen_validate_options *options)
{
    const struct pen_schema_dataset *dataset = &schema->dataset;
    if (n_rows == 0) {
        dataset_finding(findings, schema, PEN_ANOMALY_DATA_MISSING, "a split has rows", "at least one row", "none",
                        "severities: {DATA_MISSING: warning}\n");
    }
    if (dataset->min_examples >= 0 && n_rows < dataset->min_examples) {
        dataset_finding(findings, schema, PEN_ANOMALY_DATASET_LOW_NUM_EXAMPLES,
                        pen_findings_text(findings, "dataset.min_examples: %" PRId64, dataset->min_examples),
                        pen_findings_text(findings, "at least %" PRId64 " rows", dataset->min_examples),
                        pen_findings_text(findings, "%" PRId64, n_rows),
                        pen_findings_text(findings, "dataset: {min_examples: %" PRId64 "}\n", n_rows));
    }
    if (dataset->max_examples >= 0 && n_rows > dataset->max_examples) {
        dataset_finding(findings, schema, PEN_ANOMALY_DATASET_HIGH_NUM_EXAMPLES,
                        pen_findings_text(findings, "dataset.max_examples: %" PRId64, dataset->max_examples),
                        pen_findings_text(findings, "at most %" PRId64 " rows", dataset->max_examples),
                        pen_findings_text(findings, "%" PRId64, n_rows),
                        pen_findings_text(findings, "dataset: {max_examples: %" PRId64 "}\n", n_rows));
    }
    if (options->previous != NULL) {
        check_ratio(findings, schema, options->previous_is_version ? &dataset->version : &dataset->drift,
                    options->previous_is_version ? "version" : "drift", n_rows, options->previous->n_rows);
    }
}
