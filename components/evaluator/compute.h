/* Metrics of every slice of one slicing, for one model's predictions, with all resamples.
 *
 * Memory, the device's: rows, 8 to 20 bytes each besides predictions (4 bytes an output), and 24 bytes a row while
 * ranking; the Evaluator holds the eval split's scores in memory, never its features. */
#ifndef PEN_COMPONENTS_EVALUATOR_COMPUTE_H
#define PEN_COMPONENTS_EVALUATOR_COMPUTE_H

#include "components/evaluator/metrics/metric.h"
#include "kernels/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The rows evaluated: those with a label. All arrays [n], in memory of the device. */
struct pen_eval_rows {
    int64_t n;
    enum pen_task task;
    int64_t n_classes; /* multi-class; 2 for binary; 0 for regression */
    float *labels;
    float *weights;   /* NULL: 1 */
    int32_t *classes; /* binary: label > 0.5; multi-class: the label; regression: NULL */
    double centre;    /* regression: any value near the mean label */
    struct pen_resampling resampling;
};

/* One metric that was asked for. */
struct pen_metric_choice {
    const struct pen_metric *metric;
    const char *name;  /* "precision@0.3" */
    int64_t threshold; /* index into thresholds */
};

struct pen_eval_plan {
    const struct pen_metric_choice *choices;
    int64_t n_choices;
    const double *thresholds; /* decision thresholds of binary labels */
    int64_t n_thresholds, top_k;
};

/* Lanes of each slice and metric: values[(slice * n_choices + choice) * n_lanes + lane], NaN where undefined; why of
 * lane 0. sums: lane 0 of each slice, [n_slices, n_sums]. All owned. */
struct pen_slice_values {
    double *values;
    const char **why; /* [n_slices, n_choices], static text or NULL */
    double *sums;
    int64_t n_sums;
};

/* predictions: [n, outputs], the device's; slice_of: [n], the host's, -1: in none. */
PEN_API PEN_MUST_USE pen_status pen_compute_slices(struct pen_exec *exec, const struct pen_eval_rows *rows,
                                                   const float *predictions, const struct pen_eval_plan *plan,
                                                   const int32_t *slice_of, int64_t n_slices,
                                                   struct pen_slice_values *values, struct pen_error *err);
PEN_API void pen_slice_values_deinit(struct pen_slice_values *values);

#ifdef __cplusplus
}
#endif

#endif
