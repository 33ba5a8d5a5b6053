/* The analyzers of a graph: one sweep over the rows for each pass, everything of a pass together. */
#ifndef PEN_COMPONENTS_TRANSFORM_ANALYZE_H
#define PEN_COMPONENTS_TRANSFORM_ANALYZE_H

#include "components/transform/compile.h"
#include "components/transform/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fills graph->analyses, shared out among the request's ranks. Rows are read chunk after chunk, a chunk's segments in
 * parallel, partial results merged in row order: the result depends on the rows and the chunks alone.
 *
 * Memory: a chunk of the columns read; for each analyzer at most a chunk of its values, and its state: moments a few
 * bytes, a sketch 1 MiB a level (sketch.h), groups 56 bytes each (at most PEN_TRANSFORM_MAX_GROUPS) or 16 KiB a level
 * (at most PEN_TRANSFORM_MAX_SKETCHES). Counted values once, not once a thread: with top_k or min_count at most
 * PEN_COUNTS_MOST and what one chunk adds, beside the values kept (counts.h); without, all distinct values, at most
 * PEN_TRANSFORM_MAX_DISTINCT and 1 GB of text, about 45 bytes each beside their text. */
PEN_MUST_USE pen_status pen_graph_analyze(struct pen_transform_graph *graph, const struct pen_transform_source *rows,
                                          const struct pen_transform_request *request, struct pen_exec *exec,
                                          struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
