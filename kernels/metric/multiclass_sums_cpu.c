/* Multi-class: log loss, hits, top-k hits, per-class counts, and the confusion matrix in a pass of its own (it is
 * wanted for everything only, never for resamples). */
#include "kernels/metric/accumulate.h"

#include <math.h>
#include <string.h>

static int64_t first_largest(const float *p, int64_t n_classes)
{
    int64_t best = 0;
    for (int64_t c = 1; c < n_classes; c++) {
        best = p[c] > p[best] ? c : best;
    }
    return best;
}

static void look(const void *given, int64_t row, struct pen_metric_row *facts)
{
    const struct pen_multiclass_sums *job = given;
    const float *p = job->predictions + row * job->n_classes;
    int32_t actual = job->classes[row];
    int64_t n_ahead = 0;
    for (int64_t c = 0; c < job->n_classes; c++) {
        facts->bad = facts->bad || !isfinite(p[c]);
        n_ahead += p[c] > p[actual] || (c < actual && !(p[c] < p[actual])) ? 1 : 0;
    }
    if (facts->bad) {
        return;
    }
    double q = (double)p[actual];
    facts->loss = -log(q < 1e-7 ? 1e-7 : q);
    facts->index = actual;
    facts->other = first_largest(p, job->n_classes);
    facts->flag = n_ahead < job->top_k;
}

static void add(const void *given, const struct pen_metric_row *facts, double weight, double *sums)
{
    (void)given;
    double *classes = sums + PEN_MULTICLASS_CLASSES;
    sums[PEN_MULTICLASS_WEIGHT] += weight;
    sums[PEN_MULTICLASS_LOGLOSS] += weight * facts->loss;
    sums[PEN_MULTICLASS_TOP_K] += facts->flag ? weight : 0;
    classes[3 * facts->index] += weight;
    classes[3 * facts->other + 1] += weight;
    if (facts->index == facts->other) {
        sums[PEN_MULTICLASS_CORRECT] += weight;
        classes[3 * facts->index + 2] += weight;
    }
}

static void fill_confusion(const struct pen_multiclass_sums *job)
{
    const struct pen_segments *segments = &job->segments;
    int64_t size = job->n_classes * job->n_classes;
#pragma omp parallel for schedule(dynamic, 1) if (segments->n > 1)
    for (int64_t s = 0; s < segments->n; s++) {
        double *confusion = job->confusion + s * size;
        memset(confusion, 0, (size_t)size * sizeof *confusion);
        for (int64_t i = segments->begin[s]; i < segments->begin[s + 1]; i++) {
            int64_t row = segments->list != NULL ? (int64_t)segments->list[i] : i;
            struct pen_metric_row facts = {0};
            look(job, row, &facts);
            if (!facts.bad) {
                double weight = job->weights != NULL ? (double)job->weights[row] : 1.0;
                confusion[facts.index * job->n_classes + facts.other] += weight;
            }
        }
    }
}

pen_status pen_multiclass_sums_cpu(struct pen_exec *exec, const struct pen_multiclass_sums *job, struct pen_error *err)
{
    if (job->n_classes < 1) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "multiclass_sums: expected at least one class, found %lld",
                 (long long)job->n_classes);
    }
    struct pen_metric_loop loop = {.job = job,
                                   .segments = &job->segments,
                                   .n_sums = PEN_MULTICLASS_CLASSES + 3 * job->n_classes,
                                   .weights = job->weights,
                                   .resampling = &job->resampling,
                                   .sums = job->sums,
                                   .look = look,
                                   .add = add};
    PEN_TRY(pen_metric_accumulate(&loop, err));
    if (job->confusion != NULL) {
        fill_confusion(job);
    }
    return PEN_OK;
}
