/* Moments: counts, sum, mean, squared deviations, least and greatest of many doubles, in one sweep.
 *
 * Tiles of PEN_TILE values stay in the first-level cache: their sum gives the tile's mean, a second look at the tile
 * the squared deviations from it, and tiles are joined by the formula of Chan, Golub and LeVeque (1979). All sums of
 * values keep what their rounding leaves over (Knuth's two-sum), so that the mean is right to the last digit. Eight
 * running sums have a fixed order, the same on every processor, and joining is in the caller's order: results depend
 * on neither SIMD width nor threads.
 *
 * Deviations beyond 1e154 overflow to infinity when squared. NaN stays out of everything but its count. Infinities are
 * counted and make mean and deviation what IEEE says. Values are expected without -0 (add 0.0). */
#ifndef PEN_DATASETS_STATISTICS_MOMENTS_H
#define PEN_DATASETS_STATISTICS_MOMENTS_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_TILE = 2048 };

struct pen_moments {
    int64_t n_finite, n_zeros, n_nan, n_positive_inf, n_negative_inf;
    double min, max;          /* of the finite ones; +inf, -inf when there are none */
    double sum_high, sum_low; /* of the finite ones */
    double mean, deviations;  /* of the finite ones; deviations = sum of (x - mean)^2 */
};

/* The twins under a weight. Weights are finite and not negative. */
struct pen_weighted_moments {
    double weight; /* of the finite values */
    double weight_nan, weight_positive_inf, weight_negative_inf;
    double mean, deviations;
};

PEN_API void pen_moments_init(struct pen_moments *moments);
PEN_API void pen_moments_add(struct pen_moments *moments, const double *values, int64_t n_values);
PEN_API void pen_moments_merge(struct pen_moments *moments, const struct pen_moments *other);
PEN_API double pen_moments_mean(const struct pen_moments *moments); /* NaN when there are no values */
PEN_API double pen_moments_std(const struct pen_moments *moments);  /* population */
PEN_API double pen_moments_min(const struct pen_moments *moments);  /* infinities included; NaN: no values */
PEN_API double pen_moments_max(const struct pen_moments *moments);

PEN_API void pen_weighted_moments_add(struct pen_weighted_moments *moments, const double *values, const double *weights,
                                      int64_t n_values);
PEN_API void pen_weighted_moments_merge(struct pen_weighted_moments *moments, const struct pen_weighted_moments *other);
PEN_API double pen_weighted_moments_mean(const struct pen_weighted_moments *moments);
PEN_API double pen_weighted_moments_std(const struct pen_weighted_moments *moments);

#ifdef __cplusplus
}
#endif

#endif
