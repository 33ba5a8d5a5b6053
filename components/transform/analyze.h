/* The analyzers of a graph: one sweep over the rows for each pass, everything of a pass together. */
#ifndef PEN_COMPONENTS_TRANSFORM_ANALYZE_H
#define PEN_COMPONENTS_TRANSFORM_ANALYZE_H

#include "components/transform/compile.h"
#include "components/transform/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fills graph->analyses. Rows are read chunk after chunk, a chunk's segments in parallel, partial results merged in
 * row order: the result depends on the rows and the chunks alone. Memory: a chunk, PEN_SKETCH bounds for quantiles,
 * the distinct values of vocabularies (at most PEN_TRANSFORM_MAX_DISTINCT each), once, not once a thread. */
PEN_MUST_USE pen_status pen_graph_analyze(struct pen_transform_graph *graph, const struct pen_transform_source *rows,
                                          struct pen_exec *exec, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
