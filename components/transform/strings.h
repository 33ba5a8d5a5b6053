/* Strings held together: entries that codes point at, a table that numbers distinct strings, a map from 64-bit keys
 * to numbers. All grow; none is thread-safe. */
#ifndef PEN_COMPONENTS_TRANSFORM_STRINGS_H
#define PEN_COMPONENTS_TRANSFORM_STRINGS_H

#include "core/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A borrowed view: entry e is bytes[starts[e] .. + sizes[e]), sizes NULL: up to starts[e + 1]. */
struct pen_entries {
    int64_t n_entries;
    const int64_t *starts;
    const int32_t *sizes;
    const char *bytes;
    int64_t generation; /* another number: earlier entries have changed their meaning */
};

static inline const char *pen_entry(const struct pen_entries *entries, int64_t entry, size_t *size_bytes)
{
    int64_t start = entries->starts[entry];
    *size_bytes = (size_t)(entries->sizes == NULL ? entries->starts[entry + 1] - start : entries->sizes[entry]);
    return entries->bytes + start;
}

/* Distinct strings numbered 0, 1, ... in order of insertion. */
struct pen_string_table;
PEN_MUST_USE pen_status pen_string_table_create(struct pen_string_table **table, struct pen_error *err);
void pen_string_table_destroy(struct pen_string_table *table); /* NULL is fine */
int64_t pen_string_table_size(const struct pen_string_table *table);
size_t pen_string_table_bytes(const struct pen_string_table *table); /* of all its strings */
uint32_t pen_string_hash(const char *text, size_t size_bytes);       /* what the table goes by */
uint32_t pen_string_table_hash(const struct pen_string_table *table, int64_t index);
int64_t pen_string_table_find(const struct pen_string_table *table, const char *text, size_t size_bytes); /* or -1 */
/* *index: its number, new or old. The table then counts `count` more occurrences of it. */
PEN_MUST_USE pen_status pen_string_table_add(struct pen_string_table *table, const char *text, size_t size_bytes,
                                             int64_t count, int64_t *index, struct pen_error *err);
/* The same with the string's hash at hand. */
PEN_MUST_USE pen_status pen_string_table_add_hashed(struct pen_string_table *table, const char *text, size_t size_bytes,
                                                    uint32_t hash, int64_t count, int64_t *index,
                                                    struct pen_error *err);
const char *pen_string_table_text(const struct pen_string_table *table, int64_t index, size_t *size_bytes);
int64_t pen_string_table_count(const struct pen_string_table *table, int64_t index);

/* 64-bit keys to int32 numbers 0, 1, ... in order of insertion. Zero-initialise. */
struct pen_key_map {
    uint64_t *keys;
    int32_t *numbers; /* -1: free */
    int64_t capacity, n_keys;
};
void pen_key_map_deinit(struct pen_key_map *map);
void pen_key_map_clear(struct pen_key_map *map);
PEN_MUST_USE pen_status pen_key_map_grow(struct pen_key_map *map, struct pen_error *err);

/* Position of the key, or of the free place where it belongs. capacity > 0 and not full. */
static inline int64_t pen_key_map_place(const struct pen_key_map *map, uint64_t key)
{
    uint64_t hash = key * 0x9E3779B97F4A7C15U;
    int64_t place = (int64_t)((hash ^ (hash >> 32)) & (uint64_t)(map->capacity - 1));
    while (map->numbers[place] >= 0 && map->keys[place] != key) {
        place = (place + 1) & (map->capacity - 1);
    }
    return place;
}

#ifdef __cplusplus
}
#endif

#endif
