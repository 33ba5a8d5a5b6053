/* The `strip` option: {income: '.'} takes the given characters off the end of a string column's cells, so that the
 * labels "<=50K." of one file and "<=50K" of another become one class. */
#ifndef PEN_COMPONENTS_EXAMPLE_GEN_STRIP_H
#define PEN_COMPONENTS_EXAMPLE_GEN_STRIP_H

#include "core/column.h"
#include "core/config.h"

struct pen_strip_column; /* one column's dictionary after stripping */

struct pen_strip {
    const struct pen_config_node *node; /* map: column -> characters; NULL: nothing to strip */
    struct pen_strip_column *columns;   /* one per member of the map */
    struct pen_column *changed;         /* the batch's columns after stripping */
    int64_t n_changed;
};

PEN_MUST_USE pen_status pen_strip_init(struct pen_strip *strip, const struct pen_config_node *node,
                                       struct pen_error *err);
/* Points batch->columns at columns whose string cells are stripped; they live until the next call. Codes never change
 * from batch to batch. */
PEN_MUST_USE pen_status pen_strip_apply(struct pen_strip *strip, struct pen_batch *batch, struct pen_error *err);
void pen_strip_deinit(struct pen_strip *strip);

#endif
