/* The option `slices`: a list of slicings, each a list of items `feature` or `feature=value`; one item may stand
 * without its list. An empty slicing is the whole split, which is always there. */
#ifndef PEN_COMPONENTS_STATISTICS_GEN_SLICING_H
#define PEN_COMPONENTS_STATISTICS_GEN_SLICING_H

#include "core/config.h"
#include "datasets/statistics/compute.h"

/* node NULL: none. In the arena. */
PEN_MUST_USE pen_status pen_slicings_parse(struct pen_arena *arena, const struct pen_config_node *node,
                                           const struct pen_slicing **slicings, int64_t *n_slicings,
                                           struct pen_error *err);

#endif
