/* Two runs beside each other, as a document:
 *
 *   {a, b: {run, name, status, seconds, device, time},
 *    metrics: [{metric, a, b, change}],                       of their evaluations, in the evaluator's order
 *    changes: [{node, differences: ["options.hidden: [128,64] -> [64]", ...]}],   what keys were made of (json.h)
 *    nodes: [{node, a: {status, seconds}, b: {status, seconds}}]}
 *
 * A member that one of the runs has nothing for is null. */
#ifndef PEN_ORCHESTRATOR_QUERY_COMPARE_H
#define PEN_ORCHESTRATOR_QUERY_COMPARE_H

#include "orchestrator/metadata/metadata.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A run by its id, in an open root; two sides may share it. */
struct pen_compared {
    struct pen_metadata *metadata;
    const char *run;
};

/* *document is the caller's to free. PEN_ERR_NOT_FOUND: a run is not there. */
PEN_MUST_USE pen_status pen_runs_compare(const struct pen_compared *a, const struct pen_compared *b,
                                         pen_json **document, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
