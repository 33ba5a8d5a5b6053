/* A model's folder: model.json and weights.bin (model.h says what is in them). */
#ifndef PEN_COMPONENTS_TRAINER_MODEL_FILE_H
#define PEN_COMPONENTS_TRAINER_MODEL_FILE_H

#include "components/trainer/network.h"
#include "core/json.h"

extern const char *const pen_model_kind_names[];       /* linear dnn wide_deep, NULL */
extern const char *const pen_model_activation_names[]; /* in order of enum pen_activation, NULL */
extern const char *const pen_model_norm_names[];       /* none batch layer, NULL */

/* training: facts to keep beside the architecture (taken). */
PEN_MUST_USE pen_status pen_model_write(const char *directory, const struct pen_network *network, pen_json *training,
                                        struct pen_error *err);
PEN_MUST_USE pen_status pen_model_read(struct pen_network **network, const char *directory, struct pen_exec *exec,
                                       struct pen_error *err);

#endif
