/* Confidence intervals from resamples, TFX's rules.
 *
 *   jackknife  rows at random into K buckets, full = value on all rows, v_i = value without bucket i; pseudo-values
 *              q_i = K full - (K - 1) v_i; mean(q) +- t(K - 1) std(q, ddof 1) / sqrt(K)
 *   bootstrap  each row Poisson(1) times in each of S resamples; mean(v) +- t(S - 1) std(v, ddof 1)
 * A resample in which the metric is undefined leaves the slice without an interval. */
#ifndef PEN_COMPONENTS_EVALUATOR_INTERVALS_H
#define PEN_COMPONENTS_EVALUATOR_INTERVALS_H

#include "kernels/metric/metric.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_interval {
    double low, high; /* NaN: none */
};

/* values[0] is the full value, values[1..n_lanes-1] the resamples'. */
PEN_API struct pen_interval pen_interval_of(enum pen_resample kind, const double *values, int64_t n_lanes,
                                            double level);

/* Quantile of Student's t: P(T <= t) = p with `freedom` degrees of freedom. */
PEN_API double pen_student_quantile(double p, double freedom);

/* The bucket of a row (jackknife) and its Poisson(1) count in a resample (bootstrap). */
PEN_API uint8_t pen_jackknife_bucket(uint64_t seed, int64_t row, int64_t n_buckets);
PEN_API uint8_t pen_poisson_count(uint64_t seed, int64_t row, int64_t resample);

#ifdef __cplusplus
}
#endif

#endif
