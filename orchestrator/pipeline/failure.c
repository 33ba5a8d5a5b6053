/* From status to class. */
#include "orchestrator/pipeline/failure.h"

const char *const pen_failure_names[] = {"input",          "anomaly", "not_blessed", "internal", "crash",
                                         "infrastructure", "memory",  "timeout",     NULL};

enum pen_failure pen_failure_of(pen_status status)
{
    switch (status) {
    case PEN_ERR_USAGE:
    case PEN_ERR_CONFIG:
    case PEN_ERR_DATA:
    case PEN_ERR_NOT_FOUND:
    case PEN_ERR_LIMIT:
    case PEN_ERR_EXISTS:
    case PEN_ERR_PERMISSION:
        return PEN_FAILURE_INPUT;
    case PEN_ERR_ANOMALY:
        return PEN_FAILURE_ANOMALY;
    case PEN_ERR_NOT_BLESSED:
        return PEN_FAILURE_NOT_BLESSED;
    case PEN_ERR_FAILED:
        return PEN_FAILURE_CRASH;
    case PEN_ERR_DEVICE:
    case PEN_ERR_CREATE:
    case PEN_ERR_IO:
    case PEN_ERR_BUSY:
        return PEN_FAILURE_INFRASTRUCTURE;
    case PEN_ERR_MEMORY:
        return PEN_FAILURE_MEMORY;
    case PEN_ERR_TIMEOUT:
        return PEN_FAILURE_TIMEOUT;
    case PEN_OK:
    case PEN_ERR_SHAPE:
    case PEN_ERR_DTYPE:
    case PEN_ERR_UNSUPPORTED:
    case PEN_ERR_INTERNAL:
    case PEN_ERR_CANCELLED:
    case PEN_STATUS_COUNT:
    default:
        return PEN_FAILURE_INTERNAL;
    }
}

bool pen_failure_may_pass(enum pen_failure failure)
{
    return failure == PEN_FAILURE_CRASH || failure == PEN_FAILURE_INFRASTRUCTURE || failure == PEN_FAILURE_MEMORY ||
           failure == PEN_FAILURE_TIMEOUT;
}
