/* HyperLogLog registers and Ertl's estimator (hll.h). */
#include "datasets/statistics/hll.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 1024 };

void pen_hll_add(struct pen_hll *hll, uint64_t hash)
{
    uint32_t update = pen_hll_update(hash);
    uint8_t *slot = &hll->registers[update >> 8];
    if ((uint8_t)update > *slot) {
        *slot = (uint8_t)update;
    }
}

/* What a block does to the registers; then one look each, nearly always without a change. */
static inline __attribute__((always_inline)) void add_block_body(uint8_t *registers, const char *cells, int64_t n_cells)
{
    uint32_t updates[BLOCK];
    for (int64_t i = 0; i < n_cells; i++) {
        uint64_t cell;
        memcpy(&cell, cells + 8 * i, sizeof cell);
        updates[i] = pen_hll_update(cell);
    }
    for (int64_t i = 0; i < n_cells; i++) {
        uint32_t slot = updates[i] >> 8;
        uint8_t rank = (uint8_t)updates[i];
        if (__builtin_expect(rank > registers[slot], 0)) {
            registers[slot] = rank;
        }
    }
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq,avx512cd,avx512vl,lzcnt,prefer-vector-width=512"))) static void
add_block_avx512(uint8_t *registers, const char *cells, int64_t n_cells)
{
    add_block_body(registers, cells, n_cells);
}

__attribute__((target("avx2,lzcnt"))) static void add_block_avx2(uint8_t *registers, const char *cells, int64_t n_cells)
{
    add_block_body(registers, cells, n_cells);
}
#endif

static void add_block(uint8_t *registers, const char *cells, int64_t n_cells)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512vl")) {
        add_block_avx512(registers, cells, n_cells);
        return;
    }
    if (__builtin_cpu_supports("avx2")) {
        add_block_avx2(registers, cells, n_cells);
        return;
    }
#endif
    add_block_body(registers, cells, n_cells);
}

void pen_hll_add_cells(struct pen_hll *hll, const void *cells, int64_t n_cells)
{
    for (int64_t first = 0; first < n_cells; first += BLOCK) {
        add_block(hll->registers, (const char *)cells + 8 * first, n_cells - first < BLOCK ? n_cells - first : BLOCK);
    }
}

void pen_hll_merge(struct pen_hll *hll, const struct pen_hll *other)
{
    for (int i = 0; i < PEN_HLL_REGISTERS; i++) {
        if (other->registers[i] > hll->registers[i]) {
            hll->registers[i] = other->registers[i];
        }
    }
}

static double sigma(double x)
{
    if (x >= 1.0) {
        return INFINITY;
    }
    double y = 1.0, z = x, previous;
    do {
        x *= x;
        previous = z;
        z += x * y;
        y += y;
    } while (z > previous);
    return z;
}

static double tau(double x)
{
    if (x <= 0.0 || x >= 1.0) {
        return 0.0;
    }
    double y = 1.0, z = 1.0 - x, previous;
    do {
        x = sqrt(x);
        previous = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
    } while (z < previous);
    return z / 3.0;
}

double pen_hll_estimate(const struct pen_hll *hll)
{
    enum { LEVELS = 64 - PEN_HLL_BITS };
    const double m = PEN_HLL_REGISTERS;
    int64_t histogram[LEVELS + 2] = {0};
    for (int i = 0; i < PEN_HLL_REGISTERS; i++) {
        histogram[hll->registers[i] <= LEVELS + 1 ? hll->registers[i] : LEVELS + 1]++;
    }
    double z = m * tau(1.0 - (double)histogram[LEVELS + 1] / m);
    for (int level = LEVELS; level >= 1; level--) {
        z = 0.5 * (z + (double)histogram[level]);
    }
    z += m * sigma((double)histogram[0] / m);
    return m * m / (2.0 * log(2.0) * z);
}

double pen_hll_error(void)
{
    return 1.04 / sqrt((double)PEN_HLL_REGISTERS);
}
