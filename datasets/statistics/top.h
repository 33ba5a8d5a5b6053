/* The k most frequent of many values, in order: count descending, then the larger byte string first (TFDV's rule). */
#ifndef PEN_DATASETS_STATISTICS_TOP_H
#define PEN_DATASETS_STATISTICS_TOP_H

#include "datasets/statistics/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_top_item {
    const char *bytes; /* borrowed */
    size_t size_bytes;
    double count;
};

struct pen_top {
    struct pen_top_item *items; /* a heap, the last in order at its root, until sorted */
    int64_t n_items, k;
};

PEN_API PEN_MUST_USE pen_status pen_top_init(struct pen_top *top, int64_t k, struct pen_error *err);
PEN_API void pen_top_deinit(struct pen_top *top);
PEN_API void pen_top_offer(struct pen_top *top, const char *bytes, size_t size_bytes, double count);
PEN_API void pen_top_sort(struct pen_top *top);

/* The first n of a sorted top as texts of the arena: bytes that are not UTF-8, and NUL, become U+FFFD, and what is
 * longer than longest_bytes ends in "...". */
enum { PEN_TOP_LONGEST = 1024 }; /* of what people read */
PEN_API PEN_MUST_USE pen_status pen_top_values(const struct pen_top *top, int64_t n, size_t longest_bytes,
                                               struct pen_arena *arena, struct pen_value_counts *counts,
                                               struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
