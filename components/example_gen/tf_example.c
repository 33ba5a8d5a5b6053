/* Nearly all cells are short: when an entry takes less than 128 bytes, all its lengths are single bytes at places that
 * depend on the name alone. Such an entry is a copy of its column's head with four bytes patched, and the value behind
 * it. Any other cell goes the general way, sizes first. */
#include "components/example_gen/tf_example.h"

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

/* Field tags: number << 3 | 2 (length-delimited). All fields here are of that kind. */
enum { FIELD_1 = 0x0A, FIELD_2 = 0x12, FIELD_3 = 0x1A, MAX_VARINT = 10, MAX_OVERHEAD = 8 * (MAX_VARINT + 1) };
enum { HEAD_BYTES = 64, HEAD_OVERHEAD = 10, SHORT_MAX = 128 };

/* head: FIELD_1 entry FIELD_1 name_bytes name FIELD_2 feature kind list FIELD_1 value. */
struct pen_tf_field {
    const struct pen_column *column;
    const char *name;
    size_t name_bytes;
    size_t short_bytes; /* values of fewer bytes go the short way; 0: none */
    uint8_t head[HEAD_BYTES];
};

struct cell {
    bool present;
    const void *bytes;
    size_t size;
    uint8_t number[MAX_VARINT];
};

void pen_tf_buffer_deinit(struct pen_tf_buffer *buffer)
{
    pen_free(buffer->memory);
    *buffer = (struct pen_tf_buffer){0};
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct pen_tf_field *)a)->name, ((const struct pen_tf_field *)b)->name);
}

static uint8_t kind_of(enum pen_type type)
{
    return type == PEN_TYPE_INT64 ? FIELD_3 : pen_type_is_string(type) ? FIELD_1 : FIELD_2;
}

static void make_head(struct pen_tf_field *field)
{
    const size_t n = field->name_bytes;
    uint8_t *head = field->head;
    if (n + HEAD_OVERHEAD > HEAD_BYTES) {
        return;
    }
    field->short_bytes = SHORT_MAX - 8 - n;
    head[0] = head[2] = head[8 + n] = FIELD_1;
    head[3] = (uint8_t)n;
    memcpy(head + 4, field->name, n);
    head[4 + n] = FIELD_2;
    head[6 + n] = kind_of(field->column->type);
}

pen_status pen_tf_layout_init(struct pen_tf_layout *layout, const struct pen_batch *batch, struct pen_error *err)
{
    *layout = (struct pen_tf_layout){0};
    PEN_ALLOC(layout->fields, batch->n_columns, err);
    layout->n_fields = batch->n_columns;
    layout->fixed_bytes = MAX_OVERHEAD;
    for (int64_t i = 0; i < batch->n_columns; i++) {
        struct pen_tf_field *field = &layout->fields[i];
        field->column = &batch->columns[i];
        field->name = batch->names[i];
        field->name_bytes = strlen(field->name);
        layout->fixed_bytes += MAX_OVERHEAD + HEAD_BYTES + SHORT_MAX + (int64_t)field->name_bytes;
        make_head(field);
    }
    qsort(layout->fields, (size_t)batch->n_columns, sizeof *layout->fields, compare_names);
    return PEN_OK;
}

void pen_tf_layout_deinit(struct pen_tf_layout *layout)
{
    pen_free(layout->fields);
    *layout = (struct pen_tf_layout){0};
}

static uint8_t *put_varint(uint8_t *p, uint64_t value)
{
    for (; value > 0x7F; value >>= 7) {
        *p++ = (uint8_t)(value | 0x80);
    }
    *p++ = (uint8_t)value;
    return p;
}

/* ---- the short way ---- */

static inline void copy_short(uint8_t *to, const void *from, size_t size)
{
    const uint8_t *bytes = from;
    if (size > 16) {
        memcpy(to, bytes, size);
    } else if (size >= 8) {
        memcpy(to, bytes, 8);
        memcpy(to + size - 8, bytes + size - 8, 8);
    } else if (size >= 4) {
        memcpy(to, bytes, 4);
        memcpy(to + size - 4, bytes + size - 4, 4);
    } else {
        for (size_t i = 0; i < size; i++) {
            to[i] = bytes[i];
        }
    }
}

/* The head goes to p; what is copied behind it is overwritten. Returns where the value goes. */
static inline uint8_t *put_head(uint8_t *p, const struct pen_tf_field *field)
{
    memcpy(p, field->head, 16);
    if (field->name_bytes + HEAD_OVERHEAD > 16) {
        memcpy(p + 16, field->head + 16, HEAD_BYTES - 16);
    }
    return p + field->name_bytes + HEAD_OVERHEAD;
}

/* Lengths around a value of `size` bytes that is already there. */
static inline uint8_t *close_value(uint8_t *p, const struct pen_tf_field *field, size_t size)
{
    const size_t n = field->name_bytes;
    p[1] = (uint8_t)(n + 8 + size);
    p[5 + n] = (uint8_t)(4 + size);
    p[7 + n] = (uint8_t)(2 + size);
    p[9 + n] = (uint8_t)size;
    return p + n + HEAD_OVERHEAD + size;
}

static inline uint8_t *close_empty_list(uint8_t *p, const struct pen_tf_field *field)
{
    const size_t n = field->name_bytes;
    p[1] = (uint8_t)(n + 6);
    p[5 + n] = 2;
    p[7 + n] = 0;
    return p + n + 8;
}

static inline uint8_t *close_without_kind(uint8_t *p, const struct pen_tf_field *field)
{
    const size_t n = field->name_bytes;
    p[1] = (uint8_t)(n + 4);
    p[5 + n] = 0;
    return p + n + 6;
}

/* NULL: the cell is too long for it. */
static inline uint8_t *put_short_entry(uint8_t *p, const struct pen_tf_field *field, int64_t row)
{
    const struct pen_column *column = field->column;
    if (field->short_bytes == 0) {
        return NULL;
    }
    uint8_t *value = put_head(p, field);
    if (column->type == PEN_TYPE_NONE) {
        return close_without_kind(p, field);
    }
    if (!pen_is_valid(column->validity, row)) {
        return close_empty_list(p, field);
    }
    if (column->type == PEN_TYPE_INT64) {
        const uint8_t *end = put_varint(value, (uint64_t)((const int64_t *)column->values)[row]);
        return close_value(p, field, (size_t)(end - value));
    }
    if (column->type == PEN_TYPE_FLOAT64 || column->type == PEN_TYPE_FLOAT32) {
        const float real = column->type == PEN_TYPE_FLOAT64 ? (float)((const double *)column->values)[row]
                                                            : ((const float *)column->values)[row];
        memcpy(value, &real, sizeof real);
        return close_value(p, field, sizeof real);
    }
    const bool coded = column->type == PEN_TYPE_CODES;
    const int64_t *ends =
        coded ? column->dictionary->offsets + ((const int32_t *)column->values)[row] : column->offsets + row;
    const size_t size = (size_t)(ends[1] - ends[0]);
    if (size >= field->short_bytes) {
        return NULL;
    }
    copy_short(value, (coded ? column->dictionary->bytes : column->bytes) + ends[0], size);
    return close_value(p, field, size);
}

/* ---- the general way ---- */

static void read_cell(struct cell *cell, const struct pen_column *column, int64_t row)
{
    float real = 0;
    *cell = (struct cell){.present = column->type != PEN_TYPE_NONE && pen_is_valid(column->validity, row)};
    if (!cell->present) {
        return;
    }
    cell->bytes = cell->number;
    if (column->type == PEN_TYPE_INT64) {
        cell->size =
            (size_t)(put_varint(cell->number, (uint64_t)((const int64_t *)column->values)[row]) - cell->number);
    } else if (pen_type_is_string(column->type)) {
        cell->bytes = pen_column_string(column, row, &cell->size);
    } else {
        real = column->type == PEN_TYPE_FLOAT64 ? (float)((const double *)column->values)[row]
                                                : ((const float *)column->values)[row];
        memcpy(cell->number, &real, sizeof real);
        cell->size = sizeof real;
    }
}

static size_t field_bytes(size_t size)
{
    uint8_t digits[MAX_VARINT];
    return 1 + (size_t)(put_varint(digits, size) - digits) + size;
}

static uint8_t *put_field(uint8_t *p, uint8_t tag, size_t size)
{
    *p++ = tag;
    return put_varint(p, size);
}

static uint8_t *put_bytes(uint8_t *p, uint8_t tag, const void *bytes, size_t size)
{
    p = put_field(p, tag, size);
    memcpy(p, bytes, size);
    return p + size;
}

static size_t list_bytes(const struct cell *cell)
{
    return cell->present ? field_bytes(cell->size) : 0;
}

static uint8_t *put_feature(uint8_t *p, enum pen_type type, const struct cell *cell)
{
    if (type == PEN_TYPE_NONE) {
        return p;
    }
    p = put_field(p, kind_of(type), list_bytes(cell));
    return cell->present ? put_bytes(p, FIELD_1, cell->bytes, cell->size) : p;
}

static uint8_t *put_entry(uint8_t *p, const struct pen_tf_field *field, const struct cell *cell)
{
    const enum pen_type type = field->column->type;
    const size_t feature = type == PEN_TYPE_NONE ? 0 : field_bytes(list_bytes(cell));
    p = put_field(p, FIELD_1, field_bytes(field->name_bytes) + field_bytes(feature));
    p = put_bytes(p, FIELD_1, field->name, field->name_bytes);
    p = put_field(p, FIELD_2, feature);
    return put_feature(p, type, cell);
}

static pen_status reserve(struct pen_tf_buffer *buffer, int64_t n_bytes, struct pen_error *err)
{
    void *memory = buffer->memory;
    pen_status status = pen_grow(&memory, &buffer->capacity, n_bytes, 1, err);
    buffer->memory = memory;
    return status;
}

/* ---- messages ---- */

pen_status pen_tf_example_write(const struct pen_tf_layout *layout, int64_t row, struct pen_tf_buffer *buffer,
                                struct pen_error *err)
{
    PEN_TRY(reserve(buffer, layout->fixed_bytes, err));
    uint8_t *p = buffer->memory + MAX_OVERHEAD; /* room for the field around it all */
    for (int64_t i = 0; i < layout->n_fields; i++) {
        const struct pen_tf_field *field = &layout->fields[i];
        uint8_t *end = put_short_entry(p, field, row);
        if (end == NULL) {
            struct cell cell;
            const int64_t used = p - buffer->memory;
            read_cell(&cell, field->column, row);
            PEN_TRY(reserve(buffer, used + (int64_t)cell.size + layout->fixed_bytes, err));
            end = put_entry(buffer->memory + used, field, &cell);
        }
        p = end;
    }
    const size_t features = (size_t)(p - buffer->memory - MAX_OVERHEAD);
    uint8_t *begin = buffer->memory + MAX_OVERHEAD - (field_bytes(features) - features);
    (void)put_field(begin, FIELD_1, features);
    buffer->data = begin;
    buffer->size_bytes = p - begin;
    return PEN_OK;
}

pen_status pen_tf_feature_write(const struct pen_column *column, int64_t row, struct pen_tf_buffer *buffer,
                                struct pen_error *err)
{
    struct cell cell;
    read_cell(&cell, column, row);
    PEN_TRY(reserve(buffer, MAX_OVERHEAD + (int64_t)cell.size, err));
    buffer->data = buffer->memory;
    buffer->size_bytes = put_feature(buffer->memory, column->type, &cell) - buffer->memory;
    return PEN_OK;
}
