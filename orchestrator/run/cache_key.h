/* The cache key of a node: SHA-256 over canonical JSON parts, kept beside the key so that `penstock why` can say what
 * changed (pen_json_differences).
 *
 *   component, version, device        the code that would run
 *   ranks                             how many run it, when more than one and the results show it
 *   options                           the node's section, without line numbers
 *   inputs                            port -> content hash of the artifact
 *   outside                           what the component names itself: CSV files, an imported schema */
#ifndef PEN_ORCHESTRATOR_RUN_CACHE_KEY_H
#define PEN_ORCHESTRATOR_RUN_CACHE_KEY_H

#include "components/component.h"
#include "core/hash.h"

#ifdef __cplusplus
extern "C" {
#endif

/* inputs: object port -> hash (borrowed). *parts is the caller's to free. */
PEN_MUST_USE pen_status pen_cache_key(const struct pen_component *component,
                                      const struct pen_component_context *context, const pen_json *inputs,
                                      pen_json **parts, char key[PEN_SHA256_HEX_BYTES], struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
