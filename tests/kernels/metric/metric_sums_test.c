/* Additive metric sums against plain loops in float64 that take one row and one lane at a time. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

PEN_OP_CASE(binary_sums, metric_sums);
PEN_OP_CASE(regression_sums, metric_sums);
PEN_OP_CASE(multiclass_sums, metric_sums);

enum { ROWS = 70001, RESAMPLES = 5, LANES = RESAMPLES + 1, CLASSES = 4, MOST_SUMS = 64 };

struct input {
    float *predictions, *labels, *weights;
    int32_t *classes;
    uint8_t *bucket, *counts;
    uint32_t *list;
};

static void begin_input(struct input *in)
{
    in->predictions = pen_test_floats(ROWS * CLASSES, 1, 0, 1);
    in->labels = pen_test_floats(ROWS, 2, 0, 1);
    in->weights = pen_test_floats(ROWS, 3, 0, 2);
    in->classes = pen_test_ints(ROWS, 4, 0, 2);
    in->bucket = pen_calloc(ROWS, 1);
    in->counts = pen_calloc(ROWS * RESAMPLES, 1);
    in->list = pen_calloc(ROWS, sizeof *in->list);
    for (int64_t i = 0; i < ROWS; i++) {
        in->labels[i] = i % 3 == 0 ? in->labels[i] : (float)in->classes[i];
        in->bucket[i] = (uint8_t)((i * 3) % RESAMPLES);
        in->list[i] = (uint32_t)(ROWS - 1 - i);
        for (int64_t s = 0; s < RESAMPLES; s++) {
            in->counts[i * RESAMPLES + s] = (uint8_t)((i + s) % 3);
        }
    }
    in->predictions[0] = NAN;
    in->predictions[17 * CLASSES] = INFINITY;
    in->predictions[5] = 0;
    in->predictions[6] = 1;
}

static void end(struct input *in)
{
    pen_free(in->predictions);
    pen_free(in->labels);
    pen_free(in->weights);
    pen_free(in->classes);
    pen_free(in->bucket);
    pen_free(in->counts);
    pen_free(in->list);
}

static const int64_t all_rows[] = {0, ROWS};

/* ---- the ops on the exec under test ---- */

static void mirror_resampling(struct pen_mirror *m, struct pen_resampling *resampling, int64_t rows)
{
    PEN_MIRROR_IN(m, resampling->bucket, rows);
    PEN_MIRROR_IN(m, resampling->counts, rows * (resampling->n_lanes - 1));
}

static pen_status run_binary(struct pen_binary_sums *job, int64_t rows, struct pen_error *err)
{
    struct pen_mirror m = PEN_MIRROR_INIT;
    int64_t n_sums = PEN_BINARY_THRESHOLDS + 2 * job->n_thresholds;
    PEN_MIRROR_IN(&m, job->segments.list, job->segments.begin[job->segments.n]);
    PEN_MIRROR_IN(&m, job->predictions, rows);
    PEN_MIRROR_IN(&m, job->labels, rows);
    PEN_MIRROR_IN(&m, job->weights, rows);
    PEN_MIRROR_IN(&m, job->classes, rows);
    mirror_resampling(&m, &job->resampling, rows);
    PEN_MIRROR_INOUT(&m, job->sums, job->segments.n * job->resampling.n_lanes * n_sums);
    pen_status status = m.exec->kernels->binary_sums(m.exec, job, err);
    pen_mirror_end(&m);
    return status;
}

static pen_status run_regression(struct pen_regression_sums *job, int64_t rows, struct pen_error *err)
{
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job->segments.list, job->segments.begin[job->segments.n]);
    PEN_MIRROR_IN(&m, job->predictions, rows);
    PEN_MIRROR_IN(&m, job->labels, rows);
    PEN_MIRROR_IN(&m, job->weights, rows);
    mirror_resampling(&m, &job->resampling, rows);
    int64_t lanes = job->resampling.n_lanes > 0 ? job->resampling.n_lanes : 1;
    PEN_MIRROR_INOUT(&m, job->sums, job->segments.n * lanes * PEN_REGRESSION_SUMS);
    pen_status status = m.exec->kernels->regression_sums(m.exec, job, err);
    pen_mirror_end(&m);
    return status;
}

static pen_status run_multiclass(struct pen_multiclass_sums *job, int64_t rows, struct pen_error *err)
{
    struct pen_mirror m = PEN_MIRROR_INIT;
    int64_t n_sums = PEN_MULTICLASS_CLASSES + 3 * job->n_classes;
    PEN_MIRROR_IN(&m, job->segments.list, job->segments.begin[job->segments.n]);
    PEN_MIRROR_IN(&m, job->predictions, rows * job->n_classes);
    PEN_MIRROR_IN(&m, job->weights, rows);
    PEN_MIRROR_IN(&m, job->classes, rows);
    mirror_resampling(&m, &job->resampling, rows);
    PEN_MIRROR_INOUT(&m, job->sums, job->segments.n * job->resampling.n_lanes * n_sums);
    PEN_MIRROR_INOUT(&m, job->confusion, job->segments.n * job->n_classes * job->n_classes);
    pen_status status = m.exec->kernels->multiclass_sums(m.exec, job, err);
    pen_mirror_end(&m);
    return status;
}

static double times(const struct input *in, enum pen_resample kind, int64_t lane, int64_t row)
{
    if (lane == 0) {
        return 1;
    }
    return kind == PEN_RESAMPLE_COUNTS ? in->counts[row * RESAMPLES + lane - 1] : in->bucket[row] == lane - 1 ? 0 : 1;
}

static void compare(const double *found, const double *expected, int64_t n_sums)
{
    for (int64_t k = 0; k < n_sums; k++) {
        PEN_CHECK_MSG(fabs(found[k] - expected[k]) <= 1e-9 * (1 + fabs(expected[k])),
                      "sum %lld: expected %.17g, found %.17g", (long long)k, expected[k], found[k]);
    }
}

static void binary_lane(const struct input *in, enum pen_resample kind, int64_t lane, const double *thresholds,
                        int64_t n_thresholds, double *sums)
{
    for (int64_t r = 0; r < ROWS; r++) {
        double t = times(in, kind, lane, r), w = t * (double)in->weights[r], p = (double)in->predictions[r];
        double y = (double)in->labels[r], q = fmin(fmax(p, 1e-7), 1 - 1e-7);
        if (isnan(p) || isinf(p)) {
            sums[PEN_BINARY_BAD] += t;
            continue;
        }
        int bin = p >= 1 ? 9 : (int)(p * 10);
        sums[PEN_BINARY_ROWS] += t;
        sums[PEN_BINARY_WEIGHT] += w;
        sums[PEN_BINARY_POSITIVE] += w * in->classes[r];
        sums[PEN_BINARY_LABEL] += w * y;
        sums[PEN_BINARY_PREDICTION] += w * p;
        sums[PEN_BINARY_LOGLOSS] += w * -(y * log(q) + (1 - y) * log(1 - q));
        sums[PEN_BINARY_SQUARED] += w * (p - y) * (p - y);
        sums[PEN_BINARY_BINS + 3 * bin] += w;
        sums[PEN_BINARY_BINS + 3 * bin + 1] += w * y;
        sums[PEN_BINARY_BINS + 3 * bin + 2] += w * p;
        for (int64_t k = 0; k < n_thresholds; k++) {
            sums[PEN_BINARY_THRESHOLDS + 2 * k] += p > thresholds[k] && in->classes[r] == 1 ? w : 0;
            sums[PEN_BINARY_THRESHOLDS + 2 * k + 1] += p > thresholds[k] && in->classes[r] == 0 ? w : 0;
        }
    }
}

static const enum pen_resample kinds[] = {PEN_RESAMPLE_NONE, PEN_RESAMPLE_LEAVE_OUT, PEN_RESAMPLE_COUNTS};

static struct pen_resampling resampling_of(const struct input *in, enum pen_resample kind)
{
    return (struct pen_resampling){kind, kind == PEN_RESAMPLE_NONE ? 1 : LANES, in->bucket, in->counts};
}

static void binary_sums_match(void)
{
    static const double thresholds[] = {0.25, 0.5, 1};
    struct pen_error err = PEN_ERROR_INIT;
    struct input in;
    enum { N_SUMS = PEN_BINARY_THRESHOLDS + 6 };
    begin_input(&in);
    for (int i = 0; i < 6; i++) {
        double sums[LANES * N_SUMS];
        enum pen_resample kind = kinds[i % 3];
        struct pen_binary_sums job = {{1, all_rows, i < 3 ? NULL : in.list},
                                      in.predictions,
                                      in.labels,
                                      in.weights,
                                      in.classes,
                                      3,
                                      thresholds,
                                      resampling_of(&in, kind),
                                      sums};
        PEN_CHECK_OK(run_binary(&job, ROWS, &err), &err);
        for (int64_t lane = 0; lane < job.resampling.n_lanes; lane++) {
            double expected[N_SUMS] = {0};
            binary_lane(&in, kind, lane, thresholds, 3, expected);
            compare(sums + lane * N_SUMS, expected, N_SUMS);
        }
    }
    end(&in);
}

static void regression_sums_match(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct input in;
    begin_input(&in);
    for (int i = 0; i < 3; i++) {
        double sums[LANES * PEN_REGRESSION_SUMS];
        struct pen_regression_sums job = {
            {1, all_rows, in.list}, in.predictions, in.labels, in.weights, 0.4, resampling_of(&in, kinds[i]), sums};
        PEN_CHECK_OK(run_regression(&job, ROWS, &err), &err);
        for (int64_t lane = 0; lane < job.resampling.n_lanes; lane++) {
            double e[PEN_REGRESSION_SUMS] = {0};
            for (int64_t r = 0; r < ROWS; r++) {
                double t = times(&in, kinds[i], lane, r), w = t * (double)in.weights[r];
                double p = (double)in.predictions[r], y = (double)in.labels[r];
                if (!isfinite(p)) {
                    e[PEN_REGRESSION_BAD] += t;
                    continue;
                }
                e[PEN_REGRESSION_ROWS] += t;
                e[PEN_REGRESSION_WEIGHT] += w;
                e[PEN_REGRESSION_LABEL] += w * y;
                e[PEN_REGRESSION_PREDICTION] += w * p;
                e[PEN_REGRESSION_RESIDUAL] += w * (p - y);
                e[PEN_REGRESSION_ABSOLUTE] += w * fabs(p - y);
                e[PEN_REGRESSION_SQUARED] += w * pow(p - y, 2);
                e[PEN_REGRESSION_CENTRED] += w * (y - 0.4);
                e[PEN_REGRESSION_CENTRED_SQUARED] += w * pow(y - 0.4, 2);
                e[PEN_REGRESSION_RELATIVE] += y > 0 ? w * fabs(p - y) / y : 0;
                e[PEN_REGRESSION_RELATIVE_WEIGHT] += y > 0 ? w : 0;
            }
            compare(sums + lane * PEN_REGRESSION_SUMS, e, PEN_REGRESSION_SUMS);
        }
    }
    end(&in);
}

static void multiclass_lane(const struct input *in, enum pen_resample kind, int64_t lane, double *sums,
                            double *confusion)
{
    for (int64_t r = 0; r < ROWS; r++) {
        const float *p = in->predictions + r * CLASSES;
        double t = times(in, kind, lane, r), w = t * (double)in->weights[r];
        int best = 0, rank = 0, y = in->classes[r];
        bool bad = false;
        for (int c = 0; c < CLASSES; c++) {
            bad = bad || !isfinite(p[c]);
            best = p[c] > p[best] ? c : best;
            rank += p[c] > p[y] || (p[c] == p[y] && c < y);
        }
        if (bad) {
            sums[PEN_MULTICLASS_BAD] += t;
            continue;
        }
        sums[PEN_MULTICLASS_ROWS] += t;
        sums[PEN_MULTICLASS_WEIGHT] += w;
        sums[PEN_MULTICLASS_LOGLOSS] -= w * log(fmax((double)p[y], 1e-7));
        sums[PEN_MULTICLASS_CORRECT] += best == y ? w : 0;
        sums[PEN_MULTICLASS_TOP_K] += rank < 2 ? w : 0;
        sums[PEN_MULTICLASS_CLASSES + 3 * y] += w;
        sums[PEN_MULTICLASS_CLASSES + 3 * best + 1] += w;
        sums[PEN_MULTICLASS_CLASSES + 3 * y + 2] += best == y ? w : 0;
        confusion[y * CLASSES + best] += w;
    }
}

static void multiclass_sums_match(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct input in;
    enum { N_SUMS = PEN_MULTICLASS_CLASSES + 3 * CLASSES };
    begin_input(&in);
    for (int i = 0; i < 3; i++) {
        double sums[LANES * N_SUMS], confusion[CLASSES * CLASSES];
        struct pen_multiclass_sums job = {
            {1, all_rows, NULL},          in.predictions, in.weights, in.classes, CLASSES, 2,
            resampling_of(&in, kinds[i]), sums,           confusion};
        PEN_CHECK_OK(run_multiclass(&job, ROWS, &err), &err);
        for (int64_t lane = 0; lane < job.resampling.n_lanes; lane++) {
            double expected[N_SUMS] = {0}, matrix[CLASSES * CLASSES] = {0};
            multiclass_lane(&in, kinds[i], lane, expected, matrix);
            compare(sums + lane * N_SUMS, expected, N_SUMS);
            if (lane == 0) {
                compare(confusion, matrix, CLASSES * CLASSES);
            }
        }
    }
    end(&in);
}

/* A segment's sums are those of its rows alone, bit for bit: its blocks are its own. */
static void segments_are_their_rows_alone(void)
{
    enum { SEGMENTS = 4, N_SUMS = PEN_BINARY_THRESHOLDS + 2, M_SUMS = PEN_MULTICLASS_CLASSES + 3 * CLASSES };
    static const int64_t begin[SEGMENTS + 1] = {3, 40000, 40000, 40001, ROWS}; /* large, empty, one row, large */
    static const double half = 0.5;
    struct pen_error err = PEN_ERROR_INIT;
    struct input in;
    begin_input(&in);
    for (int i = 0; i < 3; i++) {
        double sums[SEGMENTS * LANES * N_SUMS], alone[LANES * N_SUMS];
        double classes[SEGMENTS * LANES * M_SUMS], confusion[SEGMENTS * CLASSES * CLASSES];
        double one[LANES * M_SUMS], matrix[CLASSES * CLASSES];
        struct pen_binary_sums job = {{SEGMENTS, begin, in.list},
                                      in.predictions,
                                      in.labels,
                                      in.weights,
                                      in.classes,
                                      1,
                                      &half,
                                      resampling_of(&in, kinds[i]),
                                      sums};
        struct pen_multiclass_sums multi = {
            {SEGMENTS, begin, in.list},   in.predictions, in.weights, in.classes, CLASSES, 2,
            resampling_of(&in, kinds[i]), classes,        confusion};
        int64_t lanes = job.resampling.n_lanes;
        PEN_CHECK_OK(run_binary(&job, ROWS, &err), &err);
        PEN_CHECK_OK(run_multiclass(&multi, ROWS, &err), &err);
        for (int64_t s = 0; s < SEGMENTS; s++) {
            int64_t own[] = {0, begin[s + 1] - begin[s]};
            struct pen_binary_sums part = job;
            struct pen_multiclass_sums multi_part = multi;
            part.segments = multi_part.segments = (struct pen_segments){1, own, in.list + begin[s]};
            part.sums = alone;
            multi_part.sums = one;
            multi_part.confusion = matrix;
            PEN_CHECK_OK(run_binary(&part, ROWS, &err), &err);
            PEN_CHECK_OK(run_multiclass(&multi_part, ROWS, &err), &err);
            PEN_CHECK(memcmp(alone, sums + s * lanes * N_SUMS, (size_t)(lanes * N_SUMS) * sizeof *alone) == 0);
            PEN_CHECK(memcmp(one, classes + s * lanes * M_SUMS, (size_t)(lanes * M_SUMS) * sizeof *one) == 0);
            PEN_CHECK(memcmp(matrix, confusion + s * CLASSES * CLASSES, sizeof matrix) == 0);
        }
    }
    end(&in);
}

static void segments_without_a_list_are_refused(void)
{
    static const int64_t begin[] = {0, 0, 0};
    double sums[2 * PEN_REGRESSION_SUMS];
    struct pen_regression_sums job = {
        .segments = {2, begin, NULL}, .resampling = {PEN_RESAMPLE_NONE, 1, NULL, NULL}, .sums = sums};
    PEN_CHECK_STATUS(run_regression(&job, 0, NULL), PEN_ERR_SHAPE);
}

static void no_rows_give_zeros(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    double sums[LANES * PEN_REGRESSION_SUMS];
    memset(sums, 0xff, sizeof sums);
    static const int64_t none[] = {0, 0};
    struct pen_regression_sums job = {
        .segments = {1, none, NULL}, .resampling = {PEN_RESAMPLE_LEAVE_OUT, LANES, NULL, NULL}, .sums = sums};
    PEN_CHECK_OK(run_regression(&job, ROWS, &err), &err);
    for (int k = 0; k < LANES * PEN_REGRESSION_SUMS; k++) {
        PEN_CHECK_EQ_F64(sums[k], 0);
    }
    job.resampling.n_lanes = 0;
    PEN_CHECK_STATUS(run_regression(&job, ROWS, &err), PEN_ERR_SHAPE);
}

PEN_SUITE(metric_sums, PEN_CASE(binary_sums_match), PEN_CASE(regression_sums_match), PEN_CASE(multiclass_sums_match),
          PEN_CASE(segments_are_their_rows_alone), PEN_CASE(segments_without_a_list_are_refused),
          PEN_CASE(no_rows_give_zeros));
