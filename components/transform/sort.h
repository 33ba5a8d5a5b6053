/* Sorting numbers without comparing them: radix sort, least significant digits first. */
#ifndef PEN_COMPONENTS_TRANSFORM_SORT_H
#define PEN_COMPONENTS_TRANSFORM_SORT_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Ascending, -0 before 0; no NaN. scratch: room for n values, its content is lost. About 8 ns a value for full
 * doubles, less for whole numbers, whose low digits are all equal and skipped. n < 2^31. */
void pen_sort_doubles(double *values, int64_t n, double *scratch);

#ifdef __cplusplus
}
#endif

#endif
