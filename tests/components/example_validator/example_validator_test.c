/* SchemaGen and ExampleValidator on real data, through StatisticsGen: clean penguins pass, skewed ones do not. */
#include "components/example_validator/example_validator.h"
#include "components/example_validator/render.h"
#include "components/schema_gen/schema_gen.h"
#include "components/statistics_gen/statistics_gen.h"
#include "core/files.h"
#include "datasets/schema/schema.h"
#include "datasets/store/store.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>

enum { N_COLUMNS = 5, MOST_ROWS = 1024 };

static const char *const names[N_COLUMNS] = {"species", "culmen_length_mm", "culmen_depth_mm", "flipper_length_mm",
                                             "body_mass_g"};

struct penguins {
    int64_t n_rows;
    int64_t species[MOST_ROWS];
    double values[N_COLUMNS][MOST_ROWS];
};

/* A CSV of five numbers a line, without quotes or empty cells. */
static bool load(const char *path, struct penguins *penguins)
{
    char line[512];
    FILE *file = fopen(path, "r");
    penguins->n_rows = 0;
    if (file == NULL) {
        return false;
    }
    bool header = true;
    while (fgets(line, sizeof line, file) != NULL && penguins->n_rows < MOST_ROWS) {
        if (header) {
            header = false;
            continue;
        }
        char *at = line;
        for (int i = 0; i < N_COLUMNS; i++) {
            penguins->values[i][penguins->n_rows] = strtod(at, &at);
            at += *at == ',';
        }
        penguins->species[penguins->n_rows] = (int64_t)penguins->values[0][penguins->n_rows];
        penguins->n_rows++;
    }
    (void)fclose(file);
    return penguins->n_rows > 0;
}

static pen_status write_examples(const char *folder, const struct penguins *penguins, struct pen_error *err)
{
    struct pen_store_column_spec specs[N_COLUMNS];
    struct pen_column columns[N_COLUMNS];
    char path[PEN_PATH_BYTES];
    char json[64];
    for (int i = 0; i < N_COLUMNS; i++) {
        enum pen_type type = i == 0 ? PEN_TYPE_INT64 : PEN_TYPE_FLOAT64;
        specs[i] = (struct pen_store_column_spec){names[i], type};
        columns[i] = (struct pen_column){.type = type, .n_rows = penguins->n_rows, .values = penguins->values[i]};
    }
    columns[0].values = penguins->species;
    struct pen_store_options options = {.split = "train", .span = -1};
    struct pen_store_writer *writer = NULL;
    PEN_TRY(pen_directory_create(folder, err));
    PEN_TRY(pen_path_join(path, folder, "split-train.h5", err));
    PEN_TRY(pen_store_create(&writer, path, specs, N_COLUMNS, &options, err));
    PEN_TRY(pen_store_append(writer, columns, penguins->n_rows, err));
    PEN_TRY(pen_store_finish(writer, err));
    PEN_TRY(pen_path_join(path, folder, "examples.json", err));
    (void)snprintf(json, sizeof json, "{\"splits\": {\"train\": %lld}}", (long long)penguins->n_rows);
    return pen_file_write_atomic(path, json, strlen(json), err);
}

struct step {
    const struct pen_component *component;
    const char *options;
    const struct pen_component_input *inputs;
    int64_t n_inputs;
    const char *output_key, *output;
    bool blessed; /* out */
};

static pen_status run_step(struct pen_arena *arena, struct step *step, struct pen_error *err)
{
    struct pen_config_node *node = NULL;
    PEN_TRY(pen_config_parse(arena, step->options, strlen(step->options), "pipeline.yaml", &node, err));
    PEN_TRY(pen_directory_create(step->output, err));
    struct pen_component_output outputs[] = {{step->output_key, step->output, pen_json_object()}};
    struct pen_component_context context = {.pipeline = "penguins",
                                            .node = step->component->name,
                                            .arena = arena,
                                            .options = node,
                                            .base_directory = pen_arena_strdup(arena, pen_test_directory()),
                                            .device = "cpu",
                                            .n_inputs = step->n_inputs,
                                            .inputs = step->inputs,
                                            .n_outputs = 1,
                                            .outputs = outputs};
    pen_status status = step->component->run(&context, err);
    step->blessed = pen_json_bool_or(pen_json_get(outputs[0].properties, "blessed"), false);
    pen_json_free(outputs[0].properties);
    return status;
}

static const char *below(struct pen_arena *arena, const char *name)
{
    return pen_arena_printf(arena, "%s/%s", pen_test_directory(), name);
}

/* Examples and statistics of one CSV file, in folders NAME-examples and NAME-statistics. */
static pen_status prepare(struct pen_arena *arena, const char *csv, const char *name, struct pen_error *err)
{
    static struct penguins penguins;
    const char *examples = below(arena, pen_arena_printf(arena, "%s-examples", name));
    if (!load(pen_arena_printf(arena, "%s/penguins/%s", pen_test_datasets(), csv), &penguins)) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "%s cannot be read", csv);
    }
    PEN_TRY(write_examples(examples, &penguins, err));
    const struct pen_component_input inputs[] = {{"examples", examples}};
    struct step step = {&pen_statistics_gen,
                        "{}",
                        inputs,
                        1,
                        "statistics",
                        below(arena, pen_arena_printf(arena, "%s-statistics", name)),
                        false};
    return run_step(arena, &step, err);
}

static pen_status validate(struct pen_arena *arena, const char *name, const char *schema, const char *previous,
                           const char *options, const char *output, bool *blessed, struct pen_error *err)
{
    const struct pen_component_input inputs[] = {
        {"statistics", below(arena, pen_arena_printf(arena, "%s-statistics", name))},
        {"schema", schema},
        {"examples", below(arena, pen_arena_printf(arena, "%s-examples", name))},
        {"previous_statistics", previous},
    };
    struct step step = {&pen_example_validator, options, inputs, 4, "anomalies", output, false};
    pen_status status = run_step(arena, &step, err);
    *blessed = step.blessed;
    return status;
}

static void check_anomalies(struct pen_arena *arena, const char *folder)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *root = NULL;
    PEN_REQUIRE_OK(pen_json_read_file(pen_arena_printf(arena, "%s/anomalies.json", folder), &root, &err), &err);
    PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(root, "schema"), 0), 1);
    PEN_CHECK(!pen_json_bool_or(pen_json_get(pen_json_get(root, "blessed"), "train"), true));
    const pen_json *train = pen_json_get(pen_json_get(root, "splits"), "train");
    const pen_json *list = pen_json_get(train, "anomalies");
    PEN_CHECK_EQ_I64(pen_json_size(list), 1);
    const pen_json *anomaly = pen_json_at(list, 0);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(anomaly, "feature"), ""), "culmen_length_mm");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(anomaly, "type"), ""), "FLOAT_TYPE_SMALL_FLOAT");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(anomaly, "seen"), ""), "-1");
    PEN_CHECK(pen_json_int_or(pen_json_get(anomaly, "rows"), 0) > 0);
    const pen_json *example = pen_json_at(pen_json_get(anomaly, "examples"), 0);
    PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(example, "row"), -1), 1); /* the file's second row */
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(example, "value"), ""), "-1");
    const pen_json *change = pen_json_get(pen_json_get(pen_json_get(anomaly, "change"), "schema"), "features");
    PEN_CHECK_EQ_F64(pen_json_number_or(pen_json_get(pen_json_get(change, "culmen_length_mm"), "min"), 0.0), -1.0);
    struct pen_text text = {0};
    PEN_CHECK_OK(pen_anomalies_render(root, &text, &err), &err);
    PEN_CHECK_CONTAINS(pen_text_view(&text), "train: ");
    PEN_CHECK_CONTAINS(pen_text_view(&text), "  error   culmen_length_mm: FLOAT_TYPE_SMALL_FLOAT\n"
                                             "      expected  at least 0   [min: 0]\n      seen      -1\n");
    PEN_CHECK_CONTAINS(pen_text_view(&text), "row 1: -1\n");
    PEN_CHECK_CONTAINS(pen_text_view(&text), "to accept it, put into schema.yaml:\n        features:\n");
    pen_text_deinit(&text);
    pen_json_free(root);
}

/* An edited schema for the penguins: what was inferred, and a lower limit for the lengths. */
static pen_status make_schemas(struct pen_arena *arena, struct pen_error *err)
{
    const struct pen_component_input inputs[] = {{"statistics", below(arena, "clean-statistics")}};
    struct step infer = {&pen_schema_gen, "{}", inputs, 1, "schema", below(arena, "inferred"), false};
    PEN_TRY(run_step(arena, &infer, err));
    struct pen_schema schema;
    struct pen_schema edited;
    static const char edit[] =
        "features:\n  culmen_length_mm: {type: float, presence: required, shape: [1], min: 0, max: 1}\n";
    PEN_TRY(pen_schema_read(below(arena, "inferred/schema.yaml"), &schema, err));
    PEN_TRY(pen_schema_patch(&schema, edit, strlen(edit), "edit", &edited, err));
    PEN_TRY(pen_schema_write(&edited, below(arena, "edited.yaml"), err));
    pen_schema_deinit(&edited);
    pen_schema_deinit(&schema);
    struct step import = {&pen_schema_gen, "import: edited.yaml", inputs, 1, "schema", below(arena, "imported"), false};
    return run_step(arena, &import, err);
}

static void penguins_end_to_end(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    bool blessed = false;
    if (pen_test_datasets() == NULL) {
        PEN_SKIP("no data sets");
    }
    PEN_REQUIRE_OK(prepare(&arena, "penguins_processed.csv", "clean", &err), &err);
    PEN_REQUIRE_OK(prepare(&arena, "penguins_processed_skewed.csv", "skewed", &err), &err);
    PEN_REQUIRE_OK(make_schemas(&arena, &err), &err);
    const char *inferred = below(&arena, "inferred");
    const char *imported = below(&arena, "imported");
    PEN_CHECK_OK(validate(&arena, "clean", inferred, NULL, "{}", below(&arena, "out1"), &blessed, &err), &err);
    PEN_CHECK(blessed);
    PEN_CHECK_OK(validate(&arena, "clean", imported, NULL, "{}", below(&arena, "out2"), &blessed, &err), &err);
    PEN_CHECK(blessed);
    PEN_CHECK_STATUS(validate(&arena, "skewed", imported, NULL, "{}", below(&arena, "out3"), &blessed, &err),
                     PEN_ERR_ANOMALY);
    PEN_CHECK(!blessed);
    PEN_CHECK_CONTAINS(err.message,
                       "1 anomaly: train culmen_length_mm FLOAT_TYPE_SMALL_FLOAT: expected at least 0, seen -1");
    check_anomalies(&arena, below(&arena, "out3"));
    PEN_CHECK_OK(validate(&arena, "skewed", imported, NULL, "on_anomaly: warn", below(&arena, "out4"), &blessed, &err),
                 &err);
    PEN_CHECK(!blessed);
    check_anomalies(&arena, below(&arena, "out4"));
    /* Without a limit, only drift against the clean data shows it: one row moves the histogram by 0.031. */
    const char *previous = below(&arena, "clean-statistics");
    PEN_CHECK_STATUS(validate(&arena, "skewed", inferred, previous, "drift: {jensen_shannon: 0.01}",
                              below(&arena, "out5"), &blessed, &err),
                     PEN_ERR_ANOMALY);
    PEN_CHECK_CONTAINS(err.message, "train culmen_length_mm COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH");
    PEN_CHECK_OK(validate(&arena, "clean", inferred, previous, "drift: {jensen_shannon: 0}", below(&arena, "out6"),
                          &blessed, &err),
                 &err);
    pen_arena_deinit(&arena);
}

static void wrong_options_are_refused(void)
{
    static const struct {
        const char *options, *message;
    } wrong[] = {
        {"on_anomaly: halt", "option on_anomaly: expected one of stop, warn; found 'halt'"},
        {"exclude_splits: [tran]", "pipeline.yaml:1:17: option exclude_splits: the statistics have no split 'tran'; "
                                   "did you mean 'train'"},
        {"environments: {evl: X}", "option environments: the statistics have no split 'evl'; the first is 'train'"},
        {"environments: TRAINING", "option environments: expected a map of splits"},
        {"drift: {infinity_norm: 0.1}", "option drift.infinity_norm: expected a feature it can measure, found none"},
        {"drift: {jensen: 0.1}", "drift has no option 'jensen'"},
        {"skew: {reference: train}", "option skew: expected both reference and treatment, or neither"},
        {"skew: {reference: train, treatment: eval}", "option treatment: the statistics have no split 'eval'"},
        {"exclude_splits: train", "found none outside exclude_splits"},
        {"serving_statistics: absent.json", "absent.json"},
        {"drif: {}", "did you mean 'drift'?"},
    };
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    bool blessed = false;
    if (pen_test_datasets() == NULL) {
        PEN_SKIP("no data sets");
    }
    PEN_REQUIRE_OK(prepare(&arena, "penguins_processed.csv", "clean", &err), &err);
    PEN_REQUIRE_OK(make_schemas(&arena, &err), &err);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *output = below(&arena, pen_arena_printf(&arena, "out%zu", i));
        pen_status status =
            validate(&arena, "clean", below(&arena, "inferred"), NULL, wrong[i].options, output, &blessed, &err);
        PEN_CHECK_MSG(status != PEN_OK, "%s is accepted", wrong[i].options);
        PEN_CHECK_CONTAINS(err.message, wrong[i].message);
        PEN_CHECK(!pen_path_exists(pen_arena_printf(&arena, "%s/anomalies.json", output)));
    }
    pen_arena_deinit(&arena);
}

static void an_imported_schema_is_its_content(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_text digests[3] = {{0}, {0}, {0}};
    static const char *const texts[] = {"features: {x: {type: int}} # a\n", "features: {x: {type: int}} # b\n",
                                        "features: {x: {type: int}} # a\n"};
    struct pen_config_node *options = NULL;
    PEN_REQUIRE_OK(pen_config_parse(&arena, "import: mine.yaml", 17, "pipeline.yaml", &options, &err), &err);
    struct pen_component_context context = {
        .arena = &arena, .options = options, .base_directory = pen_arena_strdup(&arena, pen_test_directory())};
    pen_json *key = pen_json_object();
    PEN_CHECK_STATUS(pen_schema_gen.fingerprint(&context, key, &err), PEN_ERR_NOT_FOUND);
    for (int i = 0; i < 3; i++) {
        PEN_CHECK_OK(pen_file_write_atomic(below(&arena, "mine.yaml"), texts[i], strlen(texts[i]), &err), &err);
        PEN_CHECK_OK(pen_schema_gen.fingerprint(&context, key, &err), &err);
        PEN_CHECK_OK(pen_json_print(key, PEN_JSON_CANONICAL, &digests[i], &err), &err);
    }
    PEN_CHECK_EQ_STR(pen_text_view(&digests[0]), pen_text_view(&digests[2]));
    PEN_CHECK(strcmp(pen_text_view(&digests[0]), pen_text_view(&digests[1])) != 0);
    for (int i = 0; i < 3; i++) {
        pen_text_deinit(&digests[i]);
    }
    pen_json_free(key);
    pen_arena_deinit(&arena);
}

PEN_SUITE(example_validator, PEN_CASE(penguins_end_to_end), PEN_CASE(wrong_options_are_refused),
          PEN_CASE(an_imported_schema_is_its_content));
