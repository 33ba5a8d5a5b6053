/* Numbers as people write them: "$1,234.50", "12.5 %", "1 234,50 EUR", "(99)".
 *
 * What counts: what pen_parse_double takes (where the decimal is a point), and: a sign or a pair of brackets
 * (negative), a currency on either side, one % behind, spaces between these, digits in one group or in groups of three,
 * a decimal part. Groups are split by one separator throughout: a space (also the no-break ones), an apostrophe, or of
 * '.' and ',' the one that is not the decimal. All else is no number: a wrong group, such as 1,5 where the decimal is a
 * point, is more likely the other convention than a slip, and a first group of several that begins with 0 is a code. */
#include "components/transform/amounts.h"

#include "core/text.h"

#include <string.h>

enum { MOST_BYTES = 60 };

static const char currencies[] =
    "$ \xE2\x82\xAC \xC2\xA3 \xC2\xA5 \xE2\x82\xB9 EUR USD GBP CHF JPY CNY INR CAD AUD NZD SEK NOK DKK PLN CZK HUF RON "
    "BRL MXN ZAR KRW TRY SGD HKD";

struct amount {
    const char *at, *end;
    char plain[MOST_BYTES + 1]; /* digits and a point */
    size_t n_plain;
};

/* Does any of the marks, separated by a space, stand here: then its size. */
static size_t mark_here(const struct amount *a, const char *marks)
{
    for (const char *mark = marks; *mark != '\0'; mark += strspn(mark, " ")) {
        size_t size = strcspn(mark, " ");
        if ((size_t)(a->end - a->at) >= size && memcmp(a->at, mark, size) == 0) {
            return size;
        }
        mark += size;
    }
    return 0;
}

static size_t space_here(const struct amount *a)
{
    return a->at < a->end && *a->at == ' ' ? 1 : mark_here(a, "\xC2\xA0 \xE2\x80\xAF \xE2\x80\x89");
}

static void skip_spaces(struct amount *a)
{
    for (size_t size = space_here(a); size > 0; size = space_here(a)) {
        a->at += size;
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool skip_currency(struct amount *a)
{
    size_t size = mark_here(a, currencies);
    a->at += size;
    skip_spaces(a);
    return size > 0;
}

/* '-', '+' or the minus sign of typography. */
static bool skip_sign(struct amount *a, bool *negative)
{
    size_t minus = mark_here(a, "- \xE2\x88\x92"), plus = mark_here(a, "+");
    a->at += minus + plus;
    *negative = minus > 0;
    skip_spaces(a);
    return minus + plus > 0;
}

static int64_t take_digits(struct amount *a)
{
    int64_t n = 0;
    for (; a->at < a->end && is_digit(*a->at) && a->n_plain < MOST_BYTES; a->at++, n++) {
        a->plain[a->n_plain++] = *a->at;
    }
    return n;
}

/* What stands between this group of digits and the next; its size, 0: nothing does. */
static size_t separator_here(const struct amount *a, char decimal)
{
    char other[2] = {decimal == '.' ? ',' : '.', '\0'};
    size_t size = space_here(a);
    size = size > 0 ? size : mark_here(a, other);
    size = size > 0 ? size : mark_here(a, "' \xE2\x80\x99");
    return (size_t)(a->end - a->at) > size && is_digit(a->at[size]) ? size : 0;
}

static bool take_groups(struct amount *a, char decimal)
{
    enum { GROUP = 3 };
    const char *first = a->at, *separator = NULL;
    int64_t n = take_digits(a);
    size_t size = n == 0 ? 0 : separator_here(a, decimal);
    if (size == 0) {
        return n > 0;
    }
    if (n > GROUP || *first == '0') {
        return false;
    }
    for (separator = a->at; size > 0; size = separator_here(a, decimal)) {
        if (memcmp(a->at, separator, size) != 0) {
            return false;
        }
        a->at += size;
        if (take_digits(a) != GROUP) {
            return false;
        }
    }
    return true;
}

static bool take_digits_and_decimals(struct amount *a, char decimal)
{
    bool begins = a->at < a->end && *a->at == decimal;
    if (!begins && !take_groups(a, decimal)) {
        return false;
    }
    if (a->at < a->end && *a->at == decimal) {
        a->at++;
        a->plain[a->n_plain++] = '.';
        return take_digits(a) > 0 || !begins;
    }
    return true;
}

bool pen_parse_amount(const char *text, size_t size_bytes, char decimal, double *value)
{
    struct amount a = {.at = text, .end = text + size_bytes};
    bool negative = false;
    if (decimal == '.' && pen_parse_double(text, size_bytes, value)) {
        return true;
    }
    skip_spaces(&a);
    bool has_sign = skip_sign(&a, &negative), bracket = !has_sign && mark_here(&a, "(") > 0;
    a.at += bracket;
    bool has_currency = skip_currency(&a);
    if (has_currency && !has_sign && !bracket) {
        (void)skip_sign(&a, &negative);
    }
    if (!take_digits_and_decimals(&a, decimal)) {
        return false;
    }
    skip_spaces(&a);
    if (!has_currency && mark_here(&a, "%") > 0) {
        a.at++;
    } else if (!has_currency) {
        (void)skip_currency(&a);
    }
    skip_spaces(&a);
    if (bracket && mark_here(&a, ")") == 0) {
        return false;
    }
    a.at += bracket;
    skip_spaces(&a);
    if (a.at != a.end || !pen_parse_double(a.plain, a.n_plain, value)) {
        return false;
    }
    *value = negative || bracket ? -*value : *value;
    return true;
}
