/* Labels, weights and predictions of one split, in the memory of the device that will evaluate them. */
#ifndef PEN_COMPONENTS_EVALUATOR_SCORES_H
#define PEN_COMPONENTS_EVALUATOR_SCORES_H

#include "components/evaluator/compute.h"
#include "components/trainer/model.h"
#include "core/communicator.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_scores {
    struct pen_exec *exec;
    struct pen_eval_rows rows; /* resampling is left to the caller */
    uint8_t *keep;             /* [n_raw] 1: has a label and a usable weight */
    int64_t n_raw, n_without_label, n_bad_weight;
    int64_t n_outputs;
    float *predictions; /* [n, n_outputs] of the candidate */
    float *baseline;    /* likewise, or NULL */
};

/* Reads the transformed split at `path` and scores it with the model, an exec's. Ranks read and score each a part of
 * the rows, in the batches of one rank, and all end with the same scores. */
PEN_API PEN_MUST_USE pen_status pen_scores_read(struct pen_scores *scores, const char *path, struct pen_model *model,
                                                struct pen_communicator *ranks, struct pen_exec *exec,
                                                struct pen_error *err);

/* Scores the same rows, raw, with the model in `directory` through its own transform graph. */
PEN_API PEN_MUST_USE pen_status pen_scores_baseline(struct pen_scores *scores, const char *directory,
                                                    const struct pen_store *raw, struct pen_error *err);
PEN_API void pen_scores_deinit(struct pen_scores *scores);

#ifdef __cplusplus
}
#endif

#endif
