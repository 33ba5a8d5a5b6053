/* Inputs that no node of the run produces: what the runner looks up in the root's metadata.
 *
 *   candidates           (Resolver)          blessed models of this pipeline, newest first, except those with the
 * content of the model trained in this run: so an unchanged run stays unchanged base_model           (Trainer) the last
 * blessed model, when its options say warm_start: true previous_statistics  (ExampleValidator)  the newest statistics
 * of an earlier span */
#ifndef PEN_ORCHESTRATOR_RUN_PROVIDED_H
#define PEN_ORCHESTRATOR_RUN_PROVIDED_H

#include "core/hash.h"
#include "orchestrator/metadata/metadata.h"
#include "orchestrator/pipeline/pipeline.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_provided {
    const char *path; /* in the arena; NULL: there is none */
    const char *id;   /* of the artifact, or "" */
    const char *hash;
};

/* outputs: object node -> {port: output object} of the nodes of this run that are done. scratch: a folder for what has
 * to be written (candidates.json). */
PEN_MUST_USE pen_status pen_provide_input(struct pen_arena *arena, const struct pen_metadata *metadata,
                                          const struct pen_node *node, const char *port, const pen_json *outputs,
                                          const char *scratch, struct pen_provided *provided, struct pen_error *err);

/* The identity of the candidates without writing them: for a plan. */
PEN_MUST_USE pen_status pen_provide_identity(const struct pen_metadata *metadata, const pen_json *outputs,
                                             struct pen_arena *arena, struct pen_provided *provided,
                                             struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
