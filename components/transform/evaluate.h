/* Evaluation of a program over rows, tile by tile.
 *
 * An evaluator belongs to one thread and one program. Bound to a batch, it runs the program's steps over a tile of rows
 * at a time and hands values to its sink. Functions of one string are computed once per dictionary entry and kept;
 * strings made on the way are forgotten when they exceed PEN_EVALUATOR_CACHE_BYTES a node, so memory does not grow with
 * rows.
 *
 * On an exec whose memory is not the host's (places.c), nodes that are an op of the kernels run on the device and all
 * others on the host; a value moves when a node or a sink at the other place asks for it, and stays where it is as long
 * as none does. */
#ifndef PEN_COMPONENTS_TRANSFORM_EVALUATE_H
#define PEN_COMPONENTS_TRANSFORM_EVALUATE_H

#include "components/transform/program.h"
#include "kernels/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_EVALUATOR_CACHE_BYTES = 16 << 20, PEN_SLOT_ITEM_BYTES = 8 };

#define PEN_MISSING_INT INT64_MIN

/* Lists that codes point at: list c holds items starts[c] .. starts[c] + counts[c]. */
struct pen_lists {
    const int64_t *starts;
    const int32_t *counts;
    struct pen_entries strings; /* TOKENS: the items */
    const int32_t *ids;         /* ID_LIST: the items; -1 none */
    int64_t generation;
};

/* The values of one node for the rows of a tile: int64, double, int8, or int32 codes or ids, by type. */
struct pen_value {
    const void *data;                  /* on the host; NULL: on the device alone */
    const void *device;                /* NULL: on the host alone; always, where the device's memory is the host's */
    const struct pen_entries *entries; /* STRING */
    const struct pen_lists *lists;     /* TOKENS, ID_LIST */
};

/* What a node keeps from tile to tile. */
struct pen_cache {
    int64_t source_generation[2];
    uint8_t *known; /* [entries] computed already */
    int64_t known_capacity, n_clear;
    void *table; /* [entries] results of 1, 4 or 8 bytes */
    int64_t table_capacity;
    int64_t *starts; /* strings made, or lists */
    int32_t *sizes;
    char *bytes;
    int64_t starts_capacity, sizes_capacity, bytes_capacity, n_bytes;
    int64_t *item_starts; /* items of lists */
    int32_t *item_sizes;
    int64_t item_starts_capacity, item_sizes_capacity, n_items;
    int32_t *ids;
    int64_t ids_capacity;
    int32_t *places; /* UNIQUE: a table over one list */
    int64_t places_capacity;
    int32_t *todo; /* entries to compute now */
    int64_t todo_capacity;
    struct pen_key_map keys; /* strings made of other values */
    struct pen_entries entries;
    struct pen_lists lists;
};

struct pen_evaluator {
    const struct pen_transform_graph *graph;
    const struct pen_program *program;
    struct pen_exec *exec;
    struct pen_value *values;  /* [n_nodes] */
    struct pen_cache **caches; /* [n_nodes], NULL until needed */
    int64_t tile_rows;
    char *slots;                        /* [n_slots, tile_rows * 8 bytes] */
    char *device_slots;                 /* the same on a device with memory of its own, else NULL */
    uint8_t *uploading;                 /* [n_slots] the device may still be reading the host's slot */
    bool any_uploading;                 /* or a column of the batch */
    double **tables;                    /* [n_nodes] on the device, NULL until needed */
    const struct pen_column **columns;  /* [n_inputs] of the bound batch; NULL: absent */
    struct pen_entries *column_entries; /* [n_inputs] */
    bool keep_dictionaries;             /* batches share dictionaries that never change: entries stay known */
    bool constants_ready;
    int64_t generation;

    /* Takes e->values[node], and brings them first to where it wants them. */
    pen_status (*sink)(struct pen_evaluator *e, int32_t sink, int32_t node, int64_t first_row, int64_t n_rows,
                       struct pen_error *err);
    pen_status (*tile_done)(struct pen_evaluator *e, int64_t first_row, int64_t n_rows, struct pen_error *err);
    void *user;
};

/* sink, tile_done (NULL: nothing to do) and user are the caller's to set. tile_rows: pen_transform_tile_rows. */
PEN_MUST_USE pen_status pen_evaluator_init(struct pen_evaluator *e, const struct pen_transform_graph *graph,
                                           const struct pen_program *program, struct pen_exec *exec, int64_t tile_rows,
                                           struct pen_error *err);
void pen_evaluator_deinit(struct pen_evaluator *e);

/* All rows of the batch, in order. Columns are found by name. */
PEN_MUST_USE pen_status pen_evaluator_run(struct pen_evaluator *e, const struct pen_batch *batch,
                                          struct pen_error *err);

/* ---- places ---- */

/* Is the exec's memory another than the host's? */
bool pen_exec_is_apart(const struct pen_exec *exec);
static inline bool pen_evaluator_is_apart(const struct pen_evaluator *e)
{
    return e->device_slots != NULL;
}
/* The values as the ops of the exec read them, once they are there. */
static inline const void *pen_value_for_ops(const struct pen_evaluator *e, const struct pen_value *value)
{
    return pen_evaluator_is_apart(e) ? value->device : value->data;
}
/* Rows of a tile for outputs of n_dense numbers: what stays in the cache, or enough to keep a device busy. */
int64_t pen_transform_tile_rows(const struct pen_exec *exec, int64_t n_dense);
/* Rows of a task: a segment, or fewer so that the dense numbers of one stay near 16 MiB. */
int64_t pen_transform_segment_rows(int64_t n_dense);
/* Is this node an op of the kernels, which runs where the exec is? */
bool pen_node_is_kernel(enum pen_transform_op op);
bool pen_evaluator_runs_apart(const struct pen_evaluator *e, int32_t node);

/* Logs how many of the graph's functions run on a device, if the exec is one with memory of its own. */
void pen_transform_log_places(const struct pen_transform_graph *graph, const struct pen_exec *exec);

/* A queue of its own for thread `thread` (0: exec itself), on the CPU exec for all. Called by that thread. */
PEN_MUST_USE pen_status pen_queue_open(struct pen_exec **queue, struct pen_exec *exec, int thread,
                                       struct pen_error *err);
void pen_queue_close(struct pen_exec *queue, struct pen_exec *exec);

/* The node's values where they are wanted: at .device on a device with memory of its own, else at .data. */
PEN_MUST_USE pen_status pen_evaluator_bring(struct pen_evaluator *e, int32_t node, bool to_device, int64_t n,
                                            struct pen_error *err);
/* A constant array [n] as the ops of this node read it. */
PEN_MUST_USE pen_status pen_evaluator_table(struct pen_evaluator *e, int32_t node, const double *host, int64_t n,
                                            const double **table, struct pen_error *err);
/* Waits for the device if it may still be reading what the host is about to change. */
PEN_MUST_USE pen_status pen_evaluator_settle(struct pen_evaluator *e, struct pen_error *err);

/* Rows [first, first + n) of a batch, first a multiple of 8; columns: room for n_columns. */
void pen_transform_slice(const struct pen_batch *batch, int64_t first, int64_t n, struct pen_column *columns,
                         struct pen_batch *out);

/* ---- within the evaluator ---- */

/* The node's argument and its result, at the place where the node runs. */
const void *pen_evaluator_argument(const struct pen_evaluator *e, int32_t node, int argument);
void *pen_evaluator_slot(const struct pen_evaluator *e, int32_t node);
PEN_MUST_USE pen_status pen_evaluator_cache(struct pen_evaluator *e, int32_t node, struct pen_cache **cache,
                                            struct pen_error *err);
/* Forgets what the cache derived from other values, if they changed or it grew too large; keeps its memory. */
void pen_cache_refresh(struct pen_evaluator *e, struct pen_cache *cache, int64_t generation_a, int64_t generation_b);

PEN_MUST_USE pen_status pen_evaluate_column(struct pen_evaluator *e, int32_t node, int64_t first_row, int64_t n,
                                            struct pen_error *err);
PEN_MUST_USE pen_status pen_evaluate_number(struct pen_evaluator *e, int32_t node, int64_t n, struct pen_error *err);
/* What analyzers learned, applied: scaling, buckets, ranks, statistics of groups, classes. */
PEN_MUST_USE pen_status pen_evaluate_learned(struct pen_evaluator *e, int32_t node, int64_t n, struct pen_error *err);
PEN_MUST_USE pen_status pen_evaluate_string(struct pen_evaluator *e, int32_t node, int64_t n, struct pen_error *err);
PEN_MUST_USE pen_status pen_evaluate_made_string(struct pen_evaluator *e, int32_t node, int64_t n,
                                                 struct pen_error *err);

/* Of one entry, behind the cache's other items: words or parts of a text, which are parts of the source's bytes; the
 * first of equal tokens; n-grams by their first token, then by length (TFX's order), joined with one space. */
PEN_MUST_USE pen_status pen_compute_tokens(const struct pen_node *node, struct pen_cache *cache, int32_t entry,
                                           const struct pen_entries *source, const char *text, size_t size,
                                           struct pen_error *err);
PEN_MUST_USE pen_status pen_compute_unique(struct pen_cache *cache, int32_t entry, const struct pen_lists *tokens,
                                           struct pen_error *err);
PEN_MUST_USE pen_status pen_compute_ngrams(const struct pen_node *node, struct pen_cache *cache, int32_t entry,
                                           const struct pen_lists *tokens, struct pen_error *err);

/* The id of a string in a finished vocabulary: oov buckets behind it, else -1. */
int32_t pen_vocabulary_id(const struct pen_node *node, const struct pen_analysis *found, const char *text,
                          size_t size_bytes);
int64_t pen_date_part_of(int64_t seconds, enum pen_date_part part);

#ifdef __cplusplus
}
#endif

#endif
