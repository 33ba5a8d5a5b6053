/* Statistics for a terminal, in UTF-8. width: its columns, at least 60 are taken. */
#ifndef PEN_DATASETS_STATISTICS_RENDER_H
#define PEN_DATASETS_STATISTICS_RENDER_H

#include "core/text.h"
#include "datasets/statistics/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Tables, one a split and slice: a line a feature, another one for its weighted twin, with a small drawing of its
 * distribution (equal-width histogram of numbers, most frequent values of strings). */
PEN_API void pen_statistics_render(const struct pen_statistics *statistics, struct pen_text *out, int width);

/* The page of one feature: all its figures beside each other, a column each split, slice and weighted twin, then
 * histogram and most frequent values of each split. False, and nothing written: no such feature. */
PEN_API bool pen_statistics_render_feature(const struct pen_statistics *statistics, const char *name,
                                           struct pen_text *out, int width);

#ifdef __cplusplus
}
#endif

#endif
