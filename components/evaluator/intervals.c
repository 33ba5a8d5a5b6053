/* Student's t by its incomplete beta function (Lentz's continued fraction) and bisection. */
#include "components/evaluator/intervals.h"

#include "core/rng.h"

#include <math.h>

enum { BUCKET_STREAM = 71, POISSON_STREAM = 72 };

/* Continued fraction of the regularised incomplete beta function (modified Lentz). */
static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
    double value = d;
    for (int m = 1; m < 500; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        for (int half = 0; half < 2; half++) {
            double term = half == 0 ? even : odd;
            d = 1 + term * d;
            c = 1 + term / c;
            d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
            value *= c * d;
        }
        if (fabs(c * d - 1) < 1e-16) {
            break;
        }
    }
    return value;
}

static double beta_regularised(double a, double b, double x)
{
    if (x <= 0 || x >= 1) {
        return x <= 0 ? 0 : 1;
    }
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

static double student_cdf(double t, double freedom)
{
    double tail = 0.5 * beta_regularised(freedom / 2, 0.5, freedom / (freedom + t * t));
    return t > 0 ? 1 - tail : tail;
}

double pen_student_quantile(double p, double freedom)
{
    double low = -1e6, high = 1e6;
    for (int i = 0; i < 200; i++) {
        double middle = (low + high) / 2;
        if (student_cdf(middle, freedom) < p) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (low + high) / 2;
}

struct pen_interval pen_interval_of(enum pen_resample kind, const double *values, int64_t n_lanes, double level)
{
    struct pen_interval none = {(double)NAN, (double)NAN};
    double n = (double)(n_lanes - 1), mean = 0, squares = 0;
    if (kind == PEN_RESAMPLE_NONE || n < 2 || isnan(values[0])) {
        return none;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 1; i < n_lanes; i++) {
            double v = kind == PEN_RESAMPLE_LEAVE_OUT ? n * values[0] - (n - 1) * values[i] : values[i];
            if (isnan(v)) {
                return none;
            }
            mean += pass == 0 ? v / n : 0;
            squares += pass == 1 ? (v - mean) * (v - mean) : 0;
        }
    }
    double error = sqrt(squares / (n - 1)) / (kind == PEN_RESAMPLE_LEAVE_OUT ? sqrt(n) : 1);
    double reach = pen_student_quantile(0.5 + level / 2, n - 1) * error;
    return (struct pen_interval){mean - reach, mean + reach};
}

uint8_t pen_jackknife_bucket(uint64_t seed, int64_t row, int64_t n_buckets)
{
    return (uint8_t)pen_rng_below(seed, BUCKET_STREAM, (uint64_t)row, (uint64_t)n_buckets);
}

uint8_t pen_poisson_count(uint64_t seed, int64_t row, int64_t resample)
{
    double u = pen_rng_uniform(seed, POISSON_STREAM + (uint64_t)resample, (uint64_t)row);
    double term = exp(-1.0), sum = term;
    uint8_t k = 0;
    while (u >= sum && k < 30) {
        k++;
        term /= k;
        sum += term;
    }
    return k;
}
