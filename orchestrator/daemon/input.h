/* Did the data of a pipeline change? */
#ifndef PEN_ORCHESTRATOR_DAEMON_INPUT_H
#define PEN_ORCHESTRATOR_DAEMON_INPUT_H

#include "core/hash.h"
#include "orchestrator/pipeline/pipeline.h"

#ifdef __cplusplus
extern "C" {
#endif

/* SHA-256 over what the nodes without producers read from outside, as the cache key sees it: names, sizes and times of
 * files, the span. PEN_ERR_NOT_FOUND while there is none. */
PEN_MUST_USE pen_status pen_schedule_input(const struct pen_pipeline *pipeline, char hex[PEN_SHA256_HEX_BYTES],
                                           struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
