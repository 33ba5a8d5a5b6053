/* Model files: what is saved is what is loaded, and a damaged or hostile file is refused with a message. */
#include "components/trainer/model.h"
#include "components/trainer/model_file.h"
#include "core/files.h"
#include "tests/components/trainer/arrays.h"
#include "tests/pen_test.h"

#include <stdio.h>

static pen_status save_one(struct arrays *a, enum pen_norm_kind norm, const char *directory, float **expected,
                           struct pen_error *err)
{
    struct pen_training_options options = arrays_options(PEN_MODEL_WIDE_DEEP, 20);
    options.architecture.norm = norm;
    options.architecture.text = (struct pen_text_conv_shape){2, 5, {2, 3}, 0, 3};
    struct pen_examples_source source = arrays_source(a);
    struct pen_network *network = NULL;
    struct pen_training_result result;
    pen_json *curves = pen_json_array();
    pen_status status = pen_training_run(&network, &result, curves, &source, &options, NULL, pen_exec_cpu(), err);
    pen_json_free(curves);
    PEN_TRY(status);
    status = pen_model_write(directory, network, pen_json_object(), err);
    struct pen_pass *pass = NULL;
    *expected = pen_calloc(a->n * network->n_outputs, sizeof(float));
    if (status == PEN_OK) {
        status = pen_pass_create(&pass, network, a->n, false, 0, 0, 0, err);
    }
    if (status == PEN_OK) {
        struct pen_device_rows rows;
        status = arrays_rows(a, &rows, pen_exec_cpu(), err);
        if (status == PEN_OK) {
            status = pen_pass_load(pass, &rows, 0, a->n, err);
        }
        pen_device_rows_deinit(&rows);
        if (status == PEN_OK) {
            status = pen_pass_forward(pass, false, err);
        }
        struct pen_link link = {network->loss,        a->n,     network->n_outputs, pass->logits, network->label_shift,
                                network->label_scale, *expected};
        if (status == PEN_OK) {
            status = pen_exec_cpu()->kernels->link(pen_exec_cpu(), &link, err);
        }
    }
    pen_pass_destroy(pass);
    pen_network_destroy(network);
    return status;
}

static void predict_again(enum pen_task task, enum pen_norm_kind norm)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    float *expected = NULL;
    char directory[PEN_PATH_BYTES];
    arrays_init(&a, 300, task, 3);
    (void)snprintf(directory, sizeof directory, "%s/%d-%d", pen_test_directory(), (int)task, (int)norm);
    PEN_REQUIRE_OK(pen_directory_create(directory, &err), &err);
    PEN_REQUIRE_OK(save_one(&a, norm, directory, &expected, &err), &err);
    struct pen_model *model = NULL;
    PEN_REQUIRE_OK(pen_model_load(&model, directory, pen_exec_cpu(), &err), &err);
    int64_t n_outputs = pen_model_n_outputs(model);
    PEN_CHECK_EQ_I64(n_outputs, task == PEN_TASK_MULTICLASS ? ARRAYS_CLASSES : 1);
    PEN_CHECK_EQ_STR(pen_model_spec(model)->ids[1].name, "words");
    float *found = pen_calloc(a.n * n_outputs, sizeof(float));
    struct pen_tensor_batch batch = arrays_batch(&a);
    PEN_CHECK_OK(pen_model_predict(model, found, &batch, &err), &err);
    PEN_CHECK(memcmp(found, expected, (size_t)(a.n * n_outputs) * sizeof(float)) == 0);
    pen_free(found);
    pen_free(expected);
    pen_model_destroy(model);
    arrays_deinit(&a);
}

static void a_loaded_model_predicts_what_the_trained_one_did(void)
{
    for (int task = PEN_TASK_BINARY; task <= PEN_TASK_REGRESSION; task++) {
        for (int norm = PEN_NORM_NONE; norm <= PEN_NORM_LAYER; norm++) {
            predict_again((enum pen_task)task, (enum pen_norm_kind)norm);
        }
    }
}

/* A row alone, or among others: in prediction a row's neighbours are not its business. */
static void a_prediction_does_not_depend_on_the_rows_beside_it(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    float *expected = NULL;
    arrays_init(&a, 100, PEN_TASK_BINARY, 3);
    PEN_REQUIRE_OK(save_one(&a, PEN_NORM_BATCH, pen_test_directory(), &expected, &err), &err);
    struct pen_model *model = NULL;
    PEN_REQUIRE_OK(pen_model_load(&model, pen_test_directory(), pen_exec_cpu(), &err), &err);
    struct pen_examples_source source = arrays_source(&a);
    for (int64_t row = 0; row < a.n; row++) {
        struct pen_tensor_batch batch;
        float found = 0;
        PEN_CHECK_OK(source.read(source.user, row, 1, &batch, &err), &err);
        PEN_CHECK_OK(pen_model_predict(model, &found, &batch, &err), &err);
        PEN_CHECK_NEAR(found, expected[row], 1e-5); /* the product of one row may be summed in another order */
    }
    pen_free(expected);
    pen_model_destroy(model);
    arrays_deinit(&a);
}

static void refuse(const char *directory, const char *part)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_model *model = NULL;
    pen_status status = pen_model_load(&model, directory, pen_exec_cpu(), &err);
    PEN_CHECK_MSG(status != PEN_OK, "expected a refusal for %s", part);
    PEN_CHECK_CONTAINS(err.message, part);
    if (status == PEN_OK) {
        pen_model_destroy(model);
    }
}

static void damaged_files_are_refused(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    float *expected = NULL;
    char path[PEN_PATH_BYTES], spec_path[PEN_PATH_BYTES];
    const char *directory = pen_test_directory();
    struct pen_text weights = {0}, spec = {0};
    arrays_init(&a, 100, PEN_TASK_BINARY, 3);
    PEN_REQUIRE_OK(save_one(&a, PEN_NORM_BATCH, directory, &expected, &err), &err);
    PEN_REQUIRE_OK(pen_path_join(path, directory, "weights.bin", &err), &err);
    PEN_REQUIRE_OK(pen_path_join(spec_path, directory, "model.json", &err), &err);
    PEN_REQUIRE_OK(pen_file_read(path, 1 << 24, &weights, &err), &err);
    PEN_REQUIRE_OK(pen_file_read(spec_path, 1 << 24, &spec, &err), &err);
    for (size_t size = 0; size < weights.size_bytes; size += size < 64 ? 1 : 37) {
        PEN_REQUIRE_OK(pen_file_write_atomic(path, weights.data, size, &err), &err);
        refuse(directory, "weights.bin");
    }
    for (size_t at = 0; at < weights.size_bytes; at += 11) {
        weights.data[at] = (char)(weights.data[at] ^ 0x10);
        PEN_REQUIRE_OK(pen_file_write_atomic(path, weights.data, weights.size_bytes, &err), &err);
        refuse(directory, "weights.bin");
        weights.data[at] = (char)(weights.data[at] ^ 0x10);
    }
    PEN_REQUIRE_OK(pen_file_write_atomic(path, weights.data, weights.size_bytes, &err), &err);
    for (size_t size = 0; size + 2 < spec.size_bytes; size += 13) {
        PEN_REQUIRE_OK(pen_file_write_atomic(spec_path, spec.data, size, &err), &err);
        refuse(directory, "model.json");
    }
    /* A model.json that claims far more than weights.bin holds must not make us allocate it. */
    char *dim = strstr(spec.data, "\"n_values\": 9");
    if (dim != NULL) {
        struct pen_text huge = {0};
        pen_text_append_bytes(&huge, spec.data, (size_t)(dim - spec.data));
        pen_text_append(&huge, "\"n_values\": 2000000000");
        pen_text_append(&huge, dim + strlen("\"n_values\": 9"));
        PEN_REQUIRE_OK(pen_file_write_atomic(spec_path, huge.data, huge.size_bytes, &err), &err);
        refuse(directory, "weights.bin: expected at least");
        pen_text_deinit(&huge);
    }
    PEN_REQUIRE_OK(pen_file_write_atomic(spec_path, spec.data, spec.size_bytes, &err), &err);
    struct pen_model *model = NULL;
    PEN_CHECK_OK(pen_model_load(&model, directory, pen_exec_cpu(), &err), &err);
    pen_model_destroy(model);
    pen_text_deinit(&weights);
    pen_text_deinit(&spec);
    pen_free(expected);
    arrays_deinit(&a);
}

PEN_SUITE(trainer_model, PEN_CASE(a_loaded_model_predicts_what_the_trained_one_did),
          PEN_CASE(a_prediction_does_not_depend_on_the_rows_beside_it), PEN_CASE(damaged_files_are_refused));
