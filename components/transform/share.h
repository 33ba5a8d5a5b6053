/* Analyzers shared out among ranks: each sweeps the rows for its own and reads the columns that those need; after a
 * pass every rank knows what all found. An analyzer is one rank's over all rows, so the graph is that of one rank to
 * the last bit. */
#ifndef PEN_COMPONENTS_TRANSFORM_SHARE_H
#define PEN_COMPONENTS_TRANSFORM_SHARE_H

#include "components/transform/program.h"
#include "core/communicator.h"

#ifdef __cplusplus
extern "C" {
#endif

bool pen_analysis_is_own(const struct pen_communicator *ranks, int64_t analysis);

/* After the sweeps of a pass. folder: seen by all ranks; vocabularies of the pass are left there, named as the graph's
 * own files are. */
PEN_MUST_USE pen_status pen_analyses_share(struct pen_transform_graph *graph, struct pen_communicator *ranks,
                                           const char *folder, int pass, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
