/* Printing JSON: ours, because a double is to read as people write it (0.1, not 0.10000000000000001). */
#include "core/json.h"

#include "core/json_internal.h"
#include "core/memory.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void print_string(const char *text, size_t size_bytes, struct pen_text *out)
{
    pen_text_append_char(out, '"');
    size_t start = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7F) {
            continue;
        }
        pen_text_append_bytes(out, text + start, i - start);
        start = i + 1;
        switch (c) {
        case '"':
            pen_text_append(out, "\\\"");
            break;
        case '\\':
            pen_text_append(out, "\\\\");
            break;
        case '\n':
            pen_text_append(out, "\\n");
            break;
        case '\t':
            pen_text_append(out, "\\t");
            break;
        default:
            pen_text_printf(out, "\\u%04x", c);
            break;
        }
    }
    pen_text_append_bytes(out, text + start, size_bytes - start);
    pen_text_append_char(out, '"');
}

static void print_break(enum pen_json_style style, int depth, struct pen_text *out)
{
    if (style == PEN_JSON_INDENT) {
        pen_text_printf(out, "\n%*s", 2 * depth, "");
    }
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_value(const pen_json *value, enum pen_json_style style, int depth, struct pen_text *out);

static void print_object(const pen_json *object, enum pen_json_style style, int depth, struct pen_text *out)
{
    int64_t count = pen_json_size(object);
    const char **keys = pen_calloc(count, sizeof *keys);
    if (keys == NULL || json_object_get(object, PEN_JSON_FAILURE_KEY) != NULL) {
        out->failed = true;
        pen_free(keys);
        return;
    }
    const pen_json *unused = NULL;
    for (int64_t i = 0; i < count; i++) {
        (void)pen_json_member(object, i, &keys[i], &unused);
    }
    if (style == PEN_JSON_CANONICAL) {
        qsort(keys, (size_t)count, sizeof *keys, compare_keys);
    }
    pen_text_append_char(out, '{');
    for (int64_t i = 0; i < count; i++) {
        if (i > 0) {
            pen_text_append_char(out, ',');
        }
        print_break(style, depth + 1, out);
        print_string(keys[i], strlen(keys[i]), out);
        pen_text_append(out, style == PEN_JSON_INDENT ? ": " : ":");
        print_value(json_object_get(object, keys[i]), style, depth + 1, out);
    }
    if (count > 0) {
        print_break(style, depth, out);
    }
    pen_text_append_char(out, '}');
    pen_free(keys);
}

static void print_array(const pen_json *array, enum pen_json_style style, int depth, struct pen_text *out)
{
    int64_t count = pen_json_size(array);
    bool flat = true; /* an array of scalars stays on one line */
    for (int64_t i = 0; i < count; i++) {
        const pen_json *item = pen_json_at(array, i);
        flat = flat && !json_is_object(item) && !json_is_array(item);
    }
    pen_text_append_char(out, '[');
    for (int64_t i = 0; i < count; i++) {
        if (i > 0) {
            pen_text_append(out, flat && style == PEN_JSON_INDENT ? ", " : ",");
        }
        if (!flat) {
            print_break(style, depth + 1, out);
        }
        print_value(pen_json_at(array, i), style, depth + 1, out);
    }
    if (!flat) {
        print_break(style, depth, out);
    }
    pen_text_append_char(out, ']');
}

static void print_value(const pen_json *value, enum pen_json_style style, int depth, struct pen_text *out)
{
    char number[PEN_NUMBER_BYTES];
    if (value == NULL) {
        out->failed = true;
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        print_object(value, style, depth, out);
        break;
    case JSON_ARRAY:
        print_array(value, style, depth, out);
        break;
    case JSON_STRING:
        print_string(json_string_value(value), json_string_length(value), out);
        break;
    case JSON_INTEGER:
        pen_text_printf(out, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_REAL: {
        pen_format_double(number, json_real_value(value));
        pen_text_append(out, number);
        if (strpbrk(number, ".en") == NULL) {
            pen_text_append(out, ".0"); /* stays a real when read back */
        }
        break;
    }
    case JSON_TRUE:
        pen_text_append(out, "true");
        break;
    case JSON_FALSE:
        pen_text_append(out, "false");
        break;
    case JSON_NULL:
    default:
        pen_text_append(out, "null");
        break;
    }
}

pen_status pen_json_print(const pen_json *value, enum pen_json_style style, struct pen_text *out, struct pen_error *err)
{
    print_value(value, style, 0, out);
    return pen_text_check(out, err);
}
