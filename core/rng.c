/* Numbers of every kind from the words of core/philox.h. */
#include "core/rng.h"

#include "core/philox.h"
#include "core/status.h"

#include <math.h>

__extension__ typedef unsigned __int128 uint128;

struct pen_rng_block pen_rng_at(uint64_t seed, uint64_t stream, uint64_t index)
{
    return pen_philox_at(seed, stream, index);
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

uint64_t pen_rng_permute(uint64_t seed, uint64_t stream, uint64_t index, uint64_t n)
{
    PEN_ASSERT(index < n);
    return pen_philox_permute(seed, stream, index, n);
}
