/* What validation finds: anomalies and measured distances of one split, collected in an arena.
 *
 * A finding says which rule of the schema is broken, what was expected and seen, which rows to look at (rows.h), and,
 * once its feature is done, the change of schema.yaml that would accept the data. The change is cumulative: it settles
 * all findings of its feature at once, so that pasting it once is enough. */
#ifndef PEN_COMPONENTS_EXAMPLE_VALIDATOR_FINDINGS_H
#define PEN_COMPONENTS_EXAMPLE_VALIDATOR_FINDINGS_H

#include "datasets/schema/schema.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How to recognise the rows of a finding. */
enum pen_row_kind {
    PEN_ROW_NONE, /* no row is to blame: the column, or the schema itself */
    PEN_ROW_PRESENT,
    PEN_ROW_MISSING,
    PEN_ROW_ABOVE, /* number, also written as a string, > limit */
    PEN_ROW_BELOW,
    PEN_ROW_NAN,
    PEN_ROW_INFINITE,
    PEN_ROW_NOT_BOOL, /* number other than 0 and 1 */
    PEN_ROW_NOT_INT,  /* string or number that is no integer */
    PEN_ROW_NOT_FLOAT,
    PEN_ROW_NOT_UTF8,
    PEN_ROW_NOT_LISTED, /* string outside `values` */
    PEN_ROW_EQUAL       /* value (as text) = values[0] */
};

struct pen_row_rule {
    enum pen_row_kind kind;
    double limit;
    struct pen_config_strings values;
};

enum { PEN_FINDING_ROWS = 3 };

struct pen_finding {
    enum pen_anomaly type;
    enum pen_severity severity;
    const char *feature;  /* NULL: the data set */
    const char *rule;     /* the field of the schema: "min: 0" */
    const char *expected; /* one phrase each */
    const char *seen;
    int64_t n_rows; /* rows it concerns; -1: not known from the statistics */
    double share;   /* of the split's rows; negative: not known */
    struct pen_row_rule rows;
    int64_t n_examples;
    int64_t example_rows[PEN_FINDING_ROWS];       /* from 0, in the split's store */
    const char *example_values[PEN_FINDING_ROWS]; /* as text; NULL: missing */
    const char *change;                           /* fragment of schema.yaml */
};

struct pen_distance_finding {
    const char *kind; /* "drift", "skew" */
    const char *feature;
    const char *measure; /* "jensen_shannon" */
    double value, threshold;
    bool is_measured; /* false: one side has no values; `note` says which */
    bool crossed;
    const char *worst; /* value that moved most; NULL: none */
    const char *note;
};

struct pen_findings {
    struct pen_arena *arena; /* owns all texts */
    const char *split, *environment;
    int64_t n_rows;
    struct pen_finding *items;
    int64_t n_items, capacity;
    struct pen_distance_finding *distances;
    int64_t n_distances, distances_capacity;
    bool failed; /* memory ran out; pen_findings_check reports it */
};

PEN_API void pen_findings_init(struct pen_findings *findings, struct pen_arena *arena, const char *split,
                               const char *environment, int64_t n_rows);
PEN_API void pen_findings_deinit(struct pen_findings *findings); /* not the arena */
PEN_API PEN_MUST_USE pen_status pen_findings_check(const struct pen_findings *findings, struct pen_error *err);

/* Errors among the findings: the split is blessed when there are none. */
PEN_API int64_t pen_findings_n_errors(const struct pen_findings *findings);

/* Adds a finding and returns it for the caller to fill further (valid until the next one; never NULL). */
PEN_API struct pen_finding *pen_findings_add(struct pen_findings *findings, const struct pen_schema *schema,
                                             const struct pen_schema_feature *feature, enum pen_anomaly type,
                                             const char *rule, const char *expected, const char *seen);
PEN_API void pen_findings_add_distance(struct pen_findings *findings, const struct pen_distance_finding *distance);

/* Text in the findings' arena; "" when memory is short (and failed is set). */
PEN_API const char *pen_findings_text(struct pen_findings *findings, const char *format, ...) PEN_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif

#endif
