/* Tokens of a text, and n-grams of tokens.
 *
 * Words are runs of ASCII letters, digits, and bytes of 0x80 and above (so of every UTF-8 letter); all else
 * separates. */
#include "components/transform/evaluate.h"

#include <string.h>

static bool is_word_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

static pen_status add_item(struct pen_cache *cache, int64_t start, size_t size, struct pen_error *err)
{
    PEN_TRY(pen_grow((void **)&cache->item_starts, &cache->item_starts_capacity, cache->n_items + 1,
                     sizeof *cache->item_starts, err));
    PEN_TRY(pen_grow((void **)&cache->item_sizes, &cache->item_sizes_capacity, cache->n_items + 1,
                     sizeof *cache->item_sizes, err));
    cache->item_starts[cache->n_items] = start;
    cache->item_sizes[cache->n_items++] = (int32_t)size;
    return PEN_OK;
}

/* Tokens are parts of the source's bytes: nothing is copied. */
pen_status pen_compute_tokens(struct pen_cache *cache, int32_t entry, const struct pen_entries *source,
                              const char *text, size_t size, struct pen_error *err)
{
    int64_t base = text - source->bytes;
    cache->starts[entry] = cache->n_items;
    for (size_t i = 0; i < size;) {
        size_t start = i;
        while (i < size && is_word_byte(text[i])) {
            i++;
        }
        if (i > start) {
            PEN_TRY(add_item(cache, base + (int64_t)start, i - start, err));
        } else {
            i++;
        }
    }
    cache->sizes[entry] = (int32_t)(cache->n_items - cache->starts[entry]);
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
                PEN_TRY(add_item(cache, start, (size_t)(cache->n_bytes - start), err));
            }
        }
    }
    cache->sizes[entry] = (int32_t)(cache->n_items - cache->starts[entry]);
    return PEN_OK;
}
