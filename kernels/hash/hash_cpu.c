/* Hash buckets on the CPU: core's MurmurHash3, string by string. */
#include "kernels/hash/hash.h"

#include "core/hash.h"

pen_status pen_hash_strings_cpu(struct pen_exec *exec, const struct pen_hash_strings *h, struct pen_error *err)
{
    if (h->n < 0 || h->n_buckets < 1 || h->n_buckets > INT32_MAX) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "hash_strings: expected n >= 0 and 1 <= n_buckets < 2^31, found %lld and %lld",
                 (long long)h->n, (long long)h->n_buckets);
    }
    for (int64_t i = 0; i < h->n; i++) {
        int64_t w = h->which == NULL ? i : h->which[i];
        size_t size = (size_t)(h->sizes == NULL ? h->starts[w + 1] - h->starts[w] : h->sizes[w]);
        h->ids[w] = (int32_t)(pen_murmur3_32(h->bytes + h->starts[w], size, h->seed) % (uint32_t)h->n_buckets);
    }
    return PEN_OK;
}
