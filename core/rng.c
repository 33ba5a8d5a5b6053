/* Philox4x32 with ten rounds (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3; SC 2011).
 * Key: the seed. Counter: index (low, high), stream (low, high). */
#include "core/rng.h"

#include "core/status.h"

#include <math.h>

__extension__ typedef unsigned __int128 uint128;

struct pen_rng_block pen_rng_at(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t c0 = (uint32_t)index;
    uint32_t c1 = (uint32_t)(index >> 32);
    uint32_t c2 = (uint32_t)stream;
    uint32_t c3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed;
    uint32_t k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53U * c0;
        uint64_t p1 = (uint64_t)0xCD9E8D57U * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9U;
        k1 += 0xBB67AE85U;
    }
    return (struct pen_rng_block){{c0, c1, c2, c3}};
}

static uint64_t bits_at(uint64_t seed, uint64_t stream, uint64_t index)
{
    struct pen_rng_block block = pen_rng_at(seed, stream, index);
    return (uint64_t)block.word[0] << 32 | block.word[1];
}

double pen_rng_uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
    return (double)(bits_at(seed, stream, index) >> 11) * 0x1p-53;
}

double pen_rng_normal(uint64_t seed, uint64_t stream, uint64_t index)
{
    /* Box and Muller (1958); 1 - u keeps the logarithm finite. */
    struct pen_rng_block block = pen_rng_at(seed, stream, index);
    double u = (double)(((uint64_t)block.word[0] << 32 | block.word[1]) >> 11) * 0x1p-53;
    double v = (double)(((uint64_t)block.word[2] << 32 | block.word[3]) >> 11) * 0x1p-53;
    return sqrt(-2.0 * log(1.0 - u)) * cos(6.283185307179586 * v);
}

uint64_t pen_rng_below(uint64_t seed, uint64_t stream, uint64_t index, uint64_t n)
{
    PEN_ASSERT(n > 0);
    /* Multiply-shift: the bias is below n / 2^64. */
    return (uint64_t)(((uint128)bits_at(seed, stream, index) * n) >> 64);
}

/* Four Feistel rounds over 2 x half_bits; values past n walk the cycle until they fall below it. */
uint64_t pen_rng_permute(uint64_t seed, uint64_t stream, uint64_t index, uint64_t n)
{
    PEN_ASSERT(index < n);
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
            uint64_t mixed = pen_rng_at(seed, stream, right << 2 | round).word[0];
            uint64_t next = left ^ (mixed & mask);
            left = right;
            right = next;
        }
        value = left << half_bits | right;
    } while (value >= n);
    return value;
}
