/* Large zeroed arrays of which little is ever touched, such as a counter for every bin that a number might fall in:
 * fresh pages from the system cost nothing until they are used, where calloc may have to clear old ones. */
#ifndef PEN_DATASETS_STATISTICS_PAGES_H
#define PEN_DATASETS_STATISTICS_PAGES_H

#include "core/status.h"

PEN_MUST_USE pen_status pen_pages_alloc(void **memory, int64_t size_bytes, struct pen_error *err);
void pen_pages_free(void *memory, int64_t size_bytes); /* the size it was asked for */

#endif
