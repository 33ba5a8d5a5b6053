/* One sort per ranked class over all rows; a stable counting sort then deals keys (and rows) out to the slices, each
 * of which stays sorted, so that every slice costs one sweep of its own rows and no sort of its own. */
#include "components/evaluator/compute.h"

#include "core/memory.h"

#include <math.h>
#include <string.h>

enum { MOST_RANKED_CLASSES = 200 };

struct job {
    struct pen_exec *exec;
    const struct pen_eval_rows *rows;
    const float *predictions;
    const struct pen_eval_plan *plan;
    const int32_t *slice_of;
    int64_t n_slices, n_lanes, n_outputs;
    int64_t *begin;                  /* [n_slices + 1] */
    uint32_t *list;                  /* rows by slice */
    double *auc, *average_precision; /* [n_slices, n_lanes] */
    double *n_defined;               /* [n_slices, n_lanes] classes that have an AUC */
    struct pen_slice_values *values;
};

static pen_status deal_rows(struct job *job, struct pen_error *err)
{
    PEN_ALLOC(job->begin, job->n_slices + 2, err);
    PEN_ALLOC(job->list, job->rows->n + 1, err);
    int64_t *next = job->begin + 1;
    for (int64_t row = 0; row < job->rows->n; row++) {
        if (job->slice_of[row] >= 0) {
            next[job->slice_of[row] + 1]++;
        }
    }
    for (int64_t s = 0; s < job->n_slices; s++) {
        next[s + 1] += next[s];
    }
    for (int64_t row = 0; row < job->rows->n; row++) {
        if (job->slice_of[row] >= 0) {
            job->list[next[job->slice_of[row]]++] = (uint32_t)row;
        }
    }
    return PEN_OK;
}

/* Keys sorted over all rows into keys sorted within each slice. */
static void deal_keys(const struct job *job, const uint64_t *keys, uint64_t *dealt, int64_t *next)
{
    memcpy(next, job->begin, (size_t)(job->n_slices + 1) * sizeof *next);
    for (int64_t i = 0; i < job->rows->n; i++) {
        int32_t slice = job->slice_of[(keys[i] & UINT32_MAX) >> 1];
        if (slice >= 0) {
            dealt[next[slice]++] = keys[i];
        }
    }
}

static void add_class(const struct job *job, int64_t slice, const double *auc, const double *ap)
{
    for (int64_t lane = 0; lane < job->n_lanes; lane++) {
        int64_t at = slice * job->n_lanes + lane;
        if (!isnan(auc[lane])) {
            job->auc[at] += auc[lane];
            job->n_defined[at] += 1;
        }
        job->average_precision[at] = ap[lane];
    }
}

static pen_status rank_class(const struct job *job, int64_t column, int32_t positive, uint64_t *keys, uint64_t *dealt,
                             int64_t *next, double *lanes, struct pen_error *err)
{
    struct pen_sort_scores sort = {.n = job->rows->n,
                                   .scores = job->predictions + column,
                                   .stride = job->n_outputs,
                                   .classes = job->rows->classes,
                                   .positive = positive,
                                   .keys = keys,
                                   .scratch = dealt};
    PEN_TRY(job->exec->kernels->sort_scores(job->exec, &sort, err));
    deal_keys(job, keys, dealt, next);
    for (int64_t slice = 0; slice < job->n_slices; slice++) {
        struct pen_rank_sums rank = {.n = job->begin[slice + 1] - job->begin[slice],
                                     .keys = dealt + job->begin[slice],
                                     .weights = job->rows->weights,
                                     .resampling = job->rows->resampling,
                                     .auc = lanes,
                                     .average_precision = lanes + job->n_lanes};
        PEN_TRY(job->exec->kernels->rank_sums(job->exec, &rank, err));
        add_class(job, slice, lanes, lanes + job->n_lanes);
    }
    return PEN_OK;
}

static pen_status rank_all(struct job *job, struct pen_error *err)
{
    uint64_t *keys = NULL, *dealt = NULL;
    int64_t *next = NULL, size = job->n_slices * job->n_lanes + 1;
    double *lanes = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, job->auc, size, err);
    PEN_ALLOC_GOTO(cleanup, job->average_precision, size, err);
    PEN_ALLOC_GOTO(cleanup, job->n_defined, size, err);
    bool wanted = false;
    for (int64_t i = 0; i < job->plan->n_choices; i++) {
        wanted = wanted || job->plan->choices[i].metric->ranks;
    }
    bool binary = job->rows->task == PEN_TASK_BINARY;
    if (wanted && job->rows->classes != NULL && job->rows->n_classes <= MOST_RANKED_CLASSES) {
        PEN_ALLOC_GOTO(cleanup, keys, job->rows->n + 1, err);
        PEN_ALLOC_GOTO(cleanup, dealt, job->rows->n + 1, err);
        PEN_ALLOC_GOTO(cleanup, next, job->n_slices + 1, err);
        PEN_ALLOC_GOTO(cleanup, lanes, 2 * job->n_lanes, err);
        for (int64_t column = 0; column < job->n_outputs; column++) {
            PEN_TRY_GOTO(cleanup, rank_class(job, column, binary ? 1 : (int32_t)column, keys, dealt, next, lanes, err));
        }
    }
    for (int64_t i = 0; i < size - 1; i++) {
        job->auc[i] = job->n_defined[i] > 0 ? job->auc[i] / job->n_defined[i] : (double)NAN;
    }
cleanup:
    pen_free(keys);
    pen_free(dealt);
    pen_free(next);
    pen_free(lanes);
    return status;
}

static pen_status sum_slice(const struct job *job, int64_t slice, double *sums, struct pen_error *err)
{
    const struct pen_eval_rows *rows = job->rows;
    int64_t n = job->begin[slice + 1] - job->begin[slice];
    const uint32_t *list = job->list + job->begin[slice];
    if (rows->task == PEN_TASK_BINARY) {
        struct pen_binary_sums binary = {.n = n,
                                         .list = list,
                                         .predictions = job->predictions,
                                         .labels = rows->labels,
                                         .weights = rows->weights,
                                         .classes = rows->classes,
                                         .n_thresholds = job->plan->n_thresholds,
                                         .thresholds = job->plan->thresholds,
                                         .resampling = rows->resampling,
                                         .sums = sums};
        return job->exec->kernels->binary_sums(job->exec, &binary, err);
    }
    if (rows->task == PEN_TASK_MULTICLASS) {
        struct pen_multiclass_sums classes = {.n = n,
                                              .list = list,
                                              .predictions = job->predictions,
                                              .weights = rows->weights,
                                              .classes = rows->classes,
                                              .n_classes = rows->n_classes,
                                              .top_k = job->plan->top_k,
                                              .resampling = rows->resampling,
                                              .sums = sums};
        return job->exec->kernels->multiclass_sums(job->exec, &classes, err);
    }
    struct pen_regression_sums regression = {.n = n,
                                             .list = list,
                                             .predictions = job->predictions,
                                             .labels = rows->labels,
                                             .weights = rows->weights,
                                             .centre = n > 0 ? (double)rows->labels[list[0]] : 0,
                                             .resampling = rows->resampling,
                                             .sums = sums};
    return job->exec->kernels->regression_sums(job->exec, &regression, err);
}

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
                      .slice_of = slice_of,
                      .n_slices = n_slices,
                      .n_lanes = rows->resampling.n_lanes,
                      .n_outputs = rows->task == PEN_TASK_MULTICLASS ? rows->n_classes : 1,
                      .values = values};
    double *sums = NULL;
    pen_status status = PEN_OK;
    *values = (struct pen_slice_values){.n_sums = count_sums(rows, plan)};
    PEN_ALLOC_GOTO(cleanup, values->values, n_slices * plan->n_choices * job.n_lanes + 1, err);
    PEN_ALLOC_GOTO(cleanup, values->why, n_slices * plan->n_choices + 1, err);
    PEN_ALLOC_GOTO(cleanup, values->sums, n_slices * values->n_sums + 1, err);
    PEN_ALLOC_GOTO(cleanup, sums, job.n_lanes * values->n_sums, err);
    PEN_TRY_GOTO(cleanup, deal_rows(&job, err));
    PEN_TRY_GOTO(cleanup, rank_all(&job, err));
    for (int64_t slice = 0; slice < n_slices; slice++) {
        PEN_TRY_GOTO(cleanup, sum_slice(&job, slice, sums, err));
        fill_values(&job, slice, sums);
    }
cleanup:
    pen_free(sums);
    pen_free(job.begin);
    pen_free(job.list);
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
