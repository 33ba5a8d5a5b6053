/* Outputs of an execution: empty folders to write to, then artifacts under the root, complete or absent. */
#ifndef PEN_ORCHESTRATOR_RUN_OUTPUTS_H
#define PEN_ORCHESTRATOR_RUN_OUTPUTS_H

#include "orchestrator/run/execution.h"

/* Makes <run folder>/<node>/<port> for each output and sets its path. */
PEN_MUST_USE pen_status pen_outputs_stage(struct pen_run *run, struct pen_component_context *context, const char *node,
                                          struct pen_error *err);

/* Writes the manifests and renames each to <root>/<node>/<port>/<number>; outputs gets {port: {id, type, uri, hash,
 * execution, properties}}. */
PEN_MUST_USE pen_status pen_outputs_publish(struct pen_run *run, const struct pen_node *node,
                                            const struct pen_component_context *context, int64_t number,
                                            pen_json *outputs, struct pen_error *err);

#endif
