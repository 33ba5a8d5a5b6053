/* Time of evaluating one model on slices: eight metrics, exact AUC and average precision among them, of every slice.
 *
 *   bench_evaluator [rows [slices]]            a JSON line a number of threads and a kind of interval
 *   bench_evaluator rows slices FILE.bin       also writes scores, labels and slices that peers.py reads
 *
 * Scores have ties (multiples of 2^-16), slice sizes a long tail. The AUC and the accuracy of the largest slice are
 * checked by counting before a time counts. */
#include "components/evaluator/compute.h"
#include "components/evaluator/intervals.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/rng.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_TIMES = 5, N_METRICS = 8, N_SAMPLES = 20 };

static const char *const names[N_METRICS] = {"auc",    "pr_auc", "accuracy", "precision",
                                             "recall", "f1",     "logloss",  "brier"};
static const double half = 0.5;

struct data {
    int64_t n, n_slices;
    float *predictions, *labels;
    int32_t *classes, *slice_of;
    uint8_t *buckets;
};

static pen_status make_data(struct data *d, struct pen_error *err)
{
    PEN_ALLOC(d->predictions, d->n, err);
    PEN_ALLOC(d->labels, d->n, err);
    PEN_ALLOC(d->classes, d->n, err);
    PEN_ALLOC(d->slice_of, d->n, err);
    PEN_ALLOC(d->buckets, d->n, err);
    for (int64_t i = 0; i < d->n; i++) {
        uint64_t row = (uint64_t)i;
        double score = 1 / (1 + exp(-1.5 * pen_rng_normal(1, 1, row)));
        d->predictions[i] = (float)((floor(score * 65536) + 0.5) / 65536);
        d->classes[i] = pen_rng_uniform(1, 2, row) < score ? 1 : 0;
        d->labels[i] = (float)d->classes[i];
        d->slice_of[i] = (int32_t)(pow((double)d->n_slices + 1, pen_rng_uniform(1, 3, row)) - 1); /* density 1 / id */
        d->buckets[i] = pen_jackknife_bucket(1, i, N_SAMPLES);
    }
    return PEN_OK;
}

static struct pen_eval_rows rows_of(const struct data *d, bool intervals)
{
    struct pen_resampling none = {PEN_RESAMPLE_NONE, 1, NULL, NULL};
    struct pen_resampling jackknife = {PEN_RESAMPLE_LEAVE_OUT, 1 + N_SAMPLES, d->buckets, NULL};
    return (struct pen_eval_rows){.n = d->n,
                                  .task = PEN_TASK_BINARY,
                                  .n_classes = 2,
                                  .labels = d->labels,
                                  .classes = d->classes,
                                  .resampling = intervals ? jackknife : none};
}

/* Accuracy by counting; AUC by counting at each of the 65,536 scores. */
static bool right(const struct data *d, int32_t slice, const double *values)
{
    static int64_t counts[65536][2];
    double n = 0, good = 0, below = 0, pairs = 0, negatives = 0, positives = 0;
    memset(counts, 0, sizeof counts);
    for (int64_t i = 0; i < d->n; i++) {
        if (d->slice_of[i] == slice) {
            n += 1;
            good += (d->predictions[i] > 0.5f) == (d->classes[i] == 1);
            counts[(int64_t)(d->predictions[i] * 65536)][d->classes[i]]++;
        }
    }
    for (int64_t s = 0; s < 65536; s++) {
        double minus = (double)counts[s][0], plus = (double)counts[s][1];
        pairs += plus * (below + minus / 2);
        below += minus;
        negatives += minus;
        positives += plus;
    }
    return fabs(values[0] - pairs / (positives * negatives)) < 1e-12 && fabs(values[2] - good / n) < 1e-12;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static pen_status measure(const struct data *d, int threads, bool intervals, struct pen_error *err)
{
    struct pen_eval_rows rows = rows_of(d, intervals);
    struct pen_metric_choice choices[N_METRICS];
    double times[N_TIMES];
    for (int i = 0; i < N_METRICS; i++) {
        choices[i] = (struct pen_metric_choice){pen_metric_find(names[i], PEN_TASK_BINARY), names[i], 0};
    }
    struct pen_eval_plan plan = {choices, N_METRICS, &half, 1, 1};
    omp_set_num_threads(threads);
    for (int t = -1; t < N_TIMES; t++) { /* the first one warms up */
        struct pen_slice_values values = {0};
        double before = pen_clock_seconds();
        PEN_TRY(
            pen_compute_slices(pen_exec_cpu(), &rows, d->predictions, &plan, d->slice_of, d->n_slices, &values, err));
        times[t < 0 ? 0 : t] = pen_clock_seconds() - before;
        double first[N_METRICS];
        for (int i = 0; i < N_METRICS; i++) {
            first[i] = values.values[i * rows.resampling.n_lanes];
        }
        bool good = right(d, 0, first);
        if (t == 0) {
            printf("{\"schema\": 1, \"rows\": %lld, \"slices\": %lld, \"threads\": %d, \"intervals\": \"%s\"",
                   (long long)d->n, (long long)d->n_slices, threads, intervals ? "jackknife of 20" : "none");
            for (int i = 0; i < N_METRICS; i++) {
                printf(", \"%s\": %.17g", names[i], first[i]);
            }
        }
        pen_slice_values_deinit(&values);
        if (!good) {
            PEN_FAIL(err, PEN_ERR_FAILED, "the AUC or the accuracy of slice 0 is not what counting gives");
        }
    }
    qsort(times, N_TIMES, sizeof times[0], by_value);
    printf(", \"seconds\": %.6f, \"ns_per_row\": %.2f}\n", times[N_TIMES / 2], 1e9 * times[N_TIMES / 2] / (double)d->n);
    return PEN_OK;
}

static pen_status write_data(const struct data *d, const char *path, struct pen_error *err)
{
    FILE *out = fopen(path, "wb");
    size_t n = (size_t)d->n;
    bool written = out != NULL && fwrite(d->predictions, 4, n, out) == n && fwrite(d->classes, 4, n, out) == n &&
                   fwrite(d->slice_of, 4, n, out) == n;
    if (out == NULL || fclose(out) != 0 || !written) {
        PEN_FAIL(err, PEN_ERR_IO, "%s: cannot write", path);
    }
    return PEN_OK;
}

int main(int argc, char **argv)
{
    struct data d = {.n = argc > 1 ? strtol(argv[1], NULL, 10) : 2000000,
                     .n_slices = argc > 2 ? strtol(argv[2], NULL, 10) : 200};
    struct pen_error err = PEN_ERROR_INIT;
    if (d.n < 1000 || d.n_slices < 1 || d.n_slices > d.n) {
        fprintf(stderr, "bench_evaluator: expected at least 1000 rows and 1 slice\n");
        return pen_status_exit_code(PEN_ERR_USAGE);
    }
    pen_status status = make_data(&d, &err);
    if (status == PEN_OK && argc > 3) {
        status = write_data(&d, argv[3], &err);
    }
    int most = omp_get_max_threads();
    for (int i = 0; i < 4 && status == PEN_OK; i++) {
        if (i % 2 == 0 || most > 1) {
            status = measure(&d, i % 2 == 0 ? 1 : most, i > 1, &err);
        }
    }
    if (status != PEN_OK) {
        fprintf(stderr, "bench_evaluator: %s\n", err.message);
    }
    pen_free(d.predictions);
    pen_free(d.labels);
    pen_free(d.classes);
    pen_free(d.slice_of);
    pen_free(d.buckets);
    return pen_status_exit_code(status);
}
