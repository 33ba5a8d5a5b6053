/* Transform: raw rows to the tensors a model reads, and the graph that does the same in production.
 *
 * does         TFX's Transform: compiles `name: expression` features (README.md has the language), runs the analyzers
 *              over the analyze split, saves one transform graph, applies it to every split. Differences: missing
 *              values have one meaning everywhere; rows keep their number, a missing label is NaN
 * consumes     examples; optionally schema (column types a person changed) and statistics (default features)
 * produces     transform_graph: graph.json and vocabulary files; transformed_examples: split-<name>.h5, examples.json
 * options      features label weight task positive analyze
 * fingerprint  input content and options
 * resume       from the start
 * ranks        the analyzers are shared out, the graph is the same for any number; rank 0 applies it
 * limits       a chunk of the columns in use and a few MiB a thread, on a device as much there; vocabularies with
 *              top_k or min_count about 1,000,000 values while counting (50 to 100 MB), without them all values
 *              (10,000,000 at most); quantiles 1 MiB for each doubling beyond 131,072 rows. Nothing else grows with
 *              rows
 * errors       a wrong expression, with file, line and column; a label with one value; an unknown split */
#ifndef PEN_COMPONENTS_TRANSFORM_TRANSFORM_H
#define PEN_COMPONENTS_TRANSFORM_TRANSFORM_H

#include "components/component.h"

#ifdef __cplusplus
extern "C" {
#endif

PEN_API extern const struct pen_component pen_transform;

#ifdef __cplusplus
}
#endif

#endif
