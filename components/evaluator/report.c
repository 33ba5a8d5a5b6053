/* Numbers to JSON. Undefined values are null with "why", never NaN. */
#include "components/evaluator/report.h"

#include "core/files.h"
#include "kernels/sort/sort.h"

#include <math.h>
#include <string.h>

enum { CURVE_POINTS = 200, MOST_CONFUSED = 50 };

static pen_json *number(double value)
{
    return isfinite(value) ? pen_json_double(value) : pen_json_null();
}

static pen_json *slice_key(const struct pen_slice *slice)
{
    pen_json *key = pen_json_object();
    for (int64_t i = 0; i < slice->spec->n_columns; i++) {
        const char *text = slice->values[i];
        double value = 0;
        int64_t whole = 0;
        pen_json *json = text == NULL ? pen_json_null() : NULL;
        if (json == NULL && slice->is_number[i] && pen_parse_int64(text, strlen(text), &whole)) {
            json = pen_json_int(whole);
        } else if (json == NULL && slice->is_number[i] && pen_parse_double(text, strlen(text), &value)) {
            json = pen_json_double(value);
        } else if (json == NULL) {
            json = pen_json_string(text);
        }
        pen_json_set(key, slice->spec->columns[i], json);
    }
    return key;
}

static void add_binary(pen_json *out, const struct pen_eval_plan *plan, const double *sums)
{
    pen_json *confusion = pen_json_array(), *calibration = pen_json_array();
    double positive = sums[PEN_BINARY_POSITIVE], negative = sums[PEN_BINARY_WEIGHT] - positive;
    for (int64_t t = 0; t < plan->n_thresholds; t++) {
        const double *at = sums + PEN_BINARY_THRESHOLDS + 2 * t;
        pen_json *row = pen_json_object();
        pen_json_set_double(row, "threshold", plan->thresholds[t]);
        pen_json_set_double(row, "tp", at[0]);
        pen_json_set_double(row, "fp", at[1]);
        pen_json_set_double(row, "fn", positive - at[0]);
        pen_json_set_double(row, "tn", negative - at[1]);
        pen_json_push(confusion, row);
    }
    for (int b = 0; b < PEN_CALIBRATION_BINS; b++) {
        const double *bin = sums + PEN_BINARY_BINS + 3 * b;
        pen_json *row = pen_json_object();
        pen_json_set_double(row, "low", (double)b / PEN_CALIBRATION_BINS);
        pen_json_set_double(row, "high", (double)(b + 1) / PEN_CALIBRATION_BINS);
        pen_json_set_double(row, "weight", bin[0]);
        pen_json_set(row, "label", number(bin[1] / bin[0]));
        pen_json_set(row, "prediction", number(bin[2] / bin[0]));
        pen_json_push(calibration, row);
    }
    pen_json_set(out, "confusion", confusion);
    pen_json_set(out, "calibration", calibration);
}

static void add_classes(pen_json *out, const double *sums, int64_t n_classes)
{
    pen_json *classes = pen_json_array();
    for (int64_t c = 0; c < n_classes; c++) {
        const double *k = sums + PEN_MULTICLASS_CLASSES + 3 * c;
        pen_json *row = pen_json_object();
        pen_json_set_int(row, "class", c);
        pen_json_set_double(row, "weight", k[0]);
        pen_json_set(row, "precision", number(k[2] / k[1]));
        pen_json_set(row, "recall", number(k[2] / k[0]));
        pen_json_set(row, "f1", number(2 * k[2] / (k[0] + k[1])));
        pen_json_push(classes, row);
    }
    pen_json_set(out, "classes", classes);
}

/* Candidate minus baseline, lane by lane: both were measured on the same resamples, so what moves both cancels. */
static void add_change(pen_json *metric, const struct pen_evaluator_plan *plan, const struct pen_resampling *resampling,
                       const double *candidate, const double *baseline)
{
    double change[PEN_RESAMPLE_LANES_MAX];
    PEN_ASSERT(resampling->n_lanes <= PEN_RESAMPLE_LANES_MAX);
    for (int64_t lane = 0; lane < resampling->n_lanes; lane++) {
        change[lane] = candidate[lane] - baseline[lane];
    }
    struct pen_interval interval =
        pen_interval_of(resampling->kind, change, resampling->n_lanes, plan->confidence.level);
    pen_json_set(metric, "baseline", number(baseline[0]));
    pen_json_set(metric, "change", number(change[0]));
    pen_json_set(metric, "change_low", number(interval.low));
    pen_json_set(metric, "change_high", number(interval.high));
}

pen_json *pen_report_slice(const struct pen_evaluator_plan *plan, const struct pen_eval_rows *rows,
                           const struct pen_slice *slice, int64_t index, const struct pen_slice_values *candidate,
                           const struct pen_slice_values *baseline)
{
    pen_json *out = pen_json_object(), *metrics = pen_json_object();
    int64_t n_lanes = rows->resampling.n_lanes;
    pen_json_set(out, "slice", slice_key(slice));
    pen_json_set_int(out, "rows", slice->n_rows);
    for (int64_t i = 0; i < plan->metrics.n_choices; i++) {
        int64_t at = index * plan->metrics.n_choices + i;
        const double *lanes = candidate->values + at * n_lanes;
        struct pen_interval interval = pen_interval_of(rows->resampling.kind, lanes, n_lanes, plan->confidence.level);
        pen_json *metric = pen_json_object();
        pen_json_set(metric, "value", number(lanes[0]));
        pen_json_set(metric, "low", number(interval.low));
        pen_json_set(metric, "high", number(interval.high));
        if (baseline != NULL) {
            add_change(metric, plan, &rows->resampling, lanes, baseline->values + at * n_lanes);
        } else {
            pen_json_set(metric, "baseline", pen_json_null());
        }
        if (candidate->why[at] != NULL) {
            pen_json_set_string(metric, "why", candidate->why[at]);
        }
        pen_json_set(metrics, plan->metrics.choices[i].name, metric);
    }
    pen_json_set(out, "metrics", metrics);
    const double *sums = candidate->sums + index * candidate->n_sums;
    if (rows->task == PEN_TASK_BINARY) {
        add_binary(out, &plan->metrics, sums);
    } else if (rows->task == PEN_TASK_MULTICLASS && rows->n_classes <= MOST_CONFUSED) {
        add_classes(out, sums, rows->n_classes);
    }
    return out;
}

static void push_point(pen_json *curve, double x, double y)
{
    pen_json *point = pen_json_array();
    pen_json_push(point, pen_json_double(x));
    pen_json_push(point, pen_json_double(y));
    pen_json_push(curve, point);
}

static void walk_curves(const struct pen_eval_rows *rows, const uint64_t *keys, pen_json *roc, pen_json *pr)
{
    double positive = 0, negative = 0, tp = 0, fp = 0;
    for (int pass = 0; pass < 2; pass++) {
        int64_t drawn = 0;
        for (int64_t i = rows->n - 1; i >= 0; i--) {
            double w = rows->weights != NULL ? (double)rows->weights[pen_sort_key_row(keys[i])] : 1.0;
            bool is_positive = pen_sort_key_positive(keys[i]);
            if (pass == 0) {
                positive += is_positive ? w : 0;
                negative += is_positive ? 0 : w;
                continue;
            }
            tp += is_positive ? w : 0;
            fp += is_positive ? 0 : w;
            bool ends = i == 0 || pen_sort_key_order(keys[i - 1]) != pen_sort_key_order(keys[i]);
            int64_t due = (int64_t)((tp + fp) / (positive + negative) * CURVE_POINTS);
            if (ends && (due > drawn || i == 0)) {
                drawn = due;
                push_point(roc, fp / negative, tp / positive);
                push_point(pr, tp / positive, tp / (tp + fp));
            }
        }
        if (!(positive > 0 && negative > 0)) {
            return;
        }
        if (pass == 0) {
            push_point(roc, 0, 0);
        }
    }
}

pen_status pen_report_curves(struct pen_exec *exec, const struct pen_scores *scores, pen_json **curves,
                             struct pen_error *err)
{
    const struct pen_eval_rows *rows = &scores->rows;
    uint64_t *keys = NULL, *scratch = NULL;
    pen_status status = PEN_OK;
    *curves = NULL;
    if (rows->task != PEN_TASK_BINARY) {
        return PEN_OK;
    }
    PEN_ALLOC_GOTO(cleanup, keys, rows->n + 1, err);
    PEN_ALLOC_GOTO(cleanup, scratch, rows->n + 1, err);
    struct pen_sort_scores sort = {rows->n, scores->predictions, 1, rows->classes, 1, keys, scratch};
    PEN_TRY_GOTO(cleanup, exec->kernels->sort_scores(exec, &sort, err));
    pen_json *roc = pen_json_array(), *pr = pen_json_array();
    walk_curves(rows, keys, roc, pr);
    *curves = pen_json_object();
    pen_json_set(*curves, "roc", roc);
    pen_json_set(*curves, "pr", pr);
cleanup:
    pen_free(keys);
    pen_free(scratch);
    return status;
}

pen_status pen_report_confusion(struct pen_exec *exec, const struct pen_scores *scores, pen_json **matrix,
                                struct pen_error *err)
{
    const struct pen_eval_rows *rows = &scores->rows;
    int64_t n = rows->n_classes;
    double *sums = NULL, *counts = NULL;
    pen_status status = PEN_OK;
    *matrix = NULL;
    if (rows->task != PEN_TASK_MULTICLASS || n > MOST_CONFUSED) {
        return PEN_OK;
    }
    PEN_ALLOC_GOTO(cleanup, sums, PEN_MULTICLASS_CLASSES + 3 * n, err);
    PEN_ALLOC_GOTO(cleanup, counts, n * n, err);
    struct pen_multiclass_sums job = {.n = rows->n,
                                      .predictions = scores->predictions,
                                      .weights = rows->weights,
                                      .classes = rows->classes,
                                      .n_classes = n,
                                      .top_k = 1,
                                      .resampling = {PEN_RESAMPLE_NONE, 1, NULL, NULL},
                                      .sums = sums,
                                      .confusion = counts};
    PEN_TRY_GOTO(cleanup, exec->kernels->multiclass_sums(exec, &job, err));
    *matrix = pen_json_array();
    for (int64_t i = 0; i < n; i++) {
        pen_json *row = pen_json_array();
        for (int64_t j = 0; j < n; j++) {
            pen_json_push(row, pen_json_double(counts[i * n + j]));
        }
        pen_json_push(*matrix, row);
    }
cleanup:
    pen_free(sums);
    pen_free(counts);
    return status;
}

pen_status pen_report_write(const pen_json *root, const char *directory, const char *name, struct pen_error *err)
{
    struct pen_text text = {0};
    char path[PEN_PATH_BYTES];
    pen_status status = pen_json_print(root, PEN_JSON_INDENT, &text, err);
    if (status == PEN_OK) {
        status = pen_path_join(path, directory, name, err);
    }
    if (status == PEN_OK) {
        status = pen_file_write_atomic(path, text.data, text.size_bytes, err);
    }
    pen_text_deinit(&text);
    return status;
}
