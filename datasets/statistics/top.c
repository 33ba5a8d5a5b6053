/* A bounded heap of the most frequent values (top.h). */
#include "datasets/statistics/top.h"

#include "core/text.h"

#include <stdlib.h>
#include <string.h>

/* Negative when a comes first. */
static int compare(const struct pen_top_item *a, const struct pen_top_item *b)
{
    if (a->count != b->count) {
        return a->count > b->count ? -1 : 1;
    }
    size_t shorter = a->size_bytes < b->size_bytes ? a->size_bytes : b->size_bytes;
    int order = shorter == 0 ? 0 : memcmp(b->bytes, a->bytes, shorter);
    return order != 0 ? order : (b->size_bytes > a->size_bytes) - (b->size_bytes < a->size_bytes);
}

static int compare_items(const void *a, const void *b)
{
    return compare(a, b);
}

pen_status pen_top_init(struct pen_top *top, int64_t k, struct pen_error *err)
{
    *top = (struct pen_top){.k = k};
    PEN_ALLOC(top->items, k + 1, err);
    return PEN_OK;
}

void pen_top_deinit(struct pen_top *top)
{
    pen_free(top->items);
    *top = (struct pen_top){0};
}

static void swap(struct pen_top_item *a, struct pen_top_item *b)
{
    struct pen_top_item item = *a;
    *a = *b;
    *b = item;
}

void pen_top_offer(struct pen_top *top, const char *bytes, size_t size_bytes, double count)
{
    struct pen_top_item item = {bytes, size_bytes, count};
    if (top->n_items < top->k) {
        int64_t at = top->n_items++;
        top->items[at] = item;
        while (at > 0 && compare(&top->items[at], &top->items[(at - 1) / 2]) > 0) {
            swap(&top->items[at], &top->items[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        return;
    }
    if (top->k == 0 || compare(&item, &top->items[0]) > 0) {
        return;
    }
    top->items[0] = item;
    for (int64_t at = 0;;) {
        int64_t last = at;
        for (int64_t child = 2 * at + 1; child <= 2 * at + 2 && child < top->n_items; child++) {
            last = compare(&top->items[child], &top->items[last]) > 0 ? child : last;
        }
        if (last == at) {
            return;
        }
        swap(&top->items[at], &top->items[last]);
        at = last;
    }
}

void pen_top_sort(struct pen_top *top)
{
    if (top->n_items > 1) {
        qsort(top->items, (size_t)top->n_items, sizeof *top->items, compare_items);
    }
}

static void append_text(struct pen_text *text, const char *bytes, size_t size_bytes, size_t longest_bytes)
{
    bool longer = size_bytes > longest_bytes;
    if (longer) {
        size_bytes = longest_bytes;
        while (size_bytes > longest_bytes - 4 && ((unsigned char)bytes[size_bytes] & 0xC0) == 0x80) {
            size_bytes--;
        }
    }
    while (size_bytes > 0) {
        size_t valid = pen_utf8_valid_prefix(bytes, size_bytes);
        const char *nul = memchr(bytes, 0, valid);
        valid = nul != NULL ? (size_t)(nul - bytes) : valid;
        pen_text_append_bytes(text, bytes, valid);
        bytes += valid;
        size_bytes -= valid;
        if (size_bytes > 0) {
            pen_text_append(text, "\xEF\xBF\xBD");
            bytes++;
            size_bytes--;
        }
    }
    if (longer) {
        pen_text_append(text, "...");
    }
}

pen_status pen_top_values(const struct pen_top *top, int64_t n, size_t longest_bytes, struct pen_arena *arena,
                          struct pen_value_counts *counts, struct pen_error *err)
{
    int64_t n_items = top->n_items < n ? top->n_items : n;
    struct pen_value_count *items = pen_arena_alloc(arena, n_items + 1, sizeof *items);
    struct pen_text text = {0};
    pen_status status = PEN_OK;
    if (items == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: listing %lld values", (long long)n_items);
    }
    for (int64_t i = 0; i < n_items; i++) {
        pen_text_reset(&text);
        append_text(&text, top->items[i].bytes, top->items[i].size_bytes, longest_bytes);
        PEN_TRY_GOTO(cleanup, pen_text_check(&text, err));
        items[i].value = pen_arena_strndup(arena, pen_text_view(&text), text.size_bytes);
        items[i].count = top->items[i].count;
        if (items[i].value == NULL) {
            PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: listing %lld values", (long long)n_items);
        }
    }
    counts->n_items = n_items;
    counts->items = items;
cleanup:
    pen_text_deinit(&text);
    return status;
}
