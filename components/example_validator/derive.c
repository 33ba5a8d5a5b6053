/* See derive.h. A chunk of a derived column is computed when it is read, into the reader's buffer. */
#include "components/example_validator/derive.h"

#include "components/example_validator/rows.h"
#include "components/example_validator/tokens.h"

#include <string.h>

bool pen_deriver_reads(enum pen_schema_deriver deriver, enum pen_type type)
{
    bool text = deriver == PEN_SCHEMA_DERIVER_LENGTH || deriver == PEN_SCHEMA_DERIVER_COUNT_TOKENS;
    return type == PEN_TYPE_NONE || (text ? pen_type_is_string(type) : pen_type_is_number(type));
}

/* False when a source is not there or of the wrong type. */
static bool resolve(const struct pen_schema_feature *feature, const struct pen_statistics_source *base,
                    struct pen_derived_column *column)
{
    *column = (struct pen_derived_column){feature->name, feature->deriver, {-1, -1}};
    for (int i = 0; i < 2 && feature->derived_from[i] != NULL; i++) {
        column->from[i] = pen_rows_find(base, feature->derived_from[i]);
        if (column->from[i] < 0 || !pen_deriver_reads(feature->deriver, base->type(base->user, column->from[i]))) {
            return false;
        }
    }
    return pen_rows_find(base, feature->name) < 0;
}

pen_status pen_derived_init(struct pen_derived *derived, const struct pen_statistics_source *base,
                            const struct pen_schema *schema, struct pen_arena *arena, struct pen_error *err)
{
    struct pen_derived_column *columns = pen_arena_alloc(arena, schema->n_features + 1, sizeof *columns);
    *derived = (struct pen_derived){base, 0, columns};
    if (columns == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: derived features");
    }
    for (int64_t i = 0; i < schema->n_features; i++) {
        const struct pen_schema_feature *feature = &schema->features[i];
        if (feature->deriver != PEN_SCHEMA_DERIVER_NONE && pen_schema_is_checked(feature)) {
            derived->n_columns += resolve(feature, base, &columns[derived->n_columns]);
        }
    }
    return PEN_OK;
}

/* ---- cells ---- */

static int64_t derive_int(enum pen_schema_deriver deriver, const struct pen_column *text, int64_t row)
{
    size_t size_bytes = 0;
    const char *bytes = pen_column_string(text, row, &size_bytes);
    if (deriver == PEN_SCHEMA_DERIVER_LENGTH) {
        return pen_count_characters(bytes, size_bytes);
    }
    struct pen_tokens tokens = {bytes, size_bytes, 0};
    const char *token = NULL;
    int64_t n = 0;
    while (pen_tokens_next(&tokens, &token, &size_bytes)) {
        n++;
    }
    return n;
}

static double number(const struct pen_column *column, int64_t row)
{
    if (column->type == PEN_TYPE_INT64) {
        return (double)((const int64_t *)column->values)[row];
    }
    return column->type == PEN_TYPE_FLOAT32 ? (double)((const float *)column->values)[row]
                                            : ((const double *)column->values)[row];
}

static bool has_value(const struct pen_column *column, int64_t row)
{
    return column->type != PEN_TYPE_NONE && pen_is_valid(column->validity, row);
}

static enum pen_type type_of(enum pen_schema_deriver deriver)
{
    return deriver == PEN_SCHEMA_DERIVER_DIFFERENCE || deriver == PEN_SCHEMA_DERIVER_RATIO ? PEN_TYPE_FLOAT64
                                                                                           : PEN_TYPE_INT64;
}

static pen_status derive(const struct pen_derived_column *column, const struct pen_column from[2], int64_t n_rows,
                         struct pen_store_buffer *buffer, struct pen_column *view, struct pen_error *err)
{
    int64_t validity_bytes = (n_rows + 7) / 8;
    PEN_TRY(pen_grow(&buffer->values, &buffer->values_capacity, n_rows * 8 + 1, 1, err));
    PEN_TRY(pen_grow((void **)&buffer->validity, &buffer->validity_capacity, validity_bytes + 1, 1, err));
    memset(buffer->validity, 0, (size_t)validity_bytes);
    memset(buffer->values, 0, (size_t)n_rows * 8);
    bool is_float = type_of(column->deriver) == PEN_TYPE_FLOAT64;
    for (int64_t row = 0; row < n_rows; row++) {
        if (!has_value(&from[0], row) || (is_float && !has_value(&from[1], row))) {
            continue;
        }
        buffer->validity[row >> 3] = (uint8_t)(buffer->validity[row >> 3] | (1U << (row & 7)));
        if (is_float) {
            double a = number(&from[0], row);
            double b = number(&from[1], row);
            ((double *)buffer->values)[row] = column->deriver == PEN_SCHEMA_DERIVER_RATIO ? a / b : a - b;
        } else {
            ((int64_t *)buffer->values)[row] = derive_int(column->deriver, &from[0], row);
        }
    }
    *view = (struct pen_column){
        .type = type_of(column->deriver), .n_rows = n_rows, .values = buffer->values, .validity = buffer->validity};
    return PEN_OK;
}

/* ---- the source ---- */

static const char *derived_name(const void *user, int64_t column)
{
    const struct pen_derived *derived = user;
    int64_t own = column - derived->base->n_columns;
    return own < 0 ? derived->base->name(derived->base->user, column) : derived->columns[own].name;
}

static enum pen_type derived_type(const void *user, int64_t column)
{
    const struct pen_derived *derived = user;
    int64_t own = column - derived->base->n_columns;
    return own < 0 ? derived->base->type(derived->base->user, column) : type_of(derived->columns[own].deriver);
}

static int64_t derived_chunk_rows(const void *user, int64_t chunk)
{
    const struct pen_derived *derived = user;
    return derived->base->chunk_rows(derived->base->user, chunk);
}

static pen_status derived_read(const void *user, int64_t column, int64_t chunk, struct pen_store_buffer *buffer,
                               struct pen_column *view, struct pen_error *err)
{
    const struct pen_derived *derived = user;
    const struct pen_statistics_source *base = derived->base;
    if (column < base->n_columns) {
        return base->read(base->user, column, chunk, buffer, view, err);
    }
    const struct pen_derived_column *own = &derived->columns[column - base->n_columns];
    struct pen_store_buffer buffers[2] = {{0}, {0}};
    struct pen_column from[2] = {{0}, {0}};
    pen_status status = PEN_OK;
    for (int i = 0; i < 2 && own->from[i] >= 0 && status == PEN_OK; i++) {
        status = base->read(base->user, own->from[i], chunk, &buffers[i], &from[i], err);
    }
    if (status == PEN_OK) {
        status = derive(own, from, base->chunk_rows(base->user, chunk), buffer, view, err);
    }
    pen_store_buffer_deinit(&buffers[0]);
    pen_store_buffer_deinit(&buffers[1]);
    return status;
}

struct pen_statistics_source pen_derived_source(const struct pen_derived *derived)
{
    struct pen_statistics_source source = *derived->base;
    source.user = derived;
    source.n_columns += derived->n_columns;
    source.name = derived_name;
    source.type = derived_type;
    source.chunk_rows = derived_chunk_rows;
    source.read = derived_read;
    return source;
}
