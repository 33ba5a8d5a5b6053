/* statistics.json read back (json.c has its names). Whatever does not fit is an error that names the place. */
#include "datasets/statistics/json.h"

#include <math.h>
#include <string.h>

struct reader {
    struct pen_arena *arena;
    const char *path;
    const char *split, *feature; /* where we are, for messages */
};

static pen_status out_of_memory(const struct reader *reader, struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading %s", reader->path);
}

static pen_status expected(const struct reader *reader, const char *key, const char *what, struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_DATA, "%s: split %s, feature %s: expected \"%s\" to be %s; make the statistics again",
             reader->path, reader->split, reader->feature, key, what);
}

static pen_status read_int(const struct reader *reader, const pen_json *object, const char *key, int64_t *value,
                           struct pen_error *err)
{
    const pen_json *member = pen_json_get(object, key);
    if (!pen_json_is_int(member)) {
        return expected(reader, key, "an integer", err);
    }
    *value = pen_json_int_or(member, 0);
    return PEN_OK;
}

/* Numbers, and the strings "nan", "inf", "-inf". */
static bool number_of(const pen_json *value, double *number)
{
    *number = pen_json_number_or(value, -1.0);
    return value != NULL && (*number != -1.0 || pen_json_number_or(value, -2.0) == -1.0);
}

static pen_status read_double(const struct reader *reader, const pen_json *object, const char *key, double *value,
                              struct pen_error *err)
{
    if (!number_of(pen_json_get(object, key), value)) {
        return expected(reader, key, "a number", err);
    }
    return PEN_OK;
}

static pen_status read_bool(const struct reader *reader, const pen_json *object, const char *key, bool *value,
                            struct pen_error *err)
{
    const pen_json *member = pen_json_get(object, key);
    if (!pen_json_is_bool(member)) {
        return expected(reader, key, "true or false", err);
    }
    *value = pen_json_bool_or(member, false);
    return PEN_OK;
}

static pen_status read_histogram(const struct reader *reader, const pen_json *object, const char *key,
                                 struct pen_histogram *histogram, struct pen_error *err)
{
    const pen_json *list = pen_json_get(object, key);
    if (!pen_json_is_array(list)) {
        return expected(reader, key, "a list of [low, high, count]", err);
    }
    int64_t n_buckets = pen_json_size(list);
    struct pen_histogram_bucket *buckets = pen_arena_alloc(reader->arena, n_buckets, sizeof *buckets);
    if (buckets == NULL) {
        return out_of_memory(reader, err);
    }
    for (int64_t i = 0; i < n_buckets; i++) {
        const pen_json *bucket = pen_json_at(list, i);
        if (!pen_json_is_array(bucket) || pen_json_size(bucket) != 3 ||
            !number_of(pen_json_at(bucket, 0), &buckets[i].low) ||
            !number_of(pen_json_at(bucket, 1), &buckets[i].high) ||
            !number_of(pen_json_at(bucket, 2), &buckets[i].count)) {
            return expected(reader, key, "a list of [low, high, count]", err);
        }
    }
    histogram->n_buckets = n_buckets;
    histogram->buckets = buckets;
    return PEN_OK;
}

static pen_status read_value_counts(const struct reader *reader, const pen_json *object, const char *key,
                                    struct pen_value_counts *counts, struct pen_error *err)
{
    const pen_json *list = pen_json_get(object, key);
    if (!pen_json_is_array(list)) {
        return expected(reader, key, "a list of [value, count]", err);
    }
    int64_t n_items = pen_json_size(list);
    struct pen_value_count *items = pen_arena_alloc(reader->arena, n_items, sizeof *items);
    if (items == NULL) {
        return out_of_memory(reader, err);
    }
    for (int64_t i = 0; i < n_items; i++) {
        const pen_json *item = pen_json_at(list, i);
        if (!pen_json_is_array(item) || pen_json_size(item) != 2 || !pen_json_is_string(pen_json_at(item, 0)) ||
            !number_of(pen_json_at(item, 1), &items[i].count)) {
            return expected(reader, key, "a list of [value, count]", err);
        }
        items[i].value = pen_arena_strdup(reader->arena, pen_json_string_or(pen_json_at(item, 0), ""));
        if (items[i].value == NULL) {
            return out_of_memory(reader, err);
        }
    }
    counts->n_items = n_items;
    counts->items = items;
    return PEN_OK;
}

static pen_status read_unique(const struct reader *reader, const pen_json *object, int64_t *n_unique, bool *exact,
                              double *error, struct pen_error *err)
{
    PEN_TRY(read_int(reader, object, "unique", n_unique, err));
    PEN_TRY(read_bool(reader, object, "exact_unique", exact, err));
    return read_double(reader, object, "unique_error", error, err);
}

static pen_status read_numeric(const struct reader *reader, const pen_json *object,
                               struct pen_numeric_statistics *numeric, struct pen_error *err)
{
    PEN_TRY(read_unique(reader, object, &numeric->n_unique, &numeric->exact_unique, &numeric->unique_error, err));
    PEN_TRY(read_double(reader, object, "mean", &numeric->mean, err));
    PEN_TRY(read_double(reader, object, "std", &numeric->std, err));
    PEN_TRY(read_int(reader, object, "zeros", &numeric->n_zeros, err));
    PEN_TRY(read_double(reader, object, "min", &numeric->min, err));
    PEN_TRY(read_double(reader, object, "median", &numeric->median, err));
    PEN_TRY(read_double(reader, object, "max", &numeric->max, err));
    PEN_TRY(read_int(reader, object, "nan", &numeric->n_nan, err));
    PEN_TRY(read_int(reader, object, "positive_inf", &numeric->n_positive_inf, err));
    PEN_TRY(read_int(reader, object, "negative_inf", &numeric->n_negative_inf, err));
    PEN_TRY(read_bool(reader, object, "exact_quantiles", &numeric->exact_quantiles, err));
    PEN_TRY(read_double(reader, object, "quantile_error", &numeric->quantile_error, err));
    PEN_TRY(read_histogram(reader, object, "histogram", &numeric->standard, err));
    PEN_TRY(read_histogram(reader, object, "quantiles", &numeric->quantiles, err));
    numeric->standard.n_nan = numeric->n_nan;
    numeric->quantiles.n_nan = numeric->n_nan;
    return PEN_OK;
}

static pen_status read_string(const struct reader *reader, const pen_json *object, struct pen_string_statistics *string,
                              struct pen_error *err)
{
    PEN_TRY(read_unique(reader, object, &string->n_unique, &string->exact_unique, &string->unique_error, err));
    PEN_TRY(read_double(reader, object, "avg_length", &string->avg_length, err));
    PEN_TRY(read_int(reader, object, "min_length", &string->min_length, err));
    PEN_TRY(read_int(reader, object, "max_length", &string->max_length, err));
    PEN_TRY(read_int(reader, object, "invalid_utf8", &string->n_invalid_utf8, err));
    PEN_TRY(read_bool(reader, object, "exact_counts", &string->exact_counts, err));
    PEN_TRY(read_value_counts(reader, object, "top", &string->top, err));
    return read_value_counts(reader, object, "ranks", &string->ranks, err);
}

static pen_status read_lift(const struct reader *reader, const pen_json *item, struct pen_lift *lift,
                            struct pen_error *err)
{
    if (!pen_json_is_array(item) || pen_json_size(item) != 4 || !pen_json_is_string(pen_json_at(item, 0)) ||
        !pen_json_is_string(pen_json_at(item, 1)) || !number_of(pen_json_at(item, 2), &lift->lift) ||
        !number_of(pen_json_at(item, 3), &lift->count)) {
        return expected(reader, "lift", "a list of [value, label, lift, count]", err);
    }
    lift->value = pen_arena_strdup(reader->arena, pen_json_string_or(pen_json_at(item, 0), ""));
    lift->label = pen_arena_strdup(reader->arena, pen_json_string_or(pen_json_at(item, 1), ""));
    return lift->value == NULL || lift->label == NULL ? out_of_memory(reader, err) : PEN_OK;
}

static pen_status read_label(const struct reader *reader, const pen_json *object, struct pen_label_statistics *label,
                             struct pen_error *err)
{
    PEN_TRY(read_double(reader, object, "mutual_information", &label->mutual_information, err));
    PEN_TRY(read_double(reader, object, "share", &label->share, err));
    PEN_TRY(read_double(reader, object, "correlation", &label->correlation, err));
    const pen_json *list = pen_json_get(object, "lift");
    if (!pen_json_is_array(list)) {
        return expected(reader, "lift", "a list of [value, label, lift, count]", err);
    }
    struct pen_lift *lifts = pen_arena_alloc(reader->arena, pen_json_size(list), sizeof *lifts);
    if (lifts == NULL) {
        return out_of_memory(reader, err);
    }
    for (int64_t i = 0; i < pen_json_size(list); i++) {
        PEN_TRY(read_lift(reader, pen_json_at(list, i), &lifts[i], err));
    }
    label->n_lifts = pen_json_size(list);
    label->lifts = lifts;
    return PEN_OK;
}

/* Strings are a dictionary column unless "dictionary" says false. */
static bool type_of(const pen_json *object, enum pen_type *type)
{
    static const enum pen_type types[] = {PEN_TYPE_NONE, PEN_TYPE_INT64, PEN_TYPE_FLOAT32, PEN_TYPE_FLOAT64,
                                          PEN_TYPE_CODES};
    const char *name = pen_json_string_or(pen_json_get(object, "type"), "");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(name, pen_type_name(types[i])) == 0) {
            bool dictionary = pen_json_bool_or(pen_json_get(object, "dictionary"), true);
            *type = types[i] == PEN_TYPE_CODES && !dictionary ? PEN_TYPE_BYTES : types[i];
            return true;
        }
    }
    return false;
}

static pen_status read_feature(struct reader *reader, const pen_json *object, struct pen_feature_statistics *feature,
                               struct pen_error *err)
{
    if (!type_of(object, &feature->type)) {
        return expected(reader, "type", "none, int64, float32, float64 or string", err);
    }
    PEN_TRY(read_int(reader, object, "count", &feature->n_present, err));
    PEN_TRY(read_int(reader, object, "missing", &feature->n_missing, err));
    PEN_TRY(read_int(reader, object, "min_values", &feature->min_values, err));
    PEN_TRY(read_int(reader, object, "max_values", &feature->max_values, err));
    PEN_TRY(read_double(reader, object, "avg_values", &feature->avg_values, err));
    PEN_TRY(read_int(reader, object, "values_total", &feature->n_values_total, err));
    if (pen_json_get(object, "value_counts") != NULL) { /* older statistics, still good to compare with, lack it */
        PEN_TRY(read_histogram(reader, object, "value_counts", &feature->value_counts, err));
    }
    feature->n_rows = feature->n_present + feature->n_missing;
    feature->has_numeric = pen_json_get(object, "mean") != NULL;
    feature->has_string = pen_json_get(object, "avg_length") != NULL;
    if (feature->has_numeric) {
        PEN_TRY(read_numeric(reader, object, &feature->numeric, err));
    }
    if (feature->has_string) {
        PEN_TRY(read_string(reader, object, &feature->string, err));
    }
    feature->has_label = pen_json_get(object, "label") != NULL;
    if (feature->has_label) {
        PEN_TRY(read_label(reader, pen_json_get(object, "label"), &feature->label, err));
    }
    const pen_json *weighted = pen_json_get(object, "weighted");
    feature->has_weighted = weighted != NULL;
    feature->weighted_present = NAN;
    feature->weighted_missing = NAN;
    feature->weighted_avg_values = NAN;
    feature->weighted_values_total = NAN;
    if (weighted != NULL) {
        PEN_TRY(read_double(reader, weighted, "count", &feature->weighted_present, err));
        PEN_TRY(read_double(reader, weighted, "missing", &feature->weighted_missing, err));
        feature->weighted_avg_values = pen_json_number_or(pen_json_get(weighted, "avg_values"), NAN);
        feature->weighted_values_total = pen_json_number_or(pen_json_get(weighted, "values_total"), NAN);
        if (feature->has_numeric) {
            PEN_TRY(read_numeric(reader, weighted, &feature->weighted_numeric, err));
        }
        if (feature->has_string) {
            PEN_TRY(read_string(reader, weighted, &feature->weighted_string, err));
        }
    }
    return PEN_OK;
}

static pen_status read_split(struct reader *reader, const pen_json *object, const char *name, const char *slice,
                             struct pen_split_statistics *split, struct pen_error *err)
{
    split->split = pen_arena_strdup(reader->arena, name);
    split->slice = pen_arena_strdup(reader->arena, slice);
    if (split->split == NULL || split->slice == NULL) {
        return out_of_memory(reader, err);
    }
    reader->split = split->split;
    PEN_TRY(pen_json_need_int(object, "rows", reader->path, &split->n_rows, err));
    split->weighted_rows = pen_json_number_or(pen_json_get(object, "weighted_rows"), NAN);
    const char *label = pen_json_string_or(pen_json_get(object, "label"), NULL);
    split->label = label == NULL ? NULL : pen_arena_strdup(reader->arena, label);
    if (label != NULL && split->label == NULL) {
        return out_of_memory(reader, err);
    }
    const pen_json *list = NULL;
    PEN_TRY(pen_json_need_object(object, "features", reader->path, &list, err));
    split->n_features = pen_json_size(list);
    struct pen_feature_statistics *features = pen_arena_alloc(reader->arena, split->n_features, sizeof *features);
    if (features == NULL) {
        return out_of_memory(reader, err);
    }
    const char *key = NULL;
    const pen_json *value = NULL;
    for (int64_t i = 0; pen_json_member(list, i, &key, &value); i++) {
        features[i].name = pen_arena_strdup(reader->arena, key);
        if (features[i].name == NULL) {
            return out_of_memory(reader, err);
        }
        reader->feature = features[i].name;
        PEN_TRY(read_feature(reader, value, &features[i], err));
    }
    split->features = features;
    return PEN_OK;
}

static pen_status read_document(struct reader *reader, const pen_json *root, struct pen_statistics *statistics,
                                struct pen_error *err)
{
    int64_t version = 0;
    PEN_TRY(pen_json_need_int(root, "schema", reader->path, &version, err));
    if (version != 1) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected statistics of version 1, found version %lld; make them again",
                 reader->path, (long long)version);
    }
    const pen_json *splits = NULL;
    PEN_TRY(pen_json_need_object(root, "splits", reader->path, &splits, err));
    const pen_json *slices = pen_json_get(root, "slices");
    int64_t n_whole = pen_json_size(splits), n_slices = pen_json_is_array(slices) ? pen_json_size(slices) : 0;
    struct pen_split_statistics *list = pen_arena_alloc(reader->arena, n_whole + n_slices, sizeof *list);
    if (list == NULL) {
        return out_of_memory(reader, err);
    }
    const char *key = NULL;
    const pen_json *value = NULL;
    for (int64_t i = 0; pen_json_member(splits, i, &key, &value); i++) {
        PEN_TRY(read_split(reader, value, key, "", &list[i], err));
    }
    for (int64_t i = 0; i < n_slices; i++) {
        const char *split = NULL, *slice = NULL;
        value = pen_json_at(slices, i);
        PEN_TRY(pen_json_need_string(value, "split", reader->path, &split, err));
        PEN_TRY(pen_json_need_string(value, "slice", reader->path, &slice, err));
        PEN_TRY(read_split(reader, value, split, slice, &list[n_whole + i], err));
    }
    statistics->n_splits = n_whole + n_slices;
    statistics->splits = list;
    return PEN_OK;
}

pen_status pen_statistics_read(const char *path, struct pen_statistics *statistics, struct pen_error *err)
{
    memset(statistics, 0, sizeof *statistics);
    pen_json *root = NULL;
    PEN_TRY(pen_json_read_file(path, &root, err));
    struct reader reader = {&statistics->arena, path, "", ""};
    pen_status status = read_document(&reader, root, statistics, err);
    pen_json_free(root);
    if (status != PEN_OK) {
        pen_statistics_deinit(statistics);
    }
    return status;
}
