/* The top of the first file: dialect, header, columns and a first guess of their types. They come from at most the
 * first MiB, whatever the block size, unless the first row is longer. */
#include "datasets/csv/sample.h"

static pen_status read_top(struct pen_csv_reader *reader, struct pen_csv_sample *sample, bool *done,
                           struct pen_error *err)
{
    const struct pen_csv_options *options = &reader->options;
    int64_t open_quote, row = 0;
    if (options->delimiter == 0) {
        reader->dialect.delimiter = pen_csv_sniff_delimiter(&reader->dialect, sample);
    }
    (void)pen_csv_machine(&sample->index, sample->text, sample->size, INT64_MAX, &reader->dialect, &open_quote);
    while (row < sample->index.n_rows && pen_csv_row_is_blank(&reader->dialect, &sample->index, sample->text, row)) {
        row++;
    }
    *done = row < sample->index.n_rows;
    if (!*done) {
        if (sample->whole && open_quote >= 0) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: the quote opened at line %lld is never closed", reader->paths[0],
                     (long long)(sample->line + pen_csv_ops_scalar.survey(sample->text, open_quote, 0).n_lines));
        }
        if (sample->whole) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: expected rows of CSV, found an empty file%s", reader->paths[0],
                     options->skip_lines > 0 ? " behind skip_lines" : "");
        }
        return PEN_OK;
    }
    reader->has_header =
        options->header == PEN_CSV_HEADER_YES || (options->header == PEN_CSV_HEADER_AUTO && options->names == NULL &&
                                                  pen_csv_looks_like_header(reader, sample, row));
    PEN_TRY(pen_csv_columns_make(reader, sample, row, err));
    return pen_csv_guess_types(reader, sample, row + (reader->has_header ? 1 : 0), err);
}

pen_status pen_csv_header_read(struct pen_csv_reader *reader, struct pen_error *err)
{
    struct pen_csv_sample sample = {0};
    pen_status status = PEN_OK;
    bool done = false;
    for (int64_t size = PEN_CSV_SAMPLE_BYTES; !done && status == PEN_OK; size *= 4) {
        status = pen_csv_sample_read(reader, &sample, size, err);
        if (status == PEN_OK) {
            status = read_top(reader, &sample, &done, err);
        }
        if (status == PEN_OK && !done && size > reader->options.max_row_bytes) {
            status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_LIMIT,
                                   "%s line %lld: the first row is longer than %lld bytes (max_row_bytes)",
                                   reader->paths[0], (long long)sample.line, (long long)reader->options.max_row_bytes);
        }
        pen_csv_sample_deinit(&sample);
    }
    return status;
}
