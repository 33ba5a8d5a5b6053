/* Example rows of findings: which rows of the split break the rule, and what stands in them.
 *
 * One sweep of a column a finding, chunk by chunk; it stops as soon as the first rows are found when the statistics
 * already know how many there are, and counts them all otherwise. */
#ifndef PEN_COMPONENTS_EXAMPLE_VALIDATOR_ROWS_H
#define PEN_COMPONENTS_EXAMPLE_VALIDATOR_ROWS_H

#include "components/example_validator/findings.h"
#include "datasets/statistics/compute.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fills example_rows, example_values, n_rows and share of each finding that has a row rule and a column. */
PEN_API PEN_MUST_USE pen_status pen_findings_add_rows(struct pen_findings *findings,
                                                      const struct pen_statistics_source *rows, struct pen_error *err);

/* Index of a column, or -1. */
int64_t pen_rows_find(const struct pen_statistics_source *rows, const char *name);
/* A present cell as text, for people; NULL when memory is short. */
const char *pen_cell_text(struct pen_arena *arena, const struct pen_column *column, int64_t row);

#ifdef __cplusplus
}
#endif

#endif
