/* SHA-256 (FIPS 180-4): the plain rounds, and the same with the SHA instructions where the processor has them. */
#include "core/hash.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotr(uint32_t x, int n)
{
    return (x >> n) | (x << (32 - n));
}

static void rounds_plain(uint32_t state[8], const uint8_t *data, size_t n_blocks)
{
    for (; n_blocks > 0; n_blocks--, data += 64) {
        uint32_t w[64];
        for (int i = 0; i < 16; i++) {
            w[i] = (uint32_t)data[4 * i] << 24 | (uint32_t)data[4 * i + 1] << 16 | (uint32_t)data[4 * i + 2] << 8 |
                   (uint32_t)data[4 * i + 3];
        }
        for (int i = 16; i < 64; i++) {
            uint32_t s0 = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
            uint32_t s1 = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
            w[i] = w[i - 16] + s0 + w[i - 7] + s1;
        }
        uint32_t v[8];
        memcpy(v, state, sizeof v);
        for (int i = 0; i < 64; i++) {
            uint32_t s1 = rotr(v[4], 6) ^ rotr(v[4], 11) ^ rotr(v[4], 25);
            uint32_t choose = (v[4] & v[5]) ^ (~v[4] & v[6]);
            uint32_t t1 = v[7] + s1 + choose + K[i] + w[i];
            uint32_t s0 = rotr(v[0], 2) ^ rotr(v[0], 13) ^ rotr(v[0], 22);
            uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
            memmove(v + 1, v, 7 * sizeof v[0]);
            v[4] += t1;
            v[0] = t1 + s0 + majority;
        }
        for (int i = 0; i < 8; i++) {
            state[i] += v[i];
        }
    }
}

#if defined(__x86_64__)
/* State lives as ABEF and CDGH, the order the instructions want. */
__attribute__((target("sha,sse4.1,ssse3"))) static void rounds_sha(uint32_t state[8], const uint8_t *data,
                                                                   size_t n_blocks)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i low = _mm_loadu_si128((const __m128i *)(const void *)state);
    __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(state + 4));
    low = _mm_shuffle_epi32(low, 0xB1);
    high = _mm_shuffle_epi32(high, 0x1B);
    __m128i abef = _mm_alignr_epi8(low, high, 8);
    __m128i cdgh = _mm_blend_epi16(high, low, 0xF0);
    for (; n_blocks > 0; n_blocks--, data += 64) {
        __m128i abef_start = abef;
        __m128i cdgh_start = cdgh;
        __m128i w[4];
        for (int i = 0; i < 4; i++) {
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i)), swap);
        }
        for (int i = 0; i < 16; i++) {
            __m128i words = w[i & 3];
            if (i >= 4) {
                __m128i earlier = _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4);
                words = _mm_sha256msg1_epu32(words, w[(i + 1) & 3]);
                words = _mm_sha256msg2_epu32(_mm_add_epi32(words, earlier), w[(i + 3) & 3]);
                w[i & 3] = words;
            }
            __m128i wk = _mm_add_epi32(words, _mm_loadu_si128((const __m128i *)(const void *)(K + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0E));
        }
        abef = _mm_add_epi32(abef, abef_start);
        cdgh = _mm_add_epi32(cdgh, cdgh_start);
    }
    low = _mm_shuffle_epi32(abef, 0x1B);
    high = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(low, high, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

__attribute__((target("xsave"))) static bool has_sha(void)
{
    unsigned a = 7;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return ((b >> 29) & 1U) != 0 && __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3");
}
#endif

static void rounds(uint32_t state[8], const uint8_t *data, size_t n_blocks)
{
#if defined(__x86_64__)
    static int known; /* 0: not asked yet, 1: plain, 2: SHA instructions; every thread finds the same */
    int have = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (have == 0) {
        have = has_sha() ? 2 : 1;
        __atomic_store_n(&known, have, __ATOMIC_RELAXED);
    }
    if (have == 2) {
        rounds_sha(state, data, n_blocks);
        return;
    }
#endif
    rounds_plain(state, data, n_blocks);
}

void pen_sha256_init(struct pen_sha256 *hash)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(hash->state, start, sizeof start);
    hash->size_bytes = 0;
}

void pen_sha256_update(struct pen_sha256 *hash, const void *bytes, size_t size_bytes)
{
    const uint8_t *data = bytes;
    size_t filled = hash->size_bytes & 63;
    hash->size_bytes += size_bytes;
    if (filled > 0) {
        size_t take = 64 - filled < size_bytes ? 64 - filled : size_bytes;
        memcpy(hash->block + filled, data, take);
        data += take;
        size_bytes -= take;
        if (filled + take < 64) {
            return;
        }
        rounds(hash->state, hash->block, 1);
    }
    rounds(hash->state, data, size_bytes / 64);
    if ((size_bytes & 63) != 0) {
        memcpy(hash->block, data + (size_bytes & ~(size_t)63), size_bytes & 63);
    }
}

void pen_sha256_final(struct pen_sha256 *hash, uint8_t digest[PEN_SHA256_BYTES])
{
    size_t filled = hash->size_bytes & 63;
    uint64_t bits = hash->size_bytes * 8;
    uint8_t tail[128] = {0};
    memcpy(tail, hash->block, filled);
    tail[filled] = 0x80;
    size_t end = filled < 56 ? 64 : 128;
    for (size_t i = 0; i < 8; i++) {
        tail[end - 1 - i] = (uint8_t)(bits >> (8 * i));
    }
    rounds(hash->state, tail, end / 64);
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 4; j++) {
            digest[4 * i + j] = (uint8_t)(hash->state[i] >> (24 - 8 * j));
        }
    }
}
