/* How numbers spread: distinct values, values at ranks and counts below edges, of a column of which nobody knows
 * beforehand whether it holds few values or many.
 *
 * While there are few, a tally (tally.h) has all the answers after one sweep. Once there are more than max_exact, the
 * tally is poured into radix select (select.h: exact, mostly one more sweep) and into a HyperLogLog (hll.h: distinct
 * values with relative standard error pen_hll_error()). Which way it went, and so every answer, depends on the values
 * alone, not on order or threads; only sums of weights are sums of doubles, and want one order.
 *
 *   pen_spread_create(&s, ...);
 *   sweep:  pen_spread_accept(s or forks of it, ...) over all values; pen_spread_merge(s, fork) ...
 *   pen_spread_ask(s, ...) after the first sweep; pen_spread_end_sweep(s) after each further one,
 *   while (pen_spread_unfinished(s)) */
#ifndef PEN_DATASETS_STATISTICS_SPREAD_H
#define PEN_DATASETS_STATISTICS_SPREAD_H

#include "datasets/statistics/select.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_spread;

struct pen_spread_options {
    bool integers; /* cells are int64, else double */
    bool weighted;
    int64_t max_exact;   /* distinct values counted exactly; 0: tally.h's default */
    int64_t max_bins;    /* 0: select.h's default */
    int64_t max_collect; /* 0: select.h's default */
};

PEN_API PEN_MUST_USE pen_status pen_spread_create(struct pen_spread **spread, const struct pen_spread_options *options,
                                                  struct pen_error *err);
/* An empty one for a share of this sweep's values; it is merged and destroyed before the sweep ends. */
PEN_API PEN_MUST_USE pen_status pen_spread_fork(struct pen_spread **fork, const struct pen_spread *spread,
                                                struct pen_error *err);
PEN_API void pen_spread_destroy(struct pen_spread *spread);

/* Values without NaN and -0; cells: 8 bytes each that tell them apart, the doubles themselves or the int64 they were
 * made from; weights NULL unless weighted. */
PEN_API PEN_MUST_USE pen_status pen_spread_accept(struct pen_spread *spread, const double *values, const void *cells,
                                                  const double *weights, int64_t n_values, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_spread_merge(struct pen_spread *spread, const struct pen_spread *fork,
                                                 struct pen_error *err);

/* weighted NULL unless weighted: the query whose ranks are sums of weights. */
PEN_API PEN_MUST_USE pen_status pen_spread_ask(struct pen_spread *spread, const struct pen_select_query *query,
                                               const struct pen_select_query *weighted, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_spread_end_sweep(struct pen_spread *spread, struct pen_error *err);
PEN_API bool pen_spread_unfinished(const struct pen_spread *spread);

/* When finished. */
PEN_API double pen_spread_rank_value(const struct pen_spread *spread, bool weighted, int64_t rank);
PEN_API double pen_spread_edge_count(const struct pen_spread *spread, bool weighted, int64_t edge);
PEN_API double pen_spread_n_distinct(const struct pen_spread *spread, bool *exact);

#ifdef __cplusplus
}
#endif

#endif
