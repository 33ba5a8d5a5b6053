/* What reader, printer and patch of schema.yaml share: names of the enums and reading from a parsed tree. */
#ifndef PEN_DATASETS_SCHEMA_SCHEMA_INTERNAL_H
#define PEN_DATASETS_SCHEMA_SCHEMA_INTERNAL_H

#include "datasets/schema/schema.h"

/* Index by the enums' values; NULL-terminated. Entry 0 of types, stages and derivers is "" (not said). */
extern const char *const pen_schema_type_names[];
extern const char *const pen_schema_stage_names[];
extern const char *const pen_schema_deriver_names[];
extern const char *const pen_schema_histogram_names[];

/* Fills a schema whose arena already holds the tree (strings are borrowed from it). */
PEN_MUST_USE pen_status pen_schema_from_tree(const struct pen_config_node *root, struct pen_schema *schema,
                                             struct pen_error *err);

#endif
