/* The table of a tally (tally.h): open addressing, at most a quarter full, a sixteenth while values are few, so that
 * the first look nearly always finds the value. A slot is free while its count is 0. The key of a free slot is 0, too,
 * and would be taken for the value 0; that value looks at slot 0 first, whose key begins as one that never looks there.
 */
#include "datasets/statistics/tally.h"

#include "core/memory.h"

#include <string.h>

enum { FIRST_BITS = 10, SLOTS_PER_VALUE = 4, FEW_VALUES = 1024, SLOTS_PER_FEW = 16, NOT_ZERO = 1 };

struct slot {
    uint64_t cell;
    int64_t count;
};

struct pen_tally {
    int64_t max_values, n_values;
    bool weighted;
    int slot_bits;
    struct slot *slots;
    double *weights; /* by slot */
};

static pen_status create_slots(struct pen_tally *tally, int slot_bits, struct pen_error *err)
{
    PEN_ALLOC(tally->slots, (int64_t)1 << slot_bits, err);
    tally->slots[0].cell = NOT_ZERO;
    tally->slot_bits = slot_bits;
    if (tally->weighted) {
        PEN_ALLOC(tally->weights, (int64_t)1 << slot_bits, err);
    }
    return PEN_OK;
}

pen_status pen_tally_create(struct pen_tally **tally, int64_t max_values, bool weighted, struct pen_error *err)
{
    struct pen_tally *made = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, made, 1, err);
    made->max_values = max_values > 0 ? max_values : PEN_TALLY_MAX;
    made->weighted = weighted;
    PEN_TRY_GOTO(cleanup, create_slots(made, FIRST_BITS, err));
cleanup:
    if (status != PEN_OK) {
        pen_tally_destroy(made);
        made = NULL;
    }
    *tally = made;
    return status;
}

void pen_tally_destroy(struct pen_tally *tally)
{
    if (tally != NULL) {
        pen_free(tally->slots);
        pen_free(tally->weights);
        pen_free(tally);
    }
}

/* Fibonacci hashing: where a value is looked for first. */
static inline uint64_t home(uint64_t cell, int slot_bits)
{
    return (cell * 0x9E3779B97F4A7C15U) >> (64 - slot_bits);
}

/* The slot of the value, or the free one where it belongs. */
static uint64_t find(const struct pen_tally *tally, uint64_t cell)
{
    uint64_t mask = ((uint64_t)1 << tally->slot_bits) - 1, at = home(cell, tally->slot_bits);
    while (tally->slots[at].count != 0 && tally->slots[at].cell != cell) {
        at = (at + 1) & mask;
    }
    return at;
}

static pen_status grow(struct pen_tally *tally, struct pen_error *err)
{
    struct pen_tally larger = {.weighted = tally->weighted};
    struct pen_tally_item item;
    int64_t at = 0;
    pen_status status = create_slots(&larger, tally->slot_bits + 1, err);
    while (status == PEN_OK && pen_tally_next(tally, &at, &item)) {
        uint64_t slot = find(&larger, item.cell);
        larger.slots[slot] = (struct slot){item.cell, item.count};
        if (larger.weights != NULL) {
            larger.weights[slot] = item.weight;
        }
    }
    struct pen_tally *unused = status == PEN_OK ? tally : &larger;
    pen_free(unused->slots);
    pen_free(unused->weights);
    if (status == PEN_OK) {
        tally->slots = larger.slots;
        tally->weights = larger.weights;
        tally->slot_bits = larger.slot_bits;
    }
    return status;
}

static bool is_full(const struct pen_tally *tally)
{
    int64_t n = tally->n_values + 1;
    return n * (n <= FEW_VALUES ? SLOTS_PER_FEW : SLOTS_PER_VALUE) > (int64_t)1 << tally->slot_bits;
}

pen_status pen_tally_put(struct pen_tally *tally, const struct pen_tally_item *item, bool *done, struct pen_error *err)
{
    uint64_t at = find(tally, item->cell);
    *done = true;
    if (tally->slots[at].count == 0) {
        if (tally->n_values == tally->max_values) {
            *done = false;
            return PEN_OK;
        }
        if (is_full(tally)) {
            PEN_TRY(grow(tally, err));
            at = find(tally, item->cell);
        }
        tally->slots[at].cell = item->cell;
        tally->n_values++;
    }
    tally->slots[at].count += item->count;
    if (tally->weights != NULL) {
        tally->weights[at] += item->weight;
    }
    return PEN_OK;
}

/* Counts cells that are where they are looked for first, or one on; stops at the first that is not. */
static int64_t count_known(struct pen_tally *tally, const char *cells, const double *weights, int64_t n_cells)
{
    struct slot *slots = tally->slots;
    double *sums = weights != NULL ? tally->weights : NULL;
    uint64_t mask = ((uint64_t)1 << tally->slot_bits) - 1;
    int slot_bits = tally->slot_bits;
    PEN_ASSERT(weights == NULL || sums != NULL);
    for (int64_t i = 0; i < n_cells; i++) {
        uint64_t cell;
        memcpy(&cell, cells + 8 * i, sizeof cell);
        uint64_t at = home(cell, slot_bits);
        if (slots[at].cell != cell) {
            at = (at + 1) & mask;
            if (slots[at].cell != cell || slots[at].count == 0) {
                return i;
            }
        }
        slots[at].count++;
        if (sums != NULL) {
            sums[at] += weights[i];
        }
    }
    return n_cells;
}

pen_status pen_tally_add(struct pen_tally *tally, const void *cells, const double *weights, int64_t n_cells,
                         int64_t *n_done, struct pen_error *err)
{
    const char *bytes = cells;
    bool done = true;
    *n_done = 0;
    while (done) {
        *n_done +=
            count_known(tally, bytes + 8 * *n_done, weights == NULL ? NULL : weights + *n_done, n_cells - *n_done);
        if (*n_done == n_cells) {
            break;
        }
        struct pen_tally_item item = {.count = 1, .weight = weights == NULL ? 0 : weights[*n_done]};
        memcpy(&item.cell, bytes + 8 * *n_done, sizeof item.cell);
        PEN_TRY(pen_tally_put(tally, &item, &done, err));
        *n_done += done;
    }
    return PEN_OK;
}

int64_t pen_tally_n_values(const struct pen_tally *tally)
{
    return tally->n_values;
}

bool pen_tally_next(const struct pen_tally *tally, int64_t *at, struct pen_tally_item *item)
{
    while (*at < (int64_t)1 << tally->slot_bits) {
        const struct slot *slot = &tally->slots[*at];
        *item = (struct pen_tally_item){slot->cell, slot->count, tally->weights == NULL ? 0 : tally->weights[*at]};
        (*at)++;
        if (slot->count > 0) {
            return true;
        }
    }
    return false;
}
