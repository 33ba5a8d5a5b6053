/* Sums that metrics are made of: of every segment (slice) of the rows, weighted, in float64, and once more for every
 * resample of a confidence interval.
 *
 * Segments: segment s holds rows list[begin[s]] .. list[begin[s + 1] - 1], as deal_rows lists them; without a list the
 * one segment is all rows.
 *
 * Lanes: lane 0 is everything. LEAVE_OUT: lane 1 + b leaves out the rows of bucket b (jackknife). COUNTS: in lane
 * 1 + s row r stands counts[r, s] times (bootstrap). n_lanes = 1 + resamples.
 *
 *   binary_sums, regression_sums, multiclass_sums
 * formula      sums[s, lane, k] = sum over rows r of segment s of weight[r] * times[lane, r] * contribution_k(r); k as
 *              enumerated below. A row whose prediction is not finite only adds to ..._BAD.
 *   rank_sums
 * formula      with P, N the weights of positives and negatives of a segment and lane, z the score:
 *              auc[s, lane] = sum over pairs (pos i, neg j) of w_i w_j ([z_i > z_j] + [z_i = z_j] / 2) / (P N)
 *              average_precision[s, lane] = sum over distinct scores t, falling, of
 *                                           (TP(t) - TP(before t)) / P * TP(t) / (TP(t) + FP(t))
 *   rank_curve
 * formula      points[k] = {TP, FP} of all rows that score at least as high as key n - 1 - floor(k n / n_points),
 *              0 <= k < n_points: even steps by rank, each taken to the end of its ties; points[n_points] = {P, N}
 *
 * shapes       predictions: [rows] or [rows, C]; labels, weights, classes, bucket: [rows]; sums: [n_segments, n_lanes,
 *              K]; keys: each segment's sorted as sort_scores gives them
 * dtypes       f32 in, f64 sums
 * aliasing     none
 * special      rank_sums: NaN where P or N (for average precision P) is 0; keys of NaN scores are the caller's fault
 * workspace    allocated: K * lanes doubles per 32768 rows or segment; rank_sums: 6 lanes doubles per 65536 rows
 * determinism  fixed blocks of each segment added in a fixed order: bit-identical whatever the thread count
 * error bound  |sum - ref| <= (n + 8) eps64 sum |terms|; with weights 1 all counts and pairs exact below 2^53
 * cost         rows * (4 to 12 bytes * (1 + C)); rank_sums: n * 8 bytes a block of 8 lanes, twice past 65536 rows
 * errors       PEN_ERR_SHAPE, PEN_ERR_MEMORY
 * backward     none */
#ifndef PEN_KERNELS_METRIC_METRIC_H
#define PEN_KERNELS_METRIC_METRIC_H

#include "core/status.h"
#include "kernels/exec.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_resample { PEN_RESAMPLE_NONE, PEN_RESAMPLE_LEAVE_OUT, PEN_RESAMPLE_COUNTS };
enum { PEN_RESAMPLE_LANES_MAX = 251 }; /* buckets are bytes */

struct pen_resampling {
    enum pen_resample kind;
    int64_t n_lanes;       /* 1 for NONE */
    const uint8_t *bucket; /* LEAVE_OUT: [rows], below n_lanes - 1 */
    const uint8_t *counts; /* COUNTS: [rows, n_lanes - 1] */
};

struct pen_segments {
    int64_t n;
    const int64_t *begin; /* host, [n + 1], rising */
    const uint32_t *list; /* row numbers; NULL: the row numbers are the places, for one segment */
};

/* ---- binary ---- */

enum { PEN_CALIBRATION_BINS = 10 };

enum pen_binary_sum {
    PEN_BINARY_BAD,        /* rows whose prediction is not finite, unweighted */
    PEN_BINARY_ROWS,       /* other rows, unweighted (LEAVE_OUT: of the lane) */
    PEN_BINARY_WEIGHT,     /* sum of w */
    PEN_BINARY_POSITIVE,   /* w where the class is 1 */
    PEN_BINARY_LABEL,      /* w y */
    PEN_BINARY_PREDICTION, /* w p */
    PEN_BINARY_LOGLOSS,    /* -w (y log q + (1 - y) log(1 - q)), q = p held within [1e-7, 1 - 1e-7] */
    PEN_BINARY_SQUARED,    /* w (p - y)^2 */
    PEN_BINARY_BINS,       /* 10 x {w, w y, w p} by floor(10 p), p held within [0, 1] */
    PEN_BINARY_THRESHOLDS = PEN_BINARY_BINS + 3 * PEN_CALIBRATION_BINS /* each {true, false positives}: p > t */
};

struct pen_binary_sums {
    struct pen_segments segments;
    const float *predictions, *labels;
    const float *weights;   /* NULL: 1 */
    const int32_t *classes; /* 0 or 1 */
    int64_t n_thresholds;
    const double *thresholds; /* host */
    struct pen_resampling resampling;
    double *sums; /* [n_segments, n_lanes, PEN_BINARY_THRESHOLDS + 2 n_thresholds] */
};

/* ---- regression ---- */

enum pen_regression_sum {
    PEN_REGRESSION_BAD,
    PEN_REGRESSION_ROWS,
    PEN_REGRESSION_WEIGHT,
    PEN_REGRESSION_LABEL,           /* w y */
    PEN_REGRESSION_PREDICTION,      /* w p */
    PEN_REGRESSION_RESIDUAL,        /* w (p - y) */
    PEN_REGRESSION_ABSOLUTE,        /* w |p - y| */
    PEN_REGRESSION_SQUARED,         /* w (p - y)^2 */
    PEN_REGRESSION_CENTRED,         /* w (y - c), c = centre */
    PEN_REGRESSION_CENTRED_SQUARED, /* w (y - c)^2 */
    PEN_REGRESSION_RELATIVE,        /* w |(p - y) / y| where y is not 0 */
    PEN_REGRESSION_RELATIVE_WEIGHT, /* w where y is not 0 */
    PEN_REGRESSION_SUMS
};

struct pen_regression_sums {
    struct pen_segments segments;
    const float *predictions, *labels;
    const float *weights;
    double centre; /* any value near the mean label: keeps the variance from cancelling */
    struct pen_resampling resampling;
    double *sums; /* [n_segments, n_lanes, PEN_REGRESSION_SUMS] */
};

/* ---- multi-class ---- */

enum pen_multiclass_sum {
    PEN_MULTICLASS_BAD,
    PEN_MULTICLASS_ROWS,
    PEN_MULTICLASS_WEIGHT,
    PEN_MULTICLASS_LOGLOSS, /* -w log q of the true class, q held at or above 1e-7 */
    PEN_MULTICLASS_CORRECT, /* w where the first largest prediction is the class */
    PEN_MULTICLASS_TOP_K,   /* w where fewer than k classes are ahead: larger, or equal and before it */
    PEN_MULTICLASS_CLASSES  /* C x {w of the class, w predicted as it, w both} */
};

struct pen_multiclass_sums {
    struct pen_segments segments;
    const float *predictions; /* [rows, n_classes] */
    const float *weights;
    const int32_t *classes; /* in [0, n_classes) */
    int64_t n_classes, top_k;
    struct pen_resampling resampling;
    double *sums;      /* [n_segments, n_lanes, PEN_MULTICLASS_CLASSES + 3 n_classes] */
    double *confusion; /* NULL, or [n_segments, n_classes, n_classes] of lane 0: row the class, column the prediction */
};

/* ---- ranking ---- */

struct pen_rank_sums {
    int64_t n_segments;
    const int64_t *begin; /* host, [n_segments + 1], rising */
    const uint64_t *keys;
    const float *weights; /* by row; NULL: 1 */
    struct pen_resampling resampling;
    double *auc, *average_precision; /* [n_segments, n_lanes] */
};

struct pen_rank_curve {
    int64_t n;
    const uint64_t *keys;
    const float *weights; /* by row; NULL: 1 */
    int64_t n_points;     /* at least 1 */
    double *points;       /* [n_points + 1, 2]; n = 0: zeros */
};

typedef pen_status pen_binary_sums_fn(struct pen_exec *exec, const struct pen_binary_sums *job, struct pen_error *err);
typedef pen_status pen_regression_sums_fn(struct pen_exec *exec, const struct pen_regression_sums *job,
                                          struct pen_error *err);
typedef pen_status pen_multiclass_sums_fn(struct pen_exec *exec, const struct pen_multiclass_sums *job,
                                          struct pen_error *err);
typedef pen_status pen_rank_sums_fn(struct pen_exec *exec, const struct pen_rank_sums *job, struct pen_error *err);
typedef pen_status pen_rank_curve_fn(struct pen_exec *exec, const struct pen_rank_curve *job, struct pen_error *err);
pen_binary_sums_fn pen_binary_sums_cpu, pen_binary_sums_cuda;
pen_regression_sums_fn pen_regression_sums_cpu, pen_regression_sums_cuda;
pen_multiclass_sums_fn pen_multiclass_sums_cpu, pen_multiclass_sums_cuda;
pen_rank_sums_fn pen_rank_sums_cpu, pen_rank_sums_cuda;
pen_rank_curve_fn pen_rank_curve_cpu, pen_rank_curve_cuda;

#ifdef __cplusplus
}
#endif

#endif
