/* Regression; accumulate.cuh has the kernels. 8 bytes a row read, 12 adds a row and part. */
#include "kernels/metric/accumulate.cuh"

struct regression_op {
    const float *predictions, *labels;
    double centre;
    const double *none;

    __device__ void look(int64_t row, pen_metric_facts *facts) const
    {
        facts->prediction = (double)predictions[row];
        facts->label = (double)labels[row];
        facts->bad = !isfinite(facts->prediction);
    }

    __device__ double value(int64_t k, const pen_metric_facts &f) const
    {
        double residual = f.prediction - f.label, centred = f.label - centre;
        bool has_ratio = f.label < 0 || f.label > 0;
        switch (k) {
        case PEN_REGRESSION_WEIGHT:
            return 1;
        case PEN_REGRESSION_LABEL:
            return f.label;
        case PEN_REGRESSION_PREDICTION:
            return f.prediction;
        case PEN_REGRESSION_RESIDUAL:
            return residual;
        case PEN_REGRESSION_ABSOLUTE:
            return fabs(residual);
        case PEN_REGRESSION_SQUARED:
            return residual * residual;
        case PEN_REGRESSION_CENTRED:
            return centred;
        case PEN_REGRESSION_CENTRED_SQUARED:
            return centred * centred;
        case PEN_REGRESSION_RELATIVE:
            return has_ratio ? fabs(residual / f.label) : 0;
        default: /* PEN_REGRESSION_RELATIVE_WEIGHT */
            return has_ratio ? 1 : 0;
        }
    }
};

extern "C" pen_status pen_regression_sums_cuda(struct pen_exec *exec, const struct pen_regression_sums *job,
                                               struct pen_error *err)
{
    regression_op op = {job->predictions, job->labels, job->centre, NULL};
    return pen_metric::accumulate(exec, op, &job->segments, job->weights, &job->resampling, PEN_REGRESSION_SUMS,
                                  job->sums, NULL, 0, &regression_op::none, "regression_sums", err);
}
