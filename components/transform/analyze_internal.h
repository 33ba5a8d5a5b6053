/* Gathering for analyzers and concluding from it: the parts of an analysis pass.
 *
 * What depends on the order of rows (sums, sketches) is gathered segment by segment and joins the total in row order;
 * counts, which do not, are gathered thread by thread. */
#ifndef PEN_COMPONENTS_TRANSFORM_ANALYZE_INTERNAL_H
#define PEN_COMPONENTS_TRANSFORM_ANALYZE_INTERNAL_H

#include "components/transform/counts.h"
#include "components/transform/evaluate.h"
#include "components/transform/sketch.h"
#include "kernels/columns/columns.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_gathering {
    PEN_GATHER_MOMENTS,
    PEN_GATHER_SUM,
    PEN_GATHER_VALUES,     /* for a sketch */
    PEN_GATHER_MOMENTS_BY, /* of each group */
    PEN_GATHER_VALUES_BY,
    PEN_GATHER_COUNTS,
    PEN_GATHER_DOCUMENTS /* rows in which each id occurs */
};

/* Of one segment for one analyzer. */
struct pen_gathered {
    struct pen_column_moments moments;
    double sum, lost; /* Neumaier's: the sum, and what its roundings lost */
    double *values;
    int32_t *groups;
    int64_t n_values;
    int64_t values_capacity, groups_capacity;
};

/* Of all segments of one thread for one analyzer. */
struct pen_thread_counts {
    struct pen_string_table *table;
    bool many;
    int64_t *code_counts; /* by code, not in the table yet; zero but for the touched ones */
    int32_t *touched;
    int64_t code_counts_capacity, n_codes, touched_capacity, n_touched;
    const struct pen_entries *entries; /* of the touched codes */
    int64_t *documents, *last_row;     /* [n_values]; last_row: where the id was seen last, from 1 */
    int64_t n_values, n_rows;
};

struct pen_group {
    int64_t n;
    double mean, m2, min, max, sum, lost;
};

struct pen_analyzer_total {
    int32_t node;
    enum pen_gathering kind;
    struct pen_column_moments moments;
    double sum, lost;
    struct pen_sketch sketch;
    int64_t n_groups; /* of the BY kinds and of documents */
    struct pen_group *groups;
    struct pen_sketch *sketches;
    struct pen_counts *counts;
    bool all_swept; /* COUNTS: no further sweep is needed */
};

/* How the analyzer at this node gathers. */
enum pen_gathering pen_gathering_of(const struct pen_transform_graph *graph, int32_t node);
/* The order in which the values counted for this node are kept. */
pen_counted_order_fn *pen_counting_order(const struct pen_transform_graph *graph, int32_t node);

PEN_MUST_USE pen_status pen_total_init(struct pen_analyzer_total *total, const struct pen_transform_graph *graph,
                                       int32_t node, struct pen_counts *counts, struct pen_error *err);
void pen_total_deinit(struct pen_analyzer_total *total);

void pen_gathered_deinit(struct pen_gathered *gathered);
PEN_MUST_USE pen_status pen_thread_counts_init(struct pen_thread_counts *counts, const struct pen_analyzer_total *total,
                                               struct pen_error *err);
void pen_thread_counts_deinit(struct pen_thread_counts *counts);

/* The rows of a tile: the values an analyzer stands over, or (first) their groups; on the host, of the MOMENTS kind
 * where the exec's ops run. part: where the MOMENTS kind writes its own, memory of the exec. */
PEN_MUST_USE pen_status pen_gather(const struct pen_evaluator *e, const struct pen_analyzer_total *total,
                                   struct pen_gathered *gathered, struct pen_thread_counts *counts,
                                   struct pen_column_moments *part, bool groups, const struct pen_value *value,
                                   int64_t n, struct pen_error *err);
/* pen_gather of the counting kinds. */
PEN_MUST_USE pen_status pen_gather_counts(const struct pen_evaluator *e, const struct pen_analyzer_total *total,
                                          struct pen_thread_counts *counts, const struct pen_value *value, int64_t n,
                                          struct pen_error *err);
/* In row order; the gathered is then empty again. */
PEN_MUST_USE pen_status pen_total_add_segment(struct pen_analyzer_total *total, struct pen_gathered *gathered,
                                              struct pen_error *err);
/* Counts of all threads into the first one's, of those that hold more than n_kept values; too many are cut. */
PEN_MUST_USE pen_status pen_total_merge_counts(const struct pen_analyzer_total *total,
                                               const struct pen_transform_graph *graph,
                                               struct pen_thread_counts *threads, int n_threads, int64_t n_kept,
                                               struct pen_error *err);

/* Once all rows are merged: sketches sorted, the best counts kept. Analyzers may be finished in parallel, then they are
 * concluded one by one: what is found lives in the graph's arena. counts: those of the first thread. */
PEN_MUST_USE pen_status pen_total_finish(struct pen_analyzer_total *total, const struct pen_thread_counts *counts,
                                         struct pen_error *err);
/* What the analyzer found. found->done stays false when the rows have to be swept again. */
PEN_MUST_USE pen_status pen_conclude(struct pen_transform_graph *graph, const struct pen_analyzer_total *total,
                                     const struct pen_thread_counts *counts, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
