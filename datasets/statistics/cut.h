/* Cells of a column in few groups, so that two columns can be counted against each other: a number falls between two
 * edges of its column's histograms, both the equal-width one (rare values far out stay apart) and that of equal counts;
 * a text is one of the most frequent ones, or another. */
#ifndef PEN_DATASETS_STATISTICS_CUT_H
#define PEN_DATASETS_STATISTICS_CUT_H

#include "datasets/statistics/statistics.h"

enum { PEN_CUT_MOST = 100 }; /* texts, or edges */

struct pen_cut {
    enum pen_type type;
    bool by_text;               /* strings, and integers that are names */
    int n_groups;               /* of values; then one group of other texts or NaN, and one of missing cells */
    double edges[PEN_CUT_MOST]; /* numbers: group i is [edges[i], edges[i + 1]), the last one up to max */
    double max;
    const struct pen_value_count *texts;                /* by group */
    const struct pen_value_count *sorted[PEN_CUT_MOST]; /* by bytes */
    int64_t n_codes, capacity;
    int32_t *of_code; /* group of each code met so far */
};

static inline int pen_cut_other(const struct pen_cut *cut)
{
    return cut->n_groups;
}

static inline int pen_cut_missing(const struct pen_cut *cut)
{
    return cut->n_groups + 1;
}

static inline int pen_cut_size(const struct pen_cut *cut)
{
    return cut->n_groups + 2;
}

/* By the column's own statistics, which it borrows. */
void pen_cut_init(struct pen_cut *cut, const struct pen_feature_statistics *feature);
void pen_cut_deinit(struct pen_cut *cut);

/* groups: [chunk->n_rows]. */
PEN_MUST_USE pen_status pen_cut_rows(struct pen_cut *cut, int32_t *groups, const struct pen_column *chunk,
                                     struct pen_error *err);

/* A present cell's number; NaN when it is none. */
double pen_cut_number(const struct pen_column *chunk, int64_t row);

/* "Cash", "7", "3 .. 5": in the arena, NULL when there is no memory. */
const char *pen_cut_name(const struct pen_cut *cut, int group, struct pen_arena *arena);

#endif
