/* The component on the Chicago taxi sample: CSV to store, store to graph and tensors, against known numbers.
 *
 * The expected values were computed from data.csv (sha256 cdaf0b59...) with Python's csv and math.fsum; the count of
 * big tippers and of payment types is the one in the sample's own description. */
#include "components/transform/compile.h"
#include "components/transform/transform.h"
#include "core/files.h"
#include "core/memory.h"
#include "datasets/csv/csv.h"
#include "kernels/backend.h"
#include "tests/pen_test.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

static const char pipeline[] = "features:\n"
                               "  miles: zscore(trip_miles)\n"
                               "  seconds: fill(trip_seconds, 'median')\n"
                               "  latitude: bucketize(pickup_latitude, 10)\n"
                               "  company: vocab(company, top_k: 1000, oov: 10)\n"
                               "  pay: onehot(payment_type)\n"
                               "  route: hash(cross(pickup_community_area, dropoff_community_area), 10000)\n"
                               "label: tips > 0.2 * fare\n";

static pen_status write_split(const char *folder, const char *csv, const char *split, struct pen_error *err)
{
    char path[PEN_PATH_BYTES], out[PEN_PATH_BYTES];
    pen_status status = PEN_OK;
    struct pen_csv_options options;
    struct pen_csv_reader *reader = NULL;
    struct pen_store_writer *writer = NULL;
    struct pen_store_column_spec specs[32];
    pen_csv_options_init(&options);
    (void)snprintf(path, sizeof path, "%s/%s", pen_test_datasets(), csv);
    (void)snprintf(out, sizeof out, "%s/split-%s.h5", folder, split);
    const char *paths[] = {path};
    PEN_TRY(pen_csv_open(&reader, paths, 1, &options, err));
    PEN_TRY_GOTO(cleanup, pen_csv_infer(reader, err));
    for (int64_t i = 0; i < pen_csv_n_columns(reader); i++) {
        specs[i] = (struct pen_store_column_spec){pen_csv_names(reader)[i], pen_csv_type(reader, i)};
    }
    const struct pen_store_options store = {.split = split, .span = -1};
    PEN_TRY_GOTO(cleanup, pen_store_create(&writer, out, specs, pen_csv_n_columns(reader), &store, err));
    for (;;) {
        struct pen_batch batch;
        bool restarted = false;
        PEN_TRY_GOTO(cleanup, pen_csv_next(reader, &batch, &restarted, err));
        if (batch.n_rows == 0) {
            break;
        }
        PEN_TRY_GOTO(cleanup, pen_store_append(writer, batch.columns, batch.n_rows, err));
    }
    status = pen_store_finish(writer, err);
    writer = NULL;
cleanup:
    pen_store_abandon(writer);
    pen_csv_close(reader);
    return status;
}

static pen_status run_transform(const char *examples, const char *name, const char *options_text, struct pen_error *err)
{
    struct pen_arena arena = {0};
    struct pen_config_node *node = NULL;
    char graph[PEN_PATH_BYTES], tensors[PEN_PATH_BYTES];
    (void)snprintf(graph, sizeof graph, "%s/%s-graph", pen_test_directory(), name);
    (void)snprintf(tensors, sizeof tensors, "%s/%s-tensors", pen_test_directory(), name);
    PEN_TRY(pen_directory_create(graph, err));
    PEN_TRY(pen_directory_create(tensors, err));
    PEN_TRY(pen_config_parse(&arena, options_text, strlen(options_text), "pipeline.yaml", &node, err));
    const struct pen_component_input inputs[] = {{"examples", examples}, {"schema", NULL}, {"statistics", NULL}};
    struct pen_component_output outputs[] = {{"transform_graph", graph, pen_json_object()},
                                             {"transformed_examples", tensors, pen_json_object()}};
    struct pen_component_context context = {.pipeline = "taxi",
                                            .node = "transform",
                                            .arena = &arena,
                                            .options = node,
                                            .exec = pen_exec_cpu(),
                                            .device = "cpu",
                                            .n_inputs = 3,
                                            .inputs = inputs,
                                            .n_outputs = 2,
                                            .outputs = outputs};
    pen_status status = pen_transform.run(&context, err);
    pen_json_free(outputs[0].properties);
    pen_json_free(outputs[1].properties);
    pen_arena_deinit(&arena);
    return status;
}

static pen_status prepare(char examples[PEN_PATH_BYTES], struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    static const char splits[] = "{\"splits\": {\"train\": 15002, \"eval\": 15002}}";
    PEN_TRY(pen_path_join(examples, pen_test_directory(), "examples", err));
    PEN_TRY(pen_directory_create(examples, err));
    PEN_TRY(write_split(examples, "chicago_taxi/data.csv", "train", err));
    PEN_TRY(write_split(examples, "chicago_taxi/data.csv", "eval", err));
    PEN_TRY(pen_path_join(path, examples, "examples.json", err));
    return pen_file_write_atomic(path, splits, sizeof splits - 1, err);
}

static void taxi_meets_known_numbers(void)
{
    if (pen_test_datasets() == NULL) {
        PEN_SKIP("no data sets");
    }
    struct pen_error err = PEN_ERROR_INIT;
    char examples[PEN_PATH_BYTES], path[PEN_PATH_BYTES];
    struct pen_tensor_store *store = NULL;
    struct pen_tensor_buffer *buffer = NULL;
    struct pen_tensor_batch rows;
    PEN_REQUIRE_OK(prepare(examples, &err), &err);
    PEN_REQUIRE_OK(run_transform(examples, "a", pipeline, &err), &err);
    (void)snprintf(path, sizeof path, "%s/a-tensors/split-train.h5", pen_test_directory());
    PEN_REQUIRE_OK(pen_tensor_open(&store, path, &err), &err);
    const struct pen_tensor_spec *spec = pen_tensor_spec_of(store);
    PEN_CHECK_EQ_I64(pen_tensor_n_rows(store), 15002);
    PEN_CHECK_EQ_I64(spec->n_dense, 9);
    PEN_CHECK_EQ_I64(spec->task, PEN_TASK_BINARY);
    static const char *const pay[] = {"Cash", "Credit Card", "No Charge", "Unknown", "Dispute", "Pcard", "Prcard"};
    static const int64_t counts[] = {9909, 4975, 81, 29, 4, 3, 1};
    for (int i = 0; i < 7; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "pay[%s]", pay[i]);
        PEN_CHECK_EQ_STR(spec->dense_names[2 + i], name);
    }
    PEN_CHECK_EQ_I64(spec->ids[0].n_values, 10);
    PEN_CHECK_EQ_I64(spec->ids[1].n_values, 61 + 10);
    PEN_CHECK_EQ_I64(spec->ids[2].n_values, 10000);
    PEN_REQUIRE_OK(pen_tensor_buffer_create(&buffer, spec, &err), &err);
    PEN_REQUIRE_OK(pen_tensor_read(store, 0, 15002, buffer, &rows, &err), &err);
    double positives = 0, sum = 0, squares = 0, paid[7] = {0};
    int64_t company_none = 0, first_company = 0;
    for (int64_t i = 0; i < 15002; i++) {
        positives += (double)rows.label[i];
        sum += (double)rows.dense[9 * i];
        squares += (double)rows.dense[9 * i] * (double)rows.dense[9 * i];
        for (int k = 0; k < 7; k++) {
            paid[k] += (double)rows.dense[9 * i + 2 + k];
        }
        company_none += rows.ids[1].values[i] < 0;
        first_company += rows.ids[1].values[i] == 0;
    }
    PEN_CHECK_EQ_F64(positives, 3374);
    PEN_CHECK_EQ_I64(company_none, 5140);
    PEN_CHECK_EQ_I64(first_company, 5176); /* Taxi Affiliation Services */
    for (int k = 0; k < 7; k++) {
        PEN_CHECK_EQ_F64(paid[k], (double)counts[k]);
    }
    PEN_CHECK_NEAR(sum / 15002, 0, 1e-6);
    PEN_CHECK_NEAR(squares / 15002, 1, 1e-5);
    PEN_CHECK_NEAR(rows.dense[0], (0 - 2.872819624050127) / 15.275498251854652, 1e-7);
    pen_tensor_buffer_destroy(buffer);
    pen_tensor_close(store);
    struct pen_text text = {0};
    (void)snprintf(path, sizeof path, "%s/a-graph/graph.json", pen_test_directory());
    PEN_REQUIRE_OK(pen_file_read(path, 1 << 20, &text, &err), &err);
    PEN_CHECK_CONTAINS(text.data, "2.872819624050");
    PEN_CHECK_CONTAINS(text.data, "41.880994471");
    PEN_CHECK_CONTAINS(text.data, "\"value\": 540");
    pen_text_deinit(&text);
}

/* The files of the same input, byte for byte, whatever the number of threads. */
static void threads_change_nothing(void)
{
    if (pen_test_datasets() == NULL) {
        PEN_SKIP("no data sets");
    }
    struct pen_error err = PEN_ERROR_INIT;
    char examples[PEN_PATH_BYTES], path[PEN_PATH_BYTES];
    static const char *const names[] = {"one", "three"};
    static const char *const files[] = {"graph/graph.json", "tensors/split-eval.h5"};
    PEN_REQUIRE_OK(prepare(examples, &err), &err);
    int before = omp_get_max_threads();
    omp_set_num_threads(1);
    PEN_CHECK_OK(run_transform(examples, names[0], pipeline, &err), &err);
    omp_set_num_threads(3);
    PEN_CHECK_OK(run_transform(examples, names[1], pipeline, &err), &err);
    omp_set_num_threads(before);
    for (int f = 0; f < 2; f++) {
        struct pen_text text[2] = {{0}, {0}};
        for (int t = 0; t < 2; t++) {
            (void)snprintf(path, sizeof path, "%s/%s-%s", pen_test_directory(), names[t], files[f]);
            PEN_REQUIRE_OK(pen_file_read(path, 1 << 28, &text[t], &err), &err);
        }
        PEN_CHECK_EQ_I64(text[0].size_bytes, text[1].size_bytes);
        PEN_CHECK_MSG(memcmp(text[0].data, text[1].data, text[0].size_bytes) == 0, "%s differs", files[f]);
        pen_text_deinit(&text[0]);
        pen_text_deinit(&text[1]);
    }
}

static void wrong_options_point_into_the_file(void)
{
    if (pen_test_datasets() == NULL) {
        PEN_SKIP("no data sets");
    }
    static const struct {
        const char *options, *message;
    } cases[] = {
        {"features:\n  miles: zscore(trip_mile)\n",
         "pipeline.yaml:2:17: feature 'miles': unknown column 'trip_mile'; did you mean 'trip_miles'?"},
        {"features:\n  miles: \"zscore(trip_mile)\"\n", "pipeline.yaml:2:18: feature 'miles': unknown column"},
        {"features: {a: fare}\nlabel: tip > 1\n",
         "pipeline.yaml:2:8: label: unknown column 'tip'; did you mean 'tips'?"},
        {"features: {a: [fare]}\n", "pipeline.yaml:1:15: a: expected an expression, found a list or a map"},
        {"features: fare\n", "pipeline.yaml:1:11: features: expected name: expression, one a line"},
        {"features: {a b: fare}\n", "expected a name of letters"},
        {"feature: {a: fare}\n", "feature"},
        {"label: fare\n", "transform: expected features: name: expression, as there are no statistics"},
        {"features: {a: fare}\nanalyze: trian\n",
         "option analyze: expected a split of the examples, such as 'train', found 'trian'"},
    };
    struct pen_error err = PEN_ERROR_INIT;
    char examples[PEN_PATH_BYTES];
    PEN_REQUIRE_OK(prepare(examples, &err), &err);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        PEN_CHECK_STATUS(run_transform(examples, "wrong", cases[i].options, &err), PEN_ERR_CONFIG);
        PEN_CHECK_CONTAINS(err.message, cases[i].message);
    }
}

PEN_SUITE(transform_component, PEN_CASE(taxi_meets_known_numbers), PEN_CASE(threads_change_nothing),
          PEN_CASE(wrong_options_point_into_the_file));
