/* The exact CSV machine, byte by byte: what Python's csv module (doublequote, not strict) reads, and so what TFX reads.
 *
 * A quote opens a quoted field only as its first byte (behind leading spaces when trimming). In a quoted field two
 * quotes are one; what follows the closing quote up to the delimiter is taken as it stands. Quotes elsewhere are
 * ordinary bytes. Rows end at LF, CRLF and lone CR outside quotes. Used where the masks of scan_template.h meet
 * quotes that RFC 4180 does not know, for comments, and on the few rows at the top of a file. */
#include "datasets/csv/csv_internal.h"

enum state { START_ROW, START_FIELD, IN_FIELD, IN_QUOTED, QUOTE_IN_QUOTED, IN_COMMENT };

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static enum state after_byte(enum state state, char c, const struct pen_csv_dialect *dialect)
{
    const bool is_quote = dialect->quote != 0 && c == dialect->quote;
    switch (state) {
    case START_ROW:
        if (dialect->comment != 0 && c == dialect->comment) {
            return IN_COMMENT;
        }
        return is_quote ? IN_QUOTED : dialect->trim && is_space(c) ? START_FIELD : IN_FIELD;
    case START_FIELD:
        return is_quote ? IN_QUOTED : dialect->trim && is_space(c) ? START_FIELD : IN_FIELD;
    case IN_QUOTED:
        return is_quote ? QUOTE_IN_QUOTED : IN_QUOTED;
    case QUOTE_IN_QUOTED:
        return is_quote ? IN_QUOTED : IN_FIELD;
    case IN_FIELD:
    case IN_COMMENT:
    default:
        return state;
    }
}

int64_t pen_csv_machine(struct pen_csv_index *index, const char *text, int64_t size, int64_t target,
                        const struct pen_csv_dialect *dialect, int64_t *open_quote)
{
    enum state state = START_ROW;
    int64_t opened = -1, whole = 0, whole_ends = 0;
    index->n_ends = 0;
    index->n_rows = 0;
    for (int64_t i = 0; i < size; i++) {
        const char c = text[i];
        const bool is_end = c == '\n' || (c == '\r' && text[i + 1] != '\n');
        if (state == IN_QUOTED || (!is_end && (c != dialect->delimiter || state == IN_COMMENT))) {
            if (c == '\r' && state != IN_QUOTED) {
                continue; /* of a CRLF */
            }
            const enum state next = after_byte(state, c, dialect);
            opened = next == IN_QUOTED && state != IN_QUOTED && state != QUOTE_IN_QUOTED ? i : opened;
            state = next;
            continue;
        }
        if (index->ends != NULL) {
            index->ends[index->n_ends++] = (uint32_t)i;
        }
        state = START_FIELD;
        if (is_end) {
            if (index->ends != NULL) {
                index->row_ends[index->n_rows++] = (uint32_t)(index->n_ends - 1);
            }
            state = START_ROW;
            whole = i + 1;
            whole_ends = index->n_ends;
            if (whole >= target) {
                break;
            }
        }
    }
    index->n_ends = whole_ends;
    index->has_quote = true;
    index->has_cr = true;
    index->has_high = true;
    index->irregular = false;
    index->has_nul = memchr(text, 0, (size_t)whole) != NULL;
    *open_quote = state == IN_QUOTED ? opened : -1;
    return whole;
}

int64_t pen_csv_first_row_end(const char *text, int64_t size, bool inside, char quote)
{
    for (int64_t i = 0; i < size; i++) {
        const char c = text[i];
        if (quote != 0 && c == quote) {
            inside = !inside;
        } else if (!inside && (c == '\n' || (c == '\r' && text[i + 1] != '\n'))) {
            return i + 1;
        }
    }
    return -1;
}

const char *pen_csv_unquote(const char *raw, size_t size, char quote, char *scratch, size_t *out_size)
{
    if (quote == 0 || size < 2 || raw[0] != quote) {
        *out_size = size;
        return raw;
    }
    const char *next = memchr(raw + 1, quote, size - 1);
    if (next == raw + size - 1) {
        *out_size = size - 2;
        return raw + 1;
    }
    /* Each quote met inside ends a piece; a second one behind it stands for itself, anything else is literal. */
    const char *piece = raw + 1;
    const char *end = raw + size;
    size_t n = 0;
    while (next != NULL) {
        const size_t piece_size = (size_t)(next - piece);
        memcpy(scratch + n, piece, piece_size);
        n += piece_size;
        piece = next + 1;
        if (piece == end || *piece != quote) {
            break;
        }
        scratch[n++] = quote;
        piece++;
        next = piece < end ? memchr(piece, quote, (size_t)(end - piece)) : NULL;
    }
    memcpy(scratch + n, piece, (size_t)(end - piece));
    *out_size = n + (size_t)(end - piece);
    return scratch;
}

const char *pen_csv_cell(const struct pen_csv_dialect *dialect, const char *raw, size_t size, bool last, char *scratch,
                         size_t *out_size)
{
    if (last && size > 0 && raw[size - 1] == '\r') {
        size--;
    }
    while (dialect->trim && size > 0 && is_space(raw[0])) {
        raw++;
        size--;
    }
    while (dialect->trim && size > 0 && is_space(raw[size - 1])) {
        size--;
    }
    return pen_csv_unquote(raw, size, dialect->quote, scratch, out_size);
}
