/* Multi-class; accumulate.cuh has the kernels for the sums. The confusion matrix is a kernel of its own: a block a
 * segment and row of the matrix, its threads own the cells and walk the segment's rows in order. */
#include "kernels/metric/accumulate.cuh"

struct multiclass_op {
    const float *predictions;
    const int32_t *classes;
    int64_t n_classes, top_k;
    const double *none;

    __device__ void look(int64_t row, pen_metric_facts *facts) const
    {
        const float *p = predictions + row * n_classes;
        int32_t actual = classes[row], best = 0;
        int64_t n_ahead = 0;
        for (int32_t c = 0; c < n_classes; c++) {
            facts->bad = facts->bad || !isfinite(p[c]);
            n_ahead += p[c] > p[actual] || (c < actual && !(p[c] < p[actual])) ? 1 : 0;
            best = p[c] > p[best] ? c : best;
        }
        if (facts->bad) {
            return;
        }
        double q = (double)p[actual];
        facts->loss = -log(q < 1e-7 ? 1e-7 : q);
        facts->index = actual;
        facts->other = best;
        facts->flag = n_ahead < top_k;
    }

    __device__ double value(int64_t k, const pen_metric_facts &f) const
    {
        switch (k) {
        case PEN_MULTICLASS_WEIGHT:
            return 1;
        case PEN_MULTICLASS_LOGLOSS:
            return f.loss;
        case PEN_MULTICLASS_CORRECT:
            return f.index == f.other ? 1 : 0;
        case PEN_MULTICLASS_TOP_K:
            return f.flag ? 1 : 0;
        default:
            break;
        }
        int64_t c = (k - PEN_MULTICLASS_CLASSES) / 3, what = (k - PEN_MULTICLASS_CLASSES) % 3;
        bool is = f.index == c, predicted = f.other == c;
        return what == 0 ? is : what == 1 ? predicted : is && predicted;
    }
};

static __global__ void confusion_k(multiclass_op op, const uint32_t *list, const float *weights, const int64_t *begin,
                                   int64_t n_segments, double *confusion)
{
    PEN_SHARED(pen_metric_facts, facts, [PEN_CUDA_BLOCK]);
    PEN_SHARED(double, weight, [PEN_CUDA_BLOCK]);
    int64_t size = op.n_classes * op.n_classes;
    for (int64_t s = blockIdx.x; s < n_segments; s += gridDim.x) {
        for (int64_t cell = threadIdx.x; cell < size; cell += blockDim.x) {
            confusion[s * size + cell] = 0;
        }
        for (int64_t at = begin[s]; at < begin[s + 1]; at += PEN_CUDA_BLOCK) {
            int n = (int)(begin[s + 1] - at < PEN_CUDA_BLOCK ? begin[s + 1] - at : PEN_CUDA_BLOCK);
            int t = (int)threadIdx.x;
            if (t < n) {
                int64_t row = list != NULL ? (int64_t)list[at + t] : at + t;
                facts[t].bad = 0;
                op.look(row, &facts[t]);
                weight[t] = weights != NULL ? (double)weights[row] : 1.0;
            }
            __syncthreads();
            for (int64_t cell = threadIdx.x; cell < size; cell += blockDim.x) {
                double sum = confusion[s * size + cell];
                for (int i = 0; i < n; i++) {
                    bool here = facts[i].bad == 0 && facts[i].index * op.n_classes + facts[i].other == cell;
                    sum += here ? weight[i] : 0;
                }
                confusion[s * size + cell] = sum;
            }
            __syncthreads();
        }
    }
}

static pen_status fill_confusion(struct pen_exec *exec, const multiclass_op &op, const struct pen_multiclass_sums *job,
                                 struct pen_error *err)
{
    size_t bytes = (size_t)(job->segments.n + 1) * sizeof(int64_t);
    char *begin = NULL;
    PEN_TRY(pen_cuda_workspace(exec, &begin, bytes, "multiclass_sums", err));
    PEN_TRY(pen_cuda_stage(exec, begin, job->segments.begin, bytes, err));
    PEN_LAUNCH(confusion_k, (unsigned)(job->segments.n < 65535 ? job->segments.n : 65535), PEN_CUDA_BLOCK, 0,
               pen_cuda_stream(exec), op, job->segments.list, job->weights, reinterpret_cast<int64_t *>(begin),
               job->segments.n, job->confusion);
    PEN_CUDA_LAUNCHED("multiclass_sums", err);
    return PEN_OK;
}

extern "C" pen_status pen_multiclass_sums_cuda(struct pen_exec *exec, const struct pen_multiclass_sums *job,
                                               struct pen_error *err)
{
    multiclass_op op = {job->predictions, job->classes, job->n_classes, job->top_k, NULL};
    if (job->n_classes < 1 || job->n_classes > INT32_MAX) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "multiclass_sums: expected at least one class, found %lld",
                 (long long)job->n_classes);
    }
    PEN_TRY(pen_metric::accumulate(exec, op, &job->segments, job->weights, &job->resampling,
                                   PEN_MULTICLASS_CLASSES + 3 * job->n_classes, job->sums, NULL, 0,
                                   &multiclass_op::none, "multiclass_sums", err));
    return job->confusion != NULL && job->segments.n > 0 ? fill_confusion(exec, op, job, err) : PEN_OK;
}
