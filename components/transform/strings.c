/* The string table and the key map: open addressing, linear probing, at most half full. */
#include "components/transform/strings.h"

#include "core/hash.h"

#include <string.h>

struct pen_string_table {
    int64_t *starts; /* [n + 1] */
    uint32_t *hashes;
    int64_t *counts;
    char *bytes;
    uint64_t *places; /* [n_places] hash << 32 | index + 1, or 0 */
    int64_t n, n_places;
    int64_t starts_capacity, hashes_capacity, counts_capacity, bytes_capacity;
};

pen_status pen_string_table_create(struct pen_string_table **table, struct pen_error *err)
{
    enum { FIRST = 64 };
    struct pen_string_table *t = NULL;
    PEN_ALLOC(t, 1, err);
    t->n_places = FIRST;
    t->places = pen_calloc(FIRST, sizeof *t->places);
    t->starts = pen_calloc(FIRST + 1, sizeof *t->starts);
    t->starts_capacity = FIRST + 1;
    if (t->places == NULL || t->starts == NULL) {
        pen_string_table_destroy(t);
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: a table of strings");
    }
    *table = t;
    return PEN_OK;
}

void pen_string_table_destroy(struct pen_string_table *table)
{
    if (table != NULL) {
        pen_free(table->starts);
        pen_free(table->hashes);
        pen_free(table->counts);
        pen_free(table->bytes);
        pen_free(table->places);
        pen_free(table);
    }
}

int64_t pen_string_table_size(const struct pen_string_table *table)
{
    return table->n;
}

const char *pen_string_table_text(const struct pen_string_table *table, int64_t index, size_t *size_bytes)
{
    *size_bytes = (size_t)(table->starts[index + 1] - table->starts[index]);
    return table->bytes == NULL ? "" : table->bytes + table->starts[index];
}

int64_t pen_string_table_count(const struct pen_string_table *table, int64_t index)
{
    return table->counts[index];
}

/* -1: the place is free. */
static int64_t index_at(const struct pen_string_table *t, int64_t place)
{
    return (int64_t)(t->places[place] & UINT32_MAX) - 1;
}

/* Words are short: eight bytes at a time, the last eight of them once more. */
static bool same_bytes(const char *a, const char *b, size_t size)
{
    uint64_t x = 0, y = 0;
    if (size < 8) {
        bool same = true;
        for (size_t i = 0; i < size; i++) {
            same = same && a[i] == b[i];
        }
        return same;
    }
    for (size_t i = 0; i + 8 < size; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y) {
            return false;
        }
    }
    memcpy(&x, a + size - 8, 8);
    memcpy(&y, b + size - 8, 8);
    return x == y;
}

static int64_t find_place(const struct pen_string_table *t, const char *text, size_t size_bytes, uint32_t hash)
{
    int64_t place = (int64_t)(hash & (uint64_t)(t->n_places - 1));
    for (; t->places[place] != 0; place = (place + 1) & (t->n_places - 1)) {
        int64_t i = index_at(t, place);
        if (t->places[place] >> 32 == hash && (size_t)(t->starts[i + 1] - t->starts[i]) == size_bytes &&
            same_bytes(t->bytes + t->starts[i], text, size_bytes)) {
            break;
        }
    }
    return place;
}

int64_t pen_string_table_find(const struct pen_string_table *table, const char *text, size_t size_bytes)
{
    return index_at(table, find_place(table, text, size_bytes, pen_string_hash(text, size_bytes)));
}

static pen_status rehash(struct pen_string_table *t, struct pen_error *err)
{
    int64_t n_places = 2 * t->n_places;
    uint64_t *places = pen_calloc(n_places, sizeof *places);
    if (places == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: a table of %lld strings", (long long)t->n);
    }
    for (int64_t i = 0; i < t->n; i++) {
        int64_t place = (int64_t)(t->hashes[i] & (uint64_t)(n_places - 1));
        while (places[place] != 0) {
            place = (place + 1) & (n_places - 1);
        }
        places[place] = (uint64_t)t->hashes[i] << 32 | (uint64_t)(i + 1);
    }
    pen_free(t->places);
    t->places = places;
    t->n_places = n_places;
    return PEN_OK;
}

size_t pen_string_table_bytes(const struct pen_string_table *table)
{
    return (size_t)table->starts[table->n];
}

uint32_t pen_string_hash(const char *text, size_t size_bytes)
{
    return (uint32_t)pen_hash64(text, size_bytes);
}

uint32_t pen_string_table_hash(const struct pen_string_table *table, int64_t index)
{
    return table->hashes[index];
}

pen_status pen_string_table_add(struct pen_string_table *table, const char *text, size_t size_bytes, int64_t count,
                                int64_t *index, struct pen_error *err)
{
    return pen_string_table_add_hashed(table, text, size_bytes, pen_string_hash(text, size_bytes), count, index, err);
}

pen_status pen_string_table_add_hashed(struct pen_string_table *table, const char *text, size_t size_bytes,
                                       uint32_t hash, int64_t count, int64_t *index, struct pen_error *err)
{
    struct pen_string_table *t = table;
    int64_t place = find_place(t, text, size_bytes, hash);
    if (t->places[place] == 0) {
        if (t->n >= INT32_MAX / 2) {
            PEN_FAIL(err, PEN_ERR_LIMIT, "expected fewer than 2^30 distinct strings");
        }
        int64_t used = t->starts[t->n];
        PEN_TRY(pen_grow((void **)&t->starts, &t->starts_capacity, t->n + 2, sizeof *t->starts, err));
        PEN_TRY(pen_grow((void **)&t->hashes, &t->hashes_capacity, t->n + 1, sizeof *t->hashes, err));
        PEN_TRY(pen_grow((void **)&t->counts, &t->counts_capacity, t->n + 1, sizeof *t->counts, err));
        PEN_TRY(pen_grow((void **)&t->bytes, &t->bytes_capacity, used + (int64_t)size_bytes + 1, 1, err));
        if (size_bytes > 0) {
            memcpy(t->bytes + used, text, size_bytes);
        }
        t->starts[t->n + 1] = used + (int64_t)size_bytes;
        t->hashes[t->n] = hash;
        t->counts[t->n] = 0;
        t->places[place] = (uint64_t)hash << 32 | (uint64_t)(++t->n);
        *index = t->n - 1;
        t->counts[*index] += count;
        return 2 * t->n > t->n_places ? rehash(t, err) : PEN_OK;
    }
    *index = index_at(t, place);
    t->counts[*index] += count;
    return PEN_OK;
}

void pen_key_map_deinit(struct pen_key_map *map)
{
    pen_free(map->keys);
    pen_free(map->numbers);
    *map = (struct pen_key_map){0};
}

void pen_key_map_clear(struct pen_key_map *map)
{
    if (map->n_keys > 0) {
        memset(map->numbers, 0xFF, (size_t)map->capacity * sizeof *map->numbers);
        map->n_keys = 0;
    }
}

pen_status pen_key_map_grow(struct pen_key_map *map, struct pen_error *err)
{
    enum { FIRST = 2048 };
    struct pen_key_map larger = {.capacity = map->capacity == 0 ? FIRST : 2 * map->capacity, .n_keys = map->n_keys};
    larger.keys = pen_malloc(larger.capacity, sizeof *larger.keys);
    larger.numbers = pen_malloc(larger.capacity, sizeof *larger.numbers);
    if (larger.keys == NULL || larger.numbers == NULL) {
        pen_key_map_deinit(&larger);
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: a map of %lld keys", (long long)map->n_keys);
    }
    memset(larger.numbers, 0xFF, (size_t)larger.capacity * sizeof *larger.numbers);
    for (int64_t i = 0; i < map->capacity; i++) {
        if (map->numbers[i] >= 0) {
            int64_t place = pen_key_map_place(&larger, map->keys[i]);
            larger.keys[place] = map->keys[i];
            larger.numbers[place] = map->numbers[i];
        }
    }
    pen_key_map_deinit(map);
    *map = larger;
    return PEN_OK;
}
