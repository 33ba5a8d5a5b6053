/* The set of 64-bit values and the sketch after it (distinct.h). The set is an open-addressing table at most a quarter
 * full, so that the first look nearly always finds the value. A free slot is 0; slot 0, the home of 0, belongs to that
 * value alone and holds anything else until it occurs. */
#include "datasets/statistics/distinct.h"

#include "core/memory.h"
#include "datasets/statistics/hll.h"

#include <string.h>

enum { FIRST_BITS = 10, SLOTS_PER_VALUE = 4, BLOCK = 1024 };
enum { NO_ZERO = 1 }; /* in slot 0; not the home of 1 */

struct pen_distinct {
    int64_t max_exact, n_values;
    int slot_bits;
    uint64_t *slots; /* NULL once there were too many */
    struct pen_hll *hll;
};

/* ---- the set ---- */

static inline uint64_t home(uint64_t value, int slot_bits)
{
    return (value * 0x9E3779B97F4A7C15U) >> (64 - slot_bits);
}

/* False: it was there. There is room. */
static bool put(uint64_t *slots, int slot_bits, uint64_t value)
{
    uint64_t mask = ((uint64_t)1 << slot_bits) - 1, slot = home(value, slot_bits);
    if (value == 0) {
        bool fresh = slots[0] != 0;
        slots[0] = 0;
        return fresh;
    }
    slot += slot == 0;
    while (slots[slot] != 0) {
        if (slots[slot] == value) {
            return false;
        }
        slot = (slot + 1) & mask;
        slot += slot == 0;
    }
    slots[slot] = value;
    return true;
}

static pen_status create_slots(struct pen_distinct *distinct, int slot_bits, struct pen_error *err)
{
    PEN_ALLOC(distinct->slots, (int64_t)1 << slot_bits, err);
    distinct->slots[0] = NO_ZERO;
    distinct->slot_bits = slot_bits;
    return PEN_OK;
}

/* Walks the values of a set: *at starts at 0 and tells where to go on. */
static bool next_value(const struct pen_distinct *distinct, int64_t *at, uint64_t *value)
{
    int64_t n_slots = (int64_t)1 << distinct->slot_bits;
    while (*at < n_slots) {
        bool found = *at == 0 ? distinct->slots[0] == 0 : distinct->slots[*at] != 0;
        *value = distinct->slots[(*at)++];
        if (found) {
            return true;
        }
    }
    return false;
}

static pen_status grow(struct pen_distinct *distinct, struct pen_error *err)
{
    struct pen_distinct larger = {0};
    int64_t at = 0;
    uint64_t value;
    PEN_TRY(create_slots(&larger, distinct->slot_bits + 1, err));
    while (next_value(distinct, &at, &value)) {
        (void)put(larger.slots, larger.slot_bits, value);
    }
    pen_free(distinct->slots);
    distinct->slots = larger.slots;
    distinct->slot_bits = larger.slot_bits;
    return PEN_OK;
}

static pen_status start_sketch(struct pen_distinct *distinct, struct pen_error *err)
{
    int64_t at = 0;
    uint64_t value;
    PEN_ALLOC(distinct->hll, 1, err);
    while (next_value(distinct, &at, &value)) {
        pen_hll_add(distinct->hll, value);
    }
    pen_free(distinct->slots);
    distinct->slots = NULL;
    return PEN_OK;
}

static pen_status insert(struct pen_distinct *distinct, uint64_t value, struct pen_error *err)
{
    if (!put(distinct->slots, distinct->slot_bits, value)) {
        return PEN_OK;
    }
    distinct->n_values++;
    if (distinct->n_values > distinct->max_exact) {
        return start_sketch(distinct, err);
    }
    return distinct->n_values * SLOTS_PER_VALUE > (int64_t)1 << distinct->slot_bits ? grow(distinct, err) : PEN_OK;
}

/* Returns how many were looked at: fewer than all when the set has given way to the sketch. */
static pen_status add_to_set(struct pen_distinct *distinct, const char *values, int64_t n_values, int64_t *n_done,
                             struct pen_error *err)
{
    int64_t i = 0;
    for (; i < n_values && distinct->slots != NULL; i++) {
        uint64_t value;
        memcpy(&value, values + 8 * i, sizeof value);
        if (distinct->slots[home(value, distinct->slot_bits)] != value) {
            PEN_TRY(insert(distinct, value, err));
        }
    }
    *n_done = i;
    return PEN_OK;
}

/* ---- the sketch ---- */

/* Registers and ranks of a block; then one look each, nearly always without a change. */
static inline __attribute__((always_inline)) void sketch_body(uint8_t *registers, const char *values, int64_t n_values)
{
    uint32_t updates[BLOCK];
    for (int64_t i = 0; i < n_values; i++) {
        uint64_t value;
        memcpy(&value, values + 8 * i, sizeof value);
        updates[i] = pen_hll_update(value);
    }
    for (int64_t i = 0; i < n_values; i++) {
        uint32_t slot = updates[i] >> 8;
        uint8_t rank = (uint8_t)updates[i];
        if (__builtin_expect(rank > registers[slot], 0)) {
            registers[slot] = rank;
        }
    }
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq,avx512cd,avx512vl,lzcnt,prefer-vector-width=512"))) static void
sketch_avx512(uint8_t *registers, const char *values, int64_t n_values)
{
    sketch_body(registers, values, n_values);
}

__attribute__((target("avx2,lzcnt"))) static void sketch_avx2(uint8_t *registers, const char *values, int64_t n_values)
{
    sketch_body(registers, values, n_values);
}
#endif

static void add_to_sketch(struct pen_hll *hll, const char *values, int64_t n_values)
{
    for (int64_t first = 0; first < n_values; first += BLOCK) {
        int64_t n = n_values - first < BLOCK ? n_values - first : BLOCK;
        const char *block = values + 8 * first;
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") &&
            __builtin_cpu_supports("avx512vl")) {
            sketch_avx512(hll->registers, block, n);
            continue;
        }
        if (__builtin_cpu_supports("avx2")) {
            sketch_avx2(hll->registers, block, n);
            continue;
        }
#endif
        sketch_body(hll->registers, block, n);
    }
}

pen_status pen_distinct_create(struct pen_distinct **distinct, int64_t max_exact, struct pen_error *err)
{
    struct pen_distinct *made = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, made, 1, err);
    made->max_exact = max_exact > 0 ? max_exact : PEN_DISTINCT_EXACT;
    PEN_TRY_GOTO(cleanup, create_slots(made, FIRST_BITS, err));
cleanup:
    if (status != PEN_OK) {
        pen_distinct_destroy(made);
        made = NULL;
    }
    *distinct = made;
    return status;
}

void pen_distinct_destroy(struct pen_distinct *distinct)
{
    if (distinct != NULL) {
        pen_free(distinct->slots);
        pen_free(distinct->hll);
        pen_free(distinct);
    }
}

pen_status pen_distinct_add(struct pen_distinct *distinct, const void *values, int64_t n_values, struct pen_error *err)
{
    int64_t n_done = 0;
    PEN_TRY(add_to_set(distinct, values, n_values, &n_done, err));
    if (n_done < n_values) {
        add_to_sketch(distinct->hll, (const char *)values + 8 * n_done, n_values - n_done);
    }
    return PEN_OK;
}

pen_status pen_distinct_merge(struct pen_distinct *distinct, const struct pen_distinct *other, struct pen_error *err)
{
    if (other->hll != NULL) {
        if (distinct->hll == NULL) {
            PEN_TRY(start_sketch(distinct, err));
        }
        pen_hll_merge(distinct->hll, other->hll);
        return PEN_OK;
    }
    int64_t at = 0;
    uint64_t value;
    while (next_value(other, &at, &value)) {
        PEN_TRY(pen_distinct_add(distinct, &value, 1, err));
    }
    return PEN_OK;
}

bool pen_distinct_exact(const struct pen_distinct *distinct)
{
    return distinct->hll == NULL;
}

double pen_distinct_count(const struct pen_distinct *distinct)
{
    return distinct->hll == NULL ? (double)distinct->n_values : pen_hll_estimate(distinct->hll);
}
