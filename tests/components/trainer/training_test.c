/* Training as a whole: a known optimum, the same bits twice and for any thread count, early stopping, warm start. */
#include "core/log.h"
#include "tests/components/trainer/arrays.h"
#include "tests/pen_test.h"

static pen_status train(struct arrays *a, const struct pen_training_options *options, const struct pen_network *base,
                        struct pen_network **network, struct pen_training_result *result, struct pen_error *err)
{
    struct pen_examples_source source = arrays_source(a);
    pen_json *curves = pen_json_array();
    pen_status status = pen_training_run(network, result, curves, &source, options, base, pen_exec_cpu(), err);
    pen_json_free(curves);
    return status;
}

/* Newton's method in float64 on the logistic loss of [1, dense] with weights; 4 unknowns. */
static void newton(const struct arrays *a, double w[4])
{
    for (int round = 0; round < 30; round++) {
        double g[4] = {0}, h[4][5] = {{0}};
        for (int64_t r = 0; r < a->n; r++) {
            double x[4] = {1, (double)a->dense[r * 3], (double)a->dense[r * 3 + 1], (double)a->dense[r * 3 + 2]}, z = 0;
            for (int i = 0; i < 4; i++) {
                z += w[i] * x[i];
            }
            double p = 1 / (1 + exp(-z)), u = (double)a->weight[r];
            for (int i = 0; i < 4; i++) {
                g[i] += u * (p - (double)a->label[r]) * x[i];
                for (int j = 0; j < 4; j++) {
                    h[i][j] += u * p * (1 - p) * x[i] * x[j];
                }
            }
        }
        for (int i = 0; i < 4; i++) {
            h[i][4] = g[i];
        }
        for (int i = 0; i < 4; i++) { /* Gauss-Jordan; the matrix is positive definite */
            for (int k = 0; k < 4; k++) {
                double factor = k == i ? 0 : h[k][i] / h[i][i];
                for (int j = 0; j < 5; j++) {
                    h[k][j] -= factor * h[i][j];
                }
            }
        }
        for (int i = 0; i < 4; i++) {
            w[i] -= h[i][4] / h[i][i];
        }
    }
}

static void logistic_regression_reaches_newtons_optimum(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    arrays_init(&a, 1000, PEN_TASK_BINARY, 3);
    a.spec.n_ids = 0;
    struct pen_training_options options = arrays_options(PEN_MODEL_LINEAR, 4000);
    options.batch_size = 1000;
    options.learning_rate = 0.05;
    options.schedule = PEN_SCHEDULE_COSINE;
    struct pen_network *network = NULL;
    struct pen_training_result result;
    PEN_REQUIRE_OK(train(&a, &options, NULL, &network, &result, &err), &err);
    double w[4] = {0};
    newton(&a, w);
    PEN_CHECK_NEAR(pen_network_value(network, network->wide_bias)[0], w[0], 2e-3 * (1 + fabs(w[0])));
    for (int i = 0; i < 3; i++) {
        PEN_CHECK_NEAR(pen_network_value(network, network->wide_dense)[i], w[1 + i], 2e-3 * (1 + fabs(w[1 + i])));
    }
    pen_network_destroy(network);
    arrays_deinit(&a);
}

static void same_bits(enum pen_norm_kind norm, const struct pen_text_conv_shape *text)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    arrays_init(&a, 2000, PEN_TASK_MULTICLASS, 3);
    struct pen_training_options options = arrays_options(PEN_MODEL_WIDE_DEEP, 60);
    options.batch_size = 512;
    options.architecture.norm = norm;
    options.architecture.text = *text;
    options.dropout = 0.2;
    options.average = true;
    options.validation_fraction = -1;
    options.early_stopping = true;
    struct pen_network *networks[3] = {NULL};
    struct pen_training_result result;
    for (int i = 0; i < 3; i++) {
        options.threads = i == 2 ? 1 : 2;
        PEN_CHECK_OK(train(&a, &options, NULL, &networks[i], &result, &err), &err);
    }
    PEN_REQUIRE(networks[0] != NULL && networks[1] != NULL && networks[2] != NULL);
    size_t size = (size_t)networks[0]->n_total * sizeof(float);
    PEN_CHECK(memcmp(networks[0]->values, networks[1]->values, size) == 0);
    PEN_CHECK(memcmp(networks[0]->values, networks[2]->values, size) == 0);
    for (int i = 0; i < 3; i++) {
        pen_network_destroy(networks[i]);
    }
    arrays_deinit(&a);
}

static void the_same_seed_gives_the_same_bits_for_any_thread_count(void)
{
    static const struct pen_text_conv_shape bag = {0}, text = {2, 5, {2, 3}, 0, 100};
    same_bits(PEN_NORM_NONE, &bag);
    same_bits(PEN_NORM_BATCH, &bag);
    same_bits(PEN_NORM_LAYER, &text);
}

static void count_warnings(void *user, enum pen_log_level level, const char *text)
{
    int *n = user;
    *n += level == PEN_LOG_WARNING && strstr(text, "precision bf16: cpu has no faster products") != NULL;
}

/* Once, in a line. */
static void the_cpu_computes_float32_whatever_it_may_round_and_says_so(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    struct pen_network *network[2] = {NULL, NULL};
    struct pen_training_result result[2];
    int n_warnings = 0;
    struct pen_log_sink sink = {&n_warnings, PEN_LOG_WARNING, count_warnings, NULL};
    arrays_init(&a, 300, PEN_TASK_BINARY, 3);
    struct pen_training_options options = arrays_options(PEN_MODEL_DNN, 5);
    PEN_CHECK_OK(train(&a, &options, NULL, &network[0], &result[0], &err), &err);
    options.precision = PEN_PRECISION_BF16;
    pen_log_install(&sink);
    PEN_CHECK_OK(train(&a, &options, NULL, &network[1], &result[1], &err), &err);
    pen_log_install(NULL);
    PEN_CHECK_EQ_I64(n_warnings, 1);
    PEN_CHECK_EQ_I64(result[1].precision, PEN_PRECISION_EXACT);
    PEN_CHECK(network[0] != NULL && network[1] != NULL &&
              memcmp(network[0]->values, network[1]->values, (size_t)network[0]->n_total * sizeof(float)) == 0);
    pen_network_destroy(network[0]);
    pen_network_destroy(network[1]);
    arrays_deinit(&a);
}

static void one_learns(enum pen_task task, enum pen_model_kind kind, enum pen_norm_kind norm)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    arrays_init(&a, 3000, task, 3);
    struct pen_training_options options = arrays_options(kind, 600);
    options.architecture.norm = norm;
    options.validation_fraction = 0.2;
    options.average = true;
    struct pen_network *network = NULL;
    struct pen_training_result result;
    PEN_REQUIRE_OK(train(&a, &options, NULL, &network, &result, &err), &err);
    /* The data is linear with little noise: AUC, accuracy well above chance, RMSE near the noise of 1. */
    PEN_CHECK_MSG(task == PEN_TASK_REGRESSION ? result.validation_metric < 6 : result.validation_metric > 0.85,
                  "task %d model %d norm %d: found %g", (int)task, (int)kind, (int)norm, result.validation_metric);
    pen_network_destroy(network);
    arrays_deinit(&a);
}

static void every_task_and_model_learns(void)
{
    for (int task = PEN_TASK_BINARY; task <= PEN_TASK_REGRESSION; task++) {
        one_learns((enum pen_task)task, PEN_MODEL_LINEAR, PEN_NORM_NONE);
        for (int norm = PEN_NORM_NONE; norm <= PEN_NORM_LAYER; norm++) {
            one_learns((enum pen_task)task, PEN_MODEL_DNN, (enum pen_norm_kind)norm);
            one_learns((enum pen_task)task, PEN_MODEL_WIDE_DEEP, (enum pen_norm_kind)norm);
        }
    }
}

static void early_stopping_restores_the_best_step(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    arrays_init(&a, 400, PEN_TASK_BINARY, 3);
    struct pen_training_options options = arrays_options(PEN_MODEL_DNN, 100000);
    options.validation_fraction = 0.3;
    options.early_stopping = true;
    options.patience = 4;
    options.learning_rate = 0.05;
    struct pen_network *network = NULL, *again = NULL;
    struct pen_training_result result, shorter;
    PEN_REQUIRE_OK(train(&a, &options, NULL, &network, &result, &err), &err);
    PEN_CHECK(result.stopped_early);
    PEN_CHECK(result.best_step < result.steps && result.best_step > 0);
    options.steps = result.best_step;
    options.warmup_steps = 0;
    PEN_REQUIRE_OK(train(&a, &options, NULL, &again, &shorter, &err), &err);
    PEN_CHECK(memcmp(network->values, again->values, (size_t)network->n_total * sizeof(float)) == 0);
    pen_network_destroy(network);
    pen_network_destroy(again);
    arrays_deinit(&a);
}

static void a_warm_start_begins_where_the_base_ended(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    arrays_init(&a, 1000, PEN_TASK_REGRESSION, 3);
    struct pen_training_options options = arrays_options(PEN_MODEL_WIDE_DEEP, 800);
    options.validation_fraction = 0.2;
    struct pen_network *base = NULL, *warm = NULL, *cold = NULL;
    struct pen_training_result first, second, third;
    PEN_REQUIRE_OK(train(&a, &options, NULL, &base, &first, &err), &err);
    options.steps = 10;
    options.learning_rate = 1e-4; /* fresh moments make the first moves about the rate, whatever the gradient */
    PEN_REQUIRE_OK(train(&a, &options, base, &warm, &second, &err), &err);
    PEN_REQUIRE_OK(train(&a, &options, NULL, &cold, &third, &err), &err);
    PEN_CHECK(second.validation_loss < 1.5 * first.validation_loss);
    PEN_CHECK(second.validation_loss < 0.5 * third.validation_loss);
    pen_network_destroy(base);
    pen_network_destroy(warm);
    pen_network_destroy(cold);
    arrays_deinit(&a);
}

static void rows_without_a_label_are_an_error_only_when_all_lack_it(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    arrays_init(&a, 100, PEN_TASK_BINARY, 3);
    struct pen_training_options options = arrays_options(PEN_MODEL_LINEAR, 5);
    struct pen_network *network = NULL;
    struct pen_training_result result;
    for (int64_t r = 0; r < a.n; r++) {
        a.label[r] = r % 2 ? a.label[r] : NAN;
    }
    PEN_CHECK_OK(train(&a, &options, NULL, &network, &result, &err), &err);
    pen_network_destroy(network);
    for (int64_t r = 0; r < a.n; r++) {
        a.label[r] = NAN;
    }
    PEN_CHECK_STATUS(train(&a, &options, NULL, &network, &result, &err), PEN_ERR_DATA);
    PEN_CHECK_CONTAINS(err.message, "expected rows with a label");
    arrays_deinit(&a);
}

PEN_SUITE(trainer_training, PEN_CASE(logistic_regression_reaches_newtons_optimum),
          PEN_CASE(the_same_seed_gives_the_same_bits_for_any_thread_count),
          PEN_CASE(the_cpu_computes_float32_whatever_it_may_round_and_says_so), PEN_CASE(every_task_and_model_learns),

          PEN_CASE(early_stopping_restores_the_best_step), PEN_CASE(a_warm_start_begins_where_the_base_ended),
          PEN_CASE(rows_without_a_label_are_an_error_only_when_all_lack_it));
