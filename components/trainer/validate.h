/* Loss and headline metric of a network over some rows: AUC (binary), accuracy (multi-class), RMSE in label units
 * (regression), all weighted. Rows without a label count nothing. Ranks take each its part of the rows and end with the
 * same figures. */
#ifndef PEN_COMPONENTS_TRAINER_VALIDATE_H
#define PEN_COMPONENTS_TRAINER_VALIDATE_H

#include "components/trainer/pass.h"
#include "core/communicator.h"

struct pen_validation {
    int64_t max_rows;
    struct pen_exec *exec;
    struct pen_communicator *ranks;
    struct pen_scored *scored;           /* [max_rows] */
    float *on_device;                    /* predictions of a batch: [pass->max_rows, n_outputs] */
    struct pen_step_sums *sums;          /* device memory */
    float *predictions, *label, *weight; /* of a batch, in host memory */
    double loss, metric;                 /* results; NaN when nothing counted */
    double accuracy;                     /* binary and multi-class; NaN for regression */
};

PEN_MUST_USE pen_status pen_validation_init(struct pen_validation *validation, const struct pen_pass *pass,
                                            int64_t max_rows, struct pen_communicator *ranks, struct pen_error *err);
void pen_validation_deinit(struct pen_validation *validation);

PEN_MUST_USE pen_status pen_validation_run(struct pen_validation *validation, struct pen_pass *pass,
                                           const struct pen_device_rows *rows, struct pen_error *err);

/* "auc", "accuracy" or "rmse". */
const char *pen_validation_metric_name(const struct pen_network *network);

#endif
