/* Row rules evaluated on the cells of a split. */
#include "components/example_validator/rows.h"

#include "core/log.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A present cell as a number, where it is one or reads as one. */
static bool cell_number(const struct pen_column *column, int64_t row, double *value)
{
    size_t size_bytes = 0;
    const char *text = NULL;
    switch (column->type) {
    case PEN_TYPE_INT64:
        *value = (double)((const int64_t *)column->values)[row];
        return true;
    case PEN_TYPE_FLOAT32:
        *value = (double)((const float *)column->values)[row];
        return true;
    case PEN_TYPE_FLOAT64:
        *value = ((const double *)column->values)[row];
        return true;
    case PEN_TYPE_CODES:
    case PEN_TYPE_BYTES:
        text = pen_column_string(column, row, &size_bytes);
        return pen_parse_double(text, size_bytes, value);
    case PEN_TYPE_NONE:
    default:
        return false;
    }
}

const char *pen_cell_text(struct pen_arena *arena, const struct pen_column *column, int64_t row)
{
    char number[PEN_NUMBER_BYTES];
    char quoted[PEN_QUOTE_BYTES];
    size_t size_bytes = 0;
    double value = 0.0;
    if (pen_type_is_string(column->type)) {
        const char *text = pen_column_string(column, row, &size_bytes);
        return pen_arena_strdup(arena, pen_quote(quoted, text, size_bytes));
    }
    if (column->type == PEN_TYPE_INT64) {
        return pen_arena_printf(arena, "%" PRId64, ((const int64_t *)column->values)[row]);
    }
    (void)cell_number(column, row, &value);
    return pen_arena_strdup(arena, pen_format_double(number, value));
}

int64_t pen_rows_find(const struct pen_statistics_source *rows, const char *name)
{
    for (int64_t i = 0; i < rows->n_columns; i++) {
        if (strcmp(rows->name(rows->user, i), name) == 0) {
            return i;
        }
    }
    return -1;
}

static bool cell_listed(const struct pen_column *column, int64_t row, const struct pen_config_strings *values)
{
    char number[24];
    size_t size_bytes = 0;
    const char *text = number;
    if (pen_type_is_string(column->type)) {
        text = pen_column_string(column, row, &size_bytes);
    } else if (column->type == PEN_TYPE_INT64) {
        int64_t value = ((const int64_t *)column->values)[row];
        size_bytes = (size_t)snprintf(number, sizeof number, "%" PRId64, value);
    } else {
        return false;
    }
    for (int64_t i = 0; i < values->n_items; i++) {
        if (strlen(values->items[i]) == size_bytes && memcmp(values->items[i], text, size_bytes) == 0) {
            return true;
        }
    }
    return false;
}

static bool matches(const struct pen_row_rule *rule, const struct pen_column *column, int64_t row)
{
    size_t size_bytes = 0;
    const char *text = NULL;
    int64_t integer = 0;
    double value = 0.0;
    if (!pen_is_valid(column->validity, row) || column->type == PEN_TYPE_NONE) {
        return rule->kind == PEN_ROW_MISSING;
    }
    switch (rule->kind) {
    case PEN_ROW_PRESENT:
        return true;
    case PEN_ROW_ABOVE:
        return cell_number(column, row, &value) && value > rule->limit;
    case PEN_ROW_BELOW:
        return cell_number(column, row, &value) && value < rule->limit;
    case PEN_ROW_NAN:
        return cell_number(column, row, &value) && isnan(value);
    case PEN_ROW_INFINITE:
        return cell_number(column, row, &value) && isinf(value);
    case PEN_ROW_NOT_BOOL:
        return cell_number(column, row, &value) && value != 0.0 && value != 1.0;
    case PEN_ROW_NOT_FLOAT:
        return !cell_number(column, row, &value);
    case PEN_ROW_NOT_INT:
        if (!pen_type_is_string(column->type)) {
            return cell_number(column, row, &value) && value != floor(value); /* NaN, too */
        }
        text = pen_column_string(column, row, &size_bytes);
        return !pen_parse_int64(text, size_bytes, &integer);
    case PEN_ROW_NOT_UTF8:
        text = pen_type_is_string(column->type) ? pen_column_string(column, row, &size_bytes) : NULL;
        return text != NULL && pen_utf8_valid_prefix(text, size_bytes) < size_bytes;
    case PEN_ROW_NOT_LISTED:
        return !cell_listed(column, row, &rule->values);
    case PEN_ROW_EQUAL:
        return cell_listed(column, row, &rule->values);
    case PEN_ROW_NONE:
    case PEN_ROW_MISSING:
    default:
        return false;
    }
}

static pen_status sweep(struct pen_findings *findings, struct pen_finding *finding,
                        const struct pen_statistics_source *rows, int64_t index, struct pen_store_buffer *buffer,
                        struct pen_error *err)
{
    int64_t first_row = 0;
    int64_t n_found = 0;
    bool counting = finding->n_rows < 0;
    for (int64_t chunk = 0; chunk < rows->n_chunks; chunk++) {
        struct pen_column column;
        PEN_TRY(pen_cancel_check(err));
        PEN_TRY(rows->read(rows->user, index, chunk, buffer, &column, err));
        for (int64_t row = 0; row < column.n_rows; row++) {
            if (!matches(&finding->rows, &column, row)) {
                continue;
            }
            if (n_found < PEN_FINDING_ROWS) {
                finding->example_rows[n_found] = first_row + row;
                bool is_missing = finding->rows.kind == PEN_ROW_MISSING;
                finding->example_values[n_found] = is_missing ? NULL : pen_cell_text(findings->arena, &column, row);
                findings->failed = findings->failed || (!is_missing && finding->example_values[n_found] == NULL);
            }
            n_found++;
        }
        first_row += column.n_rows;
        if (!counting && n_found >= PEN_FINDING_ROWS) {
            break;
        }
    }
    finding->n_examples = n_found < PEN_FINDING_ROWS ? n_found : PEN_FINDING_ROWS;
    if (counting) {
        finding->n_rows = n_found;
        finding->share = first_row > 0 ? (double)n_found / (double)first_row : 0.0;
    }
    return PEN_OK;
}

pen_status pen_findings_add_rows(struct pen_findings *findings, const struct pen_statistics_source *rows,
                                 struct pen_error *err)
{
    struct pen_store_buffer buffer = {0};
    pen_status status = PEN_OK;
    for (int64_t i = 0; i < findings->n_items && status == PEN_OK; i++) {
        struct pen_finding *finding = &findings->items[i];
        int64_t column = finding->feature == NULL ? -1 : pen_rows_find(rows, finding->feature);
        if (finding->rows.kind != PEN_ROW_NONE && column >= 0) {
            status = sweep(findings, finding, rows, column, &buffer, err);
        }
    }
    pen_store_buffer_deinit(&buffer);
    return status == PEN_OK ? pen_findings_check(findings, err) : status;
}
