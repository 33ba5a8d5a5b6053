/* Statistics of one column, named x, from its values written as text; built in plain loops that share nothing with the
 * product. And schemas of one feature from its fields. */
#ifndef PEN_TESTS_COMPONENTS_EXAMPLE_VALIDATOR_COLUMNS_H
#define PEN_TESTS_COMPONENTS_EXAMPLE_VALIDATOR_COLUMNS_H

#include "components/example_validator/validate.h"

enum { MOST_VALUES = 64 };

/* A column of numbers or strings; NULL strings and missing flags are empty cells. */
struct column {
    enum pen_type type;
    int64_t n_rows;
    double numbers[MOST_VALUES];
    const char *strings[MOST_VALUES];
    bool missing[MOST_VALUES];
    bool without_statistics;
};

struct built {
    struct pen_feature_statistics feature;
    struct pen_split_statistics split;
    struct pen_value_count counts[MOST_VALUES];
    struct pen_histogram_bucket buckets[10];
};

/* "1 2 3 - nan inf": "-" is an empty cell. Type by argument. Words of strings are separated by "|". `storage` is longer
 * than text and outlives the column. */
struct column parse_column(enum pen_type type, const char *text, char *storage);
/* Points into built and the column's strings. categorical: integers are counted as strings are, too. */
void build(const struct column *column, bool categorical, struct built *built);

/* The fields of feature x, or a whole schema when it has "features:". */
PEN_MUST_USE pen_status read_schema(const char *fields, struct pen_schema *schema, struct pen_error *err);

#define INT PEN_TYPE_INT64
#define FLT PEN_TYPE_FLOAT64
#define STR PEN_TYPE_CODES

struct anomaly_case {
    enum pen_anomaly type;
    const char *schema;      /* the fields of feature x, or a whole schema when it begins with a key of one */
    enum pen_type data_type; /* NONE: the column is not there */
    const char *bad, *good;  /* good NULL: no data is; the schema itself is wrong */
    const char *good_schema; /* a whole schema or fields with which `bad` is fine; NULL: none given */
    const char *environment, *previous;
    enum pen_type good_type; /* 0 (NONE): as data_type */
};

#define A(name) PEN_ANOMALY_##name

/* Validates one column text; an absent column when text is NULL. */
void validate_text(const struct anomaly_case *c, const struct pen_schema *schema, enum pen_type type, const char *text,
                   struct pen_arena *arena, struct pen_findings *findings);

#endif
