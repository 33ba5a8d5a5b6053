/* What the driver's parts share (compute.h): the plan of one split, reading its rows, failures of threads. */
#ifndef PEN_DATASETS_STATISTICS_COMPUTE_INTERNAL_H
#define PEN_DATASETS_STATISTICS_COMPUTE_INTERNAL_H

#include "datasets/statistics/compute.h"
#include "datasets/statistics/slices_internal.h"

/* One split: what is wanted of it. */
struct plan {
    const struct pen_statistics_source *source;
    const struct pen_statistics_options *options;
    int n_threads;
    int64_t weight_column; /* of weight_feature; -1: none */
    int64_t label_column;  /* -1: none */
    int64_t n_columns;
    int64_t *columns;
    bool *categorical;   /* by column of the source */
    bool *vocabulary;    /* likewise */
    int64_t *weights_of; /* likewise: its column of weights, -1: none */
    int64_t *first_rows; /* number of each chunk's first row */
    int64_t most_rows;   /* of a chunk */
};

pen_status pen_plan_init(struct plan *plan, const struct pen_statistics_source *source,
                         const struct pen_statistics_options *options, struct pen_error *err);
void pen_plan_deinit(struct plan *plan);
struct pen_profile_options pen_plan_profile_options(const struct plan *plan, int64_t column, int64_t memory_bytes);

/* What one thread needs to read chunks of a column. */
struct scratch {
    struct pen_store_buffer buffer, weight_buffer;
    int32_t *rows; /* sampled ones */
    double *weights;
    struct pen_slice_reader slices;
    int32_t *ids;
    int32_t *slice_rows; /* row numbers sorted by slice */
    int64_t *slice_ends;
};

/* index NULL: no slices. */
pen_status pen_scratch_init(struct scratch *scratch, const struct plan *plan, const struct pen_slice_index *index,
                            struct pen_error *err);
void pen_scratch_deinit(struct scratch *scratch);

bool pen_plan_in_sample(const struct plan *plan, int64_t chunk, int64_t row);
/* The chunk, and its weights in scratch where the column has any. */
pen_status pen_plan_read_chunk(const struct plan *plan, struct scratch *scratch, int64_t column, int64_t chunk,
                               struct pen_column *view, struct pen_error *err);
/* NULL for a column without. */
const double *pen_plan_weights(const struct plan *plan, const struct scratch *scratch, int64_t column);
/* Gives the chunk's sampled rows to the profile. */
pen_status pen_plan_accept_chunk(const struct plan *plan, struct scratch *scratch, struct pen_profile *profile,
                                 int64_t column, int64_t chunk, struct pen_error *err);
/* One thread at a time, for the arena's sake. */
pen_status pen_plan_finish_profile(struct pen_profile *profile, const char *name, struct pen_arena *arena,
                                   struct pen_feature_statistics *feature, struct pen_error *err);

/* features: [plan->n_columns]. */
pen_status pen_plan_whole_split(const struct plan *plan, struct pen_arena *arena,
                                struct pen_feature_statistics *features, struct pen_error *err);
/* What is told of the label, into features that have the rest. */
pen_status pen_plan_label(const struct plan *plan, struct pen_arena *arena, struct pen_feature_statistics *features,
                          struct pen_error *err);
/* features: [n_slices][plan->n_columns]. */
pen_status pen_plan_all_slices(const struct plan *plan, const struct pen_slice_index *index, struct pen_arena *arena,
                               struct pen_feature_statistics *features, struct pen_error *err);

/* The first failure in order of work, whichever thread met it. */
struct failure {
    int64_t order;
    pen_status status;
    struct pen_error err;
};
void pen_failure_note(struct failure *failure, int64_t order, pen_status status, const struct pen_error *err);
pen_status pen_failure_report(const struct failure *failure, struct pen_error *err);

#endif
