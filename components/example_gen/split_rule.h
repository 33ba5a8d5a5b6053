/* Which split a row belongs to.
 *
 *   split: {train: 2, eval: 1}                                     hash of the whole row (TFX's rule)
 *   split: {by: column, column: user, buckets: {train: 2, eval: 1}} hash of one column: its rows stay together
 *   split: {by: time, column: day, before: 20240301}               smaller goes to train, the rest to eval
 *   split: {by: row, every: 5, index: 4}                           row i to eval when i % 5 == 4, else to train
 *   split: {by: stratified, column: label, buckets: {...}}         every class in the buckets' proportion, to one row
 *
 * Nothing depends on threads or on the size of batches. */
#ifndef PEN_COMPONENTS_EXAMPLE_GEN_SPLIT_RULE_H
#define PEN_COMPONENTS_EXAMPLE_GEN_SPLIT_RULE_H

#include "core/column.h"
#include "core/config.h"

enum pen_split_by { PEN_SPLIT_HASH, PEN_SPLIT_COLUMN, PEN_SPLIT_TIME, PEN_SPLIT_ROW, PEN_SPLIT_STRATIFIED };

struct pen_split_class; /* counts of one class of a stratified split */

struct pen_split_rule {
    enum pen_split_by by;
    int64_t n_splits;
    const char *const *names;
    const int64_t *buckets;                           /* HASH, COLUMN, STRATIFIED: sizes */
    int64_t n_buckets;                                /* their sum */
    const char *column;                               /* COLUMN, TIME, STRATIFIED */
    const struct pen_config_node *node, *column_node; /* for messages */
    const char *before;                               /* TIME */
    double before_number;
    bool before_is_number;
    int64_t every, index; /* ROW */
    /* state of a stratified split */
    struct pen_split_class *classes;
    int64_t n_classes, capacity;
};

/* NULL node: {train: 2, eval: 1}. Strings in the arena. */
PEN_MUST_USE pen_status pen_split_rule_parse(struct pen_arena *arena, const struct pen_config_node *node,
                                             struct pen_split_rule *rule, struct pen_error *err);
/* Forgets rows seen: before the first row, and when the input begins again. */
void pen_split_rule_reset(struct pen_split_rule *rule);
/* splits[batch->n_rows]: index into names. Batches come in row order. */
PEN_MUST_USE pen_status pen_split_rule_assign(struct pen_split_rule *rule, const struct pen_batch *batch,
                                              int32_t *splits, struct pen_error *err);

#endif
