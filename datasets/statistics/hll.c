/* HyperLogLog registers and Ertl's estimator (hll.h). */
#include "datasets/statistics/hll.h"

#include <math.h>

void pen_hll_add(struct pen_hll *hll, uint64_t hash)
{
    uint32_t update = pen_hll_update(hash);
    uint8_t *slot = &hll->registers[update >> 8];
    if ((uint8_t)update > *slot) {
        *slot = (uint8_t)update;
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
