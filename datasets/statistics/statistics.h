/* Statistics of one or more splits: what StatisticsGen computes, and SchemaGen, ExampleValidator, init and show read.
 *
 * Rules are TFDV's (mean and population standard deviation in float64 without NaN; upper median; quantile edge k of
 * 10 = sorted[floor(k n / 10)]; top values by count, then the larger byte string first), with one difference: an empty
 * cell is missing. n_values_total keeps TFX's view beside it. Weighted figures are NaN / -1 when no weight is set. */
#ifndef PEN_DATASETS_STATISTICS_STATISTICS_H
#define PEN_DATASETS_STATISTICS_STATISTICS_H

#include "core/column.h"
#include "core/json.h"
#include "core/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_histogram_bucket {
    double low, high; /* [low, high), the last one closed */
    double count;
};

struct pen_histogram {
    int64_t n_buckets;
    const struct pen_histogram_bucket *buckets;
    int64_t n_nan;
};

struct pen_value_count {
    const char *value; /* NUL-terminated UTF-8; invalid text becomes a placeholder */
    double count;      /* weighted count in weighted lists */
};

struct pen_value_counts {
    int64_t n_items;
    const struct pen_value_count *items;
};

struct pen_numeric_statistics {
    double mean, std, min, median, max;
    int64_t n_zeros, n_nan, n_positive_inf, n_negative_inf;
    int64_t n_unique;  /* distinct values, NaN aside */
    bool exact_unique; /* false: estimate, relative standard error unique_error */
    double unique_error;
    bool exact_quantiles; /* false: sketch, rank error within quantile_error */
    double quantile_error;
    struct pen_histogram standard;  /* equal width between the finite min and max */
    struct pen_histogram quantiles; /* 10 buckets of equal count */
};

struct pen_string_statistics {
    int64_t n_unique;
    bool exact_unique; /* false: estimate, relative standard error unique_error */
    double unique_error;
    double avg_length; /* bytes */
    int64_t min_length, max_length, n_invalid_utf8;
    struct pen_value_counts top;   /* num_top_values */
    struct pen_value_counts ranks; /* rank histogram, up to 1000 */
    /* Where asked for: every value at its full length, in the same order. Not in statistics.json. */
    struct pen_value_counts vocabulary;
    bool exact_counts;
};

struct pen_lift {
    const char *value, *label; /* of the feature; of the label, a range of numbers as "3 .. 5" */
    double lift;               /* rows (weights) that have both / those expected if neither told of the other */
    double count;              /* that have both */
};

/* What a feature tells about the label, over the rows that have a label. Both columns are taken in groups (cut.h), a
 * missing cell of the feature is one. */
struct pen_label_statistics {
    double mutual_information; /* bits */
    double share;              /* of the label's entropy, without what chance alone would tell: 0 to 1 */
    double correlation;        /* Pearson's, of rows that have both as finite numbers; NaN without them */
    int64_t n_lifts;
    const struct pen_lift *lifts; /* of strings: pairs that stand out, by (count - expected)^2 / expected */
};
enum { PEN_MOST_LIFTS = 20 };

struct pen_feature_statistics {
    const char *name;
    enum pen_type type; /* NONE: never present */
    int64_t n_rows;
    int64_t n_present, n_missing;   /* cells with / without a value */
    int64_t min_values, max_values; /* values in a present cell: 1, 1 for single-valued features */
    double avg_values;
    int64_t n_values_total;
    struct pen_histogram value_counts;         /* values a present cell, in buckets of equal count */
    double weighted_present, weighted_missing; /* sums of weights */
    double weighted_avg_values, weighted_values_total;
    bool has_numeric, has_string;
    struct pen_numeric_statistics numeric;
    struct pen_string_statistics string; /* also for int features declared categorical */
    bool has_weighted;
    struct pen_numeric_statistics weighted_numeric;
    struct pen_string_statistics weighted_string;
    bool has_label; /* whole splits, where a label is named */
    struct pen_label_statistics label;
};

/* One split, or one slice of it. */
struct pen_split_statistics {
    const char *split;
    const char *slice; /* "" for the whole split, else "column=value" (crosses: "a=1 b=2") */
    int64_t n_rows;
    double weighted_rows; /* NaN: no weights, or no feature that has those of all rows */
    int64_t n_features;
    const struct pen_feature_statistics *features;
    const char *label; /* feature that the others' has_label speaks of; NULL: none */
};

struct pen_statistics {
    struct pen_arena arena; /* owns everything below */
    int64_t n_splits;       /* whole splits first, then slices */
    const struct pen_split_statistics *splits;
};

PEN_API PEN_MUST_USE pen_status pen_statistics_read(const char *path, struct pen_statistics *statistics,
                                                    struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_statistics_write(const struct pen_statistics *statistics, const char *path,
                                                     struct pen_error *err);
PEN_API void pen_statistics_deinit(struct pen_statistics *statistics);

/* NULL when there is none. slice NULL: the whole split. */
PEN_API const struct pen_split_statistics *pen_statistics_find_split(const struct pen_statistics *statistics,
                                                                     const char *split, const char *slice);
PEN_API const struct pen_feature_statistics *pen_statistics_find_feature(const struct pen_split_statistics *split,
                                                                         const char *name);

#ifdef __cplusplus
}
#endif

#endif
