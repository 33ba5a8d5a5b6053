/* Rows of tensors: a block of them in host memory, where batches of a store are sorted out, and rows in the memory of
 * the device, where batches of a pass are gathered from (kernels/batch/batch.h). */
#ifndef PEN_COMPONENTS_TRAINER_ROWS_H
#define PEN_COMPONENTS_TRAINER_ROWS_H

#include "core/memory.h"
#include "datasets/store/tensors.h"
#include "kernels/backend.h"

/* Owned rows in host memory, ids of all single-valued features side by side; a row without label has NaN, one without
 * weight 1. */
struct pen_row_block {
    const struct pen_tensor_spec *spec; /* borrowed */
    int64_t n_rows, n_single;
    float *dense, *label, *weight;
    int32_t *single; /* [n_rows, n_single] */
    int32_t **many;  /* [n_ids], NULL for single-valued */
    int64_t **offsets;
    int64_t *base; /* [n_ids] what a ragged feature's offsets begin at: ids of the rows before the block */
    struct pen_exec *pinned_for; /* whose pinned memory has room for all there may be; NULL: the heap, growing */
    int64_t dense_capacity, label_capacity, weight_capacity, single_capacity;
    int64_t *many_capacity, *offsets_capacity;
};

PEN_MUST_USE pen_status pen_row_block_init(struct pen_row_block *block, const struct pen_tensor_spec *spec,
                                           struct pen_error *err);
/* The same in pinned memory of exec's: at most n_rows rows, with at most most_ids[f] ids of a ragged feature. */
PEN_MUST_USE pen_status pen_row_block_init_pinned(struct pen_row_block *block, const struct pen_tensor_spec *spec,
                                                  struct pen_exec *exec, int64_t n_rows, const int64_t *most_ids,
                                                  struct pen_error *err);
void pen_row_block_deinit(struct pen_row_block *block);

/* Room for n more rows of the features with a fixed width; then rows of a batch, one by one. */
PEN_MUST_USE pen_status pen_row_block_reserve(struct pen_row_block *block, int64_t n, struct pen_error *err);
PEN_MUST_USE pen_status pen_row_block_append(struct pen_row_block *block, const struct pen_tensor_batch *batch,
                                             int64_t row, struct pen_error *err);

/* Owned rows in device memory. Capacities in items; they grow by doubling, copies made on the device. */
struct pen_device_rows {
    struct pen_exec *exec;
    const struct pen_tensor_spec *spec; /* borrowed */
    int64_t n_rows, n_single;
    float *dense, *label, *weight;
    int32_t *single;
    int32_t **many; /* [n_ids], host array of device pointers */
    int64_t **offsets;
    int64_t *n_many;                /* [n_ids] ids of a ragged feature so far */
    struct pen_gather_from *from;   /* [n_ids] device memory: where the ids lie, for the gather op */
    struct pen_gather_from *placed; /* [n_ids] the same, to upload from */
    int64_t capacity;               /* rows */
    int64_t *many_capacity;         /* ids */
};

PEN_MUST_USE pen_status pen_device_rows_init(struct pen_device_rows *rows, const struct pen_tensor_spec *spec,
                                             struct pen_exec *exec, struct pen_error *err);
void pen_device_rows_deinit(struct pen_device_rows *rows);

/* Room for n rows in all, with most_ids[f] ids of a ragged feature (NULL: as many as there are now). */
PEN_MUST_USE pen_status pen_device_rows_reserve(struct pen_device_rows *rows, int64_t n, const int64_t *most_ids,
                                                struct pen_error *err);

/* Copies the block's rows behind those already there. It stays as it is until the exec was waited for. */
PEN_MUST_USE pen_status pen_device_rows_put(struct pen_device_rows *rows, struct pen_row_block *block,
                                            struct pen_error *err);

/* Moves the block's rows behind those already there, and empties the block. */
PEN_MUST_USE pen_status pen_device_rows_take(struct pen_device_rows *rows, struct pen_row_block *block,
                                             struct pen_error *err);

/* Forgets the rows, keeps the memory. */
void pen_device_rows_clear(struct pen_device_rows *rows);

#endif
