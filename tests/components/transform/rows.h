/* Rows in memory for the transform tests, and one-line compiling. */
#ifndef PEN_TESTS_COMPONENTS_TRANSFORM_ROWS_H
#define PEN_TESTS_COMPONENTS_TRANSFORM_ROWS_H

#include "components/transform/compile.h"
#include "kernels/backend.h"
#include "tests/pen_test.h"

/* The columns of every test: x (float, row 3 missing), n (int, row 1 missing), s (string codes, row 4 missing),
 * t (texts, BYTES), when (ISO dates, codes). ROWS rows. */
enum { ROWS = 6 };
const struct pen_batch *pen_test_rows(void);
/* Compiles one feature f and, if not NULL, a label; analyzers see all rows in one chunk. */
pen_status pen_test_compile(struct pen_transform_graph **graph, const char *feature, const char *label,
                            enum pen_task task, const char *positive, struct pen_error *err);
/* Any columns and batches. */
pen_status pen_test_compile_rows(struct pen_transform_graph **graph, const char *const *features, int64_t n_features,
                                 const struct pen_batch *batches, int64_t n_batches, struct pen_error *err);

#endif
