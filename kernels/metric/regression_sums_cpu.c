/* Regression: residuals, their squares and ratios, and the variance of the label about a centre. */
#include "kernels/metric/accumulate.h"

#include <math.h>

static void look(const void *given, int64_t row, struct pen_metric_row *facts)
{
    const struct pen_regression_sums *job = given;
    facts->prediction = (double)job->predictions[row];
    facts->label = (double)job->labels[row];
    facts->bad = !isfinite(facts->prediction);
}

static void add(const void *given, const struct pen_metric_row *facts, double weight, double *sums)
{
    const struct pen_regression_sums *job = given;
    double y = facts->label, residual = facts->prediction - y, centred = y - job->centre;
    sums[PEN_REGRESSION_WEIGHT] += weight;
    sums[PEN_REGRESSION_LABEL] += weight * y;
    sums[PEN_REGRESSION_PREDICTION] += weight * facts->prediction;
    sums[PEN_REGRESSION_RESIDUAL] += weight * residual;
    sums[PEN_REGRESSION_ABSOLUTE] += weight * fabs(residual);
    sums[PEN_REGRESSION_SQUARED] += weight * residual * residual;
    sums[PEN_REGRESSION_CENTRED] += weight * centred;
    sums[PEN_REGRESSION_CENTRED_SQUARED] += weight * centred * centred;
    if (y < 0 || y > 0) {
        sums[PEN_REGRESSION_RELATIVE] += weight * fabs(residual / y);
        sums[PEN_REGRESSION_RELATIVE_WEIGHT] += weight;
    }
}

pen_status pen_regression_sums_cpu(struct pen_exec *exec, const struct pen_regression_sums *job, struct pen_error *err)
{
    struct pen_metric_loop loop = {.job = job,
                                   .segments = &job->segments,
                                   .n_sums = PEN_REGRESSION_SUMS,
                                   .weights = job->weights,
                                   .resampling = &job->resampling,
                                   .sums = job->sums,
                                   .look = look,
                                   .add = add};
    return pen_metric_accumulate(&loop, err);
}
