/* The exact and the sketched halves of numeric statistics on data chosen against them: radix select where all values
 * fall in one bin, are ties, or reach over every exponent, with and without weights; the spread of every kind of
 * regular sequence, on both sides of the limit of exactness. */
#include "core/memory.h"
#include "core/rng.h"
#include "datasets/statistics/hll.h"
#include "datasets/statistics/spread.h"
#include "datasets/statistics/tally.h"
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
    struct pen_select_options options = {weighted, max_bins, max_collect};
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

/* Rows i = 0 .. n_rows - 1 hold value i % n_different; every `share`-th row is seen by a fork. Answers the distinct
 * values, and the median in *median. */
static double spread_of(int kind, int64_t n_rows, int64_t n_different, int64_t share, bool *exact, double *median)
{
    struct pen_spread *spread = NULL, *fork = NULL;
    struct pen_spread_options options = {.integers = true};
    struct pen_error err = PEN_ERROR_INIT;
    double rank = floor((double)n_rows / 2), distinct = -1;
    struct pen_select_query query = {1, &rank, 0, NULL};
    bool good = pen_spread_create(&spread, &options, &err) == PEN_OK;
    for (int sweep_number = 0; good; sweep_number++) {
        good = pen_spread_fork(&fork, spread, &err) == PEN_OK;
        for (int64_t i = 0; good && i < n_rows; i++) {
            uint64_t cell = regular(kind, i % n_different);
            double value = (double)(int64_t)cell;
            good = pen_spread_accept(i % share == 0 ? fork : spread, &value, &cell, NULL, 1, &err) == PEN_OK;
        }
        good = good && pen_spread_merge(spread, fork, &err) == PEN_OK;
        pen_spread_destroy(fork);
        good = good && (sweep_number == 0 ? pen_spread_ask(spread, &query, NULL, &err)
                                          : pen_spread_end_sweep(spread, &err)) == PEN_OK;
        if (good && !pen_spread_unfinished(spread)) {
            distinct = pen_spread_n_distinct(spread, exact);
            *median = pen_spread_rank_value(spread, false, 0);
            break;
        }
    }
    PEN_CHECK_MSG(good, "%s", err.message);
    pen_spread_destroy(spread);
    return distinct;
}

static void distinct_values_are_exact_up_to_the_limit(void)
{
    static const int64_t sizes[] = {1, 2, 257, PEN_TALLY_MAX - 1, PEN_TALLY_MAX};
    for (int kind = 0; kind < 6; kind++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            bool exact = false;
            double median = 0;
            PEN_CHECK_EQ_F64(spread_of(kind, 3 * sizes[s], sizes[s], 5, &exact, &median), (double)sizes[s]);
            PEN_CHECK(exact);
            if (kind == 0) {
                PEN_CHECK_EQ_F64(median, floor((double)sizes[s] / 2));
            }
        }
    }
}

/* Four standard errors, for 6 kinds x 3 sizes; neither the sketch nor the median depends on who saw what. */
static void distinct_values_beyond_the_limit_stay_within_the_error(void)
{
    static const int64_t sizes[] = {PEN_TALLY_MAX + 1, 40000, 1000000};
    for (int kind = 0; kind < 6; kind++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            bool exact = true, same = true;
            double median = 0, other = 0, n = (double)sizes[s];
            double found = spread_of(kind, sizes[s], sizes[s], 7, &exact, &median);
            PEN_CHECK(!exact);
            PEN_CHECK_NEAR(found, n, 4 * pen_hll_error() * n);
            PEN_CHECK_EQ_F64(spread_of(kind, sizes[s], sizes[s], 2, &same, &other), found);
            PEN_CHECK_EQ_F64(other, median);
            if (kind == 0) {
                PEN_CHECK_EQ_F64(median, floor(n / 2));
            }
        }
    }
}

/* Blocks and their ends go through SIMD, single values do not: the same registers. */
static void blocks_and_single_values_count_alike(void)
{
    static const int64_t sizes[] = {0, 1, 7, 8, 1023, 1025, 50000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        uint64_t *cells = pen_calloc(sizes[s] + 1, sizeof *cells);
        struct pen_hll *one = pen_calloc(1, sizeof *one), *all = pen_calloc(1, sizeof *all);
        for (int64_t i = 0; i < sizes[s]; i++) {
            cells[i] = bits_of(draw(ALL_EXPONENTS, i));
            pen_hll_add(one, cells[i]);
        }
        pen_hll_add_cells(all, cells, sizes[s]);
        PEN_CHECK(memcmp(one, all, sizeof *one) == 0);
        pen_free(cells);
        pen_free(one);
        pen_free(all);
    }
}

/* 0 and the value whose key a free first slot carries, alone and together. */
static void a_tally_tells_zero_from_nothing(void)
{
    for (int set = 0; set < 4; set++) {
        struct pen_tally *tally = NULL;
        struct pen_tally_item item;
        struct pen_error err = PEN_ERROR_INIT;
        int64_t n_done = 0, n_items = 0, n_cells = 0;
        uint64_t cells[6];
        for (int i = 0; i < 3; i++) {
            if ((set & 1) != 0) {
                cells[n_cells++] = 0;
            }
            if ((set & 2) != 0) {
                cells[n_cells++] = 1;
            }
        }
        PEN_REQUIRE_OK(pen_tally_create(&tally, 2, false, &err), &err);
        PEN_REQUIRE_OK(pen_tally_add(tally, cells, NULL, n_cells, &n_done, &err), &err);
        PEN_CHECK_EQ_I64(n_done, n_cells);
        PEN_CHECK_EQ_I64(pen_tally_n_values(tally), (set & 1) + set / 2);
        for (int64_t at = 0; pen_tally_next(tally, &at, &item); n_items++) {
            PEN_CHECK_EQ_I64(item.count, 3);
            PEN_CHECK(item.cell == 0 ? (set & 1) != 0 : item.cell == 1 && (set & 2) != 0);
        }
        PEN_CHECK_EQ_I64(n_items, pen_tally_n_values(tally));
        pen_tally_destroy(tally);
    }
}

PEN_SUITE(statistics_exact, PEN_CASE(ranks_and_edges_are_exact_on_awkward_data),
          PEN_CASE(little_memory_takes_more_sweeps_to_the_same_answers),
          PEN_CASE(distinct_values_are_exact_up_to_the_limit),
          PEN_CASE(distinct_values_beyond_the_limit_stay_within_the_error),
          PEN_CASE(blocks_and_single_values_count_alike), PEN_CASE(a_tally_tells_zero_from_nothing));
