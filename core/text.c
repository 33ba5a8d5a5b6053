/* Text buffer, numbers, near names, quoting, UTF-8. Numbers never depend on the locale: the program stays in "C". */
#include "core/text.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool reserve(struct pen_text *text, size_t more)
{
    if (text->failed || more > SIZE_MAX / 2 - text->size_bytes) {
        text->failed = true;
        return false;
    }
    size_t needed = text->size_bytes + more + 1;
    if (needed <= text->capacity) {
        return true;
    }
    size_t capacity = text->capacity < 64 ? 64 : text->capacity;
    while (capacity < needed) {
        capacity *= 2;
    }
    char *data = realloc(text->data, capacity);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void pen_text_append_bytes(struct pen_text *text, const char *bytes, size_t size_bytes)
{
    if (reserve(text, size_bytes)) {
        if (size_bytes > 0) {
            memcpy(text->data + text->size_bytes, bytes, size_bytes);
        }
        text->size_bytes += size_bytes;
        text->data[text->size_bytes] = '\0';
    }
}

void pen_text_append(struct pen_text *text, const char *string)
{
    pen_text_append_bytes(text, string, strlen(string));
}

void pen_text_append_char(struct pen_text *text, char c)
{
    pen_text_append_bytes(text, &c, 1);
}

void pen_text_printf(struct pen_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !reserve(text, (size_t)length)) {
        text->failed = true;
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(text->data + text->size_bytes, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->size_bytes += (size_t)length;
}

pen_status pen_text_check(const struct pen_text *text, struct pen_error *err)
{
    if (text->failed) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: a text of %zu bytes could not grow", text->size_bytes);
    }
    return PEN_OK;
}

const char *pen_text_view(const struct pen_text *text)
{
    return text->data == NULL ? "" : text->data;
}

void pen_text_reset(struct pen_text *text)
{
    text->size_bytes = 0;
    text->failed = false;
    if (text->data != NULL) {
        text->data[0] = '\0';
    }
}

void pen_text_deinit(struct pen_text *text)
{
    free(text->data);
    *text = (struct pen_text){0};
}

bool pen_parse_int64(const char *text, size_t size_bytes, int64_t *value)
{
    size_t i = 0;
    bool negative = false;
    if (size_bytes > 0 && (text[0] == '-' || text[0] == '+')) {
        negative = text[0] == '-';
        i = 1;
    }
    if (i == size_bytes) {
        return false;
    }
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t magnitude = 0;
    for (; i < size_bytes; i++) {
        unsigned digit = (unsigned)((unsigned char)text[i] - '0');
        if (digit > 9 || magnitude > (limit - digit) / 10) {
            return false;
        }
        magnitude = magnitude * 10 + digit;
    }
    *value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

/* Only what a decimal number is made of, so that strtod's hex and spaces stay out. */
static bool looks_decimal(const char *text, size_t size_bytes)
{
    size_t i = size_bytes > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    if (i == size_bytes) {
        return false;
    }
    if (isalpha((unsigned char)text[i])) {
        static const char *const words[] = {"nan", "inf", "infinity"};
        for (int w = 0; w < 3; w++) {
            size_t length = strlen(words[w]);
            size_t k = 0;
            while (k < length && i + k < size_bytes && tolower((unsigned char)text[i + k]) == words[w][k]) {
                k++;
            }
            if (k == length && i + k == size_bytes) {
                return true;
            }
        }
        return false;
    }
    for (; i < size_bytes; i++) {
        if (strchr("0123456789.eE+-", text[i]) == NULL || text[i] == '\0') {
            return false;
        }
    }
    return true;
}

bool pen_parse_double(const char *text, size_t size_bytes, double *value)
{
    char small[64];
    if (!looks_decimal(text, size_bytes)) {
        return false;
    }
    char *copy = size_bytes < sizeof small ? small : malloc(size_bytes + 1);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, text, size_bytes);
    copy[size_bytes] = '\0';
    char *end = NULL;
    *value = strtod(copy, &end);
    bool whole = end == copy + size_bytes;
    if (copy != small) {
        free(copy);
    }
    return whole;
}

bool pen_parse_duration(const char *text, size_t size_bytes, double *seconds)
{
    static const struct {
        char letter;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    double unit = 1;
    for (size_t i = 0; size_bytes > 0 && i < sizeof units / sizeof units[0]; i++) {
        if (text[size_bytes - 1] == units[i].letter) {
            unit = units[i].seconds;
            size_bytes--;
            break;
        }
    }
    if (size_bytes == 0 || !pen_parse_double(text, size_bytes, seconds) || !(*seconds >= 0 && *seconds * unit <= 1e9)) {
        return false;
    }
    *seconds *= unit;
    return true;
}

const char *pen_format_double(char out[PEN_NUMBER_BYTES], double value)
{
    if (isnan(value)) {
        (void)snprintf(out, PEN_NUMBER_BYTES, "nan");
        return out;
    }
    if (isinf(value)) {
        (void)snprintf(out, PEN_NUMBER_BYTES, value < 0 ? "-inf" : "inf");
        return out;
    }
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(out, PEN_NUMBER_BYTES, "%.*g", digits, value);
        if (strtod(out, NULL) == value) {
            break;
        }
    }
    return out;
}

enum { NAME_LIMIT = 64 };

/* Edits between the first NAME_LIMIT bytes, case folded: one letter more, less or other, or two neighbours swapped
 * (optimal string alignment). */
static int edit_distance(const char *a, const char *b)
{
    int rows[3][NAME_LIMIT + 1]; /* of prefixes of a: the one now, the last, the one before */
    int n = (int)strnlen(a, NAME_LIMIT);
    int m = (int)strnlen(b, NAME_LIMIT);
    for (int i = 0; i <= n; i++) {
        int *row = rows[i % 3];
        const int *last = rows[(i + 2) % 3];
        const int *before = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            if (i == 0) {
                row[j] = j;
                continue;
            }
            int x = tolower((unsigned char)a[i - 1]);
            int y = tolower((unsigned char)b[j - 1]);
            int best = last[j - 1] + (x != y);
            best = best < last[j] + 1 ? best : last[j] + 1;
            best = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
            bool swapped =
                i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2]);
            row[j] = swapped && before[j - 2] + 1 < best ? before[j - 2] + 1 : best;
        }
    }
    return rows[n % 3][m];
}

const char *pen_nearest_name(const char *name, const char *const *candidates, int64_t n_candidates)
{
    int limit = (int)(strnlen(name, NAME_LIMIT) / 3);
    int best = limit < 1 ? 2 : limit + 1;
    const char *nearest = NULL;
    for (int64_t i = 0; i < n_candidates; i++) {
        int distance = edit_distance(name, candidates[i]);
        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    for (int64_t i = 0; nearest == NULL && name[0] != '\0' && name[1] != '\0' && i < n_candidates; i++) {
        const char *candidate = candidates[i];
        PEN_ASSERT(candidate != NULL);
        nearest = strncasecmp(name, candidate, strlen(name)) == 0 ? candidate : NULL;
    }
    return nearest;
}

/* Length of the valid UTF-8 sequence at text[0], or 0 (Unicode 15, table 3-7). */
static size_t sequence_length(const unsigned char *text, size_t size)
{
    unsigned char c = text[0];
    if (c < 0x80) {
        return 1;
    }
    size_t length = c >= 0xC2 && c <= 0xDF ? 2 : c >= 0xE0 && c <= 0xEF ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
    if (length == 0 || length > size) {
        return 0;
    }
    unsigned char low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    unsigned char high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (text[1] < low || text[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

size_t pen_utf8_valid_prefix(const char *text, size_t size_bytes)
{
    size_t at = 0;
    while (at < size_bytes) {
        uint64_t word = 0;
        if (at + 8 <= size_bytes) {
            memcpy(&word, text + at, 8);
            if ((word & 0x8080808080808080ULL) == 0) {
                at += 8;
                continue;
            }
        }
        size_t length = sequence_length((const unsigned char *)text + at, size_bytes - at);
        if (length == 0) {
            return at;
        }
        at += length;
    }
    return size_bytes;
}

const char *pen_quote(char out[PEN_QUOTE_BYTES], const char *text, size_t size_bytes)
{
    enum { MOST = 80 };
    size_t used = 0;
    size_t at = 0;
    while (at < size_bytes && at < MOST) {
        const unsigned char *here = (const unsigned char *)text + at;
        size_t length = sequence_length(here, size_bytes - at);
        if (length == 0 || (length == 1 && (*here < 0x20 || *here == 0x7F))) {
            used += (size_t)snprintf(out + used, PEN_QUOTE_BYTES - used, "\\x%02x", *here);
            at++;
            continue;
        }
        memcpy(out + used, here, length);
        used += length;
        at += length;
    }
    out[used] = '\0';
    if (at < size_bytes) {
        (void)snprintf(out + used, PEN_QUOTE_BYTES - used, "...");
    }
    return out;
}

bool pen_is_plain_name(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > 128 || name[0] == '.' || name[0] == '-') {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)name[i];
        if (!(isalnum(c) || c == '_' || c == '.' || c == '-') || c >= 0x80) {
            return false;
        }
    }
    return true;
}
