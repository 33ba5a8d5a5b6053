/* The dialect of CSV files as YAML lines for example_gen: what the reader found out, and what the cells show. */
#ifndef PEN_ORCHESTRATOR_PIPELINE_DIALECT_H
#define PEN_ORCHESTRATOR_PIPELINE_DIALECT_H

#include "core/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads the first rows of the files, and again below lines that are no data; appends lines indented by two, nothing
 * where the defaults fit. */
PEN_MUST_USE pen_status pen_dialect_find(const char *const *paths, int64_t n_paths, const char *const *columns,
                                         int64_t n_columns, struct pen_text *yaml, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
