/* Fields, cookies, headers. */
#include "orchestrator/ui/http.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void pen_http_header(struct pen_http_response *response, const char *name, const char *format, ...)
{
    PEN_ASSERT(response->n_headers < PEN_HTTP_HEADERS);
    struct pen_http_header *header = &response->headers[response->n_headers];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(header->value, sizeof header->value, format, arguments);
    va_end(arguments);
    bool is_clean = length >= 0 && length < (int)sizeof header->value;
    for (const char *at = header->value; is_clean && *at != '\0'; at++) {
        is_clean = (unsigned char)*at >= 0x20 && *at != 0x7f;
    }
    if (is_clean) {
        header->name = name;
        response->n_headers++;
    }
}

const char *pen_http_find_header(const struct pen_http_response *response, const char *name)
{
    for (int i = 0; i < response->n_headers; i++) {
        if (strcmp(response->headers[i].name, name) == 0) {
            return response->headers[i].value;
        }
    }
    return NULL;
}

void pen_http_response_deinit(struct pen_http_response *response)
{
    pen_text_deinit(&response->body);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* NULL: a broken escape, or a NUL byte. */
static const char *decode(struct pen_arena *arena, const char *text, size_t size)
{
    char *out = pen_arena_alloc(arena, (int64_t)size + 1, 1);
    size_t n = 0;
    for (size_t i = 0; out != NULL && i < size; i++) {
        char c = text[i] == '+' ? ' ' : text[i];
        if (c == '%') {
            if (size - i < 3) {
                return NULL;
            }
            int high = hex_digit(text[i + 1]);
            int low = hex_digit(text[i + 2]);
            if (high < 0 || low < 0) {
                return NULL;
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0') {
            return NULL;
        }
        out[n++] = c;
    }
    return out;
}

bool pen_http_read_fields(struct pen_arena *arena, const char *text, size_t size_bytes, struct pen_http_fields *fields)
{
    *fields = (struct pen_http_fields){0};
    for (size_t at = 0; at < size_bytes;) {
        const char *end = memchr(text + at, '&', size_bytes - at);
        const size_t size = end == NULL ? size_bytes - at : (size_t)(end - (text + at));
        const char *equals = memchr(text + at, '=', size);
        const size_t name_size = equals == NULL ? size : (size_t)(equals - (text + at));
        const char *name = decode(arena, text + at, name_size);
        const char *value = equals == NULL ? "" : decode(arena, equals + 1, size - name_size - 1);
        if (name == NULL || value == NULL || fields->n == PEN_HTTP_FIELDS) {
            return false;
        }
        fields->names[fields->n] = name;
        fields->values[fields->n++] = value;
        at += size + 1;
    }
    return true;
}

const char *pen_http_field(const struct pen_http_fields *fields, const char *name)
{
    for (int i = 0; i < fields->n; i++) {
        if (strcmp(fields->names[i], name) == 0) {
            return fields->values[i];
        }
    }
    return "";
}

void pen_http_cookie(const char *header, const char *name, char *out, size_t capacity)
{
    const size_t name_size = strlen(name);
    out[0] = '\0';
    for (const char *at = header; at != NULL && *at != '\0';) {
        at += strspn(at, "; ");
        const size_t size = strcspn(at, ";");
        if (size > name_size && at[name_size] == '=' && strncmp(at, name, name_size) == 0 &&
            size - name_size - 1 < capacity) {
            memcpy(out, at + name_size + 1, size - name_size - 1);
            out[size - name_size - 1] = '\0';
            return;
        }
        at += size;
    }
}
