/* ROC AUC and average precision against the definitions, O(n^2): all pairs, and precision at every threshold. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

PEN_OP_CASE(rank_sums, rank_sums);

enum { MOST = 700, RESAMPLES = 20 };

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
    PEN_CHECK_OK(pen_exec_cpu()->kernels->sort_scores(pen_exec_cpu(), &sort, &err), &err);
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
    struct pen_rank_sums job = {n, in.keys, in.weights, {kind, n_lanes, in.bucket, in.counts}, auc, ap};
    PEN_CHECK_OK(pen_exec_cpu()->kernels->rank_sums(pen_exec_cpu(), &job, &err), &err);
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
    struct pen_rank_sums job = {in.n, in.keys, NULL, {PEN_RESAMPLE_NONE, 1, NULL, NULL}, auc, ap};
    PEN_CHECK_OK(pen_exec_cpu()->kernels->rank_sums(pen_exec_cpu(), &job, &err), &err);
    PEN_CHECK(isnan(auc[0]) && isnan(ap[0]));
    for (int64_t i = 0; i < in.n; i++) {
        in.keys[i] |= 1;
    }
    job.resampling = (struct pen_resampling){PEN_RESAMPLE_LEAVE_OUT, RESAMPLES + 1, in.bucket, NULL};
    PEN_CHECK_OK(pen_exec_cpu()->kernels->rank_sums(pen_exec_cpu(), &job, &err), &err);
    PEN_CHECK(isnan(auc[0]) && isnan(auc[RESAMPLES]));
    PEN_CHECK_EQ_F64(ap[3], 1);
    job.n = 0;
    PEN_CHECK_OK(pen_exec_cpu()->kernels->rank_sums(pen_exec_cpu(), &job, &err), &err);
    PEN_CHECK(isnan(auc[0]) && isnan(ap[0]) && isnan(auc[7]));
    end(&in);
}

PEN_SUITE(rank_sums, PEN_CASE(matches_all_pairs), PEN_CASE(every_lane_matches_all_pairs),
          PEN_CASE(one_class_or_no_rows_is_undefined));
