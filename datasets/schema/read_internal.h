/* What the readers of schema.yaml share. */
#ifndef PEN_DATASETS_SCHEMA_READ_INTERNAL_H
#define PEN_DATASETS_SCHEMA_READ_INTERNAL_H

#include "datasets/schema/schema_internal.h"

struct pen_schema_reader {
    struct pen_schema *schema; /* domains are read before features */
    struct pen_arena *arena;
    struct pen_error *err;
};

bool pen_schema_given(const struct pen_config_node *node); /* there, and not null */

/* Errors at a node's place: "option NAME: expected WHAT, found ...". */
pen_status pen_schema_expected(struct pen_schema_reader *reader, const struct pen_config_node *node, const char *name,
                               const char *what);
pen_status pen_schema_out_of_memory(struct pen_schema_reader *reader);

/* A scalar that is none of the names: `expected` with the nearest of them. */
pen_status pen_schema_unknown_name(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                   const char *name, const char *what, const char *const *names, int64_t n_names);

/* Index of the scalar in names[first ..], with the nearest name in the error. */
PEN_MUST_USE pen_status pen_schema_read_choice(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                               const char *name, const char *const *names, int first, const char *what,
                                               int *value);
/* {min, max} of counts, or one number for both; -1 where not given. */
PEN_MUST_USE pen_status pen_schema_read_count_range(struct pen_schema_reader *reader,
                                                    const struct pen_config_node *node, const char *name, int64_t *low,
                                                    int64_t *high);
/* 0 to 1; -1 where not given. */
PEN_MUST_USE pen_status pen_schema_read_threshold(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                                  const char *name, double *threshold);
PEN_MUST_USE pen_status pen_schema_read_severities(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                                   struct pen_schema_severities *list);
/* A list of scalars. */
PEN_MUST_USE pen_status pen_schema_read_strings(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                                const char *name, struct pen_config_strings *list);

/* UNSET where not given. */
PEN_MUST_USE pen_status pen_schema_read_stage(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                              enum pen_schema_stage *stage);

PEN_MUST_USE pen_status pen_schema_read_language(struct pen_schema_reader *reader, const struct pen_config_node *node,
                                                 const struct pen_schema_language **language);
/* After the features. */
PEN_MUST_USE pen_status pen_schema_read_compounds(struct pen_schema_reader *reader, enum pen_schema_compound_kind kind,
                                                  const struct pen_config_node *node);
PEN_MUST_USE pen_status pen_schema_read_feature(struct pen_schema_reader *reader, const char *name,
                                                const struct pen_config_node *node, struct pen_schema_feature *feature);

#endif
