/* TFX's own numbers for the Chicago taxi sample: its 2:1 split, its statistics with float32 columns (as tf.Example
 * holds them). Published with TFX's chicago_taxi example; tolerances are those of its own rounding. */
#include "components/example_gen/example_gen.h"
#include "components/statistics_gen/statistics_gen.h"
#include "components/statistics_gen/vocabulary.h"
#include "core/files.h"
#include "datasets/statistics/statistics.h"
#include "tests/pen_test.h"

static pen_status run(const struct pen_component *component, struct pen_arena *arena, const char *options,
                      struct pen_component_input *input, struct pen_component_output *output, struct pen_error *err)
{
    struct pen_config_node *node = NULL;
    PEN_TRY(pen_config_parse(arena, options, strlen(options), "options", &node, err));
    PEN_TRY(pen_directory_create(output->path, err));
    struct pen_component_context context = {.pipeline = "taxi",
                                            .node = component->name,
                                            .arena = arena,
                                            .options = node,
                                            .device = "cpu",
                                            .n_inputs = input != NULL,
                                            .inputs = input,
                                            .n_outputs = 1,
                                            .outputs = output};
    output->properties = pen_json_object();
    pen_status status = component->run(&context, err);
    pen_json_free(output->properties);
    return status;
}

static const struct {
    const char *feature, *split;
    int64_t n_values;
    double mean, std;
    int64_t n_zeros;
    double min, median, max;
} numbers[] = {
    {"fare", "train", 10036, 11.701521525222766, 12.257952235394214, 20, 0, 7.849999904632568, 700.0700073242188},
    {"fare", "eval", 4966, 11.903002415413875, 9.92512396333533, 7, 0, 8.050000190734863, 87.6500015258789},
    {"trip_miles", "train", 10036, 2.8967407307572346, 18.23370019866554, 2773, 0, 1.0, 1710},
    {"trip_seconds", "train", 10031, 778.3040574219918, 1092.9455139135239, 346, 0, 540, 72120},
};

static const struct {
    const char *feature;
    int64_t n_values, n_unique;
    double avg_length;
    const char *top;
    double count;
} strings[] = {
    {"company", 6629, 45, 25.4863, "Taxi Affiliation Services", 3483},
    {"payment_type", 10036, 6, 6.3211, "Cash", 6675},
};

static void check_numbers(const struct pen_statistics *statistics)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const struct pen_split_statistics *split = pen_statistics_find_split(statistics, numbers[i].split, NULL);
        PEN_REQUIRE(split != NULL);
        const struct pen_feature_statistics *found = pen_statistics_find_feature(split, numbers[i].feature);
        PEN_REQUIRE(found != NULL && found->has_numeric);
        PEN_CHECK_EQ_I64(found->n_values_total, numbers[i].n_values);
        PEN_CHECK_EQ_I64(found->n_present + found->n_missing, split->n_rows);
        PEN_CHECK_NEAR(found->numeric.mean, numbers[i].mean, 4e-16 * numbers[i].mean);
        PEN_CHECK_NEAR(found->numeric.std, numbers[i].std, 2e-10 * numbers[i].std);
        PEN_CHECK_EQ_I64(found->numeric.n_zeros, numbers[i].n_zeros);
        PEN_CHECK_EQ_F64(found->numeric.min, numbers[i].min);
        PEN_CHECK_EQ_F64(found->numeric.median, numbers[i].median);
        PEN_CHECK_EQ_F64(found->numeric.max, numbers[i].max);
        PEN_CHECK_EQ_I64(found->numeric.quantiles.n_buckets, 10);
        PEN_CHECK_EQ_I64(found->numeric.standard.n_buckets, 10);
    }
}

static void check_strings(const struct pen_statistics *statistics)
{
    const struct pen_split_statistics *train = pen_statistics_find_split(statistics, "train", "");
    const struct pen_split_statistics *eval = pen_statistics_find_split(statistics, "eval", "");
    PEN_REQUIRE(train != NULL && eval != NULL);
    PEN_CHECK_EQ_I64(train->n_rows, 10036);
    PEN_CHECK_EQ_I64(eval->n_rows, 4966);
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        const struct pen_feature_statistics *found = pen_statistics_find_feature(train, strings[i].feature);
        PEN_REQUIRE(found != NULL && found->has_string && found->string.top.n_items > 0);
        PEN_CHECK_EQ_I64(found->n_values_total, strings[i].n_values);
        PEN_CHECK_EQ_I64(found->string.n_unique, strings[i].n_unique);
        PEN_CHECK_NEAR(found->string.avg_length, strings[i].avg_length, 5e-5);
        PEN_CHECK_EQ_STR(found->string.top.items[0].value, strings[i].top);
        PEN_CHECK_EQ_F64(found->string.top.items[0].count, strings[i].count);
    }
    const struct pen_feature_statistics *payment = pen_statistics_find_feature(train, "payment_type");
    PEN_REQUIRE(payment != NULL && payment->string.top.n_items == 6);
    PEN_CHECK_EQ_STR(payment->string.top.items[1].value, "Credit Card");
    PEN_CHECK_EQ_F64(payment->string.top.items[1].count, 3274);
}

/* Slices by a feature cover the rows that have it. */
static void check_slices(const struct pen_statistics *statistics)
{
    int64_t n_rows = 0, n_slices = 0;
    for (int64_t i = 0; i < statistics->n_splits; i++) {
        if (strcmp(statistics->splits[i].split, "train") == 0 && statistics->splits[i].slice[0] != '\0') {
            n_rows += statistics->splits[i].n_rows;
            n_slices++;
        }
    }
    PEN_CHECK_EQ_I64(n_slices, 6);
    PEN_CHECK_EQ_I64(n_rows, 10036);
    const struct pen_split_statistics *cash = pen_statistics_find_split(statistics, "train", "payment_type=Cash");
    PEN_REQUIRE(cash != NULL);
    PEN_CHECK_EQ_I64(cash->n_rows, 6675);
}

/* A line a value, in the order of the ranks, which hold all of them here. */
static void check_vocabularies(struct pen_arena *arena, const struct pen_statistics *statistics, const char *folder)
{
    static const char *const features[] = {"company", "payment_type"}, *const splits[] = {"train", "eval"};
    for (int i = 0; i < 4; i++) {
        const struct pen_split_statistics *split = pen_statistics_find_split(statistics, splits[i / 2], NULL);
        const struct pen_feature_statistics *found = pen_statistics_find_feature(split, features[i % 2]);
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_text expected = {0};
        struct pen_text text = {0};
        PEN_REQUIRE(found != NULL && found->string.ranks.n_items == found->string.n_unique);
        for (int64_t k = 0; k < found->string.ranks.n_items; k++) {
            pen_text_printf(&expected, "%s\n", found->string.ranks.items[k].value);
        }
        const char *path = pen_arena_printf(arena, "%s/vocabularies/%s/%s.txt", folder, splits[i / 2], features[i % 2]);
        PEN_REQUIRE_OK(pen_file_read(path, 1 << 20, &text, &err), &err);
        PEN_CHECK_EQ_STR(pen_text_view(&text), pen_text_view(&expected));
        pen_text_deinit(&text);
        pen_text_deinit(&expected);
    }
}

static void taxi_statistics_are_those_of_tfx(void)
{
    if (pen_test_datasets() == NULL) {
        PEN_SKIP("the real data sets are not here");
    }
    struct pen_arena arena = {0};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_statistics statistics;
    const char *examples = pen_arena_printf(&arena, "%s/examples", pen_test_directory());
    const char *result = pen_arena_printf(&arena, "%s/statistics", pen_test_directory());
    struct pen_component_output examples_out = {"examples", examples, NULL}, out = {"statistics", result, NULL};
    struct pen_component_input in = {"examples", examples};
    const char *options =
        pen_arena_printf(&arena, "csv: %s/chicago_taxi/data.csv\nfloat_type: float32\n", pen_test_datasets());
    PEN_REQUIRE_OK(run(&pen_example_gen, &arena, options, NULL, &examples_out, &err), &err);
    PEN_REQUIRE_OK(run(&pen_statistics_gen, &arena, "slices: [[payment_type]]\nvocabularies: [company, payment_type]",
                       &in, &out, &err),
                   &err);
    const char *path = pen_arena_printf(&arena, "%s/statistics.json", result);
    PEN_REQUIRE_OK(pen_statistics_read(path, &statistics, &err), &err);
    check_numbers(&statistics);
    check_strings(&statistics);
    check_slices(&statistics);
    check_vocabularies(&arena, &statistics, result);
    pen_statistics_deinit(&statistics);
    pen_arena_deinit(&arena);
}

static void vocabulary_files_keep_a_value_to_a_line(void)
{
    static const struct pen_value_count values[] = {{"a\nb", 3}, {"c\\d", 2}, {"", 1}, {"e\r", 1}};
    static const char *const names[] = {"size/m\xc2\xb2", "never"};
    const struct pen_feature_statistics feature = {.name = names[0], .string = {.vocabulary = {4, values}}};
    const struct pen_split_statistics splits[2] = {{"train", "", 7, NAN, 1, &feature, NULL},
                                                   {"train", "a=1", 7, NAN, 0, NULL, NULL}};
    const struct pen_statistics statistics = {.n_splits = 2, .splits = splits};
    const struct pen_config_strings features = {names, 2};
    struct pen_arena arena = {0};
    struct pen_text text = {0};
    struct pen_error err = PEN_ERROR_INIT;
    const char *folder = pen_test_directory();
    PEN_REQUIRE_OK(pen_vocabularies_write(folder, &statistics, &features, &err), &err);
    const char *path = pen_arena_printf(&arena, "%s/vocabularies/train/size%%2Fm%%C2%%B2.txt", folder);
    PEN_REQUIRE_OK(pen_file_read(path, 100, &text, &err), &err);
    PEN_CHECK_EQ_STR(pen_text_view(&text), "a\\nb\nc\\\\d\n\ne\\r\n");
    pen_text_reset(&text);
    path = pen_arena_printf(&arena, "%s/vocabularies/train/never.txt", folder);
    PEN_REQUIRE_OK(pen_file_read(path, 100, &text, &err), &err);
    PEN_CHECK_EQ_I64((int64_t)text.size_bytes, 0);
    pen_text_deinit(&text);
    pen_arena_deinit(&arena);
}

static void wrong_options_are_refused_in_place(void)
{
    static const struct {
        const char *options, *message;
    } cases[] = {
        {"slices: 3", "options:1:9: option slices: expected a list of slicings"},
        {"slices: [[{a: 1}]]", "expected a feature, or feature=value"},
        {"num_top_value: 3", "num_top_values"},
        {"sample_rate: 0", "sample_rate"},
        {"frequency_threshold: 0", "frequency_threshold"},
        {"exact: never", "exact"},
        {"per_feature_weight_override: fare", "expected a map such as {fare: trip_weight}"},
        {"per_feature_weight_override: {fare: [w]}", "per_feature_weight_override"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_arena arena = {0};
        struct pen_error err = PEN_ERROR_INIT;
        const char *folder = pen_test_directory();
        const char *examples = pen_arena_printf(&arena, "%s/examples.json", folder);
        const char *document = "{\"splits\": {}}";
        PEN_REQUIRE_OK(pen_file_write_atomic(examples, document, strlen(document), &err), &err);
        struct pen_component_output out = {"statistics", pen_arena_printf(&arena, "%s/out", folder), NULL};
        struct pen_component_input in = {"examples", folder};
        PEN_CHECK_STATUS(run(&pen_statistics_gen, &arena, cases[i].options, &in, &out, &err), PEN_ERR_CONFIG);
        PEN_CHECK_CONTAINS(err.message, cases[i].message);
        pen_arena_deinit(&arena);
    }
}

PEN_SUITE(statistics_gen, PEN_CASE(taxi_statistics_are_those_of_tfx), PEN_CASE(vocabulary_files_keep_a_value_to_a_line),
          PEN_CASE(wrong_options_are_refused_in_place));
