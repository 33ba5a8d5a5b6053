/* A node's work as a file: what a launcher (mpirun, srun) gives its ranks, `penstock rank FILE`, on whatever machine
 * they are that sees the root. */
#ifndef PEN_ORCHESTRATOR_RUN_TASK_H
#define PEN_ORCHESTRATOR_RUN_TASK_H

#include "components/component.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_task {
    struct pen_arena arena; /* owns all below but the JSON */
    pen_json *document;
    const struct pen_component *component;
    struct pen_component_context context; /* without ranks and exec */
    double ranks_timeout_s;
};

PEN_MUST_USE pen_status pen_task_write(const char *path, const struct pen_component *component,
                                       const struct pen_component_context *context, double ranks_timeout_s,
                                       struct pen_error *err);

/* table ends with NULL: pen_components. Deinit it whatever is returned. */
PEN_MUST_USE pen_status pen_task_read(struct pen_task *task, const char *path, const struct pen_component *const *table,
                                      struct pen_error *err);
void pen_task_deinit(struct pen_task *task);

#ifdef __cplusplus
}
#endif

#endif
