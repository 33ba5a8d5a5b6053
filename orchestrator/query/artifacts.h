/* The artifacts of a root, as documents that a condition can be asked of.
 *
 *   {id, type, uri, hash, execution, properties: {...},      as the journal has them
 *    node, run, created,                                     of the execution that made it
 *    state: live | missing,                                  is its folder still there?
 *    verdicts: {...}}                                        where there are any
 *
 * Verdicts are what later nodes found of it: the properties of a model's evaluation, blessing and push, and of the
 * anomalies of statistics; the newest counts, but what was pushed once stays so. A condition (condition.h) names
 * members of the document, of its properties or of its verdicts, in this order, with dots for what lies deeper: `auc >
 * 0.8 and pushed`, `splits.train >= 1000`, `created > '2026-11-01'`. An artifact that lacks a name that decides does
 * not fit. */
#ifndef PEN_ORCHESTRATOR_QUERY_ARTIFACTS_H
#define PEN_ORCHESTRATOR_QUERY_ARTIFACTS_H

#include "orchestrator/metadata/metadata.h"
#include "orchestrator/pipeline/condition.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_artifact_filter {
    const char *type;                      /* NULL: any */
    const struct pen_condition *condition; /* NULL: any */
};

/* *list (the caller's to free) is an array of those that fit, in the order they were made. PEN_ERR_CONFIG: the
 * condition has a name that no artifact of the type has; the message says where it stands and which names there are. */
PEN_MUST_USE pen_status pen_artifacts_select(struct pen_metadata *metadata, const struct pen_artifact_filter *filter,
                                             pen_json **list, struct pen_error *err);

/* The value that a name has in such a document, borrowed; NULL: none. */
const pen_json *pen_artifact_value(const pen_json *artifact, const char *name);

#ifdef __cplusplus
}
#endif

#endif
