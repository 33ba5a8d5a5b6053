/* The files of a model folder: listed, hashed, copied; plain files only, no link is ever followed. */
#ifndef PEN_COMPONENTS_PUSHER_TREE_H
#define PEN_COMPONENTS_PUSHER_TREE_H

#include "core/hash.h"
#include "core/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_tree_file {
    const char *path; /* relative: "transform/graph.json" */
    int64_t size_bytes;
    char sha256[PEN_SHA256_HEX_BYTES];
};

struct pen_tree {
    const struct pen_tree_file *files; /* sorted by path */
    int64_t n_files;
    char digest[PEN_SHA256_HEX_BYTES]; /* of all paths, sizes and digests */
};

/* Lists and hashes directory/model.json, weights.bin and transform/ (all below it). Strings in the arena. */
PEN_API PEN_MUST_USE pen_status pen_model_tree(struct pen_arena *arena, const char *directory, struct pen_tree *tree,
                                               struct pen_error *err);

/* Copies the tree's files from directory into `to` (existing, empty); fails when the bytes no longer are the listed
 * ones. Nothing is synced. */
PEN_API PEN_MUST_USE pen_status pen_tree_copy(const struct pen_tree *tree, const char *directory, const char *to,
                                              struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
