/* Nodes that are selected and yet do not run: their `when:` does not hold, or what they need was skipped.
 *
 * A name of a condition is NODE.PROPERTY, a property of any output of the node, or of one of its outputs alone,
 * NODE.PORT.PROPERTY; a number within a property that is a map goes by its own name (evaluator.auc). */
#ifndef PEN_ORCHESTRATOR_RUN_SKIP_H
#define PEN_ORCHESTRATOR_RUN_SKIP_H

#include "orchestrator/run/execution.h"

/* *reason (in the arena) says why the node is not to run, NULL: it is. PEN_ERR_NOT_FOUND: the condition reads what no
 * output has. */
PEN_MUST_USE pen_status pen_skip_reason(struct pen_run *run, const struct pen_node *node, const char **reason,
                                        struct pen_error *err);

/* As pen_skip_reason, while planning: what a node that would run will make is not known, and *open says that it
 * decides. A node with a reason counts as skipped from then on. */
PEN_MUST_USE pen_status pen_skip_plan(struct pen_run *run, const struct pen_node *node, const char **reason, bool *open,
                                      struct pen_error *err);

/* Records the node as skipped: by its condition, or else because the run ends. *record is the caller's to free. */
PEN_MUST_USE pen_status pen_skip(struct pen_run *run, const struct pen_node *node, const char *reason,
                                 bool by_condition, pen_json **record, struct pen_error *err);

#endif
