/* Generated data sets, for the demo, tests and benches: made-up rows with the shape, the gaps and the difficulty of
 * real ones, as CSV of any size.
 *
 * Row r depends on (name, seed, r) alone: not on the number of rows, threads or machine; the truth behind the label
 * depends on the name alone, so that files of different seeds are further draws of one population. */
#ifndef PEN_DATASETS_SAMPLES_SAMPLES_H
#define PEN_DATASETS_SAMPLES_SAMPLES_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_sample {
    const char *name;
    const char *description;
    const char *label; /* as an expression of the transform language */
    int64_t n_rows;    /* a good size to begin with */
};

/* All of them; ends with a NULL name. */
PEN_API extern const struct pen_sample pen_samples[];
PEN_API const struct pen_sample *pen_sample_find(const char *name); /* NULL: none */

/* Writes header and rows to a new file (PEN_ERR_EXISTS when there is one), which is complete or absent. */
PEN_API PEN_MUST_USE pen_status pen_sample_generate(const char *name, int64_t n_rows, uint64_t seed, const char *path,
                                                    struct pen_error *err);
/* The same into an open file or pipe. */
PEN_API PEN_MUST_USE pen_status pen_sample_write(const char *name, int64_t n_rows, uint64_t seed, int fd,
                                                 struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
