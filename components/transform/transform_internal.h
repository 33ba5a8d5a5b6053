/* The parts of the Transform component: options to a request, a store's rows as batches, a split transformed. */
#ifndef PEN_COMPONENTS_TRANSFORM_TRANSFORM_INTERNAL_H
#define PEN_COMPONENTS_TRANSFORM_TRANSFORM_INTERNAL_H

#include "components/component.h"
#include "components/transform/compile.h"
#include "datasets/store/store.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_transform_options {
    const struct pen_config_node *features, *label, *weight;
    int task;
    const char *positive;
    const char *analyze;
};

/* Expressions and typed columns; features nobody wrote are chosen from the statistics. Lives in the context's arena. */
PEN_MUST_USE pen_status pen_transform_make_request(struct pen_component_context *context,
                                                   const struct pen_transform_options *options,
                                                   const struct pen_store *store, struct pen_transform_request *request,
                                                   struct pen_error *err);

/* Are the expressions of the options ones of the language? Columns are not looked at. */
PEN_MUST_USE pen_status pen_transform_check_syntax(struct pen_arena *arena, const struct pen_transform_options *options,
                                                   struct pen_error *err);

/* A store read chunk after chunk: the columns named in a call, in their order. */
struct pen_transform_rows {
    const struct pen_store *store;
    int64_t n_columns;
    struct pen_store_buffer *buffers; /* [n_columns] */
    struct pen_column *columns;
};
PEN_MUST_USE pen_status pen_transform_rows_open(struct pen_component_context *context, struct pen_transform_rows *rows,
                                                const struct pen_store *store, int64_t n_columns,
                                                struct pen_error *err);
void pen_transform_rows_close(struct pen_transform_rows *rows);
/* A pen_transform_source's read; user: struct pen_transform_rows. */
PEN_MUST_USE pen_status pen_transform_rows_read(void *user, int64_t chunk, const char *const *names, int64_t n_names,
                                                struct pen_batch *batch, struct pen_error *err);

/* The graph applied to a split's rows, into the tensor store of that split. */
PEN_MUST_USE pen_status pen_transform_apply_split(struct pen_component_context *context,
                                                  const struct pen_transform_graph *graph,
                                                  const struct pen_store *store, const char *split,
                                                  struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
