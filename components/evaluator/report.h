/* evaluation.json and blessing.json. */
#ifndef PEN_COMPONENTS_EVALUATOR_REPORT_H
#define PEN_COMPONENTS_EVALUATOR_REPORT_H

#include "components/evaluator/intervals.h"
#include "components/evaluator/plan.h"
#include "components/evaluator/scores.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One slice as JSON: {slice: {column: value}, rows, metrics: {auc: {value, low, high, baseline, change, change_low,
 * change_high}}, ...}. change is candidate - baseline, its interval paired: both models on the same resamples. index:
 * the slice's number in candidate and baseline (NULL: none, baseline is null and there is no change). */
pen_json *pen_report_slice(const struct pen_evaluator_plan *plan, const struct pen_eval_rows *rows,
                           const struct pen_slice *slice, int64_t index, const struct pen_slice_values *candidate,
                           const struct pen_slice_values *baseline);

/* ROC and precision-recall points (at most about 200 each) of all rows of a binary label. */
PEN_MUST_USE pen_status pen_report_curves(const struct pen_scores *scores, pen_json **curves, struct pen_error *err);

/* The confusion matrix of a multi-class label, or NULL when there are more than 50 classes or another task. */
PEN_MUST_USE pen_status pen_report_confusion(const struct pen_scores *scores, pen_json **matrix, struct pen_error *err);

PEN_MUST_USE pen_status pen_report_write(const pen_json *root, const char *directory, const char *name,
                                         struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
