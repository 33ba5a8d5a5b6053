/* Least-significant-digit radix sort, 11 + 11 + 10 bits of the order. Rows are cut into one block per thread; each
 * counts its digits, the counts become places (digit first, then block), each scatters its own rows in order. The
 * result of a stable sort is unique, so the number of blocks does not show. */
#include "kernels/sort/sort.h"

#include "core/memory.h"

#include <omp.h>
#include <string.h>

enum { DIGIT_BITS = 11, BINS = 1 << DIGIT_BITS, SMALL = 64, BLOCK_LEAST = 65536, MOST_BLOCKS = 64 };

static uint32_t order_of(float score)
{
    uint32_t bits = 0;
    float zero_signed_plus = score + 0.0f;
    memcpy(&bits, &zero_signed_plus, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        return UINT32_MAX;
    }
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

float pen_sort_key_score(uint64_t key)
{
    uint32_t order = pen_sort_key_order(key);
    uint32_t bits = (order & 0x80000000u) != 0 ? order & 0x7fffffffu : ~order;
    if (order == UINT32_MAX) {
        bits = 0x7fc00000u;
    }
    float score = 0;
    memcpy(&score, &bits, sizeof score);
    return score;
}

static void sort_small(uint64_t *keys, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        uint64_t key = keys[i];
        int64_t j = i;
        for (; j > 0 && keys[j - 1] > key; j--) {
            keys[j] = keys[j - 1];
        }
        keys[j] = key;
    }
}

struct pass {
    const uint64_t *from;
    uint64_t *to;
    int64_t n;
    int n_blocks, shift;
    int64_t (*places)[BINS];
};

static void block_range(const struct pass *pass, int block, int64_t *first, int64_t *last)
{
    *first = pass->n * block / pass->n_blocks;
    *last = pass->n * (block + 1) / pass->n_blocks;
}

/* False when all keys share the digit, so there is nothing to move. */
static bool count_digits(const struct pass *pass)
{
#pragma omp parallel for schedule(static) if (pass->n_blocks > 1)
    for (int block = 0; block < pass->n_blocks; block++) {
        int64_t first = 0, last = 0;
        int64_t *counts = pass->places[block];
        block_range(pass, block, &first, &last);
        memset(counts, 0, sizeof pass->places[block]);
        for (int64_t i = first; i < last; i++) {
            counts[(pass->from[i] >> pass->shift) & (BINS - 1)]++;
        }
    }
    int64_t place = 0;
    bool moves = true;
    for (int64_t bin = 0; bin < BINS; bin++) {
        int64_t before = place;
        for (int block = 0; block < pass->n_blocks; block++) {
            int64_t count = pass->places[block][bin];
            pass->places[block][bin] = place;
            place += count;
        }
        moves = moves && place - before != pass->n;
    }
    return moves;
}

static void scatter(const struct pass *pass)
{
#pragma omp parallel for schedule(static) if (pass->n_blocks > 1)
    for (int block = 0; block < pass->n_blocks; block++) {
        int64_t first = 0, last = 0;
        int64_t *places = pass->places[block];
        block_range(pass, block, &first, &last);
        for (int64_t i = first; i < last; i++) {
            uint64_t key = pass->from[i];
            pass->to[places[(key >> pass->shift) & (BINS - 1)]++] = key;
        }
    }
}

pen_status pen_sort_scores_cpu(struct pen_exec *exec, const struct pen_sort_scores *sort, struct pen_error *err)
{
    if (sort->n < 0 || sort->n >= PEN_SORT_MOST_ROWS) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "sort_scores: expected 0 <= n < 2^31 rows, found %lld", (long long)sort->n);
    }
#pragma omp parallel for schedule(static) if (sort->n > BLOCK_LEAST)
    for (int64_t i = 0; i < sort->n; i++) {
        uint64_t positive = sort->classes[i] == sort->positive ? 1 : 0;
        sort->keys[i] = (uint64_t)order_of(sort->scores[i * sort->stride]) << 32 | (uint64_t)i << 1 | positive;
    }
    if (sort->n <= SMALL) {
        sort_small(sort->keys, sort->n);
        return PEN_OK;
    }
    int64_t n_blocks = sort->n / BLOCK_LEAST;
    n_blocks = n_blocks > omp_get_max_threads() ? omp_get_max_threads() : n_blocks;
    n_blocks = n_blocks > MOST_BLOCKS ? MOST_BLOCKS : n_blocks < 1 ? 1 : n_blocks;
    struct pass pass = {sort->keys, sort->scratch, sort->n, (int)n_blocks, 32, NULL};
    pass.places = pen_malloc(n_blocks, sizeof *pass.places);
    if (pass.places == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: sort_scores, %lld blocks", (long long)n_blocks);
    }
    for (pass.shift = 32; pass.shift < 64; pass.shift += DIGIT_BITS) {
        if (count_digits(&pass)) {
            scatter(&pass);
            uint64_t *sorted = pass.to;
            pass.to = sorted == sort->scratch ? sort->keys : sort->scratch;
            pass.from = sorted;
        }
    }
    if (pass.from != sort->keys) {
        memcpy(sort->keys, sort->scratch, (size_t)sort->n * sizeof *sort->keys);
    }
    pen_free(pass.places);
    return PEN_OK;
}
