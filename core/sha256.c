/* SHA-256 (FIPS 180-4): the plain rounds, and the same with the SHA instructions where the processor has them. Those
 * wait for each other within one message, so that two messages side by side take hardly longer than one. */
#include "core/sha256_internal.h"

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

void pen_sha256_rounds_plain(uint32_t state[8], const uint8_t *data, size_t n_blocks)
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
#define SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))

/* One message's state as ABEF and CDGH, the order the instructions want, and the last 16 words of its schedule. */
struct lane {
    __m128i abef, cdgh, w[4];
};

SHA_TARGET static inline void load_state(struct lane *lane, const uint32_t state[8])
{
    const __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xB1);
    const __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1B);
    lane->abef = _mm_alignr_epi8(low, high, 8);
    lane->cdgh = _mm_blend_epi16(high, low, 0xF0);
}

SHA_TARGET static inline void store_state(const struct lane *lane, uint32_t state[8])
{
    const __m128i low = _mm_shuffle_epi32(lane->abef, 0x1B);
    const __m128i high = _mm_shuffle_epi32(lane->cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(low, high, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

/* Rounds 4 * i to 4 * i + 3. */
SHA_TARGET __attribute__((always_inline)) static inline void four_rounds(struct lane *lane, const uint8_t *data, int i)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i *w = lane->w;
    __m128i words;
    if (i < 4) {
        words = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i)), swap);
    } else {
        const __m128i earlier = _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4);
        words = _mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]);
        words = _mm_sha256msg2_epu32(_mm_add_epi32(words, earlier), w[(i + 3) & 3]);
    }
    w[i & 3] = words;
    const __m128i wk = _mm_add_epi32(words, _mm_loadu_si128((const __m128i *)(const void *)(K + 4 * i)));
    lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, wk);
    lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, _mm_shuffle_epi32(wk, 0x0E));
}

SHA_TARGET static void rounds_sha(uint32_t state[8], const uint8_t *data, size_t n_blocks)
{
    struct lane lane;
    load_state(&lane, state);
    for (; n_blocks > 0; n_blocks--, data += 64) {
        const __m128i abef = lane.abef;
        const __m128i cdgh = lane.cdgh;
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            four_rounds(&lane, data, i);
        }
        lane.abef = _mm_add_epi32(lane.abef, abef);
        lane.cdgh = _mm_add_epi32(lane.cdgh, cdgh);
    }
    store_state(&lane, state);
}

SHA_TARGET static void rounds_sha_pair(uint32_t *const state[2], const uint8_t *const data[2], size_t n_blocks)
{
    struct lane a;
    struct lane b;
    load_state(&a, state[0]);
    load_state(&b, state[1]);
    for (size_t block = 0; block < n_blocks; block++) {
        const struct lane start_a = a;
        const struct lane start_b = b;
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            four_rounds(&a, data[0] + 64 * block, i);
            four_rounds(&b, data[1] + 64 * block, i);
        }
        a.abef = _mm_add_epi32(a.abef, start_a.abef);
        a.cdgh = _mm_add_epi32(a.cdgh, start_a.cdgh);
        b.abef = _mm_add_epi32(b.abef, start_b.abef);
        b.cdgh = _mm_add_epi32(b.cdgh, start_b.cdgh);
    }
    store_state(&a, state[0]);
    store_state(&b, state[1]);
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

static bool use_sha(void)
{
    static int known; /* 0: not asked yet, 1: plain, 2: SHA instructions; every thread finds the same */
    int have = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (have == 0) {
        have = has_sha() ? 2 : 1;
        __atomic_store_n(&known, have, __ATOMIC_RELAXED);
    }
    return have == 2;
}
#else
static bool use_sha(void)
{
    return false;
}

static void rounds_sha(uint32_t state[8], const uint8_t *data, size_t n_blocks)
{
    pen_sha256_rounds_plain(state, data, n_blocks);
}

static void rounds_sha_pair(uint32_t *const state[2], const uint8_t *const data[2], size_t n_blocks)
{
    for (int i = 0; i < 2; i++) {
        pen_sha256_rounds_plain(state[i], data[i], n_blocks);
    }
}
#endif

void pen_sha256_rounds(uint32_t state[8], const uint8_t *data, size_t n_blocks)
{
    if (use_sha()) {
        rounds_sha(state, data, n_blocks);
    } else {
        pen_sha256_rounds_plain(state, data, n_blocks);
    }
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
        pen_sha256_rounds(hash->state, hash->block, 1);
    }
    pen_sha256_rounds(hash->state, data, size_bytes / 64);
    if ((size_bytes & 63) != 0) {
        memcpy(hash->block, data + (size_bytes & ~(size_t)63), size_bytes & 63);
    }
}

/* What follows the last whole block: the rest, a one bit, zeros, the length. Returns its blocks. */
static size_t make_tail(uint8_t tail[128], const uint8_t *rest, uint64_t size_bytes)
{
    const size_t filled = size_bytes & 63;
    const size_t end = filled < 56 ? 64 : 128;
    memset(tail, 0, 128);
    memcpy(tail, rest, filled);
    tail[filled] = 0x80;
    for (size_t i = 0; i < 8; i++) {
        tail[end - 1 - i] = (uint8_t)(size_bytes * 8 >> (8 * i));
    }
    return end / 64;
}

static void put_digest(const uint32_t state[8], uint8_t digest[PEN_SHA256_BYTES])
{
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 4; j++) {
            digest[4 * i + j] = (uint8_t)(state[i] >> (24 - 8 * j));
        }
    }
}

void pen_sha256_final(struct pen_sha256 *hash, uint8_t digest[PEN_SHA256_BYTES])
{
    uint8_t tail[128];
    const size_t n_blocks = make_tail(tail, hash->block, hash->size_bytes);
    pen_sha256_rounds(hash->state, tail, n_blocks);
    put_digest(hash->state, digest);
}

/* A message as two runs of blocks: those in place, then its tail. */
struct runs {
    uint8_t tail[128];
    const uint8_t *data[2];
    size_t n_blocks[2];
    int at;
};

static void skip_empty_runs(struct runs *runs)
{
    while (runs->at < 2 && runs->n_blocks[runs->at] == 0) {
        runs->at++;
    }
}

static void take_blocks(struct runs *runs, size_t n_blocks)
{
    runs->data[runs->at] += 64 * n_blocks;
    runs->n_blocks[runs->at] -= n_blocks;
    skip_empty_runs(runs);
}

void pen_sha256_pair(const void *const messages[2], const size_t sizes[2], uint8_t digests[2][PEN_SHA256_BYTES])
{
    struct pen_sha256 hashes[2];
    struct runs runs[2];
    uint32_t *const states[2] = {hashes[0].state, hashes[1].state};
    for (int m = 0; m < 2; m++) {
        const uint8_t *data = messages[m];
        const size_t whole = sizes[m] & ~(size_t)63;
        pen_sha256_init(&hashes[m]);
        runs[m].data[0] = data;
        runs[m].data[1] = runs[m].tail;
        runs[m].n_blocks[0] = whole / 64;
        runs[m].n_blocks[1] = make_tail(runs[m].tail, data + whole, sizes[m]);
        runs[m].at = 0;
        skip_empty_runs(&runs[m]);
    }
    while (use_sha() && runs[0].at < 2 && runs[1].at < 2) {
        const uint8_t *const data[2] = {runs[0].data[runs[0].at], runs[1].data[runs[1].at]};
        const size_t left[2] = {runs[0].n_blocks[runs[0].at], runs[1].n_blocks[runs[1].at]};
        const size_t n_blocks = left[0] < left[1] ? left[0] : left[1];
        rounds_sha_pair(states, data, n_blocks);
        take_blocks(&runs[0], n_blocks);
        take_blocks(&runs[1], n_blocks);
    }
    for (int m = 0; m < 2; m++) {
        for (; runs[m].at < 2; runs[m].at++) {
            pen_sha256_rounds(states[m], runs[m].data[runs[m].at], runs[m].n_blocks[runs[m].at]);
        }
        put_digest(states[m], digests[m]);
    }
}
