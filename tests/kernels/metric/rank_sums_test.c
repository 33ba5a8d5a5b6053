/* ROC AUC and average precision against the definitions, O(n^2): all pairs, and precision at every threshold. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

PEN_OP_CASE(rank_sums, rank_sums);
PEN_OP_CASE(rank_curve, rank_sums);

enum { MOST = 700, RESAMPLES = 20 };

/* ---- the ops on the exec under test ---- */

static pen_status run_sort(struct pen_sort_scores *job, struct pen_error *err)
{
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job->scores, job->n);
    PEN_MIRROR_IN(&m, job->classes, job->n);
    PEN_MIRROR_INOUT(&m, job->keys, job->n);
    PEN_MIRROR_INOUT(&m, job->scratch, job->n);
    pen_status status = m.exec->kernels->sort_scores(m.exec, job, err);
    pen_mirror_end(&m);
    return status;
}

static pen_status run_rank(struct pen_rank_sums *job, int64_t rows, struct pen_error *err)
{
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job->keys, job->begin[job->n_segments]);
    PEN_MIRROR_IN(&m, job->weights, rows);
    PEN_MIRROR_IN(&m, job->resampling.bucket, rows);
    PEN_MIRROR_IN(&m, job->resampling.counts, rows * (job->resampling.n_lanes - 1));
    PEN_MIRROR_INOUT(&m, job->auc, job->n_segments * job->resampling.n_lanes);
    PEN_MIRROR_INOUT(&m, job->average_precision, job->n_segments * job->resampling.n_lanes);
    pen_status status = m.exec->kernels->rank_sums(m.exec, job, err);
    pen_mirror_end(&m);
    return status;
}

static pen_status run_curve(struct pen_rank_curve *job, struct pen_error *err)
{
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job->keys, job->n);
    PEN_MIRROR_IN(&m, job->weights, job->n);
    PEN_MIRROR_INOUT(&m, job->points, 2 * (job->n_points + 1));
    pen_status status = m.exec->kernels->rank_curve(m.exec, job, err);
    pen_mirror_end(&m);
    return status;
}

struct input {
    int64_t n;
    float *scores, *weights;
    int32_t *classes;
    uint8_t bucket[MOST], counts[MOST * RESAMPLES];
    uint64_t *keys, *scratch;
};

static void begin(struct input *in, int64_t n, int n_distinct, bool weighted)
{
    *in = (struct input){.n = n};
    in->scores = pen_test_floats(n, 1, 0, 1);
    in->classes = pen_test_ints(n, 2, 0, 2);
    in->weights = weighted ? pen_test_floats(n, 3, 0, 3) : NULL;
    for (int64_t i = 0; i < n; i++) {
        in->scores[i] = floorf(in->scores[i] * (float)n_distinct) / (float)n_distinct;
        in->bucket[i] = (uint8_t)((i * 7) % RESAMPLES);
        for (int64_t s = 0; s < RESAMPLES; s++) {
            in->counts[i * RESAMPLES + s] = (uint8_t)((i * 31 + s * 17) % 4);
        }
    }
    in->keys = pen_calloc(n, sizeof *in->keys);
    in->scratch = pen_calloc(n, sizeof *in->scratch);
    struct pen_sort_scores sort = {n, in->scores, 1, in->classes, 1, in->keys, in->scratch};
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_OK(run_sort(&sort, &err), &err);
}

static void end(struct input *in)
{
    pen_free(in->scores);
    pen_free(in->weights);
    pen_free(in->classes);
    pen_free(in->keys);
    pen_free(in->scratch);
}

static double weight_of(const struct input *in, enum pen_resample kind, int64_t lane, int64_t row)
{
    double weight = in->weights != NULL ? (double)in->weights[row] : 1.0;
    if (lane == 0 || kind == PEN_RESAMPLE_NONE) {
        return weight;
    }
    if (kind == PEN_RESAMPLE_LEAVE_OUT) {
        return in->bucket[row] == lane - 1 ? 0 : weight;
    }
    return weight * in->counts[row * RESAMPLES + lane - 1];
}

static double pairs_auc(const struct input *in, enum pen_resample kind, int64_t lane)
{
    double won = 0, all = 0;
    for (int64_t i = 0; i < in->n; i++) {
        for (int64_t j = 0; j < in->n; j++) {
            if (in->classes[i] == 1 && in->classes[j] == 0) {
                double w = weight_of(in, kind, lane, i) * weight_of(in, kind, lane, j);
                all += w;
                won += in->scores[i] > in->scores[j] ? w : in->scores[i] < in->scores[j] ? 0 : w / 2;
            }
        }
    }
    return won / all;
}

/* sum over positives i of precision among all rows that score at least as high as i */
static double plain_average_precision(const struct input *in, enum pen_resample kind, int64_t lane)
{
    double sum = 0, positives = 0;
    for (int64_t i = 0; i < in->n; i++) {
        double own = in->classes[i] == 1 ? weight_of(in, kind, lane, i) : 0, tp = 0, all = 0;
        for (int64_t j = 0; own > 0 && j < in->n; j++) {
            if (in->scores[j] >= in->scores[i]) {
                double w = weight_of(in, kind, lane, j);
                all += w;
                tp += in->classes[j] == 1 ? w : 0;
            }
        }
        sum += own > 0 ? own * tp / all : 0;
        positives += own;
    }
    return sum / positives;
}

static void check(int64_t n, int n_distinct, bool weighted, enum pen_resample kind)
{
    struct input in;
    struct pen_error err = PEN_ERROR_INIT;
    double auc[RESAMPLES + 1], ap[RESAMPLES + 1];
    begin(&in, n, n_distinct, weighted);
    int64_t n_lanes = kind == PEN_RESAMPLE_NONE ? 1 : RESAMPLES + 1;
    int64_t all[] = {0, n};
    struct pen_rank_sums job = {1, all, in.keys, in.weights, {kind, n_lanes, in.bucket, in.counts}, auc, ap};
    PEN_CHECK_OK(run_rank(&job, n, &err), &err);
    for (int64_t lane = 0; lane < n_lanes; lane++) {
        PEN_CHECK_NEAR(auc[lane], pairs_auc(&in, kind, lane), 1e-12);
        PEN_CHECK_NEAR(ap[lane], plain_average_precision(&in, kind, lane), 1e-12);
    }
    end(&in);
}

static void matches_all_pairs(void)
{
    static const int64_t sizes[] = {2, 3, 33, 257};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int ties = 0; ties < 3; ties++) {
            for (int weighted = 0; weighted < 2; weighted++) {
                check(sizes[i], ties == 0 ? 1 : ties == 1 ? 7 : 1000000, weighted == 1, PEN_RESAMPLE_NONE);
            }
        }
    }
}

static void every_lane_matches_all_pairs(void)
{
    check(120, 1000000, false, PEN_RESAMPLE_LEAVE_OUT);
    check(120, 7, true, PEN_RESAMPLE_LEAVE_OUT);
    check(90, 7, false, PEN_RESAMPLE_COUNTS);
    check(90, 1000000, true, PEN_RESAMPLE_COUNTS);
}

static void one_class_or_no_rows_is_undefined(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    double auc[RESAMPLES + 1], ap[RESAMPLES + 1];
    struct input in;
    begin(&in, 40, 7, false);
    for (int64_t i = 0; i < in.n; i++) {
        in.keys[i] &= ~UINT64_C(1);
    }
    int64_t all[] = {0, in.n};
    struct pen_rank_sums job = {1, all, in.keys, NULL, {PEN_RESAMPLE_NONE, 1, NULL, NULL}, auc, ap};
    PEN_CHECK_OK(run_rank(&job, in.n, &err), &err);
    PEN_CHECK(isnan(auc[0]) && isnan(ap[0]));
    for (int64_t i = 0; i < in.n; i++) {
        in.keys[i] |= 1;
    }
    job.resampling = (struct pen_resampling){PEN_RESAMPLE_LEAVE_OUT, RESAMPLES + 1, in.bucket, NULL};
    PEN_CHECK_OK(run_rank(&job, in.n, &err), &err);
    PEN_CHECK(isnan(auc[0]) && isnan(auc[RESAMPLES]));
    PEN_CHECK_EQ_F64(ap[3], 1);
    all[1] = 0;
    PEN_CHECK_OK(run_rank(&job, in.n, &err), &err);
    PEN_CHECK(isnan(auc[0]) && isnan(ap[0]) && isnan(auc[7]));
    end(&in);
}

/* Long segments are swept in chunks: against counts by score, which are exact for weights that are small integers. */
enum { LONG = 150000, SCORES = 1000, SEGMENTS = 4, PARTS = 6 };

/* By counts of weight per score, exact because weights are small whole numbers. */
static void counted(const float *scores, const int32_t *classes, const double *weights, int64_t first, int64_t last,
                    double *auc, double *average_precision)
{
    static double by_score[SCORES + 1][2];
    double tp = 0, fp = 0, pairs = 0, precision = 0;
    memset(by_score, 0, sizeof by_score);
    for (int64_t i = first; i < last; i++) {
        by_score[(int)lroundf(scores[i] * SCORES)][classes[i]] += weights[i];
    }
    for (int k = SCORES; k >= 0; k--) {
        pairs += by_score[k][0] * (tp + by_score[k][1] / 2);
        tp += by_score[k][1];
        fp += by_score[k][0];
        precision += by_score[k][1] > 0 ? by_score[k][1] * tp / (tp + fp) : 0;
    }
    *auc = tp > 0 && fp > 0 ? pairs / (tp * fp) : (double)NAN;
    *average_precision = tp > 0 ? precision / tp : (double)NAN;
}

static bool same(double found, double expected)
{
    return isnan(expected) ? isnan(found) : fabs(found - expected) < 1e-12;
}

/* Long segments are swept in chunks; every third row has the same score, a group longer than a chunk. */
static void chunks_of_a_long_segment_match_counting(void)
{
    static const int64_t begins[SEGMENTS + 1] = {0, 0, 100000, 100001, LONG};
    static const enum pen_resample kinds[] = {PEN_RESAMPLE_NONE, PEN_RESAMPLE_LEAVE_OUT, PEN_RESAMPLE_COUNTS};
    struct pen_error err = PEN_ERROR_INIT;
    float *scores = pen_test_floats(LONG, 11, 0, 1), *weights = pen_calloc(LONG, sizeof *weights);
    uint8_t *bucket = pen_calloc(LONG, 1), *counts = pen_calloc(LONG * PARTS, 1);
    int32_t *classes = pen_test_ints(LONG, 12, 0, 2);
    uint64_t *keys = pen_calloc(LONG, sizeof *keys), *scratch = pen_calloc(LONG, sizeof *scratch);
    double auc[SEGMENTS * (PARTS + 1)], ap[SEGMENTS * (PARTS + 1)], *in_lane = pen_calloc(LONG, sizeof *in_lane);
    for (int64_t i = 0; i < LONG; i++) {
        scores[i] = i % 3 == 0 ? 0.5f : floorf(scores[i] * SCORES) / SCORES;
        weights[i] = (float)(1 + i % 3);
        bucket[i] = (uint8_t)((i * 5) % PARTS);
        for (int64_t s = 0; s < PARTS; s++) {
            counts[i * PARTS + s] = (uint8_t)((i * 31 + s * 17) % 4);
        }
    }
    for (int64_t s = 0; s < SEGMENTS; s++) { /* sorted a segment at a time; rows keep their numbers */
        int64_t n = begins[s + 1] - begins[s];
        struct pen_sort_scores sort = {n, scores + begins[s], 1, classes + begins[s], 1, keys + begins[s], scratch};
        PEN_CHECK_OK(run_sort(&sort, &err), &err);
        for (int64_t i = begins[s]; i < begins[s + 1]; i++) {
            keys[i] += (uint64_t)begins[s] << 1;
        }
    }
    for (int kind = 0; kind < 3; kind++) {
        int64_t n_lanes = kind == 0 ? 1 : PARTS + 1;
        struct pen_rank_sums job = {SEGMENTS, begins, keys, weights, {kinds[kind], n_lanes, bucket, counts}, auc, ap};
        PEN_CHECK_OK(run_rank(&job, LONG, &err), &err);
        for (int64_t lane = 0; lane < n_lanes; lane += 3) {
            for (int64_t i = 0; i < LONG; i++) {
                double times = lane == 0                            ? 1
                               : kinds[kind] == PEN_RESAMPLE_COUNTS ? counts[i * PARTS + lane - 1]
                                                                    : bucket[i] != lane - 1;
                in_lane[i] = times * (double)weights[i];
            }
            for (int64_t s = 0; s < SEGMENTS; s++) {
                double wanted_auc = 0, wanted_ap = 0;
                counted(scores, classes, in_lane, begins[s], begins[s + 1], &wanted_auc, &wanted_ap);
                PEN_CHECK(same(auc[s * n_lanes + lane], wanted_auc));
                PEN_CHECK(same(ap[s * n_lanes + lane], wanted_ap));
            }
        }
    }
    void *memory[] = {scores, weights, bucket, counts, classes, keys, scratch, in_lane};
    for (int i = 0; i < 8; i++) {
        pen_free(memory[i]);
    }
}

static void curve_points_are_counts_above_a_score(void)
{
    enum { POINTS = 7 };
    static const int64_t sizes[] = {1, 2, 33, 257, 700};
    struct pen_error err = PEN_ERROR_INIT;
    for (size_t c = 0; c < 10; c++) {
        struct input in;
        double points[2 * (POINTS + 1)];
        begin(&in, sizes[c % 5], c < 5 ? 1000000 : 9, c % 2 == 0);
        struct pen_rank_curve job = {in.n, in.keys, in.weights, POINTS, points};
        PEN_CHECK_OK(run_curve(&job, &err), &err);
        for (int64_t k = 0; k <= POINTS; k++) {
            int64_t at = k == POINTS ? 0 : in.n - 1 - k * in.n / POINTS;
            float least = pen_sort_key_score(in.keys[at]);
            double side[2] = {0, 0};
            for (int64_t i = 0; i < in.n; i++) {
                side[in.classes[i]] += in.scores[i] >= least ? weight_of(&in, PEN_RESAMPLE_NONE, 0, i) : 0;
            }
            PEN_CHECK_NEAR(points[2 * k], side[1], 1e-9);
            PEN_CHECK_NEAR(points[2 * k + 1], side[0], 1e-9);
        }
        end(&in);
    }
    double none[4] = {1, 1, 1, 1};
    struct pen_rank_curve empty = {0, NULL, NULL, 1, none};
    PEN_CHECK_STATUS(run_curve(&empty, NULL), PEN_OK);
    PEN_CHECK(none[0] == 0 && none[1] == 0 && none[2] == 0 && none[3] == 0);
    empty.n_points = 0;
    PEN_CHECK_STATUS(run_curve(&empty, NULL), PEN_ERR_SHAPE);
}

PEN_SUITE(rank_sums, PEN_CASE(matches_all_pairs), PEN_CASE(chunks_of_a_long_segment_match_counting),
          PEN_CASE(curve_points_are_counts_above_a_score), PEN_CASE(every_lane_matches_all_pairs),
          PEN_CASE(one_class_or_no_rows_is_undefined));
