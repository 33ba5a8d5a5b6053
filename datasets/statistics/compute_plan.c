/* The plan of a split (compute_internal.h): which columns, which rows, on how many threads; and reading them. */
#include "core/log.h"
#include "core/memory.h"
#include "core/rng.h"
#include "core/text.h"
#include "datasets/statistics/compute_internal.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum {
    SAMPLE_STREAM = 0x53414d50,
    SKETCH_ENTRIES = 65536 /* counters of a table that is to be a sketch */
};

void pen_failure_note(struct failure *failure, int64_t order, pen_status status, const struct pen_error *err)
{
    if (status != PEN_OK) {
#pragma omp critical(pen_statistics_failure)
        if (failure->status == PEN_OK || order < failure->order) {
            *failure = (struct failure){order, status, *err};
        }
    }
}

pen_status pen_failure_report(const struct failure *failure, struct pen_error *err)
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

static bool is_chosen(const struct plan *plan, int64_t column)
{
    for (int64_t i = 0; i < plan->n_columns; i++) {
        if (plan->columns[i] == column) {
            return true;
        }
    }
    return false;
}

static pen_status choose_label(struct plan *plan, struct pen_error *err)
{
    const char *label = plan->options->label_feature;
    plan->label_column = -1;
    if (label == NULL) {
        return PEN_OK;
    }
    PEN_TRY(need_column(plan->source, "label_feature", label, &plan->label_column, err));
    if (!is_chosen(plan, plan->label_column)) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "label_feature: expected one of the features in feature_allowlist, found %s",
                 label);
    }
    return PEN_OK;
}

static pen_status choose_vocabularies(struct plan *plan, struct pen_error *err)
{
    const struct pen_statistics_source *source = plan->source;
    PEN_ALLOC(plan->vocabulary, source->n_columns + 1, err);
    for (int64_t i = 0; i < plan->options->n_vocabularies; i++) {
        const char *name = plan->options->vocabularies[i];
        int64_t column = -1;
        PEN_TRY(need_column(source, "vocabularies", name, &column, err));
        enum pen_type type = source->type(source->user, column);
        bool is_text = pen_type_is_string(type) || type == PEN_TYPE_NONE || plan->categorical[column];
        bool chosen = is_chosen(plan, column);
        if (!is_text || !chosen) {
            PEN_FAIL(err, PEN_ERR_CONFIG, "vocabularies: expected features of strings%s, found %s, which is %s",
                     chosen ? " or of option categorical" : " in feature_allowlist", name,
                     chosen ? pen_type_name(type) : "not there");
        }
        plan->vocabulary[column] = true;
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
        enum pen_type type = source->type(source->user, column);
        if (type == PEN_TYPE_FLOAT32 || type == PEN_TYPE_FLOAT64) {
            PEN_FAIL(err, PEN_ERR_CONFIG, "categorical: expected a feature of integers, found %s, which is %s",
                     options->categorical[i], pen_type_name(type));
        }
        plan->categorical[column] = true;
    }
    return PEN_OK;
}

static pen_status need_weights(const struct pen_statistics_source *source, const char *option, const char *name,
                               int64_t *column, struct pen_error *err)
{
    PEN_TRY(need_column(source, option, name, column, err));
    enum pen_type type = source->type(source->user, *column);
    if (!pen_type_is_number(type) && source->n_rows > 0) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "%s: expected a feature of numbers, found %s, which is %s", option, name,
                 pen_type_name(type));
    }
    return PEN_OK;
}

static pen_status choose_weights(struct plan *plan, struct pen_error *err)
{
    const struct pen_statistics_source *source = plan->source;
    const struct pen_statistics_options *options = plan->options;
    PEN_ALLOC(plan->weights_of, source->n_columns + 1, err);
    plan->weight_column = -1;
    if (options->weight_feature != NULL) {
        PEN_TRY(need_weights(source, "weight_feature", options->weight_feature, &plan->weight_column, err));
    }
    for (int64_t i = 0; i < source->n_columns; i++) {
        plan->weights_of[i] = plan->weight_column;
    }
    for (int64_t i = 0; i < options->n_weight_overrides; i++) {
        const struct pen_weight_override *override = &options->weight_overrides[i];
        int64_t column = -1;
        PEN_TRY(need_column(source, "per_feature_weight_override", override->feature, &column, err));
        PEN_TRY(need_weights(source, "per_feature_weight_override", override->weight_feature, &plan->weights_of[column],
                             err));
    }
    return PEN_OK;
}

pen_status pen_plan_init(struct plan *plan, const struct pen_statistics_source *source,
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
    PEN_TRY(choose_columns(plan, err));
    PEN_TRY(choose_weights(plan, err));
    PEN_TRY(choose_label(plan, err));
    return choose_vocabularies(plan, err);
}

void pen_plan_deinit(struct plan *plan)
{
    pen_free(plan->columns);
    pen_free(plan->categorical);
    pen_free(plan->vocabulary);
    pen_free(plan->weights_of);
    pen_free(plan->first_rows);
}

struct pen_profile_options pen_plan_profile_options(const struct plan *plan, int64_t column, int64_t memory_bytes)
{
    const struct pen_statistics_options *options = plan->options;
    return (struct pen_profile_options){.n_top_values = options->n_top_values,
                                        .n_rank_buckets = options->n_rank_buckets,
                                        .n_histogram_buckets = options->n_histogram_buckets,
                                        .n_quantile_buckets = options->n_quantile_buckets,
                                        .n_value_count_buckets = options->n_value_count_buckets,
                                        .least_count = options->least_count,
                                        .least_weight = options->least_weight,
                                        .memory_bytes =
                                            options->exact == PEN_STATISTICS_ALWAYS ? INT64_MAX : memory_bytes,
                                        .max_distinct = options->exact == PEN_STATISTICS_SKETCH ? SKETCH_ENTRIES : 0,
                                        .max_distinct_numbers = options->exact == PEN_STATISTICS_ALWAYS ? INT64_MAX : 0,
                                        .weighted = plan->weights_of[column] >= 0,
                                        .categorical = plan->categorical[column]};
}

/* ---- reading rows ---- */

pen_status pen_scratch_init(struct scratch *scratch, const struct plan *plan, const struct pen_slice_index *index,
                            struct pen_error *err)
{
    *scratch = (struct scratch){0};
    if (plan->options->sample_rate < 1.0) {
        PEN_ALLOC(scratch->rows, plan->most_rows + 1, err);
    }
    if (plan->weight_column >= 0 || plan->options->n_weight_overrides > 0) {
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

void pen_scratch_deinit(struct scratch *scratch)
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

static pen_status read_weights(const struct plan *plan, struct scratch *scratch, int64_t column, int64_t chunk,
                               struct pen_error *err)
{
    const struct pen_statistics_source *source = plan->source;
    struct pen_column view;
    PEN_TRY(source->read(source->user, column, chunk, &scratch->weight_buffer, &view, err));
    for (int64_t row = 0; row < view.n_rows; row++) {
        double weight = NAN;
        if (pen_is_valid(view.validity, row)) {
            weight = view.type == PEN_TYPE_FLOAT64   ? ((const double *)view.values)[row]
                     : view.type == PEN_TYPE_FLOAT32 ? (double)((const float *)view.values)[row]
                                                     : (double)((const int64_t *)view.values)[row];
        }
        if (!(weight >= 0) || isinf(weight)) {
            PEN_FAIL(err, PEN_ERR_DATA,
                     "weights %s: expected a finite number that is not negative in every row, found %g in row %lld of "
                     "split %s",
                     source->name(source->user, column), weight, (long long)(plan->first_rows[chunk] + row),
                     source->split);
        }
        scratch->weights[row] = weight;
    }
    return PEN_OK;
}

bool pen_plan_in_sample(const struct plan *plan, int64_t chunk, int64_t row)
{
    return pen_rng_uniform(plan->options->seed, SAMPLE_STREAM, (uint64_t)(plan->first_rows[chunk] + row)) <
           plan->options->sample_rate;
}

pen_status pen_plan_read_chunk(const struct plan *plan, struct scratch *scratch, int64_t column, int64_t chunk,
                               struct pen_column *view, struct pen_error *err)
{
    PEN_TRY(pen_cancel_check(err));
    PEN_TRY(plan->source->read(plan->source->user, column, chunk, &scratch->buffer, view, err));
    int64_t weights = plan->weights_of[column];
    return weights >= 0 ? read_weights(plan, scratch, weights, chunk, err) : PEN_OK;
}

const double *pen_plan_weights(const struct plan *plan, const struct scratch *scratch, int64_t column)
{
    return plan->weights_of[column] >= 0 ? scratch->weights : NULL;
}

pen_status pen_plan_accept_chunk(const struct plan *plan, struct scratch *scratch, struct pen_profile *profile,
                                 int64_t column, int64_t chunk, struct pen_error *err)
{
    struct pen_column view;
    PEN_TRY(pen_plan_read_chunk(plan, scratch, column, chunk, &view, err));
    int64_t n_rows = view.n_rows;
    if (scratch->rows != NULL) {
        n_rows = 0;
        for (int64_t row = 0; row < view.n_rows; row++) {
            scratch->rows[n_rows] = (int32_t)row;
            n_rows += pen_plan_in_sample(plan, chunk, row);
        }
    }
    return pen_profile_accept(profile, &view, chunk, scratch->rows, n_rows, pen_plan_weights(plan, scratch, column),
                              err);
}

pen_status pen_plan_finish_profile(struct pen_profile *profile, const char *name, struct pen_arena *arena,
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
