/* Statistics by several ranks: each takes some of the features and reads the chunks of those alone; rank 0 puts the
 * documents together. A feature is measured by one rank from all its rows, so the figures are those of one rank to the
 * last bit. */
#ifndef PEN_COMPONENTS_STATISTICS_GEN_SHARE_H
#define PEN_COMPONENTS_STATISTICS_GEN_SHARE_H

#include "core/communicator.h"
#include "datasets/statistics/compute.h"

/* This rank's part of the features that options allow: into options->allowed, in the arena, and of the vocabularies; a
 * label feature is everybody's. *none: there are fewer features than ranks, and none is left for this one. Rank 0
 * always has one when there is any. */
PEN_MUST_USE pen_status pen_statistics_share(struct pen_arena *arena, const struct pen_communicator *ranks,
                                             const struct pen_statistics_source *source,
                                             struct pen_statistics_options *options, bool *none, struct pen_error *err);

/* document: that of this rank's features (pen_statistics_to_json). On rank 0 it gets those of all, in the order of the
 * source's columns. */
PEN_MUST_USE pen_status pen_statistics_join(struct pen_communicator *ranks, pen_json *document,
                                            const struct pen_statistics_source *source, struct pen_error *err);

#endif
