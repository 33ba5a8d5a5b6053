/* Counts of distinct strings in bounded memory, and exact.
 *
 * While the distinct values fit, one sweep over the rows counts them. When they do not, and only the most frequent or
 * the frequent ones are asked for, the range of hashes that is counted is halved, as often as it takes: what falls out
 * of the range is added, by hash, to a table of PEN_COUNTS_PLACES sums. At the end of the sweep the best values are
 * kept, and a further sweep counts the next range, but of it only the values whose place holds enough occurrences to
 * matter: a value that occurs at most once a place is never counted again. So two sweeps do for most data, and a
 * hostile column costs further sweeps, each over about half of what may be held, but neither memory nor exactness. */
#ifndef PEN_COMPONENTS_TRANSFORM_COUNTS_H
#define PEN_COMPONENTS_TRANSFORM_COUNTS_H

#include "components/transform/strings.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PEN_COUNTS_PLACES = 1 << 19,
    PEN_COUNTS_MOST = 1 << 20, /* values held in a sweep that may be cut, and what a chunk adds to them */
    PEN_COUNTS_MOST_BYTES = 1 << 28
};

struct pen_counted {
    const char *text;
    size_t size_bytes;
    int64_t count;
};
/* Which of two stands first; a total order of distinct texts, more frequent ones first where the counts are cut. */
typedef int pen_counted_order_fn(const void *a, const void *b);

struct pen_counts {
    /* What is asked. */
    bool may_cut;      /* fewer than all are kept: top_k > 0 or min_count > 1 */
    int64_t top_k;     /* 0: all */
    int64_t min_count; /* at least 1 */
    pen_counted_order_fn *order;
    /* The sweep. */
    uint64_t low, high; /* hashes counted in it, high <= 2^32 */
    int64_t least;      /* occurrences below which a value cannot be among the kept */
    int64_t *bound;     /* [PLACES] of the sweep before: no value of this place occurs more often; NULL: first sweep */
    int64_t *passed;    /* [PLACES] what this sweep leaves for the next; NULL: nothing */
    struct pen_string_table *kept; /* the best of the sweeps before, in order; NULL: none */
};

void pen_counts_init(struct pen_counts *counts, int64_t top_k, int64_t min_count, pen_counted_order_fn *order);
void pen_counts_deinit(struct pen_counts *counts);
/* Counts a value into a thread's table, or leaves it to another sweep. Any number of threads, a table each. */
PEN_MUST_USE pen_status pen_counts_add(struct pen_counts *counts, struct pen_string_table *table, const char *text,
                                       size_t size_bytes, int64_t count, struct pen_error *err);
bool pen_counts_too_many(const struct pen_counts *counts, const struct pen_string_table *table);
/* Halves the range until no more than half of what may be held is left in *table, which is then another one. One
 * thread, all tables merged. */
PEN_MUST_USE pen_status pen_counts_cut(struct pen_counts *counts, struct pen_string_table **table,
                                       struct pen_error *err);
/* The sweep's table joins the kept ones. *done: no further sweep is needed, kept is the answer. */
PEN_MUST_USE pen_status pen_counts_end_sweep(struct pen_counts *counts, const struct pen_string_table *table,
                                             bool *done, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
