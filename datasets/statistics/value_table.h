/* Distinct byte strings and their counts: exact while they fit, then a sketch with stated bounds.
 *
 * A hash table holds every distinct value. When it would pass its limits it is cut to its heavier half in the manner
 * of Misra and Gries (1982; merging: Agarwal et al., "Mergeable summaries", 2012): the count of the heaviest value
 * that goes is taken off every count. Whatever is absent then occurred at most pen_value_table_missed() times, which
 * is below n / entries kept. A second sweep over the data, with only the survivors looked up, makes their counts
 * exact again. The number of distinct values comes from a HyperLogLog from the first cut on. */
#ifndef PEN_DATASETS_STATISTICS_VALUE_TABLE_H
#define PEN_DATASETS_STATISTICS_VALUE_TABLE_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_value_table;

struct pen_value_entry {
    uint64_t hash;
    int64_t offset, size_bytes; /* in the table's bytes */
    int64_t count;
    double weight;
    bool invalid_utf8;
};

/* limit_bytes: of memory for values, at least 64 KiB is taken; max_entries 0: no limit of its own. */
PEN_API PEN_MUST_USE pen_status pen_value_table_create(struct pen_value_table **table, int64_t limit_bytes,
                                                       int64_t max_entries, struct pen_error *err);
PEN_API void pen_value_table_destroy(struct pen_value_table *table);

/* Counts one value `count` times, with `weight` in all. *invalid tells whether it is not UTF-8. */
PEN_API PEN_MUST_USE pen_status pen_value_table_add(struct pen_value_table *table, const char *bytes, size_t size_bytes,
                                                    int64_t count, double weight, bool *invalid, struct pen_error *err);
/* Of the same sweep. */
PEN_API PEN_MUST_USE pen_status pen_value_table_merge(struct pen_value_table *table,
                                                      const struct pen_value_table *other, struct pen_error *err);

PEN_API bool pen_value_table_exact(const struct pen_value_table *table); /* never cut */
/* Forgets the counts, keeps the values: from now on only those are counted. */
PEN_API void pen_value_table_begin_recount(struct pen_value_table *table);
/* An empty table with the values of another, to be counted by another thread. */
PEN_API PEN_MUST_USE pen_status pen_value_table_copy(struct pen_value_table **copy, const struct pen_value_table *table,
                                                     struct pen_error *err);

PEN_API int64_t pen_value_table_n_entries(const struct pen_value_table *table);
PEN_API const struct pen_value_entry *pen_value_table_entry(const struct pen_value_table *table, int64_t index);
PEN_API const char *pen_value_table_bytes(const struct pen_value_table *table, const struct pen_value_entry *entry);
PEN_API int64_t pen_value_table_missed(const struct pen_value_table *table);
PEN_API double pen_value_table_n_distinct(const struct pen_value_table *table);

#ifdef __cplusplus
}
#endif

#endif
