/* The two halves of a profile (profile.h): numbers and strings, each with the same life: accept, merge, end of a
 * sweep, result. Only profile*.c include this. */
#ifndef PEN_DATASETS_STATISTICS_PROFILE_INTERNAL_H
#define PEN_DATASETS_STATISTICS_PROFILE_INTERNAL_H

#include "datasets/statistics/moments.h"
#include "datasets/statistics/profile.h"
#include "datasets/statistics/spread.h"
#include "datasets/statistics/value_table.h"

struct chunk_moments {
    int64_t position;
    struct pen_moments moments;
};

struct numeric_profile {
    int64_t n_chunks, capacity;
    struct chunk_moments *chunks; /* first sweep */
    struct pen_moments moments;   /* after it */
    struct pen_weighted_moments weighted;
    struct pen_spread *spread;
};

struct string_profile {
    bool integers;      /* values are int64, counted under their 8 bytes */
    int64_t n_values;   /* present */
    int64_t sum_length; /* bytes, of all present values: table only */
    int64_t min_length, max_length, n_invalid;
    double weight, weighted_length;
    int64_t capacity; /* CODES: of counts */
    int64_t *counts;
    double *weights;
    const struct pen_dictionary *dictionary; /* the largest seen */
    struct pen_value_table *table;           /* BYTES, integers, or asked for */
};

struct pen_profile {
    enum pen_type type;
    struct pen_profile_options options;
    int sweep;
    bool is_fork;
    int64_t n_rows, n_present;
    double weighted_rows, weighted_present;
    bool has_numeric, has_string;
    struct numeric_profile numeric;
    struct string_profile string;
};

/* The present cells among some rows of a chunk, as doubles without -0. weights as in the chunk. */
struct pen_tile {
    double values[PEN_TILE], weights[PEN_TILE];
    int64_t integers[PEN_TILE];
    const void *cells; /* 8 bytes each that tell values apart: the doubles, or the int64 (which have more digits) */
    int64_t n_values;
};
/* Takes rows [first, first + PEN_TILE) of the selection. */
void pen_tile_fill(struct pen_tile *tile, const struct pen_column *chunk, int64_t first, const int32_t *rows,
                   int64_t n_rows, const double *weights);

pen_status pen_numeric_profile_init(struct pen_profile *profile, struct pen_error *err);
pen_status pen_numeric_profile_accept(struct pen_profile *profile, const struct pen_column *chunk, int64_t position,
                                      const int32_t *rows, int64_t n_rows, const double *weights,
                                      struct pen_error *err);
pen_status pen_numeric_profile_fork(struct pen_profile *fork, const struct pen_profile *profile, struct pen_error *err);
pen_status pen_numeric_profile_merge(struct pen_profile *profile, const struct pen_profile *fork,
                                     struct pen_error *err);
pen_status pen_numeric_profile_end_sweep(struct pen_profile *profile, bool *again, struct pen_error *err);
pen_status pen_numeric_profile_finish(const struct pen_profile *profile, struct pen_arena *arena,
                                      struct pen_feature_statistics *feature, struct pen_error *err);
void pen_numeric_profile_deinit(struct pen_profile *profile);

pen_status pen_string_profile_init(struct pen_profile *profile, struct pen_error *err);
pen_status pen_string_profile_accept(struct pen_profile *profile, const struct pen_column *chunk, const int32_t *rows,
                                     int64_t n_rows, const double *weights, struct pen_error *err);
pen_status pen_string_profile_fork(struct pen_profile *fork, const struct pen_profile *profile, struct pen_error *err);
pen_status pen_string_profile_merge(struct pen_profile *profile, const struct pen_profile *fork, struct pen_error *err);
void pen_string_profile_end_sweep(struct pen_profile *profile, bool *again);
pen_status pen_string_profile_finish(struct pen_profile *profile, struct pen_arena *arena,
                                     struct pen_feature_statistics *feature, struct pen_error *err);
void pen_string_profile_deinit(struct pen_profile *profile);

#endif
