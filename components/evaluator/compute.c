/* Metrics of slices: rows and sorted keys are dealt out to their slices, then each kind of sum is one call over all
 * slices. One sort per ranked class serves every slice, because dealing keeps the order. */
#include "components/evaluator/compute.h"

#include "core/memory.h"

#include <math.h>
#include <string.h>

enum { MOST_SUMS = 1 << 22 /* of a group of slices: 32 MiB */ };

struct job {
    struct pen_exec *exec;
    const struct pen_eval_rows *rows;
    const float *predictions;
    const struct pen_eval_plan *plan;
    int64_t n_slices, n_lanes, n_outputs;
    int64_t *begin;                  /* [n_slices + 1] */
    int32_t *slice_of;               /* device */
    uint32_t *list;                  /* device: rows by slice */
    double *auc, *average_precision; /* [n_slices, n_lanes] */
    double *n_defined;               /* [n_slices, n_lanes] classes that have an AUC */
    double *sums;                    /* device: of a group of slices, [group, n_lanes, n_sums] */
    struct pen_slice_values *values;
};

static pen_status deal_rows(struct job *job, const int32_t *slice_of, struct pen_error *err)
{
    int64_t n = job->rows->n;
    PEN_ALLOC(job->begin, job->n_slices + 1, err);
    for (int64_t row = 0; row < n; row++) {
        if (slice_of[row] >= 0) {
            job->begin[slice_of[row] + 1]++;
        }
    }
    for (int64_t s = 0; s < job->n_slices; s++) {
        job->begin[s + 1] += job->begin[s];
    }
    PEN_DEVICE_ALLOC(job->exec, job->slice_of, n, "slices of rows", err);
    PEN_DEVICE_ALLOC(job->exec, job->list, job->begin[job->n_slices] + 1, "rows by slice", err);
    PEN_TRY(pen_device_upload(job->exec, job->slice_of, slice_of, (size_t)n * sizeof *slice_of, err));
    struct pen_deal_rows deal = {n, job->slice_of, job->n_slices, job->begin, job->list};
    return job->exec->kernels->deal_rows(job->exec, &deal, err);
}

/* ---- ranking ---- */

struct ranks {
    uint64_t *keys, *dealt; /* device, [n] */
    double *lanes;          /* device, {auc, average precision} x [n_slices, n_lanes] */
    double *host;           /* the same */
};

static void add_class(const struct job *job, const double *auc, const double *average_precision)
{
    for (int64_t at = 0; at < job->n_slices * job->n_lanes; at++) {
        if (!isnan(auc[at])) {
            job->auc[at] += auc[at];
            job->n_defined[at] += 1;
        }
        job->average_precision[at] = average_precision[at];
    }
}

static pen_status rank_class(const struct job *job, const struct ranks *ranks, int64_t column, int32_t positive,
                             struct pen_error *err)
{
    const struct pen_kernel_table *kernels = job->exec->kernels;
    int64_t size = job->n_slices * job->n_lanes;
    struct pen_sort_scores sort = {.n = job->rows->n,
                                   .scores = job->predictions + column,
                                   .stride = job->n_outputs,
                                   .classes = job->rows->classes,
                                   .positive = positive,
                                   .keys = ranks->keys,
                                   .scratch = ranks->dealt};
    struct pen_deal_keys deal = {job->rows->n, ranks->keys, job->slice_of, job->n_slices, job->begin, ranks->dealt};
    struct pen_rank_sums rank = {.n_segments = job->n_slices,
                                 .begin = job->begin,
                                 .keys = ranks->dealt,
                                 .weights = job->rows->weights,
                                 .resampling = job->rows->resampling,
                                 .auc = ranks->lanes,
                                 .average_precision = ranks->lanes + size};
    PEN_TRY(kernels->sort_scores(job->exec, &sort, err));
    PEN_TRY(kernels->deal_keys(job->exec, &deal, err));
    PEN_TRY(kernels->rank_sums(job->exec, &rank, err));
    PEN_TRY(pen_device_download(job->exec, ranks->host, ranks->lanes, (size_t)(2 * size) * sizeof(double), err));
    add_class(job, ranks->host, ranks->host + size);
    return PEN_OK;
}

static pen_status rank_classes(const struct job *job, struct ranks *ranks, struct pen_error *err)
{
    bool binary = job->rows->task == PEN_TASK_BINARY;
    int64_t size = job->n_slices * job->n_lanes;
    PEN_DEVICE_ALLOC(job->exec, ranks->keys, job->rows->n, "sort keys", err);
    PEN_DEVICE_ALLOC(job->exec, ranks->dealt, job->rows->n, "sort keys by slice", err);
    PEN_DEVICE_ALLOC(job->exec, ranks->lanes, 2 * size, "AUC of slices", err);
    PEN_ALLOC(ranks->host, 2 * size, err);
    for (int64_t column = 0; column < job->n_outputs; column++) {
        PEN_TRY(rank_class(job, ranks, column, binary ? 1 : (int32_t)column, err));
    }
    return PEN_OK;
}

static pen_status rank_all(struct job *job, struct pen_error *err)
{
    int64_t size = job->n_slices * job->n_lanes;
    bool wanted = false;
    PEN_ALLOC(job->auc, size, err);
    PEN_ALLOC(job->average_precision, size, err);
    PEN_ALLOC(job->n_defined, size, err);
    for (int64_t i = 0; i < job->plan->n_choices; i++) {
        wanted = wanted || job->plan->choices[i].metric->ranks;
    }
    if (wanted && job->rows->classes != NULL && job->rows->n_classes <= PEN_METRIC_RANKED_CLASSES) {
        struct ranks ranks = {0};
        pen_status status = rank_classes(job, &ranks, err);
        pen_device_release(job->exec, ranks.keys);
        pen_device_release(job->exec, ranks.dealt);
        pen_device_release(job->exec, ranks.lanes);
        pen_free(ranks.host);
        PEN_TRY(status);
    }
    for (int64_t i = 0; i < size; i++) {
        job->auc[i] = job->n_defined[i] > 0 ? job->auc[i] / job->n_defined[i] : (double)NAN;
    }
    return PEN_OK;
}

/* ---- sums ---- */

/* job->sums of slices first .. first + n - 1. */
static pen_status sum_slices(const struct job *job, int64_t first, int64_t n, struct pen_error *err)
{
    const struct pen_eval_rows *rows = job->rows;
    const struct pen_kernel_table *kernels = job->exec->kernels;
    struct pen_segments segments = {n, job->begin + first, job->list};
    if (rows->task == PEN_TASK_BINARY) {
        struct pen_binary_sums binary = {.segments = segments,
                                         .predictions = job->predictions,
                                         .labels = rows->labels,
                                         .weights = rows->weights,
                                         .classes = rows->classes,
                                         .n_thresholds = job->plan->n_thresholds,
                                         .thresholds = job->plan->thresholds,
                                         .resampling = rows->resampling,
                                         .sums = job->sums};
        return kernels->binary_sums(job->exec, &binary, err);
    }
    if (rows->task == PEN_TASK_MULTICLASS) {
        struct pen_multiclass_sums classes = {.segments = segments,
                                              .predictions = job->predictions,
                                              .weights = rows->weights,
                                              .classes = rows->classes,
                                              .n_classes = rows->n_classes,
                                              .top_k = job->plan->top_k,
                                              .resampling = rows->resampling,
                                              .sums = job->sums};
        return kernels->multiclass_sums(job->exec, &classes, err);
    }
    struct pen_regression_sums regression = {.segments = segments,
                                             .predictions = job->predictions,
                                             .labels = rows->labels,
                                             .weights = rows->weights,
                                             .centre = rows->centre,
                                             .resampling = rows->resampling,
                                             .sums = job->sums};
    return kernels->regression_sums(job->exec, &regression, err);
}

/* sums: [n_lanes, n_sums] of the slice. */
static void fill_values(const struct job *job, int64_t slice, const double *sums)
{
    const struct pen_eval_plan *plan = job->plan;
    struct pen_slice_values *values = job->values;
    memcpy(values->sums + slice * values->n_sums, sums, (size_t)values->n_sums * sizeof *sums);
    for (int64_t lane = 0; lane < job->n_lanes; lane++) {
        struct pen_metric_sums s = {.sums = sums + lane * values->n_sums,
                                    .n_classes = job->rows->n_classes,
                                    .auc = job->auc[slice * job->n_lanes + lane],
                                    .average_precision = job->average_precision[slice * job->n_lanes + lane]};
        for (int64_t i = 0; i < plan->n_choices; i++) {
            const char *why = NULL;
            int64_t at = slice * plan->n_choices + i;
            s.threshold = plan->choices[i].threshold;
            values->values[at * job->n_lanes + lane] = pen_metric_value(plan->choices[i].metric, &s, &why);
            values->why[at] = lane == 0 ? why : values->why[at];
        }
    }
}

/* Slices in groups whose sums fit MOST_SUMS. */
static pen_status sum_all(struct job *job, struct pen_error *err)
{
    int64_t size = job->n_lanes * job->values->n_sums, group = MOST_SUMS / size;
    double *host = NULL;
    pen_status status = PEN_OK;
    group = group < 1 ? 1 : group > job->n_slices ? job->n_slices : group;
    PEN_DEVICE_ALLOC(job->exec, job->sums, group * size, "sums of slices", err);
    PEN_ALLOC(host, group * size, err);
    for (int64_t first = 0; first < job->n_slices; first += group) {
        int64_t n = job->n_slices - first < group ? job->n_slices - first : group;
        PEN_TRY_GOTO(cleanup, sum_slices(job, first, n, err));
        PEN_TRY_GOTO(cleanup, pen_device_download(job->exec, host, job->sums, (size_t)(n * size) * sizeof *host, err));
        for (int64_t i = 0; i < n; i++) {
            fill_values(job, first + i, host + i * size);
        }
    }
cleanup:
    pen_free(host);
    return status;
}

static int64_t count_sums(const struct pen_eval_rows *rows, const struct pen_eval_plan *plan)
{
    if (rows->task == PEN_TASK_BINARY) {
        return PEN_BINARY_THRESHOLDS + 2 * plan->n_thresholds;
    }
    return rows->task == PEN_TASK_MULTICLASS ? PEN_MULTICLASS_CLASSES + 3 * rows->n_classes : PEN_REGRESSION_SUMS;
}

pen_status pen_compute_slices(struct pen_exec *exec, const struct pen_eval_rows *rows, const float *predictions,
                              const struct pen_eval_plan *plan, const int32_t *slice_of, int64_t n_slices,
                              struct pen_slice_values *values, struct pen_error *err)
{
    struct job job = {.exec = exec,
                      .rows = rows,
                      .predictions = predictions,
                      .plan = plan,
                      .n_slices = n_slices,
                      .n_lanes = rows->resampling.n_lanes,
                      .n_outputs = rows->task == PEN_TASK_MULTICLASS ? rows->n_classes : 1,
                      .values = values};
    pen_status status = PEN_OK;
    *values = (struct pen_slice_values){.n_sums = count_sums(rows, plan)};
    PEN_ALLOC_GOTO(cleanup, values->values, n_slices * plan->n_choices * job.n_lanes + 1, err);
    PEN_ALLOC_GOTO(cleanup, values->why, n_slices * plan->n_choices + 1, err);
    PEN_ALLOC_GOTO(cleanup, values->sums, n_slices * values->n_sums + 1, err);
    PEN_TRY_GOTO(cleanup, deal_rows(&job, slice_of, err));
    PEN_TRY_GOTO(cleanup, rank_all(&job, err));
    PEN_TRY_GOTO(cleanup, sum_all(&job, err));
cleanup:
    pen_free(job.begin);
    pen_device_release(exec, job.slice_of);
    pen_device_release(exec, job.list);
    pen_device_release(exec, job.sums);
    pen_free(job.auc);
    pen_free(job.average_precision);
    pen_free(job.n_defined);
    if (status != PEN_OK) {
        pen_slice_values_deinit(values);
    }
    return status;
}

void pen_slice_values_deinit(struct pen_slice_values *values)
{
    pen_free(values->values);
    pen_free(values->why);
    pen_free(values->sums);
    *values = (struct pen_slice_values){0};
}
