/* Tokens of a text: words, or what stands between separators; each once; n-grams of tokens.
 *
 * Words are runs of ASCII letters, digits, and bytes of 0x80 and above (so of every UTF-8 letter); all else
 * separates. Tokens are parts of the source's bytes: nothing is copied. */
#include "components/transform/evaluate.h"

#include "core/hash.h"

#include <string.h>

static bool is_word(uint8_t c)
{
    return (uint8_t)((c | 0x20) - 'a') < 26 || (uint8_t)(c - '0') < 10 || c >= 0x80;
}

static pen_status reserve_items(struct pen_cache *cache, int64_t n, struct pen_error *err)
{
    PEN_TRY(pen_grow((void **)&cache->item_starts, &cache->item_starts_capacity, cache->n_items + n,
                     sizeof *cache->item_starts, err));
    return pen_grow((void **)&cache->item_sizes, &cache->item_sizes_capacity, cache->n_items + n,
                    sizeof *cache->item_sizes, err);
}

static void add_item(struct pen_cache *cache, int64_t start, int64_t size)
{
    cache->item_starts[cache->n_items] = start;
    cache->item_sizes[cache->n_items++] = (int32_t)size;
}

static pen_status words(struct pen_cache *cache, int64_t base, const char *text, size_t size, struct pen_error *err)
{
    const uint8_t *bytes = (const uint8_t *)text;
    PEN_TRY(reserve_items(cache, (int64_t)size / 2 + 1, err));
    for (size_t i = 0; i < size;) {
        size_t start = i;
        while (i < size && is_word(bytes[i])) {
            i++;
        }
        if (i > start) {
            add_item(cache, base + (int64_t)start, (int64_t)(i - start));
        }
        i++;
    }
    return PEN_OK;
}

static pen_status parts(const struct pen_node *node, struct pen_cache *cache, int64_t base, const char *text,
                        size_t size, struct pen_error *err)
{
    for (size_t i = 0; i < size;) {
        const char *next = memmem(text + i, size - i, node->text, node->text_bytes);
        size_t end = next == NULL ? size : (size_t)(next - text);
        if (end > i) {
            PEN_TRY(reserve_items(cache, 1, err));
            add_item(cache, base + (int64_t)i, (int64_t)(end - i));
        }
        i = end + node->text_bytes;
    }
    return PEN_OK;
}

pen_status pen_compute_tokens(const struct pen_node *node, struct pen_cache *cache, int32_t entry,
                              const struct pen_entries *source, const char *text, size_t size, struct pen_error *err)
{
    int64_t base = text - source->bytes;
    cache->starts[entry] = cache->n_items;
    PEN_TRY(node->op == PEN_NODE_SPLIT ? parts(node, cache, base, text, size, err)
                                       : words(cache, base, text, size, err));
    cache->sizes[entry] = (int32_t)(cache->n_items - cache->starts[entry]);
    return PEN_OK;
}

/* Open addressing over the list's own items: place p holds the number of an item, from 1. */
pen_status pen_compute_unique(struct pen_cache *cache, int32_t entry, const struct pen_lists *tokens,
                              struct pen_error *err)
{
    int64_t first = tokens->starts[entry], count = tokens->counts[entry], start = cache->n_items, n_places = 4;
    while (n_places < 2 * count) {
        n_places *= 2;
    }
    PEN_TRY(reserve_items(cache, count, err));
    PEN_TRY(pen_grow((void **)&cache->places, &cache->places_capacity, n_places, sizeof *cache->places, err));
    memset(cache->places, 0, (size_t)n_places * sizeof *cache->places);
    for (int64_t i = 0; i < count; i++) {
        size_t size = 0, other_size = 0;
        const char *text = pen_entry(&tokens->strings, first + i, &size);
        int64_t place = (int64_t)(pen_hash64(text, size) & (uint64_t)(n_places - 1));
        for (; cache->places[place] != 0; place = (place + 1) & (n_places - 1)) {
            const char *other = pen_entry(&tokens->strings, first + cache->places[place] - 1, &other_size);
            if (other_size == size && memcmp(other, text, size) == 0) {
                break;
            }
        }
        if (cache->places[place] == 0) {
            cache->places[place] = (int32_t)i + 1;
            add_item(cache, tokens->strings.starts[first + i], (int64_t)size);
        }
    }
    cache->starts[entry] = start;
    cache->sizes[entry] = (int32_t)(cache->n_items - start);
    return PEN_OK;
}

/* n-grams by their first token, then by length (TFX's order), joined with one space. */
pen_status pen_compute_ngrams(const struct pen_node *node, struct pen_cache *cache, int32_t entry,
                              const struct pen_lists *tokens, struct pen_error *err)
{
    int64_t first = tokens->starts[entry], count = tokens->counts[entry];
    cache->starts[entry] = cache->n_items;
    for (int64_t i = 0; i < count; i++) {
        int64_t start = cache->n_bytes;
        for (int64_t k = 0; k < node->integer[1] && i + k < count; k++) {
            size_t size = 0;
            const char *text = pen_entry(&tokens->strings, first + i + k, &size);
            if (k + 1 >= node->integer[0] && k > 0 && cache->n_bytes == start) {
                continue;
            }
            PEN_TRY(
                pen_grow((void **)&cache->bytes, &cache->bytes_capacity, cache->n_bytes + (int64_t)size + 2, 1, err));
            if (k > 0) {
                cache->bytes[cache->n_bytes++] = ' ';
            }
            memcpy(cache->bytes + cache->n_bytes, text, size);
            cache->n_bytes += (int64_t)size;
            if (k + 1 >= node->integer[0]) {
                PEN_TRY(reserve_items(cache, 1, err));
                add_item(cache, start, cache->n_bytes - start);
            }
        }
    }
    cache->sizes[entry] = (int32_t)(cache->n_items - cache->starts[entry]);
    return PEN_OK;
}
