/* Binary labels; accumulate.cuh has the kernels. About 12 bytes a row read, K adds a row and part. */
#include "kernels/metric/accumulate.cuh"

struct binary_op {
    const float *predictions, *labels;
    const int32_t *classes;
    const double *thresholds;

    __device__ void look(int64_t row, pen_metric_facts *facts) const
    {
        double p = (double)predictions[row], y = (double)labels[row];
        facts->bad = !isfinite(p);
        if (facts->bad) {
            return;
        }
        double q = p < 1e-7 ? 1e-7 : p > 1 - 1e-7 ? 1 - 1e-7 : p, loss = 0;
        loss -= y > 0 ? y * log(q) : 0;
        loss -= y < 1 ? (1 - y) * log1p(-q) : 0;
        double bin = floor(p * PEN_CALIBRATION_BINS);
        facts->prediction = p;
        facts->label = y;
        facts->loss = loss;
        facts->flag = classes[row] == 1;
        facts->index = bin < 0 ? 0 : bin >= PEN_CALIBRATION_BINS ? PEN_CALIBRATION_BINS - 1 : (int32_t)bin;
    }

    __device__ double value(int64_t k, const pen_metric_facts &f) const
    {
        switch (k) {
        case PEN_BINARY_WEIGHT:
            return 1;
        case PEN_BINARY_POSITIVE:
            return f.flag ? 1 : 0;
        case PEN_BINARY_LABEL:
            return f.label;
        case PEN_BINARY_PREDICTION:
            return f.prediction;
        case PEN_BINARY_LOGLOSS:
            return f.loss;
        case PEN_BINARY_SQUARED:
            return (f.prediction - f.label) * (f.prediction - f.label);
        default:
            break;
        }
        if (k < PEN_BINARY_THRESHOLDS) {
            int64_t bin = (k - PEN_BINARY_BINS) / 3, what = (k - PEN_BINARY_BINS) % 3;
            return bin != f.index ? 0 : what == 0 ? 1 : what == 1 ? f.label : f.prediction;
        }
        int64_t threshold = (k - PEN_BINARY_THRESHOLDS) / 2, false_positive = (k - PEN_BINARY_THRESHOLDS) % 2;
        return f.prediction > thresholds[threshold] && (f.flag != 0) == (false_positive == 0) ? 1 : 0;
    }
};

extern "C" pen_status pen_binary_sums_cuda(struct pen_exec *exec, const struct pen_binary_sums *job,
                                           struct pen_error *err)
{
    binary_op op = {job->predictions, job->labels, job->classes, NULL};
    return pen_metric::accumulate(exec, op, &job->segments, job->weights, &job->resampling,
                                  PEN_BINARY_THRESHOLDS + 2 * job->n_thresholds, job->sums, job->thresholds,
                                  job->n_thresholds, &binary_op::thresholds, "binary_sums", err);
}
