/* The public functions: options, opening, batches in order, restarts.
 *
 * A reading uses the types known so far. When a cell does not fit, the rest of the input is still read, for its
 * classes alone, and the reading begins again with types that hold for every cell: what comes out depends neither on
 * the sample nor on where the first misfit was met (with late_bytes only the batches before too many strings were met
 * differ, and those are never given twice). What one reading cannot know (how many distinct strings a column
 * has that it took for numbers) the next one finds out. */
#include "datasets/csv/dictionary.h"

#include <glob.h>
#include <omp.h>
#include <stdlib.h>

void pen_csv_options_init(struct pen_csv_options *options)
{
    memset(options, 0, sizeof *options);
    options->quote = '"';
    options->max_distinct = 65536;
    options->max_dictionary_bytes = INT64_C(64) << 20;
    options->max_row_bytes = INT64_C(1) << 30;
    options->chunk_bytes = INT64_C(1) << 18;
}

static pen_status check_options(const struct pen_csv_options *options, struct pen_error *err)
{
    const char special[] = {options->delimiter, options->quote, options->comment};
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < i; j++) {
            if (special[i] != 0 && special[i] == special[j]) {
                PEN_FAIL(err, PEN_ERR_CONFIG, "csv: delimiter, quote and comment must differ, found '%c' twice",
                         special[i]);
            }
        }
        if (special[i] == '\n' || special[i] == '\r') {
            PEN_FAIL(err, PEN_ERR_CONFIG, "csv: a line end cannot be delimiter, quote or comment");
        }
    }
    if (options->trim_spaces && options->delimiter == ' ') {
        PEN_FAIL(err, PEN_ERR_CONFIG, "csv: the delimiter cannot be a space when spaces are trimmed");
    }
    if (options->max_row_bytes < 1 || options->max_row_bytes > INT64_C(2) << 30 || options->chunk_bytes < 1 ||
        options->chunk_bytes > INT64_C(1) << 30 || options->max_distinct < 1 || options->max_distinct > 1 << 30) {
        PEN_FAIL(err, PEN_ERR_CONFIG,
                 "csv: expected max_row_bytes in 1..2^31, chunk_bytes and max_distinct in 1..2^30");
    }
    for (int64_t i = 0; i < options->n_types; i++) {
        if (options->types[i].type == PEN_TYPE_NONE) {
            PEN_FAIL(err, PEN_ERR_CONFIG, "csv: column '%s': NONE cannot be asked for", options->types[i].name);
        }
    }
    if (pen_csv_ops_of(options->level) == NULL) {
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "csv: this processor lacks %s",
                 options->level == PEN_CSV_LEVEL_AVX2 ? "AVX2 with PCLMULQDQ"
                                                      : "AVX-512 with BW, DQ, CD, VL and VBMI2");
    }
    return PEN_OK;
}

pen_status pen_csv_open(struct pen_csv_reader **out, const char *const *paths, int64_t n_paths,
                        const struct pen_csv_options *options, struct pen_error *err)
{
    *out = NULL;
    if (n_paths < 1) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "csv: no input file");
    }
    PEN_TRY(check_options(options, err));
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

pen_status pen_csv_glob(struct pen_csv_paths *list, const char *pattern, struct pen_error *err)
{
    glob_t found;
    list->n_paths = 0;
    list->paths = NULL;
    const int result = glob(pattern, GLOB_NOSORT | GLOB_ERR, NULL, &found);
    if (result != 0) {
        globfree(&found);
        PEN_FAIL(err, result == GLOB_NOSPACE ? PEN_ERR_MEMORY : PEN_ERR_NOT_FOUND, "%s: no such file", pattern);
    }
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(done, list->paths, found.gl_pathc, err);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int64_t at = list->n_paths;
        for (; at > 0 && strcmp(list->paths[at - 1], found.gl_pathv[i]) > 0; at--) {
            list->paths[at] = list->paths[at - 1];
        }
        list->paths[at] = strdup(found.gl_pathv[i]);
        list->n_paths++;
        if (list->paths[at] == NULL) {
            PEN_FAIL_GOTO(done, err, PEN_ERR_MEMORY, "out of memory: %s", pattern);
        }
    }
done:
    globfree(&found);
    if (status != PEN_OK) {
        pen_csv_paths_deinit(list);
    }
    return status;
}

void pen_csv_paths_deinit(struct pen_csv_paths *list)
{
    for (int64_t i = 0; i < list->n_paths; i++) {
        free(list->paths[i]);
    }
    pen_free(list->paths);
    list->paths = NULL;
    list->n_paths = 0;
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

static pen_status merge(struct pen_csv_reader *reader, bool *misfit, struct pen_error *err)
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
    return merge(reader, misfit, err);
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
