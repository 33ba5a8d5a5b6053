/* The delimiter, and whether the first row is a header.
 *
 * The delimiter is the candidate that gives the most rows of one width (at least two fields), then the wider one. A
 * first row without any number is a header. */
#include "datasets/csv/sample.h"

enum { SNIFF_ROWS = 200, SNIFF_BYTES = 1 << 16 };

/* Non-blank rows among the first that have the commonest width, in thousandths, and that width. */
static int64_t evenness(const struct pen_csv_dialect *dialect, struct pen_csv_sample *sample, int64_t *width)
{
    int64_t open_quote, counts[SNIFF_ROWS], n = 0, best = 0;
    const bool enough =
        pen_csv_machine(&sample->index, sample->text, sample->size, SNIFF_BYTES, dialect, &open_quote) > 0;
    for (int64_t row = 0; enough && row < sample->index.n_rows && n < SNIFF_ROWS; row++) {
        int64_t first;
        if (!pen_csv_row_is_blank(dialect, &sample->index, sample->text, row)) {
            counts[n++] = pen_csv_row_width(&sample->index, row, &first);
        }
    }
    *width = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t same = 0;
        for (int64_t j = 0; j < n; j++) {
            same += counts[j] == counts[i];
        }
        if (same > best || (same == best && counts[i] > *width)) {
            best = same;
            *width = counts[i];
        }
    }
    return n == 0 ? 0 : best * 1000 / n;
}

char pen_csv_sniff_delimiter(const struct pen_csv_dialect *given, struct pen_csv_sample *sample)
{
    static const char candidates[] = ",\t;|";
    char best = ',';
    int64_t best_even = 0, best_width = 1;
    for (const char *c = candidates; *c != '\0'; c++) {
        struct pen_csv_dialect dialect = *given;
        dialect.delimiter = *c;
        int64_t width;
        const int64_t even = evenness(&dialect, sample, &width);
        if (width >= 2 && (even > best_even || (even == best_even && width > best_width))) {
            best = *c;
            best_even = even;
            best_width = width;
        }
    }
    return best;
}

bool pen_csv_looks_like_header(const struct pen_csv_reader *reader, const struct pen_csv_sample *sample, int64_t row)
{
    int64_t first;
    const int64_t n = pen_csv_row_width(&sample->index, row, &first);
    bool any = false;
    for (int64_t i = 0; i < n; i++) {
        size_t size;
        int64_t integer;
        double real;
        bool overflow;
        const char *cell =
            pen_csv_row_cell(&reader->dialect, &sample->index, sample->text, row, i, sample->scratch, &size);
        if (size == 0) {
            continue;
        }
        any = true;
        /* "nan" and "inf" may be names */
        const bool number = pen_csv_classify(cell, size, &integer, &real, &overflow) != PEN_CSV_CLASS_STRING;
        if (number && memchr("0123456789+-. ", *cell, 14) != NULL) {
            return false;
        }
    }
    return any;
}
