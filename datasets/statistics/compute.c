/* The driver of statistics (compute.h): which columns, which rows, on which threads.
 *
 * Many chunks: one column after another, its chunks shared by the threads. Few chunks, or a column whose chunks must
 * come in order (text, weights): columns are shared by the threads. Slices: columns are shared by the threads, and
 * the rows of each chunk are sorted by slice before they are given to the slices' profiles. */
#include "datasets/statistics/compute.h"

#include "core/log.h"
#include "core/memory.h"
#include "core/rng.h"
#include "core/text.h"
#include "datasets/statistics/slices_internal.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum {
    SAMPLE_STREAM = 0x53414d50,
    SKETCH_ENTRIES = 65536, /* counters of a table that is to be a sketch */
    SLICE_BINS = 4096,
    SLICE_COLLECT_BYTES = 64 << 20 /* keys sorted at the end, of all slices of a column */
};

/* One split: what is wanted of it. */
struct plan {
    const struct pen_statistics_source *source;
    const struct pen_statistics_options *options;
    int n_threads;
    int64_t weight_column; /* -1: none */
    int64_t n_columns;
    int64_t *columns;
    bool *categorical;   /* by column of the source */
    int64_t *first_rows; /* number of each chunk's first row */
    int64_t most_rows;   /* of a chunk */
};

/* What one thread needs to read chunks of a column. */
struct scratch {
    struct pen_store_buffer buffer, weight_buffer;
    int32_t *rows; /* sampled ones */
    double *weights;
    struct pen_slice_reader slices;
    int32_t *ids;
    int32_t *slice_rows; /* row numbers sorted by slice */
    int64_t *slice_ends;
};

/* The first failure in order of work, whichever thread met it. */
struct failure {
    int64_t order;
    pen_status status;
    struct pen_error err;
};

static void note_failure(struct failure *failure, int64_t order, pen_status status, const struct pen_error *err)
{
    if (status != PEN_OK) {
#pragma omp critical(pen_statistics_failure)
        if (failure->status == PEN_OK || order < failure->order) {
            *failure = (struct failure){order, status, *err};
        }
    }
}

static pen_status report(const struct failure *failure, struct pen_error *err)
{
    if (failure->status != PEN_OK && err != NULL) {
        *err = failure->err;
    }
    return failure->status;
}

/* ---- the plan ---- */

static int64_t find_column(const struct pen_statistics_source *source, const char *name)
{
    for (int64_t i = 0; i < source->n_columns; i++) {
        if (strcmp(source->name(source->user, i), name) == 0) {
            return i;
        }
    }
    return -1;
}

static pen_status need_column(const struct pen_statistics_source *source, const char *option, const char *name,
                              int64_t *column, struct pen_error *err)
{
    *column = find_column(source, name);
    if (*column < 0) {
        const char **names = NULL;
        PEN_ALLOC(names, source->n_columns + 1, err);
        for (int64_t i = 0; i < source->n_columns; i++) {
            names[i] = source->name(source->user, i);
        }
        const char *near = pen_nearest_name(name, names, source->n_columns);
        pen_free(names);
        PEN_FAIL(err, PEN_ERR_CONFIG, "%s: expected a feature of split %s, found %s%s%s%s", option, source->split, name,
                 near == NULL ? "" : "; did you mean ", near == NULL ? "" : near, near == NULL ? "" : "?");
    }
    return PEN_OK;
}

static pen_status choose_columns(struct plan *plan, struct pen_error *err)
{
    const struct pen_statistics_source *source = plan->source;
    const struct pen_statistics_options *options = plan->options;
    int64_t column = -1;
    PEN_ALLOC(plan->columns, source->n_columns + 1, err);
    PEN_ALLOC(plan->categorical, source->n_columns + 1, err);
    bool *allowed = plan->categorical; /* used for both, one after the other */
    for (int64_t i = 0; i < options->n_allowed; i++) {
        PEN_TRY(need_column(source, "feature_allowlist", options->allowed[i], &column, err));
        allowed[column] = true;
    }
    for (int64_t i = 0; i < source->n_columns; i++) {
        if (options->n_allowed == 0 || allowed[i]) {
            plan->columns[plan->n_columns++] = i;
        }
        allowed[i] = false;
    }
    for (int64_t i = 0; i < options->n_categorical; i++) {
        PEN_TRY(need_column(source, "categorical", options->categorical[i], &column, err));
        plan->categorical[column] = true;
    }
    plan->weight_column = -1;
    if (options->weight_feature != NULL) {
        PEN_TRY(need_column(source, "weight_feature", options->weight_feature, &plan->weight_column, err));
        if (!pen_type_is_number(source->type(source->user, plan->weight_column)) && source->n_rows > 0) {
            PEN_FAIL(err, PEN_ERR_CONFIG, "weight_feature: expected a feature of numbers, found %s, which is %s",
                     options->weight_feature, pen_type_name(source->type(source->user, plan->weight_column)));
        }
    }
    return PEN_OK;
}

static pen_status init_plan(struct plan *plan, const struct pen_statistics_source *source,
                            const struct pen_statistics_options *options, struct pen_error *err)
{
    *plan = (struct plan){.source = source, .options = options};
    plan->n_threads = options->n_threads > 0 ? options->n_threads : omp_get_max_threads();
    PEN_ALLOC(plan->first_rows, source->n_chunks + 1, err);
    for (int64_t i = 0; i < source->n_chunks; i++) {
        int64_t n_rows = source->chunk_rows(source->user, i);
        plan->first_rows[i + 1] = plan->first_rows[i] + n_rows;
        plan->most_rows = n_rows > plan->most_rows ? n_rows : plan->most_rows;
    }
    if (plan->most_rows > INT32_MAX) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "split %s: expected chunks of less than 2^31 rows, found one of %lld",
                 source->split, (long long)plan->most_rows);
    }
    return choose_columns(plan, err);
}

static void deinit_plan(struct plan *plan)
{
    pen_free(plan->columns);
    pen_free(plan->categorical);
    pen_free(plan->first_rows);
}

static struct pen_profile_options profile_options(const struct plan *plan, int64_t column, int64_t memory_bytes)
{
    const struct pen_statistics_options *options = plan->options;
    return (struct pen_profile_options){.n_top_values = options->n_top_values,
                                        .n_rank_buckets = options->n_rank_buckets,
                                        .n_histogram_buckets = options->n_histogram_buckets,
                                        .n_quantile_buckets = options->n_quantile_buckets,
                                        .memory_bytes =
                                            options->exact == PEN_STATISTICS_ALWAYS ? INT64_MAX : memory_bytes,
                                        .max_distinct = options->exact == PEN_STATISTICS_SKETCH ? SKETCH_ENTRIES : 0,
                                        .weighted = plan->weight_column >= 0,
                                        .categorical = plan->categorical[column]};
}

/* ---- reading rows ---- */

static pen_status init_scratch(struct scratch *scratch, const struct plan *plan, const struct pen_slice_index *index,
                               struct pen_error *err)
{
    *scratch = (struct scratch){0};
    if (plan->options->sample_rate < 1.0) {
        PEN_ALLOC(scratch->rows, plan->most_rows + 1, err);
    }
    if (plan->weight_column >= 0) {
        PEN_ALLOC(scratch->weights, plan->most_rows + 1, err);
    }
    if (index != NULL) {
        PEN_ALLOC(scratch->ids, plan->most_rows + 1, err);
        PEN_ALLOC(scratch->slice_rows, plan->most_rows + 1, err);
        PEN_ALLOC(scratch->slice_ends, pen_slice_index_n_slices(index) + 1, err);
        PEN_TRY(pen_slice_reader_init(&scratch->slices, index, err));
    }
    return PEN_OK;
}

static void deinit_scratch(struct scratch *scratch)
{
    pen_store_buffer_deinit(&scratch->buffer);
    pen_store_buffer_deinit(&scratch->weight_buffer);
    pen_free(scratch->rows);
    pen_free(scratch->weights);
    pen_free(scratch->ids);
    pen_free(scratch->slice_rows);
    pen_free(scratch->slice_ends);
    pen_slice_reader_deinit(&scratch->slices);
}

static pen_status read_weights(const struct plan *plan, struct scratch *scratch, int64_t chunk, struct pen_error *err)
{
    struct pen_column view;
    PEN_TRY(plan->source->read(plan->source->user, plan->weight_column, chunk, &scratch->weight_buffer, &view, err));
    for (int64_t row = 0; row < view.n_rows; row++) {
        double weight = NAN;
        if (pen_is_valid(view.validity, row)) {
            weight = view.type == PEN_TYPE_FLOAT64   ? ((const double *)view.values)[row]
                     : view.type == PEN_TYPE_FLOAT32 ? (double)((const float *)view.values)[row]
                                                     : (double)((const int64_t *)view.values)[row];
        }
        if (!(weight >= 0) || isinf(weight)) {
            PEN_FAIL(err, PEN_ERR_DATA,
                     "weight_feature %s: expected a finite number that is not negative in every row, found %g in row "
                     "%lld of split %s",
                     plan->options->weight_feature, weight, (long long)(plan->first_rows[chunk] + row),
                     plan->source->split);
        }
        scratch->weights[row] = weight;
    }
    return PEN_OK;
}

static bool in_sample(const struct plan *plan, int64_t chunk, int64_t row)
{
    return pen_rng_uniform(plan->options->seed, SAMPLE_STREAM, (uint64_t)(plan->first_rows[chunk] + row)) <
           plan->options->sample_rate;
}

static pen_status read_chunk(const struct plan *plan, struct scratch *scratch, int64_t column, int64_t chunk,
                             struct pen_column *view, struct pen_error *err)
{
    PEN_TRY(pen_cancel_check(err));
    PEN_TRY(plan->source->read(plan->source->user, column, chunk, &scratch->buffer, view, err));
    return plan->weight_column >= 0 ? read_weights(plan, scratch, chunk, err) : PEN_OK;
}

static pen_status accept_chunk(const struct plan *plan, struct scratch *scratch, struct pen_profile *profile,
                               int64_t column, int64_t chunk, struct pen_error *err)
{
    struct pen_column view;
    PEN_TRY(read_chunk(plan, scratch, column, chunk, &view, err));
    int64_t n_rows = view.n_rows;
    if (scratch->rows != NULL) {
        n_rows = 0;
        for (int64_t row = 0; row < view.n_rows; row++) {
            scratch->rows[n_rows] = (int32_t)row;
            n_rows += in_sample(plan, chunk, row);
        }
    }
    return pen_profile_accept(profile, &view, chunk, scratch->rows, n_rows, scratch->weights, err);
}

/* ---- whole columns ---- */

static pen_status sweep_in_order(const struct plan *plan, struct pen_profile *profile, int64_t column,
                                 struct pen_error *err)
{
    struct scratch scratch;
    pen_status status = init_scratch(&scratch, plan, NULL, err);
    for (int64_t chunk = 0; status == PEN_OK && chunk < plan->source->n_chunks; chunk++) {
        status = accept_chunk(plan, &scratch, profile, column, chunk, err);
    }
    deinit_scratch(&scratch);
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
        pen_status status = init_scratch(&scratch, plan, NULL, &local);
        if (status == PEN_OK) {
            status = pen_profile_fork(&fork, profile, &local);
        }
        note_failure(&failure, -1, status, &local);
#pragma omp for schedule(dynamic, 1)
        for (int64_t chunk = 0; chunk < plan->source->n_chunks; chunk++) {
            if (status == PEN_OK) {
                status = accept_chunk(plan, &scratch, fork, column, chunk, &local);
                note_failure(&failure, chunk, status, &local);
            }
        }
        if (status == PEN_OK) {
#pragma omp critical(pen_statistics_merge)
            status = pen_profile_merge(profile, fork, &local);
            note_failure(&failure, plan->source->n_chunks, status, &local);
        }
        pen_profile_destroy(fork);
        deinit_scratch(&scratch);
    }
    return report(&failure, err);
}

static pen_status finish_profile(struct pen_profile *profile, const char *name, struct pen_arena *arena,
                                 struct pen_feature_statistics *feature, struct pen_error *err)
{
    pen_status status = PEN_OK;
#pragma omp critical(pen_statistics_finish)
    {
        feature->name = pen_arena_strdup(arena, name);
        status = pen_profile_finish(profile, arena, feature, err);
    }
    if (status == PEN_OK && feature->name == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: statistics of %s", name);
    }
    return status;
}

static pen_status whole_column(const struct plan *plan, int64_t column, bool parallel, struct pen_arena *arena,
                               struct pen_feature_statistics *feature, struct pen_error *err)
{
    const struct pen_statistics_source *source = plan->source;
    struct pen_profile *profile = NULL;
    int64_t memory_bytes = plan->options->memory_bytes / plan->n_threads;
    struct pen_profile_options options = profile_options(plan, column, memory_bytes);
    options.sequential = !parallel;
    pen_status status = PEN_OK;
    PEN_TRY(pen_profile_create(&profile, source->type(source->user, column), &options, err));
    for (bool again = true; again;) {
        PEN_TRY_GOTO(cleanup, parallel ? sweep_parallel(plan, profile, column, err)
                                       : sweep_in_order(plan, profile, column, err));
        PEN_TRY_GOTO(cleanup, pen_profile_end_sweep(profile, &again, err));
    }
    PEN_TRY_GOTO(cleanup, finish_profile(profile, source->name(source->user, column), arena, feature, err));
cleanup:
    pen_profile_destroy(profile);
    return status;
}

static bool is_parallel(const struct plan *plan, int64_t column)
{
    enum pen_type type = plan->source->type(plan->source->user, column);
    return plan->n_threads > 1 && plan->source->n_chunks >= 2 * plan->n_threads && plan->weight_column < 0 &&
           type != PEN_TYPE_BYTES && type != PEN_TYPE_NONE && !plan->categorical[column];
}

static pen_status whole_split(const struct plan *plan, struct pen_arena *arena, struct pen_feature_statistics *features,
                              struct pen_error *err)
{
    struct failure failure = {0};
    int64_t n_done = 0;
#pragma omp parallel for schedule(dynamic, 1) num_threads(plan->n_threads)
    for (int64_t i = 0; i < plan->n_columns; i++) {
        struct pen_error local = PEN_ERROR_INIT;
        if (!is_parallel(plan, plan->columns[i]) && failure.status == PEN_OK) {
            note_failure(&failure, i, whole_column(plan, plan->columns[i], false, arena, &features[i], &local), &local);
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
    return report(&failure, err);
}

/* ---- slices ---- */

/* Row numbers of a chunk sorted by slice, in order within each: slice s has [ends[s - 1], ends[s]). */
static void sort_by_slice(const struct plan *plan, struct scratch *scratch, int64_t chunk, int64_t n_rows,
                          int64_t n_slices)
{
    int64_t *ends = scratch->slice_ends;
    memset(ends, 0, (size_t)n_slices * sizeof *ends);
    for (int64_t row = 0; row < n_rows; row++) {
        if (scratch->ids[row] >= 0 && scratch->rows != NULL && !in_sample(plan, chunk, row)) {
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
    PEN_TRY(read_chunk(plan, scratch, column, chunk, &view, err));
    PEN_TRY(pen_slice_index_rows(index, &scratch->slices, chunk, scratch->ids, err));
    sort_by_slice(plan, scratch, chunk, view.n_rows, n_slices);
    for (int64_t slice = 0; slice < n_slices; slice++) {
        int64_t end = scratch->slice_ends[slice];
        if (end > start && profiles[slice] != NULL) {
            PEN_TRY(pen_profile_accept(profiles[slice], &view, chunk, scratch->slice_rows + start, end - start,
                                       scratch->weights, err));
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

static pen_status create_slices(const struct plan *plan, struct scratch *scratch, int64_t column, int64_t n_slices,
                                struct pen_profile **profiles, struct pen_error *err)
{
    int64_t memory_bytes = plan->options->memory_bytes / plan->n_threads;
    struct pen_profile_options options = profile_options(plan, column, memory_bytes / n_slices);
    options.max_bins = SLICE_BINS;
    options.max_collect = SLICE_COLLECT_BYTES / (int64_t)sizeof(uint64_t) / n_slices;
    options.sequential = true;
    int64_t counter_bytes = (int64_t)sizeof(int64_t) * (plan->weight_column >= 0 ? 2 : 1);
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
    pen_status status = init_scratch(&scratch, plan, index, err);
    if (status != PEN_OK) {
        goto cleanup;
    }
    PEN_ALLOC_GOTO(cleanup, profiles, n_slices, err);
    PEN_ALLOC_GOTO(cleanup, unfinished, n_slices, err);
    PEN_TRY_GOTO(cleanup, create_slices(plan, &scratch, column, n_slices, profiles, err));
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
        PEN_TRY_GOTO(cleanup, finish_profile(profiles[slice], plan->source->name(plan->source->user, column), arena,
                                             &features[slice * plan->n_columns], err));
    }
cleanup:
    for (int64_t slice = 0; profiles != NULL && slice < n_slices; slice++) {
        pen_profile_destroy(profiles[slice]);
    }
    pen_free(profiles);
    pen_free(unfinished);
    deinit_scratch(&scratch);
    return status;
}

static double total_weight(const struct plan *plan, const struct pen_feature_statistics *features)
{
    if (plan->weight_column < 0 || plan->n_columns == 0) {
        return NAN;
    }
    return features[0].weighted_present + features[0].weighted_missing;
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
    if (item->split == NULL || item->slice == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: statistics of split %s", plan->source->split);
    }
    return PEN_OK;
}

static pen_status one_slicing(const struct plan *plan, const struct pen_slicing *slicing, struct pen_arena *arena,
                              struct results *results, struct pen_error *err)
{
    struct failure failure = {0};
    struct pen_slice_index *index = NULL;
    PEN_TRY(pen_slice_index_create(&index, plan->source, slicing, plan->options->max_slices, err));
    int64_t n_slices = pen_slice_index_n_slices(index), n_done = 0;
    struct pen_feature_statistics *features = pen_arena_alloc(arena, n_slices * plan->n_columns + 1, sizeof *features);
    pen_status status = PEN_OK;
    if (features == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: statistics of %lld slices", (long long)n_slices);
    }
    if (n_slices == 0) {
        goto cleanup;
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(plan->n_threads)
    for (int64_t i = 0; i < plan->n_columns; i++) {
        struct pen_error local = PEN_ERROR_INIT;
        if (failure.status == PEN_OK) {
            note_failure(&failure, i, slice_column(plan, index, plan->columns[i], arena, &features[i], &local), &local);
#pragma omp critical(pen_statistics_progress)
            pen_progress("slices", ++n_done, plan->n_columns, "features", "%s of split %s", slicing->items[0].feature,
                         plan->source->split);
        }
    }
    PEN_TRY_GOTO(cleanup, report(&failure, err));
    for (int64_t slice = 0; slice < n_slices; slice++) {
        PEN_TRY_GOTO(cleanup, add_result(plan, results, arena, pen_slice_index_name(index, slice),
                                         features + slice * plan->n_columns, err));
    }
cleanup:
    pen_slice_index_destroy(index);
    return status;
}

/* ---- all of it ---- */

static pen_status one_source(const struct pen_statistics_source *source, const struct pen_statistics_options *options,
                             struct pen_arena *arena, struct results *whole, struct results *slices,
                             struct pen_error *err)
{
    struct plan plan;
    pen_status status = PEN_OK;
    PEN_TRY_GOTO(cleanup, init_plan(&plan, source, options, err));
    struct pen_feature_statistics *features = pen_arena_alloc(arena, plan.n_columns + 1, sizeof *features);
    if (features == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: statistics of split %s", source->split);
    }
    PEN_TRY_GOTO(cleanup, whole_split(&plan, arena, features, err));
    PEN_TRY_GOTO(cleanup, add_result(&plan, whole, arena, "", features, err));
    for (int64_t i = 0; i < options->n_slicings; i++) {
        if (options->slicings[i].n_items > 0) {
            PEN_TRY_GOTO(cleanup, one_slicing(&plan, &options->slicings[i], arena, slices, err));
        }
    }
cleanup:
    deinit_plan(&plan);
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
