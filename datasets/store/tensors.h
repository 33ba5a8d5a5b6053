/* Tensors: what the Trainer and Evaluator read, produced by a transform graph.
 *
 *   dense   [N, n_dense] float32, one row per example, row stride n_dense
 *   ids     per id feature: one id a row, or ragged (a list of ids a row); -1 = none. id in [0, n_values)
 *   label   [N] float32 (class number for multi-class), NaN where missing
 *   weight  [N] float32, absent: 1
 *
 * In the HDF5 file: /tensors/dense (2-D), /tensors/ids/<name>/{values[,row_offsets]}, /tensors/label, /tensors/weight,
 * and the spec as JSON in /tensors/spec. Row r of a transformed store is row r of the raw store it was made from. */
#ifndef PEN_DATASETS_STORE_TENSORS_H
#define PEN_DATASETS_STORE_TENSORS_H

#include "core/json.h"
#include "core/memory.h"
#include "datasets/store/store.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_task { PEN_TASK_NONE, PEN_TASK_BINARY, PEN_TASK_MULTICLASS, PEN_TASK_REGRESSION };

struct pen_tensor_ids_spec {
    const char *name;
    int64_t n_values; /* ids are below this */
    bool ragged;
};

struct pen_tensor_spec {
    enum pen_task task;         /* NONE: no label (serving rows) */
    const char *label;          /* the label expression, for messages */
    int64_t n_classes;          /* 2 for binary, C for multi-class, 0 for regression */
    const char *const *classes; /* names in order of class number, or NULL */
    bool has_weight;
    int64_t n_dense;
    const char *const *dense_names; /* [n_dense] "miles", "hour[3]" */
    int64_t n_ids;
    const struct pen_tensor_ids_spec *ids;
};

PEN_API pen_json *pen_tensor_spec_to_json(const struct pen_tensor_spec *spec);
/* All strings in the arena. */
PEN_API PEN_MUST_USE pen_status pen_tensor_spec_from_json(struct pen_arena *arena, const pen_json *value,
                                                          const char *where, struct pen_tensor_spec *spec,
                                                          struct pen_error *err);

struct pen_tensor_ids {
    const int32_t *values;      /* [n_rows], or [row_offsets[n_rows]] when ragged */
    const int64_t *row_offsets; /* ragged: [n_rows + 1], row_offsets[0] = 0; else NULL */
};

/* A borrowed view of n_rows rows. */
struct pen_tensor_batch {
    int64_t n_rows;
    const float *dense;               /* [n_rows, n_dense] */
    const struct pen_tensor_ids *ids; /* [n_ids] */
    const float *label;               /* NULL: none */
    const float *weight;              /* NULL: all 1 */
};

struct pen_tensor_writer;

PEN_API PEN_MUST_USE pen_status pen_tensor_create(struct pen_tensor_writer **writer, const char *path,
                                                  const struct pen_tensor_spec *spec, int64_t n_rows,
                                                  const struct pen_store_options *options, struct pen_error *err);
/* In row order; batches of any size, summing to the n_rows given at creation. */
PEN_API PEN_MUST_USE pen_status pen_tensor_append(struct pen_tensor_writer *writer,
                                                  const struct pen_tensor_batch *batch, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_tensor_finish(struct pen_tensor_writer *writer, struct pen_error *err);
PEN_API void pen_tensor_abandon(struct pen_tensor_writer *writer);

struct pen_tensor_store;

PEN_API PEN_MUST_USE pen_status pen_tensor_open(struct pen_tensor_store **store, const char *path,
                                                struct pen_error *err);
PEN_API void pen_tensor_close(struct pen_tensor_store *store);
PEN_API int64_t pen_tensor_n_rows(const struct pen_tensor_store *store);
PEN_API const struct pen_tensor_spec *pen_tensor_spec_of(const struct pen_tensor_store *store);

struct pen_tensor_buffer; /* owns the memory of one batch */
PEN_API PEN_MUST_USE pen_status pen_tensor_buffer_create(struct pen_tensor_buffer **buffer,
                                                         const struct pen_tensor_spec *spec, struct pen_error *err);
PEN_API void pen_tensor_buffer_destroy(struct pen_tensor_buffer *buffer);

/* Rows [first_row, first_row + n_rows) into buffer; *batch views it until the next read. Thread-safe with one buffer
 * a thread. */
PEN_API PEN_MUST_USE pen_status pen_tensor_read(const struct pen_tensor_store *store, int64_t first_row, int64_t n_rows,
                                                struct pen_tensor_buffer *buffer, struct pen_tensor_batch *batch,
                                                struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
