/* The kernels that all additive metric sums share (accumulate.h is the CPU's counterpart).
 *
 * Each segment is cut into tasks of TASK_ROWS rows, a block of threads each. A block looks at a tile of rows, a thread
 * a row, and keeps what it found in shared memory; then a thread owns sums and adds the tile's rows to them in order:
 * no atomics, the same bits every time. A sum is of one part: all rows (NONE), a bucket (LEAVE_OUT), a resample
 * (COUNTS). A last kernel merges tasks and buckets to lanes. Good while a row's sums are few (binary, regression); with
 * many classes a thread walks the tile once for each of its sums.
 *
 * An Op is a struct by value with
 *   __device__ void look(int64_t row, struct pen_metric_facts *facts) const;
 *   __device__ double value(int64_t k, const struct pen_metric_facts &facts) const;   sum k's, k >= 2, of a good row */
#ifndef PEN_KERNELS_METRIC_ACCUMULATE_CUH
#define PEN_KERNELS_METRIC_ACCUMULATE_CUH

#include "kernels/cuda/exec.cuh"
#include "kernels/metric/metric.h"

#include "core/memory.h"

struct pen_metric_facts {
    double label, prediction, loss;
    int32_t index, other;
    int32_t flag, bad;
};

/* Rows of a job, in device memory. */
struct pen_metric_rows {
    const uint32_t *list;
    const float *weights;
    enum pen_resample kind;
    int64_t n_lanes, n_parts, n_sums;
    const uint8_t *bucket, *counts;
};

namespace pen_metric
{

constexpr int TASK_ROWS = 8192, TILE = PEN_CUDA_BLOCK;

static __device__ __forceinline__ double times_of(const pen_metric_rows &rows, int64_t part, int64_t row)
{
    if (rows.kind == PEN_RESAMPLE_NONE || (rows.kind == PEN_RESAMPLE_COUNTS && part == 0)) {
        return 1;
    }
    return rows.kind == PEN_RESAMPLE_LEAVE_OUT ? (rows.bucket[row] == part ? 1 : 0)
                                               : (double)rows.counts[row * (rows.n_lanes - 1) + part - 1];
}

/* parts: [n_tasks, n_parts, n_sums]. */
template <class Op>
static __global__ void task_k(Op op, pen_metric_rows rows, const int64_t *first, const int64_t *last, double *parts)
{
    PEN_SHARED(pen_metric_facts, facts, [TILE]);
    PEN_SHARED(int64_t, numbers, [TILE]);
    int64_t task = blockIdx.x, n_pairs = rows.n_parts * rows.n_sums;
    double *own = parts + task * n_pairs;
    for (int64_t pair = threadIdx.x; pair < n_pairs; pair += blockDim.x) {
        own[pair] = 0;
    }
    for (int64_t begin = first[task]; begin < last[task]; begin += TILE) {
        int n = (int)(last[task] - begin < TILE ? last[task] - begin : TILE), t = (int)threadIdx.x;
        if (t < n) {
            int64_t row = rows.list != NULL ? (int64_t)rows.list[begin + t] : begin + t;
            numbers[t] = row;
            facts[t].bad = 0;
            op.look(row, &facts[t]);
        }
        __syncthreads();
        for (int64_t pair = threadIdx.x; pair < n_pairs; pair += blockDim.x) {
            int64_t part = pair / rows.n_sums, k = pair % rows.n_sums;
            double sum = own[pair];
            for (int i = 0; i < n; i++) {
                double times = times_of(rows, part, numbers[i]);
                if (k < 2) {
                    sum += (facts[i].bad != 0) == (k == 0) ? times : 0;
                } else if (times > 0 && facts[i].bad == 0) {
                    double weight = rows.weights != NULL ? (double)rows.weights[numbers[i]] : 1.0;
                    sum += weight * times * op.value(k, facts[i]);
                }
            }
            own[pair] = sum;
        }
        __syncthreads();
    }
}

/* sums: [n_segments, n_lanes, n_sums]; tasks of segment s: first_task[s] .. first_task[s + 1] - 1. */
static __global__ void lanes_k(pen_metric_rows rows, const int64_t *first_task, int64_t n_segments, const double *parts,
                               double *sums)
{
    int64_t n_pairs = rows.n_parts * rows.n_sums, n = n_segments * rows.n_lanes * rows.n_sums;
    for (int64_t i = pen_cuda_first(); i < n; i += pen_cuda_step()) {
        int64_t k = i % rows.n_sums, lane = i / rows.n_sums % rows.n_lanes, segment = i / rows.n_sums / rows.n_lanes;
        double total = 0;
        for (int64_t part = 0; part < rows.n_parts; part++) {
            bool wanted = rows.kind == PEN_RESAMPLE_LEAVE_OUT ? part != lane - 1 : part == lane;
            double merged = 0;
            for (int64_t task = first_task[segment]; wanted && task < first_task[segment + 1]; task++) {
                merged += parts[task * n_pairs + part * rows.n_sums + k];
            }
            total += wanted ? merged : 0;
        }
        sums[i] = total;
    }
}

/* Tasks of all segments on the host. */
struct tasks {
    int64_t n;
    int64_t *first, *last, *first_task;
};

static pen_status cut_tasks(struct tasks *tasks, const struct pen_segments *segments, struct pen_error *err)
{
    int64_t n = 0;
    for (int64_t s = 0; s < segments->n; s++) {
        n += pen_ceil_div(segments->begin[s + 1] - segments->begin[s], TASK_ROWS);
    }
    int64_t *memory = static_cast<int64_t *>(pen_calloc(2 * n + segments->n + 1, sizeof(int64_t)));
    if (memory == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: metric sums of %lld segments", (long long)segments->n);
    }
    *tasks = {n, memory, memory + n, memory + 2 * n};
    n = 0;
    for (int64_t s = 0; s < segments->n; s++) {
        tasks->first_task[s] = n;
        for (int64_t at = segments->begin[s]; at < segments->begin[s + 1]; at += TASK_ROWS, n++) {
            tasks->first[n] = at;
            tasks->last[n] = segments->begin[s + 1] - at < TASK_ROWS ? segments->begin[s + 1] : at + TASK_ROWS;
        }
    }
    tasks->first_task[segments->n] = n;
    return PEN_OK;
}

template <class Op>
static pen_status run_tasks(struct pen_exec *exec, const Op &op, const pen_metric_rows &rows, const struct tasks *tasks,
                            int64_t n_segments, double *sums, char *workspace, const char *name, struct pen_error *err)
{
    size_t numbers = (size_t)(2 * tasks->n + n_segments + 1) * sizeof(int64_t);
    int64_t *first = reinterpret_cast<int64_t *>(workspace), *last = first + tasks->n, *first_task = last + tasks->n;
    double *parts = reinterpret_cast<double *>(workspace + pen_cuda_piece(numbers));
    PEN_TRY(pen_cuda_stage(exec, first, tasks->first, numbers, err));
    if (tasks->n > 0) {
        PEN_LAUNCH((task_k<Op>), (unsigned)tasks->n, TILE, 0, pen_cuda_stream(exec), op, rows, first, last, parts);
        PEN_CUDA_LAUNCHED(name, err);
    }
    int64_t n = n_segments * rows.n_lanes * rows.n_sums;
    if (n > 0) {
        PEN_LAUNCH(lanes_k, pen_cuda_grid(n), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), rows, first_task, n_segments,
                   parts, sums);
        PEN_CUDA_LAUNCHED(name, err);
    }
    return PEN_OK;
}

/* extra: a host array that the op needs in device memory, at op.*place (NULL: none). */
template <class Op>
static pen_status accumulate(struct pen_exec *exec, Op op, const struct pen_segments *segments, const float *weights,
                             const struct pen_resampling *resampling, int64_t n_sums, double *sums, const double *extra,
                             int64_t n_extra, const double *Op::*place, const char *name, struct pen_error *err)
{
    int64_t n_lanes = resampling->n_lanes;
    int64_t n_parts = resampling->kind == PEN_RESAMPLE_LEAVE_OUT ? n_lanes - 1 : n_lanes;
    if (segments->n < 0 || (segments->list == NULL && segments->n > 1) || n_parts < 1 ||
        (resampling->kind == PEN_RESAMPLE_NONE && n_parts != 1)) {
        PEN_FAIL(err, PEN_ERR_SHAPE,
                 "metric sums: expected a list for more than one segment and at least one lane, found %lld segments "
                 "and %lld lanes",
                 (long long)segments->n, (long long)n_lanes);
    }
    struct tasks tasks;
    PEN_TRY(cut_tasks(&tasks, segments, err));
    pen_metric_rows rows = {segments->list, weights, resampling->kind,   n_lanes,
                            n_parts,        n_sums,  resampling->bucket, resampling->counts};
    size_t extras = pen_cuda_piece((size_t)n_extra * sizeof(double));
    size_t numbers = pen_cuda_piece((size_t)(2 * tasks.n + segments->n + 1) * sizeof(int64_t));
    size_t parts = (size_t)(tasks.n * n_parts * n_sums) * sizeof(double);
    char *workspace = NULL;
    pen_status status = pen_cuda_workspace(exec, &workspace, extras + numbers + parts, name, err);
    if (status == PEN_OK && n_extra > 0) {
        op.*place = reinterpret_cast<double *>(workspace);
        status = pen_cuda_stage(exec, workspace, extra, (size_t)n_extra * sizeof(double), err);
    }
    if (status == PEN_OK) {
        status = run_tasks(exec, op, rows, &tasks, segments->n, sums, workspace + extras, name, err);
    }
    pen_free(tasks.first);
    return status;
}

} // namespace pen_metric

#endif
