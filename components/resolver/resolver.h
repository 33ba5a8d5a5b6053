/* Resolver: which earlier model is the baseline of this run.
 *
 * does         picks one model among the candidates the orchestrator lists (TFX's Resolver with LatestBlessedModel or
 *              LatestArtifact); unlike TFX's, "none there yet" is an answer, written down with its reason
 * consumes     candidates (Candidates, optional): candidates.json {"models": [{"path", "id", "created", "blessed"}]},
 *              newest first, without the model of this run
 * produces     resolved (ResolvedModel): resolved.json {schema, model: path or null, id, reason}
 * options      strategy
 * fingerprint  the candidates given by the orchestrator
 * resume       from the start
 * limits       memory grows with the number of candidates, not with data
 * errors       candidates.json malformed: PEN_ERR_DATA naming the member */
#ifndef PEN_COMPONENTS_RESOLVER_RESOLVER_H
#define PEN_COMPONENTS_RESOLVER_RESOLVER_H

#include "components/component.h"

#ifdef __cplusplus
extern "C" {
#endif

PEN_API extern const struct pen_component pen_resolver;

/* The model that resolved.json in `directory` names, in the arena; NULL when it names none. */
PEN_API PEN_MUST_USE pen_status pen_resolved_model(struct pen_arena *arena, const char *directory, const char **model,
                                                   const char **id, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
