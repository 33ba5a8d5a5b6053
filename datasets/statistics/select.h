/* Exact order statistics of many doubles by radix select: the values at given ranks and the counts below given edges,
 * in two or three sweeps over the data and memory that does not grow with it.
 *
 * A double maps to a 64-bit key of the same order. The first sweep counts keys by their top bits (up to 20: 256 bins
 * an octave), so it needs to know nothing of the data and shares its reading with the moments. Then the ranks and
 * edges are asked for, and only the bins in which one falls matter further on: the next sweep collects and sorts the
 * values of those that hold few, and splits the others into finer bins, until a bin holds one key. So quantiles and
 * equal-width histograms are both exact. Counters add up: parts filled by several threads or machines merge in any
 * order with the same result.
 *
 * With weights, "rank" is accumulated weight, and parts must be filled and merged in one order (sums of doubles).
 *
 *   sweep: parts = pen_select_part_create(s) ...; pen_select_accept(part, ...) over all values; pen_select_merge(s,
 * part) pen_select_ask(s, query) after the first one, pen_select_end_sweep(s) after each further one, while
 * (pen_select_unfinished(s)) */
#ifndef PEN_DATASETS_STATISTICS_SELECT_H
#define PEN_DATASETS_STATISTICS_SELECT_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_select;
struct pen_select_part;

struct pen_select_options {
    bool weighted;
    int64_t max_bins;    /* of one sweep, rounded down to a power of two, at least 256; 0: 1,048,576 */
    int64_t max_collect; /* values sorted in memory at the end; 0: 524,288 */
};

struct pen_select_query {
    int64_t n_ranks;     /* wanted: the least value v whose count (weight) of values <= v is above ranks[i] */
    const double *ranks; /* ascending */
    int64_t n_edges;     /* wanted: the count (weight) of values < edges[i] */
    const double *edges; /* ascending, no NaN */
};

enum { PEN_SELECT_MAX_WANTED = 4096 }; /* ranks and edges together */

PEN_API PEN_MUST_USE pen_status pen_select_create(struct pen_select **select, const struct pen_select_options *options,
                                                  struct pen_error *err);
PEN_API void pen_select_destroy(struct pen_select *select);

PEN_API PEN_MUST_USE pen_status pen_select_part_create(struct pen_select_part **part, const struct pen_select *select,
                                                       struct pen_error *err);
PEN_API void pen_select_part_destroy(struct pen_select_part *part);
/* Values without NaN and -0; weights NULL unless weighted. Every sweep gives the same values. */
PEN_API PEN_MUST_USE pen_status pen_select_accept(struct pen_select_part *part, const double *values,
                                                  const double *weights, int64_t n_values, struct pen_error *err);
/* In the first sweep: one value `count` times, with `weight` in all. */
PEN_API void pen_select_count(struct pen_select_part *part, double value, int64_t count, double weight);
PEN_API PEN_MUST_USE pen_status pen_select_merge(struct pen_select *select, const struct pen_select_part *part,
                                                 struct pen_error *err);

/* In place of a first sweep, when the values are few: one value with its count (weight), each once. Then what is asked
 * is answered at once. */
PEN_API PEN_MUST_USE pen_status pen_select_put(struct pen_select *select, double value, double count,
                                               struct pen_error *err);

/* Ends the first sweep. Copies the query. */
PEN_API PEN_MUST_USE pen_status pen_select_ask(struct pen_select *select, const struct pen_select_query *query,
                                               struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_select_end_sweep(struct pen_select *select, struct pen_error *err);
PEN_API bool pen_select_unfinished(const struct pen_select *select);

/* When finished. NaN where nothing lies above the rank. */
PEN_API double pen_select_rank_value(const struct pen_select *select, int64_t rank);
PEN_API double pen_select_edge_count(const struct pen_select *select, int64_t edge);

#ifdef __cplusplus
}
#endif

#endif
