/* What one cell is: nothing, an integer, a float or a string. Depends on the cell alone, so that the highest class of
 * a column depends neither on order nor on threads.
 *
 * TFX's rule (csv_decoder.py): int() before float(), an integer outside int64 is a string. */
#include "datasets/csv/csv_internal.h"

#include <math.h>

static bool is_digits(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return size > 0;
}

enum pen_csv_class pen_csv_classify(const char *text, size_t size, int64_t *integer, double *real, bool *overflow)
{
    *overflow = false;
    *integer = 0;
    while (size > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        size--;
    }
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t')) {
        size--;
    }
    if (size == 0) {
        return PEN_CSV_CLASS_STRING;
    }
    const size_t sign = *text == '+' || *text == '-';
    if (is_digits(text + sign, size - sign)) {
        /* Leading zeros do not count towards the 19 digits of int64. */
        size_t zeros = sign;
        while (zeros + 1 < size && text[zeros] == '0') {
            zeros++;
        }
        if (size - zeros > 19) {
            return PEN_CSV_CLASS_STRING;
        }
        uint64_t value = 0;
        for (size_t i = zeros; i < size; i++) {
            value = value * 10 + (uint64_t)(text[i] - '0');
        }
        const bool minus = *text == '-';
        if (value > (uint64_t)INT64_MAX + (minus ? 1 : 0)) {
            return PEN_CSV_CLASS_STRING;
        }
        *integer = minus ? (int64_t)(0 - value) : (int64_t)value;
        *real = minus ? -(double)value : (double)value; /* "-0" is -0.0, as strtod says */
        return PEN_CSV_CLASS_INT;
    }
    if (!pen_parse_double(text, size, real)) {
        return PEN_CSV_CLASS_STRING;
    }
    const char first = text[sign];
    *overflow = isinf(*real) && first != 'i' && first != 'I';
    return PEN_CSV_CLASS_FLOAT;
}
