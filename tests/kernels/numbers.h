/* Seeded inputs and error bounds for the op tests. */
#ifndef PEN_TESTS_KERNELS_NUMBERS_H
#define PEN_TESTS_KERNELS_NUMBERS_H

#include <stdint.h>

/* Unit roundoff of float32. */
#define PEN_TEST_EPS 5.9604644775390625e-08

/* Largest relative change of a product whose factors are rounded as the exec under test may (exec.h); 0: exact. */
double pen_test_product_change(void);

/* n values, uniform in [low, high), the same for the same seed; free with pen_free. */
float *pen_test_floats(int64_t n, uint64_t seed, double low, double high);

/* n values in [low, high). */
int32_t *pen_test_ints(int64_t n, uint64_t seed, int32_t low, int32_t high);

#endif
