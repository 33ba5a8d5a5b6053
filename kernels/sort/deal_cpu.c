/* Items are cut into one block per thread; each counts its segments, the counts become places (segment first, then
 * block), each deals out its own items in order. With many segments fewer blocks keep the counts small. */
#include "kernels/sort/deal.h"

#include "kernels/sort/sort.h"

#include "core/memory.h"

#include <omp.h>
#include <string.h>

enum { BLOCK_LEAST = 32768, MOST_BLOCKS = 64, MOST_COUNTS = 1 << 20 };

struct dealing {
    int64_t n;
    const uint64_t *keys; /* NULL: the items are the rows themselves */
    const int32_t *segment;
    int64_t n_segments;
    const int64_t *begin;
    uint32_t *rows;
    uint64_t *dealt;
    int64_t n_blocks;
    int64_t *places; /* [n_blocks, n_segments] */
};

static inline int64_t segment_of(const struct dealing *d, int64_t i)
{
    int64_t row = d->keys != NULL ? (int64_t)pen_sort_key_row(d->keys[i]) : i;
    int64_t segment = d->segment[row];
    return segment < d->n_segments ? segment : -1;
}

static void count_block(const struct dealing *d, int64_t block)
{
    int64_t *counts = d->places + block * d->n_segments, last = d->n * (block + 1) / d->n_blocks;
    for (int64_t i = d->n * block / d->n_blocks; i < last; i++) {
        int64_t segment = segment_of(d, i);
        if (segment >= 0) {
            counts[segment]++;
        }
    }
}

static void deal_block(const struct dealing *d, int64_t block)
{
    int64_t *places = d->places + block * d->n_segments, last = d->n * (block + 1) / d->n_blocks;
    for (int64_t i = d->n * block / d->n_blocks; i < last; i++) {
        int64_t segment = segment_of(d, i);
        if (segment < 0) {
            continue;
        }
        if (d->keys != NULL) {
            d->dealt[places[segment]++] = d->keys[i];
        } else {
            d->rows[places[segment]++] = (uint32_t)i;
        }
    }
}

/* Counts to places; false when a segment does not hold what begin says. */
static bool place_blocks(const struct dealing *d)
{
    for (int64_t s = 0; s < d->n_segments; s++) {
        int64_t place = d->begin[s];
        for (int64_t block = 0; block < d->n_blocks; block++) {
            int64_t count = d->places[block * d->n_segments + s];
            d->places[block * d->n_segments + s] = place;
            place += count;
        }
        if (place != d->begin[s + 1]) {
            return false;
        }
    }
    return true;
}

static pen_status deal(struct dealing *d, const char *op, struct pen_error *err)
{
    if (d->n < 0 || d->n >= PEN_SORT_MOST_ROWS || d->n_segments < 0 || (d->n_segments > 0 && d->begin[0] != 0)) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "%s: expected 0 <= n < 2^31 items and segments from 0, found %lld and %lld", op,
                 (long long)d->n, (long long)d->n_segments);
    }
    if (d->n_segments == 0) {
        return PEN_OK;
    }
    int64_t blocks = d->n / BLOCK_LEAST, room = MOST_COUNTS / d->n_segments, threads = omp_get_max_threads();
    blocks = blocks > threads ? threads : blocks;
    blocks = blocks > room ? room : blocks;
    d->n_blocks = blocks > MOST_BLOCKS ? MOST_BLOCKS : blocks < 1 ? 1 : blocks;
    PEN_ALLOC(d->places, d->n_blocks * d->n_segments, err);
#pragma omp parallel for schedule(static) if (d->n_blocks > 1)
    for (int64_t block = 0; block < d->n_blocks; block++) {
        count_block(d, block);
    }
    bool placed = place_blocks(d);
    if (placed) {
#pragma omp parallel for schedule(static) if (d->n_blocks > 1)
        for (int64_t block = 0; block < d->n_blocks; block++) {
            deal_block(d, block);
        }
    }
    pen_free(d->places);
    if (!placed) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "%s: expected the counts of each segment as begin has them, found others", op);
    }
    return PEN_OK;
}

pen_status pen_deal_rows_cpu(struct pen_exec *exec, const struct pen_deal_rows *given, struct pen_error *err)
{
    struct dealing d = {.n = given->n,
                        .segment = given->segment,
                        .n_segments = given->n_segments,
                        .begin = given->begin,
                        .rows = given->rows};
    return deal(&d, "deal_rows", err);
}

pen_status pen_deal_keys_cpu(struct pen_exec *exec, const struct pen_deal_keys *given, struct pen_error *err)
{
    struct dealing d = {.n = given->n_keys,
                        .keys = given->keys,
                        .segment = given->segment,
                        .n_segments = given->n_segments,
                        .begin = given->begin,
                        .dealt = given->dealt};
    return deal(&d, "deal_keys", err);
}
