/* Rows as serialised tf.Example protocol buffers: what TFX hashes to assign a row to a split.
 *
 *   Example{features = 1}, Features{map<string, Feature> feature = 1},
 *   Feature{bytes_list = 1 | float_list = 2 | int64_list = 3}, each a list with `value = 1` (numbers packed)
 *
 * Map entries stand in name order; floats are float32; a missing cell is a present, empty list; a column without any
 * value is a Feature without a kind. */
#ifndef PEN_COMPONENTS_EXAMPLE_GEN_TF_EXAMPLE_H
#define PEN_COMPONENTS_EXAMPLE_GEN_TF_EXAMPLE_H

#include "core/column.h"

/* Grows; zero-initialise; one per thread. */
struct pen_tf_buffer {
    uint8_t *memory;
    int64_t capacity;
    const uint8_t *data; /* the message, somewhere in memory */
    int64_t size_bytes;
};
PEN_API void pen_tf_buffer_deinit(struct pen_tf_buffer *buffer);

struct pen_tf_field; /* a column and what is the same in all its cells */

/* The columns of a batch in name order; good for this batch alone. */
struct pen_tf_layout {
    struct pen_tf_field *fields;
    int64_t n_fields;
    int64_t fixed_bytes; /* an upper bound on a message's size without its long strings */
};
PEN_API PEN_MUST_USE pen_status pen_tf_layout_init(struct pen_tf_layout *layout, const struct pen_batch *batch,
                                                   struct pen_error *err);
PEN_API void pen_tf_layout_deinit(struct pen_tf_layout *layout);

PEN_API PEN_MUST_USE pen_status pen_tf_example_write(const struct pen_tf_layout *layout, int64_t row,
                                                     struct pen_tf_buffer *buffer, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_tf_feature_write(const struct pen_column *column, int64_t row,
                                                     struct pen_tf_buffer *buffer, struct pen_error *err);

#endif
