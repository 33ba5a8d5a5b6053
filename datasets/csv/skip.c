/* The top of every file, taken from the block before its first row: byte-order mark, lines that are no CSV, header. */
#include "datasets/csv/sample.h"

pen_status pen_csv_check_mark(const char *text, int64_t size, const char *path, int64_t *mark_bytes,
                              struct pen_error *err)
{
    const bool utf8 = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
    *mark_bytes = utf8 ? 3 : 0;
    if (size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
        PEN_FAIL(err, PEN_ERR_DATA,
                 "%s: expected UTF-8, found UTF-16 (byte-order mark); convert it: iconv -f UTF-16 -t UTF-8", path);
    }
    return PEN_OK;
}

int64_t pen_csv_skip_lines(const char *text, int64_t size, int64_t n, int64_t *lines)
{
    int64_t at = 0;
    *lines = 0;
    while (*lines < n && at < size) {
        const int64_t end = pen_csv_first_row_end(text + at, size - at, false, 0);
        if (end < 0) {
            break;
        }
        at += end;
        ++*lines;
    }
    return at;
}

/* The first row's width or name that differs from the first file's. */
static pen_status compare_header(const struct pen_csv_reader *reader, const struct pen_csv_index *index,
                                 const char *text, char *scratch, struct pen_error *err)
{
    const char *path = reader->paths[reader->file_number];
    int64_t first;
    const int64_t n = pen_csv_row_width(index, 0, &first);
    if (n != reader->n_fields) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: its header has %lld columns, that of %s has %lld", path, (long long)n,
                 reader->paths[0], (long long)reader->n_fields);
    }
    for (int64_t i = 0; i < n; i++) {
        size_t size;
        char found[PEN_QUOTE_BYTES], expected[PEN_QUOTE_BYTES];
        const char *name = pen_csv_row_cell(&reader->dialect, index, text, 0, i, scratch, &size);
        const char *wanted = reader->header_fields[i];
        if (strlen(wanted) != size || memcmp(wanted, name, size) != 0) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: column %lld of its header is '%s', in %s it is '%s'", path,
                     (long long)i + 1, pen_quote(found, name, size), reader->paths[0],
                     pen_quote(expected, wanted, strlen(wanted)));
        }
    }
    return PEN_OK;
}

/* Takes rows from the block until one that is neither blank nor a comment has been compared. */
static pen_status take_header(struct pen_csv_reader *reader, struct pen_csv_index *index, char **scratch,
                              struct pen_error *err)
{
    struct pen_csv_block *block = &reader->block;
    for (;;) {
        const char *text = block->text + block->begin;
        const bool cr_at_end = block->size > block->begin && block->text[block->size - 1] == '\r' && !block->eof;
        const int64_t size = block->size - block->begin - cr_at_end;
        int64_t open_quote;
        PEN_TRY(pen_csv_index_reserve(index, size, err));
        const int64_t whole = pen_csv_machine(index, text, size, 1, &reader->dialect, &open_quote);
        if (whole > 0) {
            const bool blank = pen_csv_row_is_blank(&reader->dialect, index, text, 0);
            if (!blank) {
                pen_free(*scratch);
                *scratch = pen_malloc(whole + PEN_CSV_PAD, 1);
                if (*scratch == NULL) {
                    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: header");
                }
                PEN_TRY(compare_header(reader, index, text, *scratch, err));
            }
            block->line += pen_csv_ops_scalar.survey(text, whole, 0).n_lines;
            block->begin += whole;
            if (!blank) {
                return PEN_OK;
            }
            continue;
        }
        bool grown;
        PEN_TRY(pen_csv_block_more(reader, &grown, err));
        if (!grown) {
            if (block->size > block->begin) {
                return pen_csv_block_unfinished(reader, err);
            }
            PEN_FAIL(err, PEN_ERR_DATA, "%s: expected the header of %s, found an empty file",
                     reader->paths[reader->file_number], reader->paths[0]);
        }
    }
}

static pen_status take_lines(struct pen_csv_reader *reader, struct pen_error *err)
{
    struct pen_csv_block *block = &reader->block;
    int64_t left = reader->options.skip_lines;
    for (bool grown = true; left > 0 && grown;) {
        const bool cr_at_end = block->size > block->begin && block->text[block->size - 1] == '\r' && !block->eof;
        int64_t lines;
        block->begin +=
            pen_csv_skip_lines(block->text + block->begin, block->size - block->begin - cr_at_end, left, &lines);
        block->line += lines;
        left -= lines;
        if (left > 0) {
            PEN_TRY(pen_csv_block_more(reader, &grown, err));
        }
    }
    return PEN_OK;
}

pen_status pen_csv_header_skip(struct pen_csv_reader *reader, struct pen_error *err)
{
    struct pen_csv_block *block = &reader->block;
    struct pen_csv_index index = {0};
    char *scratch = NULL;
    int64_t mark;
    bool grown;
    PEN_TRY(pen_csv_block_more(reader, &grown, err));
    while (block->size < 4 && grown) { /* blocks of tests are tiny */
        PEN_TRY(pen_csv_block_more(reader, &grown, err));
    }
    PEN_TRY(pen_csv_check_mark(block->text, block->size, reader->paths[reader->file_number], &mark, err));
    block->begin = mark;
    PEN_TRY(take_lines(reader, err));
    if (!reader->has_header) {
        return PEN_OK;
    }
    const pen_status status = take_header(reader, &index, &scratch, err);
    pen_csv_index_deinit(&index);
    pen_free(scratch);
    return status;
}
