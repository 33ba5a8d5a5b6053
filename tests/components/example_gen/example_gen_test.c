/* ExampleGen as a whole: TFX's own split of the Chicago sample, other ways to split, spans, rejects, given splits. */
#include "components/example_gen/example_gen.h"
#include "core/files.h"
#include "datasets/store/store.h"
#include "tests/pen_test.h"

#include <stdio.h>

/* Runs the component on options written in YAML; examples go to <directory>/<name>. */
static pen_status run(const char *name, const char *yaml, pen_json **described, struct pen_error *err)
{
    struct pen_arena arena = {NULL};
    struct pen_config_node *options = NULL;
    char folder[PEN_PATH_BYTES], file[PEN_PATH_BYTES];
    pen_json *properties = pen_json_object();
    (void)snprintf(folder, sizeof folder, "%.2000s/%s", pen_test_directory(), name);
    (void)snprintf(file, sizeof file, "%.2000s/%s/examples.json", pen_test_directory(), name);
    struct pen_component_output output = {"examples", folder, properties};
    struct pen_component_context context = {.pipeline = "test",
                                            .node = "example_gen",
                                            .arena = &arena,
                                            .base_directory = pen_test_directory(),
                                            .n_outputs = 1,
                                            .outputs = &output};
    *described = NULL;
    pen_status status = pen_directory_create(folder, err);
    if (status == PEN_OK) {
        status = pen_config_parse(&arena, yaml, strlen(yaml), "pipeline.yaml", &options, err);
        context.options = options;
    }
    if (status == PEN_OK) {
        status = pen_example_gen.run(&context, err);
    }
    if (status == PEN_OK) {
        status = pen_json_read_file(file, described, err);
    }
    pen_json_free(properties);
    pen_arena_deinit(&arena);
    return status;
}

static bool put(const char *name, const char *text)
{
    char path[PEN_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%.2000s/%s", pen_test_directory(), name);
    return pen_file_write_atomic(path, text, strlen(text), NULL) == PEN_OK;
}

static int64_t rows_of(const pen_json *described, const char *split)
{
    return pen_json_int_or(pen_json_get(pen_json_get(described, "splits"), split), -1);
}

static void the_chicago_sample_splits_as_tfx_splits_it(void)
{
    char yaml[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *described = NULL;
    if (pen_test_datasets() == NULL) {
        PEN_SKIP("no data sets here");
    }
    (void)snprintf(yaml, sizeof yaml, "csv: %.2000s/chicago_taxi/data.csv\n", pen_test_datasets());
    PEN_REQUIRE_OK(run("tfx", yaml, &described, &err), &err);
    PEN_CHECK_EQ_I64(rows_of(described, "train"), 10036);
    PEN_CHECK_EQ_I64(rows_of(described, "eval"), 4966);
    PEN_CHECK_EQ_I64(pen_json_size(pen_json_get(described, "columns")), 18);
    pen_json_free(described);
}

static void rows_and_classes_split_in_proportion(void)
{
    char text[8192] = "x,label\n";
    size_t used = strlen(text);
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *described = NULL;
    for (int i = 0; i < 300; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%d,%s\n", i, i % 10 == 0 ? "rare" : "common");
    }
    PEN_REQUIRE(put("a.csv", text));
    PEN_REQUIRE_OK(run("row", "csv: a.csv\nsplit: {by: row, every: 5, index: 4}\n", &described, &err), &err);
    PEN_CHECK_EQ_I64(rows_of(described, "train"), 240);
    PEN_CHECK_EQ_I64(rows_of(described, "eval"), 60);
    pen_json_free(described);
    PEN_REQUIRE_OK(run("strata", "csv: a.csv\nsplit: {by: stratified, column: label, buckets: {train: 2, eval: 1}}\n",
                       &described, &err),
                   &err);
    PEN_CHECK_EQ_I64(rows_of(described, "train"), 200);
    PEN_CHECK_EQ_I64(rows_of(described, "eval"), 100);
    pen_json_free(described);
    PEN_REQUIRE_OK(run("time", "csv: a.csv\nsplit: {by: time, column: x, before: 250}\n", &described, &err), &err);
    PEN_CHECK_EQ_I64(rows_of(described, "train"), 250);
    PEN_CHECK_EQ_I64(rows_of(described, "eval"), 50);
    pen_json_free(described);
    PEN_CHECK_STATUS(
        run("wrong", "csv: a.csv\nsplit: {by: stratified, column: labl, buckets: {train: 1}}\n", &described, &err),
        PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "did you mean 'label'?");
}

static void the_newest_span_and_its_newest_version_are_read(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *described = NULL;
    PEN_REQUIRE(put("s2-v1.csv", "x\n1\n2\n"));
    PEN_REQUIRE(put("s10-v1.csv", "x\n1\n2\n3\n"));
    PEN_REQUIRE(put("s10-v2.csv", "x\n1\n2\n3\n4\n"));
    PEN_REQUIRE_OK(run("span", "csv: 's{SPAN}-v{VERSION}.csv'\nsplit: {all: 1}\n", &described, &err), &err);
    PEN_CHECK_EQ_I64(rows_of(described, "all"), 4);
    PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(described, "span"), -1), 10);
    PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(described, "version"), -1), 2);
    pen_json_free(described);
}

static void dates_in_a_row_are_a_span(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *described = NULL;
    PEN_REQUIRE(put("d20231231.csv", "x\n1\n2\n"));
    PEN_REQUIRE(put("d20240229.csv", "x\n1\n2\n3\n"));
    PEN_REQUIRE(put("d20240230.csv", "x\n1\n"));
    PEN_REQUIRE_OK(run("date", "csv: 'd{YYYY}{MM}{DD}.csv'\nsplit: {all: 1}\n", &described, &err), &err);
    PEN_CHECK_EQ_I64(rows_of(described, "all"), 3);
    PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(described, "span"), -1), 19782); /* date -d 2024-02-29 +%s / 86400 */
    pen_json_free(described);
    PEN_REQUIRE(put("w0311.csv", "x\n1\n2\n"));
    PEN_REQUIRE(put("w0402.csv", "x\n1\n"));
    PEN_REQUIRE_OK(run("widths", "csv: 'w{SPAN:2}{VERSION:2}.csv'\nsplit: {all: 1}\n", &described, &err), &err);
    PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(described, "span"), -1), 4);
    PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(described, "version"), -1), 2);
    pen_json_free(described);
    PEN_CHECK_STATUS(run("two", "csv: {train: 'w{SPAN:4}.csv', eval: 'd2024{SPAN:4}.csv'}\n", &described, &err),
                     PEN_ERR_NOT_FOUND);
    PEN_CHECK_CONTAINS(err.message, "expected files of span 402 for '");
}

static void messages_point_at_the_option(void)
{
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        {"csv: one.csv\ndelimiter: '::'\n",
         "pipeline.yaml:2:12: option delimiter: expected one character, tab or auto, found '::'"},
        {"csv: one.csv\nquote: \"\\n\"\n",
         "pipeline.yaml:2:8: option quote: expected one character, tab or none, found '\\x0a'"},
        {"csv: {all: {path: one.csv, comment: '//'}}\n",
         "pipeline.yaml:1:37: option comment: expected one character, tab or none, found '//'"},
        {"csv: one.csv\nnulls: [NA, NULL]\n",
         "pipeline.yaml:2:13: option nulls: expected a text, found nothing, which NULL without quotes is in YAML"},
        {"csv: one.csv\nsplit: {by: column, column: x, train: 2}\n",
         "pipeline.yaml:2:32: split has no option 'train'; it has by, column, buckets, before, every, index"},
    };
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *described = NULL;
    PEN_REQUIRE(put("one.csv", "x\n1\n"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        PEN_CHECK_STATUS(run("message", cases[i].yaml, &described, &err), PEN_ERR_CONFIG);
        PEN_CHECK_EQ_STR(err.message, cases[i].message);
    }
}

static void given_splits_share_types_and_labels(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *described = NULL;
    struct pen_store *store = NULL;
    char path[PEN_PATH_BYTES];
    PEN_REQUIRE(put("train.csv", "1,yes\n2,no\n"));
    PEN_REQUIRE(put("eval.csv", "not data\n1.5,yes.\n"));
    PEN_REQUIRE_OK(run("given",
                       "csv: {train: train.csv, eval: {path: eval.csv, skip_lines: 1}}\ncolumns: [x, y]\n"
                       "header: false\nstrip: {y: '.'}\n",
                       &described, &err),
                   &err);
    PEN_CHECK_EQ_I64(rows_of(described, "train"), 2);
    PEN_CHECK_EQ_I64(rows_of(described, "eval"), 1);
    pen_json_free(described);
    (void)snprintf(path, sizeof path, "%.2000s/given/split-train.h5", pen_test_directory());
    PEN_REQUIRE_OK(pen_store_open(&store, path, &err), &err);
    PEN_CHECK_EQ_I64(pen_store_column_type(store, 0), PEN_TYPE_FLOAT64);
    pen_store_close(store);
    (void)snprintf(path, sizeof path, "%.2000s/given/split-eval.h5", pen_test_directory());
    PEN_REQUIRE_OK(pen_store_open(&store, path, &err), &err);
    const struct pen_dictionary *labels = pen_store_dictionary(store, 1);
    PEN_CHECK(labels != NULL && labels->n_entries == 1 && labels->offsets[1] == 3);
    pen_store_close(store);
}

/* One string a row, more of them than a dictionary holds (65,536), behind enough rows of few that the first batches
 * are codes. A split that gets rows of either end alone is text too. */
static void a_column_of_too_many_strings_is_text_in_every_split(void)
{
    enum { N_FEW = 200000, N_ROWS = 300000, N_EARLY = 1000 };
    static const char *const splits[] = {"train", "eval"};
    struct pen_text text = {0};
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *described = NULL;
    pen_text_append(&text, "n,s\n");
    for (int64_t i = 0; i < N_ROWS; i++) {
        pen_text_printf(&text, "%lld,s%lld\n", (long long)i, (long long)(i < N_FEW ? i % 10 : i));
    }
    PEN_REQUIRE(put("many.csv", pen_text_view(&text)));
    pen_text_deinit(&text);
    PEN_REQUIRE_OK(run("many", "csv: many.csv\nsplit: {by: time, column: n, before: 1000}\n", &described, &err), &err);
    PEN_CHECK_EQ_I64(rows_of(described, "train"), N_EARLY);
    pen_json_free(described);
    for (int i = 0; i < 2; i++) {
        char path[PEN_PATH_BYTES];
        struct pen_store *store = NULL;
        struct pen_store_buffer buffer = {0};
        struct pen_column view;
        size_t size = 0;
        (void)snprintf(path, sizeof path, "%.2000s/many/split-%s.h5", pen_test_directory(), splits[i]);
        PEN_REQUIRE_OK(pen_store_open(&store, path, &err), &err);
        PEN_CHECK_EQ_I64(pen_store_column_type(store, 0), PEN_TYPE_INT64);
        PEN_CHECK_EQ_I64(pen_store_column_type(store, 1), PEN_TYPE_BYTES);
        PEN_REQUIRE_OK(pen_store_read(store, 1, 0, &buffer, &view, &err), &err);
        const char *first = pen_column_string(&view, 0, &size);
        PEN_CHECK(size == 2 && memcmp(first, "s0", 2) == 0);
        pen_store_buffer_deinit(&buffer);
        pen_store_close(store);
    }
}

static void bad_rows_stop_or_are_set_aside(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *described = NULL;
    char path[PEN_PATH_BYTES];
    struct pen_text text = {0};
    PEN_REQUIRE(put("bad.csv", "x,y\n1,2\n3\n5,6\n"));
    PEN_CHECK_STATUS(run("stop", "csv: bad.csv\nsplit: {all: 1}\n", &described, &err), PEN_ERR_DATA);
    PEN_REQUIRE_OK(run("reject", "csv: bad.csv\nsplit: {all: 1}\nbad_rows: reject\n", &described, &err), &err);
    PEN_CHECK_EQ_I64(rows_of(described, "all"), 2);
    PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(described, "bad_rows"), -1), 1);
    pen_json_free(described);
    (void)snprintf(path, sizeof path, "%.2000s/reject/rejects.csv", pen_test_directory());
    PEN_REQUIRE_OK(pen_file_read(path, 1 << 20, &text, &err), &err);
    PEN_CHECK_CONTAINS(text.data, "bad.csv\",3,");
    pen_text_deinit(&text);
}

static void empty_splits_are_refused(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *described = NULL;
    PEN_REQUIRE(put("one.csv", "x\n1\n"));
    PEN_CHECK_STATUS(run("empty", "csv: one.csv\n", &described, &err), PEN_ERR_DATA);
    PEN_CHECK_CONTAINS(err.message, "found none of the 1 read; change option split");
}

PEN_SUITE(example_gen, PEN_CASE(the_chicago_sample_splits_as_tfx_splits_it),
          PEN_CASE(rows_and_classes_split_in_proportion), PEN_CASE(the_newest_span_and_its_newest_version_are_read),
          PEN_CASE(dates_in_a_row_are_a_span), PEN_CASE(messages_point_at_the_option),
          PEN_CASE(given_splits_share_types_and_labels), PEN_CASE(a_column_of_too_many_strings_is_text_in_every_split),
          PEN_CASE(bad_rows_stop_or_are_set_aside), PEN_CASE(empty_splits_are_refused));
