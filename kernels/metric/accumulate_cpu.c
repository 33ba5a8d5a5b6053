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

/* One segment's parts, each merged over its blocks, to its lanes. */
static void parts_to_lanes(const struct pen_metric_loop *loop, const double *parts, int64_t n_parts, double *sums)
{
    int64_t n_sums = loop->n_sums, n_lanes = loop->resampling->n_lanes;
    if (loop->resampling->kind != PEN_RESAMPLE_LEAVE_OUT) {
        memcpy(sums, parts, (size_t)(n_lanes * n_sums) * sizeof *parts);
        return;
    }
    memset(sums, 0, (size_t)(n_lanes * n_sums) * sizeof *parts);
    for (int64_t lane = 0; lane < n_lanes; lane++) {
        for (int64_t part = 0; part < n_parts; part++) {
            for (int64_t k = 0; part != lane - 1 && k < n_sums; k++) {
                sums[lane * n_sums + k] += parts[part * n_sums + k];
            }
        }
    }
}

/* A block of one segment. */
struct block {
    int64_t first, last; /* into the list */
};

/* Blocks of all segments, at least one a segment; first_block: [n_segments + 1]. blocks NULL: only counts. */
static int64_t cut_blocks(const struct pen_segments *segments, struct block *blocks, int64_t *first_block)
{
    int64_t n = 0;
    for (int64_t s = 0; s < segments->n; s++) {
        int64_t first = segments->begin[s], last = segments->begin[s + 1];
        if (blocks != NULL) {
            first_block[s] = n;
        }
        do {
            int64_t end = last - first < BLOCK_ROWS ? last : first + BLOCK_ROWS;
            if (blocks != NULL) {
                blocks[n] = (struct block){first, end};
            }
            n++;
            first = end;
        } while (first < last);
    }
    if (blocks != NULL) {
        first_block[segments->n] = n;
    }
    return n;
}

static void merge_segment(const struct pen_metric_loop *loop, int64_t segment, const int64_t *first_block,
                          double *parts, int64_t n_parts)
{
    int64_t part_sums = n_parts * loop->n_sums;
    double *merged = parts + first_block[segment] * part_sums;
    for (int64_t block = first_block[segment] + 1; block < first_block[segment + 1]; block++) {
        for (int64_t k = 0; k < part_sums; k++) {
            merged[k] += parts[block * part_sums + k];
        }
    }
    parts_to_lanes(loop, merged, n_parts, loop->sums + segment * loop->resampling->n_lanes * loop->n_sums);
}

pen_status pen_metric_accumulate(const struct pen_metric_loop *loop, struct pen_error *err)
{
    const struct pen_resampling *resampling = loop->resampling;
    const struct pen_segments *segments = loop->segments;
    int64_t n_parts = resampling->kind == PEN_RESAMPLE_LEAVE_OUT ? resampling->n_lanes - 1 : resampling->n_lanes;
    if (segments->n < 0 || (segments->list == NULL && segments->n > 1) || n_parts < 1 ||
        (resampling->kind == PEN_RESAMPLE_NONE && n_parts != 1)) {
        PEN_FAIL(err, PEN_ERR_SHAPE,
                 "metric sums: expected a list for more than one segment and at least one lane, found %lld segments "
                 "and %lld lanes",
                 (long long)segments->n, (long long)resampling->n_lanes);
    }
    struct block *blocks = NULL;
    int64_t *first_block = NULL, n_blocks = cut_blocks(segments, NULL, NULL), part_sums = n_parts * loop->n_sums;
    double *parts = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, blocks, n_blocks, err);
    PEN_ALLOC_GOTO(cleanup, first_block, segments->n + 1, err);
    PEN_ALLOC_GOTO(cleanup, parts, n_blocks * part_sums, err);
    (void)cut_blocks(segments, blocks, first_block);
#pragma omp parallel for schedule(dynamic, 1) if (n_blocks > 1)
    for (int64_t block = 0; block < n_blocks; block++) {
        for (int64_t i = blocks[block].first; i < blocks[block].last; i++) {
            add_row(loop, segments->list != NULL ? (int64_t)segments->list[i] : i, parts + block * part_sums);
        }
    }
#pragma omp parallel for schedule(static) if (segments->n > 1)
    for (int64_t s = 0; s < segments->n; s++) {
        merge_segment(loop, s, first_block, parts, n_parts);
    }
cleanup:
    pen_free(blocks);
    pen_free(first_block);
    pen_free(parts);
    return status;
}
