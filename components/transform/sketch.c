/* The quantile sketch: method and bound are in the header. */
#include "components/transform/sketch.h"

#include <stdlib.h>
#include <string.h>

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static pen_status push(struct pen_sketch *s, int level, const double *values, int64_t n, struct pen_error *err);

static pen_status compact(struct pen_sketch *s, int level, struct pen_error *err)
{
    double *values = s->levels[level];
    qsort(values, (size_t)s->sizes[level], sizeof *values, compare_doubles);
    int64_t kept = s->sizes[level] / 2;
    for (int64_t i = 0; i < kept; i++) {
        values[i] = values[2 * i + s->odd[level]];
    }
    s->odd[level] = !s->odd[level];
    s->sizes[level] = 0;
    if (level + 1 == PEN_SKETCH_LEVELS) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "quantiles: expected fewer than 2^56 values");
    }
    return push(s, level + 1, values, kept, err);
}

static pen_status push(struct pen_sketch *s, int level, const double *values, int64_t n, struct pen_error *err)
{
    while (n > 0) {
        int64_t room = PEN_SKETCH_LEVEL_VALUES - s->sizes[level];
        int64_t take = n < room ? n : room;
        PEN_TRY(pen_grow((void **)&s->levels[level], &s->capacities[level], s->sizes[level] + take, sizeof **s->levels,
                         err));
        memcpy(s->levels[level] + s->sizes[level], values, (size_t)take * sizeof *values);
        s->sizes[level] += take;
        values += take;
        n -= take;
        if (s->sizes[level] == PEN_SKETCH_LEVEL_VALUES && (n > 0 || level > 0)) {
            PEN_TRY(compact(s, level, err));
        }
    }
    return PEN_OK;
}

pen_status pen_sketch_add(struct pen_sketch *sketch, const double *values, int64_t n, struct pen_error *err)
{
    sketch->n += n;
    if (n > 0 && sketch->sizes[0] == PEN_SKETCH_LEVEL_VALUES) {
        PEN_TRY(compact(sketch, 0, err));
    }
    return push(sketch, 0, values, n, err);
}

struct weighted {
    double value;
    int64_t weight;
};

static int compare_weighted(const void *a, const void *b)
{
    return compare_doubles(&((const struct weighted *)a)->value, &((const struct weighted *)b)->value);
}

pen_status pen_sketch_sort(struct pen_sketch *s, struct pen_error *err)
{
    int64_t total = 0;
    for (int h = 0; h < PEN_SKETCH_LEVELS; h++) {
        total += s->sizes[h];
    }
    struct weighted *all = pen_malloc(total + 1, sizeof *all);
    s->ordered = pen_malloc(total + 1, sizeof *s->ordered);
    s->ranks = pen_malloc(total + 1, sizeof *s->ranks);
    if (all == NULL || s->ordered == NULL || s->ranks == NULL) {
        pen_free(all);
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: quantiles of %lld values", (long long)s->n);
    }
    int64_t n = 0;
    for (int h = 0; h < PEN_SKETCH_LEVELS; h++) {
        for (int64_t i = 0; i < s->sizes[h]; i++) {
            all[n++] = (struct weighted){s->levels[h][i], (int64_t)1 << h};
        }
    }
    qsort(all, (size_t)n, sizeof *all, compare_weighted);
    int64_t rank = 0;
    for (int64_t i = 0; i < n; i++) {
        rank += all[i].weight;
        s->ordered[i] = all[i].value;
        s->ranks[i] = rank;
    }
    s->n_ordered = n;
    pen_free(all);
    return PEN_OK;
}

double pen_sketch_at(const struct pen_sketch *s, int64_t rank)
{
    int64_t low = 0, high = s->n_ordered - 1;
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
    pen_free(s->ordered);
    pen_free(s->ranks);
    *s = (struct pen_sketch){0};
}
