/* Ranking and metric sums: a million rows, on a GPU 100 million. */
#include "bench/kernels/op_bench.h"

#include "core/memory.h"
#include "core/rng.h"

enum { SEGMENTS = 200, CLASSES = 4 };

struct rows {
    int64_t n;
    int64_t all[2]; /* one segment */
    float *scores, *labels;
    int32_t *classes;
    uint64_t *keys, *scratch;
    double *result; /* [512] */
};

/* P(y = 1) = s, s uniform. */
static void draw(int64_t n, float *scores, float *labels, int32_t *classes)
{
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        scores[i] = (float)pen_rng_uniform(1, 0, (uint64_t)i);
        classes[i] = pen_rng_uniform(1, 1, (uint64_t)i) < (double)scores[i] ? 1 : 0;
        labels[i] = (float)classes[i];
    }
}

static pen_status make(struct pen_bench *bench, struct rows *rows, struct pen_error *err)
{
    const int64_t n = pen_bench_size(bench, 1000000, 100000000);
    float *scores = NULL, *labels = NULL;
    int32_t *classes = NULL;
    pen_status status = PEN_OK;
    *rows = (struct rows){.n = n, .all = {0, n}};
    PEN_ALLOC_GOTO(cleanup, scores, n, err);
    PEN_ALLOC_GOTO(cleanup, labels, n, err);
    PEN_ALLOC_GOTO(cleanup, classes, n, err);
    draw(n, scores, labels, classes);
    PEN_TRY_GOTO(cleanup, pen_bench_place(bench, &rows->scores, scores, n, sizeof *scores, err));
    PEN_TRY_GOTO(cleanup, pen_bench_place(bench, &rows->labels, labels, n, sizeof *labels, err));
    PEN_TRY_GOTO(cleanup, pen_bench_place(bench, &rows->classes, classes, n, sizeof *classes, err));
    PEN_TRY_GOTO(cleanup, pen_bench_place(bench, &rows->keys, NULL, n, sizeof *rows->keys, err));
    PEN_TRY_GOTO(cleanup, pen_bench_place(bench, &rows->scratch, NULL, n, sizeof *rows->scratch, err));
    PEN_TRY_GOTO(cleanup, pen_bench_place(bench, &rows->result, NULL, 512, sizeof *rows->result, err));
cleanup:
    pen_free(scores);
    pen_free(labels);
    pen_free(classes);
    return status;
}

static pen_status sort(const struct pen_bench *bench, const struct rows *rows, struct pen_error *err)
{
    struct pen_sort_scores job = {rows->n, rows->scores, 1, rows->classes, 1, rows->keys, rows->scratch};
    return bench->exec->kernels->sort_scores(bench->exec, &job, err);
}

static pen_status time_sort_scores(struct pen_bench *bench, struct pen_error *err)
{
    struct rows rows;
    PEN_TRY(make(bench, &rows, err));
    bench->bytes = 4.0 * 16 * (double)rows.n;
    while (pen_bench_next(bench)) {
        PEN_TRY(sort(bench, &rows, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(sort_scores, time_sort_scores);

/* Segments of equal size, rows at random. */
static pen_status make_segments(struct pen_bench *bench, int64_t n, int32_t **segment, int64_t begin[SEGMENTS + 1],
                                struct pen_error *err)
{
    int32_t *host = NULL;
    PEN_ALLOC(host, n, err);
    for (int64_t i = 0; i < n; i++) {
        host[i] = (int32_t)((i * 77773) % SEGMENTS);
    }
    for (int64_t s = 0; s <= SEGMENTS; s++) {
        begin[s] = s * (n / SEGMENTS);
    }
    pen_status status = pen_bench_place(bench, segment, host, n, sizeof *host, err);
    pen_free(host);
    return status;
}

static pen_status time_deal_rows(struct pen_bench *bench, struct pen_error *err)
{
    struct rows rows;
    int64_t begin[SEGMENTS + 1];
    int32_t *segment = NULL;
    PEN_TRY(make(bench, &rows, err));
    PEN_TRY(make_segments(bench, rows.n, &segment, begin, err));
    struct pen_deal_rows job = {rows.n, segment, SEGMENTS, begin, (uint32_t *)rows.scratch};
    bench->bytes = 12.0 * (double)rows.n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->deal_rows(bench->exec, &job, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(deal_rows, time_deal_rows);

static pen_status time_deal_keys(struct pen_bench *bench, struct pen_error *err)
{
    struct rows rows;
    int64_t begin[SEGMENTS + 1];
    int32_t *segment = NULL;
    PEN_TRY(make(bench, &rows, err));
    PEN_TRY(make_segments(bench, rows.n, &segment, begin, err));
    PEN_TRY(sort(bench, &rows, err));
    struct pen_deal_keys job = {rows.n, rows.keys, segment, SEGMENTS, begin, rows.scratch};
    bench->bytes = 24.0 * (double)rows.n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->deal_keys(bench->exec, &job, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(deal_keys, time_deal_keys);

static pen_status time_rank_curve(struct pen_bench *bench, struct pen_error *err)
{
    struct rows rows;
    PEN_TRY(make(bench, &rows, err));
    PEN_TRY(sort(bench, &rows, err));
    struct pen_rank_curve job = {rows.n, rows.keys, NULL, 200, rows.result};
    bench->bytes = 8.0 * (double)rows.n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->rank_curve(bench->exec, &job, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(rank_curve, time_rank_curve);

static pen_status time_rank_sums(struct pen_bench *bench, struct pen_error *err)
{
    struct rows rows;
    double auc = 0;
    PEN_TRY(make(bench, &rows, err));
    PEN_TRY(sort(bench, &rows, err));
    struct pen_rank_sums job = {1,           rows.all,       rows.keys, NULL, {PEN_RESAMPLE_NONE, 1, NULL, NULL},
                                rows.result, rows.result + 1};
    bench->bytes = 8.0 * (double)rows.n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->rank_sums(bench->exec, &job, err));
    }
    PEN_TRY(pen_device_download(bench->exec, &auc, rows.result, sizeof auc, err));
    if (auc < 0.83 || auc > 0.837) {
        PEN_FAIL(err, PEN_ERR_INTERNAL, "expected an AUC near 5/6, found %g", auc);
    }
    return PEN_OK;
}
PEN_OP_BENCH(rank_sums, time_rank_sums);

static pen_status time_binary_sums(struct pen_bench *bench, struct pen_error *err)
{
    struct rows rows;
    static const double threshold = 0.5;
    PEN_TRY(make(bench, &rows, err));
    struct pen_binary_sums job = {.segments = {1, rows.all, NULL},
                                  .predictions = rows.scores,
                                  .labels = rows.labels,
                                  .classes = rows.classes,
                                  .n_thresholds = 1,
                                  .thresholds = &threshold,
                                  .resampling = {PEN_RESAMPLE_NONE, 1, NULL, NULL},
                                  .sums = rows.result};
    bench->bytes = 12.0 * (double)rows.n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->binary_sums(bench->exec, &job, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(binary_sums, time_binary_sums);

static pen_status time_regression_sums(struct pen_bench *bench, struct pen_error *err)
{
    struct rows rows;
    PEN_TRY(make(bench, &rows, err));
    struct pen_regression_sums job = {.segments = {1, rows.all, NULL},
                                      .predictions = rows.scores,
                                      .labels = rows.labels,
                                      .centre = 0.5,
                                      .resampling = {PEN_RESAMPLE_NONE, 1, NULL, NULL},
                                      .sums = rows.result};
    bench->bytes = 8.0 * (double)rows.n;
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->regression_sums(bench->exec, &job, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(regression_sums, time_regression_sums);

static pen_status time_multiclass_sums(struct pen_bench *bench, struct pen_error *err)
{
    struct rows rows;
    PEN_TRY(make(bench, &rows, err));
    struct pen_multiclass_sums job = {.segments = {1, rows.all, NULL},
                                      .classes = rows.classes,
                                      .n_classes = CLASSES,
                                      .top_k = 2,
                                      .resampling = {PEN_RESAMPLE_NONE, 1, NULL, NULL},
                                      .sums = rows.result};
    PEN_BENCH_FLOATS(bench, job.predictions, CLASSES * rows.n, err);
    bench->bytes = 4.0 * (double)rows.n * (1 + CLASSES);
    while (pen_bench_next(bench)) {
        PEN_TRY(bench->exec->kernels->multiclass_sums(bench->exec, &job, err));
    }
    return PEN_OK;
}
PEN_OP_BENCH(multiclass_sums, time_multiclass_sums);
