/* Statistics of whole splits, and of slices of them, read chunk by chunk from a store or from memory.
 *
 * Everything runs over all cores; the numbers do not depend on how many. A column is swept once when it holds few
 * different numbers, or strings; else twice, seldom more (profile.h); once more beside the label, where one is named
 * (cut.h). Memory: options.memory_bytes for strings in all, and a thread 2 MiB beside it on common data and 32 MiB at
 * most; nothing grows with rows.
 *
 * What is exact, and how far off the rest can be:
 *
 *   moments, zeros, minimum, maximum   exact but for rounding (moments.h)
 *   median, quantiles, histograms      exact always: awkward data cost sweeps, not digits (select.h)
 *   distinct numbers                   exact up to 16,384, then a HyperLogLog: standard error 0.81 % (spread.h)
 *   distinct strings and their counts  exact with a dictionary, and without one while memory_bytes holds them; then
 *                                      distinct by HyperLogLog, 0.81 %, and counts exact for every value that occurs
 *                                      more often than n / values held (value_table.h); exact_counts tells whether all
 *                                      listed ones do */
#ifndef PEN_DATASETS_STATISTICS_COMPUTE_H
#define PEN_DATASETS_STATISTICS_COMPUTE_H

#include "datasets/statistics/profile.h"
#include "datasets/store/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the rows of one split come from. read is called by several threads at once, each with a buffer of its own. */
struct pen_statistics_source {
    const void *user;
    const char *split;
    int64_t n_rows, n_columns, n_chunks;
    const char *(*name)(const void *user, int64_t column);
    enum pen_type (*type)(const void *user, int64_t column);
    int64_t (*chunk_rows)(const void *user, int64_t chunk);
    pen_status (*read)(const void *user, int64_t column, int64_t chunk, struct pen_store_buffer *buffer,
                       struct pen_column *view, struct pen_error *err);
};

PEN_API struct pen_statistics_source pen_statistics_source_store(const struct pen_store *store);

/* Batches in memory, all with the same columns; batch i is chunk i. */
struct pen_statistics_batches {
    const char *split;
    int64_t n_batches;
    const struct pen_batch *batches;
};
PEN_API struct pen_statistics_source pen_statistics_source_batches(const struct pen_statistics_batches *batches);

/* One slicing: rows grouped by the values of all its features together, or only those with the given values. */
struct pen_slice_item {
    const char *feature;
    const char *value; /* NULL: each value that occurs */
};
struct pen_slicing {
    int64_t n_items;
    const struct pen_slice_item *items;
};

/* A feature with weights of its own, in place of weight_feature. */
struct pen_weight_override {
    const char *feature, *weight_feature;
};

enum pen_statistics_exact { PEN_STATISTICS_AUTO, PEN_STATISTICS_ALWAYS, PEN_STATISTICS_SKETCH };

struct pen_statistics_options {
    int64_t n_top_values, n_rank_buckets, n_histogram_buckets, n_quantile_buckets, n_value_count_buckets;
    int64_t least_count;        /* values seen less often are in neither list; distinct counts them all the same */
    double least_weight;        /* the same of weighted lists */
    const char *weight_feature; /* NULL: none */
    int64_t n_weight_overrides;
    const struct pen_weight_override *weight_overrides; /* the last one of a feature holds */
    double sample_rate;                                 /* of the rows, in (0, 1] */
    uint64_t seed;                                      /* of the sample */
    int64_t n_allowed;
    const char *const *allowed; /* only these features; none given: all */
    int64_t n_categorical;
    const char *const *categorical; /* integer features that are names, not numbers */
    int64_t n_vocabularies;
    const char *const *vocabularies; /* features of which whole splits list every value */
    const char *label_feature;       /* what the others are to tell about; NULL: none */
    int64_t n_slicings;
    const struct pen_slicing *slicings;
    int64_t max_slices;              /* of one slicing: the most frequent ones */
    enum pen_statistics_exact exact; /* distinct values: within memory, at any cost, or sketched early */
    int64_t memory_bytes;
    int n_threads; /* 0: as OpenMP says */
};
#define PEN_STATISTICS_OPTIONS_DEFAULT                                                                   \
    {                                                                                                    \
        .n_top_values = 20, .n_rank_buckets = 1000, .n_histogram_buckets = 10, .n_quantile_buckets = 10, \
        .n_value_count_buckets = 10, .sample_rate = 1.0, .max_slices = 1000, .memory_bytes = 256 << 20   \
    }

PEN_API PEN_MUST_USE pen_status pen_statistics_compute(struct pen_statistics *statistics,
                                                       const struct pen_statistics_source *sources, int64_t n_sources,
                                                       const struct pen_statistics_options *options,
                                                       struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
