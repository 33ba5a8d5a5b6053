/* Serialises back to front: when the bytes of a message are written last to first, its length is known at the moment
 * it has to be written, so that no size is computed twice. */
#include "components/example_gen/tf_example.h"

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

/* Field tags: number << 3 | 2 (length-delimited). All fields here are of that kind. */
enum { FIELD_1 = 0x0A, FIELD_2 = 0x12, FIELD_3 = 0x1A, MAX_VARINT = 10, MAX_OVERHEAD = 8 * (MAX_VARINT + 1) };

void pen_tf_buffer_deinit(struct pen_tf_buffer *buffer)
{
    pen_free(buffer->memory);
    *buffer = (struct pen_tf_buffer){0};
}

static int compare_names(const void *a, const void *b, void *names)
{
    const char *const *list = names;
    return strcmp(list[*(const int64_t *)a], list[*(const int64_t *)b]);
}

pen_status pen_tf_layout_init(struct pen_tf_layout *layout, const struct pen_batch *batch, struct pen_error *err)
{
    pen_status status = PEN_OK;
    const char **names = NULL;
    *layout = (struct pen_tf_layout){0};
    PEN_ALLOC_GOTO(cleanup, layout->order, batch->n_columns, err);
    PEN_ALLOC_GOTO(cleanup, layout->name_bytes, batch->n_columns, err);
    PEN_ALLOC_GOTO(cleanup, names, batch->n_columns, err);
    for (int64_t i = 0; i < batch->n_columns; i++) {
        layout->order[i] = i;
        names[i] = batch->names[i];
    }
    qsort_r(layout->order, (size_t)batch->n_columns, sizeof *layout->order, compare_names, names);
    layout->fixed_bytes = MAX_OVERHEAD;
    for (int64_t i = 0; i < batch->n_columns; i++) {
        layout->name_bytes[i] = strlen(names[layout->order[i]]);
        layout->fixed_bytes += MAX_OVERHEAD + (int64_t)layout->name_bytes[i];
    }
cleanup:
    pen_free(names);
    if (status != PEN_OK) {
        pen_tf_layout_deinit(layout);
    }
    return status;
}

void pen_tf_layout_deinit(struct pen_tf_layout *layout)
{
    pen_free(layout->order);
    pen_free(layout->name_bytes);
    *layout = (struct pen_tf_layout){0};
}

static uint8_t *put_varint(uint8_t *p, uint64_t value)
{
    uint8_t digits[MAX_VARINT];
    int n = 0;
    do {
        digits[n] = (uint8_t)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
        value >>= 7;
        n++;
    } while (value != 0);
    p -= n;
    memcpy(p, digits, (size_t)n);
    return p;
}

/* Tag and length in front of the bytes [p, end). */
static uint8_t *put_field(uint8_t *p, const uint8_t *end, uint8_t tag)
{
    p = put_varint(p, (uint64_t)(end - p));
    *--p = tag;
    return p;
}

static uint8_t *put_bytes(uint8_t *p, const void *bytes, size_t size_bytes)
{
    p -= size_bytes;
    memcpy(p, bytes, size_bytes);
    return p;
}

static uint8_t *put_string_value(uint8_t *p, const struct pen_column *column, int64_t row)
{
    size_t size = 0;
    const uint8_t *end = p;
    const char *text = pen_column_string(column, row, &size);
    return put_field(put_bytes(p, text, size), end, FIELD_1);
}

static uint8_t *put_float_value(uint8_t *p, float value)
{
    const uint8_t *end = p;
    return put_field(put_bytes(p, &value, sizeof value), end, FIELD_1);
}

static uint8_t *put_feature(uint8_t *p, const struct pen_column *column, int64_t row)
{
    const uint8_t *end = p;
    bool present = pen_is_valid(column->validity, row);
    switch (column->type) {
    case PEN_TYPE_INT64:
        if (present) {
            p = put_field(put_varint(p, (uint64_t)((const int64_t *)column->values)[row]), end, FIELD_1);
        }
        return put_field(p, end, FIELD_3);
    case PEN_TYPE_FLOAT64:
        p = present ? put_float_value(p, (float)((const double *)column->values)[row]) : p;
        return put_field(p, end, FIELD_2);
    case PEN_TYPE_FLOAT32:
        p = present ? put_float_value(p, ((const float *)column->values)[row]) : p;
        return put_field(p, end, FIELD_2);
    case PEN_TYPE_CODES:
    case PEN_TYPE_BYTES:
        p = present ? put_string_value(p, column, row) : p;
        return put_field(p, end, FIELD_1);
    case PEN_TYPE_NONE:
        break;
    }
    return p;
}

static int64_t string_bytes(const struct pen_column *column, int64_t row)
{
    size_t size = 0;
    if (pen_type_is_string(column->type) && pen_is_valid(column->validity, row)) {
        (void)pen_column_string(column, row, &size);
    }
    return (int64_t)size;
}

static pen_status reserve(struct pen_tf_buffer *buffer, int64_t n_bytes, struct pen_error *err)
{
    void *memory = buffer->memory;
    pen_status status = pen_grow(&memory, &buffer->capacity, n_bytes, 1, err);
    buffer->memory = memory;
    return status;
}

static void keep(struct pen_tf_buffer *buffer, const uint8_t *p)
{
    buffer->data = p;
    buffer->size_bytes = buffer->memory + buffer->capacity - p;
}

pen_status pen_tf_example_write(const struct pen_batch *batch, const struct pen_tf_layout *layout, int64_t row,
                                struct pen_tf_buffer *buffer, struct pen_error *err)
{
    int64_t n_bytes = layout->fixed_bytes;
    for (int64_t i = 0; i < batch->n_columns; i++) {
        n_bytes += string_bytes(&batch->columns[i], row);
    }
    PEN_TRY(reserve(buffer, n_bytes, err));
    uint8_t *p = buffer->memory + buffer->capacity;
    const uint8_t *end = p;
    for (int64_t i = batch->n_columns - 1; i >= 0; i--) {
        int64_t column = layout->order[i];
        const uint8_t *entry_end = p;
        p = put_field(put_feature(p, &batch->columns[column], row), entry_end, FIELD_2);
        const uint8_t *name_end = p;
        p = put_field(put_bytes(p, batch->names[column], layout->name_bytes[i]), name_end, FIELD_1);
        p = put_field(p, entry_end, FIELD_1);
    }
    keep(buffer, put_field(p, end, FIELD_1));
    return PEN_OK;
}

pen_status pen_tf_feature_write(const struct pen_column *column, int64_t row, struct pen_tf_buffer *buffer,
                                struct pen_error *err)
{
    PEN_TRY(reserve(buffer, MAX_OVERHEAD + string_bytes(column, row), err));
    keep(buffer, put_feature(buffer->memory + buffer->capacity, column, row));
    return PEN_OK;
}
