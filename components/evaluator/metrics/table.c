/* The table of metrics. A new one is one function and one row here. */
#include "components/evaluator/metrics/metric.h"

#include <math.h>
#include <string.h>

static double undefined(const char **why, const char *reason)
{
    *why = reason;
    return (double)NAN;
}

static double ratio(double part, double whole, const char **why, const char *reason)
{
    return whole > 0 ? part / whole : undefined(why, reason);
}

/* ---- binary ---- */

struct counts {
    double tp, fp, fn, tn;
};

static struct counts counts_at(const struct pen_metric_sums *s)
{
    const double *at = s->sums + PEN_BINARY_THRESHOLDS + 2 * s->threshold;
    double positive = s->sums[PEN_BINARY_POSITIVE], negative = s->sums[PEN_BINARY_WEIGHT] - positive;
    return (struct counts){at[0], at[1], positive - at[0], negative - at[1]};
}

static double binary_mean(const struct pen_metric_sums *s, enum pen_binary_sum sum, const char **why)
{
    return ratio(s->sums[sum], s->sums[PEN_BINARY_WEIGHT], why, "no rows");
}

static double auc(const struct pen_metric_sums *s, const char **why)
{
    return isnan(s->auc) ? undefined(why, "only one class among the labels") : s->auc;
}

static double pr_auc(const struct pen_metric_sums *s, const char **why)
{
    return isnan(s->average_precision) ? undefined(why, "no positive label") : s->average_precision;
}

static double binary_logloss(const struct pen_metric_sums *s, const char **why)
{
    return binary_mean(s, PEN_BINARY_LOGLOSS, why);
}

static double brier(const struct pen_metric_sums *s, const char **why)
{
    return binary_mean(s, PEN_BINARY_SQUARED, why);
}

static double binary_mean_label(const struct pen_metric_sums *s, const char **why)
{
    return binary_mean(s, PEN_BINARY_LABEL, why);
}

static double binary_mean_prediction(const struct pen_metric_sums *s, const char **why)
{
    return binary_mean(s, PEN_BINARY_PREDICTION, why);
}

static double calibration(const struct pen_metric_sums *s, const char **why)
{
    return ratio(s->sums[PEN_BINARY_PREDICTION], s->sums[PEN_BINARY_LABEL], why, "no positive label");
}

static double calibration_error(const struct pen_metric_sums *s, const char **why)
{
    double sum = 0;
    for (int b = 0; b < PEN_CALIBRATION_BINS; b++) {
        const double *bin = s->sums + PEN_BINARY_BINS + 3 * b;
        sum += fabs(bin[1] - bin[2]);
    }
    return ratio(sum, s->sums[PEN_BINARY_WEIGHT], why, "no rows");
}

static double binary_accuracy(const struct pen_metric_sums *s, const char **why)
{
    struct counts c = counts_at(s);
    return ratio(c.tp + c.tn, s->sums[PEN_BINARY_WEIGHT], why, "no rows");
}

static double precision(const struct pen_metric_sums *s, const char **why)
{
    struct counts c = counts_at(s);
    return ratio(c.tp, c.tp + c.fp, why, "nothing predicted positive");
}

static double recall(const struct pen_metric_sums *s, const char **why)
{
    struct counts c = counts_at(s);
    return ratio(c.tp, c.tp + c.fn, why, "no positive label");
}

static double specificity(const struct pen_metric_sums *s, const char **why)
{
    struct counts c = counts_at(s);
    return ratio(c.tn, c.tn + c.fp, why, "no negative label");
}

static double f1(const struct pen_metric_sums *s, const char **why)
{
    struct counts c = counts_at(s);
    return ratio(2 * c.tp, 2 * c.tp + c.fp + c.fn, why, "no positive label or prediction");
}

static double balanced_accuracy(const struct pen_metric_sums *s, const char **why)
{
    double a = recall(s, why), b = specificity(s, why);
    return (a + b) / 2;
}

static double mcc(const struct pen_metric_sums *s, const char **why)
{
    struct counts c = counts_at(s);
    double size = sqrt(c.tp + c.fp) * sqrt(c.tp + c.fn) * sqrt(c.tn + c.fp) * sqrt(c.tn + c.fn);
    return ratio(c.tp * c.tn - c.fp * c.fn, size, why, "labels or predictions of one class only");
}

/* ---- all tasks: sums 1 and 2 are rows and weight ---- */

static double example_count(const struct pen_metric_sums *s, const char **why)
{
    (void)why;
    return s->sums[PEN_BINARY_ROWS];
}

/* ---- multi-class ---- */

static double class_mean(const struct pen_metric_sums *s, enum pen_multiclass_sum sum, const char **why)
{
    return ratio(s->sums[sum], s->sums[PEN_MULTICLASS_WEIGHT], why, "no rows");
}

static double class_accuracy(const struct pen_metric_sums *s, const char **why)
{
    return class_mean(s, PEN_MULTICLASS_CORRECT, why);
}

static double top_k_accuracy(const struct pen_metric_sums *s, const char **why)
{
    return class_mean(s, PEN_MULTICLASS_TOP_K, why);
}

static double class_logloss(const struct pen_metric_sums *s, const char **why)
{
    return class_mean(s, PEN_MULTICLASS_LOGLOSS, why);
}

static double macro_auc(const struct pen_metric_sums *s, const char **why)
{
    if (s->n_classes > PEN_METRIC_RANKED_CLASSES) {
        return undefined(why, "more than 200 classes");
    }
    return isnan(s->auc) ? undefined(why, "only one class among the labels") : s->auc;
}

enum part { PRECISION, RECALL, F1 };

/* scikit-learn's rule: classes seen among labels or predictions; a ratio without a denominator is 0. */
static double averaged(const struct pen_metric_sums *s, enum part part, bool weighted, const char **why)
{
    double sum = 0, whole = 0;
    for (int64_t c = 0; c < s->n_classes; c++) {
        const double *k = s->sums + PEN_MULTICLASS_CLASSES + 3 * c;
        double below = part == PRECISION ? k[1] : part == RECALL ? k[0] : k[0] + k[1];
        double above = part == F1 ? 2 * k[2] : k[2], share = weighted ? k[0] : 1;
        if (k[0] > 0 || k[1] > 0) {
            sum += below > 0 ? share * above / below : 0;
            whole += share;
        }
    }
    return ratio(sum, whole, why, "no rows");
}

static double precision_macro(const struct pen_metric_sums *s, const char **why)
{
    return averaged(s, PRECISION, false, why);
}

static double recall_macro(const struct pen_metric_sums *s, const char **why)
{
    return averaged(s, RECALL, false, why);
}

static double f1_macro(const struct pen_metric_sums *s, const char **why)
{
    return averaged(s, F1, false, why);
}

static double precision_weighted(const struct pen_metric_sums *s, const char **why)
{
    return averaged(s, PRECISION, true, why);
}

static double recall_weighted(const struct pen_metric_sums *s, const char **why)
{
    return averaged(s, RECALL, true, why);
}

static double f1_weighted(const struct pen_metric_sums *s, const char **why)
{
    return averaged(s, F1, true, why);
}

/* ---- regression ---- */

static double value_mean(const struct pen_metric_sums *s, enum pen_regression_sum sum, const char **why)
{
    return ratio(s->sums[sum], s->sums[PEN_REGRESSION_WEIGHT], why, "no rows");
}

static double mse(const struct pen_metric_sums *s, const char **why)
{
    return value_mean(s, PEN_REGRESSION_SQUARED, why);
}

static double rmse(const struct pen_metric_sums *s, const char **why)
{
    return sqrt(mse(s, why));
}

static double mae(const struct pen_metric_sums *s, const char **why)
{
    return value_mean(s, PEN_REGRESSION_ABSOLUTE, why);
}

static double mean_residual(const struct pen_metric_sums *s, const char **why)
{
    return value_mean(s, PEN_REGRESSION_RESIDUAL, why);
}

static double regression_mean_label(const struct pen_metric_sums *s, const char **why)
{
    return value_mean(s, PEN_REGRESSION_LABEL, why);
}

static double regression_mean_prediction(const struct pen_metric_sums *s, const char **why)
{
    return value_mean(s, PEN_REGRESSION_PREDICTION, why);
}

static double mape(const struct pen_metric_sums *s, const char **why)
{
    return ratio(s->sums[PEN_REGRESSION_RELATIVE], s->sums[PEN_REGRESSION_RELATIVE_WEIGHT], why, "every label is 0");
}

static double r2(const struct pen_metric_sums *s, const char **why)
{
    double weight = s->sums[PEN_REGRESSION_WEIGHT], centred = s->sums[PEN_REGRESSION_CENTRED];
    double size = s->sums[PEN_REGRESSION_CENTRED_SQUARED];
    double total = weight > 0 ? size - centred * centred / weight : 0;
    if (!(total > 1e-13 * size)) {
        return undefined(why, "all labels are equal");
    }
    return 1 - s->sums[PEN_REGRESSION_SQUARED] / total;
}

#define BINARY PEN_TASK_BINARY
#define CLASSES PEN_TASK_MULTICLASS
#define VALUES PEN_TASK_REGRESSION
#define HIGH PEN_HIGHER_IS_BETTER
#define LOW PEN_LOWER_IS_BETTER
#define NONE PEN_NO_DIRECTION

/* name, task, better, at a threshold, ranks, default, function, help */
const struct pen_metric pen_metrics[] = {
    {"auc", BINARY, HIGH, false, true, true, auc, "area under the ROC curve, exact, ties count one half"},
    {"pr_auc", BINARY, HIGH, false, true, true, pr_auc, "average precision: sum of (recall step) x precision"},
    {"accuracy", BINARY, HIGH, true, false, true, binary_accuracy, "share of rows decided rightly"},
    {"precision", BINARY, HIGH, true, false, true, precision, "share of positive decisions that are right"},
    {"recall", BINARY, HIGH, true, false, true, recall, "share of positives that are found"},
    {"f1", BINARY, HIGH, true, false, true, f1, "harmonic mean of precision and recall"},
    {"specificity", BINARY, HIGH, true, false, false, specificity, "share of negatives decided rightly"},
    {"balanced_accuracy", BINARY, HIGH, true, false, false, balanced_accuracy, "mean of recall and specificity"},
    {"mcc", BINARY, HIGH, true, false, false, mcc, "Matthews correlation coefficient"},
    {"logloss", BINARY, LOW, false, false, true, binary_logloss, "mean cross-entropy, probabilities within 1e-7"},
    {"brier", BINARY, LOW, false, false, true, brier, "mean squared difference of probability and label"},
    {"calibration", BINARY, NONE, false, false, true, calibration, "mean prediction / mean label: 1 is best"},
    {"calibration_error", BINARY, LOW, false, false, false, calibration_error, "mean |label - prediction| of ten bins"},
    {"mean_label", BINARY, NONE, false, false, true, binary_mean_label, "mean label"},
    {"mean_prediction", BINARY, NONE, false, false, true, binary_mean_prediction, "mean prediction"},
    {"example_count", BINARY, NONE, false, false, false, example_count, "rows"},
    {"accuracy", CLASSES, HIGH, false, false, true, class_accuracy, "share of rows whose likeliest class is right"},
    {"top_k_accuracy", CLASSES, HIGH, false, false, true, top_k_accuracy, "share with the class among the k likeliest"},
    {"logloss", CLASSES, LOW, false, false, true, class_logloss, "mean cross-entropy, probabilities above 1e-7"},
    {"auc", CLASSES, HIGH, false, true, true, macro_auc,
     "mean one-against-rest AUC of the classes that have one, up to 200"},
    {"precision_macro", CLASSES, HIGH, false, false, true, precision_macro, "precision, mean of classes"},
    {"recall_macro", CLASSES, HIGH, false, false, true, recall_macro, "recall, mean of classes"},
    {"f1_macro", CLASSES, HIGH, false, false, true, f1_macro, "F1, mean of classes"},
    {"precision_micro", CLASSES, HIGH, false, false, false, class_accuracy, "precision over all decisions: accuracy"},
    {"recall_micro", CLASSES, HIGH, false, false, false, class_accuracy, "recall over all decisions: accuracy"},
    {"f1_micro", CLASSES, HIGH, false, false, false, class_accuracy, "F1 over all decisions: accuracy"},
    {"precision_weighted", CLASSES, HIGH, false, false, false, precision_weighted, "precision, weighted by class"},
    {"recall_weighted", CLASSES, HIGH, false, false, false, recall_weighted, "recall, weighted by class"},
    {"f1_weighted", CLASSES, HIGH, false, false, false, f1_weighted, "F1, weighted by class"},
    {"example_count", CLASSES, NONE, false, false, false, example_count, "rows"},
    {"mse", VALUES, LOW, false, false, true, mse, "mean squared error"},
    {"rmse", VALUES, LOW, false, false, true, rmse, "root of the mean squared error"},
    {"mae", VALUES, LOW, false, false, true, mae, "mean absolute error"},
    {"r2", VALUES, HIGH, false, false, true, r2, "share of the variance explained"},
    {"mape", VALUES, LOW, false, false, false, mape, "mean |error / label| where the label is not 0"},
    {"mean_residual", VALUES, NONE, false, false, true, mean_residual, "mean prediction minus label"},
    {"mean_label", VALUES, NONE, false, false, true, regression_mean_label, "mean label"},
    {"mean_prediction", VALUES, NONE, false, false, true, regression_mean_prediction, "mean prediction"},
    {"example_count", VALUES, NONE, false, false, false, example_count, "rows"},
    {NULL, PEN_TASK_NONE, NONE, false, false, false, NULL, NULL}};

const struct pen_metric *pen_metric_find(const char *name, enum pen_task task)
{
    for (const struct pen_metric *metric = pen_metrics; metric->name != NULL; metric++) {
        if (metric->task == task && strcmp(metric->name, name) == 0) {
            return metric;
        }
    }
    return NULL;
}

double pen_metric_value(const struct pen_metric *metric, const struct pen_metric_sums *sums, const char **why)
{
    *why = NULL;
    if (sums->sums[PEN_BINARY_BAD] > 0) {
        return undefined(why, "some predictions are not finite numbers");
    }
    double value = metric->value(sums, why);
    if (*why == NULL && !isfinite(value)) {
        *why = "not a finite number";
    }
    return *why == NULL ? value : (double)NAN;
}
