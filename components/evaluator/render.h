/* An evaluation for the terminal: verdict and reasons first, then a table of slices and metrics. */
#ifndef PEN_COMPONENTS_EVALUATOR_RENDER_H
#define PEN_COMPONENTS_EVALUATOR_RENDER_H

#include "core/json.h"

#ifdef __cplusplus
extern "C" {
#endif

/* evaluation: evaluation.json, read. Overall with intervals and baseline; then up to most_slices slices (0: all) with
 * as many metrics as fit into `columns` characters. */
PEN_API void pen_evaluation_render(const pen_json *evaluation, int64_t columns, int64_t most_slices,
                                   struct pen_text *out);

#ifdef __cplusplus
}
#endif

#endif
