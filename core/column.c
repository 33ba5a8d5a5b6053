/* Facts about column types, and small look-ups in columns and batches. */
#include "core/column.h"

#include <string.h>

static const struct {
    const char *name;
    size_t size_bytes;
} type_table[] = {
    [PEN_TYPE_NONE] = {"none", 0},       [PEN_TYPE_INT64] = {"int64", 8},  [PEN_TYPE_FLOAT32] = {"float32", 4},
    [PEN_TYPE_FLOAT64] = {"float64", 8}, [PEN_TYPE_CODES] = {"string", 4}, [PEN_TYPE_BYTES] = {"string", 0},
};

const char *pen_type_name(enum pen_type type)
{
    return type_table[type].name;
}

size_t pen_type_size(enum pen_type type)
{
    return type_table[type].size_bytes;
}

bool pen_type_is_string(enum pen_type type)
{
    return type == PEN_TYPE_CODES || type == PEN_TYPE_BYTES;
}

bool pen_type_is_number(enum pen_type type)
{
    return type == PEN_TYPE_INT64 || type == PEN_TYPE_FLOAT32 || type == PEN_TYPE_FLOAT64;
}

int64_t pen_validity_count(const uint8_t *validity, int64_t n_rows)
{
    if (validity == NULL) {
        return n_rows;
    }
    int64_t count = 0;
    int64_t n_bytes = n_rows / 8;
    int64_t at = 0;
    for (; at + 8 <= n_bytes; at += 8) {
        uint64_t word = 0;
        memcpy(&word, validity + at, 8);
        count += __builtin_popcountll(word);
    }
    for (int64_t row = at * 8; row < n_rows; row++) {
        count += pen_is_valid(validity, row);
    }
    return count;
}

int64_t pen_batch_find(const struct pen_batch *batch, const char *name)
{
    for (int64_t i = 0; i < batch->n_columns; i++) {
        if (strcmp(batch->names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

const char *pen_column_string(const struct pen_column *column, int64_t row, size_t *size_bytes)
{
    PEN_ASSERT(pen_type_is_string(column->type));
    const int64_t *offsets = column->offsets;
    const char *bytes = column->bytes;
    int64_t index = row;
    if (column->type == PEN_TYPE_CODES) {
        index = ((const int32_t *)column->values)[row];
        PEN_ASSERT(index >= 0 && index < column->dictionary->n_entries);
        offsets = column->dictionary->offsets;
        bytes = column->dictionary->bytes;
    }
    *size_bytes = (size_t)(offsets[index + 1] - offsets[index]);
    return bytes + offsets[index];
}
