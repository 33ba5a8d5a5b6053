/* Radix select between sweeps (select.h): which bins hold the wanted ranks and edges, the windows over them that the
 * next sweep looks at, and the answers where a bin is one key. */
#include "datasets/statistics/select_internal.h"

#include "core/memory.h"
#include "datasets/statistics/pages.h"

#include <math.h>

enum { FINER_BITS = 14 }; /* of a window in later sweeps */

/* Windows of the next sweep as they are found, by low; several answers may share one. */
struct found {
    int64_t n_windows;
    struct window *windows;
};

static double bin_count(const struct pen_select *select, int64_t bin)
{
    return select->bins.weights != NULL ? select->bins.weights[bin] : (double)select->bins.counts[bin];
}

/* The answer lies in a bin of many keys: it waits for the next sweep. */
static void put_off(const struct pen_select *select, struct wanted *wanted, const struct window *parent, int64_t bin,
                    double below, struct found *found)
{
    uint64_t low = parent->low + ((uint64_t)(bin - parent->first_bin) << parent->shift);
    if (found->n_windows == 0 || found->windows[found->n_windows - 1].low != low) {
        found->windows[found->n_windows++] = (struct window){.low = low,
                                                             .last = low + (((uint64_t)1 << parent->shift) - 1),
                                                             .shift = parent->shift,
                                                             .n_values = select->bins.counts[bin],
                                                             .below = below};
    }
    wanted->next = found->n_windows - 1;
}

/* The next of the wanted, in their order, that is looked for in this window; NULL: no more. */
static struct wanted *next_in(struct wanted *list, int64_t n_list, int64_t *at, int64_t window)
{
    while (*at < n_list && list[*at].window < window) {
        (*at)++;
    }
    return *at < n_list && list[*at].window == window ? &list[*at] : NULL;
}

static void answer(struct wanted *wanted, double result)
{
    wanted->result = result;
    wanted->window = -1;
}

/* The sweep saw only one key in the window (ties): its answers are there at once. */
static void answer_one_key(struct pen_select *select, int64_t at, uint64_t key)
{
    const struct window *window = &select->windows[at];
    double count = 0;
    for (int64_t bin = window->first_bin; bin < window->first_bin + window->n_bins; bin++) {
        count += bin_count(select, bin);
    }
    for (int64_t i = 0; i < select->n_ranks; i++) {
        if (select->ranks[i].window == at) {
            answer(&select->ranks[i], value_of(key));
        }
    }
    for (int64_t i = 0; i < select->n_edges; i++) {
        if (select->edges[i].window == at) {
            answer(&select->edges[i], window->below + (key < key_of(select->edges[i].target + 0.0) ? count : 0.0));
        }
    }
}

static int64_t bin_of(const struct window *window, double value)
{
    uint64_t key = key_of(value + 0.0);
    return window->first_bin + (int64_t)((key - window->low) >> window->shift);
}

/* Where the walk over a window's bins stands. */
struct place {
    int64_t bin;
    double below, count; /* in front of the bin, in it */
};

static void answer_edges(struct pen_select *select, int64_t at, struct place place, int64_t *edge, struct found *found)
{
    const struct window *window = &select->windows[at];
    for (struct wanted *wanted; (wanted = next_in(select->edges, select->n_edges, edge, at)) != NULL; (*edge)++) {
        int64_t bin = bin_of(window, wanted->target);
        if (bin > place.bin) {
            return;
        }
        answer(wanted, place.below);
        if (bin == place.bin && window->shift > 0) {
            put_off(select, wanted, window, bin, place.below, found);
        }
    }
}

static void answer_rank(struct pen_select *select, int64_t at, struct place place, struct wanted *rank,
                        struct found *found)
{
    const struct window *window = &select->windows[at];
    answer(rank, value_of(window->low + (uint64_t)(place.bin - window->first_bin)));
    if (window->shift > 0) {
        put_off(select, rank, window, place.bin, place.below, found);
    }
}

/* What is wanted, while the bins of one window after the other go by. */
struct walk {
    struct pen_select *select;
    int64_t rank, edge; /* where the lists stand */
    struct found found;
    int64_t at;                 /* the window */
    struct place place, filled; /* the last bin that held anything */
};

static void walk_bins(struct walk *walk, int64_t begin, int64_t end)
{
    struct pen_select *select = walk->select;
    struct place *place = &walk->place;
    struct wanted *next = next_in(select->ranks, select->n_ranks, &walk->rank, walk->at);
    for (place->bin = begin; place->bin < end; place->bin++) {
        place->count = bin_count(select, place->bin);
        if (!(place->count > 0)) {
            continue;
        }
        answer_edges(select, walk->at, *place, &walk->edge, &walk->found);
        for (; next != NULL && place->below + place->count > next->target;
             next = next_in(select->ranks, select->n_ranks, &walk->rank, walk->at)) {
            answer_rank(select, walk->at, *place, next, &walk->found);
        }
        walk->filled = *place;
        place->below += place->count;
    }
}

/* The last filled bin answers when rounding of weights leaves the sum at the rank. */
static void end_walk(struct walk *walk)
{
    struct pen_select *select = walk->select;
    struct wanted *wanted;
    while ((wanted = next_in(select->ranks, select->n_ranks, &walk->rank, walk->at)) != NULL) {
        answer(wanted, (double)NAN);
        if (walk->filled.bin >= 0) {
            answer_rank(select, walk->at, walk->filled, wanted, &walk->found);
        }
    }
    while ((wanted = next_in(select->edges, select->n_edges, &walk->edge, walk->at)) != NULL) {
        answer(wanted, walk->place.below);
    }
}

static void walk_window(struct walk *walk, int64_t at, bool first_sweep)
{
    const struct window *window = &walk->select->windows[at];
    walk->at = at;
    walk->place = (struct place){.below = window->below};
    walk->filled = (struct place){.bin = -1};
    if (first_sweep) {
        for (int64_t group = 0; group < window->n_bins >> PEN_SELECT_GROUP_BITS; group++) {
            if (walk->select->bins.touched[group] != 0) {
                walk_bins(walk, group << PEN_SELECT_GROUP_BITS, (group + 1) << PEN_SELECT_GROUP_BITS);
            }
        }
    } else {
        walk_bins(walk, window->first_bin, window->first_bin + window->n_bins);
    }
    end_walk(walk);
}

/* Windows of few values are collected; the others share the bins of a sweep. */
static void plan_windows(struct pen_select *select)
{
    const struct pen_select_options *options = &select->options;
    int64_t n_values = 0, n_counted = 0;
    for (int64_t i = 0; i < select->n_windows; i++) {
        n_values += select->windows[i].n_values;
    }
    for (int64_t i = 0; i < select->n_windows; i++) {
        struct window *window = &select->windows[i];
        window->collect =
            n_values <= options->max_collect || window->n_values <= options->max_collect / select->n_windows;
        n_counted += !window->collect;
    }
    int bits = 1;
    while (bits < FINER_BITS && (n_counted << (bits + 1)) <= options->max_bins) {
        bits++;
    }
    select->n_bins = 0;
    for (int64_t i = 0; i < select->n_windows; i++) {
        struct window *window = &select->windows[i];
        if (!window->collect) {
            int finer = bits < window->shift ? bits : window->shift;
            window->shift -= finer;
            window->n_bins = (int64_t)1 << finer;
            window->first_bin = select->n_bins;
            select->n_bins += window->n_bins;
        }
    }
}

static void mark(struct pen_select *select, bool interesting)
{
    for (int64_t i = select->n_windows - 1; i >= 0; i--) {
        select->interesting[select->windows[i].low >> select->first_shift] = interesting ? (uint16_t)(i + 1) : 0;
    }
}

static void look_further(struct wanted *list, int64_t n_list)
{
    for (int64_t i = 0; i < n_list; i++) {
        list[i].window = list[i].next;
        list[i].next = -1;
    }
}

static pen_status next_windows(struct pen_select *select, struct found *found, bool first_sweep, struct pen_error *err)
{
    if (!first_sweep) {
        mark(select, false);
    }
    pen_free(select->windows);
    select->windows = found->windows;
    select->n_windows = found->n_windows;
    found->windows = NULL;
    select->unfinished = select->n_windows > 0;
    look_further(select->ranks, select->n_ranks);
    look_further(select->edges, select->n_edges);
    if (select->interesting == NULL && select->unfinished) {
        void *memory = NULL;
        PEN_TRY(pen_pages_alloc(&memory, select->options.max_bins * (int64_t)sizeof *select->interesting, err));
        select->interesting = memory;
    }
    plan_windows(select);
    mark(select, true);
    pen_select_bins_deinit(&select->bins);
    return pen_select_bins_init(&select->bins, select, 1, err);
}

static pen_status end_sweep(struct pen_select *select, bool first_sweep, struct pen_error *err)
{
    struct walk walk = {.select = select};
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, walk.found.windows, select->n_ranks + select->n_edges + 1, err);
    PEN_TRY_GOTO(cleanup, pen_select_resolve_collected(select, err));
    for (int64_t at = 0; at < select->n_windows; at++) {
        const uint64_t *ends = select->bins.key_ends + 2 * at;
        if (select->windows[at].collect) {
            continue;
        }
        if (ends[0] == ends[1]) {
            answer_one_key(select, at, ends[0]);
        } else {
            walk_window(&walk, at, first_sweep);
        }
    }
    PEN_TRY_GOTO(cleanup, next_windows(select, &walk.found, first_sweep, err));
cleanup:
    pen_free(walk.found.windows);
    return status;
}

static pen_status copy_wanted(struct wanted **wanted, const double *targets, int64_t n_targets, struct pen_error *err)
{
    PEN_ALLOC(*wanted, n_targets + 1, err);
    for (int64_t i = 0; i < n_targets; i++) {
        (*wanted)[i] = (struct wanted){.target = targets[i], .next = -1};
    }
    return PEN_OK;
}

pen_status pen_select_ask(struct pen_select *select, const struct pen_select_query *query, struct pen_error *err)
{
    PEN_ASSERT(!select->asked && query->n_ranks + query->n_edges <= PEN_SELECT_MAX_WANTED);
    select->asked = true;
    PEN_TRY(copy_wanted(&select->ranks, query->ranks, query->n_ranks, err));
    PEN_TRY(copy_wanted(&select->edges, query->edges, query->n_edges, err));
    select->n_ranks = query->n_ranks;
    select->n_edges = query->n_edges;
    if (select->bins.counts == NULL) { /* nothing was counted: all there is was put */
        select->windows[0].collect = true;
    }
    return end_sweep(select, true, err);
}

pen_status pen_select_end_sweep(struct pen_select *select, struct pen_error *err)
{
    return end_sweep(select, false, err);
}

double pen_select_rank_value(const struct pen_select *select, int64_t rank)
{
    return select->ranks[rank].result;
}

double pen_select_edge_count(const struct pen_select *select, int64_t edge)
{
    return select->edges[edge].result;
}
