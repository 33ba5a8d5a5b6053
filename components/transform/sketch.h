/* Quantiles of a stream in bounded memory: exact up to one level's values, then a deterministic compacting sketch
 * (Manku, Rajagopalan and Lindsay's collapse, as in KLL, without its coin).
 *
 * Level h holds values that stand for 2^h each. A full level is sorted and every second value moves up, the odd and
 * the even ones in turn. Each compaction at level h shifts a rank by at most 2^h, so after n values any rank is off
 * by at most n * levels / level_values. Memory: level_values * 8 bytes a level, and as much again to sort in; at
 * the end twice that of all levels. With PEN_SKETCH_LEVEL_VALUES: 1 MiB a level, and a rank off by less than
 * 0.011 % of 10^9 values. The result depends on the values and their order alone. */
#ifndef PEN_COMPONENTS_TRANSFORM_SKETCH_H
#define PEN_COMPONENTS_TRANSFORM_SKETCH_H

#include "core/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_SKETCH_LEVEL_VALUES = 131072, PEN_SKETCH_SMALL_LEVEL_VALUES = 2048, PEN_SKETCH_LEVELS = 40 };

/* Set level_values, zero the rest. */
struct pen_sketch {
    int64_t level_values; /* even */
    double *levels[PEN_SKETCH_LEVELS];
    int64_t sizes[PEN_SKETCH_LEVELS];
    int64_t capacities[PEN_SKETCH_LEVELS];
    bool odd[PEN_SKETCH_LEVELS];
    double *scratch;  /* [level_values] */
    int64_t n;        /* values taken in */
    double low, high; /* their ends, exact */
    double *ordered;  /* all levels' values, ascending, and the rank behind each */
    int64_t *ranks;
    int64_t n_ordered;
};

/* Finite values. */
PEN_MUST_USE pen_status pen_sketch_add(struct pen_sketch *sketch, const double *values, int64_t n,
                                       struct pen_error *err);
/* Before asking. */
PEN_MUST_USE pen_status pen_sketch_sort(struct pen_sketch *sketch, struct pen_error *err);
/* The value at this rank of the sorted stream, 0 <= rank < n; of the first and the last rank exactly. */
double pen_sketch_at(const struct pen_sketch *sketch, int64_t rank);
/* Between the two values next to rank share * (n - 1), in proportion (NumPy's quantile); n >= 1. */
double pen_sketch_quantile(const struct pen_sketch *sketch, double share);
/* Mean of the one or two middle values (NumPy's median); n >= 1. */
double pen_sketch_median(const struct pen_sketch *sketch);
void pen_sketch_deinit(struct pen_sketch *sketch);

#ifdef __cplusplus
}
#endif

#endif
