/* The kinds of anomalies a schema can be broken by: one list, walked by the schema reader (severity overrides name
 * them), the validator, the terminal view and the tests. Names are TFX's, so that what people know about them holds.
 *
 * Not here: what TFX lists but never detects, and what needs images, nested values or guessed semantic domains (the
 * whole table, with reasons: components/example_validator/README.md). Not in TFX: DATA_MISSING (an empty split is an
 * anomaly of its own; in TFX it stays blessed). */
#ifndef PEN_DATASETS_SCHEMA_ANOMALY_TYPES_H
#define PEN_DATASETS_SCHEMA_ANOMALY_TYPES_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_severity { PEN_SEVERITY_ERROR, PEN_SEVERITY_WARNING };

/* X(name, default severity, what it means) */
#define PEN_ANOMALY_LIST(X)                                                                                      \
    X(DATA_MISSING, ERROR, "the split holds no rows")                                                            \
    X(DATASET_LOW_NUM_EXAMPLES, ERROR, "fewer rows than dataset.min_examples")                                   \
    X(DATASET_HIGH_NUM_EXAMPLES, ERROR, "more rows than dataset.max_examples")                                   \
    X(COMPARATOR_LOW_NUM_EXAMPLES, ERROR, "rows now / rows before is below min_ratio")                           \
    X(COMPARATOR_HIGH_NUM_EXAMPLES, ERROR, "rows now / rows before is above max_ratio")                          \
    X(STATS_NOT_AVAILABLE, ERROR, "the feature has values but no statistics that fit its type")                  \
    X(MULTIPLE_REASONS, ERROR, "summary of a feature with several anomalies")                                    \
    X(SCHEMA_NEW_COLUMN, ERROR, "a column the schema does not know, or not in this environment")                 \
    X(SCHEMA_MISSING_COLUMN, ERROR, "a feature the schema requires is no column of the data")                    \
    X(UNEXPECTED_DATA_TYPE, ERROR, "values of another type than the schema's")                                   \
    X(FEATURE_MISSING_NAME, ERROR, "a feature of the schema has an empty name")                                  \
    X(FEATURE_MISSING_TYPE, ERROR, "a feature of the schema has no type")                                        \
    X(INVALID_SCHEMA_SPECIFICATION, ERROR, "fields of one feature that contradict each other")                   \
    X(INVALID_DOMAIN_SPECIFICATION, ERROR, "a domain that no value can be in, or with an entry twice")           \
    X(DOMAIN_INVALID_FOR_TYPE, ERROR, "a domain of another type than the feature's")                             \
    X(INVALID_FEATURE_SHAPE, ERROR, "a shape needs the same number of values in every row, none missing")        \
    X(FEATURE_TYPE_LOW_FRACTION_PRESENT, ERROR, "present in a smaller share of rows than presence.min_fraction") \
    X(FEATURE_TYPE_LOW_NUMBER_PRESENT, ERROR, "present in fewer rows than presence.min_count")                   \
    X(FEATURE_TYPE_NOT_PRESENT, ERROR, "the column is there and every cell is empty")                            \
    X(FEATURE_TYPE_LOW_NUMBER_VALUES, ERROR, "a row with fewer values than values.min")                          \
    X(FEATURE_TYPE_HIGH_NUMBER_VALUES, ERROR, "a row with more values than values.max")                          \
    X(FEATURE_TYPE_LOW_UNIQUE, ERROR, "fewer distinct values than unique.min")                                   \
    X(FEATURE_TYPE_HIGH_UNIQUE, ERROR, "more distinct values than unique.max")                                   \
    X(FEATURE_TYPE_NO_UNIQUE, ERROR, "unique is set for a feature whose distinct values are not counted")        \
    X(BOOL_TYPE_BIG_INT, ERROR, "an integer above 1 in a bool feature")                                          \
    X(BOOL_TYPE_SMALL_INT, ERROR, "an integer below 0 in a bool feature")                                        \
    X(BOOL_TYPE_UNEXPECTED_STRING, ERROR, "a string that is neither true_value nor false_value")                 \
    X(BOOL_TYPE_UNEXPECTED_FLOAT, ERROR, "a number other than 0 and 1 in a bool feature")                        \
    X(BOOL_TYPE_INVALID_CONFIG, ERROR, "true_value and false_value do not fit the feature's type")               \
    X(ENUM_TYPE_UNEXPECTED_STRING_VALUES, ERROR, "values outside the domain, beyond 1 - min_domain_mass")        \
    X(ENUM_TYPE_INVALID_UTF8, ERROR, "text that is no valid UTF-8")                                              \
    X(FLOAT_TYPE_BIG_FLOAT, ERROR, "a number above max")                                                         \
    X(FLOAT_TYPE_SMALL_FLOAT, ERROR, "a number below min")                                                       \
    X(FLOAT_TYPE_STRING_NOT_FLOAT, ERROR, "a string that is no number, with domain: float")                      \
    X(FLOAT_TYPE_HAS_NAN, ERROR, "NaN among the values, with disallow_nan")                                      \
    X(FLOAT_TYPE_HAS_INF, ERROR, "an infinity among the values, with disallow_inf")                              \
    X(INT_TYPE_BIG_INT, ERROR, "an integer above max")                                                           \
    X(INT_TYPE_SMALL_INT, ERROR, "an integer below min")                                                         \
    X(INT_TYPE_NOT_INT_STRING, ERROR, "a string that is no integer, with domain: int")                           \
    X(COMPARATOR_L_INFTY_HIGH, ERROR, "the share of one value moved by more than infinity_norm")                 \
    X(COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH, ERROR, "the distribution moved by more than jensen_shannon")    \
    X(COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH, ERROR, "a value's count moved by more than its threshold") \
    X(COMPARATOR_CONTROL_DATA_MISSING, ERROR, "the data compared with has no values of this feature")            \
    X(SPARSE_FEATURE_MISSING_VALUE, ERROR, "rows with an index of a sparse feature and no value")                \
    X(SPARSE_FEATURE_MISSING_INDEX, ERROR, "rows with a part of a sparse feature and one index missing")         \
    X(SPARSE_FEATURE_LENGTH_MISMATCH, ERROR, "lists of index and value of different lengths in one row")         \
    X(SPARSE_FEATURE_NAME_COLLISION, ERROR, "a sparse feature is called as another feature is")                  \
    X(WEIGHTED_FEATURE_MISSING_VALUE, ERROR, "rows with the weight of a weighted feature and no value")          \
    X(WEIGHTED_FEATURE_MISSING_WEIGHT, ERROR, "rows with the value of a weighted feature and no weight")         \
    X(WEIGHTED_FEATURE_LENGTH_MISMATCH, ERROR, "lists of weight and value of different lengths in one row")      \
    X(WEIGHTED_FEATURE_NAME_COLLISION, ERROR, "a weighted feature is called as another feature is")              \
    X(SEQUENCE_VALUE_TOO_FEW_OCCURRENCES, ERROR, "a token occurs less often in a text than min_per_sequence")    \
    X(SEQUENCE_VALUE_TOO_MANY_OCCURRENCES, ERROR, "a token occurs more often in a text than max_per_sequence")   \
    X(SEQUENCE_VALUE_TOO_SMALL_FRACTION, ERROR, "a token occurs in too small a share of the texts")              \
    X(SEQUENCE_VALUE_TOO_LARGE_FRACTION, ERROR, "a token occurs in too large a share of the texts")              \
    X(FEATURE_COVERAGE_TOO_LOW, ERROR, "the vocabulary covers a smaller share of the tokens than min_coverage")  \
    X(FEATURE_COVERAGE_TOO_SHORT_AVG_TOKEN_LENGTH, ERROR, "tokens are shorter than min_avg_token_length")        \
    X(DERIVED_FEATURE_BAD_LIFECYCLE, ERROR, "a derived feature in another stage than derived or disabled")       \
    X(DERIVED_FEATURE_INVALID_SOURCE, ERROR, "a derived feature without a source, or one that cannot be read")

enum pen_anomaly {
#define PEN_ANOMALY_ENUM(name, severity, text) PEN_ANOMALY_##name,
    PEN_ANOMALY_LIST(PEN_ANOMALY_ENUM)
#undef PEN_ANOMALY_ENUM
        PEN_ANOMALY_COUNT
};

struct pen_anomaly_type {
    const char *name;
    enum pen_severity severity;
    const char *description;
};

/* Indexed by enum pen_anomaly. */
PEN_API extern const struct pen_anomaly_type pen_anomaly_types[PEN_ANOMALY_COUNT];

PEN_API const char *pen_severity_name(enum pen_severity severity); /* "error", "warning" */

/* False when no type has this name; *nearest is then the nearest name or NULL. */
PEN_API bool pen_anomaly_find(const char *name, enum pen_anomaly *type, const char **nearest);

#ifdef __cplusplus
}
#endif

#endif
