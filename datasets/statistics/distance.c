/* Drift and skew measures; the definitions are in the header.
 *
 * Lists of values are sorted by bytes and merged, so the result does not depend on their order. Histograms are cut at
 * the sorted union of their edges; widths are taken as halves' differences because max - min of float64 may overflow.
 */
#include "datasets/statistics/distance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists of values ---- */

static int by_value(const void *left, const void *right)
{
    const struct pen_value_count *a = left;
    const struct pen_value_count *b = right;
    return strcmp(a->value, b->value);
}

static pen_status sorted_copy(const struct pen_value_counts *list, struct pen_value_count **copy, double *total,
                              struct pen_error *err)
{
    PEN_ALLOC(*copy, list->n_items, err);
    *total = 0.0;
    for (int64_t i = 0; i < list->n_items; i++) {
        (*copy)[i] = list->items[i];
        *total += list->items[i].count;
    }
    if (list->n_items > 1) {
        qsort(*copy, (size_t)list->n_items, sizeof **copy, by_value);
    }
    return PEN_OK;
}

/* Called once for each value of either list, in byte order; counts are 0 where a list lacks it. */
typedef void each_value(void *state, const char *value, double count_a, double count_b);

struct pair {
    struct pen_value_count *a, *b;
    int64_t n_a, n_b;
    double total_a, total_b;
};

static pen_status open_pair(struct pair *pair, const struct pen_value_counts *a, const struct pen_value_counts *b,
                            struct pen_error *err)
{
    *pair = (struct pair){.n_a = a->n_items, .n_b = b->n_items};
    PEN_TRY(sorted_copy(a, &pair->a, &pair->total_a, err));
    return sorted_copy(b, &pair->b, &pair->total_b, err);
}

static void close_pair(struct pair *pair)
{
    pen_free(pair->a);
    pen_free(pair->b);
}

static void walk_pair(const struct pair *pair, each_value *visit, void *state)
{
    int64_t i = 0;
    int64_t j = 0;
    while (i < pair->n_a || j < pair->n_b) {
        int order = i == pair->n_a ? 1 : j == pair->n_b ? -1 : strcmp(pair->a[i].value, pair->b[j].value);
        const char *value = order <= 0 ? pair->a[i].value : pair->b[j].value;
        visit(state, value, order <= 0 ? pair->a[i].count : 0.0, order >= 0 ? pair->b[j].count : 0.0);
        i += order <= 0;
        j += order >= 0;
    }
}

/* The largest and the sum of what `term` gives for each value. */
struct tally {
    double total_a, total_b, sum, largest;
    const char *worst;
    double (*term)(const struct tally *tally, double count_a, double count_b);
};

static void tally_value(void *state, const char *value, double count_a, double count_b)
{
    struct tally *tally = state;
    double term = tally->term(tally, count_a, count_b);
    tally->sum += term;
    if (term > tally->largest) {
        tally->largest = term;
        tally->worst = value;
    }
}

static double share_difference(const struct tally *tally, double count_a, double count_b)
{
    return fabs(count_a / tally->total_a - count_b / tally->total_b);
}

static double count_difference(const struct tally *tally, double count_a, double count_b)
{
    return fabs(count_a - count_b) / (tally->total_a + tally->total_b);
}

/* One cell's part of the divergence, in bits; p, q >= 0. */
static double divergence_part(double p, double q)
{
    double m = 0.5 * (p + q);
    double part = 0.0;
    if (p > 0.0) {
        part += 0.5 * p * log2(p / m);
    }
    if (q > 0.0) {
        part += 0.5 * q * log2(q / m);
    }
    return part;
}

static double divergence(const struct tally *tally, double count_a, double count_b)
{
    return divergence_part(count_a / tally->total_a, count_b / tally->total_b);
}

static double clamp(double value)
{
    return value < 0.0 ? 0.0 : value > 1.0 ? 1.0 : value;
}

/* True when a total of 0 decides: *value is then set. */
static bool decided(double total_a, double total_b, double *value)
{
    if (total_a > 0.0 && total_b > 0.0) {
        return false;
    }
    *value = total_a > 0.0 || total_b > 0.0 ? 1.0 : 0.0;
    return true;
}

static pen_status measure(const struct pen_value_counts *a, const struct pen_value_counts *b,
                          double (*term)(const struct tally *, double, double), bool summed,
                          struct pen_distance *distance, struct pen_error *err)
{
    struct pair pair;
    *distance = (struct pen_distance){0.0, NULL};
    pen_status status = open_pair(&pair, a, b, err);
    if (status == PEN_OK && !decided(pair.total_a, pair.total_b, &distance->value)) {
        struct tally tally = {pair.total_a, pair.total_b, 0.0, 0.0, NULL, term};
        walk_pair(&pair, tally_value, &tally);
        distance->value = clamp(summed ? tally.sum : tally.largest);
        distance->worst = tally.worst;
    }
    close_pair(&pair);
    return status;
}

pen_status pen_distance_l_infinity(const struct pen_value_counts *a, const struct pen_value_counts *b,
                                   struct pen_distance *distance, struct pen_error *err)
{
    return measure(a, b, share_difference, false, distance, err);
}

pen_status pen_distance_normalized(const struct pen_value_counts *a, const struct pen_value_counts *b,
                                   struct pen_distance *distance, struct pen_error *err)
{
    return measure(a, b, count_difference, false, distance, err);
}

pen_status pen_distance_js_counts(const struct pen_value_counts *a, const struct pen_value_counts *b,
                                  struct pen_distance *distance, struct pen_error *err)
{
    return measure(a, b, divergence, true, distance, err);
}

/* ---- histograms ---- */

static int by_number(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static bool is_point(const struct pen_histogram_bucket *bucket)
{
    return isfinite(bucket->low) && bucket->low == bucket->high;
}

static bool is_interval(const struct pen_histogram_bucket *bucket)
{
    return isfinite(bucket->low) && isfinite(bucket->high) && bucket->low < bucket->high;
}

static double total_mass(const struct pen_histogram *histogram)
{
    double total = (double)histogram->n_nan;
    for (int64_t i = 0; i < histogram->n_buckets; i++) {
        total += histogram->buckets[i].count;
    }
    return total;
}

/* Mass between two neighbouring edges of the union, as a share of the total. */
static double mass_between(const struct pen_histogram *histogram, double low, double high)
{
    double mass = 0.0;
    for (int64_t i = 0; i < histogram->n_buckets; i++) {
        const struct pen_histogram_bucket *bucket = &histogram->buckets[i];
        if (is_interval(bucket) && bucket->low <= low && bucket->high >= high) {
            mass += bucket->count * ((0.5 * high - 0.5 * low) / (0.5 * bucket->high - 0.5 * bucket->low));
        }
    }
    return mass;
}

static double mass_at(const struct pen_histogram *histogram, double value)
{
    double mass = 0.0;
    for (int64_t i = 0; i < histogram->n_buckets; i++) {
        const struct pen_histogram_bucket *bucket = &histogram->buckets[i];
        mass += is_point(bucket) && bucket->low == value ? bucket->count : 0.0;
    }
    return mass;
}

/* NaN and buckets that reach to infinity. */
static double unshared_mass(const struct pen_histogram *histogram)
{
    double mass = (double)histogram->n_nan;
    for (int64_t i = 0; i < histogram->n_buckets; i++) {
        const struct pen_histogram_bucket *bucket = &histogram->buckets[i];
        mass += is_point(bucket) || is_interval(bucket) ? 0.0 : bucket->count;
    }
    return mass;
}

/* Appends the finite edges of intervals to edges, and the places of points to points. */
static void collect(const struct pen_histogram *histogram, double *edges, int64_t *n_edges, double *points,
                    int64_t *n_points)
{
    for (int64_t i = 0; i < histogram->n_buckets; i++) {
        const struct pen_histogram_bucket *bucket = &histogram->buckets[i];
        if (is_interval(bucket)) {
            edges[(*n_edges)++] = bucket->low;
            edges[(*n_edges)++] = bucket->high;
        } else if (is_point(bucket)) {
            points[(*n_points)++] = bucket->low;
        }
    }
}

static int64_t sort_unique(double *values, int64_t n)
{
    if (n > 1) {
        qsort(values, (size_t)n, sizeof *values, by_number);
    }
    int64_t kept = 0;
    for (int64_t i = 0; i < n; i++) {
        if (kept == 0 || values[i] != values[kept - 1]) {
            values[kept++] = values[i];
        }
    }
    return kept;
}

pen_status pen_distance_js_histogram(const struct pen_histogram *a, const struct pen_histogram *b,
                                     struct pen_distance *distance, struct pen_error *err)
{
    *distance = (struct pen_distance){0.0, NULL};
    double total_a = total_mass(a);
    double total_b = total_mass(b);
    if (decided(total_a, total_b, &distance->value)) {
        return PEN_OK;
    }
    pen_status status = PEN_OK;
    int64_t n_buckets = a->n_buckets + b->n_buckets;
    int64_t n_edges = 0;
    int64_t n_points = 0;
    double *points = NULL;
    double *edges = NULL;
    PEN_ALLOC_GOTO(cleanup, edges, 2 * n_buckets, err);
    PEN_ALLOC_GOTO(cleanup, points, n_buckets, err);
    collect(a, edges, &n_edges, points, &n_points);
    collect(b, edges, &n_edges, points, &n_points);
    n_edges = sort_unique(edges, n_edges);
    n_points = sort_unique(points, n_points);
    double sum = divergence_part(unshared_mass(a) / total_a, 0.0) + divergence_part(0.0, unshared_mass(b) / total_b);
    for (int64_t i = 0; i + 1 < n_edges; i++) {
        sum += divergence_part(mass_between(a, edges[i], edges[i + 1]) / total_a,
                               mass_between(b, edges[i], edges[i + 1]) / total_b);
    }
    for (int64_t i = 0; i < n_points; i++) {
        sum += divergence_part(mass_at(a, points[i]) / total_a, mass_at(b, points[i]) / total_b);
    }
    distance->value = clamp(sum);
cleanup:
    pen_free(edges);
    pen_free(points);
    return status;
}
