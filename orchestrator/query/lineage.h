/* What an artifact was made of, and what was made of it: artifacts, and the edges that executions draw between them.
 *
 * An edge leads from an input of an execution to each of its outputs. Artifacts stand in the order they were made, so
 * every edge leads to a later one, also in a journal that was tampered with. */
#ifndef PEN_ORCHESTRATOR_QUERY_LINEAGE_H
#define PEN_ORCHESTRATOR_QUERY_LINEAGE_H

#include "core/memory.h"
#include "orchestrator/metadata/metadata.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_lineage_artifact {
    const pen_json *output, *producer; /* borrowed from the metadata: {id, type, uri, ...}, the execution's record */
    int64_t number;                    /* of that execution */
};

struct pen_lineage_edge {
    int64_t from, to; /* artifacts; from < to */
};

struct pen_lineage {
    struct pen_lineage_artifact *artifacts;
    struct pen_lineage_edge *edges; /* sorted by to, then by from */
    int64_t n_artifacts, n_edges;
    int64_t subject; /* the artifact that was asked for */
    bool is_cut;     /* there is more than was allowed */
    int64_t artifacts_capacity, edges_capacity;
};

struct pen_lineage_reach {
    bool up, down;          /* what it was made of; what was made of it */
    int64_t most_artifacts; /* no more are gathered, the nearest first */
    int64_t most_records;   /* no more later executions are read; 0: all */
};

/* id: an id, or a type or port for the newest of it. PEN_ERR_NOT_FOUND. To be let go of in either case. */
PEN_MUST_USE pen_status pen_lineage_gather(struct pen_lineage *lineage, struct pen_metadata *metadata, const char *id,
                                           const struct pen_lineage_reach *reach, struct pen_error *err);
void pen_lineage_deinit(struct pen_lineage *lineage);

/* ---- lineage_text.c: the forms of it ---- */

/* Lines for a terminal: "made of" and "used for", each a tree; what an artifact above leads to is not told again. */
PEN_MUST_USE pen_status pen_lineage_tree(const struct pen_lineage *lineage, const struct pen_lineage_reach *reach,
                                         struct pen_text *out, struct pen_error *err);
/* A digraph in DOT: artifacts are boxes, the executions between them ellipses. */
void pen_lineage_dot(const struct pen_lineage *lineage, struct pen_text *out);
/* *document, the caller's: {artifact: {id, type, uri, run, made_of: [the same, ...]}, used_for: [ids made directly of
 * it], artifacts: [{id, type, uri, hash, properties, execution, node, run}], edges: [{from, to, execution}],
 * complete}. made_of stands where an artifact is told first. */
PEN_MUST_USE pen_status pen_lineage_document(const struct pen_lineage *lineage, const struct pen_lineage_reach *reach,
                                             pen_json **document, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
