/* The checks of one feature, shared by the files of this folder: each looks at one group of rules, adds findings and
 * changes `fixed` so that the data would pass. */
#ifndef PEN_COMPONENTS_EXAMPLE_VALIDATOR_CHECK_H
#define PEN_COMPONENTS_EXAMPLE_VALIDATOR_CHECK_H

#include "components/example_validator/validate.h"

struct pen_check {
    struct pen_findings *findings;
    const struct pen_schema *schema;
    const struct pen_split_statistics *split;
    const struct pen_validate_options *options;
    const struct pen_schema_feature *feature;
    const struct pen_feature_statistics *statistics; /* NULL: no such column */
    struct pen_schema_feature fixed;                 /* the feature as it would have to be */
    bool removed;                                    /* it would have to go */
    bool domain_changed;                             /* `shared_values` would have to be the shared domain's */
    struct pen_config_strings shared_values;
};

/* Adds a finding of the feature at hand. */
struct pen_finding *pen_check_add(struct pen_check *check, enum pen_anomaly type, const char *rule,
                                  const char *expected, const char *seen);
/* Sets how many rows a finding concerns. */
void pen_check_rows(const struct pen_check *check, struct pen_finding *finding, double n_rows);
/* Gives it the rows that were measured (measure.h). */
void pen_check_measured(const struct pen_check *check, struct pen_finding *finding,
                        const struct pen_measured_rows *measured);
#define pen_check_text(check, ...) pen_findings_text((check)->findings, __VA_ARGS__)
const char *pen_check_number(struct pen_check *check, double value);
/* "1 row", "2 rows" */
const char *pen_check_count(struct pen_check *check, int64_t n, const char *noun);
const char *pen_check_quoted(struct pen_check *check, const char *value);

/* Drops the domain and what belongs to it. */
void pen_check_drop_domain(struct pen_schema_feature *feature);

enum pen_schema_type pen_check_type_of(enum pen_type type);
/* The value counts to be judged: weighted where there are weights. */
const struct pen_value_counts *pen_check_ranks(const struct pen_feature_statistics *statistics);
double pen_check_present(const struct pen_feature_statistics *statistics);

/* All groups, in order, on check->feature. validate.c */
PEN_MUST_USE pen_status pen_check_once(struct pen_check *check, struct pen_error *err);
/* Changes check->fixed until the data pass. settle.c */
PEN_MUST_USE pen_status pen_check_settle(struct pen_check *check, struct pen_error *err);
/* That change as a fragment of schema.yaml. */
const char *pen_check_change(struct pen_check *check);

/* check_dataset.c */
void pen_check_dataset(struct pen_findings *findings, const struct pen_schema *schema, int64_t n_rows,
                       const struct pen_validate_options *options);

/* The groups; each false when later groups make no sense. */
bool pen_check_specification(struct pen_check *check);          /* check_specification.c */
void pen_check_language_specification(struct pen_check *check); /* check_language.c */
bool pen_check_derived(struct pen_check *check);                /* check_derived.c */
bool pen_check_presence(struct pen_check *check);               /* check_presence.c */
bool pen_check_type(struct pen_check *check);
void pen_check_values(struct pen_check *check);
void pen_check_domain(struct pen_check *check);  /* check_numbers.c, check_strings.c */
void pen_check_strings(struct pen_check *check); /* domains of string columns */
void pen_check_language(struct pen_check *check);
PEN_MUST_USE pen_status pen_check_comparators(struct pen_check *check, struct pen_error *err); /* check_comparators.c */
/* Sparse and weighted features of the schema. check_compounds.c */
void pen_check_compounds(struct pen_check *check);
/* Thresholds given for all features must fit one at least. */
PEN_MUST_USE pen_status pen_check_common_thresholds(const struct pen_split_statistics *split,
                                                    const struct pen_schema *schema,
                                                    const struct pen_schema_comparator *common, const char *kind,
                                                    struct pen_error *err);

#endif
