/* What validation has to know of the rows and statistics do not hold: the distributions of derived features, which
 * parts of a compound feature stand together in a row, how often tokens occur in texts. Measured in one sweep a
 * feature, and only for what the schema asks about. Memory does not grow with rows. */
#ifndef PEN_COMPONENTS_EXAMPLE_VALIDATOR_MEASURE_H
#define PEN_COMPONENTS_EXAMPLE_VALIDATOR_MEASURE_H

#include "components/example_validator/findings.h"
#include "datasets/statistics/compute.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rows of one kind: how many, and the first of them. */
struct pen_measured_rows {
    int64_t n_rows, n_examples;
    int64_t rows[PEN_FINDING_ROWS];
    const char *values[PEN_FINDING_ROWS];
};

/* One index, or the weight, beside the value. */
struct pen_measured_part {
    struct pen_measured_rows missing;    /* and another part is there */
    struct pen_measured_rows mismatched; /* another number of items than the value's, both being there */
    int64_t most_fewer, most_more;       /* items here than in the value, over those rows */
};

struct pen_measured_compound {
    struct pen_measured_rows missing_value; /* and a part is there */
    const struct pen_measured_part *parts;  /* as the schema's */
};

struct pen_measured_token {
    int64_t min_per_text, max_per_text;
    struct pen_measured_rows with, without; /* texts */
    struct pen_measured_rows too_few, too_many;
};

struct pen_measured_language {
    const char *feature;
    int64_t n_texts;
    int64_t n_tokens, n_covered;      /* without excluded ones; of these, in the vocabulary */
    int64_t n_measured, n_characters; /* neither excluded nor oov_tokens; characters in these */
    struct pen_measured_rows uncovered;
    const struct pen_measured_token *constraints; /* as the schema's */
};

struct pen_measures {
    struct pen_statistics derived; /* one split; none without derived features */
    int64_t n_languages;
    const struct pen_measured_language *languages;
    const struct pen_measured_compound *compounds[PEN_SCHEMA_COMPOUND_KINDS]; /* as the schema's; NULL: none */
};

/* rows: a split with its derived columns (derive.h). Texts go to the arena; on failure nothing is left to free. */
PEN_API PEN_MUST_USE pen_status pen_measure(struct pen_measures *measures, const struct pen_schema *schema,
                                            const struct pen_statistics_source *rows, struct pen_arena *arena,
                                            struct pen_error *err);
PEN_API void pen_measures_deinit(struct pen_measures *measures);

/* NULL: not measured; measures may be NULL. */
const struct pen_feature_statistics *pen_measures_derived(const struct pen_measures *measures, const char *feature);
const struct pen_measured_language *pen_measures_language(const struct pen_measures *measures, const char *feature);
const struct pen_measured_compound *pen_measures_compound(const struct pen_measures *measures,
                                                          enum pen_schema_compound_kind kind, int64_t index);

/* Counts a row; its text is made only for the first ones. */
#define pen_measured_is_example(measured) ((measured)->n_rows < PEN_FINDING_ROWS)
void pen_measured_add(struct pen_measured_rows *measured, int64_t row, const char *value);

/* measure_compound.c, measure_language.c */
PEN_MUST_USE pen_status pen_measure_compound(struct pen_measured_compound *measured,
                                             const struct pen_schema_compound *compound,
                                             const struct pen_statistics_source *rows, struct pen_arena *arena,
                                             struct pen_error *err);
PEN_MUST_USE pen_status pen_measure_language(struct pen_measured_language *measured, const struct pen_schema *schema,
                                             const struct pen_schema_feature *feature,
                                             const struct pen_statistics_source *rows, int64_t column,
                                             struct pen_arena *arena, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
