/* A process at work on a node: as the node's only one, or as one rank of several (context->ranks). Rank 0 reports to
 * the runner, as lines of JSON: {"p": [phase, done, total, unit, detail]}, {"w": text}, and last {"status": n,
 * "message": text, "properties": {port: {...}}}. Records go to standard error, the node's log; the other ranks' only
 * when they are warnings. */
#ifndef PEN_ORCHESTRATOR_RUN_RANK_H
#define PEN_ORCHESTRATOR_RUN_RANK_H

#include "components/component.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs the component and closes context->ranks, which the caller opened. A request to stop (SIGINT, SIGTERM) is rank
 * 0's to hear. Returns the exit code. */
int pen_rank_work(const struct pen_component *component, struct pen_component_context *context, int report_fd);

#ifdef __cplusplus
}
#endif

#endif
