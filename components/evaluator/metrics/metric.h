/* Metrics: one visible table (table.c), each a function of the float64 sums of kernels/metric/metric.h.
 *
 * Sums of parts add up to the sums of the whole, so merging is addition; ROC AUC and average precision come from one
 * sort and are exact. A metric that is not defined (one class only, no rows) is NaN here with a reason, null in JSON,
 * and never passes a threshold. Where a threshold decides, a row is positive when its probability is above it. */
#ifndef PEN_COMPONENTS_EVALUATOR_METRICS_METRIC_H
#define PEN_COMPONENTS_EVALUATOR_METRICS_METRIC_H

#include "datasets/store/tensors.h"
#include "kernels/metric/metric.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_METRIC_RANKED_CLASSES = 200 }; /* of more classes there is no AUC: it takes a sort for each */

enum pen_direction { PEN_HIGHER_IS_BETTER, PEN_LOWER_IS_BETTER, PEN_NO_DIRECTION };

/* One lane of one slice. */
struct pen_metric_sums {
    const double *sums; /* binary, regression or multi-class, by task */
    int64_t n_classes;
    int64_t threshold; /* index: which pair of counts at a threshold */
    double auc, average_precision;
};

struct pen_metric {
    const char *name;
    enum pen_task task;
    enum pen_direction direction;
    bool at_threshold; /* "precision", "precision@0.3" */
    bool ranks;        /* needs the sort */
    bool is_default;
    double (*value)(const struct pen_metric_sums *s, const char **why);
    const char *help;
};

/* Ends with a NULL name; the same name may stand once for each task. */
PEN_API extern const struct pen_metric pen_metrics[];
PEN_API const struct pen_metric *pen_metric_find(const char *name, enum pen_task task);

/* The value, or NaN and *why; *why is NULL when defined. */
PEN_API double pen_metric_value(const struct pen_metric *metric, const struct pen_metric_sums *sums, const char **why);

#ifdef __cplusplus
}
#endif

#endif
