/* Training data in arrays, for tests: a source over them, and options that leave nothing to chance. */
#ifndef PEN_TESTS_COMPONENTS_TRAINER_ARRAYS_H
#define PEN_TESTS_COMPONENTS_TRAINER_ARRAYS_H

#include "components/trainer/training.h"

enum { ARRAYS_DENSE = 3, ARRAYS_IDS = 2, ARRAYS_SINGLE = 6, ARRAYS_MANY = 9, ARRAYS_CLASSES = 3 };

struct arrays {
    int64_t n;
    float *dense, *label, *weight;
    int32_t *single, *many;
    int64_t *offsets, *part_offsets; /* of the rows that were read last */
    struct pen_tensor_spec spec;
    struct pen_tensor_ids ids[ARRAYS_IDS], part[ARRAYS_IDS];
};

/* Dense columns, one id a row, a ragged list; the label depends on all of them. */
void arrays_init(struct arrays *arrays, int64_t n, enum pen_task task, uint64_t seed);
void arrays_deinit(struct arrays *arrays);
struct pen_examples_source arrays_source(struct arrays *arrays);
struct pen_tensor_batch arrays_batch(const struct arrays *arrays);

/* The same in the memory of a device; free with pen_device_rows_deinit, whatever it returns. */
pen_status arrays_rows(const struct arrays *arrays, struct pen_device_rows *rows, struct pen_exec *exec,
                       struct pen_error *err);

/* Adam, rate 0.01, batch 64, hidden [8, 5] tanh, no validation, no averaging. */
struct pen_training_options arrays_options(enum pen_model_kind kind, int64_t steps);

#endif
