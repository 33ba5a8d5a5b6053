/* Transformed stores: any range of rows reads back what was appended, ragged ids included. */
#include "core/files.h"
#include "core/memory.h"
#include "datasets/store/tensors.h"
#include "tests/pen_test.h"

#include <stdio.h>

enum { N_DENSE = 3, N_IDS = 2 };

static const char *const dense_names[N_DENSE] = {"miles", "hour[0]", "hour[1]"};
static const char *const class_names[3] = {"a", "b", "c"};
static const struct pen_tensor_ids_spec ids_specs[N_IDS] = {{"company", 50, false}, {"words/all", 1000, true}};
static const struct pen_tensor_spec full_spec = {PEN_TASK_MULTICLASS, "dept", 3,        class_names, true, N_DENSE,
                                                 dense_names,         N_IDS,  ids_specs};

/* The cells of row r by rule. */
static float dense_at(int64_t row, int64_t column)
{
    return (float)(row * 10 + column);
}

static int64_t n_words(int64_t row)
{
    return row % 4;
}

static int32_t word_at(int64_t row, int64_t i)
{
    return (int32_t)((row * 7 + i) % 1001) - 1;
}

struct rows {
    float *dense, *label, *weight;
    int32_t *company, *words;
    int64_t *offsets;
};

static struct pen_tensor_batch fill(struct rows *rows, struct pen_tensor_ids ids[N_IDS], int64_t first, int64_t n)
{
    rows->offsets[0] = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = first + i, start = rows->offsets[i];
        for (int64_t c = 0; c < N_DENSE; c++) {
            rows->dense[i * N_DENSE + c] = dense_at(row, c);
        }
        rows->label[i] = (float)(row % 3);
        rows->weight[i] = (float)(row % 5) + 0.5F;
        rows->company[i] = (int32_t)(row % 51) - 1;
        for (int64_t w = 0; w < n_words(row); w++) {
            rows->words[start + w] = word_at(row, w);
        }
        rows->offsets[i + 1] = start + n_words(row);
    }
    ids[0] = (struct pen_tensor_ids){rows->company, NULL};
    ids[1] = (struct pen_tensor_ids){rows->words, rows->offsets};
    return (struct pen_tensor_batch){n, rows->dense, ids, rows->label, rows->weight};
}

static pen_status write_rows(const char *path, int64_t n_rows, int64_t batch_rows, struct pen_error *err)
{
    struct pen_tensor_writer *writer = NULL;
    struct pen_tensor_ids ids[N_IDS];
    struct rows rows = {pen_calloc(batch_rows, 4 * N_DENSE), pen_calloc(batch_rows, 4),
                        pen_calloc(batch_rows, 4),           pen_calloc(batch_rows, 4),
                        pen_calloc(batch_rows * 4, 4),       pen_calloc(batch_rows + 1, 8)};
    pen_status status = pen_tensor_create(&writer, path, &full_spec, n_rows, NULL, err);
    for (int64_t first = 0; status == PEN_OK && first < n_rows; first += batch_rows) {
        struct pen_tensor_batch batch =
            fill(&rows, ids, first, n_rows - first < batch_rows ? n_rows - first : batch_rows);
        status = pen_tensor_append(writer, &batch, err);
    }
    pen_free(rows.dense);
    pen_free(rows.label);
    pen_free(rows.weight);
    pen_free(rows.company);
    pen_free(rows.words);
    pen_free(rows.offsets);
    if (status != PEN_OK) {
        pen_tensor_abandon(writer);
        return status;
    }
    return pen_tensor_finish(writer, err);
}

static int64_t count_wrong(const struct pen_tensor_batch *batch, int64_t first)
{
    int64_t wrong = 0;
    const struct pen_tensor_ids *words = &batch->ids[1];
    for (int64_t i = 0; i < batch->n_rows; i++) {
        int64_t row = first + i;
        for (int64_t c = 0; c < N_DENSE; c++) {
            wrong += fabsf(batch->dense[i * N_DENSE + c] - dense_at(row, c)) > 0;
        }
        wrong += fabsf(batch->label[i] - (float)(row % 3)) > 0;
        wrong += fabsf(batch->weight[i] - (float)(row % 5) - 0.5F) > 0;
        wrong += batch->ids[0].values[i] != (int32_t)(row % 51) - 1;
        wrong += words->row_offsets[i + 1] - words->row_offsets[i] != n_words(row);
        for (int64_t w = 0; w < n_words(row); w++) {
            wrong += words->values[words->row_offsets[i] + w] != word_at(row, w);
        }
    }
    return wrong + (batch->n_rows > 0 && words->row_offsets[0] != 0);
}

static void any_range_of_rows_comes_back(void)
{
    enum { N = 200001 };
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_tensor_store *store = NULL;
    struct pen_tensor_buffer *buffer = NULL;
    static const int64_t ranges[][2] = {{0, 0}, {0, 1}, {0, 1000}, {999, 4097}, {199000, 1001}, {N, 0}, {0, N}};
    (void)snprintf(path, sizeof path, "%s/t.h5", pen_test_directory());
    PEN_REQUIRE_OK(write_rows(path, N, 4096, &err), &err);
    PEN_REQUIRE_OK(pen_tensor_open(&store, path, &err), &err);
    PEN_CHECK_EQ_I64(pen_tensor_n_rows(store), N);
    PEN_REQUIRE_OK(pen_tensor_buffer_create(&buffer, pen_tensor_spec_of(store), &err), &err);
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        struct pen_tensor_batch batch;
        PEN_CHECK_OK(pen_tensor_read(store, ranges[i][0], ranges[i][1], buffer, &batch, &err), &err);
        PEN_CHECK_EQ_I64(batch.n_rows, ranges[i][1]);
        PEN_CHECK_EQ_I64(count_wrong(&batch, ranges[i][0]), 0);
    }
    struct pen_tensor_batch batch;
    PEN_CHECK_STATUS(pen_tensor_read(store, N - 1, 2, buffer, &batch, &err), PEN_ERR_SHAPE);
    pen_tensor_buffer_destroy(buffer);
    pen_tensor_close(store);
}

static void the_spec_comes_back(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_tensor_store *store = NULL;
    (void)snprintf(path, sizeof path, "%s/t.h5", pen_test_directory());
    PEN_REQUIRE_OK(write_rows(path, 5, 5, &err), &err);
    PEN_REQUIRE_OK(pen_tensor_open(&store, path, &err), &err);
    const struct pen_tensor_spec *spec = pen_tensor_spec_of(store);
    PEN_CHECK_EQ_I64(spec->task, PEN_TASK_MULTICLASS);
    PEN_CHECK_EQ_STR(spec->label, "dept");
    PEN_CHECK_EQ_I64(spec->n_classes, 3);
    PEN_CHECK_EQ_STR(spec->classes[2], "c");
    PEN_CHECK(spec->has_weight);
    PEN_CHECK_EQ_I64(spec->n_dense, N_DENSE);
    PEN_CHECK_EQ_STR(spec->dense_names[1], "hour[0]");
    PEN_CHECK_EQ_I64(spec->n_ids, N_IDS);
    PEN_CHECK_EQ_STR(spec->ids[1].name, "words/all");
    PEN_CHECK_EQ_I64(spec->ids[1].n_values, 1000);
    PEN_CHECK(spec->ids[1].ragged && !spec->ids[0].ragged);
    pen_tensor_close(store);
}

static void labels_dense_and_ids_may_be_absent(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_tensor_spec spec = {PEN_TASK_NONE, NULL, 0, NULL, false, 0, NULL, 0, NULL};
    struct pen_tensor_writer *writer = NULL;
    struct pen_tensor_store *store = NULL;
    struct pen_tensor_buffer *buffer = NULL;
    struct pen_tensor_batch batch = {.n_rows = 3};
    (void)snprintf(path, sizeof path, "%s/t.h5", pen_test_directory());
    PEN_REQUIRE_OK(pen_tensor_create(&writer, path, &spec, 3, NULL, &err), &err);
    PEN_CHECK_OK(pen_tensor_append(writer, &batch, &err), &err);
    PEN_REQUIRE_OK(pen_tensor_finish(writer, &err), &err);
    PEN_REQUIRE_OK(pen_tensor_open(&store, path, &err), &err);
    PEN_REQUIRE_OK(pen_tensor_buffer_create(&buffer, pen_tensor_spec_of(store), &err), &err);
    PEN_CHECK_OK(pen_tensor_read(store, 0, 3, buffer, &batch, &err), &err);
    PEN_CHECK(batch.dense == NULL && batch.label == NULL && batch.weight == NULL);
    PEN_CHECK(pen_tensor_spec_of(store)->label == NULL);
    pen_tensor_buffer_destroy(buffer);
    pen_tensor_close(store);
}

static void another_number_of_rows_and_ids_out_of_range_are_refused(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_tensor_writer *writer = NULL;
    struct pen_tensor_ids_spec ids_spec = {"company", 2, false};
    struct pen_tensor_spec spec = {PEN_TASK_NONE, NULL, 0, NULL, false, 0, NULL, 1, &ids_spec};
    int32_t values[2] = {1, 2};
    struct pen_tensor_ids ids = {values, NULL};
    struct pen_tensor_batch batch = {.n_rows = 2, .ids = &ids};
    (void)snprintf(path, sizeof path, "%s/t.h5", pen_test_directory());
    PEN_REQUIRE_OK(pen_tensor_create(&writer, path, &spec, 2, NULL, &err), &err);
    PEN_CHECK_STATUS(pen_tensor_append(writer, &batch, &err), PEN_ERR_DATA);
    PEN_CHECK_CONTAINS(err.message, "from -1 to 1, found 2");
    pen_tensor_abandon(writer);
    values[1] = -1;
    PEN_REQUIRE_OK(pen_tensor_create(&writer, path, &spec, 3, NULL, &err), &err);
    PEN_CHECK_OK(pen_tensor_append(writer, &batch, &err), &err);
    PEN_CHECK_STATUS(pen_tensor_finish(writer, &err), PEN_ERR_SHAPE);
    PEN_CHECK_CONTAINS(err.message, "expected 3 rows, found 2");
    PEN_CHECK(!pen_path_exists(path));
}

PEN_SUITE(tensors, PEN_CASE(any_range_of_rows_comes_back), PEN_CASE(the_spec_comes_back),
          PEN_CASE(labels_dense_and_ids_may_be_absent),
          PEN_CASE(another_number_of_rows_and_ids_out_of_range_are_refused));
