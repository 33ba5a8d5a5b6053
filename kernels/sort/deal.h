/* Dealing rows, or sorted keys, out to segments: a stable counting sort by the segment of each row.
 *
 * deal_rows
 * formula      rows[begin[s] .. begin[s + 1]) = the row numbers r with segment[r] = s, rising; 0 <= r < n
 * deal_keys
 * formula      dealt[begin[s] .. begin[s + 1]) = the keys whose row (pen_sort_key_row) has segment s, in their order
 *
 * shapes       segment: [n rows]; keys: [n_keys]; rows, dealt: [begin[n_segments]]; begin: host, [n_segments + 1],
 *              begin[0] = 0, the caller's count of each segment
 * dtypes       i32 segments, u32 rows, u64 keys; 0 <= n < 2^31
 * aliasing     none
 * special      a segment below 0 or not below n_segments: the row is dealt to nobody
 * workspace    allocated: 8 bytes a segment and block of rows (CUDA: 16 to 32 bytes a row)
 * determinism  the result is unique, so bit-identical everywhere, whatever the thread count
 * error bound  exact
 * cost         4 n + 8 n bytes (rows), 16 n + a read of 4 bytes at random for each key (keys)
 * errors       PEN_ERR_SHAPE (a size below 0, n >= 2^31, counts that are not begin's), PEN_ERR_MEMORY
 * backward     none */
#ifndef PEN_KERNELS_SORT_DEAL_H
#define PEN_KERNELS_SORT_DEAL_H

#include "core/status.h"
#include "kernels/exec.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_deal_rows {
    int64_t n;
    const int32_t *segment;
    int64_t n_segments;
    const int64_t *begin; /* host */
    uint32_t *rows;
};
typedef pen_status pen_deal_rows_fn(struct pen_exec *exec, const struct pen_deal_rows *deal, struct pen_error *err);
pen_deal_rows_fn pen_deal_rows_cpu, pen_deal_rows_cuda;

struct pen_deal_keys {
    int64_t n_keys;
    const uint64_t *keys;
    const int32_t *segment; /* by row */
    int64_t n_segments;
    const int64_t *begin; /* host */
    uint64_t *dealt;
};
typedef pen_status pen_deal_keys_fn(struct pen_exec *exec, const struct pen_deal_keys *deal, struct pen_error *err);
pen_deal_keys_fn pen_deal_keys_cpu, pen_deal_keys_cuda;

#ifdef __cplusplus
}
#endif

#endif
