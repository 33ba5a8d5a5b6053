/* The table of distinct values (value_table.h): entries in order of arrival, an open-addressing index over them, one
 * pool of bytes. */
#include "datasets/statistics/value_table.h"

#include "core/hash.h"
#include "core/memory.h"
#include "core/text.h"
#include "datasets/statistics/hll.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 256, LEAST_BYTES = 65536 };

struct pen_value_table {
    int64_t limit_bytes, max_entries;
    int64_t n_entries, capacity;
    struct pen_value_entry *entries;
    int64_t n_slots; /* a power of two, at most half full */
    int32_t *slots;  /* entry + 1, 0 = free */
    int64_t n_bytes, bytes_capacity;
    char *bytes;
    bool cut, recount;
    int64_t missed;
    struct pen_hll *hll; /* from the first cut on */
};

pen_status pen_value_table_create(struct pen_value_table **table, int64_t limit_bytes, int64_t max_entries,
                                  struct pen_error *err)
{
    struct pen_value_table *made = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, made, 1, err);
    made->limit_bytes = limit_bytes > LEAST_BYTES ? limit_bytes : LEAST_BYTES;
    made->max_entries = max_entries > 0 && max_entries < INT32_MAX / 2 ? max_entries : INT32_MAX / 2;
    made->n_slots = FIRST_SLOTS;
    PEN_ALLOC_GOTO(cleanup, made->slots, made->n_slots, err);
cleanup:
    if (status != PEN_OK) {
        pen_value_table_destroy(made);
        made = NULL;
    }
    *table = made;
    return status;
}

void pen_value_table_destroy(struct pen_value_table *table)
{
    if (table != NULL) {
        pen_free(table->entries);
        pen_free(table->slots);
        pen_free(table->bytes);
        pen_free(table->hll);
        pen_free(table);
    }
}

/* The slot that holds the value, or the free one where it belongs. */
static int64_t find_slot(const struct pen_value_table *table, const char *bytes, size_t size_bytes, uint64_t hash)
{
    uint64_t mask = (uint64_t)table->n_slots - 1, slot = hash & mask;
    for (; table->slots[slot] != 0; slot = (slot + 1) & mask) {
        const struct pen_value_entry *entry = &table->entries[table->slots[slot] - 1];
        if (entry->hash == hash && (size_t)entry->size_bytes == size_bytes &&
            (size_bytes == 0 || memcmp(table->bytes + entry->offset, bytes, size_bytes) == 0)) {
            break;
        }
    }
    return (int64_t)slot;
}

static pen_status rebuild_slots(struct pen_value_table *table, int64_t n_slots, struct pen_error *err)
{
    int32_t *slots = NULL;
    PEN_ALLOC(slots, n_slots, err);
    pen_free(table->slots);
    table->slots = slots;
    table->n_slots = n_slots;
    uint64_t mask = (uint64_t)n_slots - 1;
    for (int64_t i = 0; i < table->n_entries; i++) {
        uint64_t slot = table->entries[i].hash & mask;
        while (slots[slot] != 0) {
            slot = (slot + 1) & mask;
        }
        slots[slot] = (int32_t)(i + 1);
    }
    return PEN_OK;
}

static int64_t cost_of(int64_t n_entries, int64_t n_bytes)
{
    return n_entries * (int64_t)(sizeof(struct pen_value_entry) + 4 * sizeof(int32_t)) + n_bytes;
}

static int descending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

static pen_status start_hll(struct pen_value_table *table, struct pen_error *err)
{
    if (table->hll == NULL) {
        PEN_ALLOC(table->hll, 1, err);
        for (int64_t i = 0; i < table->n_entries; i++) {
            pen_hll_add(table->hll, table->entries[i].hash);
        }
    }
    return PEN_OK;
}

/* Misra and Gries: takes the count of the heaviest of the lighter half off all, and drops what reaches zero. */
static pen_status cut(struct pen_value_table *table, struct pen_error *err)
{
    PEN_TRY(start_hll(table, err));
    int64_t *counts = NULL;
    PEN_ALLOC(counts, table->n_entries, err);
    for (int64_t i = 0; i < table->n_entries; i++) {
        counts[i] = table->entries[i].count;
    }
    qsort(counts, (size_t)table->n_entries, sizeof *counts, descending);
    int64_t taken = counts[table->n_entries / 2], n_kept = 0, n_bytes = 0;
    pen_free(counts);
    for (int64_t i = 0; i < table->n_entries; i++) {
        struct pen_value_entry entry = table->entries[i];
        if (entry.count > taken) {
            memmove(table->bytes + n_bytes, table->bytes + entry.offset, (size_t)entry.size_bytes);
            entry.offset = n_bytes;
            entry.count -= taken;
            n_bytes += entry.size_bytes;
            table->entries[n_kept++] = entry;
        }
    }
    table->n_entries = n_kept;
    table->n_bytes = n_bytes;
    table->cut = true;
    table->missed += taken;
    return rebuild_slots(table, table->n_slots, err);
}

static pen_status insert(struct pen_value_table *table, const char *bytes, size_t size_bytes, uint64_t hash,
                         struct pen_error *err)
{
    void *memory = table->entries;
    pen_status status = pen_grow(&memory, &table->capacity, table->n_entries + 1, sizeof *table->entries, err);
    table->entries = memory;
    PEN_TRY(status);
    memory = table->bytes;
    status = pen_grow(&memory, &table->bytes_capacity, table->n_bytes + (int64_t)size_bytes + 1, 1, err);
    table->bytes = memory;
    PEN_TRY(status);
    if (2 * (table->n_entries + 1) > table->n_slots) {
        PEN_TRY(rebuild_slots(table, 2 * table->n_slots, err));
    }
    int64_t slot = find_slot(table, bytes, size_bytes, hash);
    struct pen_value_entry *entry = &table->entries[table->n_entries];
    *entry = (struct pen_value_entry){.hash = hash, .offset = table->n_bytes, .size_bytes = (int64_t)size_bytes};
    entry->invalid_utf8 = pen_utf8_valid_prefix(bytes, size_bytes) != size_bytes;
    if (size_bytes > 0) {
        memcpy(table->bytes + table->n_bytes, bytes, size_bytes);
    }
    table->n_bytes += (int64_t)size_bytes;
    table->slots[slot] = (int32_t)(++table->n_entries);
    return PEN_OK;
}

static pen_status add_hashed(struct pen_value_table *table, const char *bytes, size_t size_bytes, uint64_t hash,
                             int64_t count, double weight, bool *invalid, struct pen_error *err)
{
    int64_t slot = find_slot(table, bytes, size_bytes, hash);
    if (table->hll != NULL && !table->recount) {
        pen_hll_add(table->hll, hash);
    }
    if (table->slots[slot] == 0) {
        if (table->recount) {
            *invalid = false;
            return PEN_OK;
        }
        bool full = table->n_entries >= table->max_entries ||
                    cost_of(table->n_entries + 1, table->n_bytes + (int64_t)size_bytes) > table->limit_bytes;
        if (full && table->n_entries > 0) {
            PEN_TRY(cut(table, err));
            full = cost_of(table->n_entries + 1, table->n_bytes + (int64_t)size_bytes) > table->limit_bytes;
        }
        if (full) { /* longer than the table may hold, or nothing could go: it is among the missed */
            PEN_TRY(start_hll(table, err));
            pen_hll_add(table->hll, hash);
            table->cut = true;
            table->missed += count;
            *invalid = pen_utf8_valid_prefix(bytes, size_bytes) != size_bytes;
            return PEN_OK;
        }
        PEN_TRY(insert(table, bytes, size_bytes, hash, err));
        if (table->hll != NULL) {
            pen_hll_add(table->hll, hash);
        }
        slot = find_slot(table, bytes, size_bytes, hash);
    }
    struct pen_value_entry *entry = &table->entries[table->slots[slot] - 1];
    entry->count += count;
    entry->weight += weight;
    *invalid = entry->invalid_utf8;
    return PEN_OK;
}

pen_status pen_value_table_add(struct pen_value_table *table, const char *bytes, size_t size_bytes, int64_t count,
                               double weight, bool *invalid, struct pen_error *err)
{
    return add_hashed(table, bytes, size_bytes, pen_hash64(bytes, size_bytes), count, weight, invalid, err);
}

pen_status pen_value_table_merge(struct pen_value_table *table, const struct pen_value_table *other,
                                 struct pen_error *err)
{
    bool invalid = false;
    if (other->hll != NULL && !table->recount) {
        PEN_TRY(start_hll(table, err));
        pen_hll_merge(table->hll, other->hll);
    }
    for (int64_t i = 0; i < other->n_entries; i++) {
        const struct pen_value_entry *entry = &other->entries[i];
        PEN_TRY(add_hashed(table, other->bytes + entry->offset, (size_t)entry->size_bytes, entry->hash, entry->count,
                           entry->weight, &invalid, err));
    }
    if (!table->recount) {
        table->cut = table->cut || other->cut;
        table->missed += other->missed;
    }
    return PEN_OK;
}

bool pen_value_table_exact(const struct pen_value_table *table)
{
    return !table->cut;
}

void pen_value_table_begin_recount(struct pen_value_table *table)
{
    table->recount = true;
    for (int64_t i = 0; i < table->n_entries; i++) {
        table->entries[i].count = 0;
        table->entries[i].weight = 0;
    }
}

pen_status pen_value_table_copy(struct pen_value_table **copy, const struct pen_value_table *table,
                                struct pen_error *err)
{
    struct pen_value_table *made = NULL;
    bool invalid = false;
    pen_status status = PEN_OK;
    PEN_TRY_GOTO(cleanup, pen_value_table_create(&made, table->limit_bytes, table->max_entries, err));
    for (int64_t i = 0; i < table->n_entries; i++) {
        const struct pen_value_entry *entry = &table->entries[i];
        PEN_TRY_GOTO(cleanup, add_hashed(made, table->bytes + entry->offset, (size_t)entry->size_bytes, entry->hash, 0,
                                         0, &invalid, err));
    }
    made->recount = table->recount;
cleanup:
    if (status != PEN_OK) {
        pen_value_table_destroy(made);
        made = NULL;
    }
    *copy = made;
    return status;
}

int64_t pen_value_table_n_entries(const struct pen_value_table *table)
{
    return table->n_entries;
}

const struct pen_value_entry *pen_value_table_entry(const struct pen_value_table *table, int64_t index)
{
    return &table->entries[index];
}

const char *pen_value_table_bytes(const struct pen_value_table *table, const struct pen_value_entry *entry)
{
    return entry->size_bytes == 0 ? "" : table->bytes + entry->offset;
}

int64_t pen_value_table_missed(const struct pen_value_table *table)
{
    return table->missed;
}

double pen_value_table_n_distinct(const struct pen_value_table *table)
{
    return table->hll != NULL ? pen_hll_estimate(table->hll) : (double)table->n_entries;
}
