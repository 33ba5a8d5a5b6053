/* Which nodes of a pipeline take part in a run: --from, --to, --only. */
#ifndef PEN_ORCHESTRATOR_RUN_SELECTION_H
#define PEN_ORCHESTRATOR_RUN_SELECTION_H

#include "orchestrator/run/runner.h"

/* selected: [n_nodes], filled. */
PEN_MUST_USE pen_status pen_select_nodes(const struct pen_pipeline *pipeline, const struct pen_run_options *options,
                                         bool *selected, struct pen_error *err);

#endif
