/* The collected keys of radix select (select.h): growing, sorting, and the answers among them. */
#include "datasets/statistics/select_internal.h"

#include "core/memory.h"

#include <math.h>
#include <stdlib.h>

pen_status pen_select_keys_reserve(struct select_keys *keys, int64_t n, bool weighted, struct pen_error *err)
{
    if (keys->n + n > keys->capacity) {
        void *memory = keys->keys;
        pen_status status = pen_grow(&memory, &keys->capacity, keys->n + n, sizeof *keys->keys, err);
        keys->keys = memory;
        PEN_TRY(status);
    }
    if (weighted && keys->n + n > keys->weight_capacity) {
        void *memory = keys->weights;
        pen_status status = pen_grow(&memory, &keys->weight_capacity, keys->n + n, sizeof *keys->weights, err);
        keys->weights = memory;
        PEN_TRY(status);
    }
    return PEN_OK;
}

void pen_select_keys_deinit(struct select_keys *keys)
{
    pen_free(keys->keys);
    pen_free(keys->weights);
    *keys = (struct select_keys){0};
}

/* ---- sorting ---- */

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

static pen_status sort_weighted(struct select_keys *collected, struct pen_error *err)
{
    struct weighted_key *pairs = NULL;
    PEN_ALLOC(pairs, collected->n, err);
    for (int64_t i = 0; i < collected->n; i++) {
        pairs[i] = (struct weighted_key){collected->keys[i], collected->weights[i]};
    }
    qsort(pairs, (size_t)collected->n, sizeof *pairs, by_key);
    for (int64_t i = 0; i < collected->n; i++) {
        collected->keys[i] = pairs[i].key;
        collected->weights[i] = pairs[i].weight;
    }
    pen_free(pairs);
    return PEN_OK;
}

/* Least significant digit first, eleven bits a digit; digits in which all keys agree are skipped. */
static pen_status sort_keys(struct select_keys *collected, struct pen_error *err)
{
    enum { BITS = 11, DIGITS = 1 << BITS };
    int64_t n = collected->n;
    uint64_t *from = collected->keys, *to = pen_malloc(n, sizeof *to);
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
    collected->keys = from;
    collected->capacity = n;
    pen_free(to);
    return PEN_OK;
}

/* ---- answers ---- */

static int64_t lower_bound(const struct select_keys *collected, uint64_t key)
{
    int64_t low = 0, high = collected->n;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (collected->keys[middle] < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static double rank_value(const struct select_keys *collected, const struct window *window, double target)
{
    int64_t first = lower_bound(collected, window->low), at = first;
    if (first == collected->n) {
        return (double)NAN;
    }
    if (collected->weights == NULL) {
        at = first + (int64_t)floor(target - window->below);
        return value_of(collected->keys[at < first ? first : at < collected->n ? at : collected->n - 1]);
    }
    double sum = window->below, value = (double)NAN;
    for (; at < collected->n && collected->keys[at] <= window->last && !(sum > target); at++) {
        sum += collected->weights[at];
        value = collected->weights[at] > 0 ? value_of(collected->keys[at]) : value;
    }
    return value;
}

static double edge_count(const struct select_keys *collected, const struct window *window, double target)
{
    int64_t first = lower_bound(collected, window->low), end = lower_bound(collected, key_of(target + 0.0));
    if (collected->weights == NULL) {
        return window->below + (end > first ? (double)(end - first) : 0.0);
    }
    double sum = window->below;
    for (int64_t i = first; i < end; i++) {
        sum += collected->weights[i];
    }
    return sum;
}

pen_status pen_select_resolve_collected(struct pen_select *select, struct pen_error *err)
{
    struct select_keys *collected = &select->collected;
    if (collected->n > 0) {
        PEN_TRY(select->options.weighted ? sort_weighted(collected, err) : sort_keys(collected, err));
    }
    for (int64_t i = 0; i < select->n_ranks; i++) {
        struct wanted *rank = &select->ranks[i];
        if (rank->window >= 0 && select->windows[rank->window].collect) {
            rank->result = rank_value(collected, &select->windows[rank->window], rank->target);
            rank->window = -1;
        }
    }
    for (int64_t i = 0; i < select->n_edges; i++) {
        struct wanted *edge = &select->edges[i];
        if (edge->window >= 0 && select->windows[edge->window].collect) {
            edge->result = edge_count(collected, &select->windows[edge->window], edge->target);
            edge->window = -1;
        }
    }
    pen_select_keys_deinit(collected);
    return PEN_OK;
}
