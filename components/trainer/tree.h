/* A copy of a folder of plain files: how the transform graph comes into the model. */
#ifndef PEN_COMPONENTS_TRAINER_TREE_H
#define PEN_COMPONENTS_TRAINER_TREE_H

#include "core/memory.h"

/* Creates `to` and copies the files and folders of `from` into it, except the artifact's manifest. Links and special
 * files are refused; at most 16 levels. */
PEN_MUST_USE pen_status pen_trainer_copy_tree(struct pen_arena *arena, const char *from, const char *to,
                                              struct pen_error *err);

#endif
