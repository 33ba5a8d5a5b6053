/* Sorting numbers by their digits, which costs the same for every number of them. */
#ifndef PEN_COMPONENTS_TRANSFORM_SORT_H
#define PEN_COMPONENTS_TRANSFORM_SORT_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Ascending; no NaN. scratch: room for n values, its content is lost. About 5 ns a value. n < 2^31. */
void pen_sort_doubles(double *values, int64_t n, double *scratch);
/* The smallest and the largest; no NaN, n >= 1. */
void pen_find_ends(const double *values, int64_t n, double *low, double *high);

#ifdef __cplusplus
}
#endif

#endif
