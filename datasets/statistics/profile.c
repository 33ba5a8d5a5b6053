/* A profile: rows and presence, and its numeric and string halves (profile.h). */
#include "datasets/statistics/profile.h"

#include "core/memory.h"
#include "datasets/statistics/profile_internal.h"

#include <math.h>
#include <string.h>

static pen_status create(struct pen_profile **profile, enum pen_type type, const struct pen_profile_options *options,
                         bool is_fork, struct pen_error *err)
{
    PEN_ASSERT(options->n_histogram_buckets >= 1 && options->n_histogram_buckets <= PEN_PROFILE_MAX_BUCKETS);
    PEN_ASSERT(options->n_quantile_buckets >= 1 && options->n_quantile_buckets <= PEN_PROFILE_MAX_BUCKETS);
    PEN_ASSERT(options->n_value_count_buckets >= 1 && options->n_value_count_buckets <= PEN_PROFILE_MAX_BUCKETS);
    struct pen_profile *made = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, made, 1, err);
    made->type = type;
    made->options = *options;
    made->is_fork = is_fork;
    made->has_numeric = pen_type_is_number(type);
    made->has_string = pen_type_is_string(type) || (type == PEN_TYPE_INT64 && options->categorical);
    if (made->has_numeric) {
        PEN_TRY_GOTO(cleanup, pen_numeric_profile_init(made, err));
    }
    if (made->has_string) {
        PEN_TRY_GOTO(cleanup, pen_string_profile_init(made, err));
    }
cleanup:
    if (status != PEN_OK) {
        pen_profile_destroy(made);
        made = NULL;
    }
    *profile = made;
    return status;
}

pen_status pen_profile_create(struct pen_profile **profile, enum pen_type type,
                              const struct pen_profile_options *options, struct pen_error *err)
{
    return create(profile, type, options, false, err);
}

void pen_profile_destroy(struct pen_profile *profile)
{
    if (profile != NULL) {
        pen_numeric_profile_deinit(profile);
        pen_string_profile_deinit(profile);
        pen_free(profile);
    }
}

static void count_rows(struct pen_profile *profile, const struct pen_column *chunk, const int32_t *rows, int64_t n_rows,
                       const double *weights)
{
    bool none = chunk->type == PEN_TYPE_NONE;
    profile->n_rows += n_rows;
    if (rows == NULL && weights == NULL) {
        profile->n_present += none ? 0 : pen_validity_count(chunk->validity, n_rows);
        return;
    }
    for (int64_t i = 0; i < n_rows; i++) {
        int64_t row = rows == NULL ? i : rows[i];
        bool present = !none && pen_is_valid(chunk->validity, row);
        profile->n_present += present;
        if (weights != NULL) {
            profile->weighted_rows += weights[row];
            profile->weighted_present += present ? weights[row] : 0.0;
        }
    }
}

pen_status pen_profile_accept(struct pen_profile *profile, const struct pen_column *chunk, int64_t position,
                              const int32_t *rows, int64_t n_rows, const double *weights, struct pen_error *err)
{
    PEN_ASSERT(chunk->type == profile->type && (weights != NULL) == profile->options.weighted);
    if (rows == NULL) {
        n_rows = chunk->n_rows;
    }
    if (profile->sweep == 0) {
        count_rows(profile, chunk, rows, n_rows, weights);
    }
    if (profile->has_numeric) {
        PEN_TRY(pen_numeric_profile_accept(profile, chunk, position, rows, n_rows, weights, err));
    }
    if (profile->has_string) {
        PEN_TRY(pen_string_profile_accept(profile, chunk, rows, n_rows, weights, err));
    }
    return PEN_OK;
}

bool pen_profile_in_order(const struct pen_profile *profile)
{
    return profile->options.weighted || profile->options.sequential || profile->string.table != NULL;
}

pen_status pen_profile_fork(struct pen_profile **fork, const struct pen_profile *profile, struct pen_error *err)
{
    struct pen_profile *made = NULL;
    pen_status status = create(&made, profile->type, &profile->options, true, err);
    *fork = NULL;
    if (status != PEN_OK || made == NULL) {
        return status;
    }
    made->options.sequential = false;
    made->sweep = profile->sweep;
    if (profile->has_numeric) {
        status = pen_numeric_profile_fork(made, profile, err);
    }
    if (status == PEN_OK && profile->has_string) {
        status = pen_string_profile_fork(made, profile, err);
    }
    if (status != PEN_OK) {
        pen_profile_destroy(made);
        return status;
    }
    *fork = made;
    return PEN_OK;
}

pen_status pen_profile_merge(struct pen_profile *profile, const struct pen_profile *fork, struct pen_error *err)
{
    profile->n_rows += fork->n_rows;
    profile->n_present += fork->n_present;
    profile->weighted_rows += fork->weighted_rows;
    profile->weighted_present += fork->weighted_present;
    if (profile->has_numeric) {
        PEN_TRY(pen_numeric_profile_merge(profile, fork, err));
    }
    return profile->has_string ? pen_string_profile_merge(profile, fork, err) : PEN_OK;
}

pen_status pen_profile_end_sweep(struct pen_profile *profile, bool *again, struct pen_error *err)
{
    *again = false;
    if (profile->has_numeric) {
        PEN_TRY(pen_numeric_profile_end_sweep(profile, again, err));
    }
    if (profile->has_string) {
        pen_string_profile_end_sweep(profile, again);
    }
    profile->sweep++;
    return PEN_OK;
}

/* Distinct integers were counted as numbers and as texts: an exact count stands for both. */
static void join_unique(struct pen_feature_statistics *feature)
{
    struct pen_numeric_statistics *numeric = &feature->numeric, *weighted_numeric = &feature->weighted_numeric;
    struct pen_string_statistics *string = &feature->string, *weighted_string = &feature->weighted_string;
    if (numeric->exact_unique && !string->exact_unique) {
        string->n_unique = weighted_string->n_unique = numeric->n_unique;
        string->exact_unique = weighted_string->exact_unique = true;
        string->unique_error = weighted_string->unique_error = 0;
    } else {
        numeric->n_unique = weighted_numeric->n_unique = string->n_unique;
        numeric->exact_unique = weighted_numeric->exact_unique = string->exact_unique;
        numeric->unique_error = weighted_numeric->unique_error = string->unique_error;
    }
}

/* A present cell holds one value, so every quantile of the number of values is 1. */
static pen_status count_values(const struct pen_profile *profile, struct pen_arena *arena,
                               struct pen_feature_statistics *feature, struct pen_error *err)
{
    int64_t n_buckets = profile->n_present > 0 ? profile->options.n_value_count_buckets : 0;
    struct pen_histogram_bucket *buckets = pen_arena_alloc(arena, n_buckets + 1, sizeof *buckets);
    if (buckets == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: a histogram of %lld buckets", (long long)n_buckets);
    }
    for (int64_t i = 0; i < n_buckets; i++) {
        buckets[i] = (struct pen_histogram_bucket){1, 1, (double)profile->n_present / (double)n_buckets};
    }
    feature->min_values = feature->max_values = n_buckets > 0 ? 1 : 0;
    feature->avg_values = n_buckets > 0 ? 1 : 0;
    feature->n_values_total = profile->n_present;
    feature->value_counts = (struct pen_histogram){n_buckets, buckets, 0};
    if (profile->options.weighted) {
        feature->weighted_avg_values = profile->weighted_present > 0 ? 1 : 0;
        feature->weighted_values_total = profile->weighted_present;
    }
    return PEN_OK;
}

pen_status pen_profile_finish(struct pen_profile *profile, struct pen_arena *arena,
                              struct pen_feature_statistics *feature, struct pen_error *err)
{
    *feature = (struct pen_feature_statistics){.name = feature->name,
                                               .type = profile->type,
                                               .n_rows = profile->n_rows,
                                               .n_present = profile->n_present,
                                               .n_missing = profile->n_rows - profile->n_present,
                                               .weighted_present = NAN,
                                               .weighted_missing = NAN,
                                               .weighted_avg_values = NAN,
                                               .weighted_values_total = NAN,
                                               .has_numeric = profile->has_numeric,
                                               .has_string = profile->has_string,
                                               .has_weighted = profile->options.weighted};
    PEN_TRY(count_values(profile, arena, feature, err));
    if (profile->options.weighted) {
        feature->weighted_present = profile->weighted_present;
        feature->weighted_missing = profile->weighted_rows - profile->weighted_present;
    }
    if (profile->has_numeric) {
        PEN_TRY(pen_numeric_profile_finish(profile, arena, feature, err));
    }
    if (profile->has_string) {
        PEN_TRY(pen_string_profile_finish(profile, arena, feature, err));
    }
    if (profile->has_numeric && profile->has_string) {
        join_unique(feature);
    }
    return PEN_OK;
}
