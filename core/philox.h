/* The generator behind core/rng.h as inline functions, so that device code draws the same bits as the host: Philox4x32
 * with ten rounds (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3; SC 2011). Key: the seed.
 * Counter: index (low, high), stream (low, high). */
#ifndef PEN_CORE_PHILOX_H
#define PEN_CORE_PHILOX_H

#include "core/rng.h"

#ifdef __CUDACC__
#define PEN_HOST_DEVICE __host__ __device__
#else
#define PEN_HOST_DEVICE
#endif

/* pen_rng_at */
PEN_HOST_DEVICE static inline struct pen_rng_block pen_philox_at(uint64_t seed, uint64_t stream, uint64_t index)
{
    struct pen_rng_block c = {{(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
    uint32_t k0 = (uint32_t)seed;
    uint32_t k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53U * c.word[0];
        uint64_t p1 = (uint64_t)0xCD9E8D57U * c.word[2];
        c.word[0] = (uint32_t)(p1 >> 32) ^ c.word[1] ^ k0;
        c.word[2] = (uint32_t)(p0 >> 32) ^ c.word[3] ^ k1;
        c.word[1] = (uint32_t)p1;
        c.word[3] = (uint32_t)p0;
        k0 += 0x9E3779B9U;
        k1 += 0xBB67AE85U;
    }
    return c;
}

/* pen_rng_permute: four Feistel rounds over 2 x half_bits; values past n walk the cycle until they fall below it. */
PEN_HOST_DEVICE static inline uint64_t pen_philox_permute(uint64_t seed, uint64_t stream, uint64_t index, uint64_t n)
{
    int half_bits = 1;
    while (half_bits < 32 && (1ULL << (2 * half_bits)) < n) {
        half_bits++;
    }
    uint64_t mask = (1ULL << half_bits) - 1;
    uint64_t value = index;
    do {
        uint64_t left = value >> half_bits;
        uint64_t right = value & mask;
        for (uint64_t round = 0; round < 4; round++) {
            uint64_t mixed = pen_philox_at(seed, stream, right << 2 | round).word[0];
            uint64_t next = left ^ (mixed & mask);
            left = right;
            right = next;
        }
        value = left << half_bits | right;
    } while (value >= n);
    return value;
}

#endif
