/* Sorting of scores, for everything that ranks.
 *
 * formula      keys[i] = order(score) << 32 | row << 1 | (classes[row] == positive), ascending by score, then by row;
 *              order() maps float32 to uint32 so that unsigned order is numeric order, -0 = +0, every NaN last
 * shapes       scores: [n], stride in elements; classes: [n]; keys, scratch: [n]; 0 <= n < 2^31
 * dtypes       f32 scores, i32 classes, u64 keys
 * aliasing     none
 * special      NaN of any sign and payload: order 0xffffffff
 * workspace    scratch, 8 n bytes, the caller's
 * determinism  the result is unique, so bit-identical everywhere, whatever the thread count
 * error bound  exact
 * cost         about 4 * 16 n bytes (radix sort, three digits of the 32 order bits; a digit equal in all is skipped)
 * errors       PEN_ERR_SHAPE
 * backward     none */
#ifndef PEN_KERNELS_SORT_SORT_H
#define PEN_KERNELS_SORT_SORT_H

#include "core/status.h"
#include "kernels/exec.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_sort_scores {
    int64_t n;
    const float *scores;
    int64_t stride;
    const int32_t *classes;
    int32_t positive;
    uint64_t *keys;
    uint64_t *scratch;
};

typedef pen_status pen_sort_scores_fn(struct pen_exec *exec, const struct pen_sort_scores *sort, struct pen_error *err);
pen_sort_scores_fn pen_sort_scores_cpu, pen_sort_scores_cuda;

#define PEN_SORT_MOST_ROWS (INT64_C(1) << 31)

static inline uint32_t pen_sort_key_order(uint64_t key)
{
    return (uint32_t)(key >> 32);
}

static inline uint32_t pen_sort_key_row(uint64_t key)
{
    return (uint32_t)key >> 1;
}

static inline bool pen_sort_key_positive(uint64_t key)
{
    return (key & 1) != 0;
}

/* The score a key was made from (+0 for -0, one NaN for all). */
PEN_API float pen_sort_key_score(uint64_t key);

#ifdef __cplusplus
}
#endif

#endif
