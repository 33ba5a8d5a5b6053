/* How far two distributions of one feature lie apart: the measures of drift and skew.
 *
 *   L-infinity                       max_v |a(v)/A - b(v)/B|          counts a, b with totals A, B; 0..1
 *   normalised absolute difference   max_v |a(v) - b(v)| / (A + B)    sensitive to growth, too; 0..1
 *   Jensen-Shannon divergence        (KL(P,M) + KL(Q,M)) / 2, M = (P+Q)/2, log base 2; 0..1
 *
 * (Lin, IEEE Trans. Inf. Theory 37, 1991; rules for histograms as in TFDV's metrics.) Numbers: both histograms are cut
 * at the union of their edges, mass uniform inside a bucket; a bucket of zero width is a point and matches points of
 * equal value only; NaN and buckets that reach to infinity match nothing of the other side. A side of total 0 against
 * one that is not: 1; both 0: 0. */
#ifndef PEN_DATASETS_STATISTICS_DISTANCE_H
#define PEN_DATASETS_STATISTICS_DISTANCE_H

#include "datasets/statistics/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_distance {
    double value;
    const char *worst; /* the value that moved most, borrowed; NULL: none moved, or a divergence of numbers */
};

/* Lists may be in any order; a value occurs once a list. Ties: the first in byte order is the worst. */
PEN_API PEN_MUST_USE pen_status pen_distance_l_infinity(const struct pen_value_counts *a,
                                                        const struct pen_value_counts *b, struct pen_distance *distance,
                                                        struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_distance_normalized(const struct pen_value_counts *a,
                                                        const struct pen_value_counts *b, struct pen_distance *distance,
                                                        struct pen_error *err);
/* worst: the value with the largest share of the divergence. */
PEN_API PEN_MUST_USE pen_status pen_distance_js_counts(const struct pen_value_counts *a,
                                                       const struct pen_value_counts *b, struct pen_distance *distance,
                                                       struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_distance_js_histogram(const struct pen_histogram *a, const struct pen_histogram *b,
                                                          struct pen_distance *distance, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
