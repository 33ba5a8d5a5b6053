/* What the chunks of a block found out, put together in chunk order: fresh strings get the column's codes, classes add
 * up, and cells that do not fit break a column's type. */
#include "datasets/csv/dictionary.h"

static bool is_counted(const struct pen_csv_col *column)
{
    return pen_type_is_string(column->type) && !column->broken && !column->many &&
           (column->type == PEN_TYPE_CODES || !column->forced);
}

/* Adds a chunk's fresh strings to the column's dictionary and gives its codes their final numbers. */
static pen_status merge_strings(const struct pen_csv_reader *reader, struct pen_csv_col *column,
                                struct pen_csv_chunk *chunk, struct pen_csv_output *out, struct pen_error *err)
{
    const struct pen_dictionary *fresh = &out->fresh.view;
    const struct pen_csv_options *options = &reader->options;
    pen_status status = PEN_OK;
    int32_t *map = NULL;
    bool many = out->overflow;
    PEN_ALLOC_GOTO(done, map, fresh->n_entries, err);
    for (int64_t i = 0; i < fresh->n_entries && !many; i++) {
        const struct pen_csv_key key =
            pen_csv_key_of(fresh->bytes + fresh->offsets[i], (size_t)(fresh->offsets[i + 1] - fresh->offsets[i]));
        map[i] = pen_csv_dictionary_find(&column->dictionary, &key);
        if (map[i] < 0) {
            PEN_TRY_GOTO(done, pen_csv_dictionary_insert(&column->dictionary, &key, &map[i], err));
            const int64_t n = column->dictionary.view.n_entries;
            many = n > options->max_distinct || column->dictionary.offsets[n] > options->max_dictionary_bytes;
        }
    }
    if (many) {
        column->many = true;
        out->misfit = column->type == PEN_TYPE_CODES;
        if (column->forced) {
            char name[PEN_QUOTE_BYTES];
            PEN_FAIL_GOTO(done, err, PEN_ERR_LIMIT,
                          "%s: column '%s' has more than %lld different strings; ask for bytes in place of codes",
                          reader->paths[reader->file_number], pen_quote(name, column->name, strlen(column->name)),
                          (long long)options->max_distinct);
        }
    } else if (column->type == PEN_TYPE_CODES) {
        int32_t *codes = out->values;
        for (int64_t r = 0; r < chunk->n_rows; r++) {
            codes[r] = codes[r] < -1 ? map[-2 - codes[r]] : codes[r];
        }
    }
done:
    pen_free(map);
    return status;
}

/* A column that was CODES up to chunk `first` of the block goes on as BYTES. */
static pen_status turn_to_bytes(struct pen_csv_reader *reader, int64_t c, int64_t first, struct pen_error *err)
{
    reader->columns[c].type = PEN_TYPE_BYTES;
    for (int64_t i = first; i < reader->n_chunks; i++) {
        PEN_TRY(pen_csv_convert_column(reader, &reader->chunks[i], c, err));
    }
    return PEN_OK;
}

pen_status pen_csv_merge(struct pen_csv_reader *reader, bool *misfit, struct pen_error *err)
{
    for (int64_t i = 0; i < reader->n_chunks; i++) {
        struct pen_csv_chunk *chunk = &reader->chunks[i];
        for (int64_t c = 0; c < reader->n_columns; c++) {
            struct pen_csv_col *column = &reader->columns[c];
            struct pen_csv_output *out = &chunk->outputs[c];
            column->seen = out->seen > column->seen ? out->seen : column->seen;
            if (is_counted(column) && out->fresh.view.n_entries > 0) {
                PEN_TRY(merge_strings(reader, column, chunk, out, err));
                if (column->many && column->type == PEN_TYPE_CODES && reader->options.late_bytes) {
                    PEN_TRY(turn_to_bytes(reader, c, i, err));
                }
            }
            if (out->misfit && !column->forced) {
                column->broken = true;
                *misfit = true;
            }
        }
    }
    return PEN_OK;
}
