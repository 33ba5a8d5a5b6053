/* statistics.json: statistics written; json_read.c reads them back without loss.
 *
 *   {"schema": 1,
 *    "splits": {"train": {"rows": N, "features": {"fare": {...}}}},
 *    "slices": [{"split": "train", "slice": "a=1", "rows": N, "features": {...}}]}
 *
 * A feature holds type (strings: dictionary, whether the store keeps codes), count, missing, min_values, max_values,
 * avg_values, values_total, value_counts ([low, high, count] a bucket); numeric statistics add mean, std, min, median,
 * max, zeros, nan, positive_inf, negative_inf, exact_quantiles, quantile_error, histogram and quantiles ([low, high,
 * count] a bucket); string statistics add avg_length, min_length, max_length, invalid_utf8, exact_counts, top and ranks
 * ([value, count]); both have unique, exact_unique, unique_error. Twins under a weight are in "weighted", with count,
 * missing and values_total as sums of weights. In splits with a "label" (name
 * of a feature), "label" of every other feature holds mutual_information, share, correlation, lift ([value, label,
 * lift, count]). Scripts rely on these names: add, never rename. */
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

static void set_unique(pen_json *object, int64_t n_unique, bool exact, double error)
{
    pen_json_set_int(object, "unique", n_unique);
    pen_json_set_bool(object, "exact_unique", exact);
    pen_json_set_double(object, "unique_error", error);
}

static void set_numeric(pen_json *object, const struct pen_numeric_statistics *numeric)
{
    set_unique(object, numeric->n_unique, numeric->exact_unique, numeric->unique_error);
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
    set_unique(object, string->n_unique, string->exact_unique, string->unique_error);
    pen_json_set_double(object, "avg_length", string->avg_length);
    pen_json_set_int(object, "min_length", string->min_length);
    pen_json_set_int(object, "max_length", string->max_length);
    pen_json_set_int(object, "invalid_utf8", string->n_invalid_utf8);
    pen_json_set_bool(object, "exact_counts", string->exact_counts);
    pen_json_set(object, "top", value_counts_json(&string->top));
    pen_json_set(object, "ranks", value_counts_json(&string->ranks));
}

static pen_json *label_json(const struct pen_label_statistics *label)
{
    pen_json *object = pen_json_object(), *lifts = pen_json_array();
    pen_json_set_double(object, "mutual_information", label->mutual_information);
    pen_json_set_double(object, "share", label->share);
    pen_json_set_double(object, "correlation", label->correlation);
    for (int64_t i = 0; i < label->n_lifts; i++) {
        pen_json *item = pen_json_array();
        pen_json_push(item, pen_json_string(label->lifts[i].value));
        pen_json_push(item, pen_json_string(label->lifts[i].label));
        pen_json_push(item, pen_json_double(label->lifts[i].lift));
        pen_json_push(item, count_json(label->lifts[i].count));
        pen_json_push(lifts, item);
    }
    pen_json_set(object, "lift", lifts);
    return object;
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
    pen_json_set(object, "value_counts", histogram_json(&feature->value_counts));
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
        pen_json_set_double(weighted, "avg_values", feature->weighted_avg_values);
        pen_json_set(weighted, "values_total", count_json(feature->weighted_values_total));
        if (feature->has_numeric) {
            set_numeric(weighted, &feature->weighted_numeric);
        }
        if (feature->has_string) {
            set_string(weighted, &feature->weighted_string);
        }
        pen_json_set(object, "weighted", weighted);
    }
    if (feature->has_label) {
        pen_json_set(object, "label", label_json(&feature->label));
    }
    return object;
}

static void set_split(pen_json *object, const struct pen_split_statistics *split)
{
    pen_json_set_int(object, "rows", split->n_rows);
    if (!isnan(split->weighted_rows) && split->weighted_rows >= 0) {
        pen_json_set(object, "weighted_rows", count_json(split->weighted_rows));
    }
    if (split->label != NULL) {
        pen_json_set_string(object, "label", split->label);
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
