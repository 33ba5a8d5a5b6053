/* Evaluation of functions of one string or token list: computed once for each entry that occurs, looked up by code, on
 * the host with the CPU's ops, where the dictionaries are.
 *
 * lower and upper change ASCII letters only: the result depends on no locale. */
#include "components/transform/evaluate.h"

#include "components/transform/amounts.h"
#include "components/transform/dates.h"
#include "core/hash.h"
#include "core/text.h"

#include <math.h>
#include <string.h>

int32_t pen_vocabulary_id(const struct pen_node *node, const struct pen_analysis *found, const char *text,
                          size_t size_bytes)
{
    int64_t id = pen_string_table_find(found->vocabulary, text, size_bytes);
    if (id >= 0 || node->integer[2] == 0) {
        return (int32_t)id;
    }
    return (int32_t)(pen_string_table_size(found->vocabulary) +
                     pen_murmur3_32(text, size_bytes, 0) % (uint32_t)node->integer[2]);
}

/* ---- one entry ---- */

static int8_t string_is(const struct pen_node *node, const char *text, size_t size)
{
    size_t common = size < node->text_bytes ? size : node->text_bytes;
    int order = common == 0 ? 0 : memcmp(text, node->text, common);
    order = order != 0 ? order : (size > node->text_bytes) - (size < node->text_bytes);
    const bool results[] = {order == 0, order != 0, order<0, order <= 0, order> 0, order >= 0};
    return results[node->integer[0]];
}

static int64_t count_characters(const char *text, size_t size)
{
    int64_t n = 0;
    for (size_t i = 0; i < size; i++) {
        n += ((unsigned char)text[i] & 0xC0) != 0x80;
    }
    return n;
}

static double class_of(const struct pen_analysis *found, const char *text, size_t size)
{
    int64_t class = pen_string_table_find(found->vocabulary, text, size);
    return class < 0 ? (double)NAN : (double)class;
}

static int64_t parse_int(const char *text, size_t size)
{
    int64_t value = 0;
    double number = 0;
    if (pen_parse_int64(text, size, &value)) {
        return value;
    }
    bool whole = pen_parse_double(text, size, &number) && number > -0x1p63 && number < 0x1p63;
    return whole ? (int64_t)number : PEN_MISSING_INT;
}

/* The result for one entry, into the cache's table. */
static void compute_value(const struct pen_evaluator *e, const struct pen_node *node, struct pen_cache *cache,
                          int32_t entry, const char *text, size_t size)
{
    const struct pen_analysis *found = pen_node_analysis(e->graph, node);
    int64_t *ints = cache->table;
    double *floats = cache->table;
    int8_t *bools = cache->table;
    int32_t *ids = cache->table;
    switch ((int)node->op) {
    case PEN_NODE_STRING_IS:
        bools[entry] = string_is(node, text, size);
        break;
    case PEN_NODE_CONTAINS:
        bools[entry] = node->text_bytes == 0 || memmem(text, size, node->text, node->text_bytes) != NULL;
        break;
    case PEN_NODE_STARTS_WITH:
        bools[entry] = size >= node->text_bytes && memcmp(text, node->text, node->text_bytes) == 0;
        break;
    case PEN_NODE_LENGTH:
        ints[entry] = count_characters(text, size);
        break;
    case PEN_NODE_PARSE_INT:
        ints[entry] = parse_int(text, size);
        break;
    case PEN_NODE_SECONDS:
        if (!pen_parse_seconds(text, size, (enum pen_date_order)node->integer[0], &ints[entry])) {
            ints[entry] = PEN_MISSING_INT;
        }
        break;
    case PEN_NODE_PARSE_FLOAT:
        if (!pen_parse_double(text, size, &floats[entry])) {
            floats[entry] = (double)NAN;
        }
        break;
    case PEN_NODE_NUMBER:
        if (!pen_parse_amount(text, size, (char)node->integer[0], &floats[entry])) {
            floats[entry] = (double)NAN;
        }
        break;
    case PEN_NODE_CLASSES:
        floats[entry] = class_of(found, text, size);
        break;
    default: /* VOCAB */
        ids[entry] = pen_vocabulary_id(node, found, text, size);
        break;
    }
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* lower, upper, trim: the changed text behind the cache's other strings. */
static pen_status compute_string(const struct pen_node *node, struct pen_cache *cache, int32_t entry, const char *text,
                                 size_t size, struct pen_error *err)
{
    while (node->op == PEN_NODE_TRIM && size > 0 && is_space(text[size - 1])) {
        size--;
    }
    while (node->op == PEN_NODE_TRIM && size > 0 && is_space(text[0])) {
        text++;
        size--;
    }
    PEN_TRY(pen_grow((void **)&cache->bytes, &cache->bytes_capacity, cache->n_bytes + (int64_t)size + 1, 1, err));
    char *out = cache->bytes + cache->n_bytes;
    char from = node->op == PEN_NODE_LOWER ? 'A' : 'a', to = node->op == PEN_NODE_LOWER ? 'Z' : 'z';
    for (size_t i = 0; i < size; i++) {
        out[i] = node->op != PEN_NODE_TRIM && text[i] >= from && text[i] <= to ? (char)(text[i] ^ 0x20) : text[i];
    }
    cache->starts[entry] = cache->n_bytes;
    cache->sizes[entry] = (int32_t)size;
    cache->n_bytes += (int64_t)size;
    return PEN_OK;
}

static pen_status compute_id_list(const struct pen_evaluator *e, const struct pen_node *node, struct pen_cache *cache,
                                  int32_t entry, const struct pen_lists *tokens, struct pen_error *err)
{
    int64_t first = tokens->starts[entry], count = tokens->counts[entry];
    PEN_TRY(pen_grow((void **)&cache->ids, &cache->ids_capacity, first + count + 1, sizeof *cache->ids, err));
    if (node->op == PEN_NODE_HASH_LIST) {
        const struct pen_hash_strings hash = {.n = count,
                                              .starts = tokens->strings.starts + first,
                                              .sizes = tokens->strings.sizes + first,
                                              .bytes = tokens->strings.bytes,
                                              .seed = (uint32_t)node->integer[1],
                                              .n_buckets = node->integer[0],
                                              .ids = cache->ids + first};
        return pen_exec_cpu()->kernels->hash_strings(pen_exec_cpu(), &hash, err);
    }
    for (int64_t i = 0; i < count; i++) {
        size_t size = 0;
        const char *text = pen_entry(&tokens->strings, first + i, &size);
        cache->ids[first + i] = pen_vocabulary_id(node, &e->graph->analyses[node->analysis], text, size);
    }
    return PEN_OK;
}

/* ---- all entries of a tile ---- */

static size_t result_bytes(enum pen_value_type type)
{
    return type == PEN_VALUE_BOOL ? 1 : type == PEN_VALUE_IDS ? 4 : 8;
}

static pen_status reserve(struct pen_cache *cache, const struct pen_node *node, int64_t n_entries,
                          struct pen_error *err)
{
    if (n_entries > cache->n_clear) {
        PEN_TRY(pen_grow((void **)&cache->known, &cache->known_capacity, n_entries, 1, err));
        memset(cache->known + cache->n_clear, 0, (size_t)(n_entries - cache->n_clear));
        cache->n_clear = n_entries;
    }
    if (node->type == PEN_VALUE_STRING || node->type == PEN_VALUE_TOKENS) {
        PEN_TRY(pen_grow((void **)&cache->starts, &cache->starts_capacity, n_entries, sizeof *cache->starts, err));
        return pen_grow((void **)&cache->sizes, &cache->sizes_capacity, n_entries, sizeof *cache->sizes, err);
    }
    if (node->type == PEN_VALUE_ID_LIST) {
        return PEN_OK;
    }
    return pen_grow(&cache->table, &cache->table_capacity, n_entries, 8, err);
}

/* The tile's codes not known yet, each once. */
static pen_status find_unknown(struct pen_cache *cache, const int32_t *codes, int64_t n, int64_t *n_todo,
                               struct pen_error *err)
{
    PEN_TRY(pen_grow((void **)&cache->todo, &cache->todo_capacity, n + 1, sizeof *cache->todo, err));
    int64_t found = 0;
    for (int64_t i = 0; i < n; i++) {
        if (codes[i] >= 0 && !cache->known[codes[i]]) {
            cache->known[codes[i]] = 1;
            cache->todo[found++] = codes[i];
        }
    }
    *n_todo = found;
    return PEN_OK;
}

static pen_status compute(struct pen_evaluator *e, const struct pen_node *node, struct pen_cache *cache,
                          const struct pen_value *source, int64_t n_todo, struct pen_error *err)
{
    if (node->op == PEN_NODE_HASH) {
        PEN_ASSERT(source->entries != NULL);
        const struct pen_hash_strings hash = {.n = n_todo,
                                              .which = cache->todo,
                                              .starts = source->entries->starts,
                                              .sizes = source->entries->sizes,
                                              .bytes = source->entries->bytes,
                                              .seed = (uint32_t)node->integer[1],
                                              .n_buckets = node->integer[0],
                                              .ids = cache->table};
        return pen_exec_cpu()->kernels->hash_strings(pen_exec_cpu(), &hash, err);
    }
    for (int64_t i = 0; i < n_todo; i++) {
        int32_t entry = cache->todo[i];
        if (source->lists != NULL) {
            if (node->op == PEN_NODE_NGRAMS) {
                PEN_TRY(pen_compute_ngrams(node, cache, entry, source->lists, err));
            } else if (node->op == PEN_NODE_UNIQUE) {
                PEN_TRY(pen_compute_unique(cache, entry, source->lists, err));
            } else if (node->op == PEN_NODE_COUNT_TOKENS) {
                ((int64_t *)cache->table)[entry] = source->lists->counts[entry];
            } else {
                PEN_TRY(compute_id_list(e, node, cache, entry, source->lists, err));
            }
            continue;
        }
        size_t size = 0;
        const char *text = pen_entry(source->entries, entry, &size);
        if (node->type == PEN_VALUE_TOKENS) {
            PEN_TRY(pen_compute_tokens(node, cache, entry, source->entries, text, size, err));
        } else if (node->type == PEN_VALUE_STRING) {
            PEN_TRY(compute_string(node, cache, entry, text, size, err));
        } else {
            compute_value(e, node, cache, entry, text, size);
        }
    }
    return PEN_OK;
}

/* What the node's users see: new views, as the cache's arrays may have moved. */
static pen_status publish(struct pen_evaluator *e, int32_t index, struct pen_cache *cache,
                          const struct pen_value *source, int64_t n_entries, int64_t n, struct pen_error *err)
{
    const struct pen_node *node = &e->graph->nodes[index];
    struct pen_value *value = &e->values[index];
    int64_t generation = cache->entries.generation;
    if (node->type == PEN_VALUE_STRING) {
        cache->entries = (struct pen_entries){.n_entries = n_entries,
                                              .starts = cache->starts,
                                              .sizes = cache->sizes,
                                              .bytes = cache->bytes,
                                              .generation = generation};
        *value = (struct pen_value){.data = source->data, .entries = &cache->entries};
        return PEN_OK;
    }
    if (node->type == PEN_VALUE_TOKENS || node->type == PEN_VALUE_ID_LIST) {
        bool own = node->type == PEN_VALUE_TOKENS;
        PEN_ASSERT(source->entries != NULL || source->lists != NULL);
        PEN_ASSERT(own || source->lists != NULL);
        const char *bytes = source->entries != NULL       ? source->entries->bytes
                            : node->op == PEN_NODE_NGRAMS ? cache->bytes
                                                          : source->lists->strings.bytes;
        cache->lists = (struct pen_lists){.starts = own ? cache->starts : source->lists->starts,
                                          .counts = own ? cache->sizes : source->lists->counts,
                                          .strings = {.n_entries = cache->n_items,
                                                      .starts = cache->item_starts,
                                                      .sizes = cache->item_sizes,
                                                      .bytes = bytes},
                                          .ids = cache->ids,
                                          .generation = generation};
        *value = (struct pen_value){.data = source->data, .lists = &cache->lists};
        return PEN_OK;
    }
    static const int64_t missing_int = PEN_MISSING_INT;
    static const int32_t missing_id = -1;
    static const int8_t missing_bool = -1;
    static const int64_t zero = 0;
    const double missing_float = (double)NAN;
    const struct pen_columns_lookup lookup = {.n = n,
                                              .codes = source->data,
                                              .table = cache->table,
                                              .item_bytes = result_bytes(node->type),
                                              .missing = node->op == PEN_NODE_COUNT_TOKENS ? (const void *)&zero
                                                         : node->type == PEN_VALUE_INT     ? (const void *)&missing_int
                                                         : node->type == PEN_VALUE_FLOAT ? (const void *)&missing_float
                                                         : node->type == PEN_VALUE_BOOL  ? (const void *)&missing_bool
                                                                                         : (const void *)&missing_id,
                                              .y = pen_evaluator_slot(e, index)};
    return pen_exec_cpu()->kernels->columns_lookup(pen_exec_cpu(), &lookup, err);
}

pen_status pen_evaluate_string(struct pen_evaluator *e, int32_t index, int64_t n, struct pen_error *err)
{
    const struct pen_node *node = &e->graph->nodes[index];
    const struct pen_value *source = &e->values[node->arguments[0]];
    struct pen_cache *cache = NULL;
    PEN_TRY(pen_evaluator_cache(e, index, &cache, err));
    int64_t generation = source->lists != NULL ? source->lists->generation : source->entries->generation;
    pen_cache_refresh(e, cache, generation, 0);
    int64_t n_entries = 0;
    const int32_t *codes = source->data;
    for (int64_t i = 0; i < n; i++) {
        n_entries = codes[i] >= n_entries ? (int64_t)codes[i] + 1 : n_entries;
    }
    n_entries =
        source->entries != NULL && source->entries->n_entries > n_entries ? source->entries->n_entries : n_entries;
    PEN_TRY(reserve(cache, node, n_entries, err));
    int64_t n_todo = 0;
    PEN_TRY(find_unknown(cache, codes, n, &n_todo, err));
    PEN_TRY(compute(e, node, cache, source, n_todo, err));
    return publish(e, index, cache, source, n_entries, n, err);
}
