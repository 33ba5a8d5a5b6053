/* Evaluator: scores, slices, metrics, verdict, report. */
#include "components/evaluator/evaluator.h"

#include "components/evaluator/report.h"
#include "components/resolver/resolver.h"
#include "core/files.h"
#include "core/log.h"

#include <math.h>

struct evaluation {
    struct pen_component_context *context;
    struct pen_evaluator_plan plan;
    struct pen_scores scores;
    struct pen_store *raw;
    const char *baseline_id;
    uint8_t *resamples; /* the device's: buckets or counts */
    pen_json *slices, *notes;
    struct pen_judged *judged;
    int64_t n_judged, judged_capacity;
};

static pen_status score(struct evaluation *e, struct pen_error *err)
{
    struct pen_component_context *context = e->context;
    const char *split = e->plan.options.split;
    const char *const *splits = NULL;
    int64_t n_splits = 0;
    PEN_TRY(pen_component_splits(context, pen_component_input(context, "examples"), &splits, &n_splits, err));
    PEN_TRY(pen_component_check_split(context, "split", split, splits, n_splits, err));
    const char *path = pen_component_split_path(context, pen_component_input(context, "transformed_examples"), split);
    const char *raw = pen_component_split_path(context, pen_component_input(context, "examples"), split);
    struct pen_model *model = NULL;
    if (path == NULL || raw == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: evaluator");
    }
    PEN_TRY(pen_store_open(&e->raw, raw, err));
    PEN_TRY(pen_model_load(&model, pen_component_input(context, "model"), context->exec, err));
    pen_status status = pen_scores_read(&e->scores, path, model, pen_component_ranks(context), context->exec, err);
    pen_model_destroy(model);
    if (status == PEN_OK && e->scores.n_raw != pen_store_n_rows(e->raw)) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected %lld rows as in %s, found %lld", path,
                 (long long)pen_store_n_rows(e->raw), raw, (long long)e->scores.n_raw);
    }
    return status;
}

/* A baseline that cannot be used any more must not stop a new model: it is left out, and that is said. */
static pen_status score_baseline(struct evaluation *e, struct pen_error *err)
{
    struct pen_component_context *context = e->context;
    const char *directory = pen_component_input(context, "baseline"), *model = NULL, *id = NULL;
    if (directory == NULL) {
        return PEN_OK;
    }
    PEN_TRY(pen_resolved_model(context->arena, directory, &model, &id, err));
    if (model == NULL) {
        return PEN_OK;
    }
    struct pen_error why = PEN_ERROR_INIT;
    pen_status status = pen_scores_baseline(&e->scores, model, e->raw, &why);
    if (status == PEN_ERR_CANCELLED || status == PEN_ERR_MEMORY) {
        PEN_FAIL(err, status, "%s", why.message);
    }
    if (status != PEN_OK) {
        const char *note = pen_arena_printf(context->arena, "the baseline %s was left out: %s", id, why.message);
        pen_log(PEN_LOG_WARNING, "%s", note != NULL ? note : "the baseline was left out");
        pen_json_push(e->notes, pen_json_string(note));
        return PEN_OK;
    }
    e->baseline_id = id;
    return PEN_OK;
}

static pen_status draw_resamples(struct evaluation *e, struct pen_error *err)
{
    const struct pen_confidence *confidence = &e->plan.confidence;
    struct pen_eval_rows *rows = &e->scores.rows;
    rows->resampling = (struct pen_resampling){(enum pen_resample)confidence->method, 1, NULL, NULL};
    if (confidence->method == PEN_RESAMPLE_NONE) {
        return PEN_OK;
    }
    bool counts = confidence->method == PEN_RESAMPLE_COUNTS;
    int64_t width = counts ? confidence->samples : 1;
    rows->resampling.n_lanes = 1 + confidence->samples;
    PEN_DEVICE_ALLOC(e->context->exec, e->resamples, rows->n * width + 1, "resamples", err);
    rows->resampling.bucket = e->resamples;
    rows->resampling.counts = e->resamples;
    uint8_t *host = NULL;
    PEN_ALLOC(host, rows->n * width + 1, err);
    uint64_t seed = (uint64_t)confidence->seed;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < rows->n; row++) {
        for (int64_t s = 0; s < width; s++) {
            host[row * width + s] =
                counts ? pen_poisson_count(seed, row, s) : pen_jackknife_bucket(seed, row, confidence->samples);
        }
    }
    pen_status status = pen_device_upload(e->context->exec, e->resamples, host, (size_t)(rows->n * width), err);
    if (status == PEN_OK) {
        status = pen_device_synchronise(e->context->exec, err);
    }
    pen_free(host);
    return status;
}

static pen_status keep_judged(struct evaluation *e, const struct pen_slice *slice, int64_t index,
                              const struct pen_slice_values *candidate, const struct pen_slice_values *baseline,
                              struct pen_error *err)
{
    const struct pen_eval_plan *plan = &e->plan.metrics;
    PEN_TRY(pen_grow((void **)&e->judged, &e->judged_capacity, e->n_judged + plan->n_choices, sizeof *e->judged, err));
    for (int64_t i = 0; i < plan->n_choices; i++) {
        int64_t at = index * plan->n_choices + i, lane = at * e->scores.rows.resampling.n_lanes;
        double before = baseline != NULL ? baseline->values[lane] : (double)NAN;
        e->judged[e->n_judged++] =
            (struct pen_judged){slice, plan->choices[i].name, candidate->values[lane], before, candidate->why[at]};
    }
    return PEN_OK;
}

static pen_status evaluate_spec(struct evaluation *e, const struct pen_slice_spec *spec, struct pen_error *err)
{
    const struct pen_evaluator_options *options = &e->plan.options;
    struct pen_exec *exec = e->context->exec;
    struct pen_slice_limits limits = {options->min_slice_size, options->max_slices, options->max_slice_values};
    struct pen_slicing slicing;
    struct pen_slice_values candidate = {0}, baseline = {0};
    bool has_baseline = e->scores.baseline != NULL;
    PEN_TRY(pen_slice_rows(e->context->arena, e->raw, spec, e->scores.keep, e->scores.rows.n, &limits, &slicing, err));
    pen_status status = PEN_OK;
    if (slicing.note != NULL) {
        pen_json_push(e->notes, pen_json_string(slicing.note));
    }
    if (slicing.n_slices == 0) {
        goto cleanup;
    }
    PEN_TRY_GOTO(cleanup, pen_compute_slices(exec, &e->scores.rows, e->scores.predictions, &e->plan.metrics,
                                             slicing.slice_of, slicing.n_slices, &candidate, err));
    if (has_baseline) {
        PEN_TRY_GOTO(cleanup, pen_compute_slices(exec, &e->scores.rows, e->scores.baseline, &e->plan.metrics,
                                                 slicing.slice_of, slicing.n_slices, &baseline, err));
    }
    for (int64_t i = 0; i < slicing.n_slices; i++) {
        const struct pen_slice_values *before = has_baseline ? &baseline : NULL;
        pen_json_push(e->slices,
                      pen_report_slice(&e->plan, &e->scores.rows, &slicing.slices[i], i, &candidate, before));
        PEN_TRY_GOTO(cleanup, keep_judged(e, &slicing.slices[i], i, &candidate, before, err));
    }
cleanup:
    pen_slice_values_deinit(&candidate);
    pen_slice_values_deinit(&baseline);
    pen_slicing_deinit(&slicing);
    return status;
}

static void set_properties(struct evaluation *e, const struct pen_verdict *verdict)
{
    static const char *const outputs[] = {"evaluation", "blessing"};
    for (int o = 0; o < 2; o++) {
        pen_json *properties = pen_component_properties(e->context, outputs[o]);
        pen_json_set_bool(properties, "blessed", verdict->blessed);
        for (int64_t i = 0; i < e->n_judged && i < e->plan.metrics.n_choices; i++) {
            if (isfinite(e->judged[i].value)) {
                pen_json_set_double(properties, e->judged[i].metric, e->judged[i].value);
            }
        }
    }
}

static const char *const task_names[] = {"none", "binary", "multiclass", "regression"};
static const char *const method_names[] = {"none", "jackknife", "bootstrap"};

static pen_status write_report(struct evaluation *e, const struct pen_verdict *verdict, struct pen_error *err)
{
    pen_json *root = pen_json_object(), *confidence = pen_json_object(), *blessing = pen_json_object();
    pen_json *curves = NULL, *matrix = NULL;
    const struct pen_scores *scores = &e->scores;
    pen_status status = pen_report_curves(scores, &curves, err);
    if (status == PEN_OK) {
        status = pen_report_confusion(scores, &matrix, err);
    }
    pen_json_set_int(root, "schema", 1);
    pen_json_set_string(root, "model", pen_component_input(e->context, "model"));
    pen_json_set_string(root, "baseline", e->baseline_id);
    pen_json_set_bool(root, "blessed", verdict->blessed);
    pen_json_set(root, "reasons", pen_json_copy(verdict->reasons));
    pen_json_set_string(root, "task", task_names[scores->rows.task]);
    pen_json_set_string(root, "split", e->plan.options.split);
    pen_json_set_int(root, "rows", scores->rows.n);
    pen_json_set_int(root, "rows_without_label", scores->n_without_label);
    pen_json_set_int(root, "rows_with_bad_weight", scores->n_bad_weight);
    pen_json_set_string(confidence, "method", method_names[e->plan.confidence.method]);
    pen_json_set_double(confidence, "level", e->plan.confidence.level);
    pen_json_set_int(confidence, "samples", e->plan.confidence.samples);
    pen_json_set(root, "confidence", confidence);
    pen_json_set(root, "slices", e->slices);
    e->slices = NULL;
    if (curves != NULL) {
        pen_json_set(root, "curves", curves);
    }
    if (matrix != NULL) {
        pen_json_set(root, "confusion", matrix);
    }
    pen_json_set(root, "notes", pen_json_copy(e->notes));
    pen_json_set_int(blessing, "schema", 1);
    pen_json_set_bool(blessing, "blessed", verdict->blessed);
    pen_json_set(blessing, "reasons", pen_json_copy(verdict->reasons));
    if (status == PEN_OK) {
        status = pen_report_write(root, pen_component_output(e->context, "evaluation"), "evaluation.json", err);
    }
    if (status == PEN_OK) {
        status = pen_report_write(blessing, pen_component_output(e->context, "blessing"), "blessing.json", err);
    }
    pen_json_free(root);
    pen_json_free(blessing);
    return status;
}

static pen_status run(struct pen_component_context *context, struct pen_error *err)
{
    struct evaluation e = {.context = context};
    struct pen_verdict verdict = {0};
    pen_status status = PEN_OK;
    e.slices = pen_json_array();
    e.notes = pen_json_array();
    PEN_TRY_GOTO(cleanup, pen_evaluator_plan_read(context, &e.plan, err));
    PEN_TRY_GOTO(cleanup, score(&e, err));
    if (pen_component_ranks(context)->rank > 0) { /* scores are all they help with */
        goto cleanup;
    }
    PEN_TRY_GOTO(cleanup, pen_evaluator_plan_metrics(context->arena, &e.plan, e.scores.rows.task, err));
    PEN_TRY_GOTO(cleanup, score_baseline(&e, err));
    PEN_TRY_GOTO(cleanup, draw_resamples(&e, err));
    for (int64_t i = 0; i < e.plan.n_specs; i++) {
        PEN_TRY_GOTO(cleanup, evaluate_spec(&e, &e.plan.specs[i], err));
    }
    PEN_TRY_GOTO(cleanup, pen_thresholds_judge(&e.plan.thresholds, e.judged, e.n_judged, e.scores.baseline != NULL,
                                               &verdict, err));
    set_properties(&e, &verdict);
    PEN_TRY_GOTO(cleanup, write_report(&e, &verdict, err));
cleanup:
    pen_json_free(verdict.reasons);
    pen_json_free(e.slices);
    pen_json_free(e.notes);
    pen_free(e.judged);
    pen_device_release(context->exec, e.resamples);
    pen_scores_deinit(&e.scores);
    if (e.raw != NULL) {
        pen_store_close(e.raw);
    }
    return status;
}

static pen_status check(const struct pen_component_context *context, struct pen_error *err)
{
    struct pen_evaluator_plan plan;
    return pen_evaluator_plan_read(context, &plan, err);
}

static const struct pen_component_port inputs[] = {
    {"examples", "Examples", false, "example_gen", "raw rows: slice columns and the baseline's inputs"},
    {"transformed_examples", "Examples", false, "transform", "tensors of the same rows"},
    {"model", "Model", false, "trainer", "the candidate"},
    {"baseline", "ResolvedModel", true, "resolver", "the model to compare with"},
    {NULL, NULL, false, NULL, NULL}};
static const struct pen_component_port outputs[] = {
    {"evaluation", "ModelEvaluation", false, NULL, "metrics, slices, intervals, curves, reasons"},
    {"blessing", "ModelBlessing", false, NULL, "whether the model may be pushed, and why"},
    {NULL, NULL, false, NULL, NULL}};

const struct pen_component pen_evaluator = {.name = "evaluator",
                                            .version = 1,
                                            .description = "measures the model, on slices and against the last "
                                                           "blessed one, and blesses it or not",
                                            .options = pen_evaluator_option_table,
                                            .options_bytes = sizeof(struct pen_evaluator_options),
                                            .inputs = inputs,
                                            .outputs = outputs,
                                            .over_ranks = true,
                                            .on_device = true,
                                            .run = run,
                                            .check = check};
