/* The driver of statistics (compute.h): for each split its whole columns, then its slices, joined into one list. */
#include "datasets/statistics/compute.h"

#include "core/memory.h"
#include "datasets/statistics/compute_internal.h"

#include <math.h>
#include <string.h>

/* By any feature that has the weights of weight_feature. */
static double total_weight(const struct plan *plan, const struct pen_feature_statistics *features)
{
    for (int64_t i = 0; i < plan->n_columns && plan->weight_column >= 0; i++) {
        if (plan->weights_of[plan->columns[i]] == plan->weight_column) {
            return features[i].weighted_present + features[i].weighted_missing;
        }
    }
    return NAN;
}

/* A growing list of splits and slices, before it goes to the arena. */
struct results {
    int64_t n_items, capacity;
    struct pen_split_statistics *items;
};

static pen_status add_result(const struct plan *plan, struct results *results, struct pen_arena *arena,
                             const char *slice, const struct pen_feature_statistics *features, struct pen_error *err)
{
    void *memory = results->items;
    pen_status status = pen_grow(&memory, &results->capacity, results->n_items + 1, sizeof *results->items, err);
    results->items = memory;
    PEN_TRY(status);
    struct pen_split_statistics *item = &results->items[results->n_items++];
    *item = (struct pen_split_statistics){.split = pen_arena_strdup(arena, plan->source->split),
                                          .slice = pen_arena_strdup(arena, slice),
                                          .n_rows = plan->n_columns > 0 ? features[0].n_rows : plan->source->n_rows,
                                          .weighted_rows = total_weight(plan, features),
                                          .n_features = plan->n_columns,
                                          .features = features};
    bool tells = plan->label_column >= 0 && slice[0] == '\0';
    item->label = tells ? pen_arena_strdup(arena, plan->options->label_feature) : NULL;
    if (item->split == NULL || item->slice == NULL || (tells && item->label == NULL)) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: statistics of split %s", plan->source->split);
    }
    return PEN_OK;
}

static pen_status one_slicing(const struct plan *plan, const struct pen_slicing *slicing, struct pen_arena *arena,
                              struct results *results, struct pen_error *err)
{
    struct pen_slice_index *index = NULL;
    PEN_TRY(pen_slice_index_create(&index, plan->source, slicing, plan->options->max_slices, err));
    int64_t n_slices = pen_slice_index_n_slices(index);
    struct pen_feature_statistics *features = pen_arena_alloc(arena, n_slices * plan->n_columns + 1, sizeof *features);
    pen_status status = PEN_OK;
    if (features == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: statistics of %lld slices", (long long)n_slices);
    }
    if (n_slices == 0) {
        goto cleanup;
    }
    PEN_TRY_GOTO(cleanup, pen_plan_all_slices(plan, index, arena, features, err));
    for (int64_t slice = 0; slice < n_slices; slice++) {
        PEN_TRY_GOTO(cleanup, add_result(plan, results, arena, pen_slice_index_name(index, slice),
                                         features + slice * plan->n_columns, err));
    }
cleanup:
    pen_slice_index_destroy(index);
    return status;
}

static pen_status one_source(const struct pen_statistics_source *source, const struct pen_statistics_options *options,
                             struct pen_arena *arena, struct results *whole, struct results *slices,
                             struct pen_error *err)
{
    struct plan plan;
    pen_status status = PEN_OK;
    PEN_TRY_GOTO(cleanup, pen_plan_init(&plan, source, options, err));
    struct pen_feature_statistics *features = pen_arena_alloc(arena, plan.n_columns + 1, sizeof *features);
    if (features == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: statistics of split %s", source->split);
    }
    PEN_TRY_GOTO(cleanup, pen_plan_whole_split(&plan, arena, features, err));
    if (plan.label_column >= 0) {
        PEN_TRY_GOTO(cleanup, pen_plan_label(&plan, arena, features, err));
    }
    PEN_TRY_GOTO(cleanup, add_result(&plan, whole, arena, "", features, err));
    for (int64_t i = 0; i < options->n_slicings; i++) {
        if (options->slicings[i].n_items > 0) {
            PEN_TRY_GOTO(cleanup, one_slicing(&plan, &options->slicings[i], arena, slices, err));
        }
    }
cleanup:
    pen_plan_deinit(&plan);
    return status;
}

static pen_status join_results(struct pen_statistics *statistics, const struct results *whole,
                               const struct results *slices, struct pen_error *err)
{
    int64_t n = whole->n_items + slices->n_items;
    struct pen_split_statistics *list = pen_arena_alloc(&statistics->arena, n + 1, sizeof *list);
    if (list == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: statistics of %lld splits and slices", (long long)n);
    }
    for (int64_t i = 0; i < n; i++) {
        list[i] = i < whole->n_items ? whole->items[i] : slices->items[i - whole->n_items];
    }
    statistics->n_splits = n;
    statistics->splits = list;
    return PEN_OK;
}

pen_status pen_statistics_compute(struct pen_statistics *statistics, const struct pen_statistics_source *sources,
                                  int64_t n_sources, const struct pen_statistics_options *options,
                                  struct pen_error *err)
{
    struct results whole = {0}, slices = {0};
    pen_status status = PEN_OK;
    *statistics = (struct pen_statistics){0};
    for (int64_t i = 0; i < n_sources; i++) {
        PEN_TRY_GOTO(cleanup, one_source(&sources[i], options, &statistics->arena, &whole, &slices, err));
    }
    PEN_TRY_GOTO(cleanup, join_results(statistics, &whole, &slices, err));
cleanup:
    pen_free(whole.items);
    pen_free(slices.items);
    if (status != PEN_OK) {
        pen_statistics_deinit(statistics);
    }
    return status;
}
