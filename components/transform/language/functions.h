/* From calls to nodes: what the compiler and the table of functions share. */
#ifndef PEN_COMPONENTS_TRANSFORM_LANGUAGE_FUNCTIONS_H
#define PEN_COMPONENTS_TRANSFORM_LANGUAGE_FUNCTIONS_H

#include "components/transform/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One expression while it is compiled. */
struct pen_builder {
    struct pen_transform_graph *graph;
    const struct pen_syntax_source *source;
    const struct pen_transform_raw_column *columns;
    int64_t n_columns;
    bool in_features;
    struct pen_error *err;
};

PEN_MUST_USE pen_status pen_function_build(struct pen_builder *b, const struct pen_syntax *call, int32_t *out);

PEN_MUST_USE pen_status pen_builder_compile(struct pen_builder *b, const struct pen_syntax *syntax, int32_t *out);
PEN_MUST_USE pen_status pen_builder_add(struct pen_builder *b, const struct pen_node *node, const struct pen_syntax *at,
                                        int32_t *out);
enum pen_value_type pen_builder_type(const struct pen_builder *b, int32_t node);

/* Conversions that lose nothing but missing; `who` speaks in the error when there is none. */
PEN_MUST_USE pen_status pen_builder_to_float(struct pen_builder *b, int32_t x, const struct pen_syntax *at,
                                             const char *who, int32_t *out);
PEN_MUST_USE pen_status pen_builder_to_int(struct pen_builder *b, int32_t x, const struct pen_syntax *at,
                                           const char *who, int32_t *out);
PEN_MUST_USE pen_status pen_builder_to_string(struct pen_builder *b, int32_t x, const struct pen_syntax *at,
                                              const char *who, int32_t *out);
/* Brings two values to one type: equal ones stay, numbers become FLOAT. */
PEN_MUST_USE pen_status pen_builder_unify(struct pen_builder *b, int32_t *x, int32_t *y, const struct pen_syntax *at_x,
                                          const struct pen_syntax *at_y, const char *who);

#ifdef __cplusplus
}
#endif

#endif
