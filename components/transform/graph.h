/* A transform graph: the saved result of Transform (constants, vocabularies, expressions), applied to raw rows.
 *
 * The same graph serves training, evaluation and prediction, so raw rows in production meet exactly the arithmetic
 * of training. The expression language and its compiler are language.h and compile.h beside this file. */
#ifndef PEN_COMPONENTS_TRANSFORM_GRAPH_H
#define PEN_COMPONENTS_TRANSFORM_GRAPH_H

#include "core/column.h"
#include "datasets/store/tensors.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_transform_graph;
struct pen_exec;

/* directory: a TransformGraph artifact, or the transform/ folder of a model. */
PEN_API PEN_MUST_USE pen_status pen_transform_load(struct pen_transform_graph **graph, const char *directory,
                                                   struct pen_error *err);
PEN_API void pen_transform_destroy(struct pen_transform_graph *graph);

PEN_API const struct pen_tensor_spec *pen_transform_spec(const struct pen_transform_graph *graph);

/* Raw columns the graph reads: features only, or with the label and weight expressions' too. */
PEN_API int64_t pen_transform_n_inputs(const struct pen_transform_graph *graph, bool with_label);
PEN_API const char *pen_transform_input_name(const struct pen_transform_graph *graph, int64_t input);
PEN_API enum pen_type pen_transform_input_type(const struct pen_transform_graph *graph, int64_t input);

/* Buffers for applying; one a thread, and for one exec, which must outlive them. */
struct pen_transform_scratch;
PEN_API PEN_MUST_USE pen_status pen_transform_scratch_create(struct pen_transform_scratch **scratch,
                                                             const struct pen_transform_graph *graph,
                                                             struct pen_error *err);
PEN_API void pen_transform_scratch_destroy(struct pen_transform_scratch *scratch);

/* Raw rows to tensors; *out views scratch until the next call. Columns are matched by name; a column that is absent
 * counts as all missing when the graph can fill it, else it is an error naming the column. with_label = false leaves
 * label and weight out, and their columns need not be there. */
PEN_API PEN_MUST_USE pen_status pen_transform_apply(const struct pen_transform_graph *graph, struct pen_exec *exec,
                                                    const struct pen_batch *rows, bool with_label,
                                                    struct pen_transform_scratch *scratch, struct pen_tensor_batch *out,
                                                    struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
