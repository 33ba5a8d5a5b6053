/* Inference of a schema. A feature's statistics are merged over the splits (counts added, extremes joined, values
 * united), and the rules are applied once to the whole; what the first split with values left open stays open, so that
 * later splits can only widen. */
#include "datasets/schema/infer_internal.h"

#include <stdlib.h>
#include <string.h>

struct pen_schema_infer_options pen_schema_infer_defaults(void)
{
    return (struct pen_schema_infer_options){true, 100, {NULL, 0}};
}

static pen_status out_of_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: inferring a schema");
}

static enum pen_schema_type type_of(enum pen_type type)
{
    if (pen_type_is_string(type)) {
        return PEN_SCHEMA_TYPE_STRING;
    }
    if (type == PEN_TYPE_INT64) {
        return PEN_SCHEMA_TYPE_INT;
    }
    return type == PEN_TYPE_NONE ? PEN_SCHEMA_TYPE_NONE : PEN_SCHEMA_TYPE_FLOAT;
}

/* The narrowest type that holds both: none < int < float < string, as the CSV reader widens a column. */
static enum pen_schema_type wider(enum pen_schema_type a, enum pen_schema_type b)
{
    return a > b ? a : b;
}

static int by_bytes(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static pen_status merge_values(struct pen_schema_merged *merged, const struct pen_string_statistics *string,
                               struct pen_arena *arena, struct pen_error *err)
{
    int64_t n = merged->n_values;
    const char **all = pen_arena_alloc(arena, n + string->ranks.n_items + 1, sizeof *all);
    if (all == NULL) {
        return out_of_memory(err);
    }
    for (int64_t i = 0; i < n; i++) {
        all[i] = merged->values[i];
    }
    for (int64_t i = 0; i < string->ranks.n_items; i++) {
        all[n + i] = string->ranks.items[i].value;
    }
    n += string->ranks.n_items;
    if (n > 1) {
        qsort(all, (size_t)n, sizeof *all, by_bytes);
    }
    int64_t kept = 0;
    for (int64_t i = 0; i < n; i++) {
        if (kept == 0 || strcmp(all[i], all[kept - 1]) != 0) {
            all[kept++] = all[i];
        }
    }
    merged->values = all;
    merged->n_values = kept;
    merged->all_values = merged->all_values && string->ranks.n_items >= string->n_unique;
    merged->n_unique = string->n_unique > merged->n_unique ? string->n_unique : merged->n_unique;
    merged->n_unique = kept > merged->n_unique ? kept : merged->n_unique;
    merged->has_bytes_only = merged->has_bytes_only || string->n_invalid_utf8 > 0;
    return PEN_OK;
}

static pen_status pen_schema_merge_split(struct pen_schema_merged *merged, const struct pen_feature_statistics *feature,
                                         const char *split, int64_t n_rows, struct pen_arena *arena,
                                         struct pen_error *err)
{
    merged->n_rows += n_rows;
    if (feature == NULL || feature->n_present == 0) {
        merged->absent_somewhere = true;
        merged->absent_split = merged->absent_split == NULL ? split : merged->absent_split;
        return PEN_OK;
    }
    bool first = merged->n_present == 0;
    merged->type = wider(merged->type, type_of(feature->type));
    merged->n_present += feature->n_present;
    merged->min_values = first || feature->min_values < merged->min_values ? feature->min_values : merged->min_values;
    merged->max_values = first || feature->max_values > merged->max_values ? feature->max_values : merged->max_values;
    if (feature->has_numeric) {
        const struct pen_numeric_statistics *numeric = &feature->numeric;
        merged->min = !merged->has_range || numeric->min < merged->min ? numeric->min : merged->min;
        merged->max = !merged->has_range || numeric->max > merged->max ? numeric->max : merged->max;
        merged->n_odd += numeric->n_nan + numeric->n_positive_inf + numeric->n_negative_inf;
        merged->has_range = true;
    }
    if (feature->has_string && pen_type_is_string(feature->type)) {
        PEN_TRY(merge_values(merged, &feature->string, arena, err));
    } else {
        merged->has_unlisted = true;
    }
    return PEN_OK;
}

pen_status pen_schema_infer_feature(const struct pen_feature_statistics *statistics,
                                    const struct pen_schema_infer_options *options, struct pen_arena *arena,
                                    struct pen_schema_feature *feature, struct pen_error *err)
{
    struct pen_schema_merged merged = {.type = PEN_SCHEMA_TYPE_NONE, .all_values = true};
    char *name = pen_arena_strdup(arena, statistics->name);
    if (name == NULL) {
        return out_of_memory(err);
    }
    pen_schema_feature_init(feature, name, PEN_SCHEMA_TYPE_UNSET);
    PEN_TRY(pen_schema_merge_split(&merged, statistics, "", statistics->n_rows, arena, err));
    return pen_schema_infer_merged(&merged, options, true, arena, feature, err);
}

/* ---- the whole ---- */

struct inference {
    const struct pen_schema_infer_options *options;
    const struct pen_split_statistics **splits;
    int64_t n_splits;
    const char *split_names;
    struct pen_schema *schema;
    struct pen_arena scratch;
    struct pen_error *err;
};

static bool is_excluded(const struct pen_schema_infer_options *options, const char *split)
{
    for (int64_t i = 0; i < options->exclude_splits.n_items; i++) {
        if (strcmp(options->exclude_splits.items[i], split) == 0) {
            return true;
        }
    }
    return false;
}

static pen_status choose_splits(struct inference *inference, const struct pen_statistics *statistics)
{
    struct pen_text names = {0};
    inference->splits = pen_arena_alloc(&inference->scratch, statistics->n_splits + 1, sizeof *inference->splits);
    if (inference->splits == NULL) {
        return out_of_memory(inference->err);
    }
    for (int64_t i = 0; i < statistics->n_splits; i++) {
        const struct pen_split_statistics *split = &statistics->splits[i];
        if (split->slice[0] == '\0' && !is_excluded(inference->options, split->split)) {
            pen_text_printf(&names, "%s%s", inference->n_splits > 0 ? ", " : "", split->split);
            inference->splits[inference->n_splits++] = split;
        }
    }
    inference->split_names = pen_arena_strdup(&inference->schema->arena, pen_text_view(&names));
    pen_text_deinit(&names);
    if (inference->split_names == NULL) {
        return out_of_memory(inference->err);
    }
    if (inference->n_splits == 0) {
        PEN_FAIL(inference->err, PEN_ERR_DATA,
                 "expected statistics of at least one split to infer a schema from, found none%s",
                 inference->options->exclude_splits.n_items > 0 ? " outside exclude_splits" : "");
    }
    return PEN_OK;
}

/* The statistics of one column in every split, merged; *first_domain: whether the first split that has values would
 * give it a domain. */
static pen_status infer_column(struct inference *inference, const char *name, struct pen_schema_feature *feature)
{
    struct pen_schema_merged merged = {
        .type = PEN_SCHEMA_TYPE_NONE, .all_values = true, .splits = inference->split_names};
    bool with_domain = true;
    bool seen = false;
    for (int64_t i = 0; i < inference->n_splits; i++) {
        const struct pen_split_statistics *split = inference->splits[i];
        const struct pen_feature_statistics *statistics = pen_statistics_find_feature(split, name);
        PEN_TRY(pen_schema_merge_split(&merged, statistics, split->split, split->n_rows, &inference->scratch,
                                       inference->err));
        if (!seen && statistics != NULL && statistics->n_present > 0) {
            struct pen_schema_feature alone;
            seen = true;
            PEN_TRY(
                pen_schema_infer_feature(statistics, inference->options, &inference->scratch, &alone, inference->err));
            with_domain = alone.domain != PEN_SCHEMA_DOMAIN_NONE || pen_type_is_string(statistics->type);
        }
    }
    char *copy = pen_arena_strdup(&inference->schema->arena, name);
    if (copy == NULL) {
        return out_of_memory(inference->err);
    }
    pen_schema_feature_init(feature, copy, PEN_SCHEMA_TYPE_UNSET);
    return pen_schema_infer_merged(&merged, inference->options, with_domain, &inference->schema->arena, feature,
                                   inference->err);
}

static bool is_known(const struct pen_schema_feature *features, int64_t n, const char *name)
{
    for (int64_t i = 0; i < n; i++) {
        if (strcmp(features[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static pen_status infer_all(struct inference *inference, const struct pen_statistics *statistics)
{
    PEN_TRY(choose_splits(inference, statistics));
    int64_t room = 1;
    for (int64_t i = 0; i < inference->n_splits; i++) {
        room += inference->splits[i]->n_features;
    }
    struct pen_schema_feature *features = pen_arena_alloc(&inference->schema->arena, room, sizeof *features);
    if (features == NULL) {
        return out_of_memory(inference->err);
    }
    int64_t n = 0;
    for (int64_t i = 0; i < inference->n_splits; i++) {
        for (int64_t j = 0; j < inference->splits[i]->n_features; j++) {
            const char *name = inference->splits[i]->features[j].name;
            if (i == 0 || !is_known(features, n, name)) {
                PEN_TRY(infer_column(inference, name, &features[n]));
                n++;
            }
        }
    }
    if (n == 0) {
        PEN_FAIL(inference->err, PEN_ERR_DATA, "expected statistics of at least one feature, found none in %s",
                 inference->split_names);
    }
    inference->schema->features = features;
    inference->schema->n_features = n;
    return PEN_OK;
}

pen_status pen_schema_infer(const struct pen_statistics *statistics, const struct pen_schema_infer_options *options,
                            struct pen_schema *schema, struct pen_error *err)
{
    struct inference inference = {.options = options, .schema = schema, .err = err};
    pen_schema_init(schema);
    pen_status status = infer_all(&inference, statistics);
    pen_arena_deinit(&inference.scratch);
    if (status != PEN_OK) {
        pen_schema_deinit(schema);
    }
    return status;
}
