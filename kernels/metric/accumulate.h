/* The loop that all additive metric sums share: rows in fixed blocks, a part per bucket or resample, merged in order.
 * Internal to this room. */
#ifndef PEN_KERNELS_METRIC_ACCUMULATE_H
#define PEN_KERNELS_METRIC_ACCUMULATE_H

#include "kernels/metric/metric.h"

/* What one row contributes, computed once and added to one part (LEAVE_OUT) or to several (COUNTS). */
struct pen_metric_row {
    double label, prediction, loss;
    int64_t index, other;
    bool flag, bad;
};

struct pen_metric_loop {
    const void *job;
    const struct pen_segments *segments;
    int64_t n_sums;
    const float *weights;
    const struct pen_resampling *resampling;
    double *sums; /* [n_segments, n_lanes, n_sums]; sums[0] counts bad rows, sums[1] the others */
    void (*look)(const void *job, int64_t row, struct pen_metric_row *facts);
    void (*add)(const void *job, const struct pen_metric_row *facts, double weight, double *sums);
};

PEN_MUST_USE pen_status pen_metric_accumulate(const struct pen_metric_loop *loop, struct pen_error *err);

#endif
