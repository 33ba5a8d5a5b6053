/* statistics.json: statistics written and read back without loss.
 *
 *   {"schema": 1,
 *    "splits": {"train": {"rows": N, "features": {"fare": {...}}}},
 *    "slices": [{"split": "train", "slice": "a=1", "rows": N, "features": {...}}]}
 *
 * A feature holds type (strings: dictionary, whether the store keeps codes), count, missing, min_values, max_values,
 * avg_values, values_total; numeric statistics add mean, std, min, median, max, zeros, nan, positive_inf, negative_inf,
 * exact_quantiles, quantile_error, histogram and quantiles ([low, high, count] a bucket); string statistics add unique,
 * exact_unique, unique_error, avg_length, min_length, max_length, invalid_utf8, exact_counts, top and ranks ([value,
 * count]). Twins under a weight are in "weighted", with count and missing as sums of weights. Scripts rely on these
 * names: add, never rename. */
#include "datasets/statistics/json.h"

#include <math.h>
#include <string.h>

/* Counts are whole numbers unless weighted: then they look like it in the file. */
static pen_json *count_json(double count)
{
    if (count == floor(count) && fabs(count) < 9007199254740992.0) {
        return pen_json_int((int64_t)count);
    }
    return pen_json_double(count);
}

static pen_json *histogram_json(const struct pen_histogram *histogram)
{
    pen_json *list = pen_json_array();
    for (int64_t i = 0; i < histogram->n_buckets; i++) {
        pen_json *bucket = pen_json_array();
        pen_json_push(bucket, pen_json_double(histogram->buckets[i].low));
        pen_json_push(bucket, pen_json_double(histogram->buckets[i].high));
        pen_json_push(bucket, count_json(histogram->buckets[i].count));
        pen_json_push(list, bucket);
    }
    return list;
}

static pen_json *value_counts_json(const struct pen_value_counts *counts)
{
    pen_json *list = pen_json_array();
    for (int64_t i = 0; i < counts->n_items; i++) {
        pen_json *item = pen_json_array();
        pen_json_push(item, pen_json_string(counts->items[i].value));
        pen_json_push(item, count_json(counts->items[i].count));
        pen_json_push(list, item);
    }
    return list;
}

static void set_numeric(pen_json *object, const struct pen_numeric_statistics *numeric)
{
    pen_json_set_double(object, "mean", numeric->mean);
    pen_json_set_double(object, "std", numeric->std);
    pen_json_set_int(object, "zeros", numeric->n_zeros);
    pen_json_set_double(object, "min", numeric->min);
    pen_json_set_double(object, "median", numeric->median);
    pen_json_set_double(object, "max", numeric->max);
    pen_json_set_int(object, "nan", numeric->n_nan);
    pen_json_set_int(object, "positive_inf", numeric->n_positive_inf);
    pen_json_set_int(object, "negative_inf", numeric->n_negative_inf);
    pen_json_set_bool(object, "exact_quantiles", numeric->exact_quantiles);
    pen_json_set_double(object, "quantile_error", numeric->quantile_error);
    pen_json_set(object, "histogram", histogram_json(&numeric->standard));
    pen_json_set(object, "quantiles", histogram_json(&numeric->quantiles));
}

static void set_string(pen_json *object, const struct pen_string_statistics *string)
{
    pen_json_set_int(object, "unique", string->n_unique);
    pen_json_set_bool(object, "exact_unique", string->exact_unique);
    pen_json_set_double(object, "unique_error", string->unique_error);
    pen_json_set_double(object, "avg_length", string->avg_length);
    pen_json_set_int(object, "min_length", string->min_length);
    pen_json_set_int(object, "max_length", string->max_length);
    pen_json_set_int(object, "invalid_utf8", string->n_invalid_utf8);
    pen_json_set_bool(object, "exact_counts", string->exact_counts);
    pen_json_set(object, "top", value_counts_json(&string->top));
    pen_json_set(object, "ranks", value_counts_json(&string->ranks));
}

static pen_json *feature_json(const struct pen_feature_statistics *feature)
{
    pen_json *object = pen_json_object();
    pen_json_set_string(object, "type", pen_type_name(feature->type));
    if (pen_type_is_string(feature->type)) {
        pen_json_set_bool(object, "dictionary", feature->type == PEN_TYPE_CODES);
    }
    pen_json_set_int(object, "count", feature->n_present);
    pen_json_set_int(object, "missing", feature->n_missing);
    pen_json_set_int(object, "min_values", feature->min_values);
    pen_json_set_int(object, "max_values", feature->max_values);
    pen_json_set_double(object, "avg_values", feature->avg_values);
    pen_json_set_int(object, "values_total", feature->n_values_total);
    if (feature->has_numeric) {
        set_numeric(object, &feature->numeric);
    }
    if (feature->has_string) {
        set_string(object, &feature->string);
    }
    if (feature->has_weighted) {
        pen_json *weighted = pen_json_object();
        pen_json_set(weighted, "count", count_json(feature->weighted_present));
        pen_json_set(weighted, "missing", count_json(feature->weighted_missing));
        if (feature->has_numeric) {
            set_numeric(weighted, &feature->weighted_numeric);
        }
        if (feature->has_string) {
            set_string(weighted, &feature->weighted_string);
        }
        pen_json_set(object, "weighted", weighted);
    }
    return object;
}

static void set_split(pen_json *object, const struct pen_split_statistics *split)
{
    pen_json_set_int(object, "rows", split->n_rows);
    if (!isnan(split->weighted_rows) && split->weighted_rows >= 0) {
        pen_json_set(object, "weighted_rows", count_json(split->weighted_rows));
    }
    pen_json *features = pen_json_object();
    for (int64_t i = 0; i < split->n_features; i++) {
        pen_json_set(features, split->features[i].name, feature_json(&split->features[i]));
    }
    pen_json_set(object, "features", features);
}

pen_json *pen_statistics_to_json(const struct pen_statistics *statistics)
{
    pen_json *splits = pen_json_object();
    pen_json *slices = pen_json_array();
    for (int64_t i = 0; i < statistics->n_splits; i++) {
        const struct pen_split_statistics *split = &statistics->splits[i];
        pen_json *object = pen_json_object();
        if (split->slice[0] == '\0') {
            set_split(object, split);
            pen_json_set(splits, split->split, object);
        } else {
            pen_json_set_string(object, "split", split->split);
            pen_json_set_string(object, "slice", split->slice);
            set_split(object, split);
            pen_json_push(slices, object);
        }
    }
    pen_json *root = pen_json_object();
    pen_json_set_int(root, "schema", 1);
    pen_json_set(root, "splits", splits);
    pen_json_set(root, "slices", slices);
    return root;
}

pen_status pen_statistics_write(const struct pen_statistics *statistics, const char *path, struct pen_error *err)
{
    pen_json *root = pen_statistics_to_json(statistics);
    pen_status status = pen_json_write_file(root, path, err);
    pen_json_free(root);
    return status;
}

/* ---- reading ---- */

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

static pen_status read_numeric(const struct reader *reader, const pen_json *object,
                               struct pen_numeric_statistics *numeric, struct pen_error *err)
{
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
    PEN_TRY(read_int(reader, object, "unique", &string->n_unique, err));
    PEN_TRY(read_bool(reader, object, "exact_unique", &string->exact_unique, err));
    PEN_TRY(read_double(reader, object, "unique_error", &string->unique_error, err));
    PEN_TRY(read_double(reader, object, "avg_length", &string->avg_length, err));
    PEN_TRY(read_int(reader, object, "min_length", &string->min_length, err));
    PEN_TRY(read_int(reader, object, "max_length", &string->max_length, err));
    PEN_TRY(read_int(reader, object, "invalid_utf8", &string->n_invalid_utf8, err));
    PEN_TRY(read_bool(reader, object, "exact_counts", &string->exact_counts, err));
    PEN_TRY(read_value_counts(reader, object, "top", &string->top, err));
    return read_value_counts(reader, object, "ranks", &string->ranks, err);
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
    feature->n_rows = feature->n_present + feature->n_missing;
    feature->has_numeric = pen_json_get(object, "mean") != NULL;
    feature->has_string = pen_json_get(object, "unique") != NULL;
    if (feature->has_numeric) {
        PEN_TRY(read_numeric(reader, object, &feature->numeric, err));
    }
    if (feature->has_string) {
        PEN_TRY(read_string(reader, object, &feature->string, err));
    }
    const pen_json *weighted = pen_json_get(object, "weighted");
    feature->has_weighted = weighted != NULL;
    feature->weighted_present = NAN;
    feature->weighted_missing = NAN;
    if (weighted != NULL) {
        PEN_TRY(read_double(reader, weighted, "count", &feature->weighted_present, err));
        PEN_TRY(read_double(reader, weighted, "missing", &feature->weighted_missing, err));
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
