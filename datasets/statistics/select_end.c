/* Radix select between sweeps (select.h): which bins hold the wanted ranks and edges, finer windows over them, and the
 * answers once a bin is one key or its values are sorted. */
#include "datasets/statistics/select_internal.h"

#include "core/memory.h"

#include <math.h>
#include <stdlib.h>

enum { FINER_BITS = 14 }; /* of a window in later sweeps: at most a few MiB for all windows */

static double value_of(uint64_t key)
{
    uint64_t bits = (key >> 63) != 0 ? key ^ 0x8000000000000000U : ~key;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
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

/* A window in which a later sweep saw only one key (ties) has its answers at once. */
static bool one_key(const struct pen_select *select, bool is_rank, struct wanted *wanted)
{
    const uint64_t *ends = select->key_ends + 2 * wanted->window;
    const struct window *window = &select->windows[wanted->window];
    if (ends[0] != ends[1]) {
        return false;
    }
    double count = 0;
    for (int64_t bin = window->first_bin; bin < window->first_bin + window->n_bins; bin++) {
        count += bin_count(select, bin);
    }
    wanted->window = -1;
    wanted->result = value_of(ends[0]);
    if (!is_rank) {
        wanted->result = window->below + (ends[0] < key_of(wanted->target + 0.0) ? count : 0.0);
    }
    return true;
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
            if (one_key(select, kind == 0, &list[i])) {
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
    memset(select->interesting, 0, (size_t)select->first.n_bins * sizeof *select->interesting);
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
            uint16_t *first = &select->interesting[(window->low - select->first.low) >> select->first.shift];
            *first = *first != 0 ? *first : (uint16_t)select->n_windows;
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
    pen_free(select->key_ends);
    select->counts = NULL;
    select->weights = NULL;
    select->key_ends = NULL;
    if (select->unfinished) {
        PEN_TRY_GOTO(cleanup, pen_select_alloc_bins(select, &select->counts, &select->weights, &select->key_ends, err));
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
    while (end < select->n_collected && pen_select_window_of(select, select->keys[end]) == window &&
           !(sum > rank->target)) {
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
