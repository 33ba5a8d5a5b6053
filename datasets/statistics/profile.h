/* The statistics of one column over some of its rows, from chunks, in a few sweeps.
 *
 *   pen_profile_create(&p, ...);
 *   do {
 *       for every chunk: pen_profile_accept(p, chunk, position, rows, n_rows, weights);
 *       pen_profile_end_sweep(p, &again);
 *   } while (again);
 *   pen_profile_finish(p, arena, &feature);
 *
 * Every sweep gives the same chunks. Numbers take one for moments, distinct values and first counts, and mostly one
 * more for exact quantiles and histograms (select.h); strings need a second one only when they were too many to count
 * exactly (value_table.h). Several threads or machines take shares of the chunks in forks, which merge into the profile
 * before the sweep ends. Integer counts do not depend on that order; moments are kept by position and joined in that
 * order, so the result is the same for any number of threads, unless pen_profile_in_order() says that chunks must come
 * in order, to one profile. Memory: at most about 4 MiB for numbers, options.memory_bytes for strings, and 100 bytes a
 * chunk. */
#ifndef PEN_DATASETS_STATISTICS_PROFILE_H
#define PEN_DATASETS_STATISTICS_PROFILE_H

#include "datasets/statistics/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_profile_options {
    int64_t n_top_values, n_rank_buckets;
    int64_t n_histogram_buckets, n_quantile_buckets, n_value_count_buckets;
    int64_t least_count;          /* values seen less often are not listed; distinct counts them all the same */
    double least_weight;          /* the same of weighted lists */
    int64_t memory_bytes;         /* of one table of distinct strings */
    int64_t max_distinct;         /* entries of that table; 0: as memory allows */
    int64_t max_distinct_numbers; /* exact up to so many; 0: tally.h's default */
    int64_t max_bins;             /* of a counting sweep over numbers; 0: select.h's default */
    int64_t max_collect;          /* numbers sorted in memory at the end; 0: select.h's default */
    bool weighted;
    bool list_all;       /* strings: a vocabulary too; an error when they were too many to count exactly */
    bool categorical;    /* integers: string statistics too */
    bool count_in_table; /* CODES: a table of strings instead of a counter per code */
    bool sequential;     /* chunks come in order of position and without forks: nothing is kept per chunk */
};
#define PEN_PROFILE_OPTIONS_DEFAULT                                                                      \
    {                                                                                                    \
        .n_top_values = 20, .n_rank_buckets = 1000, .n_histogram_buckets = 10, .n_quantile_buckets = 10, \
        .n_value_count_buckets = 10, .memory_bytes = 256 << 20                                           \
    }
enum { PEN_PROFILE_MAX_BUCKETS = 1000 }; /* of each kind of histogram */

struct pen_profile;

PEN_API PEN_MUST_USE pen_status pen_profile_create(struct pen_profile **profile, enum pen_type type,
                                                   const struct pen_profile_options *options, struct pen_error *err);
PEN_API void pen_profile_destroy(struct pen_profile *profile);

/* rows NULL: all rows of the chunk; else n_rows ascending row numbers within it. weights: one a row of the chunk,
 * finite and not negative, NULL unless weighted. position: number of the chunk. A dictionary stays the same, or
 * grows, from chunk to chunk, and outlives the profile. */
PEN_API PEN_MUST_USE pen_status pen_profile_accept(struct pen_profile *profile, const struct pen_column *chunk,
                                                   int64_t position, const int32_t *rows, int64_t n_rows,
                                                   const double *weights, struct pen_error *err);

PEN_API bool pen_profile_in_order(const struct pen_profile *profile);
/* An empty profile for a share of this sweep's chunks; destroyed before the sweep ends. */
PEN_API PEN_MUST_USE pen_status pen_profile_fork(struct pen_profile **fork, const struct pen_profile *profile,
                                                 struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_profile_merge(struct pen_profile *profile, const struct pen_profile *fork,
                                                  struct pen_error *err);

PEN_API PEN_MUST_USE pen_status pen_profile_end_sweep(struct pen_profile *profile, bool *again, struct pen_error *err);
/* Fills all of feature but its name; texts and lists go to the arena. */
PEN_API PEN_MUST_USE pen_status pen_profile_finish(struct pen_profile *profile, struct pen_arena *arena,
                                                   struct pen_feature_statistics *feature, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
