/* The beginning of the first file, in memory: without its mark and the lines to skip, with room for an index. */
#include "datasets/csv/sample.h"

pen_status pen_csv_sample_read(struct pen_csv_reader *reader, struct pen_csv_sample *sample, int64_t wanted,
                               struct pen_error *err)
{
    struct pen_csv_source *source;
    const char *path = reader->paths[0];
    pen_status status;
    int64_t got, mark;
    PEN_TRY(pen_csv_source_open(&source, path, err));
    sample->memory = pen_malloc(wanted + 2 * PEN_CSV_PAD, 1);
    if (sample->memory == NULL) {
        PEN_FAIL_GOTO(done, err, PEN_ERR_MEMORY, "out of memory reading %s", path);
    }
    memset(sample->memory, 0, PEN_CSV_PAD);
    sample->text = sample->memory + PEN_CSV_PAD;
    PEN_TRY_GOTO(done, pen_csv_source_read(source, sample->text, wanted, 1, &got, err));
    sample->whole = got < wanted;
    PEN_TRY_GOTO(done, pen_csv_check_mark(sample->text, got, path, &mark, err));
    if (sample->whole && got > mark && sample->text[got - 1] != '\n' && sample->text[got - 1] != '\r') {
        sample->text[got++] = '\n';
    }
    memset(sample->text + got, 0, PEN_CSV_PAD - 1);
    got -= !sample->whole && got > 0 && sample->text[got - 1] == '\r';
    int64_t lines;
    const int64_t skip = mark + pen_csv_skip_lines(sample->text + mark, got - mark, reader->options.skip_lines, &lines);
    sample->text += skip;
    sample->size = got - skip;
    sample->line = 1 + lines;
    PEN_TRY_GOTO(done, pen_csv_index_reserve(&sample->index, sample->size, err));
    sample->scratch = pen_malloc(sample->size + PEN_CSV_PAD, 1);
    if (sample->scratch == NULL) {
        PEN_FAIL_GOTO(done, err, PEN_ERR_MEMORY, "out of memory reading %s", path);
    }
    if (wanted == PEN_CSV_SAMPLE_BYTES && memchr(sample->text, 0, (size_t)sample->size) != NULL) {
        const char *nul = memchr(sample->text, 0, (size_t)sample->size);
        if (nul - sample->text < 4 && sample->line == 1) {
            PEN_FAIL_GOTO(done, err, PEN_ERR_DATA,
                          "%s: NUL byte at byte offset %lld: expected UTF-8 text (UTF-16? iconv -f UTF-16 -t UTF-8)",
                          path, (long long)(nul - sample->text + skip));
        }
    }
    status = PEN_OK;
done:
    pen_csv_source_close(source);
    return status;
}

void pen_csv_sample_deinit(struct pen_csv_sample *sample)
{
    pen_free(sample->memory);
    pen_free(sample->scratch);
    pen_csv_index_deinit(&sample->index);
    memset(sample, 0, sizeof *sample);
}

bool pen_csv_row_is_blank(const struct pen_csv_dialect *dialect, const struct pen_csv_index *index, const char *text,
                          int64_t row)
{
    const int64_t first = row == 0 ? 0 : (int64_t)index->row_ends[row - 1] + 1;
    const char *p = text + (uint32_t)(index->ends[first - 1] + 1);
    const char *end = text + index->ends[index->row_ends[row]];
    if (dialect->comment != 0 && *p == dialect->comment) {
        return true;
    }
    while (p < end && (*p == '\r' || (dialect->trim && (*p == ' ' || *p == '\t')))) {
        p++;
    }
    return p == end;
}

int64_t pen_csv_row_width(const struct pen_csv_index *index, int64_t row, int64_t *first)
{
    *first = row == 0 ? 0 : (int64_t)index->row_ends[row - 1] + 1;
    return (int64_t)index->row_ends[row] - *first + 1;
}

const char *pen_csv_row_cell(const struct pen_csv_dialect *dialect, const struct pen_csv_index *index, const char *text,
                             int64_t row, int64_t field, char *scratch, size_t *size)
{
    int64_t first;
    const int64_t n = pen_csv_row_width(index, row, &first);
    const uint32_t begin = index->ends[first + field - 1] + 1;
    return pen_csv_cell(dialect, text + begin, index->ends[first + field] - begin, field == n - 1, scratch, size);
}
