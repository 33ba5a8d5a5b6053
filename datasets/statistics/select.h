/* Exact order statistics of many doubles by radix select: the values at given ranks and the counts below given edges,
 * in two or three sweeps over the data and memory that does not grow with it.
 *
 * A double maps to a 64-bit key of the same order. The first sweep counts keys in up to 65,536 bins between the keys
 * of the least and the greatest value. Only the bins in which a wanted rank or an edge falls matter further on: when
 * they hold few values the next sweep collects and sorts those, else it splits them into finer bins, until a bin is
 * one key. So quantiles and equal-width histograms are both exact. Counters add up: parts filled by several threads
 * or machines merge in any order with the same result.
 *
 * With weights, "rank" is accumulated weight, and parts must be filled and merged in one order (sums of doubles).
 *
 *   while (pen_select_unfinished(s)) {
 *       parts = pen_select_part_create(s) ...; pen_select_accept(part, ...) over all values;
 *       pen_select_merge(s, part) ...; pen_select_end_sweep(s);
 *   } */
#ifndef PEN_DATASETS_STATISTICS_SELECT_H
#define PEN_DATASETS_STATISTICS_SELECT_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_select;
struct pen_select_part;

struct pen_select_query {
    double min, max;  /* of all values, infinities included; min <= max */
    int64_t n_values; /* to choose the number of bins */
    bool weighted;
    int64_t n_ranks;     /* wanted: the least value v whose count (weight) of values <= v is above ranks[i] */
    const double *ranks; /* ascending */
    int64_t n_edges;     /* wanted: the count (weight) of values < edges[i] */
    const double *edges; /* ascending, no NaN */
    int64_t max_bins;    /* of the first sweep; 0: 65,536 */
    int64_t max_collect; /* values sorted in memory at the end; 0: 524,288 */
};

enum { PEN_SELECT_MAX_WANTED = 4096 }; /* ranks and edges together */

/* Copies the query. */
PEN_API PEN_MUST_USE pen_status pen_select_create(struct pen_select **select, const struct pen_select_query *query,
                                                  struct pen_error *err);
PEN_API void pen_select_destroy(struct pen_select *select);
PEN_API bool pen_select_unfinished(const struct pen_select *select);

PEN_API PEN_MUST_USE pen_status pen_select_part_create(struct pen_select_part **part, const struct pen_select *select,
                                                       struct pen_error *err);
PEN_API void pen_select_part_destroy(struct pen_select_part *part);
/* Values without NaN and -0, all within [min, max]; weights NULL unless weighted. */
PEN_API PEN_MUST_USE pen_status pen_select_accept(struct pen_select_part *part, const double *values,
                                                  const double *weights, int64_t n_values, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_select_merge(struct pen_select *select, const struct pen_select_part *part,
                                                 struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_select_end_sweep(struct pen_select *select, struct pen_error *err);

/* When finished. NaN where nothing lies above the rank. */
PEN_API double pen_select_rank_value(const struct pen_select *select, int64_t rank);
PEN_API double pen_select_edge_count(const struct pen_select *select, int64_t edge);

#ifdef __cplusplus
}
#endif

#endif
