/* From field ends to rows of the right width. A chunk in which every row is right costs one comparison a row; otherwise
 * the good rows are packed, each with one leading element, so that the field before a row's first ends right there. */
#include "datasets/csv/csv_internal.h"

#include <stdio.h>
#include <stdlib.h>

static pen_status note_bad(struct pen_csv_chunk *chunk, int64_t begin, int64_t end, int64_t n_fields, char *text,
                           struct pen_error *err)
{
    PEN_TRY(pen_grow((void **)&chunk->bad, &chunk->bad_capacity, chunk->n_bad + 1, sizeof *chunk->bad, err));
    const char *nul = memchr(chunk->text + begin, 0, (size_t)(end - begin));
    chunk->bad[chunk->n_bad++] = (struct pen_csv_bad){begin, end, n_fields, nul != NULL ? nul - chunk->text : -1, text};
    return PEN_OK;
}

static bool all_regular(const struct pen_csv_index *index, int64_t n_fields)
{
    uint32_t wrong = 0;
    uint32_t expected = (uint32_t)n_fields - 1;
    for (int64_t r = 0; r < index->n_rows; r++) {
        wrong |= index->row_ends[r] ^ expected;
        expected += (uint32_t)n_fields;
    }
    return wrong == 0;
}

static bool is_blank(const char *text, int64_t begin, int64_t end, bool trim)
{
    while (trim && begin < end && (text[begin] == ' ' || text[begin] == '\t')) {
        begin++;
    }
    return begin == end;
}

static pen_status push_row(struct pen_csv_chunk *chunk, const uint32_t *ends, int64_t n_fields, struct pen_error *err)
{
    const int64_t stride = n_fields + 1;
    PEN_TRY(pen_grow((void **)&chunk->packed, &chunk->packed_capacity, (chunk->n_rows + 1) * stride,
                     sizeof *chunk->packed, err));
    memcpy(chunk->packed + chunk->n_rows * stride, ends - 1, (size_t)stride * sizeof *ends);
    chunk->n_rows++;
    return PEN_OK;
}

/* Every row within max_row_bytes, as the way the blocks fell would otherwise decide. */
static pen_status check_lengths(const struct pen_csv_reader *reader, const struct pen_csv_chunk *chunk,
                                struct pen_error *err)
{
    const struct pen_csv_index *index = &chunk->index;
    int64_t begin = 0;
    for (int64_t r = 0; r < index->n_rows; r++) {
        int64_t end = index->ends[index->row_ends[r]];
        const int64_t next = end + 1;
        end -= end > begin && chunk->text[end - 1] == '\r';
        if (end - begin > reader->options.max_row_bytes) {
            PEN_FAIL(err, PEN_ERR_LIMIT, "%s line %lld: row longer than %lld bytes (max_row_bytes)",
                     reader->paths[reader->file_number], (long long)pen_csv_line_of(chunk, begin),
                     (long long)reader->options.max_row_bytes);
        }
        begin = next;
    }
    return PEN_OK;
}

pen_status pen_csv_rows(const struct pen_csv_reader *reader, struct pen_csv_chunk *chunk, struct pen_error *err)
{
    const struct pen_csv_index *index = &chunk->index;
    const int64_t n_fields = reader->n_fields;
    const char *text = chunk->text;
    chunk->n_bad = 0;
    if (chunk->size > reader->options.max_row_bytes) {
        PEN_TRY(check_lengths(reader, chunk, err));
    }
    if (n_fields > 1 && !index->has_nul && reader->dialect.comment == 0 && all_regular(index, n_fields)) {
        chunk->base = index->ends;
        chunk->stride = n_fields;
        chunk->n_rows = index->n_rows;
        return PEN_OK;
    }
    chunk->n_rows = 0;
    chunk->stride = n_fields + 1;
    for (int64_t r = 0; r < index->n_rows; r++) {
        const int64_t first = r == 0 ? 0 : (int64_t)index->row_ends[r - 1] + 1;
        const int64_t n = (int64_t)index->row_ends[r] - first + 1;
        const int64_t begin = (uint32_t)(index->ends[first - 1] + 1);
        int64_t end = index->ends[index->row_ends[r]];
        end -= end > begin && text[end - 1] == '\r';
        if ((n == 1 && is_blank(text, begin, end, reader->dialect.trim)) ||
            (reader->dialect.comment != 0 && text[begin] == reader->dialect.comment)) {
            continue;
        }
        const bool nul = index->has_nul && memchr(text + begin, 0, (size_t)(end - begin)) != NULL;
        if (n != n_fields || nul) {
            PEN_TRY(note_bad(chunk, begin, end, n, NULL, err));
        } else {
            PEN_TRY(push_row(chunk, index->ends + first, n_fields, err));
        }
    }
    chunk->base = chunk->packed != NULL ? chunk->packed + 1 : index->ends;
    return PEN_OK;
}

static int by_begin(const void *a, const void *b)
{
    const struct pen_csv_bad *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

pen_status pen_csv_rows_drop(const struct pen_csv_reader *reader, struct pen_csv_chunk *chunk, const int64_t *rows,
                             char **reasons, int64_t n_rows, struct pen_error *err)
{
    const uint32_t *base = chunk->base;
    const int64_t stride = chunk->stride, n_before = chunk->n_rows;
    int64_t next = 0;
    chunk->n_rows = 0;
    chunk->stride = reader->n_fields + 1;
    if (base == chunk->index.ends) { /* packing never catches up with what it reads, so only a first time needs room */
        PEN_TRY(pen_grow((void **)&chunk->packed, &chunk->packed_capacity, n_before * chunk->stride + 1,
                         sizeof *chunk->packed, err));
    }
    for (int64_t r = 0; r < n_before; r++) {
        const uint32_t *ends = base + r * stride;
        if (next == n_rows || rows[next] != r) {
            memmove(chunk->packed + chunk->n_rows * chunk->stride, ends - 1, (size_t)chunk->stride * sizeof *ends);
            chunk->n_rows++;
            continue;
        }
        int64_t end = ends[reader->n_fields - 1];
        const int64_t begin = (uint32_t)(ends[-1] + 1);
        end -= end > begin && chunk->text[end - 1] == '\r';
        PEN_TRY(note_bad(chunk, begin, end, 0, reasons[next], err));
        reasons[next++] = NULL;
    }
    chunk->base = chunk->packed + 1;
    qsort(chunk->bad, (size_t)chunk->n_bad, sizeof *chunk->bad, by_begin);
    return PEN_OK;
}

int64_t pen_csv_line_of(const struct pen_csv_chunk *chunk, int64_t offset)
{
    return chunk->first_line + pen_csv_ops_scalar.survey(chunk->text, offset, 0).n_lines;
}
