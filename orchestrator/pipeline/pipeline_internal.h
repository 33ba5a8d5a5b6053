/* Between the files that read a pipeline. */
#ifndef PEN_ORCHESTRATOR_PIPELINE_INTERNAL_H
#define PEN_ORCHESTRATOR_PIPELINE_INTERNAL_H

#include "orchestrator/pipeline/pipeline.h"

enum { MOST_NAMES = 256 };

/* Makes the nodes of the file's sections, in order. */
PEN_MUST_USE pen_status pen_pipeline_build(struct pen_pipeline *pipeline, const struct pen_config_node *root,
                                           const struct pen_component *const *table, struct pen_error *err);
int64_t pen_pipeline_index(const struct pen_pipeline *pipeline, const char *name); /* -1: there is none */

/* Each input from the standard node its port names. */
PEN_MUST_USE pen_status pen_pipeline_wire(struct pen_pipeline *pipeline, struct pen_node *node, struct pen_error *err);
/* One input as `inputs:` says: member `index` of the map. */
PEN_MUST_USE pen_status pen_pipeline_wire_input(struct pen_pipeline *pipeline, struct pen_node *node,
                                                const struct pen_config_node *map, int64_t index,
                                                struct pen_error *err);
/* Each node after those it depends on. */
PEN_MUST_USE pen_status pen_pipeline_sort(struct pen_pipeline *pipeline, const struct pen_config_node *root,
                                          struct pen_error *err);

/* "<what> 'key'; did you mean ...", at key `index` of the map. */
pen_status pen_pipeline_unknown(const struct pen_config_node *map, int64_t index, const char *what,
                                const char *const *known, int64_t n_known, struct pen_error *err);
pen_status pen_pipeline_no_memory(struct pen_error *err);

#endif
