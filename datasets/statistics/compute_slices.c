/* Slices of a split (compute_internal.h): columns are shared by the threads, and the rows of each chunk are sorted by
 * slice before they are given to the slices' profiles. */
#include "core/log.h"
#include "core/memory.h"
#include "datasets/statistics/compute_internal.h"

#include <string.h>

enum {
    SLICE_BINS = 4096,
    SLICE_DISTINCT = 4096,
    SLICE_COLLECT_BYTES = 64 << 20 /* keys sorted at the end, of all slices of a column */
};

/* Row numbers of a chunk sorted by slice, in order within each: slice s has [ends[s - 1], ends[s]). */
static void sort_by_slice(const struct plan *plan, struct scratch *scratch, int64_t chunk, int64_t n_rows,
                          int64_t n_slices)
{
    int64_t *ends = scratch->slice_ends;
    memset(ends, 0, (size_t)n_slices * sizeof *ends);
    for (int64_t row = 0; row < n_rows; row++) {
        if (scratch->ids[row] >= 0 && scratch->rows != NULL && !pen_plan_in_sample(plan, chunk, row)) {
            scratch->ids[row] = -1;
        }
        if (scratch->ids[row] >= 0) {
            ends[scratch->ids[row]]++;
        }
    }
    int64_t start = 0;
    for (int64_t slice = 0; slice < n_slices; slice++) {
        int64_t count = ends[slice];
        ends[slice] = start;
        start += count;
    }
    for (int64_t row = 0; row < n_rows; row++) {
        if (scratch->ids[row] >= 0) {
            scratch->slice_rows[ends[scratch->ids[row]]++] = (int32_t)row;
        }
    }
}

static pen_status accept_slices(const struct plan *plan, const struct pen_slice_index *index, struct scratch *scratch,
                                struct pen_profile **profiles, int64_t column, int64_t chunk, struct pen_error *err)
{
    struct pen_column view;
    int64_t n_slices = pen_slice_index_n_slices(index), start = 0;
    PEN_TRY(pen_plan_read_chunk(plan, scratch, column, chunk, &view, err));
    PEN_TRY(pen_slice_index_rows(index, &scratch->slices, chunk, scratch->ids, err));
    sort_by_slice(plan, scratch, chunk, view.n_rows, n_slices);
    for (int64_t slice = 0; slice < n_slices; slice++) {
        int64_t end = scratch->slice_ends[slice];
        if (end > start && profiles[slice] != NULL) {
            PEN_TRY(pen_profile_accept(profiles[slice], &view, chunk, scratch->slice_rows + start, end - start,
                                       pen_plan_weights(plan, scratch, column), err));
        }
        start = end;
    }
    return PEN_OK;
}

static int64_t n_codes(const struct plan *plan, struct scratch *scratch, int64_t column)
{
    struct pen_column view;
    if (plan->source->type(plan->source->user, column) != PEN_TYPE_CODES || plan->source->n_chunks == 0 ||
        plan->source->read(plan->source->user, column, plan->source->n_chunks - 1, &scratch->buffer, &view, NULL) !=
            PEN_OK ||
        view.dictionary == NULL) {
        return 0;
    }
    return view.dictionary->n_entries;
}

static pen_status create_slices(const struct plan *plan, const struct pen_slice_index *index, struct scratch *scratch,
                                int64_t column, struct pen_profile **profiles, struct pen_error *err)
{
    int64_t n_slices = pen_slice_index_n_slices(index);
    int64_t memory_bytes = plan->options->memory_bytes / plan->n_threads;
    struct pen_profile_options options = pen_plan_profile_options(plan, column, memory_bytes / n_slices);
    options.max_bins = SLICE_BINS;
    options.max_collect = SLICE_COLLECT_BYTES / (int64_t)sizeof(uint64_t) / n_slices;
    options.max_distinct_numbers = options.max_distinct_numbers != 0 ? options.max_distinct_numbers : SLICE_DISTINCT;
    options.sequential = true;
    int64_t counter_bytes = (int64_t)sizeof(int64_t) * (options.weighted ? 2 : 1);
    options.count_in_table = n_codes(plan, scratch, column) * counter_bytes * n_slices > memory_bytes;
    for (int64_t slice = 0; slice < n_slices; slice++) {
        PEN_TRY(pen_profile_create(&profiles[slice], plan->source->type(plan->source->user, column), &options, err));
    }
    return PEN_OK;
}

/* features: [n_slices][n_columns], this column's entry of each slice. */
static pen_status slice_column(const struct plan *plan, const struct pen_slice_index *index, int64_t column,
                               struct pen_arena *arena, struct pen_feature_statistics *features, struct pen_error *err)
{
    int64_t n_slices = pen_slice_index_n_slices(index);
    struct pen_profile **profiles = NULL, **unfinished = NULL;
    struct scratch scratch;
    pen_status status = pen_scratch_init(&scratch, plan, index, err);
    if (status != PEN_OK) {
        goto cleanup;
    }
    PEN_ALLOC_GOTO(cleanup, profiles, n_slices, err);
    PEN_ALLOC_GOTO(cleanup, unfinished, n_slices, err);
    PEN_TRY_GOTO(cleanup, create_slices(plan, index, &scratch, column, profiles, err));
    memcpy(unfinished, profiles, (size_t)n_slices * sizeof(*profiles));
    for (bool any = true; any;) {
        for (int64_t chunk = 0; chunk < plan->source->n_chunks; chunk++) {
            PEN_TRY_GOTO(cleanup, accept_slices(plan, index, &scratch, unfinished, column, chunk, err));
        }
        any = false;
        for (int64_t slice = 0; slice < n_slices; slice++) {
            bool again = false;
            if (unfinished[slice] != NULL) {
                PEN_TRY_GOTO(cleanup, pen_profile_end_sweep(unfinished[slice], &again, err));
                unfinished[slice] = again ? unfinished[slice] : NULL;
            }
            any = any || again;
        }
    }
    for (int64_t slice = 0; slice < n_slices; slice++) {
        PEN_TRY_GOTO(cleanup, pen_plan_finish_profile(profiles[slice], plan->source->name(plan->source->user, column),
                                                      arena, &features[slice * plan->n_columns], err));
    }
cleanup:
    for (int64_t slice = 0; profiles != NULL && slice < n_slices; slice++) {
        pen_profile_destroy(profiles[slice]);
    }
    pen_free(profiles);
    pen_free(unfinished);
    pen_scratch_deinit(&scratch);
    return status;
}

pen_status pen_plan_all_slices(const struct plan *plan, const struct pen_slice_index *index, struct pen_arena *arena,
                               struct pen_feature_statistics *features, struct pen_error *err)
{
    struct failure failure = {0};
    int64_t n_done = 0;
#pragma omp parallel for schedule(dynamic, 1) num_threads(plan->n_threads)
    for (int64_t i = 0; i < plan->n_columns; i++) {
        struct pen_error local = PEN_ERROR_INIT;
        if (failure.status == PEN_OK) {
            pen_failure_note(&failure, i, slice_column(plan, index, plan->columns[i], arena, &features[i], &local),
                             &local);
#pragma omp critical(pen_statistics_progress)
            pen_progress("slices", ++n_done, plan->n_columns, "features", "split %s", plan->source->split);
        }
    }
    return pen_failure_report(&failure, err);
}
