/* Few values in a tally, many in radix select and a sketch (spread.h). */
#include "datasets/statistics/spread.h"

#include "core/memory.h"
#include "datasets/statistics/hll.h"
#include "datasets/statistics/tally.h"

#include <string.h>

enum { PLAIN, WEIGHTED, N_KINDS };

struct pen_spread {
    struct pen_spread_options options;
    bool is_fork, asked;
    double n_distinct;
    bool exact;
    struct pen_tally *tally;             /* NULL once there were too many values */
    struct pen_hll *hll;                 /* from then on */
    struct pen_select *selects[N_KINDS]; /* a fork borrows them */
    struct pen_select_part *parts[N_KINDS];
};

static pen_status create_selects(struct pen_spread *spread, struct pen_error *err)
{
    for (int kind = 0; kind < (spread->options.weighted ? N_KINDS : WEIGHTED); kind++) {
        struct pen_select_options options = {.weighted = kind == WEIGHTED,
                                             .max_bins = spread->options.max_bins,
                                             .max_collect = spread->options.max_collect};
        PEN_TRY(pen_select_create(&spread->selects[kind], &options, err));
    }
    return PEN_OK;
}

pen_status pen_spread_create(struct pen_spread **spread, const struct pen_spread_options *options,
                             struct pen_error *err)
{
    struct pen_spread *made = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, made, 1, err);
    made->options = *options;
    PEN_TRY_GOTO(cleanup, pen_tally_create(&made->tally, options->max_exact, options->weighted, err));
    PEN_TRY_GOTO(cleanup, create_selects(made, err));
cleanup:
    if (status != PEN_OK) {
        pen_spread_destroy(made);
        made = NULL;
    }
    *spread = made;
    return status;
}

pen_status pen_spread_fork(struct pen_spread **fork, const struct pen_spread *spread, struct pen_error *err)
{
    struct pen_spread *made = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, made, 1, err);
    made->options = spread->options;
    made->asked = spread->asked;
    made->is_fork = true;
    memcpy(made->selects, spread->selects, sizeof made->selects);
    if (!spread->asked) {
        PEN_TRY_GOTO(cleanup, pen_tally_create(&made->tally, made->options.max_exact, made->options.weighted, err));
    }
cleanup:
    if (status != PEN_OK) {
        pen_spread_destroy(made);
        made = NULL;
    }
    *fork = made;
    return status;
}

void pen_spread_destroy(struct pen_spread *spread)
{
    if (spread == NULL) {
        return;
    }
    pen_tally_destroy(spread->tally);
    pen_free(spread->hll);
    for (int kind = 0; kind < N_KINDS; kind++) {
        pen_select_part_destroy(spread->parts[kind]);
        if (!spread->is_fork) {
            pen_select_destroy(spread->selects[kind]);
        }
    }
    pen_free(spread);
}

/* ---- the first sweep ---- */

static double value_of_item(const struct pen_spread *spread, const struct pen_tally_item *item)
{
    if (spread->options.integers) {
        int64_t integer;
        memcpy(&integer, &item->cell, sizeof integer);
        return (double)integer;
    }
    double value;
    memcpy(&value, &item->cell, sizeof value);
    return value;
}

static void pour_item(struct pen_spread *spread, const struct pen_tally_item *item)
{
    pen_hll_add(spread->hll, item->cell);
    for (int kind = 0; kind < N_KINDS; kind++) {
        if (spread->parts[kind] != NULL) {
            pen_select_count(spread->parts[kind], value_of_item(spread, item), item->count, item->weight);
        }
    }
}

/* From the tally to what bears many values. */
static pen_status pour(struct pen_spread *spread, struct pen_error *err)
{
    struct pen_tally_item item;
    int64_t at = 0;
    PEN_ALLOC(spread->hll, 1, err);
    for (int kind = 0; kind < N_KINDS; kind++) {
        if (spread->selects[kind] != NULL) {
            PEN_TRY(pen_select_part_create(&spread->parts[kind], spread->selects[kind], err));
        }
    }
    while (pen_tally_next(spread->tally, &at, &item)) {
        pour_item(spread, &item);
    }
    pen_tally_destroy(spread->tally);
    spread->tally = NULL;
    return PEN_OK;
}

static pen_status accept_many(struct pen_spread *spread, const double *values, const double *weights, int64_t n_values,
                              struct pen_error *err)
{
    for (int kind = 0; kind < N_KINDS; kind++) {
        if (spread->parts[kind] != NULL) {
            PEN_TRY(pen_select_accept(spread->parts[kind], values, kind == WEIGHTED ? weights : NULL, n_values, err));
        }
    }
    return PEN_OK;
}

static pen_status accept_first(struct pen_spread *spread, const double *values, const void *cells,
                               const double *weights, int64_t n_values, struct pen_error *err)
{
    int64_t n_done = 0;
    if (spread->tally != NULL) {
        PEN_TRY(pen_tally_add(spread->tally, cells, weights, n_values, &n_done, err));
        if (n_done == n_values) {
            return PEN_OK;
        }
        PEN_TRY(pour(spread, err));
    }
    pen_hll_add_cells(spread->hll, (const char *)cells + 8 * n_done, n_values - n_done);
    return accept_many(spread, values + n_done, weights == NULL ? NULL : weights + n_done, n_values - n_done, err);
}

static pen_status merge_first(struct pen_spread *spread, const struct pen_spread *fork, struct pen_error *err)
{
    struct pen_tally_item item;
    bool done = true;
    for (int64_t at = 0; fork->tally != NULL && pen_tally_next(fork->tally, &at, &item);) {
        if (spread->tally != NULL) {
            PEN_TRY(pen_tally_put(spread->tally, &item, &done, err));
            if (done) {
                continue;
            }
            PEN_TRY(pour(spread, err));
        }
        pour_item(spread, &item);
    }
    if (fork->tally == NULL) {
        if (spread->tally != NULL) {
            PEN_TRY(pour(spread, err));
        }
        pen_hll_merge(spread->hll, fork->hll);
    }
    return PEN_OK;
}

/* ---- all sweeps ---- */

pen_status pen_spread_accept(struct pen_spread *spread, const double *values, const void *cells, const double *weights,
                             int64_t n_values, struct pen_error *err)
{
    if (!spread->asked) {
        return accept_first(spread, values, cells, weights, n_values, err);
    }
    for (int kind = 0; kind < N_KINDS; kind++) {
        const struct pen_select *select = spread->selects[kind];
        if (spread->parts[kind] == NULL && select != NULL && pen_select_unfinished(select)) {
            PEN_TRY(pen_select_part_create(&spread->parts[kind], select, err));
        }
    }
    return accept_many(spread, values, weights, n_values, err);
}

static pen_status merge_parts(struct pen_spread *spread, const struct pen_spread *from, struct pen_error *err)
{
    for (int kind = 0; kind < N_KINDS; kind++) {
        if (from->parts[kind] != NULL) {
            PEN_TRY(pen_select_merge(spread->selects[kind], from->parts[kind], err));
        }
    }
    return PEN_OK;
}

pen_status pen_spread_merge(struct pen_spread *spread, const struct pen_spread *fork, struct pen_error *err)
{
    if (!spread->asked) {
        PEN_TRY(merge_first(spread, fork, err));
    }
    return merge_parts(spread, fork, err);
}

static pen_status merge_own_parts(struct pen_spread *spread, struct pen_error *err)
{
    PEN_TRY(merge_parts(spread, spread, err));
    for (int kind = 0; kind < N_KINDS; kind++) {
        pen_select_part_destroy(spread->parts[kind]);
        spread->parts[kind] = NULL;
    }
    return PEN_OK;
}

/* Few values: select gets each with its count, and needs no further sweep. */
static pen_status give_tally(struct pen_spread *spread, struct pen_error *err)
{
    struct pen_tally_item item;
    for (int64_t at = 0; pen_tally_next(spread->tally, &at, &item);) {
        double value = value_of_item(spread, &item);
        PEN_TRY(pen_select_put(spread->selects[PLAIN], value, (double)item.count, err));
        if (spread->options.weighted) {
            PEN_TRY(pen_select_put(spread->selects[WEIGHTED], value, item.weight, err));
        }
    }
    return PEN_OK;
}

pen_status pen_spread_ask(struct pen_spread *spread, const struct pen_select_query *query,
                          const struct pen_select_query *weighted, struct pen_error *err)
{
    spread->asked = true;
    spread->exact = spread->tally != NULL;
    spread->n_distinct =
        spread->tally != NULL ? (double)pen_tally_n_values(spread->tally) : pen_hll_estimate(spread->hll);
    PEN_TRY(spread->tally != NULL ? give_tally(spread, err) : merge_own_parts(spread, err));
    PEN_TRY(pen_select_ask(spread->selects[PLAIN], query, err));
    return spread->options.weighted ? pen_select_ask(spread->selects[WEIGHTED], weighted, err) : PEN_OK;
}

pen_status pen_spread_end_sweep(struct pen_spread *spread, struct pen_error *err)
{
    PEN_TRY(merge_own_parts(spread, err));
    for (int kind = 0; kind < N_KINDS; kind++) {
        if (spread->selects[kind] != NULL && pen_select_unfinished(spread->selects[kind])) {
            PEN_TRY(pen_select_end_sweep(spread->selects[kind], err));
        }
    }
    return PEN_OK;
}

bool pen_spread_unfinished(const struct pen_spread *spread)
{
    return pen_select_unfinished(spread->selects[PLAIN]) ||
           (spread->selects[WEIGHTED] != NULL && pen_select_unfinished(spread->selects[WEIGHTED]));
}

double pen_spread_rank_value(const struct pen_spread *spread, bool weighted, int64_t rank)
{
    return pen_select_rank_value(spread->selects[weighted ? WEIGHTED : PLAIN], rank);
}

double pen_spread_edge_count(const struct pen_spread *spread, bool weighted, int64_t edge)
{
    return pen_select_edge_count(spread->selects[weighted ? WEIGHTED : PLAIN], edge);
}

double pen_spread_n_distinct(const struct pen_spread *spread, bool *exact)
{
    *exact = spread->exact;
    return spread->n_distinct;
}
