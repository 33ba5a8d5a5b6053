/* The counts of few distinct numbers among many, exact: all that ranks, histograms and distinct values need to know of
 * them. When there are more than the limit the tally stops, and its owner goes over to counters and sketches that bear
 * many (select.h, hll.h). */
#ifndef PEN_DATASETS_STATISTICS_TALLY_H
#define PEN_DATASETS_STATISTICS_TALLY_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_TALLY_MAX = 16384 }; /* a table of 1 MiB, which stays in a second-level cache */

struct pen_tally;

struct pen_tally_item {
    uint64_t cell; /* the bits of an int64 or a double */
    int64_t count;
    double weight; /* sum, in the order of arrival */
};

/* max_values 0: PEN_TALLY_MAX. Memory: 64 to 128 bytes a value, half more with weights. */
PEN_API PEN_MUST_USE pen_status pen_tally_create(struct pen_tally **tally, int64_t max_values, bool weighted,
                                                 struct pen_error *err);
PEN_API void pen_tally_destroy(struct pen_tally *tally);

/* cells: 8 bytes each, equal when their bits are: so no -0, and no NaN if it is not to count. *n_done < n_cells: the
 * next value was one too many, and is not in the tally. weights NULL unless weighted. */
PEN_API PEN_MUST_USE pen_status pen_tally_add(struct pen_tally *tally, const void *cells, const double *weights,
                                              int64_t n_cells, int64_t *n_done, struct pen_error *err);
/* Adds an item of another tally. *done false: one too many. */
PEN_API PEN_MUST_USE pen_status pen_tally_put(struct pen_tally *tally, const struct pen_tally_item *item, bool *done,
                                              struct pen_error *err);

PEN_API int64_t pen_tally_n_values(const struct pen_tally *tally);
/* Walks the items, in no order: *at starts at 0 and tells where to go on. */
PEN_API bool pen_tally_next(const struct pen_tally *tally, int64_t *at, struct pen_tally_item *item);

#ifdef __cplusplus
}
#endif

#endif
