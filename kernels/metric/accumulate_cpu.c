/* Leave-one-out sums are merged from the other buckets instead of subtracted from the whole: no cancellation, so a
 * class that is gone has weight 0 and not 1e-17. */
#include "kernels/metric/accumulate.h"

#include "core/memory.h"

#include <string.h>

enum { BLOCK_ROWS = 32768 };

static void add_row(const struct pen_metric_loop *loop, int64_t row, double *parts)
{
    const struct pen_resampling *resampling = loop->resampling;
    struct pen_metric_row facts = {0};
    double weight = loop->weights != NULL ? (double)loop->weights[row] : 1.0;
    loop->look(loop->job, row, &facts);
    if (resampling->kind == PEN_RESAMPLE_COUNTS) {
        const uint8_t *counts = resampling->counts + row * (resampling->n_lanes - 1);
        for (int64_t lane = 0; lane < resampling->n_lanes; lane++) {
            double times = lane == 0 ? 1.0 : (double)counts[lane - 1];
            double *sums = parts + lane * loop->n_sums;
            sums[facts.bad ? 0 : 1] += times;
            if (times > 0 && !facts.bad) {
                loop->add(loop->job, &facts, weight * times, sums);
            }
        }
        return;
    }
    double *sums = parts;
    if (resampling->kind == PEN_RESAMPLE_LEAVE_OUT) {
        sums += resampling->bucket[row] * loop->n_sums;
    }
    sums[facts.bad ? 0 : 1] += 1;
    if (!facts.bad) {
        loop->add(loop->job, &facts, weight, sums);
    }
}

static void parts_to_lanes(const struct pen_metric_loop *loop, const double *parts, int64_t n_parts)
{
    int64_t n_sums = loop->n_sums, n_lanes = loop->resampling->n_lanes;
    if (loop->resampling->kind != PEN_RESAMPLE_LEAVE_OUT) {
        memcpy(loop->sums, parts, (size_t)(n_lanes * n_sums) * sizeof *parts);
        return;
    }
    memset(loop->sums, 0, (size_t)(n_lanes * n_sums) * sizeof *parts);
    for (int64_t lane = 0; lane < n_lanes; lane++) {
        for (int64_t part = 0; part < n_parts; part++) {
            for (int64_t k = 0; part != lane - 1 && k < n_sums; k++) {
                loop->sums[lane * n_sums + k] += parts[part * n_sums + k];
            }
        }
    }
}

pen_status pen_metric_accumulate(const struct pen_metric_loop *loop, struct pen_error *err)
{
    const struct pen_resampling *resampling = loop->resampling;
    int64_t n_parts = resampling->kind == PEN_RESAMPLE_LEAVE_OUT ? resampling->n_lanes - 1 : resampling->n_lanes;
    if (loop->n < 0 || n_parts < 1 || (resampling->kind == PEN_RESAMPLE_NONE && n_parts != 1)) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "metric sums: expected n >= 0 and at least one lane, found %lld and %lld",
                 (long long)loop->n, (long long)resampling->n_lanes);
    }
    int64_t n_blocks = (loop->n + BLOCK_ROWS - 1) / BLOCK_ROWS, part_sums = n_parts * loop->n_sums;
    n_blocks = n_blocks < 1 ? 1 : n_blocks;
    double *parts = NULL;
    PEN_ALLOC(parts, n_blocks * part_sums, err);
#pragma omp parallel for schedule(dynamic, 1) if (n_blocks > 1)
    for (int64_t block = 0; block < n_blocks; block++) {
        int64_t last = (block + 1) * BLOCK_ROWS < loop->n ? (block + 1) * BLOCK_ROWS : loop->n;
        for (int64_t i = block * BLOCK_ROWS; i < last; i++) {
            add_row(loop, loop->list != NULL ? (int64_t)loop->list[i] : i, parts + block * part_sums);
        }
    }
    for (int64_t block = 1; block < n_blocks; block++) {
        for (int64_t k = 0; k < part_sums; k++) {
            parts[k] += parts[block * part_sums + k];
        }
    }
    parts_to_lanes(loop, parts, n_parts);
    pen_free(parts);
    return PEN_OK;
}
