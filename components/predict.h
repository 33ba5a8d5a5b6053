/* Predictions for CSV rows: the transform graph of the model, then the model, streaming.
 *
 * Output is CSV with a header:
 *   binary       row,prediction,probability        prediction 1 when the probability is above `threshold`
 *   multi-class  row,prediction,<one probability column per class>   prediction: name of the likeliest class
 *   regression   row,prediction
 * row counts data rows from 0. Columns are matched by name and read with the types of training; columns the model does
 * not read are skipped, a missing one is missing in every row where the graph can fill it, else an error. Memory: one
 * block of rows and the dictionaries of text columns. */
#ifndef PEN_COMPONENTS_PREDICT_H
#define PEN_COMPONENTS_PREDICT_H

#include "datasets/csv/csv.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pen_exec;

struct pen_predict_options {
    struct pen_csv_options csv; /* dialect; types and only_typed_columns are set here */
    double threshold;           /* binary */
};
PEN_API void pen_predict_options_init(struct pen_predict_options *options);

/* model: folder with model.json, weights.bin, transform/. *n_rows (may be NULL): rows written. */
PEN_API PEN_MUST_USE pen_status pen_predict_csv(const char *model, const char *const *paths, int64_t n_paths,
                                                const struct pen_predict_options *options, FILE *out,
                                                struct pen_exec *exec, int64_t *n_rows, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
