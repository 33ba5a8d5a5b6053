/* Reads the option `per_feature_weight_override`: a map from features to the features that hold their weights. */
#ifndef PEN_COMPONENTS_STATISTICS_GEN_WEIGHT_OVERRIDE_H
#define PEN_COMPONENTS_STATISTICS_GEN_WEIGHT_OVERRIDE_H

#include "core/config.h"
#include "datasets/statistics/compute.h"

/* The list is the arena's. node NULL: none. */
PEN_MUST_USE pen_status pen_weight_overrides_parse(struct pen_arena *arena, const struct pen_config_node *node,
                                                   const struct pen_weight_override **overrides, int64_t *n_overrides,
                                                   struct pen_error *err);

#endif
