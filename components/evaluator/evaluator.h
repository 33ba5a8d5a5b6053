/* Evaluator: measures the candidate on the eval split, on slices of it and against the baseline, and blesses it or not.
 *
 * does         TFX's Evaluator; differences: AUC exact, a reason in words for every threshold, a defined first run
 *              (change thresholds alone bless it), thresholds apply to overall when they name no slices
 * consumes     examples (Examples: slice columns, and the baseline's inputs), transformed_examples (Examples: the
 *              candidate's tensors), model (Model), baseline (ResolvedModel, optional)
 * produces     evaluation (ModelEvaluation): evaluation.json; blessing (ModelBlessing): blessing.json
 * options      metrics, slices, thresholds, decision_thresholds, top_k, split, confidence, min_slice_size, max_slices
 * fingerprint  inputs and options only
 * resume       from the start
 * ranks        rows are scored by all, the metrics are rank 0's; the file is the same for any number
 * limits       8 to 20 bytes a row, 4 bytes a row and output for each model, 24 while ranking; features are streamed;
 *              below 2^31 rows
 * errors       an unknown metric, slice column or rule: PEN_ERR_CONFIG at its line; a baseline that no longer loads:
 *              left out, with a note. Not blessed is no error */
#ifndef PEN_COMPONENTS_EVALUATOR_EVALUATOR_H
#define PEN_COMPONENTS_EVALUATOR_EVALUATOR_H

#include "components/component.h"

#ifdef __cplusplus
extern "C" {
#endif

PEN_API extern const struct pen_component pen_evaluator;

#ifdef __cplusplus
}
#endif

#endif
