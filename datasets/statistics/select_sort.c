/* The collected keys of radix select (select.h): growing, sorting, and the answers among them. */
#include "datasets/statistics/select_internal.h"

#include "core/memory.h"

#include <math.h>

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

pen_status pen_select_put(struct pen_select *select, double value, double count, struct pen_error *err)
{
    struct select_keys *collected = &select->collected;
    PEN_TRY(pen_select_keys_reserve(collected, 1, true, err));
    collected->keys[collected->n] = key_of(value);
    collected->weights[collected->n++] = count;
    return PEN_OK;
}

/* ---- sorting ---- */

enum { BITS = 11, DIGITS = 1 << BITS };

/* One digit of a sort; false: all keys agree in it. Equal digits keep their order. */
static bool sort_digit(struct select_keys *to, const struct select_keys *from, int shift)
{
    int64_t starts[DIGITS + 1] = {0};
    for (int64_t i = 0; i < from->n; i++) {
        starts[((from->keys[i] >> shift) & (DIGITS - 1)) + 1]++;
    }
    if (starts[((from->keys[0] >> shift) & (DIGITS - 1)) + 1] == from->n) {
        return false;
    }
    for (int i = 0; i < DIGITS; i++) {
        starts[i + 1] += starts[i];
    }
    for (int64_t i = 0; i < from->n; i++) {
        int64_t at = starts[(from->keys[i] >> shift) & (DIGITS - 1)]++;
        to->keys[at] = from->keys[i];
        if (from->weights != NULL) {
            to->weights[at] = from->weights[i];
        }
    }
    return true;
}

/* Least significant digit first. */
static pen_status sort(struct select_keys *collected, struct pen_error *err)
{
    struct select_keys other = {0};
    pen_status status = pen_select_keys_reserve(&other, collected->n, collected->weights != NULL, err);
    other.n = collected->n;
    for (int shift = 0; status == PEN_OK && collected->n > 0 && shift < 64; shift += BITS) {
        if (sort_digit(&other, collected, shift)) {
            struct select_keys swap = *collected;
            *collected = other;
            other = swap;
        }
    }
    pen_select_keys_deinit(&other);
    return status;
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
    PEN_TRY(sort(collected, err));
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
