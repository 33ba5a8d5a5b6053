/* Evaluation of strings made of other values: numbers as text, two strings joined, one of two strings chosen.
 *
 * Each distinct result is made once and numbered through a map from what it was made of (a number's bits, a pair of
 * codes), so that functions further up work once per distinct string and not once per row. */
#include "components/transform/evaluate.h"

#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static pen_status append_entry(struct pen_cache *cache, const char *const *parts, const size_t *sizes, int n_parts,
                               struct pen_error *err)
{
    int64_t n = cache->entries.n_entries, size = 0;
    for (int i = 0; i < n_parts; i++) {
        size += (int64_t)sizes[i];
    }
    if (size > INT32_MAX) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "transform: expected strings below 2 GB, found %lld bytes", (long long)size);
    }
    PEN_TRY(pen_grow((void **)&cache->starts, &cache->starts_capacity, n + 1, sizeof *cache->starts, err));
    PEN_TRY(pen_grow((void **)&cache->sizes, &cache->sizes_capacity, n + 1, sizeof *cache->sizes, err));
    PEN_TRY(pen_grow((void **)&cache->bytes, &cache->bytes_capacity, cache->n_bytes + size + 1, 1, err));
    cache->starts[n] = cache->n_bytes;
    cache->sizes[n] = (int32_t)size;
    for (int i = 0; i < n_parts; i++) {
        memcpy(cache->bytes + cache->n_bytes, parts[i], sizes[i]);
        cache->n_bytes += (int64_t)sizes[i];
    }
    cache->entries.n_entries = n + 1;
    return PEN_OK;
}

/* What row i is made of; false: missing. */
static bool key_of(const struct pen_evaluator *e, const struct pen_node *node, const struct pen_value *const *in,
                   int64_t i, uint64_t *key)
{
    if (node->op == PEN_NODE_JOIN) {
        int32_t a = ((const int32_t *)in[0]->data)[i], b = ((const int32_t *)in[1]->data)[i];
        *key = (uint64_t)(uint32_t)a << 32 | (uint32_t)b;
        return a >= 0 && b >= 0;
    }
    if (node->op == PEN_NODE_IF) {
        int8_t c = ((const int8_t *)in[0]->data)[i];
        int32_t code = c < 0 ? -1 : ((const int32_t *)in[c != 0 ? 1 : 2]->data)[i];
        *key = (uint64_t)(c == 0) << 32 | (uint32_t)code;
        return code >= 0;
    }
    if (node->op == PEN_NODE_FILL) {
        int32_t a = ((const int32_t *)in[0]->data)[i], b = ((const int32_t *)in[1]->data)[i];
        *key = (uint64_t)(a < 0) << 32 | (uint32_t)(a < 0 ? b : a);
        return a >= 0 || b >= 0;
    }
    enum pen_value_type type = e->graph->nodes[node->arguments[0]].type;
    if (type == PEN_VALUE_FLOAT) {
        double x = ((const double *)in[0]->data)[i] + 0.0; /* -0 and 0 are one value */
        memcpy(key, &x, sizeof x);
        return x == x;
    }
    if (type == PEN_VALUE_INT) {
        *key = (uint64_t)((const int64_t *)in[0]->data)[i];
        return *key != (uint64_t)PEN_MISSING_INT;
    }
    int8_t truth = ((const int8_t *)in[0]->data)[i];
    *key = (uint64_t)(truth != 0);
    return truth >= 0;
}

static pen_status make_entry(const struct pen_evaluator *e, const struct pen_node *node, struct pen_cache *cache,
                             const struct pen_value *const *in, uint64_t key, struct pen_error *err)
{
    const char *parts[3] = {NULL, NULL, NULL};
    size_t sizes[3] = {0, 0, 0};
    char text[PEN_NUMBER_BYTES];
    int n_parts = 1;
    int64_t low = (int64_t)(key & 0xFFFFFFFFU);
    if (node->op == PEN_NODE_JOIN) {
        parts[0] = pen_entry(in[0]->entries, (int64_t)(key >> 32), &sizes[0]);
        parts[1] = node->text;
        sizes[1] = node->text_bytes;
        parts[2] = pen_entry(in[1]->entries, low, &sizes[2]);
        n_parts = 3;
    } else if (node->op == PEN_NODE_IF) {
        parts[0] = pen_entry(in[(key >> 32) == 0 ? 1 : 2]->entries, low, &sizes[0]);
    } else if (node->op == PEN_NODE_FILL) {
        parts[0] = pen_entry(in[key >> 32]->entries, low, &sizes[0]);
    } else {
        enum pen_value_type type = e->graph->nodes[node->arguments[0]].type;
        if (type == PEN_VALUE_FLOAT) {
            double x = 0;
            memcpy(&x, &key, sizeof x);
            (void)pen_format_double(text, x);
        } else if (type == PEN_VALUE_INT) {
            (void)snprintf(text, sizeof text, "%lld", (long long)key);
        } else {
            (void)snprintf(text, sizeof text, "%s", key != 0 ? "true" : "false");
        }
        parts[0] = text;
        sizes[0] = strlen(text);
    }
    return append_entry(cache, parts, sizes, n_parts, err);
}

static int64_t generation_of(const struct pen_value *value)
{
    return value->entries == NULL ? 0 : value->entries->generation;
}

pen_status pen_evaluate_made_string(struct pen_evaluator *e, int32_t index, int64_t n, struct pen_error *err)
{
    const struct pen_node *node = &e->graph->nodes[index];
    const struct pen_value *in[3] = {&e->values[node->arguments[0]], &e->values[node->arguments[1]],
                                     &e->values[node->arguments[2]]};
    struct pen_cache *cache = NULL;
    PEN_TRY(pen_evaluator_cache(e, index, &cache, err));
    const struct pen_value *a = node->op == PEN_NODE_IF ? in[1] : in[0], *b = node->op == PEN_NODE_IF ? in[2] : in[1];
    pen_cache_refresh(e, cache, generation_of(a), node->n_arguments > 1 ? generation_of(b) : 0);
    int32_t *codes = pen_evaluator_slot(e, index);
    for (int64_t i = 0; i < n; i++) {
        uint64_t key = 0;
        codes[i] = -1;
        if (!key_of(e, node, in, i, &key)) {
            continue;
        }
        if (2 * (cache->keys.n_keys + 1) > cache->keys.capacity) {
            PEN_TRY(pen_key_map_grow(&cache->keys, err));
        }
        int64_t place = pen_key_map_place(&cache->keys, key);
        if (cache->keys.numbers[place] < 0) {
            cache->keys.keys[place] = key;
            cache->keys.numbers[place] = (int32_t)cache->entries.n_entries;
            cache->keys.n_keys++;
            PEN_TRY(make_entry(e, node, cache, in, key, err));
        }
        codes[i] = cache->keys.numbers[place];
    }
    cache->entries.starts = cache->starts;
    cache->entries.sizes = cache->sizes;
    cache->entries.bytes = cache->bytes;
    e->values[index] = (struct pen_value){.data = codes, .entries = &cache->entries};
    return PEN_OK;
}
