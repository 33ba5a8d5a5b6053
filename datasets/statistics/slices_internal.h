/* Which slice a row belongs to: the slices that occur under one slicing, found in one sweep, and the slice number of
 * each row of a chunk. A row in which a slicing feature is missing, or not the given value, is in none.
 *
 * Rows are told apart by a 64-bit hash of their values (dictionary codes, integers, texts). */
#ifndef PEN_DATASETS_STATISTICS_SLICES_INTERNAL_H
#define PEN_DATASETS_STATISTICS_SLICES_INTERNAL_H

#include "datasets/statistics/compute.h"

struct pen_slice_index;

pen_status pen_slice_index_create(struct pen_slice_index **index, const struct pen_statistics_source *source,
                                  const struct pen_slicing *slicing, int64_t max_slices, struct pen_error *err);
void pen_slice_index_destroy(struct pen_slice_index *index);
int64_t pen_slice_index_n_slices(const struct pen_slice_index *index);
const char *pen_slice_index_name(const struct pen_slice_index *index, int64_t slice); /* "a=1 b=2" */

/* Buffers of one thread. */
struct pen_slice_reader {
    struct pen_store_buffer *buffers; /* one an item */
    struct pen_column *views;
    int64_t n_items;
};
pen_status pen_slice_reader_init(struct pen_slice_reader *reader, const struct pen_slice_index *index,
                                 struct pen_error *err);
void pen_slice_reader_deinit(struct pen_slice_reader *reader);
/* ids[row] = number of the row's slice, or -1. */
pen_status pen_slice_index_rows(const struct pen_slice_index *index, struct pen_slice_reader *reader, int64_t chunk,
                                int32_t *ids, struct pen_error *err);

#endif
