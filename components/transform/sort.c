/* Radix sort of doubles, eleven bits at a time.
 *
 * First on the place between the smallest and the largest value, in 22 bits: two rounds, and what shares a place is put
 * in order by insertion. Where too many values share a place (a far outlier does that), the sort starts again on all 64
 * bits, in an order that agrees with the values. */
#include "components/transform/sort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 11, N_VALUES = 1 << DIGIT_BITS, N_DIGITS = 6, FEW = 256 };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Negative numbers turned over, others above them. */
static uint64_t key_of(double value)
{
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | (uint64_t)1 << 63);
}

static double value_of(uint64_t key)
{
    double value = 0;
    uint64_t bits = key ^ ((uint64_t)((int64_t)~key >> 63) | (uint64_t)1 << 63);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int digit_of(uint64_t key, int digit)
{
    return (int)(key >> (digit * DIGIT_BITS) & (N_VALUES - 1));
}

/* Counts become places; false: all keys share this digit, and it tells nothing. */
static bool places_of(int32_t *counts, int64_t n)
{
    int32_t sum = 0;
    bool tells = true;
    for (int v = 0; v < N_VALUES; v++) {
        int32_t count = counts[v];
        tells = tells && count != n;
        counts[v] = sum;
        sum += count;
    }
    return tells;
}

static void sort_by_bits(double *values, int64_t n, double *scratch)
{
    int32_t counts[N_DIGITS][N_VALUES];
    memset(counts, 0, sizeof counts);
    uint64_t key = 0;
    for (int64_t i = 0; i < n; i++) {
        key = key_of(values[i]);
        memcpy(&values[i], &key, sizeof key);
        for (int d = 0; d < N_DIGITS; d++) {
            counts[d][digit_of(key, d)]++;
        }
    }
    double *from = values, *to = scratch;
    for (int d = 0; d < N_DIGITS; d++) {
        if (!places_of(counts[d], n)) {
            continue;
        }
        for (int64_t i = 0; i < n; i++) {
            memcpy(&key, &from[i], sizeof key);
            memcpy(&to[counts[d][digit_of(key, d)]++], &key, sizeof key);
        }
        double *other = from;
        from = to;
        to = other;
    }
    for (int64_t i = 0; i < n; i++) {
        memcpy(&key, &from[i], sizeof key);
        values[i] = value_of(key);
    }
}

void pen_find_ends(const double *values, int64_t n, double *low, double *high)
{
    enum { LANES = 8 }; /* so that one comparison does not wait for another, and two are made at once */
    double lows[LANES], highs[LANES];
    int64_t i = 0;
    for (int k = 0; k < LANES; k++) {
        lows[k] = values[0];
        highs[k] = values[0];
    }
    for (; i + LANES <= n; i += LANES) {
        for (int k = 0; k < LANES; k++) {
            lows[k] = values[i + k] < lows[k] ? values[i + k] : lows[k];
            highs[k] = values[i + k] > highs[k] ? values[i + k] : highs[k];
        }
    }
    for (; i < n; i++) {
        lows[0] = values[i] < lows[0] ? values[i] : lows[0];
        highs[0] = values[i] > highs[0] ? values[i] : highs[0];
    }
    for (int k = 1; k < LANES; k++) {
        lows[0] = lows[k] < lows[0] ? lows[k] : lows[0];
        highs[0] = highs[k] > highs[0] ? highs[k] : highs[0];
    }
    *low = lows[0];
    *high = highs[0];
}

/* False: too many values are far from their place. */
static bool insert_all(double *values, int64_t n)
{
    enum { MOST_STEPS = 4 }; /* a value, on average */
    int64_t steps = 0;
    for (int64_t i = 1; i < n; i++) {
        double value = values[i];
        int64_t k = i;
        for (; k > 0 && values[k - 1] > value; k--) {
            values[k] = values[k - 1];
        }
        values[k] = value;
        steps += i - k;
        if (steps > MOST_STEPS * n) {
            return false;
        }
    }
    return true;
}

/* False: the values are as they were, but in another order. */
static bool sort_by_place(double *values, int64_t n, double *scratch)
{
    int32_t counts[2][N_VALUES];
    double low = 0, high = 0;
    pen_find_ends(values, n, &low, &high);
    double scale = ((double)(N_VALUES * N_VALUES) - 1) / (high - low);
    if (low == high || !isfinite(scale) || !isfinite(high - low)) {
        return low == high;
    }
    memset(counts, 0, sizeof counts);
    for (int64_t i = 0; i < n; i++) {
        uint32_t place = (uint32_t)((values[i] - low) * scale);
        counts[0][place % N_VALUES]++;
        counts[1][place / N_VALUES]++;
    }
    (void)places_of(counts[0], n);
    (void)places_of(counts[1], n);
    for (int64_t i = 0; i < n; i++) {
        uint32_t place = (uint32_t)((values[i] - low) * scale);
        scratch[counts[0][place % N_VALUES]++] = values[i];
    }
    for (int64_t i = 0; i < n; i++) {
        uint32_t place = (uint32_t)((scratch[i] - low) * scale);
        values[counts[1][place / N_VALUES]++] = scratch[i];
    }
    return insert_all(values, n);
}

void pen_sort_doubles(double *values, int64_t n, double *scratch)
{
    if (n < FEW) {
        qsort(values, (size_t)n, sizeof *values, compare);
    } else if (!sort_by_place(values, n, scratch)) {
        sort_by_bits(values, n, scratch);
    }
}
