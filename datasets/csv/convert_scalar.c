/* Columns without vector instructions: the reference. */
#include "datasets/csv/csv_internal.h"
#include "datasets/csv/number.h"

#define pen_csv_level_double pen_csv_fast_double
#include "datasets/csv/convert_template.h"

static int64_t pen_csv_unquote_level(char *to, const char *from, int64_t size, char quote)
{
    const char *begin = to;
    const char *end = from + size;
    for (const char *next; (next = memchr(from, quote, (size_t)(end - from))) != NULL; from = next + 2) {
        if (next + 1 == end || next[1] != quote) {
            return -1;
        }
        const size_t n = (size_t)(next + 1 - from);
        memcpy(to, from, n);
        to += n;
    }
    memcpy(to, from, (size_t)(end - from));
    return to + (end - from) - begin;
}

const struct pen_csv_convert_ops pen_csv_convert_scalar = {pen_csv_ints_level, pen_csv_doubles_level,
                                                           pen_csv_unquote_level};
