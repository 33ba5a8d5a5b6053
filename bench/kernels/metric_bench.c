/* Ranking and metric sums on a million rows. */
#include "bench/kernels/op_bench.h"

#include "core/memory.h"
#include "core/rng.h"

enum { ROWS = 1000000, SEGMENTS = 200 };

static const int64_t all_rows[] = {0, ROWS};

struct rows {
    float *scores, *labels;
    int32_t *classes;
    uint64_t *keys, *scratch;
};

static pen_status make(struct rows *rows, struct pen_error *err)
{
    *rows = (struct rows){0};
    PEN_ALLOC(rows->scores, 4 * ROWS, err);
    PEN_ALLOC(rows->labels, ROWS, err);
    PEN_ALLOC(rows->classes, ROWS, err);
    PEN_ALLOC(rows->keys, ROWS, err);
    PEN_ALLOC(rows->scratch, ROWS, err);
    for (int64_t i = 0; i < 4 * ROWS; i++) {
        rows->scores[i] = (float)pen_rng_uniform(1, 0, (uint64_t)i);
    }
    for (int64_t i = 0; i < ROWS; i++) {
        rows->classes[i] = pen_rng_uniform(1, 1, (uint64_t)i) < (double)rows->scores[i] ? 1 : 0;
        rows->labels[i] = (float)rows->classes[i];
    }
    return PEN_OK;
}

static void drop(struct rows *rows)
{
    pen_free(rows->scores);
    pen_free(rows->labels);
    pen_free(rows->classes);
    pen_free(rows->keys);
    pen_free(rows->scratch);
}

static pen_status time_sort_scores(struct pen_bench *bench, struct pen_error *err)
{
    struct rows rows;
    pen_status status = make(&rows, err);
    struct pen_sort_scores sort = {ROWS, rows.scores, 1, rows.classes, 1, rows.keys, rows.scratch};
    bench->bytes = 4.0 * 16 * ROWS;
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->sort_scores(bench->exec, &sort, err);
    }
    drop(&rows);
    return status;
}
PEN_OP_BENCH(sort_scores, time_sort_scores);

/* Segments of equal size, rows at random. */
static pen_status time_deal(struct pen_bench *bench, bool keys, struct pen_error *err)
{
    struct rows rows;
    int64_t begin[SEGMENTS + 1];
    int32_t *segment = NULL;
    pen_status status = make(&rows, err);
    PEN_ALLOC_GOTO(cleanup, segment, ROWS, err);
    for (int64_t i = 0; i < ROWS; i++) {
        segment[i] = (int32_t)((i * 77773) % SEGMENTS);
    }
    for (int64_t s = 0; s <= SEGMENTS; s++) {
        begin[s] = s * (ROWS / SEGMENTS);
    }
    struct pen_sort_scores sort = {ROWS, rows.scores, 1, rows.classes, 1, rows.keys, rows.scratch};
    struct pen_deal_rows deal_rows = {ROWS, segment, SEGMENTS, begin, (uint32_t *)rows.scratch};
    struct pen_deal_keys deal_keys = {ROWS, rows.keys, segment, SEGMENTS, begin, rows.scratch};
    PEN_TRY_GOTO(cleanup, bench->exec->kernels->sort_scores(bench->exec, &sort, err));
    bench->bytes = (keys ? 24.0 : 12.0) * ROWS;
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = keys ? bench->exec->kernels->deal_keys(bench->exec, &deal_keys, err)
                      : bench->exec->kernels->deal_rows(bench->exec, &deal_rows, err);
    }
cleanup:
    pen_free(segment);
    drop(&rows);
    return status;
}

static pen_status time_deal_rows(struct pen_bench *bench, struct pen_error *err)
{
    return time_deal(bench, false, err);
}
PEN_OP_BENCH(deal_rows, time_deal_rows);

static pen_status time_deal_keys(struct pen_bench *bench, struct pen_error *err)
{
    return time_deal(bench, true, err);
}
PEN_OP_BENCH(deal_keys, time_deal_keys);

static pen_status time_rank_curve(struct pen_bench *bench, struct pen_error *err)
{
    struct rows rows;
    double points[402];
    pen_status status = make(&rows, err);
    struct pen_sort_scores sort = {ROWS, rows.scores, 1, rows.classes, 1, rows.keys, rows.scratch};
    if (status == PEN_OK) {
        status = bench->exec->kernels->sort_scores(bench->exec, &sort, err);
    }
    struct pen_rank_curve job = {ROWS, rows.keys, NULL, 200, points};
    bench->bytes = 8.0 * ROWS;
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->rank_curve(bench->exec, &job, err);
    }
    drop(&rows);
    return status;
}
PEN_OP_BENCH(rank_curve, time_rank_curve);

static pen_status time_rank_sums(struct pen_bench *bench, struct pen_error *err)
{
    struct rows rows;
    double auc = 0, ap = 0;
    pen_status status = make(&rows, err);
    struct pen_sort_scores sort = {ROWS, rows.scores, 1, rows.classes, 1, rows.keys, rows.scratch};
    if (status == PEN_OK) {
        status = bench->exec->kernels->sort_scores(bench->exec, &sort, err);
    }
    struct pen_rank_sums job = {1, all_rows, rows.keys, NULL, {PEN_RESAMPLE_NONE, 1, NULL, NULL}, &auc, &ap};
    bench->bytes = 8.0 * ROWS;
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->rank_sums(bench->exec, &job, err);
    }
    /* P(y = 1) = s, s uniform: AUC is 5/6 */
    if (status == PEN_OK && (auc < 0.83 || auc > 0.837)) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_INTERNAL, "rank_sums: AUC %g is not near 5/6", auc);
    }
    drop(&rows);
    return status;
}
PEN_OP_BENCH(rank_sums, time_rank_sums);

static pen_status time_binary_sums(struct pen_bench *bench, struct pen_error *err)
{
    struct rows rows;
    static const double threshold = 0.5;
    double sums[PEN_BINARY_THRESHOLDS + 2];
    pen_status status = make(&rows, err);
    struct pen_binary_sums job = {.segments = {1, all_rows, NULL},
                                  .predictions = rows.scores,
                                  .labels = rows.labels,
                                  .classes = rows.classes,
                                  .n_thresholds = 1,
                                  .thresholds = &threshold,
                                  .resampling = {PEN_RESAMPLE_NONE, 1, NULL, NULL},
                                  .sums = sums};
    bench->bytes = 12.0 * ROWS;
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->binary_sums(bench->exec, &job, err);
    }
    drop(&rows);
    return status;
}
PEN_OP_BENCH(binary_sums, time_binary_sums);

static pen_status time_regression_sums(struct pen_bench *bench, struct pen_error *err)
{
    struct rows rows;
    double sums[PEN_REGRESSION_SUMS];
    pen_status status = make(&rows, err);
    struct pen_regression_sums job = {.segments = {1, all_rows, NULL},
                                      .predictions = rows.scores,
                                      .labels = rows.labels,
                                      .centre = 0.5,
                                      .resampling = {PEN_RESAMPLE_NONE, 1, NULL, NULL},
                                      .sums = sums};
    bench->bytes = 8.0 * ROWS;
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->regression_sums(bench->exec, &job, err);
    }
    drop(&rows);
    return status;
}
PEN_OP_BENCH(regression_sums, time_regression_sums);

static pen_status time_multiclass_sums(struct pen_bench *bench, struct pen_error *err)
{
    enum { CLASSES = 4 };
    struct rows rows;
    double sums[PEN_MULTICLASS_CLASSES + 3 * CLASSES];
    pen_status status = make(&rows, err);
    struct pen_multiclass_sums job = {.segments = {1, all_rows, NULL},
                                      .predictions = rows.scores,
                                      .classes = rows.classes,
                                      .n_classes = CLASSES,
                                      .top_k = 2,
                                      .resampling = {PEN_RESAMPLE_NONE, 1, NULL, NULL},
                                      .sums = sums};
    bench->bytes = 4.0 * ROWS * (1 + CLASSES);
    while (status == PEN_OK && pen_bench_next(bench)) {
        status = bench->exec->kernels->multiclass_sums(bench->exec, &job, err);
    }
    drop(&rows);
    return status;
}
PEN_OP_BENCH(multiclass_sums, time_multiclass_sums);
