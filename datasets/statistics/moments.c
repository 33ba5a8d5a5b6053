/* Moments of tiles and their joining (moments.h). The tile loops are written on vectors of eight lanes, which compilers
 * turn into SIMD of any width with the same result; one copy each is compiled for AVX-512, AVX2 and the baseline. */
#include "datasets/statistics/moments.h"

#include <math.h>
#include <string.h>

enum { LANES = 8 };
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef int64_t lane_mask __attribute__((vector_size(LANES * sizeof(int64_t))));

struct tile {
    double sum, rest; /* the sum, and what its rounding left over */
    double min, max;
    int64_t n_zeros;
};

/* Adds value to *sum and the rounding of that, by Knuth's two-sum, to *rest. */
static inline __attribute__((always_inline)) void two_sum(double *sum, double *rest, double value)
{
    double total = *sum + value;
    double part = total - *sum;
    *rest += (*sum - (total - part)) + (value - part);
    *sum = total;
}

static inline __attribute__((always_inline)) void tile_sums_body(struct tile *tile, const double *restrict x,
                                                                 int64_t n_values)
{
    double sum[LANES] = {0}, rest[LANES] = {0}, min[LANES], max[LANES];
    int64_t zeros[LANES] = {0}, i = 0;
    lanes sums = {0}, rests = {0}, least = (double)INFINITY - sums, greatest = sums - (double)INFINITY;
    lane_mask n_zeros = {0};
    for (; i + LANES <= n_values; i += LANES) {
        lanes value;
        memcpy(&value, x + i, sizeof value);
        lanes total = sums + value, part = total - sums;
        rests += (sums - (total - part)) + (value - part);
        sums = total;
        lane_mask less = value<least, more = value> greatest;
        least = (lanes)((less & (lane_mask)value) | (~less & (lane_mask)least));
        greatest = (lanes)((more & (lane_mask)value) | (~more & (lane_mask)greatest));
        n_zeros -= value == 0.0; /* true is -1 */
    }
    memcpy(sum, &sums, sizeof sum);
    memcpy(rest, &rests, sizeof rest);
    memcpy(min, &least, sizeof min);
    memcpy(max, &greatest, sizeof max);
    memcpy(zeros, &n_zeros, sizeof zeros);
    for (int lane = 0; i < n_values; i++, lane++) {
        two_sum(&sum[lane], &rest[lane], x[i]);
        min[lane] = x[i] < min[lane] ? x[i] : min[lane];
        max[lane] = x[i] > max[lane] ? x[i] : max[lane];
        zeros[lane] += x[i] == 0.0;
    }
    tile->sum = tile->rest = 0;
    for (int lane = 0; lane < LANES; lane++) {
        two_sum(&tile->sum, &tile->rest, sum[lane]);
        tile->rest += rest[lane];
    }
    tile->min = (double)INFINITY;
    tile->max = -(double)INFINITY;
    tile->n_zeros = 0;
    for (int lane = 0; lane < LANES; lane++) {
        tile->min = min[lane] < tile->min ? min[lane] : tile->min;
        tile->max = max[lane] > tile->max ? max[lane] : tile->max;
        tile->n_zeros += zeros[lane];
    }
}

/* Sums of x - mean and of its square; the first is what rounding took from the mean. */
static inline __attribute__((always_inline)) void tile_deviations_body(double out[2], const double *restrict x,
                                                                       double mean, int64_t n_values)
{
    double sum[LANES], rest[LANES];
    lanes sums = {0}, rests = {0};
    int64_t i = 0;
    for (; i + LANES <= n_values; i += LANES) {
        lanes value;
        memcpy(&value, x + i, sizeof value);
        lanes delta = value - mean;
        rests += delta;
        sums += delta * delta;
    }
    memcpy(sum, &sums, sizeof sum);
    memcpy(rest, &rests, sizeof rest);
    for (int lane = 0; i < n_values; i++, lane++) {
        double delta = x[i] - mean;
        rest[lane] += delta;
        sum[lane] += delta * delta;
    }
    out[0] = ((rest[0] + rest[4]) + (rest[1] + rest[5])) + ((rest[2] + rest[6]) + (rest[3] + rest[7]));
    out[1] = ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

#if defined(__x86_64__)
#define PEN_TARGET(name) __attribute__((target(name)))
PEN_TARGET("avx2") static void tile_sums_avx2(struct tile *tile, const double *x, int64_t n_values)
{
    tile_sums_body(tile, x, n_values);
}

PEN_TARGET("avx512f,avx512dq,prefer-vector-width=512")
static void tile_sums_avx512(struct tile *tile, const double *x, int64_t n_values)
{
    tile_sums_body(tile, x, n_values);
}

PEN_TARGET("avx2") static void tile_deviations_avx2(double out[2], const double *x, double mean, int64_t n_values)
{
    tile_deviations_body(out, x, mean, n_values);
}

PEN_TARGET("avx512f,avx512dq,prefer-vector-width=512")
static void tile_deviations_avx512(double out[2], const double *x, double mean, int64_t n_values)
{
    tile_deviations_body(out, x, mean, n_values);
}
#undef PEN_TARGET
#endif

static void tile_sums(struct tile *tile, const double *x, int64_t n_values)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512dq")) {
        tile_sums_avx512(tile, x, n_values);
        return;
    }
    if (__builtin_cpu_supports("avx2")) {
        tile_sums_avx2(tile, x, n_values);
        return;
    }
#endif
    tile_sums_body(tile, x, n_values);
}

static void tile_deviations(double out[2], const double *x, double mean, int64_t n_values)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512dq")) {
        tile_deviations_avx512(out, x, mean, n_values);
        return;
    }
    if (__builtin_cpu_supports("avx2")) {
        tile_deviations_avx2(out, x, mean, n_values);
        return;
    }
#endif
    tile_deviations_body(out, x, mean, n_values);
}

void pen_moments_init(struct pen_moments *moments)
{
    memset(moments, 0, sizeof *moments);
    moments->min = (double)INFINITY;
    moments->max = -(double)INFINITY;
}

static void add_sum(struct pen_moments *moments, double high, double low)
{
    two_sum(&moments->sum_high, &moments->sum_low, high);
    moments->sum_low += low;
}

static void join_mean(double *mean, double *deviations, double weight, double other_mean, double other_deviations,
                      double other_weight)
{
    double total = weight + other_weight;
    if (!(other_weight > 0)) {
        return;
    }
    double delta = other_mean - *mean;
    *mean = weight > 0 ? *mean + delta * (other_weight / total) : other_mean;
    *deviations += other_deviations + (weight > 0 ? delta * delta * (weight * (other_weight / total)) : 0.0);
}

static void join_tile(struct pen_moments *moments, const struct tile *tile, const double *values, int64_t n_values)
{
    if (n_values == 0) {
        return;
    }
    double n = (double)n_values, mean = (tile->sum + tile->rest) / n, deltas[2];
    tile_deviations(deltas, values, mean, n_values);
    add_sum(moments, tile->sum, tile->rest);
    double deviations = deltas[1] - deltas[0] * (deltas[0] / n);
    join_mean(&moments->mean, &moments->deviations, (double)moments->n_finite, mean, deviations > 0 ? deviations : 0,
              n);
    moments->n_finite += n_values;
    moments->n_zeros += tile->n_zeros;
    moments->min = tile->min < moments->min ? tile->min : moments->min;
    moments->max = tile->max > moments->max ? tile->max : moments->max;
}

/* A sum that is not finite: take out NaN and infinities and sum what is left. */
static void add_special_tile(struct pen_moments *moments, const double *values, int64_t n_values)
{
    double finite[PEN_TILE];
    int64_t n_finite = 0;
    for (int64_t i = 0; i < n_values; i++) {
        if (isfinite(values[i])) {
            finite[n_finite++] = values[i];
        } else if (isnan(values[i])) {
            moments->n_nan++;
        } else if (values[i] > 0) {
            moments->n_positive_inf++;
        } else {
            moments->n_negative_inf++;
        }
    }
    if (n_finite == 0) {
        return;
    }
    struct tile tile;
    tile_sums(&tile, finite, n_finite);
    join_tile(moments, &tile, finite, n_finite);
}

void pen_moments_add(struct pen_moments *moments, const double *values, int64_t n_values)
{
    for (int64_t first = 0; first < n_values; first += PEN_TILE) {
        int64_t n = n_values - first < PEN_TILE ? n_values - first : PEN_TILE;
        struct tile tile;
        tile_sums(&tile, values + first, n);
        if (isfinite(tile.sum)) {
            join_tile(moments, &tile, values + first, n);
        } else {
            add_special_tile(moments, values + first, n);
        }
    }
}

void pen_moments_merge(struct pen_moments *moments, const struct pen_moments *other)
{
    join_mean(&moments->mean, &moments->deviations, (double)moments->n_finite, other->mean, other->deviations,
              (double)other->n_finite);
    add_sum(moments, other->sum_high, other->sum_low);
    moments->n_finite += other->n_finite;
    moments->n_zeros += other->n_zeros;
    moments->n_nan += other->n_nan;
    moments->n_positive_inf += other->n_positive_inf;
    moments->n_negative_inf += other->n_negative_inf;
    moments->min = other->min < moments->min ? other->min : moments->min;
    moments->max = other->max > moments->max ? other->max : moments->max;
}

static bool has_infinity(const struct pen_moments *moments)
{
    return moments->n_positive_inf + moments->n_negative_inf > 0;
}

double pen_moments_mean(const struct pen_moments *moments)
{
    if (has_infinity(moments)) {
        return moments->n_negative_inf == 0   ? (double)INFINITY
               : moments->n_positive_inf == 0 ? -(double)INFINITY
                                              : (double)NAN;
    }
    return moments->n_finite == 0 ? (double)NAN : (moments->sum_high + moments->sum_low) / (double)moments->n_finite;
}

double pen_moments_std(const struct pen_moments *moments)
{
    if (has_infinity(moments) || moments->n_finite == 0) {
        return (double)NAN;
    }
    return sqrt(moments->deviations / (double)moments->n_finite);
}

double pen_moments_min(const struct pen_moments *moments)
{
    if (moments->n_negative_inf > 0) {
        return -(double)INFINITY;
    }
    return moments->n_finite > 0 ? moments->min : moments->n_positive_inf > 0 ? (double)INFINITY : (double)NAN;
}

double pen_moments_max(const struct pen_moments *moments)
{
    if (moments->n_positive_inf > 0) {
        return (double)INFINITY;
    }
    return moments->n_finite > 0 ? moments->max : moments->n_negative_inf > 0 ? -(double)INFINITY : (double)NAN;
}

void pen_weighted_moments_add(struct pen_weighted_moments *moments, const double *values, const double *weights,
                              int64_t n_values)
{
    for (int64_t first = 0; first < n_values; first += PEN_TILE) {
        int64_t end = n_values - first < PEN_TILE ? n_values : first + PEN_TILE;
        struct pen_weighted_moments tile = {0};
        double sum = 0;
        for (int64_t i = first; i < end; i++) {
            if (isfinite(values[i])) {
                tile.weight += weights[i];
                sum += weights[i] * values[i];
            } else if (isnan(values[i])) {
                tile.weight_nan += weights[i];
            } else {
                *(values[i] > 0 ? &tile.weight_positive_inf : &tile.weight_negative_inf) += weights[i];
            }
        }
        tile.mean = tile.weight > 0 ? sum / tile.weight : 0.0;
        for (int64_t i = first; i < end; i++) {
            double delta = isfinite(values[i]) ? values[i] - tile.mean : 0.0;
            tile.deviations += weights[i] * delta * delta;
        }
        pen_weighted_moments_merge(moments, &tile);
    }
}

void pen_weighted_moments_merge(struct pen_weighted_moments *moments, const struct pen_weighted_moments *other)
{
    join_mean(&moments->mean, &moments->deviations, moments->weight, other->mean, other->deviations, other->weight);
    moments->weight += other->weight;
    moments->weight_nan += other->weight_nan;
    moments->weight_positive_inf += other->weight_positive_inf;
    moments->weight_negative_inf += other->weight_negative_inf;
}

double pen_weighted_moments_mean(const struct pen_weighted_moments *moments)
{
    double up = moments->weight_positive_inf, down = moments->weight_negative_inf;
    if (up > 0 || down > 0) {
        return !(down > 0) ? (double)INFINITY : !(up > 0) ? -(double)INFINITY : (double)NAN;
    }
    return moments->weight > 0 ? moments->mean : (double)NAN;
}

double pen_weighted_moments_std(const struct pen_weighted_moments *moments)
{
    if (moments->weight_positive_inf > 0 || moments->weight_negative_inf > 0 || !(moments->weight > 0)) {
        return (double)NAN;
    }
    return sqrt(moments->deviations / moments->weight);
}
