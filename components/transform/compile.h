/* Making a transform graph: expressions compiled against typed columns, analyzers run over the analyze rows. */
#ifndef PEN_COMPONENTS_TRANSFORM_COMPILE_H
#define PEN_COMPONENTS_TRANSFORM_COMPILE_H

#include "components/transform/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `name: expression` and where the expression's first character stands; line 0: nowhere. */
struct pen_transform_expression {
    const char *name;
    const char *text; /* NULL: none (label, weight) */
    const char *file;
    int line, column;
};

struct pen_transform_raw_column {
    const char *name;
    enum pen_type type;
};

/* Rows for the analyzers, chunk after chunk, read several times. */
struct pen_transform_source {
    void *user;
    int64_t n_chunks;
    /* A batch with at least the named columns, valid until the next call. Dictionaries of CODES columns stay as they
     * are from call to call. */
    pen_status (*read)(void *user, int64_t chunk, const char *const *names, int64_t n_names, struct pen_batch *batch,
                       struct pen_error *err);
};

struct pen_communicator;

struct pen_transform_request {
    int64_t n_features;
    const struct pen_transform_expression *features;
    struct pen_transform_expression label, weight;
    enum pen_task task;   /* NONE: decided from the label's values */
    const char *positive; /* binary: the class counted as 1; NULL: the larger one */
    int64_t n_columns;
    const struct pen_transform_raw_column *columns; /* everything that may be named */
    struct pen_communicator *ranks; /* that share the analyzers, and end with the same graph; NULL: this one alone */
    const char *folder;             /* seen by all ranks, for their vocabularies; not needed by one */
};

PEN_API PEN_MUST_USE pen_status pen_transform_compile(struct pen_transform_graph **graph,
                                                      const struct pen_transform_request *request,
                                                      const struct pen_transform_source *rows, struct pen_exec *exec,
                                                      struct pen_error *err);

/* Writes graph.json and vocabulary files into an existing folder. */
PEN_API PEN_MUST_USE pen_status pen_transform_save(const struct pen_transform_graph *graph, const char *directory,
                                                   struct pen_error *err);

/* Dictionaries of the batches given to this scratch never change: string functions are then computed once per entry
 * for all batches together. */
PEN_API void pen_transform_scratch_keep_dictionaries(struct pen_transform_scratch *scratch);
/* Values of a dense column that were missing or not finite, and so became 0, since the scratch was made. */
PEN_API int64_t pen_transform_scratch_n_replaced(const struct pen_transform_scratch *scratch, int64_t dense_column);
/* Weights that were negative, and so became 0. */
PEN_API int64_t pen_transform_scratch_n_negative_weights(const struct pen_transform_scratch *scratch);

#ifdef __cplusplus
}
#endif

#endif
