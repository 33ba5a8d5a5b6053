/* Quantiles of a stream in bounded memory: exact up to PEN_SKETCH_LEVEL_VALUES values, then a deterministic
 * compacting sketch (Manku, Rajagopalan and Lindsay's collapse, as in KLL, without its coin).
 *
 * Level h holds values that stand for 2^h each. A full level is sorted and every second value moves up, the odd and
 * the even ones in turn. Each compaction at level h shifts a rank by at most 2^h, so after n values any rank is off
 * by at most n * levels / PEN_SKETCH_LEVEL_VALUES: below 0.011 % for 10^9 values. Memory: 1 MiB a level. The result
 * depends on the values and their order alone. */
#ifndef PEN_COMPONENTS_TRANSFORM_SKETCH_H
#define PEN_COMPONENTS_TRANSFORM_SKETCH_H

#include "core/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_SKETCH_LEVEL_VALUES = 131072, PEN_SKETCH_LEVELS = 40 };

struct pen_sketch {
    double *levels[PEN_SKETCH_LEVELS];
    int64_t sizes[PEN_SKETCH_LEVELS];
    int64_t capacities[PEN_SKETCH_LEVELS];
    bool odd[PEN_SKETCH_LEVELS];
    int64_t n;       /* values taken in */
    double *ordered; /* all levels' values, ascending, and the rank behind each */
    int64_t *ranks;
    int64_t n_ordered;
};

PEN_MUST_USE pen_status pen_sketch_add(struct pen_sketch *sketch, const double *values, int64_t n,
                                       struct pen_error *err);
/* Before asking. */
PEN_MUST_USE pen_status pen_sketch_sort(struct pen_sketch *sketch, struct pen_error *err);
/* The value at this rank of the sorted stream, 0 <= rank < n. */
double pen_sketch_at(const struct pen_sketch *sketch, int64_t rank);
/* Mean of the one or two middle values (NumPy's median); n >= 1. */
double pen_sketch_median(const struct pen_sketch *sketch);
void pen_sketch_deinit(struct pen_sketch *sketch);

#ifdef __cplusplus
}
#endif

#endif
