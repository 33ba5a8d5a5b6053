/* Distances against values worked out by hand or by the plain formula elsewhere, and by their properties. */
#include "datasets/statistics/distance.h"
#include "tests/pen_test.h"

static struct pen_distance measure(pen_status (*how)(const struct pen_value_counts *, const struct pen_value_counts *,
                                                     struct pen_distance *, struct pen_error *),
                                   const struct pen_value_count *a, int64_t n_a, const struct pen_value_count *b,
                                   int64_t n_b)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_distance distance = {-1.0, NULL};
    const struct pen_value_counts left = {n_a, a};
    const struct pen_value_counts right = {n_b, b};
    PEN_CHECK_OK(how(&left, &right, &distance, &err), &err);
    return distance;
}

static double histograms(const struct pen_histogram_bucket *a, int64_t n_a, int64_t nan_a,
                         const struct pen_histogram_bucket *b, int64_t n_b, int64_t nan_b)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_distance distance = {-1.0, NULL};
    const struct pen_histogram left = {n_a, a, nan_a};
    const struct pen_histogram right = {n_b, b, nan_b};
    PEN_CHECK_OK(pen_distance_js_histogram(&left, &right, &distance, &err), &err);
    struct pen_distance back = {-1.0, NULL};
    PEN_CHECK_OK(pen_distance_js_histogram(&right, &left, &back, &err), &err);
    PEN_CHECK_EQ_F64(distance.value, back.value);
    return distance.value;
}

static const struct pen_value_count four[] = {{"d", 10}, {"a", 40}, {"c", 20}, {"b", 30}};
static const struct pen_value_count other[] = {{"a", 50}, {"e", 100}, {"b", 50}};

static void l_infinity_by_hand(void)
{
    /* shares .4 .3 .2 .1 0 against .25 .25 0 0 .5: the largest difference is e's. */
    struct pen_distance d = measure(pen_distance_l_infinity, four, 4, other, 3);
    PEN_CHECK_NEAR(d.value, 0.5, 1e-15);
    PEN_CHECK_EQ_STR(d.worst, "e");
    d = measure(pen_distance_l_infinity, four, 4, four, 4);
    PEN_CHECK_EQ_F64(d.value, 0.0);
    PEN_CHECK(d.worst == NULL);
}

static void normalized_by_hand(void)
{
    /* |40-50|, |30-50|, 20, 10, 100 over 100 + 200. */
    struct pen_distance d = measure(pen_distance_normalized, four, 4, other, 3);
    PEN_CHECK_NEAR(d.value, 100.0 / 300.0, 1e-15);
    PEN_CHECK_EQ_STR(d.worst, "e");
    static const struct pen_value_count doubled[] = {{"a", 80}, {"b", 60}, {"c", 40}, {"d", 20}};
    d = measure(pen_distance_normalized, four, 4, doubled, 4);
    PEN_CHECK_NEAR(d.value, 40.0 / 300.0, 1e-15); /* equal shares, and yet a change */
    PEN_CHECK_EQ_STR(d.worst, "a");
    PEN_CHECK_EQ_F64(measure(pen_distance_l_infinity, four, 4, doubled, 4).value, 0.0);
}

static void ties_take_the_first_value(void)
{
    static const struct pen_value_count x[] = {{"y", 1}};
    static const struct pen_value_count y[] = {{"x", 1}};
    PEN_CHECK_EQ_STR(measure(pen_distance_l_infinity, x, 1, y, 1).worst, "x");
    PEN_CHECK_EQ_STR(measure(pen_distance_l_infinity, y, 1, x, 1).worst, "x");
}

static void empty_sides(void)
{
    PEN_CHECK_EQ_F64(measure(pen_distance_l_infinity, NULL, 0, NULL, 0).value, 0.0);
    PEN_CHECK_EQ_F64(measure(pen_distance_js_counts, four, 4, NULL, 0).value, 1.0);
    PEN_CHECK_EQ_F64(measure(pen_distance_normalized, NULL, 0, four, 4).value, 1.0);
    PEN_CHECK_EQ_F64(histograms(NULL, 0, 0, NULL, 0, 0), 0.0);
    static const struct pen_histogram_bucket one[] = {{0, 1, 5}};
    PEN_CHECK_EQ_F64(histograms(one, 1, 0, NULL, 0, 0), 1.0);
}

static void jensen_shannon_of_counts(void)
{
    /* [.4 .3 .2 .1 0] against [.25 .25 0 0 .5]; the plain formula in Python, with math.log2 */
    PEN_CHECK_NEAR(measure(pen_distance_js_counts, four, 4, other, 3).value, 0.4142397953089023, 1e-14);
    /* [1/2, 1/2] against [1, 0]: 3/4 log2(4/3) = 0.3112781244591328 */
    static const struct pen_value_count half[] = {{"a", 1}, {"b", 1}};
    static const struct pen_value_count whole[] = {{"a", 7}};
    PEN_CHECK_NEAR(measure(pen_distance_js_counts, half, 2, whole, 1).value, 0.3112781244591328, 1e-15);
    static const struct pen_value_count apart[] = {{"z", 3}};
    PEN_CHECK_EQ_F64(measure(pen_distance_js_counts, four, 4, apart, 1).value, 1.0);
    PEN_CHECK_EQ_F64(measure(pen_distance_js_counts, four, 4, four, 4).value, 0.0);
}

static void histograms_are_cut_at_both_edges(void)
{
    /* U(0,2) against U(1,3): shares (1/2,1/2,0) and (0,1/2,1/2) of the three pieces: divergence 1/2. */
    static const struct pen_histogram_bucket left[] = {{0, 2, 10}};
    static const struct pen_histogram_bucket right[] = {{1, 3, 40}};
    PEN_CHECK_NEAR(histograms(left, 1, 0, right, 1, 0), 0.5, 1e-15);
    /* The same uniform mass in other buckets is no difference. */
    static const struct pen_histogram_bucket fine[] = {{0, 0.5, 1}, {0.5, 1, 1}, {1, 2, 2}};
    PEN_CHECK_NEAR(histograms(left, 1, 0, fine, 3, 0), 0.0, 1e-15);
    /* After the cut at 0,1,2,3,4: [.1 .1 .4 .4] against [.3 .3 .2 .2]; the plain formula in Python. */
    static const struct pen_histogram_bucket two[] = {{0, 2, 2}, {2, 4, 8}};
    static const struct pen_histogram_bucket four_buckets[] = {{0, 1, 3}, {1, 2, 3}, {2, 3, 2}, {3, 4, 2}};
    PEN_CHECK_NEAR(histograms(two, 2, 0, four_buckets, 4, 0), 0.12451124978365304, 1e-14);
}

static void points_match_by_value(void)
{
    static const struct pen_histogram_bucket at_one[] = {{1, 1, 5}};
    static const struct pen_histogram_bucket at_one_more[] = {{1, 1, 50}};
    static const struct pen_histogram_bucket at_two[] = {{2, 2, 5}};
    static const struct pen_histogram_bucket around[] = {{0, 2, 5}};
    PEN_CHECK_EQ_F64(histograms(at_one, 1, 0, at_one_more, 1, 0), 0.0);
    PEN_CHECK_EQ_F64(histograms(at_one, 1, 0, at_two, 1, 0), 1.0);
    PEN_CHECK_EQ_F64(histograms(at_one, 1, 0, around, 1, 0), 1.0);
    /* The same point twice in one histogram is one mass. */
    static const struct pen_histogram_bucket twice[] = {{1, 1, 2}, {1, 1, 3}};
    PEN_CHECK_EQ_F64(histograms(twice, 2, 0, at_one, 1, 0), 0.0);
}

static void nan_and_infinity_match_nothing(void)
{
    static const struct pen_histogram_bucket one[] = {{0, 1, 3}};
    /* A quarter of one side is NaN: shares (3/4, 1/4 apart) against (1, 0). */
    double wanted = 0.5 * (0.75 * log2(0.75 / 0.875) + 0.25 + log2(1.0 / 0.875));
    PEN_CHECK_NEAR(histograms(one, 1, 1, one, 1, 0), wanted, 1e-15);
    /* A quarter of both sides: they do not meet. 1/2 (1/4 + 1/4) of unshared mass. */
    PEN_CHECK_NEAR(histograms(one, 1, 1, one, 1, 1), 0.25, 1e-15);
    static const struct pen_histogram_bucket with_inf[] = {{-INFINITY, -INFINITY, 1}, {0, 1, 2}, {1, INFINITY, 1}};
    static const struct pen_histogram_bucket bare[] = {{0, 1, 2}};
    wanted = 0.5 * (0.5 * log2(0.5 / 0.75) + 0.5 + log2(1.0 / 0.75));
    PEN_CHECK_NEAR(histograms(with_inf, 3, 0, bare, 1, 0), wanted, 1e-15);
}

static void widest_range_does_not_overflow(void)
{
    static const struct pen_histogram_bucket wide[] = {{-1.7e308, 1.7e308, 4}};
    static const struct pen_histogram_bucket upper[] = {{0, 1.7e308, 4}};
    PEN_CHECK_NEAR(histograms(wide, 1, 0, wide, 1, 0), 0.0, 1e-15);
    PEN_CHECK_NEAR(histograms(wide, 1, 0, upper, 1, 0), 0.3112781244591328, 1e-14);
}

PEN_SUITE(distance, PEN_CASE(l_infinity_by_hand), PEN_CASE(normalized_by_hand), PEN_CASE(ties_take_the_first_value),
          PEN_CASE(empty_sides), PEN_CASE(jensen_shannon_of_counts), PEN_CASE(histograms_are_cut_at_both_edges),
          PEN_CASE(points_match_by_value), PEN_CASE(nan_and_infinity_match_nothing),
          PEN_CASE(widest_range_does_not_overflow));
