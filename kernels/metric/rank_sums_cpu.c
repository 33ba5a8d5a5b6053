/* ROC AUC and average precision in one falling sweep over sorted keys, all lanes at once.
 *
 * Rows of one score form a group; at its end, with tp and fp the weights above the group:
 *   auc += neg (tp + pos / 2),  ap += pos tp' / (tp' + fp'),  tp' = tp + pos, fp' = fp + neg
 * Eight lanes are swept together (two AVX2 registers a variable), so 20 resamples cost three sweeps and not 21. Lanes
 * of eight are independent: threads share them, and bits do not depend on how. Without resamples a scalar sweep. */
#include "kernels/metric/metric.h"
#include "kernels/sort/sort.h"

#include "core/memory.h"

#include <math.h>

enum { LANES = 8, MOST_BUCKETS = 255 };

struct lanes {
    double tp[LANES], fp[LANES], pos[LANES], neg[LANES], auc[LANES], ap[LANES];
};

static inline __attribute__((always_inline)) void close_group(struct lanes *s, bool has_positive)
{
    for (int l = 0; l < LANES; l++) {
        s->auc[l] += s->neg[l] * (s->tp[l] + 0.5 * s->pos[l]);
        s->tp[l] += s->pos[l];
        s->fp[l] += s->neg[l];
    }
    if (has_positive) {
        for (int l = 0; l < LANES; l++) {
            double all = s->tp[l] + s->fp[l];
            s->ap[l] += s->pos[l] * (s->tp[l] / (all > 0 ? all : 1.0));
        }
    }
    for (int l = 0; l < LANES; l++) {
        s->pos[l] = 0;
        s->neg[l] = 0;
    }
}

/* times: [MOST_BUCKETS + 1][LANES], how often a row of a bucket stands in each lane. */
static inline __attribute__((always_inline)) void sweep(const struct pen_rank_sums *job, int64_t first_lane,
                                                        const double (*times)[LANES], struct lanes *s)
{
    const struct pen_resampling *resampling = &job->resampling;
    int64_t n_resamples = resampling->n_lanes - 1;
    bool has_positive = false;
    for (int64_t i = job->n - 1; i >= 0; i--) {
        uint64_t key = job->keys[i];
        int64_t row = pen_sort_key_row(key);
        double weight = job->weights != NULL ? (double)job->weights[row] : 1.0;
        double *side = pen_sort_key_positive(key) ? s->pos : s->neg;
        has_positive = has_positive || pen_sort_key_positive(key);
        if (resampling->kind == PEN_RESAMPLE_LEAVE_OUT) {
            const double *t = times[resampling->bucket[row]];
            for (int l = 0; l < LANES; l++) {
                side[l] += weight * t[l];
            }
        } else {
            const uint8_t *counts = resampling->counts + row * n_resamples;
            for (int l = 0; l < LANES; l++) {
                int64_t lane = first_lane + l;
                side[l] += lane == 0 ? weight : lane <= n_resamples ? weight * (double)counts[lane - 1] : 0.0;
            }
        }
        if (i == 0 || pen_sort_key_order(job->keys[i - 1]) != pen_sort_key_order(key)) {
            close_group(s, has_positive);
            has_positive = false;
        }
    }
}

static void sweep_plain(const struct pen_rank_sums *job, int64_t first_lane, const double (*times)[LANES],
                        struct lanes *s)
{
    sweep(job, first_lane, times, s);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void sweep_avx2(const struct pen_rank_sums *job, int64_t first_lane,
                                                       const double (*times)[LANES], struct lanes *s)
{
    sweep(job, first_lane, times, s);
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}
#else
static bool has_avx2(void)
{
    return false;
}
#define sweep_avx2 sweep_plain
#endif

static void finish(const struct pen_rank_sums *job, int64_t lane, double tp, double fp, double auc, double ap)
{
    job->auc[lane] = tp > 0 && fp > 0 ? auc / (tp * fp) : (double)NAN;
    job->average_precision[lane] = tp > 0 ? ap / tp : (double)NAN;
}

static void sweep_once(const struct pen_rank_sums *job)
{
    double tp = 0, fp = 0, pos = 0, neg = 0, auc = 0, ap = 0;
    for (int64_t i = job->n - 1; i >= 0; i--) {
        uint64_t key = job->keys[i];
        double weight = job->weights != NULL ? (double)job->weights[pen_sort_key_row(key)] : 1.0;
        bool positive = pen_sort_key_positive(key);
        pos += positive ? weight : 0;
        neg += positive ? 0 : weight;
        if (i == 0 || pen_sort_key_order(job->keys[i - 1]) != pen_sort_key_order(key)) {
            auc += neg * (tp + 0.5 * pos);
            tp += pos;
            fp += neg;
            if (pos > 0) {
                ap += pos * (tp / (tp + fp));
            }
            pos = 0;
            neg = 0;
        }
    }
    finish(job, 0, tp, fp, auc, ap);
}

static void sweep_lanes(const struct pen_rank_sums *job, int64_t first_lane)
{
    double times[MOST_BUCKETS + 1][LANES];
    struct lanes s = {0};
    for (int bucket = 0; bucket <= MOST_BUCKETS; bucket++) {
        for (int l = 0; l < LANES; l++) {
            times[bucket][l] = first_lane + l == bucket + 1 ? 0 : 1;
        }
    }
    if (has_avx2()) {
        sweep_avx2(job, first_lane, (const double(*)[LANES])times, &s);
    } else {
        sweep_plain(job, first_lane, (const double(*)[LANES])times, &s);
    }
    for (int l = 0; l < LANES && first_lane + l < job->resampling.n_lanes; l++) {
        finish(job, first_lane + l, s.tp[l], s.fp[l], s.auc[l], s.ap[l]);
    }
}

pen_status pen_rank_sums_cpu(struct pen_exec *exec, const struct pen_rank_sums *job, struct pen_error *err)
{
    int64_t n_lanes = job->resampling.n_lanes;
    if (job->n < 0 || n_lanes < 1 || (job->resampling.kind == PEN_RESAMPLE_LEAVE_OUT && n_lanes > MOST_BUCKETS + 1)) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "rank_sums: expected n >= 0 and 1 to %d lanes, found %lld and %lld",
                 MOST_BUCKETS + 1, (long long)job->n, (long long)n_lanes);
    }
    if (job->resampling.kind == PEN_RESAMPLE_NONE) {
        sweep_once(job);
        return PEN_OK;
    }
#pragma omp parallel for schedule(dynamic, 1) if (job->n > 10000)
    for (int64_t first = 0; first < n_lanes; first += LANES) {
        sweep_lanes(job, first);
    }
    return PEN_OK;
}
