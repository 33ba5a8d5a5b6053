/* Sends the rows of a batch to the stores of their splits.
 *
 * Each split's store gets a dictionary of its own, with the strings that occur in it, in order of first appearance. */
#ifndef PEN_COMPONENTS_EXAMPLE_GEN_ROUTE_H
#define PEN_COMPONENTS_EXAMPLE_GEN_ROUTE_H

#include "datasets/store/store.h"

struct pen_route; /* the stores being written and the buffers for rows on their way */

/* paths[i]: where split i's store is written. Types are those of the batch's columns. */
PEN_MUST_USE pen_status pen_route_create(struct pen_route **route, const struct pen_batch *batch,
                                         const char *const *names, const char *const *paths, int64_t n_splits,
                                         int64_t span, struct pen_error *err);
/* splits[row] in [0, n_splits). */
PEN_MUST_USE pen_status pen_route_append(struct pen_route *route, const struct pen_batch *batch, const int32_t *splits,
                                         struct pen_error *err);
PEN_API int64_t pen_route_n_rows(const struct pen_route *route, int64_t split);
/* Completes all stores; the route is gone afterwards, also on failure. */
PEN_MUST_USE pen_status pen_route_finish(struct pen_route *route, struct pen_error *err);
void pen_route_abandon(struct pen_route *route); /* NULL is fine */

#endif
