/* Classes of failures: what a node's retries are counted by.
 *
 *   input           a person has to change something: options, data, a missing file      never retried unless asked
 *   anomaly         the data did not pass validation                                      never retried unless asked
 *   not_blessed     the model did not pass its thresholds                                 never retried unless asked
 *   internal        our mistake, or something this build cannot do                        never retried unless asked
 *   crash           the node's process died, or gave up                                   `retries: N` counts it
 *   infrastructure  disk, device, a lock held by another                                  `retries: N` counts it
 *   memory          out of memory                                                         `retries: N` counts it
 *   timeout         the node took longer than its `timeout`                               `retries: N` counts it */
#ifndef PEN_ORCHESTRATOR_PIPELINE_FAILURE_H
#define PEN_ORCHESTRATOR_PIPELINE_FAILURE_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_failure {
    PEN_FAILURE_INPUT,
    PEN_FAILURE_ANOMALY,
    PEN_FAILURE_NOT_BLESSED,
    PEN_FAILURE_INTERNAL,
    PEN_FAILURE_CRASH,
    PEN_FAILURE_INFRASTRUCTURE,
    PEN_FAILURE_MEMORY,
    PEN_FAILURE_TIMEOUT,
    PEN_FAILURE_CLASSES
};

extern const char *const pen_failure_names[]; /* by class; ends with NULL */

/* The class of a status that is neither PEN_OK nor PEN_ERR_CANCELLED. */
enum pen_failure pen_failure_of(pen_status status);

/* Whether trying again may help without anybody's doing. */
bool pen_failure_may_pass(enum pen_failure failure);

#ifdef __cplusplus
}
#endif

#endif
