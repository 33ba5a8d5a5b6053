/* Looking up splits, slices and features in statistics. */
#include "datasets/statistics/statistics.h"

#include <string.h>

void pen_statistics_deinit(struct pen_statistics *statistics)
{
    pen_arena_deinit(&statistics->arena);
    memset(statistics, 0, sizeof *statistics);
}

const struct pen_split_statistics *pen_statistics_find_split(const struct pen_statistics *statistics, const char *split,
                                                             const char *slice)
{
    for (int64_t i = 0; i < statistics->n_splits; i++) {
        const struct pen_split_statistics *candidate = &statistics->splits[i];
        if (strcmp(candidate->split, split) == 0 && strcmp(candidate->slice, slice == NULL ? "" : slice) == 0) {
            return candidate;
        }
    }
    return NULL;
}

const struct pen_feature_statistics *pen_statistics_find_feature(const struct pen_split_statistics *split,
                                                                 const char *name)
{
    for (int64_t i = 0; i < split->n_features; i++) {
        if (strcmp(split->features[i].name, name) == 0) {
            return &split->features[i];
        }
    }
    return NULL;
}
