/* Dealing as a stable radix sort by segment: each item's segment (rows of none get the last number), sorted with the
 * items; the front of the result is what was dealt. 8 to 12 bytes an item and digit pass. A count that is not begin's
 * is found by comparing the sorted segments with begin, at the price of one wait. */
#include "kernels/cuda/radix_sort.cuh"
#include "kernels/sort/deal.h"
#include "kernels/sort/sort.h"

static __global__ void segments_of_rows_k(uint32_t *segments, uint32_t *rows, const int32_t *segment, int64_t n,
                                          int64_t n_segments)
{
    for (int64_t i = pen_cuda_first(); i < n; i += pen_cuda_step()) {
        int32_t s = segment[i];
        segments[i] = s >= 0 && s < n_segments ? (uint32_t)s : (uint32_t)n_segments;
        rows[i] = (uint32_t)i;
    }
}

static __global__ void segments_of_keys_k(uint32_t *segments, const uint64_t *keys, const int32_t *segment, int64_t n,
                                          int64_t n_segments)
{
    for (int64_t i = pen_cuda_first(); i < n; i += pen_cuda_step()) {
        int32_t s = segment[(uint32_t)keys[i] >> 1];
        segments[i] = s >= 0 && s < n_segments ? (uint32_t)s : (uint32_t)n_segments;
    }
}

/* wrong: set when sorted segment s does not fill [begin[s], begin[s + 1]). */
static __global__ void compare_begin_k(int *wrong, const uint32_t *sorted, const int64_t *begin, int64_t n,
                                       int64_t n_segments)
{
    for (int64_t s = pen_cuda_first(); s < n_segments; s += pen_cuda_step()) {
        int64_t first = begin[s], last = begin[s + 1];
        bool right = first >= 0 && first <= last && last <= n;
        if (right && first < last) {
            right = sorted[first] == (uint32_t)s && sorted[last - 1] == (uint32_t)s;
        }
        if (right && s == n_segments - 1 && last < n) {
            right = sorted[last] == (uint32_t)n_segments;
        }
        right = right && (s > 0 || first == 0);
        if (!right) {
            atomicExch(wrong, 1);
        }
    }
}

struct pieces {
    uint32_t *segments, *sorted, *rows;
    char *items; /* all of them, sorted */
    int64_t *begin;
    int *wrong;
    char *scratch;
    size_t scratch_bytes;
};

static pen_status carve(struct pen_exec *exec, struct pieces *p, int64_t n, int64_t n_segments, size_t item_bytes,
                        struct pen_error *err)
{
    size_t counts = pen_cuda_piece((size_t)n * sizeof(uint32_t)), items = pen_cuda_piece((size_t)n * item_bytes);
    size_t begin = pen_cuda_piece((size_t)(n_segments + 1) * sizeof(int64_t));
    char *at = NULL;
    PEN_TRY(pen_cuda_sort_bytes(&p->scratch_bytes, n, err));
    PEN_TRY(pen_cuda_workspace(exec, &at, 3 * counts + items + begin + 256 + p->scratch_bytes, "deal", err));
    p->segments = reinterpret_cast<uint32_t *>(at);
    p->sorted = reinterpret_cast<uint32_t *>(at + counts);
    p->rows = reinterpret_cast<uint32_t *>(at + 2 * counts);
    p->items = at + 3 * counts;
    p->begin = reinterpret_cast<int64_t *>(at + 3 * counts + items);
    p->wrong = reinterpret_cast<int *>(at + 3 * counts + items + begin);
    p->scratch = at + 3 * counts + items + begin + 256;
    return PEN_OK;
}

static int bits_for(int64_t n_segments)
{
    int bits = 1;
    while (bits < 32 && (n_segments >> bits) > 0) {
        bits++;
    }
    return bits;
}

static pen_status check_counts(struct pen_exec *exec, const struct pieces *p, const int64_t *begin, int64_t n,
                               int64_t n_segments, const char *op, struct pen_error *err)
{
    int wrong = 0;
    PEN_TRY(pen_device_fill(exec, p->wrong, 0, sizeof wrong, err));
    PEN_TRY(pen_cuda_stage(exec, p->begin, begin, (size_t)(n_segments + 1) * sizeof *begin, err));
    PEN_LAUNCH(compare_begin_k, pen_cuda_grid(n_segments), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), p->wrong,
               p->sorted, p->begin, n, n_segments);
    PEN_CUDA_LAUNCHED(op, err);
    PEN_TRY(pen_device_download(exec, &wrong, p->wrong, sizeof wrong, err));
    if (wrong != 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "%s: expected the counts of each segment as begin has them, found others", op);
    }
    return PEN_OK;
}

static pen_status check_shape(int64_t n, int64_t n_segments, const int64_t *begin, const char *op,
                              struct pen_error *err)
{
    if (n < 0 || n >= PEN_SORT_MOST_ROWS || n_segments < 0 || (n_segments > 0 && begin[0] != 0)) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "%s: expected 0 <= n < 2^31 items and segments from 0, found %lld and %lld", op,
                 (long long)n, (long long)n_segments);
    }
    if (n == 0 && n_segments > 0 && begin[n_segments] != 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "%s: expected the counts of each segment as begin has them, found others", op);
    }
    return PEN_OK;
}

extern "C" pen_status pen_deal_rows_cuda(struct pen_exec *exec, const struct pen_deal_rows *d, struct pen_error *err)
{
    struct pieces p;
    PEN_TRY(check_shape(d->n, d->n_segments, d->begin, "deal_rows", err));
    if (d->n == 0 || d->n_segments == 0) {
        return PEN_OK;
    }
    PEN_TRY(carve(exec, &p, d->n, d->n_segments, sizeof(uint32_t), err));
    auto *sorted_rows = reinterpret_cast<uint32_t *>(p.items);
    PEN_LAUNCH(segments_of_rows_k, pen_cuda_grid(d->n), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), p.segments, p.rows,
               d->segment, d->n, d->n_segments);
    PEN_CUDA_LAUNCHED("deal_rows", err);
    PEN_TRY(pen_cuda_sort_pairs32(exec, p.sorted, sorted_rows, p.segments, p.rows, d->n, bits_for(d->n_segments),
                                  p.scratch, p.scratch_bytes, err));
    PEN_TRY(check_counts(exec, &p, d->begin, d->n, d->n_segments, "deal_rows", err));
    return pen_device_copy(exec, d->rows, sorted_rows, (size_t)d->begin[d->n_segments] * sizeof *sorted_rows, err);
}

extern "C" pen_status pen_deal_keys_cuda(struct pen_exec *exec, const struct pen_deal_keys *d, struct pen_error *err)
{
    struct pieces p;
    PEN_TRY(check_shape(d->n_keys, d->n_segments, d->begin, "deal_keys", err));
    if (d->n_keys == 0 || d->n_segments == 0) {
        return PEN_OK;
    }
    PEN_TRY(carve(exec, &p, d->n_keys, d->n_segments, sizeof(uint64_t), err));
    auto *sorted_keys = reinterpret_cast<uint64_t *>(p.items);
    PEN_LAUNCH(segments_of_keys_k, pen_cuda_grid(d->n_keys), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), p.segments,
               d->keys, d->segment, d->n_keys, d->n_segments);
    PEN_CUDA_LAUNCHED("deal_keys", err);
    PEN_TRY(pen_cuda_sort_pairs64(exec, p.sorted, sorted_keys, p.segments, d->keys, d->n_keys, bits_for(d->n_segments),
                                  p.scratch, p.scratch_bytes, err));
    PEN_TRY(check_counts(exec, &p, d->begin, d->n_keys, d->n_segments, "deal_keys", err));
    return pen_device_copy(exec, d->dealt, sorted_keys, (size_t)d->begin[d->n_segments] * sizeof *sorted_keys, err);
}
