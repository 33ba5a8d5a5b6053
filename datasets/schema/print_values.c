/* Scalars, lists and maps as YAML. Strings are quoted whenever YAML could read them as anything but themselves. */
#include "datasets/schema/print_internal.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool is_reserved(const char *text)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no",  "on",
                                        "off",  "y",    "n",     "nan", "inf", "infinity"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_plain(const char *text)
{
    size_t n = strlen(text);
    if (n == 0 || !(isalpha((unsigned char)text[0]) || text[0] == '_') || text[n - 1] == ' ' || is_reserved(text)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("_ ./+-", text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* Decodes one character of valid UTF-8. */
static uint32_t decode(const unsigned char *at, int *size_bytes)
{
    if (at[0] < 0x80) {
        *size_bytes = 1;
        return at[0];
    }
    int n = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    uint32_t code = at[0] & (0xFFU >> (n + 1));
    for (int i = 1; i < n; i++) {
        code = (code << 6) | (at[i] & 0x3FU);
    }
    *size_bytes = n;
    return code;
}

/* Characters YAML forbids, folds or takes for line breaks. */
static bool needs_escape(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA1) || code == 0x2028 || code == 0x2029 || code == 0xFEFF ||
           code == 0xFFFE || code == 0xFFFF;
}

void pen_schema_print_scalar(const char *text, struct pen_text *out)
{
    if (is_plain(text)) {
        pen_text_append(out, text);
        return;
    }
    size_t n = strlen(text);
    pen_text_append_char(out, '"');
    for (size_t i = 0; i < n;) {
        if (pen_utf8_valid_prefix(text + i, n - i) == 0) {
            pen_text_append(out, "\\uFFFD"); /* names of columns may hold any byte; YAML cannot */
            i++;
            continue;
        }
        int size_bytes = 1;
        uint32_t code = decode((const unsigned char *)text + i, &size_bytes);
        if (code == '"' || code == '\\') {
            pen_text_printf(out, "\\%c", (int)code);
        } else if (needs_escape(code)) {
            pen_text_printf(out, "\\u%04X", code);
        } else {
            pen_text_append_bytes(out, text + i, (size_t)size_bytes);
        }
        i += (size_t)size_bytes;
    }
    pen_text_append_char(out, '"');
}

void pen_schema_print_double(struct pen_text *out, double value)
{
    char number[PEN_NUMBER_BYTES];
    pen_text_append(out, pen_format_double(number, value));
}

void pen_schema_print_strings(struct pen_text *out, const struct pen_config_strings *list)
{
    pen_text_append_char(out, '[');
    for (int64_t i = 0; i < list->n_items; i++) {
        if (i > 0) {
            pen_text_append_char(out, ',');
            pen_text_append_char(out, PEN_SCHEMA_SOFT_BREAK);
        }
        pen_schema_print_scalar(list->items[i], out);
    }
    pen_text_append_char(out, ']');
}

void pen_schema_print_severities(struct pen_text *out, const struct pen_schema_severities *list)
{
    pen_text_append_char(out, '{');
    for (int64_t i = 0; i < list->n_items; i++) {
        if (i > 0) {
            pen_text_append_char(out, ',');
            pen_text_append_char(out, PEN_SCHEMA_SOFT_BREAK);
        }
        pen_text_printf(out, "%s: %s", pen_anomaly_types[list->items[i].anomaly].name,
                        pen_severity_name(list->items[i].severity));
    }
    pen_text_append_char(out, '}');
}

/* ", key: " inside a flow map that began at `start`. */
struct pen_text *pen_schema_member(struct pen_text *out, size_t start, const char *key)
{
    if (out->size_bytes > start) {
        pen_text_append_char(out, ',');
        pen_text_append_char(out, PEN_SCHEMA_SOFT_BREAK);
    }
    pen_text_printf(out, "%s: ", key);
    return out;
}

/* Appends `text`, breaking the line at its soft breaks where the next item would pass column 100. */
void pen_schema_append_wrapped(struct pen_text *out, const char *text, size_t size_bytes, int indent)
{
    size_t line = out->size_bytes;
    while (line > 0 && out->data[line - 1] != '\n') {
        line--;
    }
    for (size_t i = 0; i < size_bytes; i++) {
        if (text[i] != PEN_SCHEMA_SOFT_BREAK) {
            pen_text_append_char(out, text[i]);
            continue;
        }
        const char *next = memchr(text + i + 1, PEN_SCHEMA_SOFT_BREAK, size_bytes - i - 1);
        size_t item = next == NULL ? size_bytes - i : (size_t)(next - (text + i));
        if (out->size_bytes - line + item > PEN_SCHEMA_LINE_COLUMNS) {
            pen_text_printf(out, "\n%*s", indent, "");
            line = out->size_bytes - (size_t)indent;
        } else {
            pen_text_append_char(out, ' ');
        }
    }
}

void pen_schema_print_wrapped(struct pen_text *out, int indent, const char *key, const struct pen_text *value)
{
    pen_text_printf(out, "%*s", indent, "");
    pen_schema_print_scalar(key, out);
    pen_text_append(out, ": ");
    pen_schema_append_wrapped(out, pen_text_view(value), value->size_bytes, indent + 4);
    pen_text_append_char(out, '\n');
    out->failed = out->failed || value->failed;
}
