/* The public functions: opening, batches in order, restarts.
 *
 * A reading uses the types known so far. When a cell does not fit, the rest of the input is still read, for its
 * classes alone, and the reading begins again with types that hold for every cell: what comes out depends neither on
 * the sample nor on where the first misfit was met (with late_bytes only the batches before too many strings were met
 * differ, and those are never given twice). What one reading cannot know (how many distinct strings a column
 * has that it took for numbers) the next one finds out. */
#include "datasets/csv/csv_internal.h"

#include <omp.h>
#include <stdlib.h>

pen_status pen_csv_open(struct pen_csv_reader **out, const char *const *paths, int64_t n_paths,
                        const struct pen_csv_options *options, struct pen_error *err)
{
    *out = NULL;
    if (n_paths < 1) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "csv: no input file");
    }
    PEN_TRY(pen_csv_options_check(options, err));
    struct pen_csv_reader *reader;
    PEN_ALLOC(reader, 1, err);
    pen_status status = PEN_OK;
    reader->options = *options;
    reader->dialect =
        (struct pen_csv_dialect){options->delimiter, options->quote, options->comment, options->trim_spaces};
    reader->ops = pen_csv_ops_of(options->level);
    reader->n_threads = options->n_threads > 0 ? options->n_threads : omp_get_max_threads();
    reader->paths = paths;
    reader->n_paths = n_paths;
    reader->given = -1;
    char **copies = pen_arena_alloc(&reader->arena, n_paths, sizeof(char *));
    for (int64_t i = 0; copies != NULL && i < n_paths; i++) {
        copies[i] = pen_arena_strdup(&reader->arena, paths[i]);
        if (copies[i] == NULL) {
            copies = NULL;
        }
    }
    if (copies == NULL) {
        PEN_FAIL_GOTO(fail, err, PEN_ERR_MEMORY, "out of memory: %lld paths", (long long)n_paths);
    }
    reader->paths = (const char *const *)copies;
    PEN_TRY_GOTO(fail, pen_csv_header_read(reader, err));
    *out = reader;
    return PEN_OK;
fail:
    pen_csv_close(reader);
    return status;
}

void pen_csv_close(struct pen_csv_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    for (int64_t i = 0; i < reader->chunks_capacity; i++) {
        for (int64_t b = 0; b < reader->chunks[i].n_bad; b++) {
            free(reader->chunks[i].bad[b].text);
        }
        pen_csv_chunk_deinit(&reader->chunks[i], reader->n_columns);
    }
    for (int64_t c = 0; reader->columns != NULL && c < reader->n_columns; c++) {
        pen_csv_dictionary_deinit(&reader->columns[c].dictionary);
    }
    pen_csv_source_close(reader->source);
    pen_free(reader->chunks);
    pen_free(reader->block.memory);
    pen_free(reader->columns);
    pen_free(reader->names);
    pen_free(reader->views);
    pen_arena_deinit(&reader->arena);
    pen_free(reader);
}

int64_t pen_csv_n_columns(const struct pen_csv_reader *reader)
{
    return reader->n_columns;
}

const char *const *pen_csv_names(const struct pen_csv_reader *reader)
{
    return reader->names;
}

char pen_csv_delimiter(const struct pen_csv_reader *reader)
{
    return reader->dialect.delimiter;
}

bool pen_csv_has_header(const struct pen_csv_reader *reader)
{
    return reader->has_header;
}

enum pen_type pen_csv_type(const struct pen_csv_reader *reader, int64_t column)
{
    PEN_ASSERT(column >= 0 && column < reader->n_columns);
    return reader->columns[column].type;
}

struct pen_csv_counts pen_csv_counts(const struct pen_csv_reader *reader)
{
    return reader->counts;
}

struct pen_csv_place pen_csv_row_place(const struct pen_csv_reader *reader, int64_t row)
{
    PEN_ASSERT(reader->given >= 0 && row >= 0 && row < reader->chunks[reader->given].n_rows);
    const struct pen_csv_chunk *chunk = &reader->chunks[reader->given];
    const int64_t begin = (uint32_t)(chunk->base[row * chunk->stride - 1] + 1);
    const struct pen_csv_place place = {reader->paths[reader->file_number], reader->file_number,
                                        pen_csv_line_of(chunk, begin)};
    return place;
}

/* ---- one block ---- */

/* Indexes and converts the next block; n_chunks = 0 at the end. */
static pen_status load(struct pen_csv_reader *reader, bool *misfit, struct pen_error *err)
{
    for (int64_t i = 0; i < reader->chunks_capacity; i++) { /* a rewind leaves n_chunks = 0 */
        for (int64_t b = 0; b < reader->chunks[i].n_bad; b++) {
            free(reader->chunks[i].bad[b].text);
        }
        reader->chunks[i].n_bad = 0;
    }
    for (int64_t c = 0; c < reader->n_columns; c++) { /* no batch shows the codes of such a column any more */
        if (reader->columns[c].many) {
            pen_csv_dictionary_deinit(&reader->columns[c].dictionary);
        }
    }
    reader->given = -1;
    PEN_TRY(pen_csv_block_next(reader, err));
    const int64_t n = reader->n_chunks;
#pragma omp parallel for num_threads(reader->n_threads) schedule(dynamic) if (n > 1)
    for (int64_t i = 0; i < n; i++) {
        struct pen_csv_chunk *chunk = &reader->chunks[i];
        chunk->error.message[0] = '\0';
        chunk->status = pen_csv_rows(reader, chunk, &chunk->error);
        if (chunk->status == PEN_OK) {
            chunk->status = pen_csv_convert(reader, chunk, &chunk->error);
        }
    }
    for (int64_t i = 0; i < n; i++) {
        if (reader->chunks[i].status != PEN_OK) {
            PEN_FAIL(err, reader->chunks[i].status, "%s", reader->chunks[i].error.message);
        }
    }
    return pen_csv_merge(reader, misfit, err);
}

/* ---- bad rows ---- */

static void describe_bad(const struct pen_csv_reader *reader, const struct pen_csv_chunk *chunk,
                         const struct pen_csv_bad *bad, struct pen_text *reason)
{
    if (bad->nul_offset >= 0) {
        pen_text_printf(reason, "NUL byte at byte offset %lld", (long long)(chunk->offset + bad->nul_offset));
    } else if (bad->text != NULL) {
        pen_text_append(reason, bad->text);
    } else {
        pen_text_printf(reason, "expected %lld fields, found %lld", (long long)reader->n_fields,
                        (long long)bad->n_fields);
    }
}

static pen_status report_bad(struct pen_csv_reader *reader, struct pen_csv_chunk *chunk, bool silent,
                             struct pen_error *err)
{
    for (int64_t b = 0; b < chunk->n_bad; b++) {
        const struct pen_csv_bad *bad = &chunk->bad[b];
        const bool fail = reader->options.bad_rows == PEN_CSV_BAD_ROWS_FAIL;
        reader->counts.n_bad_rows++;
        if (!fail && (silent || reader->options.on_reject == NULL)) {
            continue;
        }
        struct pen_text reason = {0};
        const char *file = reader->paths[reader->file_number];
        const int64_t line = pen_csv_line_of(chunk, bad->begin);
        describe_bad(reader, chunk, bad, &reason);
        if (fail) {
            (void)pen_error_set(err, __FILE__, __LINE__, PEN_ERR_DATA,
                                "%s line %lld: %s (bad_rows: reject would set such rows aside)", file, (long long)line,
                                pen_text_view(&reason));
            pen_text_deinit(&reason);
            return PEN_ERR_DATA;
        }
        const struct pen_csv_reject reject = {file, line, pen_text_view(&reason), chunk->text + bad->begin,
                                              (size_t)(bad->end - bad->begin)};
        reader->options.on_reject(reader->options.on_reject_user, &reject);
        pen_text_deinit(&reason);
    }
    return PEN_OK;
}

/* ---- readings ---- */

static enum pen_type type_of(const struct pen_csv_reader *reader, const struct pen_csv_col *column)
{
    switch (column->seen) {
    case PEN_CSV_CLASS_INT:
        return PEN_TYPE_INT64;
    case PEN_CSV_CLASS_FLOAT:
        return reader->options.float32 ? PEN_TYPE_FLOAT32 : PEN_TYPE_FLOAT64;
    case PEN_CSV_CLASS_STRING:
        return column->many ? PEN_TYPE_BYTES : PEN_TYPE_CODES;
    case PEN_CSV_CLASS_NONE:
    default:
        return PEN_TYPE_NONE;
    }
}

/* At the end of the input: the types that hold. *changed: some differ from those used. */
static void settle(struct pen_csv_reader *reader, bool *changed)
{
    reader->final = true;
    *changed = false;
    for (int64_t c = 0; c < reader->n_columns; c++) {
        struct pen_csv_col *column = &reader->columns[c];
        const enum pen_type type = type_of(reader, column);
        const bool changes = !column->forced && type != column->type;
        if (changes) {
            /* Strings not counted so far, or by their hashes alone, may yet be too many for codes. */
            reader->final = reader->final && type != PEN_TYPE_CODES;
            column->type = type;
            *changed = true;
        }
        column->broken = false;
        if (changes || !pen_type_is_string(column->type)) {
            pen_csv_dictionary_deinit(&column->dictionary);
        }
    }
}

/* Reads what is left for its classes; the reader stands at the end. */
static pen_status scan_rest(struct pen_csv_reader *reader, struct pen_error *err)
{
    bool misfit = false;
    do {
        for (int64_t i = reader->next_chunk; i < reader->n_chunks; i++) {
            PEN_TRY(report_bad(reader, &reader->chunks[i], true, err));
        }
        PEN_TRY(load(reader, &misfit, err));
    } while (reader->n_chunks > 0);
    return PEN_OK;
}

pen_status pen_csv_rewind(struct pen_csv_reader *reader, struct pen_error *err)
{
    (void)err;
    for (int64_t c = 0; c < reader->n_columns; c++) {
        reader->columns[c].broken = false;
    }
    pen_csv_block_restart(reader);
    return PEN_OK;
}

pen_status pen_csv_infer(struct pen_csv_reader *reader, struct pen_error *err)
{
    PEN_TRY(pen_csv_rewind(reader, err));
    while (!reader->final) {
        bool changed;
        PEN_TRY(scan_rest(reader, err));
        settle(reader, &changed);
        PEN_TRY(pen_csv_rewind(reader, err));
    }
    return PEN_OK;
}

static void view_chunk(struct pen_csv_reader *reader, const struct pen_csv_chunk *chunk, struct pen_batch *batch)
{
    static const int64_t no_offsets[1] = {0};
    for (int64_t c = 0; c < reader->n_columns; c++) {
        struct pen_csv_col *column = &reader->columns[c];
        const struct pen_csv_output *out = &chunk->outputs[c];
        struct pen_column *view = &reader->views[c];
        memset(view, 0, sizeof *view);
        view->type = out->type;
        view->n_rows = chunk->n_rows;
        view->validity = out->any_missing ? (const uint8_t *)out->validity : NULL;
        view->values = pen_type_size(out->type) > 0 ? out->values : NULL;
        if (out->type == PEN_TYPE_BYTES) {
            view->offsets = out->offsets;
            view->bytes = out->bytes != NULL ? out->bytes : "";
        } else if (out->type == PEN_TYPE_CODES) {
            if (column->dictionary.view.offsets == NULL) {
                column->dictionary.view.offsets = no_offsets;
                column->dictionary.view.bytes = "";
            }
            view->dictionary = &column->dictionary.view;
        }
        reader->counts.n_float_overflow += out->n_float_overflow;
        reader->counts.n_non_utf8_cells += out->n_non_utf8;
    }
    batch->n_rows = chunk->n_rows;
    batch->first_row = reader->next_row;
    batch->n_columns = reader->n_columns;
    batch->names = reader->names;
    batch->columns = reader->views;
    reader->next_row += chunk->n_rows;
    reader->counts.n_rows += chunk->n_rows;
}

static pen_status begin_again(struct pen_csv_reader *reader, struct pen_batch *batch, bool *restarted,
                              struct pen_error *err)
{
    bool changed;
    settle(reader, &changed);
    if (changed) {
        *restarted = true;
        return pen_csv_rewind(reader, err);
    }
    batch->n_columns = reader->n_columns;
    batch->names = reader->names;
    batch->first_row = reader->next_row;
    batch->columns = reader->views;
    return PEN_OK;
}

pen_status pen_csv_next(struct pen_csv_reader *reader, struct pen_batch *batch, bool *restarted, struct pen_error *err)
{
    *restarted = false;
    memset(batch, 0, sizeof *batch);
    for (;;) {
        while (reader->next_chunk < reader->n_chunks) {
            struct pen_csv_chunk *chunk = &reader->chunks[reader->next_chunk];
            PEN_TRY(report_bad(reader, chunk, false, err));
            reader->given = reader->next_chunk++;
            if (chunk->n_rows > 0) {
                view_chunk(reader, chunk, batch);
                return PEN_OK;
            }
        }
        bool misfit = false;
        PEN_TRY(load(reader, &misfit, err));
        if (misfit && reader->final) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: changed while it was read; run again when its writer is done",
                     reader->paths[reader->file_number]);
        }
        if (misfit) {
            PEN_TRY(scan_rest(reader, err));
        }
        if (reader->n_chunks == 0) {
            return begin_again(reader, batch, restarted, err);
        }
    }
}
