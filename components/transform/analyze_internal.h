/* Gathering for analyzers and concluding from it: the parts of an analysis pass. */
#ifndef PEN_COMPONENTS_TRANSFORM_ANALYZE_INTERNAL_H
#define PEN_COMPONENTS_TRANSFORM_ANALYZE_INTERNAL_H

#include "components/transform/evaluate.h"
#include "components/transform/sketch.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_gathering { PEN_GATHER_MOMENTS, PEN_GATHER_VALUES, PEN_GATHER_STRINGS, PEN_GATHER_NUMBERS };

/* Counts of distinct 64-bit values. */
struct pen_number_counts {
    struct pen_key_map map;
    uint64_t *keys; /* by number */
    int64_t *counts;
    int64_t keys_capacity, counts_capacity;
};

/* What one thread gathers for one analyzer: a segment's moments or values, or counts of all its segments. */
struct pen_gathered {
    struct pen_column_moments moments;
    double *values;
    int64_t n_values, values_capacity;
    struct pen_string_table *strings;
    struct pen_number_counts numbers;
    bool many;
    int64_t *code_counts; /* of a tile, zero between tiles */
    int64_t code_counts_capacity, n_code_counts;
    int32_t *touched;
};

struct pen_analyzer_total {
    int32_t node;
    enum pen_gathering kind;
    struct pen_column_moments moments;
    struct pen_sketch sketch;
};

/* How the analyzer at this node gathers. */
enum pen_gathering pen_gathering_of(const struct pen_transform_graph *graph, int32_t node);

PEN_MUST_USE pen_status pen_gathered_init(struct pen_gathered *gathered, enum pen_gathering kind,
                                          struct pen_error *err);
void pen_gathered_deinit(struct pen_gathered *gathered);
/* The rows of a tile. */
PEN_MUST_USE pen_status pen_gather(struct pen_gathered *gathered, const struct pen_transform_graph *graph,
                                   struct pen_exec *exec, const struct pen_analyzer_total *total,
                                   const struct pen_value *value, int64_t n, struct pen_error *err);
/* Of a segment, in row order; the gathered is then as at its start, but for counts. */
PEN_MUST_USE pen_status pen_gathered_add_segment(struct pen_analyzer_total *total, struct pen_gathered *gathered,
                                                 struct pen_error *err);
/* One thread's counts into another's, which are then no more. */
PEN_MUST_USE pen_status pen_gathered_merge_counts(struct pen_gathered *to, struct pen_gathered *from,
                                                  struct pen_error *err);
int64_t pen_gathered_n_distinct(const struct pen_gathered *gathered);
/* More distinct values than are counted: of a label's classes it is noted, else it is an error. */
PEN_MUST_USE pen_status pen_gathered_check_distinct(struct pen_gathered *gathered,
                                                    const struct pen_transform_graph *graph, int32_t node,
                                                    struct pen_error *err);

/* What the analyzer found, from all rows; counts are those of `gathered`. */
PEN_MUST_USE pen_status pen_conclude(struct pen_transform_graph *graph, struct pen_analyzer_total *total,
                                     const struct pen_gathered *gathered, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
