/* Schema inference: the first split's statistics say what the data must be like, the others widen it.
 *
 * The rules are TFDV's (schema_util, feature_util; tfx.md's table in short): type from the statistics; min_count 1, and
 * min_fraction 1 only where nothing is missing; a shape where every row has the same number of values; a domain by
 * first match: none for invalid UTF-8, bool, int (strings that all parse), the list of values when there are few.
 * Limits of numbers are never inferred. Each field carries a note that says why it is there. */
#ifndef PEN_DATASETS_SCHEMA_INFER_H
#define PEN_DATASETS_SCHEMA_INFER_H

#include "datasets/schema/schema.h"
#include "datasets/statistics/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_schema_infer_options {
    bool infer_feature_shape;
    int64_t max_string_domain_size; /* a list of at most so many values is a domain; 0: never */
    struct pen_config_strings exclude_splits;
};

/* true, 100, none. */
PEN_API struct pen_schema_infer_options pen_schema_infer_defaults(void);

/* Slices are not looked at. No split left, or no feature in any: an error. Copies all it keeps. */
PEN_API PEN_MUST_USE pen_status pen_schema_infer(const struct pen_statistics *statistics,
                                                 const struct pen_schema_infer_options *options,
                                                 struct pen_schema *schema, struct pen_error *err);

/* The feature one column of statistics alone would give; strings and notes go to the arena. */
PEN_API PEN_MUST_USE pen_status pen_schema_infer_feature(const struct pen_feature_statistics *statistics,
                                                         const struct pen_schema_infer_options *options,
                                                         struct pen_arena *arena, struct pen_schema_feature *feature,
                                                         struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
