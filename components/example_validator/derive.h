/* Derived features: columns that the data do not have, made of those they have while they are read.
 *
 * The source of a split's rows with the derived columns behind its own: statistics are computed over it and example
 * rows looked up in it as if they stood in the data. A derived cell is missing where one of its sources is. */
#ifndef PEN_COMPONENTS_EXAMPLE_VALIDATOR_DERIVE_H
#define PEN_COMPONENTS_EXAMPLE_VALIDATOR_DERIVE_H

#include "datasets/schema/schema.h"
#include "datasets/statistics/compute.h"

struct pen_derived_column {
    const char *name;
    enum pen_schema_deriver deriver;
    int64_t from[2]; /* columns of the base */
};

struct pen_derived {
    const struct pen_statistics_source *base;
    int64_t n_columns;
    const struct pen_derived_column *columns;
};

/* Whether a deriver can read a column of this type; one without any value it always can. */
bool pen_deriver_reads(enum pen_schema_deriver deriver, enum pen_type type);

/* The derived features of the schema whose sources are there and can be read, in its order. */
PEN_MUST_USE pen_status pen_derived_init(struct pen_derived *derived, const struct pen_statistics_source *base,
                                         const struct pen_schema *schema, struct pen_arena *arena,
                                         struct pen_error *err);
struct pen_statistics_source pen_derived_source(const struct pen_derived *derived);

#endif
