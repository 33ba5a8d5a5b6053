/* Strips dictionaries entry by entry and free text cell by cell. Two entries may become one, hence a dictionary and a
 * map from old to new codes per column. */
#include "components/example_gen/strip.h"

#include "core/memory.h"
#include "core/text.h"

#include <string.h>

struct pen_strip_column {
    const char *characters;
    int32_t *map; /* old code -> new code */
    int64_t n_mapped, map_capacity;
    int64_t *offsets;
    char *bytes;
    int64_t n_entries, offsets_capacity, bytes_capacity;
    struct pen_dictionary dictionary;
    int32_t *codes;
    int64_t codes_capacity;
    int64_t *cell_offsets;
    char *cell_bytes;
    int64_t cell_offsets_capacity, cell_bytes_capacity;
};

pen_status pen_strip_init(struct pen_strip *strip, const struct pen_config_node *node, struct pen_error *err)
{
    *strip = (struct pen_strip){0};
    if (node == NULL || node->kind == PEN_CONFIG_NULL) {
        return PEN_OK;
    }
    if (node->kind != PEN_CONFIG_MAP) {
        return pen_config_error(node, err, "option strip: expected a map such as {income: '.'}");
    }
    PEN_ALLOC(strip->columns, node->n_children, err);
    strip->node = node;
    for (int64_t i = 0; i < node->n_children; i++) {
        pen_status status = pen_config_string(node->children[i], node->keys[i], &strip->columns[i].characters, err);
        if (status != PEN_OK) {
            pen_strip_deinit(strip);
            return status;
        }
    }
    return PEN_OK;
}

void pen_strip_deinit(struct pen_strip *strip)
{
    for (int64_t i = 0; strip->node != NULL && i < strip->node->n_children; i++) {
        struct pen_strip_column *column = &strip->columns[i];
        pen_free(column->map);
        pen_free(column->offsets);
        pen_free(column->bytes);
        pen_free(column->codes);
        pen_free(column->cell_offsets);
        pen_free(column->cell_bytes);
    }
    pen_free(strip->columns);
    pen_free(strip->changed);
    *strip = (struct pen_strip){0};
}

static int64_t stripped_size(const char *text, int64_t size, const char *characters)
{
    while (size > 0 && text[size - 1] != '\0' && strchr(characters, text[size - 1]) != NULL) {
        size--;
    }
    return size;
}

static pen_status grow(void *memory_of, int64_t *capacity, int64_t needed, size_t size, struct pen_error *err)
{
    void *memory = NULL;
    memcpy(&memory, memory_of, sizeof memory);
    pen_status status = pen_grow(&memory, capacity, needed, size, err);
    memcpy(memory_of, &memory, sizeof memory);
    return status;
}

/* The code of a stripped text; stripped columns are labels with few values, so a plain search does. */
static pen_status code_of(struct pen_strip_column *column, const char *text, int64_t size, int32_t *code,
                          struct pen_error *err)
{
    for (int64_t i = 0; i < column->n_entries; i++) {
        if (column->offsets[i + 1] - column->offsets[i] == size &&
            memcmp(column->bytes + column->offsets[i], text, (size_t)size) == 0) {
            *code = (int32_t)i;
            return PEN_OK;
        }
    }
    int64_t used = column->n_entries > 0 ? column->offsets[column->n_entries] : 0;
    PEN_TRY(grow(&column->offsets, &column->offsets_capacity, column->n_entries + 2, sizeof(int64_t), err));
    PEN_TRY(grow(&column->bytes, &column->bytes_capacity, used + size + 1, 1, err));
    column->offsets[column->n_entries] = used;
    memcpy(column->bytes + used, text, (size_t)size);
    *code = (int32_t)column->n_entries++;
    column->offsets[column->n_entries] = used + size;
    return PEN_OK;
}

static pen_status strip_codes(struct pen_strip_column *column, struct pen_column *cells, struct pen_error *err)
{
    const struct pen_dictionary *old = cells->dictionary;
    PEN_TRY(grow(&column->map, &column->map_capacity, old->n_entries + 1, sizeof(int32_t), err));
    for (; column->n_mapped < old->n_entries; column->n_mapped++) {
        const char *text = old->bytes + old->offsets[column->n_mapped];
        int64_t size = old->offsets[column->n_mapped + 1] - old->offsets[column->n_mapped];
        PEN_TRY(
            code_of(column, text, stripped_size(text, size, column->characters), &column->map[column->n_mapped], err));
    }
    PEN_TRY(grow(&column->codes, &column->codes_capacity, cells->n_rows + 1, sizeof(int32_t), err));
    const int32_t *codes = cells->values;
    for (int64_t row = 0; row < cells->n_rows; row++) {
        column->codes[row] = codes[row] < 0 ? -1 : column->map[codes[row]];
    }
    column->dictionary = (struct pen_dictionary){column->n_entries, column->offsets, column->bytes};
    cells->values = column->codes;
    cells->dictionary = &column->dictionary;
    return PEN_OK;
}

static pen_status strip_bytes(struct pen_strip_column *column, struct pen_column *cells, struct pen_error *err)
{
    int64_t n = cells->n_rows, used = 0;
    PEN_TRY(grow(&column->cell_offsets, &column->cell_offsets_capacity, n + 1, sizeof(int64_t), err));
    PEN_TRY(grow(&column->cell_bytes, &column->cell_bytes_capacity, cells->offsets[n] - cells->offsets[0] + 1, 1, err));
    column->cell_offsets[0] = 0;
    for (int64_t row = 0; row < n; row++) {
        const char *text = cells->bytes + cells->offsets[row];
        int64_t size = stripped_size(text, cells->offsets[row + 1] - cells->offsets[row], column->characters);
        memcpy(column->cell_bytes + used, text, (size_t)size);
        used += size;
        column->cell_offsets[row + 1] = used;
    }
    cells->offsets = column->cell_offsets;
    cells->bytes = column->cell_bytes;
    return PEN_OK;
}

pen_status pen_strip_apply(struct pen_strip *strip, struct pen_batch *batch, struct pen_error *err)
{
    if (strip->node == NULL) {
        return PEN_OK;
    }
    PEN_TRY(grow(&strip->changed, &strip->n_changed, batch->n_columns, sizeof *strip->changed, err));
    memcpy(strip->changed, batch->columns, (size_t)batch->n_columns * sizeof *strip->changed);
    batch->columns = strip->changed;
    for (int64_t i = 0; i < strip->node->n_children; i++) {
        int64_t found = pen_batch_find(batch, strip->node->keys[i]);
        if (found < 0) {
            const char *near = pen_nearest_name(strip->node->keys[i], batch->names, batch->n_columns);
            return pen_config_error(strip->node->children[i], err,
                                    "option strip: expected a column of the data, found '%.60s'%s%s%s",
                                    strip->node->keys[i], near != NULL ? "; did you mean '" : "",
                                    near != NULL ? near : "", near != NULL ? "'?" : "");
        }
        struct pen_column *cells = &strip->changed[found];
        if (cells->type == PEN_TYPE_CODES) {
            PEN_TRY(strip_codes(&strip->columns[i], cells, err));
        } else if (cells->type == PEN_TYPE_BYTES) {
            PEN_TRY(strip_bytes(&strip->columns[i], cells, err));
        }
    }
    return PEN_OK;
}
