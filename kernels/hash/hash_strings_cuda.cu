/* A thread hashes a string, byte by byte from the cache: strings begin anywhere, so there are no words to read, and
 * each hash depends on the one before. That is still far faster than the strings reach the device. */
#include "kernels/cuda/exec.cuh"
#include "kernels/hash/hash.h"

static __device__ __forceinline__ uint32_t rotate_left(uint32_t x, int r)
{
    return (x << r) | (x >> (32 - r));
}

/* MurmurHash3_x86_32 (Appleby; definition in the public domain). */
static __device__ uint32_t murmur3(const uint8_t *bytes, int64_t size, uint32_t seed)
{
    const uint32_t c1 = 0xcc9e2d51u, c2 = 0x1b873593u;
    uint32_t h = seed, tail = 0;
    int64_t i = 0;
    for (; i + 4 <= size; i += 4) {
        uint32_t k = (uint32_t)bytes[i] | (uint32_t)bytes[i + 1] << 8 | (uint32_t)bytes[i + 2] << 16 |
                     (uint32_t)bytes[i + 3] << 24;
        h ^= rotate_left(k * c1, 15) * c2;
        h = rotate_left(h, 13) * 5 + 0xe6546b64u;
    }
    for (int64_t j = size; j > i; j--) {
        tail = tail << 8 | bytes[j - 1];
    }
    h ^= rotate_left(tail * c1, 15) * c2; /* no tail: 0 */
    h ^= (uint32_t)size;
    h = (h ^ (h >> 16)) * 0x85ebca6bu;
    h = (h ^ (h >> 13)) * 0xc2b2ae35u;
    return h ^ (h >> 16);
}

static __global__ void hash_k(pen_hash_strings job)
{
    for (int64_t i = pen_cuda_first(); i < job.n; i += pen_cuda_step()) {
        int64_t w = job.which == NULL ? i : job.which[i], start = job.starts[w];
        int64_t size = job.sizes == NULL ? job.starts[w + 1] - start : job.sizes[w];
        uint32_t hash = murmur3(reinterpret_cast<const uint8_t *>(job.bytes) + start, size, job.seed);
        job.ids[w] = (int32_t)(hash % (uint32_t)job.n_buckets);
    }
}

extern "C" pen_status pen_hash_strings_cuda(struct pen_exec *exec, const struct pen_hash_strings *h,
                                            struct pen_error *err)
{
    if (h->n < 0 || h->n_buckets < 1 || h->n_buckets > INT32_MAX) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "hash_strings: expected n >= 0 and 1 <= n_buckets < 2^31, found %lld and %lld",
                 (long long)h->n, (long long)h->n_buckets);
    }
    if (h->n == 0) {
        return PEN_OK;
    }
    PEN_LAUNCH(hash_k, pen_cuda_grid(h->n), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *h);
    PEN_CUDA_LAUNCHED("hash_strings", err);
    return PEN_OK;
}
