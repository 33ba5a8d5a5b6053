/* A trained model: loaded from a Model artifact, it turns tensors into predictions.
 *
 *   model.json    architecture, tensor spec, training facts
 *   weights.bin   safe container: 8-byte little-endian header length, JSON header {name: {dtype, shape, offset,
 *                 crc32c}}, raw float32; bounds-checked, nothing executable (datasets/README.md)
 *   transform/    the transform graph that makes its tensors */
#ifndef PEN_COMPONENTS_TRAINER_MODEL_H
#define PEN_COMPONENTS_TRAINER_MODEL_H

#include "datasets/store/tensors.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_model;
struct pen_exec;

PEN_API PEN_MUST_USE pen_status pen_model_load(struct pen_model **model, const char *directory, struct pen_exec *exec,
                                               struct pen_error *err);
PEN_API void pen_model_destroy(struct pen_model *model);

PEN_API const struct pen_tensor_spec *pen_model_spec(const struct pen_model *model);

/* Numbers a row: 1 for binary (probability of the positive class) and regression (the value, in label units),
 * C for multi-class (probabilities). */
PEN_API int64_t pen_model_n_outputs(const struct pen_model *model);

/* predictions: [batch->n_rows, n_outputs]. Not thread-safe on one model; deterministic. */
PEN_API PEN_MUST_USE pen_status pen_model_predict(struct pen_model *model, float *predictions,
                                                  const struct pen_tensor_batch *batch, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
