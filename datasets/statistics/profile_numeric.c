/* Numbers of a profile: moments in the first sweep, and in that and as many more as it takes the spread of the values:
 * distinct ones, quantiles, equal-width histogram, for the plain counts and again under the weights. */
#include "datasets/statistics/hll.h"
#include "datasets/statistics/profile_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static pen_status keep_chunk(struct numeric_profile *numeric, int64_t position, const struct pen_moments *moments,
                             struct pen_error *err)
{
    void *memory = numeric->chunks;
    pen_status status = pen_grow(&memory, &numeric->capacity, numeric->n_chunks + 1, sizeof *numeric->chunks, err);
    numeric->chunks = memory;
    PEN_TRY(status);
    numeric->chunks[numeric->n_chunks++] = (struct chunk_moments){position, *moments};
    return PEN_OK;
}

static void drop_nan(struct pen_tile *tile)
{
    int64_t n_kept = 0;
    for (int64_t i = 0; i < tile->n_values; i++) {
        double value = tile->values[i];
        tile->values[n_kept] = value;
        tile->weights[n_kept] = tile->weights[i];
        n_kept += !isnan(value);
    }
    tile->n_values = n_kept;
}

static pen_status accept_tile(const struct numeric_profile *numeric, const struct pen_tile *tile, bool weighted,
                              struct pen_error *err)
{
    return pen_spread_accept(numeric->spread, tile->values, tile->cells, weighted ? tile->weights : NULL,
                             tile->n_values, err);
}

/* All in one look at each tile. */
static pen_status accept_first(struct pen_profile *profile, const struct pen_column *chunk, int64_t position,
                               const int32_t *rows, int64_t n_rows, const double *weights, struct pen_error *err)
{
    struct numeric_profile *numeric = &profile->numeric;
    struct pen_tile tile;
    struct pen_moments moments;
    pen_moments_init(&moments);
    for (int64_t first = 0; first < n_rows; first += PEN_TILE) {
        int64_t n_nan = moments.n_nan;
        pen_tile_fill(&tile, chunk, first, rows, n_rows, weights);
        pen_moments_add(&moments, tile.values, tile.n_values);
        if (weights != NULL) {
            pen_weighted_moments_add(&numeric->weighted, tile.values, tile.weights, tile.n_values);
        }
        if (moments.n_nan > n_nan) {
            drop_nan(&tile);
        }
        PEN_TRY(accept_tile(numeric, &tile, weights != NULL, err));
    }
    if (profile->options.sequential) {
        pen_moments_merge(&numeric->moments, &moments);
        return PEN_OK;
    }
    return keep_chunk(numeric, position, &moments, err);
}

static pen_status accept_again(struct pen_profile *profile, const struct pen_column *chunk, const int32_t *rows,
                               int64_t n_rows, const double *weights, struct pen_error *err)
{
    struct pen_tile tile;
    for (int64_t first = 0; first < n_rows; first += PEN_TILE) {
        pen_tile_fill(&tile, chunk, first, rows, n_rows, weights);
        if (profile->numeric.moments.n_nan > 0) {
            drop_nan(&tile);
        }
        PEN_TRY(accept_tile(&profile->numeric, &tile, weights != NULL, err));
    }
    return PEN_OK;
}

pen_status pen_numeric_profile_accept(struct pen_profile *profile, const struct pen_column *chunk, int64_t position,
                                      const int32_t *rows, int64_t n_rows, const double *weights, struct pen_error *err)
{
    return profile->sweep == 0 ? accept_first(profile, chunk, position, rows, n_rows, weights, err)
                               : accept_again(profile, chunk, rows, n_rows, weights, err);
}

pen_status pen_numeric_profile_init(struct pen_profile *profile, struct pen_error *err)
{
    struct pen_spread_options options = {.integers = profile->type == PEN_TYPE_INT64,
                                         .weighted = profile->options.weighted,
                                         .max_exact = profile->options.max_distinct_numbers,
                                         .max_bins = profile->options.max_bins,
                                         .max_collect = profile->options.max_collect};
    pen_moments_init(&profile->numeric.moments);
    return profile->is_fork ? PEN_OK : pen_spread_create(&profile->numeric.spread, &options, err);
}

pen_status pen_numeric_profile_fork(struct pen_profile *fork, const struct pen_profile *profile, struct pen_error *err)
{
    fork->numeric.moments = profile->numeric.moments;
    return pen_spread_fork(&fork->numeric.spread, profile->numeric.spread, err);
}

pen_status pen_numeric_profile_merge(struct pen_profile *profile, const struct pen_profile *fork, struct pen_error *err)
{
    struct numeric_profile *numeric = &profile->numeric;
    for (int64_t i = 0; i < fork->numeric.n_chunks; i++) {
        PEN_TRY(keep_chunk(numeric, fork->numeric.chunks[i].position, &fork->numeric.chunks[i].moments, err));
    }
    pen_weighted_moments_merge(&numeric->weighted, &fork->numeric.weighted);
    return pen_spread_merge(numeric->spread, fork->numeric.spread, err);
}

/* ---- between sweeps ---- */

static int by_position(const void *a, const void *b)
{
    const struct chunk_moments *x = a, *y = b;
    return (x->position > y->position) - (x->position < y->position);
}

static void join_chunks(struct numeric_profile *numeric)
{
    if (numeric->n_chunks > 1) {
        qsort(numeric->chunks, (size_t)numeric->n_chunks, sizeof *numeric->chunks, by_position);
    }
    for (int64_t i = 0; i < numeric->n_chunks; i++) {
        pen_moments_merge(&numeric->moments, &numeric->chunks[i].moments);
    }
    pen_free(numeric->chunks);
    numeric->chunks = NULL;
    numeric->n_chunks = numeric->capacity = 0;
}

static int64_t n_ranked(const struct pen_moments *moments)
{
    return moments->n_finite + moments->n_positive_inf + moments->n_negative_inf;
}

static double edge_at(const struct pen_moments *moments, int64_t edge, int64_t n_buckets)
{
    double t = (double)edge / (double)n_buckets, width = moments->max - moments->min;
    return isfinite(width) ? moments->min + width * t : moments->min * (1.0 - t) + moments->max * t;
}

/* Ranks: edges 0 .. n-1 of the quantile histogram, with the median among them, for they ascend. Edges: inner ones of
 * the equal-width histogram. */
struct wishes {
    double ranks[PEN_PROFILE_MAX_BUCKETS + 1], edges[PEN_PROFILE_MAX_BUCKETS];
    struct pen_select_query query;
};

static void wish(struct wishes *wishes, const struct pen_profile *profile, bool weighted)
{
    const struct pen_moments *moments = &profile->numeric.moments;
    const struct pen_weighted_moments *w = &profile->numeric.weighted;
    int64_t n = n_ranked(moments), n_quantiles = profile->options.n_quantile_buckets;
    int64_t n_edges = profile->options.n_histogram_buckets - 1, median = (n_quantiles + 1) / 2;
    double total = w->weight + w->weight_positive_inf + w->weight_negative_inf;
    bool constant = !(moments->max > moments->min);
    for (int64_t i = 0, k = 0; i <= n_quantiles; i++) {
        int64_t rank = i == median ? n / 2 : k * n / n_quantiles;
        double share = i == median ? 0.5 : (double)k / (double)n_quantiles;
        wishes->ranks[i] = weighted ? total * share : (double)rank;
        k += i != median;
    }
    for (int64_t i = 0; i < n_edges; i++) {
        wishes->edges[i] = constant ? 0 : edge_at(moments, i + 1, n_edges + 1);
    }
    wishes->query = (struct pen_select_query){n_quantiles + 1, wishes->ranks, constant ? 0 : n_edges, wishes->edges};
}

pen_status pen_numeric_profile_end_sweep(struct pen_profile *profile, bool *again, struct pen_error *err)
{
    struct numeric_profile *numeric = &profile->numeric;
    if (profile->sweep == 0) {
        struct wishes plain, weighted;
        join_chunks(numeric);
        wish(&plain, profile, false);
        wish(&weighted, profile, true);
        PEN_TRY(pen_spread_ask(numeric->spread, &plain.query, &weighted.query, err));
    } else if (pen_spread_unfinished(numeric->spread)) {
        PEN_TRY(pen_spread_end_sweep(numeric->spread, err));
    }
    *again = *again || pen_spread_unfinished(numeric->spread);
    return PEN_OK;
}

/* ---- result ---- */

struct histogram_input {
    const struct pen_moments *moments;
    const struct pen_spread *spread;
    bool weighted;
    double below, above, finite; /* counts or weights: -inf, +inf, the rest */
    int64_t n_buckets;
};

static pen_status standard_histogram(const struct histogram_input *in, struct pen_arena *arena,
                                     struct pen_histogram *histogram, struct pen_error *err)
{
    const struct pen_moments *moments = in->moments;
    bool constant = !(moments->max > moments->min);
    int64_t n_buckets = moments->n_finite == 0 ? 0 : constant ? 1 : in->n_buckets;
    struct pen_histogram_bucket *buckets = pen_arena_alloc(arena, n_buckets + 2, sizeof *buckets);
    if (buckets == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: a histogram of %lld buckets", (long long)n_buckets);
    }
    int64_t n = 0;
    if (moments->n_negative_inf > 0) {
        buckets[n++] = (struct pen_histogram_bucket){-INFINITY, -INFINITY, in->below};
    }
    double low = moments->min, counted = in->below;
    for (int64_t i = 0; i < n_buckets; i++) {
        bool last = i == n_buckets - 1;
        double high = last ? moments->max : edge_at(moments, i + 1, n_buckets);
        double sum = last ? in->below + in->finite : pen_spread_edge_count(in->spread, in->weighted, i);
        double count = sum - counted; /* rounding of weights must not show as less than nothing */
        buckets[n++] = (struct pen_histogram_bucket){low, high, count > 0 ? count : 0};
        low = high;
        counted = sum;
    }
    if (moments->n_positive_inf > 0) {
        buckets[n++] = (struct pen_histogram_bucket){INFINITY, INFINITY, in->above};
    }
    *histogram = (struct pen_histogram){n, buckets, moments->n_nan};
    return PEN_OK;
}

static pen_status quantile_histogram(const struct histogram_input *in, struct pen_arena *arena,
                                     struct pen_histogram *histogram, struct pen_error *err)
{
    int64_t n_buckets = n_ranked(in->moments) == 0 ? 0 : in->n_buckets, median = (in->n_buckets + 1) / 2;
    struct pen_histogram_bucket *buckets = pen_arena_alloc(arena, n_buckets + 1, sizeof *buckets);
    if (buckets == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: a histogram of %lld buckets", (long long)n_buckets);
    }
    double count = (in->below + in->above + in->finite) / (double)(n_buckets > 0 ? n_buckets : 1);
    for (int64_t i = 0; i < n_buckets; i++) {
        buckets[i].low = pen_spread_rank_value(in->spread, in->weighted, i < median ? i : i + 1);
        buckets[i].high = pen_moments_max(in->moments);
        buckets[i].count = count;
        if (i > 0) {
            buckets[i - 1].high = buckets[i].low;
        }
    }
    *histogram = (struct pen_histogram){n_buckets, buckets, in->moments->n_nan};
    return PEN_OK;
}

static pen_status finish_one(const struct pen_profile *profile, struct histogram_input in, struct pen_arena *arena,
                             struct pen_numeric_statistics *numeric, struct pen_error *err)
{
    const struct pen_moments *moments = in.moments;
    numeric->min = pen_moments_min(moments);
    numeric->max = pen_moments_max(moments);
    numeric->median = pen_spread_rank_value(in.spread, in.weighted, (profile->options.n_quantile_buckets + 1) / 2);
    numeric->n_zeros = moments->n_zeros;
    numeric->n_nan = moments->n_nan;
    numeric->n_positive_inf = moments->n_positive_inf;
    numeric->n_negative_inf = moments->n_negative_inf;
    numeric->n_unique = (int64_t)llround(pen_spread_n_distinct(in.spread, &numeric->exact_unique));
    numeric->n_unique = numeric->n_unique < n_ranked(moments) ? numeric->n_unique : n_ranked(moments);
    numeric->unique_error = numeric->exact_unique ? 0 : pen_hll_error();
    numeric->exact_quantiles = true;
    numeric->quantile_error = 0;
    in.n_buckets = profile->options.n_histogram_buckets;
    PEN_TRY(standard_histogram(&in, arena, &numeric->standard, err));
    in.n_buckets = profile->options.n_quantile_buckets;
    return quantile_histogram(&in, arena, &numeric->quantiles, err);
}

pen_status pen_numeric_profile_finish(const struct pen_profile *profile, struct pen_arena *arena,
                                      struct pen_feature_statistics *feature, struct pen_error *err)
{
    const struct pen_moments *moments = &profile->numeric.moments;
    const struct pen_weighted_moments *weighted = &profile->numeric.weighted;
    struct histogram_input in = {moments,
                                 profile->numeric.spread,
                                 false,
                                 (double)moments->n_negative_inf,
                                 (double)moments->n_positive_inf,
                                 (double)moments->n_finite,
                                 0};
    PEN_TRY(finish_one(profile, in, arena, &feature->numeric, err));
    feature->numeric.mean = pen_moments_mean(moments);
    feature->numeric.std = pen_moments_std(moments);
    if (profile->options.weighted) {
        in = (struct histogram_input){moments,
                                      profile->numeric.spread,
                                      true,
                                      weighted->weight_negative_inf,
                                      weighted->weight_positive_inf,
                                      weighted->weight,
                                      0};
        PEN_TRY(finish_one(profile, in, arena, &feature->weighted_numeric, err));
        feature->weighted_numeric.mean = pen_weighted_moments_mean(weighted);
        feature->weighted_numeric.std = pen_weighted_moments_std(weighted);
    }
    return PEN_OK;
}

void pen_numeric_profile_deinit(struct pen_profile *profile)
{
    struct numeric_profile *numeric = &profile->numeric;
    pen_free(numeric->chunks);
    pen_spread_destroy(numeric->spread);
}
