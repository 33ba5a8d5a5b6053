/* Whole columns of a split (compute_internal.h). Many chunks: one column after another, its chunks shared by the
 * threads. Few chunks, or a column whose chunks must come in order (text, weights): columns are shared by the
 * threads. */
#include "core/log.h"
#include "datasets/statistics/compute_internal.h"

static pen_status sweep_in_order(const struct plan *plan, struct pen_profile *profile, int64_t column,
                                 struct pen_error *err)
{
    struct scratch scratch;
    pen_status status = pen_scratch_init(&scratch, plan, NULL, err);
    for (int64_t chunk = 0; status == PEN_OK && chunk < plan->source->n_chunks; chunk++) {
        status = pen_plan_accept_chunk(plan, &scratch, profile, column, chunk, err);
    }
    pen_scratch_deinit(&scratch);
    return status;
}

static pen_status sweep_parallel(const struct plan *plan, struct pen_profile *profile, int64_t column,
                                 struct pen_error *err)
{
    struct failure failure = {0};
#pragma omp parallel num_threads(plan->n_threads)
    {
        struct pen_error local = PEN_ERROR_INIT;
        struct scratch scratch;
        struct pen_profile *fork = NULL;
        pen_status status = pen_scratch_init(&scratch, plan, NULL, &local);
        if (status == PEN_OK) {
            status = pen_profile_fork(&fork, profile, &local);
        }
        pen_failure_note(&failure, -1, status, &local);
#pragma omp for schedule(dynamic, 1)
        for (int64_t chunk = 0; chunk < plan->source->n_chunks; chunk++) {
            if (status == PEN_OK) {
                status = pen_plan_accept_chunk(plan, &scratch, fork, column, chunk, &local);
                pen_failure_note(&failure, chunk, status, &local);
            }
        }
        if (status == PEN_OK) {
#pragma omp critical(pen_statistics_merge)
            status = pen_profile_merge(profile, fork, &local);
            pen_failure_note(&failure, plan->source->n_chunks, status, &local);
        }
        pen_profile_destroy(fork);
        pen_scratch_deinit(&scratch);
    }
    return pen_failure_report(&failure, err);
}

static pen_status whole_column(const struct plan *plan, int64_t column, bool parallel, struct pen_arena *arena,
                               struct pen_feature_statistics *feature, struct pen_error *err)
{
    const struct pen_statistics_source *source = plan->source;
    struct pen_profile *profile = NULL;
    int64_t memory_bytes = plan->options->memory_bytes / plan->n_threads;
    struct pen_profile_options options = pen_plan_profile_options(plan, column, memory_bytes);
    options.sequential = !parallel;
    options.list_all = plan->vocabulary[column];
    pen_status status = PEN_OK;
    PEN_TRY(pen_profile_create(&profile, source->type(source->user, column), &options, err));
    for (bool again = true; again;) {
        PEN_TRY_GOTO(cleanup, parallel ? sweep_parallel(plan, profile, column, err)
                                       : sweep_in_order(plan, profile, column, err));
        PEN_TRY_GOTO(cleanup, pen_profile_end_sweep(profile, &again, err));
    }
    PEN_TRY_GOTO(cleanup, pen_plan_finish_profile(profile, source->name(source->user, column), arena, feature, err));
cleanup:
    pen_profile_destroy(profile);
    return status;
}

static bool is_parallel(const struct plan *plan, int64_t column)
{
    enum pen_type type = plan->source->type(plan->source->user, column);
    return plan->n_threads > 1 && plan->source->n_chunks >= 2 * plan->n_threads && plan->weights_of[column] < 0 &&
           type != PEN_TYPE_BYTES && type != PEN_TYPE_NONE && !plan->categorical[column];
}

pen_status pen_plan_whole_split(const struct plan *plan, struct pen_arena *arena,
                                struct pen_feature_statistics *features, struct pen_error *err)
{
    struct failure failure = {0};
    int64_t n_done = 0;
#pragma omp parallel for schedule(dynamic, 1) num_threads(plan->n_threads)
    for (int64_t i = 0; i < plan->n_columns; i++) {
        struct pen_error local = PEN_ERROR_INIT;
        if (!is_parallel(plan, plan->columns[i]) && failure.status == PEN_OK) {
            pen_failure_note(&failure, i, whole_column(plan, plan->columns[i], false, arena, &features[i], &local),
                             &local);
#pragma omp critical(pen_statistics_progress)
            pen_progress("statistics", ++n_done, plan->n_columns, "features", "split %s", plan->source->split);
        }
    }
    for (int64_t i = 0; i < plan->n_columns && failure.status == PEN_OK; i++) {
        if (is_parallel(plan, plan->columns[i])) {
            failure.status = whole_column(plan, plan->columns[i], true, arena, &features[i], &failure.err);
            pen_progress("statistics", ++n_done, plan->n_columns, "features", "split %s", plan->source->split);
        }
    }
    return pen_failure_report(&failure, err);
}
