/* Statistics written and read back: every field, every double bit, hostile files. */
#include "core/files.h"
#include "datasets/statistics/json.h"
#include "tests/pen_test.h"

#include <stdio.h>

static const struct pen_histogram_bucket buckets[] = {{-INFINITY, -INFINITY, 2}, {0.1, 1e300, 3.25}};
static const struct pen_value_count values[] = {{"caf\xc3\xa9", 12}, {"", 0.1}};

static struct pen_numeric_statistics some_numbers(double mean)
{
    struct pen_numeric_statistics numeric = {.mean = mean,
                                             .std = NAN,
                                             .min = -INFINITY,
                                             .median = -1.0,
                                             .max = 5e-324,
                                             .n_zeros = 4,
                                             .n_nan = 5,
                                             .n_positive_inf = 6,
                                             .n_negative_inf = 7,
                                             .n_unique = 8,
                                             .unique_error = 0.25,
                                             .exact_quantiles = true,
                                             .quantile_error = 0.0125};
    numeric.standard = (struct pen_histogram){2, buckets, 5};
    numeric.quantiles = (struct pen_histogram){1, buckets + 1, 5};
    return numeric;
}

static struct pen_string_statistics some_strings(void)
{
    return (struct pen_string_statistics){.n_unique = 3,
                                          .exact_unique = false,
                                          .unique_error = 0.008125,
                                          .avg_length = 1.0 / 3.0,
                                          .min_length = 1,
                                          .max_length = 9,
                                          .n_invalid_utf8 = 2,
                                          .top = {2, values},
                                          .ranks = {1, values},
                                          .exact_counts = true};
}

static void check_numbers(const struct pen_numeric_statistics *found, double mean)
{
    PEN_CHECK_EQ_F64(found->mean, mean);
    PEN_CHECK(isnan(found->std));
    PEN_CHECK_EQ_F64(found->min, -INFINITY);
    PEN_CHECK_EQ_F64(found->median, -1.0);
    PEN_CHECK_EQ_F64(found->max, 5e-324);
    PEN_CHECK_EQ_I64(found->n_zeros, 4);
    PEN_CHECK_EQ_I64(found->n_nan, 5);
    PEN_CHECK_EQ_I64(found->n_positive_inf, 6);
    PEN_CHECK_EQ_I64(found->n_negative_inf, 7);
    PEN_CHECK_EQ_I64(found->n_unique, 8);
    PEN_CHECK(!found->exact_unique);
    PEN_CHECK_EQ_F64(found->unique_error, 0.25);
    PEN_CHECK(found->exact_quantiles);
    PEN_CHECK_EQ_F64(found->quantile_error, 0.0125);
    PEN_REQUIRE_EQ_I64(found->standard.n_buckets, 2);
    PEN_CHECK_EQ_F64(found->standard.buckets[0].low, -INFINITY);
    PEN_CHECK_EQ_F64(found->standard.buckets[1].low, 0.1);
    PEN_CHECK_EQ_F64(found->standard.buckets[1].high, 1e300);
    PEN_CHECK_EQ_F64(found->standard.buckets[1].count, 3.25);
    PEN_CHECK_EQ_I64(found->quantiles.n_buckets, 1);
    PEN_CHECK_EQ_I64(found->quantiles.n_nan, 5);
}

static void check_strings(const struct pen_string_statistics *found)
{
    PEN_CHECK_EQ_I64(found->n_unique, 3);
    PEN_CHECK(!found->exact_unique && found->exact_counts);
    PEN_CHECK_EQ_F64(found->unique_error, 0.008125);
    PEN_CHECK_EQ_F64(found->avg_length, 1.0 / 3.0);
    PEN_CHECK_EQ_I64(found->min_length, 1);
    PEN_CHECK_EQ_I64(found->max_length, 9);
    PEN_CHECK_EQ_I64(found->n_invalid_utf8, 2);
    PEN_REQUIRE_EQ_I64(found->top.n_items, 2);
    PEN_CHECK_EQ_STR(found->top.items[0].value, "caf\xc3\xa9");
    PEN_CHECK_EQ_F64(found->top.items[0].count, 12);
    PEN_CHECK_EQ_STR(found->top.items[1].value, "");
    PEN_CHECK_EQ_F64(found->top.items[1].count, 0.1);
    PEN_CHECK_EQ_I64(found->ranks.n_items, 1);
}

static void every_field_comes_back(void)
{
    struct pen_feature_statistics features[3] = {
        {.name = "fare",
         .type = PEN_TYPE_FLOAT64,
         .n_rows = 11,
         .n_present = 9,
         .n_missing = 2,
         .min_values = 1,
         .max_values = 1,
         .avg_values = 1,
         .n_values_total = 9,
         .value_counts = {2, buckets, 0},
         .weighted_present = 4.5,
         .weighted_missing = 2,
         .weighted_avg_values = 1.0 / 3.0,
         .weighted_values_total = 1.5,
         .has_numeric = true,
         .has_weighted = true},
        {.name = "", .type = PEN_TYPE_CODES, .n_rows = 11, .n_present = 11, .n_values_total = 11, .has_string = true},
        {.name = "text", .type = PEN_TYPE_BYTES, .n_rows = 11, .n_missing = 11},
    };
    features[0].numeric = some_numbers(0.1);
    features[0].weighted_numeric = some_numbers(1.0 / 3.0);
    features[1].string = some_strings();
    const struct pen_split_statistics splits[3] = {{"train", "", 11, 6.5, 3, features, NULL},
                                                   {"eval", "", 0, NAN, 0, features, NULL},
                                                   {"train", "a=1 b=x", 4, NAN, 1, features + 1, NULL}};
    struct pen_statistics written = {.n_splits = 3, .splits = splits};
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    PEN_REQUIRE_OK(pen_path_join(path, pen_test_directory(), "statistics.json", &err), &err);
    PEN_REQUIRE_OK(pen_statistics_write(&written, path, &err), &err);
    struct pen_statistics found;
    PEN_REQUIRE_OK(pen_statistics_read(path, &found, &err), &err);
    PEN_CHECK_EQ_I64(found.n_splits, 3);
    const struct pen_split_statistics *train = pen_statistics_find_split(&found, "train", NULL);
    PEN_REQUIRE(train != NULL && train->n_features == 3);
    PEN_CHECK_EQ_I64(train->n_rows, 11);
    PEN_CHECK_EQ_F64(train->weighted_rows, 6.5);
    const struct pen_feature_statistics *fare = pen_statistics_find_feature(train, "fare");
    PEN_REQUIRE(fare != NULL);
    PEN_CHECK(fare->type == PEN_TYPE_FLOAT64 && fare->has_numeric && !fare->has_string && fare->has_weighted);
    PEN_CHECK_EQ_I64(fare->n_rows, 11);
    PEN_CHECK_EQ_I64(fare->n_present, 9);
    PEN_CHECK_EQ_I64(fare->n_missing, 2);
    PEN_CHECK_EQ_I64(fare->n_values_total, 9);
    PEN_CHECK_EQ_F64(fare->weighted_present, 4.5);
    PEN_CHECK_EQ_F64(fare->weighted_missing, 2);
    PEN_CHECK_EQ_F64(fare->weighted_avg_values, 1.0 / 3.0);
    PEN_CHECK_EQ_F64(fare->weighted_values_total, 1.5);
    PEN_REQUIRE_EQ_I64(fare->value_counts.n_buckets, 2);
    PEN_CHECK_EQ_F64(fare->value_counts.buckets[1].count, 3.25);
    check_numbers(&fare->numeric, 0.1);
    check_numbers(&fare->weighted_numeric, 1.0 / 3.0);
    const struct pen_split_statistics *slice = pen_statistics_find_split(&found, "train", "a=1 b=x");
    PEN_REQUIRE(slice != NULL && slice->n_features == 1);
    PEN_CHECK(isnan(slice->weighted_rows));
    PEN_CHECK(slice->features[0].type == PEN_TYPE_CODES && !slice->features[0].has_weighted);
    check_strings(&slice->features[0].string);
    PEN_CHECK(train->features[2].type == PEN_TYPE_BYTES);
    PEN_CHECK(pen_statistics_find_split(&found, "test", NULL) == NULL);
    PEN_CHECK(pen_statistics_find_feature(train, "tips") == NULL);
    pen_statistics_deinit(&found);
}

static void wrong_files_are_refused_with_the_place(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "statistics.json"},
        {"[]", "schema"},
        {"{\"schema\": 2, \"splits\": {}}", "found version 2"},
        {"{\"schema\": 1}", "splits"},
        {"{\"schema\": 1, \"splits\": {\"train\": {}}}", "rows"},
        {"{\"schema\": 1, \"splits\": {\"train\": {\"rows\": 1, \"features\": {\"x\": 3}}}}",
         "split train, feature x: expected \"type\""},
        {"{\"schema\": 1, \"splits\": {\"train\": {\"rows\": 1, \"features\": {\"x\": {\"type\": \"int64\"}}}}}",
         "expected \"count\" to be an integer"},
        {"{\"schema\": 1, \"splits\": {\"train\": {\"rows\": 1, \"features\": {\"x\": {\"type\": \"none\", "
         "\"count\": 0, \"missing\": 1, \"min_values\": 0, \"max_values\": 0, \"avg_values\": 0, "
         "\"values_total\": 0, \"value_counts\": 3}}}}}",
         "expected \"value_counts\" to be a list of [low, high, count]"},
        {"{\"schema\": 1, \"splits\": {}, \"slices\": [7]}", "split"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[PEN_PATH_BYTES];
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_statistics found;
        PEN_REQUIRE_OK(pen_path_join(path, pen_test_directory(), "statistics.json", &err), &err);
        PEN_REQUIRE_OK(pen_file_write_atomic(path, cases[i].text, strlen(cases[i].text), &err), &err);
        PEN_CHECK(pen_statistics_read(path, &found, &err) != PEN_OK);
        PEN_CHECK_CONTAINS(err.message, cases[i].message);
        PEN_CHECK(found.n_splits == 0 && found.arena.head == NULL);
    }
}

PEN_SUITE(statistics_json, PEN_CASE(every_field_comes_back), PEN_CASE(wrong_files_are_refused_with_the_place));
