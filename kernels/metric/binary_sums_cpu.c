/* Binary labels: losses, calibration bins, confusion counts at thresholds. */
#include "kernels/metric/accumulate.h"

#include <math.h>

static void look(const void *given, int64_t row, struct pen_metric_row *facts)
{
    const struct pen_binary_sums *job = given;
    double p = (double)job->predictions[row], y = (double)job->labels[row];
    facts->bad = !isfinite(p);
    if (facts->bad) {
        return;
    }
    double q = p < 1e-7 ? 1e-7 : p > 1 - 1e-7 ? 1 - 1e-7 : p;
    double loss = 0;
    loss -= y > 0 ? y * log(q) : 0;
    loss -= y < 1 ? (1 - y) * log1p(-q) : 0;
    double bin = floor(p * PEN_CALIBRATION_BINS);
    facts->prediction = p;
    facts->label = y;
    facts->loss = loss;
    facts->flag = job->classes[row] == 1;
    facts->index = bin < 0 ? 0 : bin >= PEN_CALIBRATION_BINS ? PEN_CALIBRATION_BINS - 1 : (int64_t)bin;
}

static void add(const void *given, const struct pen_metric_row *facts, double weight, double *sums)
{
    const struct pen_binary_sums *job = given;
    double p = facts->prediction, y = facts->label, *bin = sums + PEN_BINARY_BINS + 3 * facts->index;
    sums[PEN_BINARY_WEIGHT] += weight;
    sums[PEN_BINARY_POSITIVE] += facts->flag ? weight : 0;
    sums[PEN_BINARY_LABEL] += weight * y;
    sums[PEN_BINARY_PREDICTION] += weight * p;
    sums[PEN_BINARY_LOGLOSS] += weight * facts->loss;
    sums[PEN_BINARY_SQUARED] += weight * (p - y) * (p - y);
    bin[0] += weight;
    bin[1] += weight * y;
    bin[2] += weight * p;
    for (int64_t t = 0; t < job->n_thresholds; t++) {
        if (p > job->thresholds[t]) {
            sums[PEN_BINARY_THRESHOLDS + 2 * t + (facts->flag ? 0 : 1)] += weight;
        }
    }
}

pen_status pen_binary_sums_cpu(struct pen_exec *exec, const struct pen_binary_sums *job, struct pen_error *err)
{
    struct pen_metric_loop loop = {.job = job,
                                   .segments = &job->segments,
                                   .n_sums = PEN_BINARY_THRESHOLDS + 2 * job->n_thresholds,
                                   .weights = job->weights,
                                   .resampling = &job->resampling,
                                   .sums = job->sums,
                                   .look = look,
                                   .add = add};
    return pen_metric_accumulate(&loop, err);
}
