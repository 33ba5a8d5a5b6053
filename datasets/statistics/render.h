/* Statistics as tables for a terminal: one per split and slice, a line a feature, with a small drawing of its
 * distribution (equal-width histogram of numbers, most frequent values of strings). */
#ifndef PEN_DATASETS_STATISTICS_RENDER_H
#define PEN_DATASETS_STATISTICS_RENDER_H

#include "core/text.h"
#include "datasets/statistics/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

/* width: columns of the terminal, at least 60 are taken. */
PEN_API void pen_statistics_render(const struct pen_statistics *statistics, struct pen_text *out, int width);
/* The same without anything beyond ASCII in the drawings. */
PEN_API void pen_statistics_render_ascii(const struct pen_statistics *statistics, struct pen_text *out, int width);

#ifdef __cplusplus
}
#endif

#endif
