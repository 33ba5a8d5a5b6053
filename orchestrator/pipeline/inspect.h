/* A look at CSV files nobody has described: how they are written, and the statistics of their columns.
 *
 * The dialect comes from the CSV reader (delimiter, header) and from the cells of the first rows: spaces around every
 * text, words that stand for missing values (NA, ?, NULL) in columns of numbers. The statistics come from ExampleGen
 * and StatisticsGen themselves, run in a scratch folder, so that a draft and the run that follows agree. A plain file
 * above PEN_INSPECT_LIMIT_BYTES is judged by its first part. */
#ifndef PEN_ORCHESTRATOR_PIPELINE_INSPECT_H
#define PEN_ORCHESTRATOR_PIPELINE_INSPECT_H

#include "datasets/statistics/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_INSPECT_LIMIT_BYTES = 64 << 20 };

struct pen_inspection {
    struct pen_arena arena;           /* owns the strings */
    const char *dialect;              /* YAML lines for example_gen, indented by two; "" when nothing is special */
    bool sampled;                     /* only the first part was read */
    struct pen_statistics statistics; /* one split with every row read */
};

/* csv: a path or pattern. columns: names for files without a header line, or NULL. */
PEN_MUST_USE pen_status pen_inspect_csv(struct pen_inspection *inspection, const char *csv, const char *const *columns,
                                        int64_t n_columns, struct pen_error *err);
void pen_inspection_deinit(struct pen_inspection *inspection);

#ifdef __cplusplus
}
#endif

#endif
