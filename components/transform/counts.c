/* Bounded exact counts: the method is in the header. */
#include "components/transform/counts.h"

#include <assert.h>
#include <stdlib.h>

static const uint64_t all_hashes = (uint64_t)1 << 32;

void pen_counts_init(struct pen_counts *counts, int64_t top_k, int64_t min_count, pen_counted_order_fn *order)
{
    *counts = (struct pen_counts){.may_cut = top_k > 0 || min_count > 1,
                                  .top_k = top_k,
                                  .min_count = min_count,
                                  .order = order,
                                  .high = all_hashes,
                                  .least = min_count};
}

void pen_counts_deinit(struct pen_counts *counts)
{
    pen_free(counts->bound);
    pen_free(counts->passed);
    pen_string_table_destroy(counts->kept);
    *counts = (struct pen_counts){0};
}

/* Other bits than those that order the range. */
static int64_t place_of(uint32_t hash)
{
    return (int64_t)((hash * 0x9E3779B1U) >> 13);
}

static_assert(PEN_COUNTS_PLACES == 1 << (32 - 13), "a place is the upper bits of a product of 32 bits");

pen_status pen_counts_add(struct pen_counts *counts, struct pen_string_table *table, const char *text,
                          size_t size_bytes, int64_t count, struct pen_error *err)
{
    int64_t ignored = 0;
    uint32_t hash = pen_string_hash(text, size_bytes);
    if (hash >= counts->high) {
        __atomic_fetch_add(&counts->passed[place_of(hash)], count, __ATOMIC_RELAXED);
        return PEN_OK;
    }
    if (hash < counts->low || (counts->bound != NULL && counts->bound[place_of(hash)] < counts->least)) {
        return PEN_OK;
    }
    return pen_string_table_add_hashed(table, text, size_bytes, hash, count, &ignored, err);
}

bool pen_counts_too_many(const struct pen_counts *counts, const struct pen_string_table *table)
{
    return counts->may_cut && (pen_string_table_size(table) > PEN_COUNTS_MOST ||
                               pen_string_table_bytes(table) > (size_t)PEN_COUNTS_MOST_BYTES);
}

/* What of the table lies below `high`. */
static void count_below(const struct pen_string_table *table, uint64_t high, int64_t *n, size_t *size_bytes)
{
    *n = 0;
    *size_bytes = 0;
    for (int64_t i = 0; i < pen_string_table_size(table); i++) {
        size_t size = 0;
        (void)pen_string_table_text(table, i, &size);
        bool below = pen_string_table_hash(table, i) < high;
        *n += below;
        *size_bytes += below ? size : 0;
    }
}

pen_status pen_counts_cut(struct pen_counts *counts, struct pen_string_table **table, struct pen_error *err)
{
    int64_t n = 0;
    size_t size = 0;
    do {
        counts->high = counts->low + (counts->high - counts->low) / 2;
        count_below(*table, counts->high, &n, &size);
    } while (n > PEN_COUNTS_MOST / 2 || size > (size_t)PEN_COUNTS_MOST_BYTES / 2);
    if (counts->high == counts->low) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "expected at most %d distinct values of one hash and %d bytes, found more",
                 PEN_COUNTS_MOST, PEN_COUNTS_MOST_BYTES);
    }
    if (counts->passed == NULL) {
        PEN_ALLOC(counts->passed, PEN_COUNTS_PLACES, err);
    }
    struct pen_string_table *left = NULL;
    PEN_TRY(pen_string_table_create(&left, err));
    for (int64_t i = 0; i < pen_string_table_size(*table); i++) {
        int64_t ignored = 0, count = pen_string_table_count(*table, i);
        uint32_t hash = pen_string_table_hash(*table, i);
        const char *text = pen_string_table_text(*table, i, &size);
        if (hash >= counts->high) {
            counts->passed[place_of(hash)] += count;
            continue;
        }
        pen_status status = pen_string_table_add_hashed(left, text, size, hash, count, &ignored, err);
        if (status != PEN_OK) {
            pen_string_table_destroy(left);
            return status;
        }
    }
    pen_string_table_destroy(*table);
    *table = left;
    return PEN_OK;
}

static int64_t list_counted(const struct pen_string_table *table, int64_t min_count, struct pen_counted *out)
{
    int64_t n = 0;
    for (int64_t i = 0; table != NULL && i < pen_string_table_size(table); i++) {
        if (pen_string_table_count(table, i) >= min_count) {
            out[n].text = pen_string_table_text(table, i, &out[n].size_bytes);
            out[n++].count = pen_string_table_count(table, i);
        }
    }
    return n;
}

static pen_status keep_best(struct pen_counts *counts, const struct pen_string_table *table, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_counted *all = NULL;
    struct pen_string_table *kept = NULL;
    int64_t most = pen_string_table_size(table) + (counts->kept == NULL ? 0 : pen_string_table_size(counts->kept));
    PEN_ALLOC(all, most + 1, err);
    int64_t n = list_counted(table, counts->min_count, all);
    n += list_counted(counts->kept, counts->min_count, all + n);
    qsort(all, (size_t)n, sizeof *all, counts->order);
    n = counts->top_k > 0 && counts->top_k < n ? counts->top_k : n;
    PEN_TRY_GOTO(cleanup, pen_string_table_create(&kept, err));
    for (int64_t i = 0; i < n; i++) {
        int64_t ignored = 0;
        PEN_TRY_GOTO(cleanup, pen_string_table_add(kept, all[i].text, all[i].size_bytes, all[i].count, &ignored, err));
    }
    counts->least = counts->top_k > 0 && n == counts->top_k ? all[n - 1].count : counts->min_count;
    pen_string_table_destroy(counts->kept);
    counts->kept = kept;
    kept = NULL;
cleanup:
    pen_string_table_destroy(kept);
    pen_free(all);
    return status;
}

pen_status pen_counts_end_sweep(struct pen_counts *counts, const struct pen_string_table *table, bool *done,
                                struct pen_error *err)
{
    PEN_TRY(keep_best(counts, table, err));
    *done = counts->high == all_hashes;
    pen_free(counts->bound);
    counts->bound = counts->passed;
    counts->passed = NULL;
    counts->low = counts->high;
    counts->high = all_hashes;
    return PEN_OK;
}
