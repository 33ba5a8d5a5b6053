/* What the halves of select share: the sweep (select.c), what follows from its counts (select_windows.c), and the
 * collected keys (select_sort.c). */
#ifndef PEN_DATASETS_STATISTICS_SELECT_INTERNAL_H
#define PEN_DATASETS_STATISTICS_SELECT_INTERNAL_H

#include "datasets/statistics/select.h"

#include <string.h>

/* Keys low .. last, whose values are collected, or counted in n_bins bins of 2^shift keys. */
struct window {
    uint64_t low, last;
    int shift;
    bool collect;
    int64_t n_bins, first_bin; /* its bins are [first_bin, first_bin + n_bins) of the sweep's */
    int64_t n_values;          /* in it */
    double below;              /* count (weight) of values in front of it */
};

struct wanted {
    double target;  /* a rank, or an edge */
    double result;  /* value at the rank, count below the edge */
    int64_t window; /* where this sweep looks for it; -1: found */
    int64_t next;   /* where the next one does; -1: nowhere */
};

/* Counters of a sweep. The first one's are many, and groups in which nothing was counted are never looked at; later
 * ones keep the least and the greatest key of each window. */
struct select_bins {
    int64_t n_counts; /* lanes * bins */
    int64_t *counts;
    int64_t n_weights;
    double *weights;
    uint8_t *touched; /* by group */
    uint64_t *key_ends;
};

struct select_keys {
    int64_t n, capacity, weight_capacity;
    uint64_t *keys;
    double *weights;
};

struct pen_select {
    struct pen_select_options options;
    bool asked, unfinished;
    int64_t n_ranks, n_edges;
    struct wanted *ranks, *edges;
    int64_t n_windows, n_bins;
    struct window *windows; /* by low; before ranks are asked for one over all keys */
    int first_shift;        /* key >> first_shift is the bin of the first sweep */
    uint16_t *interesting;  /* by bin of the first sweep: 1 + the first window in it, or 0; NULL before its end */
    struct select_bins bins;
    struct select_keys collected;
};

enum {
    PEN_SELECT_LANES = 2,     /* counters of a bin in a part of the first sweep: equal neighbours do not wait */
    PEN_SELECT_GROUP_BITS = 8 /* bins of a group */
};

static inline uint64_t key_of(double value)
{
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint64_t)bits ^ ((uint64_t)(bits >> 63) | 0x8000000000000000U);
}

static inline double value_of(uint64_t key)
{
    uint64_t bits = (key >> 63) != 0 ? key ^ 0x8000000000000000U : ~key;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Zeroed counters of this sweep, `lanes` a bin. */
PEN_MUST_USE pen_status pen_select_bins_init(struct select_bins *bins, const struct pen_select *select, int lanes,
                                             struct pen_error *err);
void pen_select_bins_deinit(struct select_bins *bins);

/* Room for n more; zero-initialised before. */
PEN_MUST_USE pen_status pen_select_keys_reserve(struct select_keys *keys, int64_t n, bool weighted,
                                                struct pen_error *err);
void pen_select_keys_deinit(struct select_keys *keys);
/* Sorts what was collected and finds the answers that lie in it. */
PEN_MUST_USE pen_status pen_select_resolve_collected(struct pen_select *select, struct pen_error *err);

#endif
