/* Radix sort of doubles: their bits in an order that agrees with their values, eleven bits at a time. */
#include "components/transform/sort.h"

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

/* Counts become places; false: all keys share this digit. */
static bool places_of(int32_t *counts, int64_t n)
{
    int32_t sum = 0;
    for (int v = 0; v < N_VALUES; v++) {
        int32_t count = counts[v];
        if (count == n) {
            return false;
        }
        counts[v] = sum;
        sum += count;
    }
    return true;
}

void pen_sort_doubles(double *values, int64_t n, double *scratch)
{
    if (n < FEW) {
        qsort(values, (size_t)n, sizeof *values, compare);
        return;
    }
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
