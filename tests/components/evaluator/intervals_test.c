/* Confidence intervals: published quantiles of Student's t, the formulas on paper, and coverage. */
#include "components/evaluator/intervals.h"

#include "tests/pen_test.h"

static void student_quantiles_are_the_published_ones(void)
{
    /* two-sided tables: t(0.975) and t(0.995) for the degrees of freedom given (NIST/SEMATECH handbook 1.3.6.7.2) */
    static const struct {
        double p, freedom, t;
    } table[] = {{0.975, 1, 12.706}, {0.975, 5, 2.571},   {0.975, 19, 2.093}, {0.995, 19, 2.861},
                 {0.95, 10, 1.812},  {0.975, 100, 1.984}, {0.9, 3, 1.638},    {0.5, 7, 0}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        PEN_CHECK_NEAR(pen_student_quantile(table[i].p, table[i].freedom), table[i].t, 5.1e-4);
    }
    PEN_CHECK_NEAR(pen_student_quantile(0.025, 19), -pen_student_quantile(0.975, 19), 1e-9);
}

/* For a mean of equal buckets the jackknife pseudo-values are the bucket means: their standard error is known. */
static void the_jackknife_of_a_mean_is_its_standard_error(void)
{
    enum { K = 20 };
    double buckets[K], lanes[K + 1], total = 0, squares = 0;
    for (int i = 0; i < K; i++) {
        buckets[i] = (i * 7 % K) * 0.5 - 3;
        total += buckets[i];
    }
    lanes[0] = total / K;
    for (int i = 0; i < K; i++) {
        lanes[i + 1] = (total - buckets[i]) / (K - 1);
        squares += (buckets[i] - lanes[0]) * (buckets[i] - lanes[0]);
    }
    double reach = 2.0930240544 * sqrt(squares / (K - 1)) / sqrt(K);
    struct pen_interval interval = pen_interval_of(PEN_RESAMPLE_LEAVE_OUT, lanes, K + 1, 0.95);
    PEN_CHECK_NEAR(interval.low, lanes[0] - reach, 1e-8);
    PEN_CHECK_NEAR(interval.high, lanes[0] + reach, 1e-8);
}

static void the_bootstrap_is_centred_on_its_samples(void)
{
    double lanes[] = {10, 1, 2, 3, 4}; /* mean 2.5, std 1.2909944, t(0.975, 3) = 3.1824463 */
    struct pen_interval interval = pen_interval_of(PEN_RESAMPLE_COUNTS, lanes, 5, 0.95);
    PEN_CHECK_NEAR(interval.low, 2.5 - 3.1824463 * 1.2909944, 1e-5);
    PEN_CHECK_NEAR(interval.high, 2.5 + 3.1824463 * 1.2909944, 1e-5);
}

static void an_undefined_resample_leaves_no_interval(void)
{
    double lanes[] = {0.5, 0.4, (double)NAN, 0.6};
    PEN_CHECK(isnan(pen_interval_of(PEN_RESAMPLE_LEAVE_OUT, lanes, 4, 0.95).low));
    PEN_CHECK(isnan(pen_interval_of(PEN_RESAMPLE_NONE, lanes, 1, 0.95).high));
}

static void draws_have_their_distribution(void)
{
    enum { N = 200000, K = 20 };
    static const double poisson[] = {0.367879, 0.367879, 0.183940, 0.061313, 0.015328};
    int64_t counts[5] = {0}, buckets[K] = {0};
    for (int64_t row = 0; row < N; row++) {
        uint8_t k = pen_poisson_count(5, row, 3);
        counts[k < 5 ? k : 4]++;
        buckets[pen_jackknife_bucket(5, row, K)]++;
    }
    for (int k = 0; k < 4; k++) {
        double error = sqrt(poisson[k] * (1 - poisson[k]) / N);
        PEN_CHECK_NEAR((double)counts[k] / N, poisson[k], 5 * error);
    }
    for (int b = 0; b < K; b++) {
        PEN_CHECK_NEAR((double)buckets[b] / N, 1.0 / K, 5 * sqrt(0.05 * 0.95 / N));
    }
    PEN_CHECK_EQ_I64(pen_poisson_count(5, 17, 3), pen_poisson_count(5, 17, 3));
}

PEN_SUITE(intervals, PEN_CASE(student_quantiles_are_the_published_ones),
          PEN_CASE(the_jackknife_of_a_mean_is_its_standard_error), PEN_CASE(the_bootstrap_is_centred_on_its_samples),
          PEN_CASE(an_undefined_resample_leaves_no_interval), PEN_CASE(draws_have_their_distribution));
