/* Numbers to JSON. Undefined values are null with "why", never NaN. */
#include "components/evaluator/report.h"

#include "core/files.h"
#include "core/memory.h"

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
        pen_json *json = NULL;
        if (text == NULL) {
            json = pen_json_null();
        } else if (slice->is_number[i] && pen_parse_int64(text, strlen(text), &whole)) {
            json = pen_json_int(whole);
        } else if (slice->is_number[i] && pen_parse_double(text, strlen(text), &value)) {
            json = pen_json_double(value);
        } else {
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
    PEN_ASSERT(resampling->n_lanes >= 1 && resampling->n_lanes <= PEN_RESAMPLE_LANES_MAX);
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

/* points: {TP, FP}, rising, the last {P, N}. */
static pen_json *draw_curves(const double *points)
{
    pen_json *roc = pen_json_array(), *pr = pen_json_array(), *curves = pen_json_object();
    double positive = points[2 * CURVE_POINTS], negative = points[2 * CURVE_POINTS + 1], before = -1;
    bool both = positive > 0 && negative > 0;
    if (both) {
        push_point(roc, 0, 0);
    }
    for (int64_t k = 0; both && k <= CURVE_POINTS; k++) {
        double tp = points[2 * k], fp = points[2 * k + 1];
        if (tp + fp > before && tp + fp > 0) { /* ties take several points to one place */
            push_point(roc, fp / negative, tp / positive);
            push_point(pr, tp / positive, tp / (tp + fp));
            before = tp + fp;
        }
    }
    pen_json_set(curves, "roc", roc);
    pen_json_set(curves, "pr", pr);
    return curves;
}

/* Device memory of the curves. */
struct curve_memory {
    uint64_t *keys, *scratch;
    double *points;
};

static pen_status compute_curves(const struct pen_scores *scores, struct curve_memory *memory, double *points,
                                 struct pen_error *err)
{
    struct pen_exec *exec = scores->exec;
    const struct pen_eval_rows *rows = &scores->rows;
    PEN_DEVICE_ALLOC(exec, memory->keys, rows->n, "sort keys", err);
    PEN_DEVICE_ALLOC(exec, memory->scratch, rows->n, "sorting", err);
    PEN_DEVICE_ALLOC(exec, memory->points, 2 * (CURVE_POINTS + 1), "curves", err);
    struct pen_sort_scores sort = {rows->n, scores->predictions, 1, rows->classes, 1, memory->keys, memory->scratch};
    struct pen_rank_curve curve = {rows->n, memory->keys, rows->weights, CURVE_POINTS, memory->points};
    PEN_TRY(exec->kernels->sort_scores(exec, &sort, err));
    PEN_TRY(exec->kernels->rank_curve(exec, &curve, err));
    return pen_device_download(exec, points, memory->points, 2 * (CURVE_POINTS + 1) * sizeof *points, err);
}

pen_status pen_report_curves(const struct pen_scores *scores, pen_json **curves, struct pen_error *err)
{
    struct curve_memory memory = {0};
    double points[2 * (CURVE_POINTS + 1)];
    *curves = NULL;
    if (scores->rows.task != PEN_TASK_BINARY) {
        return PEN_OK;
    }
    pen_status status = compute_curves(scores, &memory, points, err);
    pen_device_release(scores->exec, memory.keys);
    pen_device_release(scores->exec, memory.scratch);
    pen_device_release(scores->exec, memory.points);
    if (status == PEN_OK) {
        *curves = draw_curves(points);
    }
    return status;
}

/* sums: the device's, {sums, n x n counts}; counts: the host's, [n, n]. */
static pen_status compute_confusion(const struct pen_scores *scores, double *sums, double *counts,
                                    struct pen_error *err)
{
    const struct pen_eval_rows *rows = &scores->rows;
    struct pen_exec *exec = scores->exec;
    int64_t n = rows->n_classes, begin[2] = {0, rows->n};
    double *matrix = sums + PEN_MULTICLASS_CLASSES + 3 * n;
    struct pen_multiclass_sums job = {.segments = {1, begin, NULL},
                                      .predictions = scores->predictions,
                                      .weights = rows->weights,
                                      .classes = rows->classes,
                                      .n_classes = n,
                                      .top_k = 1,
                                      .resampling = {PEN_RESAMPLE_NONE, 1, NULL, NULL},
                                      .sums = sums,
                                      .confusion = matrix};
    PEN_TRY(exec->kernels->multiclass_sums(exec, &job, err));
    return pen_device_download(exec, counts, matrix, (size_t)(n * n) * sizeof *counts, err);
}

pen_status pen_report_confusion(const struct pen_scores *scores, pen_json **matrix, struct pen_error *err)
{
    int64_t n = scores->rows.n_classes;
    double *counts = NULL, *sums = NULL;
    *matrix = NULL;
    if (scores->rows.task != PEN_TASK_MULTICLASS || n > MOST_CONFUSED) {
        return PEN_OK;
    }
    PEN_DEVICE_ALLOC(scores->exec, sums, PEN_MULTICLASS_CLASSES + 3 * n + n * n, "confusion matrix", err);
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, counts, n * n, err);
    PEN_TRY_GOTO(cleanup, compute_confusion(scores, sums, counts, err));
    *matrix = pen_json_array();
    for (int64_t i = 0; i < n; i++) {
        pen_json *row = pen_json_array();
        for (int64_t j = 0; j < n; j++) {
            pen_json_push(row, pen_json_double(counts[i * n + j]));
        }
        pen_json_push(*matrix, row);
    }
cleanup:
    pen_device_release(scores->exec, sums);
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
