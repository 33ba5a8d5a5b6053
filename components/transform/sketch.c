/* The quantile sketch: method and bound are in the header. Level 0 is sorted when it is full; a higher level is two
 * sorted runs, which are merged. */
#include "components/transform/sketch.h"

#include "components/transform/sort.h"

#include <math.h>
#include <string.h>

static pen_status push(struct pen_sketch *s, int level, const double *values, int64_t n, struct pen_error *err);

/* Of two ascending runs of n values each, every second value, from the first or the second one. */
static void merge_halves(const double *a, const double *b, int64_t n, bool odd, double *out)
{
    int64_t i = 0, j = 0;
    for (int64_t k = 0; k < 2 * n; k++) {
        bool first = j == n || (i < n && a[i] <= b[j]);
        double value = first ? a[i] : b[j];
        i += first;
        j += !first;
        out[k / 2] = (k & 1) == odd ? value : out[k / 2];
    }
}

static pen_status compact(struct pen_sketch *s, int level, struct pen_error *err)
{
    double *values = s->levels[level];
    int64_t kept = s->level_values / 2;
    bool odd = s->odd[level];
    if (level + 1 == PEN_SKETCH_LEVELS) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "quantiles: expected fewer values than a sketch of %d levels holds",
                 PEN_SKETCH_LEVELS);
    }
    s->odd[level] = !odd;
    s->sizes[level] = 0;
    if (level > 0) {
        merge_halves(values, values + kept, kept, odd, s->scratch);
        return push(s, level + 1, s->scratch, kept, err);
    }
    pen_sort_doubles(values, s->level_values, s->scratch);
    for (int64_t i = 0; i < kept; i++) {
        values[i] = values[2 * i + odd];
    }
    return push(s, 1, values, kept, err);
}

static pen_status push(struct pen_sketch *s, int level, const double *values, int64_t n, struct pen_error *err)
{
    while (n > 0) {
        int64_t room = s->level_values - s->sizes[level];
        int64_t take = n < room ? n : room;
        PEN_TRY(pen_grow((void **)&s->levels[level], &s->capacities[level], s->sizes[level] + take, sizeof **s->levels,
                         err));
        memcpy(s->levels[level] + s->sizes[level], values, (size_t)take * sizeof *values);
        s->sizes[level] += take;
        values += take;
        n -= take;
        if (s->sizes[level] == s->level_values && (n > 0 || level > 0)) {
            PEN_TRY(compact(s, level, err));
        }
    }
    return PEN_OK;
}

pen_status pen_sketch_add(struct pen_sketch *sketch, const double *values, int64_t n, struct pen_error *err)
{
    if (n > 0) {
        double low, high;
        pen_find_ends(values, n, &low, &high);
        sketch->low = sketch->n > 0 && sketch->low < low ? sketch->low : low;
        sketch->high = sketch->n > 0 && sketch->high > high ? sketch->high : high;
    }
    sketch->n += n;
    if (n > 0 && sketch->scratch == NULL && sketch->n > sketch->level_values) {
        sketch->scratch = pen_malloc(sketch->level_values, sizeof *sketch->scratch);
        if (sketch->scratch == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: quantiles of %lld values", (long long)sketch->n);
        }
    }
    if (n > 0 && sketch->sizes[0] == sketch->level_values) {
        PEN_TRY(compact(sketch, 0, err));
    }
    return push(sketch, 0, values, n, err);
}

/* A level's ascending values join the ordered ones, from the back, where there is room for them. */
static void merge_level(struct pen_sketch *s, const double *level, int64_t n, int64_t weight)
{
    int64_t i = s->n_ordered - 1, j = n - 1;
    for (int64_t k = i + n; j >= 0; k--) {
        bool last = i < 0 || level[j] >= s->ordered[i];
        s->ordered[k] = last ? level[j] : s->ordered[i];
        s->ranks[k] = last ? weight : s->ranks[i];
        j -= last;
        i -= !last;
    }
    s->n_ordered += n;
}

pen_status pen_sketch_sort(struct pen_sketch *s, struct pen_error *err)
{
    int64_t total = 0;
    for (int h = 0; h < PEN_SKETCH_LEVELS; h++) {
        total += s->sizes[h];
    }
    s->ordered = pen_malloc(total + 1, sizeof *s->ordered);
    s->ranks = pen_malloc(total + 1, sizeof *s->ranks);
    if (s->ordered == NULL || s->ranks == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: quantiles of %lld values", (long long)s->n);
    }
    if (s->sizes[0] > 0) {
        pen_sort_doubles(s->levels[0], s->sizes[0], s->ordered);
    }
    for (int h = 0; h < PEN_SKETCH_LEVELS; h++) {
        if (s->sizes[h] > 0) {
            merge_level(s, s->levels[h], s->sizes[h], (int64_t)1 << h);
        }
    }
    for (int64_t i = 1; i < s->n_ordered; i++) {
        s->ranks[i] += s->ranks[i - 1];
    }
    return PEN_OK;
}

double pen_sketch_at(const struct pen_sketch *s, int64_t rank)
{
    int64_t low = 0, high = s->n_ordered - 1;
    if (rank == 0 || rank == s->n - 1) {
        return rank == 0 ? s->low : s->high;
    }
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (s->ranks[middle] > rank) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return s->ordered[low];
}

double pen_sketch_quantile(const struct pen_sketch *s, double share)
{
    double rank = share * (double)(s->n - 1);
    int64_t below = (int64_t)floor(rank);
    int64_t above = below + 1 < s->n ? below + 1 : below;
    double low = pen_sketch_at(s, below), high = pen_sketch_at(s, above);
    return low + (high - low) * (rank - (double)below);
}

double pen_sketch_median(const struct pen_sketch *s)
{
    double low = pen_sketch_at(s, (s->n - 1) / 2), high = pen_sketch_at(s, s->n / 2);
    return low + (high - low) / 2;
}

void pen_sketch_deinit(struct pen_sketch *s)
{
    for (int h = 0; h < PEN_SKETCH_LEVELS; h++) {
        pen_free(s->levels[h]);
    }
    pen_free(s->scratch);
    pen_free(s->ordered);
    pen_free(s->ranks);
    *s = (struct pen_sketch){0};
}
