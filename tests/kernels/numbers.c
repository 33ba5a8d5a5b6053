/* Seeded inputs and error bounds for the op tests. */
#include "tests/kernels/numbers.h"

#include "core/memory.h"
#include "core/rng.h"
#include "tests/kernels/mirror.h"

double pen_test_product_change(void)
{
    static const double of_a_factor[PEN_PRECISION_COUNT] = {0, 0x1p-10, 0x1p-7};
    double u = of_a_factor[pen_test_exec()->precision];
    return 2 * u + u * u;
}

float *pen_test_floats(int64_t n, uint64_t seed, double low, double high)
{
    float *values = pen_calloc(n, sizeof *values);
    PEN_ASSERT(values != NULL);
    for (int64_t i = 0; i < n; i++) {
        values[i] = (float)(low + (high - low) * pen_rng_uniform(seed, 0, (uint64_t)i));
    }
    return values;
}

int32_t *pen_test_ints(int64_t n, uint64_t seed, int32_t low, int32_t high)
{
    int32_t *values = pen_calloc(n, sizeof *values);
    PEN_ASSERT(values != NULL);
    for (int64_t i = 0; i < n; i++) {
        values[i] = low + (int32_t)pen_rng_below(seed, 1, (uint64_t)i, (uint64_t)((int64_t)high - low));
    }
    return values;
}
