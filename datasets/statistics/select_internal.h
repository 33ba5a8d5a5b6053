/* What the two halves of select share: the sweep (select.c) and what follows from it (select_end.c). */
#ifndef PEN_DATASETS_STATISTICS_SELECT_INTERNAL_H
#define PEN_DATASETS_STATISTICS_SELECT_INTERNAL_H

#include "datasets/statistics/select.h"

#include <string.h>

/* Keys low .. low + n_bins * 2^shift - 1, counted in n_bins bins. */
struct window {
    uint64_t low;
    int shift;
    int64_t n_bins, first_bin; /* its bins are [first_bin, first_bin + n_bins) of the sweep's */
    int64_t n_values;          /* in it; known once a sweep has counted */
    double below;              /* count (weight) of values in front of it */
};

struct wanted {
    double target;  /* a rank, or an edge */
    double result;  /* value at the rank, count below the edge */
    int64_t window; /* where it is looked for; -1: found */
};

struct pen_select {
    struct pen_select_query query; /* ranks and edges are not used after creation */
    struct wanted *ranks, *edges;
    int64_t n_windows, n_bins;
    struct window *windows; /* by low */
    bool collecting, unfinished;
    struct window first;   /* of the first sweep */
    uint16_t *interesting; /* per bin of the first sweep: 1 + the first window in it, or 0; NULL before its end */
    int64_t *counts;
    double *weights;
    uint64_t *key_ends; /* least and greatest key seen in each window; not kept by the first sweep */
    int64_t n_collected, capacity, weight_capacity;
    uint64_t *keys;
    double *key_weights;
};

static inline uint64_t key_of(double value)
{
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint64_t)bits ^ ((uint64_t)(bits >> 63) | 0x8000000000000000U);
}

/* The window that holds key, or NULL. */
const struct window *pen_select_window_of(const struct pen_select *select, uint64_t key);
/* Zeroed bins of a sweep, and for each window the least and the greatest key it sees; none while collecting. */
PEN_MUST_USE pen_status pen_select_alloc_bins(const struct pen_select *select, int64_t **counts, double **weights,
                                              uint64_t **key_ends, struct pen_error *err);

#endif
