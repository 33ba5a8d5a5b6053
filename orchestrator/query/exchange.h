/* The history of a root in the words of other metadata stores. */
#ifndef PEN_ORCHESTRATOR_QUERY_EXCHANGE_H
#define PEN_ORCHESTRATOR_QUERY_EXCHANGE_H

#include "orchestrator/metadata/metadata.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All that has to be known beside the records: where the root is and its name for others. */
struct pen_exchange_root {
    char path[PEN_PATH_BYTES]; /* absolute */
    char id[PEN_PATH_BYTES];   /* root_id: the same wherever the root lies */
};
PEN_MUST_USE pen_status pen_exchange_root(struct pen_exchange_root *root, const struct pen_metadata *metadata,
                                          struct pen_error *err);

/* One form: the records of a run (its id; NULL: all) as text. */
typedef pen_status pen_exchange_fn(struct pen_metadata *metadata, const char *run, struct pen_text *out,
                                   struct pen_error *err);

/* ML Metadata's LineageGraph (ml_metadata/proto/metadata_store.proto, 1.17) in protobuf's JSON: types, artifacts,
 * executions, contexts (pipeline, pipeline_run and node, as TFX has them), events, attributions, associations. Options
 * and properties are custom properties. A skipped node is no execution. */
pen_exchange_fn pen_exchange_mlmd;

/* OpenLineage's run events (openlineage.io/spec, 2-0-2), a line each, in the order they happened: START and COMPLETE,
 * FAIL or ABORT of runs and of executions, whose parents the runs are. A dataset is an artifact's folder, of namespace
 * "file", its version the content hash. Run ids are UUIDs made of root, run, node and execution: the same every time.
 */
pen_exchange_fn pen_exchange_openlineage;

#ifdef __cplusplus
}
#endif

#endif
