/* Slices of a split (slices_internal.h). */
#include "core/hash.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/text.h"
#include "datasets/statistics/slices_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DISTINCT = 1 << 20, FIRST_SLOTS = 1024, LONGEST_VALUE = 200 };

struct item {
    int64_t column;
    const char *feature;
    const char *value; /* NULL: any */
    int64_t integer;   /* value of an integer feature */
};

struct slice {
    uint64_t hash;
    int64_t count;
    int64_t order; /* of first appearance */
    const char *name;
};

struct pen_slice_index {
    struct pen_arena arena;
    const struct pen_statistics_source *source;
    int64_t n_items;
    struct item *items;
    int64_t n_slices, capacity;
    struct slice *slices;
    int64_t n_slots;
    int32_t *slots; /* slice + 1 */
};

static pen_status find_feature(const struct pen_statistics_source *source, const struct pen_slice_item *wanted,
                               struct item *item, struct pen_error *err)
{
    *item = (struct item){.column = -1, .feature = wanted->feature, .value = wanted->value};
    for (int64_t i = 0; i < source->n_columns && item->column < 0; i++) {
        item->column = strcmp(source->name(source->user, i), wanted->feature) == 0 ? i : -1;
    }
    if (item->column < 0) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "slices: expected a feature of the data, found %s, which split %s does not have",
                 wanted->feature, source->split);
    }
    enum pen_type type = source->type(source->user, item->column);
    if (type == PEN_TYPE_FLOAT32 || type == PEN_TYPE_FLOAT64) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "slices: expected a string or integer feature, found %s, which is %s",
                 wanted->feature, pen_type_name(type));
    }
    if (type == PEN_TYPE_INT64 && wanted->value != NULL &&
        !pen_parse_int64(wanted->value, strlen(wanted->value), &item->integer)) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "slices: expected an integer value of %s, found \"%s\"", wanted->feature,
                 wanted->value);
    }
    return PEN_OK;
}

/* Mixes one value of a row into its hash; false: the row is in no slice. */
static bool mix(const struct item *item, const struct pen_column *view, int64_t row, uint64_t *hash)
{
    if (view->type == PEN_TYPE_NONE || !pen_is_valid(view->validity, row)) {
        return false;
    }
    uint64_t value = 0;
    size_t size_bytes = 0;
    if (view->type == PEN_TYPE_INT64) {
        int64_t integer = ((const int64_t *)view->values)[row];
        if (item->value != NULL && integer != item->integer) {
            return false;
        }
        value = pen_hash64(&integer, sizeof integer);
    } else if (view->type == PEN_TYPE_CODES && item->value == NULL) {
        value = pen_hash64((const int32_t *)view->values + row, sizeof(int32_t));
    } else {
        const char *bytes = pen_column_string(view, row, &size_bytes);
        if (item->value != NULL && (size_bytes != strlen(item->value) || memcmp(bytes, item->value, size_bytes) != 0)) {
            return false;
        }
        value = pen_hash64(bytes, size_bytes);
    }
    *hash = (*hash ^ value) * 0x9E3779B97F4A7C15U;
    *hash ^= *hash >> 29;
    return true;
}

static bool row_hash(const struct pen_slice_index *index, const struct pen_column *views, int64_t row, uint64_t *hash)
{
    *hash = 0x243F6A8885A308D3U;
    for (int64_t i = 0; i < index->n_items; i++) {
        if (!mix(&index->items[i], &views[i], row, hash)) {
            return false;
        }
    }
    return true;
}

static int64_t find_slot(const struct pen_slice_index *index, uint64_t hash)
{
    uint64_t mask = (uint64_t)index->n_slots - 1, slot = hash & mask;
    while (index->slots[slot] != 0 && index->slices[index->slots[slot] - 1].hash != hash) {
        slot = (slot + 1) & mask;
    }
    return (int64_t)slot;
}

static pen_status rebuild_slots(struct pen_slice_index *index, int64_t n_slots, struct pen_error *err)
{
    int32_t *slots = NULL;
    PEN_ALLOC(slots, n_slots, err);
    pen_free(index->slots);
    index->slots = slots;
    index->n_slots = n_slots;
    for (int64_t i = 0; i < index->n_slices; i++) {
        index->slots[find_slot(index, index->slices[i].hash)] = (int32_t)(i + 1);
    }
    return PEN_OK;
}

static const char *slice_name(struct pen_slice_index *index, const struct pen_column *views, int64_t row,
                              struct pen_text *text)
{
    pen_text_reset(text);
    for (int64_t i = 0; i < index->n_items; i++) {
        pen_text_printf(text, "%s%s=", i == 0 ? "" : " ", index->items[i].feature);
        if (views[i].type == PEN_TYPE_INT64) {
            pen_text_printf(text, "%" PRId64, ((const int64_t *)views[i].values)[row]);
        } else {
            size_t size_bytes = 0;
            const char *bytes = pen_column_string(&views[i], row, &size_bytes);
            pen_text_append_bytes(text, bytes, size_bytes < LONGEST_VALUE ? size_bytes : LONGEST_VALUE);
        }
    }
    return text->failed ? NULL : pen_arena_strndup(&index->arena, pen_text_view(text), text->size_bytes);
}

static pen_status add_slice(struct pen_slice_index *index, const struct pen_column *views, int64_t row, uint64_t hash,
                            struct pen_text *text, struct pen_error *err)
{
    if (index->n_slices == MAX_DISTINCT) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "slices: expected at most %d different values of %s, found more; slice by less",
                 MAX_DISTINCT, index->items[0].feature);
    }
    void *memory = index->slices;
    pen_status status = pen_grow(&memory, &index->capacity, index->n_slices + 1, sizeof *index->slices, err);
    index->slices = memory;
    PEN_TRY(status);
    if (2 * (index->n_slices + 1) > index->n_slots) {
        PEN_TRY(rebuild_slots(index, 2 * index->n_slots, err));
    }
    const char *name = slice_name(index, views, row, text);
    if (name == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: naming a slice");
    }
    int64_t slot = find_slot(index, hash);
    index->slices[index->n_slices] = (struct slice){hash, 0, index->n_slices, name};
    index->slots[slot] = (int32_t)(++index->n_slices);
    return PEN_OK;
}

static pen_status read_views(const struct pen_slice_index *index, struct pen_slice_reader *reader, int64_t chunk,
                             struct pen_error *err)
{
    for (int64_t i = 0; i < index->n_items; i++) {
        PEN_TRY(index->source->read(index->source->user, index->items[i].column, chunk, &reader->buffers[i],
                                    &reader->views[i], err));
    }
    return PEN_OK;
}

static pen_status discover(struct pen_slice_index *index, struct pen_error *err)
{
    struct pen_slice_reader reader = {0};
    struct pen_text text = {0};
    pen_status status = pen_slice_reader_init(&reader, index, err);
    for (int64_t chunk = 0; status == PEN_OK && chunk < index->source->n_chunks; chunk++) {
        PEN_TRY_GOTO(cleanup, pen_cancel_check(err));
        PEN_TRY_GOTO(cleanup, read_views(index, &reader, chunk, err));
        int64_t n_rows = index->source->chunk_rows(index->source->user, chunk);
        for (int64_t row = 0; row < n_rows; row++) {
            uint64_t hash;
            if (!row_hash(index, reader.views, row, &hash)) {
                continue;
            }
            int64_t slot = find_slot(index, hash);
            if (index->slots[slot] == 0) {
                PEN_TRY_GOTO(cleanup, add_slice(index, reader.views, row, hash, &text, err));
                slot = find_slot(index, hash);
            }
            index->slices[index->slots[slot] - 1].count++;
        }
    }
cleanup:
    pen_text_deinit(&text);
    pen_slice_reader_deinit(&reader);
    return status;
}

static int by_count(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    if (x->count != y->count) {
        return x->count > y->count ? -1 : 1;
    }
    return (x->order > y->order) - (x->order < y->order);
}

pen_status pen_slice_index_create(struct pen_slice_index **index, const struct pen_statistics_source *source,
                                  const struct pen_slicing *slicing, int64_t max_slices, struct pen_error *err)
{
    struct pen_slice_index *made = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, made, 1, err);
    made->source = source;
    PEN_ALLOC_GOTO(cleanup, made->items, slicing->n_items + 1, err);
    for (int64_t i = 0; i < slicing->n_items; i++) {
        PEN_TRY_GOTO(cleanup, find_feature(source, &slicing->items[i], &made->items[made->n_items++], err));
    }
    PEN_TRY_GOTO(cleanup, rebuild_slots(made, FIRST_SLOTS, err));
    PEN_TRY_GOTO(cleanup, discover(made, err));
    if (made->n_slices > 1) {
        qsort(made->slices, (size_t)made->n_slices, sizeof *made->slices, by_count);
    }
    if (made->n_slices > max_slices) {
        pen_log(PEN_LOG_WARNING, "slices: %s has %lld values in split %s; keeping the %lld most frequent",
                made->items[0].feature, (long long)made->n_slices, source->split, (long long)max_slices);
        made->n_slices = max_slices;
    }
    PEN_TRY_GOTO(cleanup, rebuild_slots(made, made->n_slots, err));
cleanup:
    if (status != PEN_OK) {
        pen_slice_index_destroy(made);
        made = NULL;
    }
    *index = made;
    return status;
}

void pen_slice_index_destroy(struct pen_slice_index *index)
{
    if (index != NULL) {
        pen_free(index->items);
        pen_free(index->slices);
        pen_free(index->slots);
        pen_arena_deinit(&index->arena);
        pen_free(index);
    }
}

int64_t pen_slice_index_n_slices(const struct pen_slice_index *index)
{
    return index->n_slices;
}

const char *pen_slice_index_name(const struct pen_slice_index *index, int64_t slice)
{
    return index->slices[slice].name;
}

pen_status pen_slice_reader_init(struct pen_slice_reader *reader, const struct pen_slice_index *index,
                                 struct pen_error *err)
{
    *reader = (struct pen_slice_reader){.n_items = index->n_items};
    PEN_ALLOC(reader->buffers, index->n_items + 1, err);
    PEN_ALLOC(reader->views, index->n_items + 1, err);
    return PEN_OK;
}

void pen_slice_reader_deinit(struct pen_slice_reader *reader)
{
    for (int64_t i = 0; reader->buffers != NULL && i < reader->n_items; i++) {
        pen_store_buffer_deinit(&reader->buffers[i]);
    }
    pen_free(reader->buffers);
    pen_free(reader->views);
    *reader = (struct pen_slice_reader){0};
}

pen_status pen_slice_index_rows(const struct pen_slice_index *index, struct pen_slice_reader *reader, int64_t chunk,
                                int32_t *ids, struct pen_error *err)
{
    PEN_TRY(read_views(index, reader, chunk, err));
    int64_t n_rows = index->source->chunk_rows(index->source->user, chunk);
    for (int64_t row = 0; row < n_rows; row++) {
        uint64_t hash;
        ids[row] = row_hash(index, reader->views, row, &hash) ? index->slots[find_slot(index, hash)] - 1 : -1;
    }
    return PEN_OK;
}
