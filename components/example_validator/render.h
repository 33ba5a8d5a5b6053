/* anomalies.json for the terminal: per split what is wrong, the rows to look at, and what to paste into schema.yaml. */
#ifndef PEN_COMPONENTS_EXAMPLE_VALIDATOR_RENDER_H
#define PEN_COMPONENTS_EXAMPLE_VALIDATOR_RENDER_H

#include "core/json.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Appends lines of text without colours. Members that are absent are passed over; a root that is no anomalies.json is
 * PEN_ERR_DATA. */
PEN_API PEN_MUST_USE pen_status pen_anomalies_render(const pen_json *anomalies, struct pen_text *text,
                                                     struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
