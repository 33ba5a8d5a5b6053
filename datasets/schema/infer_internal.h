/* Inference in two steps: statistics of splits are merged (infer.c), then judged (infer_rules.c). */
#ifndef PEN_DATASETS_SCHEMA_INFER_INTERNAL_H
#define PEN_DATASETS_SCHEMA_INFER_INTERNAL_H

#include "datasets/schema/infer.h"

/* One feature's statistics over all splits. */
struct pen_schema_merged {
    enum pen_schema_type type;
    bool has_bytes_only;   /* some string that is no UTF-8 */
    bool absent_somewhere; /* a split without the column, or without a value in it */
    const char *absent_split;
    int64_t n_rows, n_present;
    int64_t min_values, max_values;
    bool has_range;
    double min, max;
    int64_t n_odd;       /* NaN and infinities: no bool */
    bool has_unlisted;   /* a split whose values are not listed below: numbers, or strings without counts */
    bool all_values;     /* values below are all there are in the others */
    int64_t n_unique;    /* at least */
    const char **values; /* sorted by bytes, each once */
    int64_t n_values;
    const char *splits; /* "train, eval" */
};

/* Fills all of `feature` that inference says; with_domain: a domain may be given. */
PEN_MUST_USE pen_status pen_schema_infer_merged(const struct pen_schema_merged *merged,
                                                const struct pen_schema_infer_options *options, bool with_domain,
                                                struct pen_arena *arena, struct pen_schema_feature *feature,
                                                struct pen_error *err);

#endif
