/* Weighted twins and thresholds of a table small enough to work out by hand, for the whole split and for both slices.
 * Moments are numpy's: average(x, weights=w), sqrt(average((x - mean)**2, weights=w)). Weights are sums of powers of
 * two, so that sums of them are exact. */
#include "datasets/statistics/compute.h"
#include "tests/pen_test.h"

#include <stdio.h>

enum { ROWS = 10 };

/* Row 4 has a weight and nothing else. */
static const double x[ROWS] = {1, 2, 2, 5, 0, 0, -3, 8, 8, 8};
static const double w[ROWS] = {.5, 1, 2, .25, 3, 1.5, .75, .125, .25, .5};
static const int64_t slice_of[ROWS] = {1, 1, 1, 1, 1, 2, 2, 2, 2, 2};
static const int32_t codes[ROWS] = {0, 1, 0, 2, -1, 1, 0, 2, 3, 1};
static const int64_t dictionary_offsets[] = {0, 1, 3, 6, 10};
static const int64_t offsets[ROWS + 1] = {0, 1, 3, 4, 7, 7, 9, 10, 13, 17, 19};
static const uint8_t validity[] = {0xEF, 0x03};
static const struct pen_dictionary dictionary = {.n_entries = 4, .offsets = dictionary_offsets, .bytes = "abbcccdddd"};

static const struct expected {
    const char *slice;
    int64_t n_missing;
    double present, missing, mean, std, median, avg_length;
    double standard[4], quantile_lows[4];
    const char *top, *weighted_top;                   /* all values */
    const char *frequent_top, *weighted_frequent_top; /* in 2 rows at least; of weight 0.375 at least */
} expected[] = {
    {"",
     1,
     6.875,
     3,
     1.8181818181818181,
     2.923826316760028,
     2,
     11.375 / 6.875,
     {.75, 5, .25, .875},
     {-3, 0, 2, 2},
     "bb 3 a 3 ccc 2 dddd 1 ",
     "a 3.25 bb 3 ccc 0.375 dddd 0.25 ",
     "bb 3 a 3 ccc 2 ",
     "a 3.25 bb 3 ccc 0.375 "},
    {"g=1",
     1,
     3.75,
     3,
     2.0666666666666669,
     0.85374989832437986,
     2,
     5.25 / 3.75,
     {.5, 3, 0, .25},
     {1, 2, 2, 2},
     "a 2 ccc 1 bb 1 ",
     "a 2.5 bb 1 ccc 0.25 ",
     "a 2 ",
     "a 2.5 bb 1 "},
    {"g=2",
     0,
     3.125,
     0,
     1.52,
     4.2154003368600712,
     0,
     6.125 / 3.125,
     {.75, 1.5, 0, .875},
     {-3, 0, 0, 8},
     "bb 2 dddd 1 ccc 1 a 1 ",
     "bb 2 a 0.75 dddd 0.25 ccc 0.125 ",
     "bb 2 ",
     "bb 2 a 0.75 "},
};

/* Under the weights w, unless the options name others. */
static void compute(struct pen_statistics *statistics, struct pen_statistics_options options)
{
    static const char *const names[] = {"x", "text", "codes", "w", "g"};
    const struct pen_column columns[] = {
        {.type = PEN_TYPE_FLOAT64, .n_rows = ROWS, .values = x, .validity = validity},
        {.type = PEN_TYPE_BYTES,
         .n_rows = ROWS,
         .offsets = offsets,
         .bytes = "abbacccbbacccddddbb",
         .validity = validity},
        {.type = PEN_TYPE_CODES, .n_rows = ROWS, .values = codes, .dictionary = &dictionary, .validity = validity},
        {.type = PEN_TYPE_FLOAT64, .n_rows = ROWS, .values = w},
        {.type = PEN_TYPE_INT64, .n_rows = ROWS, .values = slice_of},
    };
    const struct pen_batch batch = {ROWS, 0, 5, names, columns};
    const struct pen_statistics_batches batches = {"train", 1, &batch};
    struct pen_statistics_source source = pen_statistics_source_batches(&batches);
    const struct pen_slice_item item = {"g", NULL};
    const struct pen_slicing slicing = {1, &item};
    struct pen_error err = PEN_ERROR_INIT;
    if (options.weight_feature == NULL && options.n_weight_overrides == 0) {
        options.weight_feature = "w";
    }
    options.n_histogram_buckets = options.n_quantile_buckets = 4;
    options.slicings = &slicing;
    options.n_slicings = 1;
    PEN_REQUIRE_OK(pen_statistics_compute(statistics, &source, 1, &options, &err), &err);
    PEN_REQUIRE_EQ_I64(statistics->n_splits, 3);
}

static const struct pen_feature_statistics *feature_of(const struct pen_statistics *statistics, const char *slice,
                                                       const char *name)
{
    const struct pen_split_statistics *split = pen_statistics_find_split(statistics, "train", slice);
    return split == NULL ? NULL : pen_statistics_find_feature(split, name);
}

static void check_list(const struct pen_value_counts *found, const char *list)
{
    char text[200] = "";
    size_t n = 0;
    for (int64_t i = 0; i < found->n_items; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s %.9g ", found->items[i].value, found->items[i].count);
        PEN_REQUIRE(n < sizeof text);
    }
    PEN_CHECK_EQ_STR(text, list);
}

static void weighted_numbers_are_those_of_numpy(void)
{
    struct pen_statistics statistics;
    compute(&statistics, (struct pen_statistics_options)PEN_STATISTICS_OPTIONS_DEFAULT);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct expected *want = &expected[i];
        const struct pen_feature_statistics *found = feature_of(&statistics, want->slice, "x");
        PEN_REQUIRE(found != NULL && found->has_weighted && found->has_numeric);
        PEN_CHECK_EQ_I64(found->n_missing, want->n_missing);
        PEN_CHECK_EQ_F64(found->weighted_present, want->present);
        PEN_CHECK_EQ_F64(found->weighted_missing, want->missing);
        PEN_CHECK_NEAR(found->weighted_numeric.mean, want->mean, 1e-15 * want->mean);
        PEN_CHECK_NEAR(found->weighted_numeric.std, want->std, 1e-15 * want->std);
        PEN_CHECK_EQ_F64(found->weighted_numeric.median, want->median);
        PEN_REQUIRE_EQ_I64(found->weighted_numeric.standard.n_buckets, 4);
        PEN_REQUIRE_EQ_I64(found->weighted_numeric.quantiles.n_buckets, 4);
        for (int k = 0; k < 4; k++) {
            PEN_CHECK_EQ_F64(found->weighted_numeric.standard.buckets[k].count, want->standard[k]);
            PEN_CHECK_EQ_F64(found->weighted_numeric.quantiles.buckets[k].low, want->quantile_lows[k]);
            PEN_CHECK_EQ_F64(found->weighted_numeric.quantiles.buckets[k].count, want->present / 4);
        }
    }
    pen_statistics_deinit(&statistics);
}

/* The number of values of a row is 1 where there is one: so is each of its quantiles. */
static void values_a_row_are_counted(void)
{
    static const char *const names[] = {"x", "text", "codes"};
    struct pen_statistics statistics;
    compute(&statistics, (struct pen_statistics_options)PEN_STATISTICS_OPTIONS_DEFAULT);
    for (size_t i = 0; i < 3 * sizeof expected / sizeof expected[0]; i++) {
        const struct expected *want = &expected[i / 3];
        const struct pen_feature_statistics *found = feature_of(&statistics, want->slice, names[i % 3]);
        PEN_REQUIRE(found != NULL);
        double n_present = (double)(found->n_rows - want->n_missing);
        PEN_CHECK_EQ_F64((double)found->n_values_total, n_present);
        PEN_CHECK_EQ_F64(found->weighted_avg_values, 1);
        PEN_CHECK_EQ_F64(found->weighted_values_total, want->present);
        PEN_REQUIRE_EQ_I64(found->value_counts.n_buckets, 10);
        for (int k = 0; k < 10; k++) {
            PEN_CHECK_EQ_F64(found->value_counts.buckets[k].low, 1);
            PEN_CHECK_EQ_F64(found->value_counts.buckets[k].high, 1);
            PEN_CHECK_NEAR(found->value_counts.buckets[k].count, n_present / 10, 1e-16);
        }
    }
    pen_statistics_deinit(&statistics);
}

static void weighted_strings_are_summed_by_value(void)
{
    static const char *const names[] = {"text", "codes"};
    struct pen_statistics statistics;
    compute(&statistics, (struct pen_statistics_options)PEN_STATISTICS_OPTIONS_DEFAULT);
    for (size_t i = 0; i < 2 * sizeof expected / sizeof expected[0]; i++) {
        const struct expected *want = &expected[i / 2];
        const struct pen_feature_statistics *found = feature_of(&statistics, want->slice, names[i % 2]);
        PEN_REQUIRE(found != NULL && found->has_weighted && found->has_string);
        PEN_CHECK_EQ_F64(found->weighted_present, want->present);
        PEN_CHECK_EQ_F64(found->weighted_missing, want->missing);
        PEN_CHECK_NEAR(found->weighted_string.avg_length, want->avg_length, 1e-15 * want->avg_length);
        check_list(&found->string.top, want->top);
        check_list(&found->string.ranks, want->top);
        check_list(&found->weighted_string.top, want->weighted_top);
        check_list(&found->weighted_string.ranks, want->weighted_top);
    }
    pen_statistics_deinit(&statistics);
}

/* A threshold shortens the lists, and nothing else. */
static void thresholds_leave_rare_values_out(void)
{
    static const char *const names[] = {"text", "codes"};
    struct pen_statistics all, frequent;
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    compute(&all, options);
    options.least_count = 2;
    options.least_weight = 0.375;
    compute(&frequent, options);
    for (size_t i = 0; i < 2 * sizeof expected / sizeof expected[0]; i++) {
        const struct expected *want = &expected[i / 2];
        const struct pen_feature_statistics *whole = feature_of(&all, want->slice, names[i % 2]);
        const struct pen_feature_statistics *found = feature_of(&frequent, want->slice, names[i % 2]);
        PEN_REQUIRE(whole != NULL && found != NULL);
        PEN_CHECK_EQ_I64(found->string.n_unique, whole->string.n_unique);
        PEN_CHECK_EQ_F64(found->string.avg_length, whole->string.avg_length);
        PEN_CHECK(found->string.exact_counts);
        check_list(&found->string.top, want->frequent_top);
        check_list(&found->string.ranks, want->frequent_top);
        check_list(&found->weighted_string.top, want->weighted_frequent_top);
        check_list(&found->weighted_string.ranks, want->weighted_frequent_top);
    }
    pen_statistics_deinit(&all);
    pen_statistics_deinit(&frequent);
}

/* x under w and the codes under g, whatever the rest is weighted by: nothing, or x's own twin. */
static void features_have_weights_of_their_own(void)
{
    static const struct pen_weight_override overrides[] = {{"x", "w"}, {"codes", "g"}};
    static const char *const rest[] = {NULL, "g"};
    for (int i = 0; i < 2; i++) {
        struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
        struct pen_statistics statistics, all;
        options.weight_feature = rest[i];
        options.n_weight_overrides = 2;
        options.weight_overrides = overrides;
        compute(&statistics, options);
        compute(&all, (struct pen_statistics_options)PEN_STATISTICS_OPTIONS_DEFAULT);
        for (size_t k = 0; k < sizeof expected / sizeof expected[0]; k++) {
            const struct pen_feature_statistics *found = feature_of(&statistics, expected[k].slice, "x");
            PEN_REQUIRE(found != NULL && found->has_weighted);
            PEN_CHECK_EQ_F64(found->weighted_present, expected[k].present);
            PEN_CHECK_NEAR(found->weighted_numeric.mean, expected[k].mean, 1e-15 * expected[k].mean);
            const struct pen_feature_statistics *text = feature_of(&statistics, expected[k].slice, "text");
            PEN_REQUIRE(text != NULL);
            PEN_CHECK(text->has_weighted == (i == 1));
        }
        const struct pen_feature_statistics *coded = feature_of(&statistics, "", "codes");
        PEN_REQUIRE(coded != NULL && coded->has_weighted);
        check_list(&coded->weighted_string.top, "bb 5 a 4 ccc 3 dddd 2 ");
        PEN_CHECK_EQ_F64(coded->weighted_missing, 1);
        const struct pen_split_statistics *whole = pen_statistics_find_split(&statistics, "train", NULL);
        PEN_CHECK(i == 0 ? whole->weighted_rows != whole->weighted_rows : whole->weighted_rows == 15);
        whole = pen_statistics_find_split(&all, "train", NULL);
        PEN_CHECK_EQ_F64(whole->weighted_rows, 9.875);
        pen_statistics_deinit(&statistics);
        pen_statistics_deinit(&all);
    }
}

PEN_SUITE(statistics_weighted, PEN_CASE(weighted_numbers_are_those_of_numpy), PEN_CASE(values_a_row_are_counted),
          PEN_CASE(weighted_strings_are_summed_by_value), PEN_CASE(thresholds_leave_rare_values_out),
          PEN_CASE(features_have_weights_of_their_own));
