/* The exact and the sketched halves of numeric statistics on data chosen against them: radix select where all values
 * fall in one bin, are ties, or reach over every exponent, with and without weights; distinct values of every kind of
 * regular sequence, on both sides of the limit of exactness. */
#include "core/memory.h"
#include "core/rng.h"
#include "datasets/statistics/distinct.h"
#include "datasets/statistics/hll.h"
#include "datasets/statistics/select.h"
#include "tests/pen_test.h"

#include <stdlib.h>

enum { ROWS = 60000 };

enum shape { ONE_BIN, HALF_TIES, ALL_EXPONENTS, SUBNORMAL, NEIGHBOURS, TWO_VALUES, SORTED, N_SHAPES };

static double draw(enum shape shape, int64_t i)
{
    double u = pen_rng_uniform(23, shape, (uint64_t)i), sign = pen_rng_uniform(24, shape, (uint64_t)i) < 0.5 ? -1 : 1;
    switch (shape) {
    case ONE_BIN:
        return 1e15 + floor(u * 1e5);
    case HALF_TIES:
        return u < 0.5 ? 3.25 : 3.25 + u * 1e-9;
    case ALL_EXPONENTS:
        return sign * ldexp(1 + u, (int)(2046 * u) - 1022);
    case SUBNORMAL:
        return sign * floor(u * 1000) * 5e-324 + 0.0;
    case NEIGHBOURS:
        return nextafter(7.0, sign * 100);
    case TWO_VALUES:
        return u < 0.3 ? -(double)INFINITY : (double)INFINITY;
    case SORTED:
        return (double)i * 1e-3;
    case N_SHAPES:
        break;
    }
    return 0;
}

struct pair {
    double value, weight;
};

static int ascending(const void *a, const void *b)
{
    double x = ((const struct pair *)a)->value, y = ((const struct pair *)b)->value;
    return (x > y) - (x < y);
}

/* Sweeps until there are answers, each in two parts; returns how many sweeps. */
static int sweep(struct pen_select *select, const struct pen_select_query *query, const double *values,
                 const double *weights)
{
    struct pen_error err = PEN_ERROR_INIT;
    int n_sweeps = 0;
    bool good = true;
    for (bool again = true; again && good && n_sweeps < 50; n_sweeps++) {
        for (int p = 0; p < 2 && good; p++) {
            struct pen_select_part *part = NULL;
            int64_t first = p == 0 ? 0 : ROWS / 3, n = p == 0 ? ROWS / 3 : ROWS - ROWS / 3;
            good =
                pen_select_part_create(&part, select, &err) == PEN_OK &&
                pen_select_accept(part, values + first, weights == NULL ? NULL : weights + first, n, &err) == PEN_OK &&
                pen_select_merge(select, part, &err) == PEN_OK;
            pen_select_part_destroy(part);
        }
        good = good &&
               (n_sweeps == 0 ? pen_select_ask(select, query, &err) : pen_select_end_sweep(select, &err)) == PEN_OK;
        again = pen_select_unfinished(select);
    }
    PEN_CHECK_MSG(good, "%s", err.message);
    return n_sweeps;
}

/* Whole weights: every sum is exact, and so is every answer. */
static void check_select(enum shape shape, bool weighted, int64_t max_bins, int64_t max_collect, int most_sweeps)
{
    double *values = pen_calloc(ROWS, sizeof *values), *weights = pen_calloc(ROWS, sizeof *weights);
    struct pair *sorted = pen_calloc(ROWS, sizeof *sorted);
    double total = 0, ranks[12], edges[9];
    for (int64_t i = 0; i < ROWS; i++) {
        values[i] = draw(shape, i);
        weights[i] = weighted ? floor(4 * pen_rng_uniform(25, shape, (uint64_t)i)) : 1;
        sorted[i] = (struct pair){values[i], weights[i]};
        total += weights[i];
    }
    qsort(sorted, ROWS, sizeof *sorted, ascending);
    for (int k = 0; k < 12; k++) {
        ranks[k] = k == 11 ? total - 1 : floor(k * total / 11);
    }
    for (int k = 0; k < 9; k++) {
        edges[k] = sorted[(k + 1) * ROWS / 10].value;
    }
    struct pen_select_options options = {.n_rows = ROWS, .weighted = weighted, max_bins, max_collect};
    struct pen_select_query query = {12, ranks, 9, edges};
    struct pen_select *select = NULL;
    struct pen_error err = PEN_ERROR_INIT;
    PEN_REQUIRE_OK(pen_select_create(&select, &options, &err), &err);
    int n_sweeps = sweep(select, &query, values, weighted ? weights : NULL);
    PEN_CHECK_MSG(n_sweeps <= most_sweeps, "shape %d: %d sweeps", shape, n_sweeps);
    for (int k = 0; k < 12; k++) {
        int64_t at = 0;
        double sum = sorted[0].weight;
        while (!(sum > ranks[k])) {
            sum += sorted[++at].weight;
        }
        PEN_CHECK_EQ_F64(pen_select_rank_value(select, k), sorted[at].value);
    }
    for (int k = 0; k < 9; k++) {
        double below = 0;
        for (int64_t i = 0; i < ROWS && sorted[i].value < edges[k]; i++) {
            below += sorted[i].weight;
        }
        PEN_CHECK_EQ_F64(pen_select_edge_count(select, k), below);
    }
    pen_select_destroy(select);
    pen_free(values);
    pen_free(weights);
    pen_free(sorted);
}

static void ranks_and_edges_are_exact_on_awkward_data(void)
{
    for (int shape = 0; shape < N_SHAPES; shape++) {
        check_select((enum shape)shape, false, 0, 0, 2);
        check_select((enum shape)shape, true, 0, 0, 2);
    }
}

static void little_memory_takes_more_sweeps_to_the_same_answers(void)
{
    for (int shape = 0; shape < N_SHAPES; shape++) {
        check_select((enum shape)shape, shape % 2 == 0, 256, 10, 40);
        check_select((enum shape)shape, shape % 2 == 1, 4096, 1000, 12);
    }
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The i-th of many different values, in the manner of real columns; 0 among them. */
static uint64_t regular(int kind, int64_t i)
{
    switch (kind) {
    case 0:
        return (uint64_t)i;
    case 1:
        return bits_of((double)i);
    case 2:
        return (uint64_t)i << 40;
    case 3:
        return bits_of((double)i / 100);
    case 4:
        return bits_of(1e12 + (double)i / 1024);
    default:
        return (uint64_t)i * 0x9E3779B97F4A7C15U; /* consecutive homes in the set */
    }
}

static void distinct_values_are_exact_up_to_the_limit(void)
{
    static const int64_t sizes[] = {0, 1, 2, 257, PEN_DISTINCT_EXACT - 1, PEN_DISTINCT_EXACT};
    for (int kind = 0; kind < 6; kind++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            struct pen_distinct *whole = NULL, *half = NULL;
            struct pen_error err = PEN_ERROR_INIT;
            PEN_REQUIRE_OK(pen_distinct_create(&whole, 0, &err), &err);
            PEN_REQUIRE_OK(pen_distinct_create(&half, 0, &err), &err);
            for (int64_t i = 0; i < 3 * sizes[s]; i++) {
                uint64_t value = regular(kind, i % (sizes[s] == 0 ? 1 : sizes[s]));
                PEN_REQUIRE_OK(pen_distinct_add(i % 5 == 0 ? half : whole, &value, 1, &err), &err);
            }
            PEN_REQUIRE_OK(pen_distinct_merge(whole, half, &err), &err);
            PEN_CHECK(pen_distinct_exact(whole));
            PEN_CHECK_EQ_F64(pen_distinct_count(whole), (double)sizes[s]);
            pen_distinct_destroy(whole);
            pen_distinct_destroy(half);
        }
    }
}

/* Four standard errors, for 6 kinds x 4 sizes; the sketch does not depend on who saw what. */
static void distinct_values_beyond_the_limit_stay_within_the_error(void)
{
    static const int64_t sizes[] = {PEN_DISTINCT_EXACT + 1, 40000, 300000, 2000000};
    for (int kind = 0; kind < 6; kind++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            struct pen_distinct *whole = NULL, *parts[2] = {NULL, NULL};
            struct pen_error err = PEN_ERROR_INIT;
            PEN_REQUIRE_OK(pen_distinct_create(&whole, 0, &err), &err);
            PEN_REQUIRE_OK(pen_distinct_create(&parts[0], 0, &err), &err);
            PEN_REQUIRE_OK(pen_distinct_create(&parts[1], 0, &err), &err);
            for (int64_t i = 0; i < sizes[s]; i++) {
                uint64_t value = regular(kind, i);
                PEN_REQUIRE_OK(pen_distinct_add(whole, &value, 1, &err), &err);
                PEN_REQUIRE_OK(pen_distinct_add(parts[i % 7 == 0], &value, 1, &err), &err);
            }
            PEN_REQUIRE_OK(pen_distinct_merge(parts[1], parts[0], &err), &err);
            double n = (double)sizes[s];
            PEN_CHECK(!pen_distinct_exact(whole) && !pen_distinct_exact(parts[1]));
            PEN_CHECK_NEAR(pen_distinct_count(whole), n, 4 * pen_hll_error() * n);
            PEN_CHECK_EQ_F64(pen_distinct_count(parts[1]), pen_distinct_count(whole));
            pen_distinct_destroy(whole);
            pen_distinct_destroy(parts[0]);
            pen_distinct_destroy(parts[1]);
        }
    }
}

/* Blocks and their ends go through SIMD, single values do not: the same sets, the same registers. */
static void blocks_and_single_values_count_alike(void)
{
    static const int64_t sizes[] = {1, 7, 8, 1023, 1025, 50000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        double *values = pen_calloc(sizes[s], sizeof *values);
        struct pen_distinct *one = NULL, *all = NULL;
        struct pen_error err = PEN_ERROR_INIT;
        PEN_REQUIRE_OK(pen_distinct_create(&one, 100, &err), &err);
        PEN_REQUIRE_OK(pen_distinct_create(&all, 100, &err), &err);
        for (int64_t i = 0; i < sizes[s]; i++) {
            values[i] = draw(ALL_EXPONENTS, i);
            PEN_REQUIRE_OK(pen_distinct_add(one, &values[i], 1, &err), &err);
        }
        PEN_REQUIRE_OK(pen_distinct_add(all, values, sizes[s], &err), &err);
        PEN_CHECK(pen_distinct_exact(all) == (sizes[s] <= 100) && pen_distinct_exact(one) == (sizes[s] <= 100));
        PEN_CHECK_EQ_F64(pen_distinct_count(all), pen_distinct_count(one));
        pen_distinct_destroy(one);
        pen_distinct_destroy(all);
        pen_free(values);
    }
}

PEN_SUITE(statistics_exact, PEN_CASE(ranks_and_edges_are_exact_on_awkward_data),
          PEN_CASE(little_memory_takes_more_sweeps_to_the_same_answers),
          PEN_CASE(distinct_values_are_exact_up_to_the_limit),
          PEN_CASE(distinct_values_beyond_the_limit_stay_within_the_error),
          PEN_CASE(blocks_and_single_values_count_alike));
