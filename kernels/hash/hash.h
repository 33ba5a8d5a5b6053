/* Hash buckets of strings.
 *
 * formula      ids[w] = MurmurHash3_x86_32(string w, seed) mod n_buckets, unsigned; w = which[i], 0 <= i < n
 * shapes       string w is bytes[starts[w] .. starts[w] + sizes[w]); sizes NULL: up to starts[w + 1]
 * dtypes       UTF-8 bytes to int32; 1 <= n_buckets <= 2^31 - 1
 * aliasing     none
 * special      the empty string with seed 0 hashes to 0
 * workspace    0 bytes
 * determinism  exact: the values of ONNX Runtime's com.microsoft MurmurHash3 on the same bytes
 * cost         the strings' bytes, once: callers hash each dictionary entry, not each row
 * errors       PEN_ERR_SHAPE
 * backward     none */
#ifndef PEN_KERNELS_HASH_HASH_H
#define PEN_KERNELS_HASH_HASH_H

#include "core/status.h"
#include "kernels/exec.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_hash_strings {
    int64_t n;
    const int32_t *which; /* NULL: 0 .. n - 1 */
    const int64_t *starts;
    const int32_t *sizes;
    const char *bytes;
    uint32_t seed;
    int64_t n_buckets;
    int32_t *ids;
};
typedef pen_status pen_hash_strings_fn(struct pen_exec *exec, const struct pen_hash_strings *hash,
                                       struct pen_error *err);
pen_hash_strings_fn pen_hash_strings_cpu, pen_hash_strings_cuda;

#ifdef __cplusplus
}
#endif

#endif
