/* Thresholds: what a model must reach to be blessed, and the verdict in plain words.
 *
 *   thresholds: {auc: {min: 0.70, min_change: 0.0}, logloss: {max: 0.5, slices: [[], {payment_type: Cash}]}}
 *
 * min, max: bounds on the value, inclusive. min_change, max_change: bounds on candidate - baseline, inclusive.
 * min_relative_change, max_relative_change: on (candidate - baseline) / |baseline|; a baseline near 0 fails.
 * slices: overall when none are named (TFX: all slices, where one small slice of a single class refuses every model);
 * `all`, or specs as under evaluator.slices. An undefined value, and a slice without rows, fail. Blessed: all hold.
 * Without a baseline change thresholds are not checked, and that is said; a first model is blessed all the same. */
#ifndef PEN_COMPONENTS_EVALUATOR_THRESHOLDS_H
#define PEN_COMPONENTS_EVALUATOR_THRESHOLDS_H

#include "components/evaluator/slices.h"
#include "core/json.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_rule {
    PEN_RULE_MIN,
    PEN_RULE_MAX,
    PEN_RULE_MIN_CHANGE,
    PEN_RULE_MAX_CHANGE,
    PEN_RULE_MIN_RELATIVE_CHANGE,
    PEN_RULE_MAX_RELATIVE_CHANGE,
    PEN_RULE_COUNT
};

struct pen_threshold {
    const char *metric; /* name as asked for */
    enum pen_rule rule;
    double bound;
    bool all_slices;
    const struct pen_slice_spec *specs; /* at least one unless all_slices */
    int64_t n_specs;
    const struct pen_config_node *node; /* for messages */
};

struct pen_threshold_list {
    struct pen_threshold *items;
    int64_t n_items;
};

PEN_API PEN_MUST_USE pen_status pen_thresholds_read(struct pen_arena *arena, const struct pen_config_node *node,
                                                    struct pen_threshold_list *list, struct pen_error *err);

/* One metric of one slice, as judged. */
struct pen_judged {
    const struct pen_slice *slice;
    const char *metric;
    double value, baseline; /* NaN: undefined */
    const char *why;        /* when value is undefined */
};

struct pen_verdict {
    bool blessed;
    pen_json *reasons; /* array of strings, the verdict first; the caller frees it */
};

PEN_API PEN_MUST_USE pen_status pen_thresholds_judge(const struct pen_threshold_list *list,
                                                     const struct pen_judged *values, int64_t n_values,
                                                     bool has_baseline, struct pen_verdict *verdict,
                                                     struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
