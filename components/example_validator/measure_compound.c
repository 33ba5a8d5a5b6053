/* The columns of a sparse or weighted feature, row by row: which are there together, and lists of which lengths. */
#include "components/example_validator/measure.h"
#include "components/example_validator/rows.h"
#include "core/log.h"

#include <string.h>

struct part {
    const char *name;
    int64_t column; /* -1: no such column, so missing everywhere */
    struct pen_store_buffer buffer;
    struct pen_column view;
};

struct sweep {
    const struct pen_schema_compound *compound;
    struct part *parts; /* the parts, then the value */
    int64_t n_parts;    /* with the value */
    struct pen_measured_compound *measured;
    struct pen_measured_part *measured_parts;
    struct pen_arena *arena;
    bool failed;
};

static bool is_there(const struct part *part, int64_t row)
{
    return part->column >= 0 && part->view.type != PEN_TYPE_NONE && pen_is_valid(part->view.validity, row);
}

/* Items in a cell that is there. */
static int64_t count_items(const struct part *part, int64_t row, const char *separator)
{
    size_t size_bytes = 0;
    if (separator == NULL || !pen_type_is_string(part->view.type)) {
        return 1;
    }
    const char *text = pen_column_string(&part->view, row, &size_bytes);
    size_t step = strlen(separator);
    int64_t n = 1;
    for (size_t i = 0; i + step <= size_bytes;) {
        bool found = memcmp(text + i, separator, step) == 0;
        n += found;
        i += found ? step : 1;
    }
    return n;
}

/* "id 7, score (empty)" */
static const char *describe(struct sweep *sweep, int64_t row)
{
    struct pen_text text = {0};
    for (int64_t i = 0; i < sweep->n_parts; i++) {
        const struct part *part = &sweep->parts[i];
        const char *value = is_there(part, row) ? pen_cell_text(sweep->arena, &part->view, row) : "(empty)";
        pen_text_printf(&text, "%s%s %s", i > 0 ? ", " : "", part->name, value == NULL ? "" : value);
    }
    const char *copy = pen_arena_strdup(sweep->arena, pen_text_view(&text));
    sweep->failed = sweep->failed || copy == NULL || text.failed;
    pen_text_deinit(&text);
    return copy;
}

static void add(struct sweep *sweep, struct pen_measured_rows *measured, int64_t chunk_row, int64_t row)
{
    pen_measured_add(measured, row, pen_measured_is_example(measured) ? describe(sweep, chunk_row) : NULL);
}

static void look_at(struct sweep *sweep, int64_t chunk_row, int64_t row)
{
    const struct part *value = &sweep->parts[sweep->n_parts - 1];
    bool any = false;
    for (int64_t i = 0; i < sweep->n_parts; i++) {
        any = any || is_there(&sweep->parts[i], chunk_row);
    }
    if (!any) {
        return;
    }
    bool has_value = is_there(value, chunk_row);
    int64_t n_values = has_value ? count_items(value, chunk_row, sweep->compound->separator) : 0;
    if (!has_value) {
        add(sweep, &sweep->measured->missing_value, chunk_row, row);
    }
    for (int64_t i = 0; i + 1 < sweep->n_parts; i++) {
        struct pen_measured_part *measured = &sweep->measured_parts[i];
        if (!is_there(&sweep->parts[i], chunk_row)) {
            add(sweep, &measured->missing, chunk_row, row);
            continue;
        }
        int64_t difference = count_items(&sweep->parts[i], chunk_row, sweep->compound->separator) - n_values;
        if (has_value && difference != 0) {
            measured->most_more = difference > measured->most_more ? difference : measured->most_more;
            measured->most_fewer = -difference > measured->most_fewer ? -difference : measured->most_fewer;
            add(sweep, &measured->mismatched, chunk_row, row);
        }
    }
}

static pen_status run(struct sweep *sweep, const struct pen_statistics_source *rows, struct pen_error *err)
{
    int64_t first_row = 0;
    for (int64_t chunk = 0; chunk < rows->n_chunks; chunk++) {
        int64_t n_rows = rows->chunk_rows(rows->user, chunk);
        PEN_TRY(pen_cancel_check(err));
        for (int64_t i = 0; i < sweep->n_parts; i++) {
            struct part *part = &sweep->parts[i];
            if (part->column >= 0) {
                PEN_TRY(rows->read(rows->user, part->column, chunk, &part->buffer, &part->view, err));
            }
        }
        for (int64_t row = 0; row < n_rows; row++) {
            look_at(sweep, row, first_row + row);
        }
        first_row += n_rows;
    }
    if (sweep->failed) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: rows of feature %s", sweep->compound->name);
    }
    return PEN_OK;
}

pen_status pen_measure_compound(struct pen_measured_compound *measured, const struct pen_schema_compound *compound,
                                const struct pen_statistics_source *rows, struct pen_arena *arena,
                                struct pen_error *err)
{
    struct sweep sweep = {
        .compound = compound, .n_parts = compound->parts.n_items + 1, .measured = measured, .arena = arena};
    sweep.parts = pen_arena_alloc(arena, sweep.n_parts, sizeof *sweep.parts);
    sweep.measured_parts = pen_arena_alloc(arena, sweep.n_parts, sizeof *sweep.measured_parts);
    if (sweep.parts == NULL || sweep.measured_parts == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: rows of feature %s", compound->name);
    }
    measured->parts = sweep.measured_parts;
    for (int64_t i = 0; i < sweep.n_parts; i++) {
        sweep.parts[i].name = i + 1 < sweep.n_parts ? compound->parts.items[i] : compound->value;
        sweep.parts[i].column = pen_rows_find(rows, sweep.parts[i].name);
    }
    pen_status status = run(&sweep, rows, err);
    for (int64_t i = 0; i < sweep.n_parts; i++) {
        pen_store_buffer_deinit(&sweep.parts[i].buffer);
    }
    return status;
}
