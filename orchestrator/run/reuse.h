/* Outputs of earlier executions: from the cache, standing in for nodes that are not selected, or of the run that is
 * continued. Whatever was changed since it was published is never taken: a warning says what, and the node runs. */
#ifndef PEN_ORCHESTRATOR_RUN_REUSE_H
#define PEN_ORCHESTRATOR_RUN_REUSE_H

#include "orchestrator/run/execution.h"

/* The run that options->resume names, or NULL without; PEN_ERR_NOT_FOUND when there is none, PEN_ERR_USAGE when it
 * ended well and nothing is left to continue. Borrowed text. */
PEN_MUST_USE pen_status pen_reuse_find_run(struct pen_run *run, const char **resumed, struct pen_error *err);

/* Each gives the record whose outputs are to be taken (pen_metadata_member), or NULL. */
const pen_json *pen_reuse_cached(struct pen_run *run, const struct pen_node *node, const char *key);
const pen_json *pen_reuse_last(struct pen_run *run, const struct pen_node *node);
/* The node succeeded in the run that is continued, and so did all it depends on. */
const pen_json *pen_reuse_resumed(struct pen_run *run, const struct pen_node *node);
/* In a run that is put together step by step: what the node made in it, unless something before it was made again
 * since. */
const pen_json *pen_reuse_of_run(struct pen_run *run, const struct pen_node *node);

/* In such a run: the node was skipped by its condition when its step came. */
bool pen_reuse_was_skipped(struct pen_run *run, const struct pen_node *node);

/* Is the artifact, an output object, still what was published? */
bool pen_reuse_is_intact(const struct pen_run *run, const pen_json *output);

#endif
