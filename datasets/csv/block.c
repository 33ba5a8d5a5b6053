/* Blocks of text and their cut into chunks of whole rows.
 *
 * A block is cut into pieces at fixed places of the file; the number of quotes in each, counted in parallel, tells
 * whether a piece begins inside quotes; behind the first row end in it its chunk begins. So a chunk is the same rows
 * whatever the number of threads and the size of blocks. The chunks are then indexed in parallel. Should one of them
 * meet a quote that RFC 4180 does not know, everything before it stands and the rest of the block goes through the
 * exact machine, to the same places. A chunk whose end is not in the block is carried over to the next one, which
 * grows when it does not hold one whole chunk. */
#include "datasets/csv/csv_internal.h"

#include <omp.h>

enum { CHUNKS_PER_THREAD = 2, CHUNKS_FOR_FEW_THREADS = 16 };

/* Two chunks a thread; up to four where threads are few: they meet once a block for each pass over it, and where cores
 * are shared the waiting, which is spinning, costs more than the work. Memory grows with this number. */
static int64_t pieces_per_block(const struct pen_csv_reader *reader)
{
    const int64_t n_threads = reader->n_threads;
    const int64_t n = n_threads * CHUNKS_PER_THREAD;
    if (n_threads == 1 || n >= CHUNKS_FOR_FEW_THREADS) {
        return n;
    }
    return 2 * n < CHUNKS_FOR_FEW_THREADS ? 2 * n : CHUNKS_FOR_FEW_THREADS;
}

/* The first place behind `offset` where a chunk ends, at the first row end from there on. The places are chunk_bytes
 * apart; less at the beginning, so that a small file has work for some threads too. */
static int64_t next_border(int64_t offset, int64_t chunk_bytes)
{
    const int64_t step = chunk_bytes / 8 + 1;
    const int64_t near = (offset / step + 1) * step;
    return near <= 2 * chunk_bytes ? near : (offset / chunk_bytes + 1) * chunk_bytes;
}

static pen_status resize(struct pen_csv_block *block, int64_t capacity, struct pen_error *err)
{
    char *memory = pen_malloc(capacity + 2 * PEN_CSV_PAD, 1);
    if (memory == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: block of %lld bytes of CSV", (long long)capacity);
    }
    memset(memory, 0, PEN_CSV_PAD);
    if (block->size > 0) {
        memcpy(memory + PEN_CSV_PAD, block->text, (size_t)block->size);
    }
    pen_free(block->memory);
    block->memory = memory;
    block->text = memory + PEN_CSV_PAD;
    block->capacity = capacity;
    return PEN_OK;
}

/* The place of an open quote, for messages: "line 7 column 3", or "". */
static void describe_quote(const struct pen_csv_reader *reader, int64_t open_quote, struct pen_text *text)
{
    const struct pen_csv_block *block = &reader->block;
    if (open_quote >= 0) {
        const char *begin = block->text + block->begin;
        const int64_t line = block->line + pen_csv_ops_scalar.survey(begin, open_quote, 0).n_lines;
        int64_t line_begin = open_quote;
        while (line_begin > 0 && begin[line_begin - 1] != '\n' && begin[line_begin - 1] != '\r') {
            line_begin--;
        }
        pen_text_printf(text, "line %lld column %lld", (long long)line, (long long)(open_quote - line_begin + 1));
    }
}

pen_status pen_csv_block_unfinished(struct pen_csv_reader *reader, struct pen_error *err)
{
    const struct pen_csv_block *block = &reader->block;
    const char *begin = block->text + block->begin;
    struct pen_csv_index index = {0};
    struct pen_text place = {0};
    int64_t open_quote = -1;
    const int64_t whole =
        pen_csv_machine(&index, begin, block->size - block->begin, INT64_MAX, &reader->dialect, &open_quote);
    const int64_t line = block->line + pen_csv_ops_scalar.survey(begin, whole, 0).n_lines;
    describe_quote(reader, open_quote, &place);
    const char *path = reader->paths[reader->next_file - 1];
    pen_status status;
    if (block->eof) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_DATA,
                               "%s: the quote opened at %s is never closed; if quotes are ordinary text in this file, "
                               "set quote to none",
                               path, pen_text_view(&place));
    } else {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_LIMIT,
                               "%s line %lld: row longer than %lld bytes (max_row_bytes)%s%s", path, (long long)line,
                               (long long)reader->options.max_row_bytes,
                               open_quote >= 0 ? "; a quote is open since " : "", pen_text_view(&place));
    }
    pen_text_deinit(&place);
    return status;
}

pen_status pen_csv_block_more(struct pen_csv_reader *reader, bool *grown, struct pen_error *err)
{
    struct pen_csv_block *block = &reader->block;
    *grown = !block->eof;
    if (block->eof) {
        return PEN_OK;
    }
    if (block->begin > 0) {
        memmove(block->text, block->text + block->begin, (size_t)(block->size - block->begin));
        block->offset += block->begin;
        block->size -= block->begin;
        block->begin = 0;
    }
    /* No chunk ends in here, so that a row that has not ended begins within the first chunk_bytes. */
    if (block->size > reader->options.max_row_bytes + reader->options.chunk_bytes + 2) { /* a line end is not counted */
        return pen_csv_block_unfinished(reader, err);
    }
    if (block->size * 2 > block->capacity) {
        PEN_TRY(resize(block, block->capacity * 2, err));
    }
    int64_t got;
    PEN_TRY(pen_csv_source_read(reader->source, block->text + block->size, block->capacity - block->size,
                                reader->n_threads, &got, err));
    block->eof = got < block->capacity - block->size;
    reader->counts.n_bytes += got;
    block->size += got;
    if (block->eof && block->size > 0 && block->text[block->size - 1] != '\n' && block->text[block->size - 1] != '\r') {
        block->text[block->size++] = '\n';
    }
    memset(block->text + block->size, 0, PEN_CSV_PAD - 1);
    return PEN_OK;
}

static pen_status open_next(struct pen_csv_reader *reader, struct pen_error *err)
{
    struct pen_csv_block *block = &reader->block;
    PEN_TRY(pen_csv_source_open(&reader->source, reader->paths[reader->next_file], err));
    reader->file_number = reader->next_file++;
    block->begin = 0;
    block->size = 0;
    block->eof = false;
    block->offset = 0;
    block->line = 1;
    /* A little more, for the row in which the last chunk ends. */
    const int64_t chunk_bytes = reader->options.chunk_bytes;
    const int64_t wanted = chunk_bytes * pieces_per_block(reader) + (chunk_bytes < 65536 ? chunk_bytes : 65536);
    if (block->capacity < wanted || block->capacity > 4 * wanted) {
        PEN_TRY(resize(block, wanted, err));
    }
    return pen_csv_header_skip(reader, err);
}

void pen_csv_block_restart(struct pen_csv_reader *reader)
{
    pen_csv_source_close(reader->source);
    reader->source = NULL;
    reader->next_file = 0;
    reader->n_chunks = 0;
    reader->next_chunk = 0;
    reader->given = -1;
    reader->next_row = 0;
    memset(&reader->counts, 0, sizeof reader->counts);
}

static pen_status reserve_chunks(struct pen_csv_reader *reader, int64_t n, struct pen_error *err)
{
    const int64_t before = reader->chunks_capacity;
    PEN_TRY(pen_grow((void **)&reader->chunks, &reader->chunks_capacity, n, sizeof *reader->chunks, err));
    if (reader->chunks_capacity > before) {
        memset(reader->chunks + before, 0, (size_t)(reader->chunks_capacity - before) * sizeof *reader->chunks);
    }
    return PEN_OK;
}

static void set_chunk(struct pen_csv_reader *reader, int64_t i, int64_t begin, int64_t end, int64_t line)
{
    struct pen_csv_chunk *chunk = &reader->chunks[i];
    chunk->text = reader->block.text + begin;
    chunk->size = end - begin;
    chunk->offset = reader->block.offset + begin;
    chunk->first_line = line;
    chunk->status = PEN_OK;
}

/* Sets the chunks of the block's bytes [begin, end), cut at row starts. The last one goes to `end` at the end of the
 * file; elsewhere what follows the last cut is left for the next block. */
static pen_status cut(struct pen_csv_reader *reader, int64_t begin, int64_t end, struct pen_error *err)
{
    const struct pen_csv_block *block = &reader->block;
    const char *text = block->text;
    const char quote = reader->dialect.quote;
    struct pen_csv_survey *surveys = NULL;
    int64_t *places = NULL; /* of the pieces; places[n] is the end */
    int64_t n = 0;
    pen_status status = PEN_OK;
    for (int64_t at = begin; at < end; n++) {
        at = next_border(block->offset + at, reader->options.chunk_bytes) - block->offset;
    }
    PEN_TRY(reserve_chunks(reader, n, err));
    PEN_ALLOC_GOTO(done, surveys, n, err);
    PEN_ALLOC_GOTO(done, places, n + 1, err);
    places[0] = begin;
    for (int64_t i = 1; i < n; i++) {
        places[i] = next_border(block->offset + places[i - 1], reader->options.chunk_bytes) - block->offset;
    }
    places[n] = end;
#pragma omp parallel for num_threads(reader->n_threads) schedule(dynamic) if (n > 1)
    for (int64_t i = 0; i < n; i++) {
        surveys[i] = reader->ops->survey(text + places[i], places[i + 1] - places[i], quote);
    }
    int64_t line = block->line, n_quotes = 0, n_chunks = 0;
    int64_t chunk_begin = begin, chunk_line = line;
    for (int64_t i = 1; i < n; i++) {
        line += surveys[i - 1].n_lines;
        n_quotes += surveys[i - 1].n_quotes;
        const int64_t at = places[i];
        const int64_t row_end = pen_csv_first_row_end(text + at, places[i + 1] - at, n_quotes % 2 != 0, quote);
        if (row_end >= 0) {
            set_chunk(reader, n_chunks++, chunk_begin, at + row_end, chunk_line);
            chunk_begin = at + row_end;
            chunk_line = line + pen_csv_ops_scalar.survey(text + at, row_end, 0).n_lines;
        }
    }
    if (chunk_begin < end && block->eof) {
        set_chunk(reader, n_chunks++, chunk_begin, end, chunk_line);
    }
    reader->n_chunks = n_chunks;
done:
    pen_free(surveys);
    pen_free(places);
    return status;
}

/* Bytes of whole rows in an indexed chunk. */
static int64_t whole_bytes(const struct pen_csv_index *index)
{
    return index->n_rows == 0 ? 0 : (int64_t)index->ends[index->row_ends[index->n_rows - 1]] + 1;
}

/* The rest of the block through the exact machine, as chunks from n_chunks on. */
static pen_status machine_rest(struct pen_csv_reader *reader, int64_t begin, int64_t end, int64_t line,
                               struct pen_error *err)
{
    while (begin < end) {
        PEN_TRY(reserve_chunks(reader, reader->n_chunks + 1, err));
        set_chunk(reader, reader->n_chunks, begin, end, line);
        struct pen_csv_chunk *chunk = &reader->chunks[reader->n_chunks];
        int64_t open_quote;
        const int64_t border = next_border(chunk->offset, reader->options.chunk_bytes) - chunk->offset;
        PEN_TRY(pen_csv_index_reserve(&chunk->index, end - begin, err));
        chunk->size =
            pen_csv_machine(&chunk->index, chunk->text, end - begin, border + 1, &reader->dialect, &open_quote);
        if (chunk->size == 0 || (chunk->size <= border && !reader->block.eof)) {
            break;
        }
        line += reader->ops->survey(chunk->text, chunk->size, 0).n_lines;
        begin += chunk->size;
        reader->n_chunks++;
    }
    return PEN_OK;
}

/* Chunks of all whole rows in the block; moves begin behind them. */
static pen_status structure(struct pen_csv_reader *reader, struct pen_error *err)
{
    struct pen_csv_block *block = &reader->block;
    const bool cr_at_end = block->size > 0 && block->text[block->size - 1] == '\r';
    const int64_t end = block->size - (cr_at_end && !block->eof);
    reader->n_chunks = 0;
    if (reader->dialect.comment != 0) {
        PEN_TRY(machine_rest(reader, block->begin, end, block->line, err));
    } else {
        PEN_TRY(cut(reader, block->begin, end, err));
        const int64_t n = reader->n_chunks;
        int64_t sound = 0;
#pragma omp parallel for num_threads(reader->n_threads) schedule(dynamic) if (n > 1)
        for (int64_t i = 0; i < n; i++) {
            struct pen_csv_chunk *chunk = &reader->chunks[i];
            chunk->status = pen_csv_index_reserve(&chunk->index, chunk->size, &chunk->error);
            if (chunk->status == PEN_OK) {
                reader->ops->index(&chunk->index, chunk->text, chunk->size, &reader->dialect);
            }
        }
        for (; sound < n && !reader->chunks[sound].index.irregular; sound++) {
            if (reader->chunks[sound].status != PEN_OK) {
                PEN_FAIL(err, reader->chunks[sound].status, "%s", reader->chunks[sound].error.message);
            }
            reader->chunks[sound].size = whole_bytes(&reader->chunks[sound].index);
        }
        if (sound < n) {
            const struct pen_csv_chunk *first = &reader->chunks[sound];
            reader->n_chunks = sound;
            PEN_TRY(machine_rest(reader, first->text - block->text, end, first->first_line, err));
        }
    }
    while (reader->n_chunks > 0 && reader->chunks[reader->n_chunks - 1].size == 0) {
        reader->n_chunks--;
    }
    if (reader->n_chunks > 0) {
        const struct pen_csv_chunk *last = &reader->chunks[reader->n_chunks - 1];
        block->begin = last->text - block->text + last->size;
        block->line = last->first_line + reader->ops->survey(last->text, last->size, 0).n_lines;
    }
    return PEN_OK;
}

pen_status pen_csv_block_next(struct pen_csv_reader *reader, struct pen_error *err)
{
    struct pen_csv_block *block = &reader->block;
    reader->n_chunks = 0;
    reader->next_chunk = 0;
    for (;;) {
        PEN_TRY(pen_cancel_check(err));
        if (reader->source == NULL) {
            if (reader->next_file == reader->n_paths) {
                return PEN_OK;
            }
            PEN_TRY(open_next(reader, err)); /* fills the block */
        } else if (!block->eof) {
            bool grown;
            PEN_TRY(pen_csv_block_more(reader, &grown, err));
        }
        if (block->begin == block->size) {
            if (block->eof) {
                pen_csv_source_close(reader->source);
                reader->source = NULL;
            }
            continue;
        }
        PEN_TRY(structure(reader, err));
        if (reader->n_chunks > 0) {
            return PEN_OK;
        }
        if (block->eof) {
            return pen_csv_block_unfinished(reader, err);
        }
    }
}

void pen_csv_chunk_deinit(struct pen_csv_chunk *chunk, int64_t n_columns)
{
    for (int64_t c = 0; chunk->outputs != NULL && c < n_columns; c++) {
        struct pen_csv_output *out = &chunk->outputs[c];
        pen_free(out->values);
        pen_free(out->validity);
        pen_free(out->offsets);
        pen_free(out->bytes);
        pen_csv_dictionary_deinit(&out->fresh);
    }
    pen_free(chunk->outputs);
    pen_csv_index_deinit(&chunk->index);
    pen_free(chunk->packed);
    pen_free(chunk->bad);
    pen_free(chunk->scratch);
}
