/* Validation of one split's statistics against a schema: TFDV's checks, rule by rule.
 *
 * Only features in the environment and in a checked stage are looked at; a column the schema does not know, or keeps
 * out of the environment, is an anomaly of its own. Weighted counts are used where the statistics have them.
 * Differences from TFDV: an empty split is an anomaly; integers satisfy a feature of type float; a missing cell of a
 * required feature is reported once, not again as a broken shape; a threshold that fits no data is an error of
 * configuration; what TFDV's custom statistics hold (tokens, sparse and weighted features, derived features) is
 * measured from the rows (measure.h), so that an edited schema needs no new statistics. */
#ifndef PEN_COMPONENTS_EXAMPLE_VALIDATOR_VALIDATE_H
#define PEN_COMPONENTS_EXAMPLE_VALIDATOR_VALIDATE_H

#include "components/example_validator/measure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a split is compared with; NULL: not compared. */
struct pen_validate_options {
    const char *environment;
    const struct pen_split_statistics *previous; /* drift */
    bool previous_is_version;                    /* dataset.version applies instead of dataset.drift */
    const struct pen_split_statistics *control;  /* skew */
    const char *control_name;                    /* for messages: "split train", "the serving data" */
    const struct pen_measures *measures;         /* of the split's rows; what needs them is an anomaly without */
    struct pen_schema_comparator drift, skew;    /* for features without thresholds of their own; negative: none */
};

/* Environment and data given, nothing compared. */
PEN_API struct pen_validate_options pen_validate_defaults(const char *environment);

/* Findings in schema order, then new columns in column order. Strings are put into `arena`; schema and statistics
 * must outlive the findings, which point into them. */
PEN_API PEN_MUST_USE pen_status pen_validate_split(const struct pen_schema *schema,
                                                   const struct pen_split_statistics *split,
                                                   const struct pen_validate_options *options, struct pen_arena *arena,
                                                   struct pen_findings *findings, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
