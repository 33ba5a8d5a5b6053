/* Radix select (select.h): bins over keys, windows that narrow from sweep to sweep, a last sort. */
#include "datasets/statistics/select.h"

#include "core/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_BINS = 65536,   /* 512 KiB of counters: fits a second-level cache */
    FINER_BITS = 14,      /* of a window in later sweeps: at most a few MiB for all windows */
    MAX_COLLECT = 524288, /* values sorted at the end */
    SORT_AT_ONCE = 8192,  /* so few are sorted without counting first */
    INDEX_BLOCK = 1024
};

/* Keys low .. low + n_bins * 2^shift - 1, counted in n_bins bins. */
struct window {
    uint64_t low;
    int shift;
    int64_t n_bins, first_bin; /* its bins are [first_bin, first_bin + n_bins) of the sweep's */
    int64_t n_values;          /* in it; known once a sweep has counted */
    double below;              /* count (weight) of values in front of it */
};

struct wanted {
    double target;  /* a rank, or an edge */
    double result;  /* value at the rank, count below the edge */
    int64_t window; /* where it is looked for; -1: found */
};

struct pen_select {
    struct pen_select_query query; /* ranks and edges are not used after creation */
    struct wanted *ranks, *edges;
    int64_t n_windows, n_bins;
    struct window *windows; /* by low */
    bool collecting, unfinished;
    struct window first;  /* of the first sweep */
    uint8_t *interesting; /* per bin of the first sweep: a window lies in it; NULL before its end */
    int64_t *counts;
    double *weights;
    int64_t n_collected, capacity, weight_capacity;
    uint64_t *keys;
    double *key_weights;
};

struct pen_select_part {
    const struct pen_select *select;
    int64_t *counts;
    double *weights;
    int64_t n_collected, capacity, weight_capacity;
    uint64_t *keys;
    double *key_weights;
};

static inline uint64_t key_of(double value)
{
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint64_t)bits ^ ((uint64_t)(bits >> 63) | 0x8000000000000000U);
}

static double value_of(uint64_t key)
{
    uint64_t bits = (key >> 63) != 0 ? key ^ 0x8000000000000000U : ~key;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- creation ---- */

static struct window first_window(const struct pen_select_query *query)
{
    int64_t max_bins = query->max_bins > 0 ? query->max_bins : FIRST_BINS, n_bins = 256;
    while (n_bins < query->n_values / 4 && n_bins < max_bins) {
        n_bins *= 2;
    }
    struct window window = {.low = key_of(query->min), .n_values = query->n_values};
    uint64_t span = key_of(query->max) - window.low;
    while ((span >> window.shift) >= (uint64_t)n_bins) {
        window.shift++;
    }
    window.n_bins = (int64_t)(span >> window.shift) + 1;
    return window;
}

static pen_status copy_wanted(struct wanted **wanted, const double *targets, int64_t n_targets, struct pen_error *err)
{
    PEN_ALLOC(*wanted, n_targets + 1, err);
    for (int64_t i = 0; i < n_targets; i++) {
        (*wanted)[i].target = targets[i];
    }
    return PEN_OK;
}

static pen_status alloc_bins(const struct pen_select *select, int64_t **counts, double **weights, struct pen_error *err)
{
    if (select->collecting) {
        return PEN_OK;
    }
    PEN_ALLOC(*counts, select->n_bins, err);
    if (select->query.weighted) {
        PEN_ALLOC(*weights, select->n_bins, err);
    }
    return PEN_OK;
}

pen_status pen_select_create(struct pen_select **select, const struct pen_select_query *query, struct pen_error *err)
{
    PEN_ASSERT(query->n_ranks + query->n_edges <= PEN_SELECT_MAX_WANTED);
    struct pen_select *made = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, made, 1, err);
    made->query = *query;
    if (made->query.max_collect <= 0) {
        made->query.max_collect = MAX_COLLECT;
    }
    PEN_TRY_GOTO(cleanup, copy_wanted(&made->ranks, query->ranks, query->n_ranks, err));
    PEN_TRY_GOTO(cleanup, copy_wanted(&made->edges, query->edges, query->n_edges, err));
    made->query.ranks = made->query.edges = NULL;
    PEN_ALLOC_GOTO(cleanup, made->windows, query->n_ranks + query->n_edges + 1, err);
    made->first = first_window(query);
    made->windows[0] = made->first;
    made->n_windows = 1;
    made->n_bins = made->first.n_bins;
    made->collecting = query->n_values <= SORT_AT_ONCE && query->n_values <= made->query.max_collect;
    made->unfinished = query->n_values > 0 && query->n_ranks + query->n_edges > 0;
    PEN_TRY_GOTO(cleanup, alloc_bins(made, &made->counts, &made->weights, err));
cleanup:
    if (status != PEN_OK) {
        pen_select_destroy(made);
        made = NULL;
    }
    *select = made;
    return status;
}

void pen_select_destroy(struct pen_select *select)
{
    if (select != NULL) {
        pen_free(select->ranks);
        pen_free(select->edges);
        pen_free(select->windows);
        pen_free(select->interesting);
        pen_free(select->counts);
        pen_free(select->weights);
        pen_free(select->keys);
        pen_free(select->key_weights);
        pen_free(select);
    }
}

bool pen_select_unfinished(const struct pen_select *select)
{
    return select->unfinished;
}

/* ---- a sweep ---- */

pen_status pen_select_part_create(struct pen_select_part **part, const struct pen_select *select, struct pen_error *err)
{
    struct pen_select_part *made = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, made, 1, err);
    made->select = select;
    PEN_TRY_GOTO(cleanup, alloc_bins(select, &made->counts, &made->weights, err));
cleanup:
    if (status != PEN_OK) {
        pen_select_part_destroy(made);
        made = NULL;
    }
    *part = made;
    return status;
}

void pen_select_part_destroy(struct pen_select_part *part)
{
    if (part != NULL) {
        pen_free(part->counts);
        pen_free(part->weights);
        pen_free(part->keys);
        pen_free(part->key_weights);
        pen_free(part);
    }
}

static inline __attribute__((always_inline)) void indices_body(uint32_t *restrict bins, const double *restrict values,
                                                               int64_t n_values, uint64_t low, int shift,
                                                               uint64_t last_bin)
{
    for (int64_t i = 0; i < n_values; i++) {
        uint64_t bin = (key_of(values[i]) - low) >> shift;
        bins[i] = (uint32_t)(bin < last_bin ? bin : last_bin);
    }
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq,avx512vl,prefer-vector-width=512"))) static void
indices_avx512(uint32_t *bins, const double *values, int64_t n_values, uint64_t low, int shift, uint64_t last_bin)
{
    indices_body(bins, values, n_values, low, shift, last_bin);
}

__attribute__((target("avx2"))) static void indices_avx2(uint32_t *bins, const double *values, int64_t n_values,
                                                         uint64_t low, int shift, uint64_t last_bin)
{
    indices_body(bins, values, n_values, low, shift, last_bin);
}
#endif

/* Bin numbers of the first sweep; a value outside the range told at creation goes to the last bin, never beyond. */
static void first_bins(const struct pen_select *select, uint32_t *bins, const double *values, int64_t n_values)
{
    const struct window *first = &select->first;
    uint64_t last_bin = (uint64_t)first->n_bins - 1;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        indices_avx512(bins, values, n_values, first->low, first->shift, last_bin);
        return;
    }
    if (__builtin_cpu_supports("avx2")) {
        indices_avx2(bins, values, n_values, first->low, first->shift, last_bin);
        return;
    }
#endif
    indices_body(bins, values, n_values, first->low, first->shift, last_bin);
}

/* The window that holds key, or NULL. Keys past the last bin of the first window count as in its last bin. */
static const struct window *window_of(const struct pen_select *select, uint64_t key)
{
    int64_t low = 0, high = select->n_windows;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (select->windows[middle].low <= key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return NULL;
    }
    const struct window *window = &select->windows[low - 1];
    return (key - window->low) >> window->shift < (uint64_t)window->n_bins ? window : NULL;
}

static pen_status collect(struct pen_select_part *part, uint64_t key, double weight, struct pen_error *err)
{
    if (part->n_collected == part->capacity) {
        void *memory = part->keys;
        pen_status status = pen_grow(&memory, &part->capacity, part->n_collected + 1, sizeof *part->keys, err);
        part->keys = memory;
        PEN_TRY(status);
    }
    if (part->select->query.weighted) {
        if (part->n_collected == part->weight_capacity) {
            void *memory = part->key_weights;
            pen_status status =
                pen_grow(&memory, &part->weight_capacity, part->n_collected + 1, sizeof *part->key_weights, err);
            part->key_weights = memory;
            PEN_TRY(status);
        }
        part->key_weights[part->n_collected] = weight;
    }
    part->keys[part->n_collected++] = key;
    return PEN_OK;
}

static pen_status accept_in_window(struct pen_select_part *part, double value, double weight, struct pen_error *err)
{
    uint64_t key = key_of(value);
    const struct window *window = window_of(part->select, key);
    if (window == NULL) {
        return PEN_OK;
    }
    if (part->select->collecting) {
        return collect(part, key, weight, err);
    }
    int64_t bin = window->first_bin + (int64_t)((key - window->low) >> window->shift);
    part->counts[bin]++;
    if (part->weights != NULL) {
        part->weights[bin] += weight;
    }
    return PEN_OK;
}

pen_status pen_select_accept(struct pen_select_part *part, const double *values, const double *weights,
                             int64_t n_values, struct pen_error *err)
{
    const struct pen_select *select = part->select;
    bool first_sweep = select->interesting == NULL && !select->collecting;
    uint32_t bins[INDEX_BLOCK];
    for (int64_t first = 0; first < n_values; first += INDEX_BLOCK) {
        int64_t n = n_values - first < INDEX_BLOCK ? n_values - first : INDEX_BLOCK;
        const double *block = values + first;
        first_bins(select, bins, block, n);
        if (first_sweep) {
            for (int64_t i = 0; i < n; i++) {
                part->counts[bins[i]]++;
            }
            for (int64_t i = 0; i < n && part->weights != NULL; i++) {
                part->weights[bins[i]] += weights[first + i];
            }
            continue;
        }
        for (int64_t i = 0; i < n; i++) {
            if (select->interesting == NULL || select->interesting[bins[i]] != 0) {
                PEN_TRY(accept_in_window(part, block[i], weights == NULL ? 1.0 : weights[first + i], err));
            }
        }
    }
    return PEN_OK;
}

pen_status pen_select_merge(struct pen_select *select, const struct pen_select_part *part, struct pen_error *err)
{
    if (!select->collecting) {
        for (int64_t i = 0; i < select->n_bins; i++) {
            select->counts[i] += part->counts[i];
        }
        for (int64_t i = 0; i < select->n_bins && select->weights != NULL; i++) {
            select->weights[i] += part->weights[i];
        }
        return PEN_OK;
    }
    if (part->n_collected == 0) {
        return PEN_OK;
    }
    int64_t needed = select->n_collected + part->n_collected;
    void *memory = select->keys;
    pen_status status = pen_grow(&memory, &select->capacity, needed, sizeof *select->keys, err);
    select->keys = memory;
    PEN_TRY(status);
    memcpy(select->keys + select->n_collected, part->keys, (size_t)part->n_collected * sizeof *select->keys);
    if (select->query.weighted) {
        memory = select->key_weights;
        status = pen_grow(&memory, &select->weight_capacity, needed, sizeof *select->key_weights, err);
        select->key_weights = memory;
        PEN_TRY(status);
        memcpy(select->key_weights + select->n_collected, part->key_weights,
               (size_t)part->n_collected * sizeof *select->key_weights);
    }
    select->n_collected = needed;
    return PEN_OK;
}

/* ---- the end of a counting sweep ---- */

static double bin_count(const struct pen_select *select, int64_t bin)
{
    return select->weights != NULL ? select->weights[bin] : (double)select->counts[bin];
}

/* The bin (of the whole sweep) in which wanted lies; sets *below to the count in front of that bin. -1: it is found. */
static int64_t rank_bin(const struct pen_select *select, struct wanted *rank, const struct window *window,
                        double *below)
{
    double sum = window->below;
    int64_t found = -1;
    for (int64_t bin = window->first_bin; bin < window->first_bin + window->n_bins; bin++) {
        double count = bin_count(select, bin);
        if (count > 0) { /* the last filled bin answers when rounding leaves the sum at the rank */
            found = bin;
            *below = sum;
        }
        sum += count;
        if (sum > rank->target) {
            break;
        }
    }
    rank->window = -1;
    if (found < 0) {
        rank->result = (double)NAN;
    } else if (window->shift == 0) {
        rank->result = value_of(window->low + (uint64_t)(found - window->first_bin));
        found = -1;
    }
    return found;
}

static int64_t edge_bin(const struct pen_select *select, struct wanted *edge, const struct window *window,
                        double *below)
{
    uint64_t key = key_of(edge->target + 0.0);
    int64_t bin = window->first_bin, end = window->first_bin + window->n_bins;
    int64_t edge_at = key < window->low ? bin - 1
                      : (key - window->low) >> window->shift >= (uint64_t)window->n_bins
                          ? end
                          : bin + (int64_t)((key - window->low) >> window->shift);
    *below = window->below;
    for (; bin < edge_at; bin++) {
        *below += bin_count(select, bin);
    }
    edge->window = -1;
    edge->result = *below;
    if (edge_at < window->first_bin || edge_at >= end || window->shift == 0 || select->counts[edge_at] == 0) {
        return -1;
    }
    return edge_at;
}

struct pending {
    struct wanted *wanted;
    struct window window;
};

static int by_low(const void *a, const void *b)
{
    const struct pending *x = a, *y = b;
    return (x->window.low > y->window.low) - (x->window.low < y->window.low);
}

static struct window bin_window(const struct pen_select *select, const struct window *parent, int64_t bin, double below)
{
    struct window window = {.low = parent->low + ((uint64_t)(bin - parent->first_bin) << parent->shift),
                            .n_values = select->counts[bin],
                            .below = below};
    int bits = parent->shift < FINER_BITS ? parent->shift : FINER_BITS;
    window.shift = parent->shift - bits;
    window.n_bins = (int64_t)1 << bits;
    return window;
}

static void find_pending(struct pen_select *select, struct pending *pending, int64_t *n_pending)
{
    for (int kind = 0; kind < 2; kind++) {
        struct wanted *list = kind == 0 ? select->ranks : select->edges;
        int64_t n_list = kind == 0 ? select->query.n_ranks : select->query.n_edges;
        for (int64_t i = 0; i < n_list; i++) {
            if (list[i].window < 0) {
                continue;
            }
            struct window *window = &select->windows[list[i].window];
            double below = 0;
            int64_t bin =
                kind == 0 ? rank_bin(select, &list[i], window, &below) : edge_bin(select, &list[i], window, &below);
            if (bin >= 0) {
                pending[(*n_pending)++] = (struct pending){&list[i], bin_window(select, window, bin, below)};
            }
        }
    }
}

/* Windows of the next sweep from the pending answers; several may share one. */
static void set_windows(struct pen_select *select, struct pending *pending, int64_t n_pending)
{
    qsort(pending, (size_t)n_pending, sizeof *pending, by_low);
    memset(select->interesting, 0, (size_t)select->first.n_bins);
    int64_t n_values = 0;
    select->n_windows = 0;
    select->n_bins = 0;
    for (int64_t i = 0; i < n_pending; i++) {
        if (i == 0 || pending[i].window.low != pending[i - 1].window.low) {
            struct window *window = &select->windows[select->n_windows++];
            *window = pending[i].window;
            window->first_bin = select->n_bins;
            select->n_bins += window->n_bins;
            n_values += window->n_values;
            select->interesting[(window->low - select->first.low) >> select->first.shift] = 1;
        }
        pending[i].wanted->window = select->n_windows - 1;
    }
    select->collecting = n_values <= select->query.max_collect;
    select->unfinished = n_pending > 0;
}

static pen_status end_counting(struct pen_select *select, struct pen_error *err)
{
    struct pending *pending = NULL;
    int64_t n_pending = 0;
    PEN_ALLOC(pending, select->query.n_ranks + select->query.n_edges + 1, err);
    pen_status status = PEN_OK;
    if (select->interesting == NULL) {
        PEN_ALLOC_GOTO(cleanup, select->interesting, select->first.n_bins, err);
    }
    find_pending(select, pending, &n_pending);
    set_windows(select, pending, n_pending);
    pen_free(select->counts);
    pen_free(select->weights);
    select->counts = NULL;
    select->weights = NULL;
    if (select->unfinished) {
        PEN_TRY_GOTO(cleanup, alloc_bins(select, &select->counts, &select->weights, err));
    }
cleanup:
    pen_free(pending);
    return status;
}

/* ---- the end of a collecting sweep ---- */

struct weighted_key {
    uint64_t key;
    double weight;
};

static int by_key(const void *a, const void *b)
{
    const struct weighted_key *x = a, *y = b;
    if (x->key != y->key) {
        return x->key > y->key ? 1 : -1;
    }
    return (x->weight > y->weight) - (x->weight < y->weight);
}

static pen_status sort_weighted(struct pen_select *select, struct pen_error *err)
{
    struct weighted_key *pairs = NULL;
    PEN_ALLOC(pairs, select->n_collected, err);
    for (int64_t i = 0; i < select->n_collected; i++) {
        pairs[i] = (struct weighted_key){select->keys[i], select->key_weights[i]};
    }
    qsort(pairs, (size_t)select->n_collected, sizeof *pairs, by_key);
    for (int64_t i = 0; i < select->n_collected; i++) {
        select->keys[i] = pairs[i].key;
        select->key_weights[i] = pairs[i].weight;
    }
    pen_free(pairs);
    return PEN_OK;
}

/* Least significant digit first, eleven bits a digit; digits in which all keys agree are skipped. */
static pen_status sort_keys(struct pen_select *select, struct pen_error *err)
{
    enum { BITS = 11, DIGITS = 1 << BITS };
    int64_t n = select->n_collected;
    uint64_t *from = select->keys, *to = pen_malloc(n, sizeof *to);
    if (to == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: sorting %lld keys", (long long)n);
    }
    for (int shift = 0; shift < 64; shift += BITS) {
        int64_t starts[DIGITS + 1] = {0};
        for (int64_t i = 0; i < n; i++) {
            starts[((from[i] >> shift) & (DIGITS - 1)) + 1]++;
        }
        if (starts[((from[0] >> shift) & (DIGITS - 1)) + 1] == n) {
            continue;
        }
        for (int i = 0; i < DIGITS; i++) {
            starts[i + 1] += starts[i];
        }
        for (int64_t i = 0; i < n; i++) {
            to[starts[(from[i] >> shift) & (DIGITS - 1)]++] = from[i];
        }
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    select->keys = from;
    select->capacity = n;
    pen_free(to);
    return PEN_OK;
}

static int64_t lower_bound(const struct pen_select *select, uint64_t key)
{
    int64_t low = 0, high = select->n_collected;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (select->keys[middle] < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void resolve_rank(const struct pen_select *select, struct wanted *rank)
{
    const struct window *window = &select->windows[rank->window];
    int64_t first = lower_bound(select, window->low), end = first;
    double sum = window->below;
    rank->window = -1;
    rank->result = (double)NAN;
    if (select->key_weights == NULL) {
        int64_t at = first + (int64_t)floor(rank->target - window->below);
        at = at < first ? first : at < select->n_collected ? at : select->n_collected - 1;
        rank->result = select->n_collected > 0 ? value_of(select->keys[at]) : (double)NAN;
        return;
    }
    while (end < select->n_collected && window_of(select, select->keys[end]) == window && !(sum > rank->target)) {
        sum += select->key_weights[end];
        if (select->key_weights[end] > 0) {
            rank->result = value_of(select->keys[end]);
        }
        end++;
    }
}

static void resolve_edge(const struct pen_select *select, struct wanted *edge)
{
    const struct window *window = &select->windows[edge->window];
    int64_t first = lower_bound(select, window->low), end = lower_bound(select, key_of(edge->target + 0.0));
    edge->window = -1;
    edge->result = window->below;
    if (select->key_weights == NULL) {
        edge->result += end > first ? (double)(end - first) : 0.0;
        return;
    }
    for (int64_t i = first; i < end; i++) {
        edge->result += select->key_weights[i];
    }
}

static pen_status end_collecting(struct pen_select *select, struct pen_error *err)
{
    if (select->n_collected > 0) {
        PEN_TRY(select->query.weighted ? sort_weighted(select, err) : sort_keys(select, err));
    }
    for (int64_t i = 0; i < select->query.n_ranks; i++) {
        if (select->ranks[i].window >= 0) {
            resolve_rank(select, &select->ranks[i]);
        }
    }
    for (int64_t i = 0; i < select->query.n_edges; i++) {
        if (select->edges[i].window >= 0) {
            resolve_edge(select, &select->edges[i]);
        }
    }
    select->unfinished = false;
    pen_free(select->keys);
    pen_free(select->key_weights);
    select->keys = NULL;
    select->key_weights = NULL;
    return PEN_OK;
}

pen_status pen_select_end_sweep(struct pen_select *select, struct pen_error *err)
{
    return select->collecting ? end_collecting(select, err) : end_counting(select, err);
}

double pen_select_rank_value(const struct pen_select *select, int64_t rank)
{
    return select->query.n_values > 0 ? select->ranks[rank].result : (double)NAN;
}

double pen_select_edge_count(const struct pen_select *select, int64_t edge)
{
    return select->query.n_values > 0 ? select->edges[edge].result : 0.0;
}
