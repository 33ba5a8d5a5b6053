/* One run as one HTML page: what its nodes did, their graph and logs, and every artifact a person would look at. No
 * scripts, nothing from the network; it can be mailed. */
#ifndef PEN_ORCHESTRATOR_REPORT_REPORT_H
#define PEN_ORCHESTRATOR_REPORT_REPORT_H

#include "core/text.h"
#include "orchestrator/metadata/metadata.h"

/* run: its name, or NULL for the newest; PEN_ERR_NOT_FOUND. An artifact that is no longer there is left out. */
PEN_MUST_USE pen_status pen_report_run(struct pen_metadata *metadata, const char *run, struct pen_text *out,
                                       struct pen_error *err);

#endif
