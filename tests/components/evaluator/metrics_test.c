/* Metrics on small fixed inputs against scikit-learn 1.9.1, to 1e-12.
 *
 * Provenance: inputs are the integer formulas below; with NumPy's arange(40) as i the constants are roc_auc_score,
 * average_precision_score, accuracy_score, precision_score, recall_score, f1_score, balanced_accuracy_score,
 * matthews_corrcoef, log_loss (probabilities clipped to 1e-7), brier_score_loss,
 * precision/recall/f1 with average = macro, weighted, micro, the mean of one-against-rest roc_auc_score,
 * top_k_accuracy for k = 2
 * is argsort(-scores, kind="stable")[:, :2], because scikit-learn lets the later of two equal classes go first;
 * mean_squared_error, mean_absolute_error, r2_score and mean_absolute_percentage_error. */
#include "components/evaluator/compute.h"

#include "core/memory.h"
#include "tests/pen_test.h"

enum { N = 40, MOST = 16 };

struct expected {
    const char *name;
    double value;
};

struct input {
    float predictions[3 * N], labels[N], weights[N];
    int32_t classes[N], slice_of[N];
    struct pen_metric_choice choices[MOST];
    struct pen_eval_rows rows;
    struct pen_eval_plan plan;
};

static const double half = 0.5;

static void begin(struct input *in, enum pen_task task, int64_t n_classes, const struct expected *expected, int64_t n)
{
    *in = (struct input){.rows = {.n = N, .task = task, .n_classes = n_classes}};
    in->rows.labels = in->labels;
    in->rows.classes = task == PEN_TASK_REGRESSION ? NULL : in->classes;
    in->rows.resampling = (struct pen_resampling){PEN_RESAMPLE_NONE, 1, NULL, NULL};
    for (int64_t i = 0; i < n; i++) {
        in->choices[i] = (struct pen_metric_choice){pen_metric_find(expected[i].name, task), expected[i].name, 0};
        PEN_CHECK_MSG(in->choices[i].metric != NULL, "no metric %s", expected[i].name);
    }
    in->plan = (struct pen_eval_plan){in->choices, n, &half, task == PEN_TASK_BINARY ? 1 : 0, 2};
    for (int i = 0; i < N; i++) {
        in->weights[i] = 1 + (float)(i % 4) * 0.5f;
    }
}

static void check(struct input *in, const struct expected *expected)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_slice_values values = {0};
    PEN_REQUIRE_OK(
        pen_compute_slices(pen_exec_cpu(), &in->rows, in->predictions, &in->plan, in->slice_of, 1, &values, &err),
        &err);
    for (int64_t i = 0; i < in->plan.n_choices; i++) {
        PEN_CHECK_MSG(fabs(values.values[i] - expected[i].value) <= 1e-12 * (1 + fabs(expected[i].value)),
                      "%s: expected %.15g, found %.15g", expected[i].name, expected[i].value, values.values[i]);
    }
    pen_slice_values_deinit(&values);
}

static void fill_binary(struct input *in)
{
    for (int i = 0; i < N; i++) {
        in->predictions[i] = (float)(floor((double)((i * 37) % 41) / 41.0 * 20) / 20);
        in->classes[i] = ((i * 13) % 17) > 8 - 6 * (in->predictions[i] > 0.45f) ? 1 : 0;
        in->labels[i] = (float)in->classes[i];
    }
}

static void binary_metrics_are_those_of_scikit_learn(void)
{
    static const struct expected plain[] = {{"auc", 0.684065934065934},
                                            {"pr_auc", 0.779115366912313},
                                            {"accuracy", 0.6},
                                            {"precision", 0.777777777777778},
                                            {"recall", 0.538461538461538},
                                            {"f1", 0.636363636363636},
                                            {"balanced_accuracy", 0.626373626373626},
                                            {"mcc", 0.242320157475722},
                                            {"logloss", 1.11032038319784},
                                            {"brier", 0.258687499979511}};
    static const struct expected weighted[] = {{"auc", 0.652},
                                               {"pr_auc", 0.810821550550898},
                                               {"accuracy", 0.571428571428571},
                                               {"precision", 0.8125},
                                               {"recall", 0.52},
                                               {"f1", 0.634146341463415},
                                               {"balanced_accuracy", 0.61},
                                               {"mcc", 0.199505968780253},
                                               {"logloss", 1.21252858107891},
                                               {"brier", 0.279785713512983}};
    struct input in;
    begin(&in, PEN_TASK_BINARY, 2, plain, 10);
    fill_binary(&in);
    check(&in, plain);
    in.rows.weights = in.weights;
    check(&in, weighted);
}

static void multiclass_metrics_are_those_of_scikit_learn(void)
{
    static const struct expected expected[] = {{"accuracy", 0.4},
                                               {"top_k_accuracy", 0.7},
                                               {"logloss", 1.2183673445073},
                                               {"auc", 0.506457638040971},
                                               {"precision_macro", 0.4},
                                               {"recall_macro", 0.387179487179487},
                                               {"f1_macro", 0.373669467787115},
                                               {"precision_weighted", 0.4},
                                               {"recall_weighted", 0.4},
                                               {"f1_weighted", 0.381302521008403},
                                               {"precision_micro", 0.4}};
    struct input in;
    begin(&in, PEN_TASK_MULTICLASS, 3, expected, 11);
    for (int i = 0; i < N; i++) {
        double s[3] = {(i * 7 % 11) + 1, (i * 5 % 13) + 1, (i * 3 % 7) + 1};
        for (int c = 0; c < 3; c++) {
            in.predictions[3 * i + c] = (float)(s[c] / (s[0] + s[1] + s[2]));
        }
        in.classes[i] = (i * i + i / 3) % 3;
        in.labels[i] = (float)in.classes[i];
    }
    check(&in, expected);
}

static void regression_metrics_are_those_of_scikit_learn(void)
{
    static const struct expected plain[] = {{"mse", 4.15},
                                            {"rmse", 2.03715487874634},
                                            {"mae", 1.775},
                                            {"r2", 0.793979165212265},
                                            {"mape", 0.00176126244465916},
                                            {"mean_residual", 0.425}};
    static const struct expected weighted[] = {{"mse", 4.16428571428571},     {"rmse", 2.040658157136},
                                               {"mae", 1.77857142857143},     {"r2", 0.789076531469254},
                                               {"mape", 0.00176473396043975}, {"mean_residual", 0.428571428571429}};
    struct input in;
    begin(&in, PEN_TASK_REGRESSION, 0, plain, 6);
    for (int i = 0; i < N; i++) {
        in.labels[i] = 1000 + (float)((i * 29) % 31) * 0.5f;
        in.predictions[i] = in.labels[i] + (float)((i * 11) % 7) - 2.5f;
    }
    check(&in, plain);
    in.rows.weights = in.weights;
    check(&in, weighted);
}

/* Every slice must give what its rows alone give. */
static void a_slice_is_its_rows_alone(void)
{
    static const struct expected names[] = {{"auc", 0}, {"pr_auc", 0}, {"logloss", 0}, {"recall", 0}};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_slice_values sliced = {0};
    struct input in;
    begin(&in, PEN_TASK_BINARY, 2, names, 4);
    fill_binary(&in);
    in.rows.weights = in.weights;
    for (int i = 0; i < N; i++) {
        in.slice_of[i] = i % 4 - 1; /* a quarter in no slice */
    }
    PEN_REQUIRE_OK(
        pen_compute_slices(pen_exec_cpu(), &in.rows, in.predictions, &in.plan, in.slice_of, 3, &sliced, &err), &err);
    for (int s = 0; s < 3; s++) {
        struct input alone;
        struct expected expected[4];
        int n = 0;
        begin(&alone, PEN_TASK_BINARY, 2, names, 4);
        for (int i = 0; i < N; i++) {
            if (i % 4 - 1 == s) {
                alone.predictions[n] = in.predictions[i];
                alone.labels[n] = in.labels[i];
                alone.classes[n] = in.classes[i];
                alone.weights[n++] = in.weights[i];
            }
        }
        alone.rows.n = n;
        alone.rows.weights = alone.weights;
        for (int k = 0; k < 4; k++) {
            expected[k] = (struct expected){names[k].name, sliced.values[4 * s + k]};
        }
        check(&alone, expected);
    }
    pen_slice_values_deinit(&sliced);
}

static void undefined_values_have_a_reason(void)
{
    static const struct expected names[] = {{"auc", 0}, {"pr_auc", 0}, {"precision", 0}, {"logloss", 0}};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_slice_values values = {0};
    struct input in;
    begin(&in, PEN_TASK_BINARY, 2, names, 4);
    PEN_REQUIRE_OK(
        pen_compute_slices(pen_exec_cpu(), &in.rows, in.predictions, &in.plan, in.slice_of, 1, &values, &err), &err);
    PEN_CHECK(isnan(values.values[0]) && isnan(values.values[1]) && isnan(values.values[2]));
    PEN_CHECK_EQ_STR(values.why[0], "only one class among the labels");
    PEN_CHECK_EQ_STR(values.why[1], "no positive label");
    PEN_CHECK_EQ_STR(values.why[2], "nothing predicted positive");
    PEN_CHECK(values.why[3] == NULL);
    pen_slice_values_deinit(&values);
    in.predictions[3] = NAN;
    PEN_REQUIRE_OK(
        pen_compute_slices(pen_exec_cpu(), &in.rows, in.predictions, &in.plan, in.slice_of, 1, &values, &err), &err);
    PEN_CHECK_EQ_STR(values.why[3], "some predictions are not finite numbers");
    pen_slice_values_deinit(&values);
    in.rows.n = 0;
    PEN_REQUIRE_OK(
        pen_compute_slices(pen_exec_cpu(), &in.rows, in.predictions, &in.plan, in.slice_of, 1, &values, &err), &err);
    PEN_CHECK_EQ_STR(values.why[3], "no rows");
    pen_slice_values_deinit(&values);
}

static void the_table_is_complete(void)
{
    for (const struct pen_metric *m = pen_metrics; m->name != NULL; m++) {
        PEN_CHECK(m->value != NULL && m->help != NULL && m->task != PEN_TASK_NONE);
        PEN_CHECK(pen_metric_find(m->name, m->task) == m);
    }
    PEN_CHECK(pen_metric_find("auk", PEN_TASK_BINARY) == NULL);
}

static void many_classes_have_no_auc_and_the_reason_says_so(void)
{
    double sums[8] = {0};
    const char *why = NULL;
    const struct pen_metric_sums of_many = {.sums = sums, .n_classes = 201, .auc = (double)NAN};
    PEN_CHECK(isnan(pen_metric_value(pen_metric_find("auc", PEN_TASK_MULTICLASS), &of_many, &why)));
    PEN_CHECK_EQ_STR(why, "more than 200 classes");
    const struct pen_metric_sums of_few = {.sums = sums, .n_classes = 200, .auc = (double)NAN};
    PEN_CHECK(isnan(pen_metric_value(pen_metric_find("auc", PEN_TASK_MULTICLASS), &of_few, &why)));
    PEN_CHECK_EQ_STR(why, "only one class among the labels");
}

PEN_SUITE(metrics, PEN_CASE(many_classes_have_no_auc_and_the_reason_says_so),
          PEN_CASE(binary_metrics_are_those_of_scikit_learn), PEN_CASE(multiclass_metrics_are_those_of_scikit_learn),
          PEN_CASE(regression_metrics_are_those_of_scikit_learn), PEN_CASE(a_slice_is_its_rows_alone),
          PEN_CASE(undefined_values_have_a_reason), PEN_CASE(the_table_is_complete));
