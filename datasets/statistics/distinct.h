/* Distinct numbers among many: exact up to a limit, by a set of their bits; beyond it a HyperLogLog, whose relative
 * standard error is pen_hll_error() (hll.h). The outcome depends neither on order nor on threads: it is exact if and
 * only if there are no more distinct values than the limit. */
#ifndef PEN_DATASETS_STATISTICS_DISTINCT_H
#define PEN_DATASETS_STATISTICS_DISTINCT_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_DISTINCT_EXACT = 16384 }; /* a set of half a MiB, which stays in a second-level cache */

struct pen_distinct;

/* max_exact 0: PEN_DISTINCT_EXACT. Memory: 32 to 64 bytes a value of the set, then 16 KiB. */
PEN_API PEN_MUST_USE pen_status pen_distinct_create(struct pen_distinct **distinct, int64_t max_exact,
                                                    struct pen_error *err);
PEN_API void pen_distinct_destroy(struct pen_distinct *distinct);

/* values: 8 bytes each, int64 or double; equal when their bits are. So no -0, and no NaN if it is not to count. */
PEN_API PEN_MUST_USE pen_status pen_distinct_add(struct pen_distinct *distinct, const void *values, int64_t n_values,
                                                 struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_distinct_merge(struct pen_distinct *distinct, const struct pen_distinct *other,
                                                   struct pen_error *err);

PEN_API bool pen_distinct_exact(const struct pen_distinct *distinct);
PEN_API double pen_distinct_count(const struct pen_distinct *distinct);

#ifdef __cplusplus
}
#endif

#endif
