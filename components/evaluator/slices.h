/* Slices: which rows of the eval split belong together, by values of raw columns.
 *
 * Specs, as in the pipeline file: [] overall, [a] every value of a, [a, b] every pair, {a: x} one value, a alone = [a].
 * A missing cell is a value of its own (null). Each spec is one pass over its columns and one counting sort of the
 * rows; memory: 12 bytes a row for a spec at work. Columns of free text (BYTES), and number columns with more than
 * max_values different ones, cannot be sliced by: that is noted, not an error. */
#ifndef PEN_COMPONENTS_EVALUATOR_SLICES_H
#define PEN_COMPONENTS_EVALUATOR_SLICES_H

#include "core/config.h"
#include "datasets/store/store.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_slice_spec {
    int64_t n_columns; /* 0: overall */
    const char **columns;
    const char **values;                /* NULL, or the one value wanted for each column */
    const struct pen_config_node *node; /* where it stands, for messages; NULL: overall not asked for */
};

/* node NULL: overall alone. Overall always comes first, asked for or not. */
PEN_API PEN_MUST_USE pen_status pen_slice_specs(struct pen_arena *arena, const struct pen_config_node *node,
                                                struct pen_slice_spec **specs, int64_t *n_specs, struct pen_error *err);

struct pen_slice {
    const struct pen_slice_spec *spec;
    const char *const *values; /* [n_columns] text; NULL text: missing */
    const bool *is_number;     /* [n_columns] */
    const char *title;         /* "overall", "payment_type=Cash trip_start_hour=7" */
    int64_t n_rows;
};

struct pen_slicing {
    int64_t n_slices;
    struct pen_slice *slices; /* by value: numbers in order, then text by byte, missing last */
    int32_t *slice_of;        /* [n_rows] -1: in none; owned */
    const char *note;         /* NULL, or what was left out and why */
};

struct pen_slice_limits {
    int64_t min_rows, max_slices, max_values;
};

/* keep: [raw rows], 1 for the rows evaluated, n_rows of them; slices are over these. */
PEN_API PEN_MUST_USE pen_status pen_slice_rows(struct pen_arena *arena, const struct pen_store *store,
                                               const struct pen_slice_spec *spec, const uint8_t *keep, int64_t n_rows,
                                               const struct pen_slice_limits *limits, struct pen_slicing *slicing,
                                               struct pen_error *err);
PEN_API void pen_slicing_deinit(struct pen_slicing *slicing);

#ifdef __cplusplus
}
#endif

#endif
