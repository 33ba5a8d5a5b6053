/* The Evaluator's options, read and checked: metrics, decision thresholds, slices, resamples, what blesses. */
#ifndef PEN_COMPONENTS_EVALUATOR_PLAN_H
#define PEN_COMPONENTS_EVALUATOR_PLAN_H

#include "components/component.h"
#include "components/evaluator/compute.h"
#include "components/evaluator/thresholds.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_evaluator_options {
    struct pen_config_strings metrics;
    const struct pen_config_node *slices, *thresholds, *decision_thresholds, *confidence;
    const char *split;
    int64_t top_k, min_slice_size, max_slices, max_slice_values;
};

struct pen_confidence {
    int method; /* enum pen_resample */
    double level;
    int64_t samples, seed;
};

struct pen_evaluator_plan {
    struct pen_evaluator_options options;
    const struct pen_config_node *metrics_node; /* for messages; NULL: none asked for */
    struct pen_confidence confidence;
    struct pen_slice_spec *specs;
    int64_t n_specs;
    struct pen_threshold_list thresholds;
    struct pen_eval_plan metrics;
};

extern const struct pen_option pen_evaluator_option_table[];

/* Options that do not depend on the task; a metric is one of some task. */
PEN_MUST_USE pen_status pen_evaluator_plan_read(const struct pen_component_context *context,
                                                struct pen_evaluator_plan *plan, struct pen_error *err);

/* The metrics to compute: those asked for (or the task's defaults), and those a threshold needs. */
PEN_MUST_USE pen_status pen_evaluator_plan_metrics(struct pen_arena *arena, struct pen_evaluator_plan *plan,
                                                   enum pen_task task, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
