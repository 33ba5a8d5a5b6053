/* Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011), keyed by (seed, stream, index), so that
 * thread count, batch size and order of evaluation change nothing. */
#ifndef PEN_CORE_RNG_H
#define PEN_CORE_RNG_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pen_rng_block {
    uint32_t word[4];
};

/* The four words at (seed, stream, index). Streams name purposes (initial weights, shuffle, dropout of layer 2). */
struct pen_rng_block pen_rng_at(uint64_t seed, uint64_t stream, uint64_t index);

double pen_rng_uniform(uint64_t seed, uint64_t stream, uint64_t index);             /* [0, 1), 53 bits */
double pen_rng_normal(uint64_t seed, uint64_t stream, uint64_t index);              /* mean 0, standard deviation 1 */
uint64_t pen_rng_below(uint64_t seed, uint64_t stream, uint64_t index, uint64_t n); /* [0, n), n > 0 */

/* A fixed pseudo-random permutation of 0..n-1, evaluated at one index in O(1) without a table (Feistel network with
 * cycle walking): the shuffled order of an epoch. */
uint64_t pen_rng_permute(uint64_t seed, uint64_t stream, uint64_t index, uint64_t n);

#ifdef __cplusplus
}
#endif

#endif
