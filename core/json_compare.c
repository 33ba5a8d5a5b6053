/* What differs between two values. */
#include "core/json.h"

#include <stdio.h>
#include <string.h>

static const char *short_text(const pen_json *value, char out[96])
{
    struct pen_text text = {0};
    if (value == NULL) {
        return "absent";
    }
    if (pen_json_print(value, PEN_JSON_CANONICAL, &text, NULL) != PEN_OK) {
        (void)snprintf(out, 96, "?");
    } else {
        (void)snprintf(out, 96, "%.60s%s", pen_text_view(&text), text.size_bytes > 60 ? "..." : "");
    }
    pen_text_deinit(&text);
    return out;
}

static bool equal(const pen_json *a, const pen_json *b)
{
    struct pen_text x = {0};
    struct pen_text y = {0};
    bool same = a == b;
    if (!same && a != NULL && b != NULL) {
        same = pen_json_print(a, PEN_JSON_CANONICAL, &x, NULL) == PEN_OK &&
               pen_json_print(b, PEN_JSON_CANONICAL, &y, NULL) == PEN_OK &&
               strcmp(pen_text_view(&x), pen_text_view(&y)) == 0;
    }
    pen_text_deinit(&x);
    pen_text_deinit(&y);
    return same;
}

/* A SHA-256 in hexadecimal. */
static bool is_digest(const pen_json *value)
{
    const char *text = pen_json_string_or(value, "");
    return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static void compare(const char *path, const pen_json *before, const pen_json *after, pen_json *differences)
{
    if (equal(before, after)) {
        return;
    }
    struct pen_text text = {0};
    if (!pen_json_is_object(before) || !pen_json_is_object(after)) {
        char old_text[96];
        char new_text[96];
        if (is_digest(before) && is_digest(after)) {
            pen_text_printf(&text, "%s: other content", path);
        } else {
            pen_text_printf(&text, "%s: %s -> %s", path, short_text(before, old_text), short_text(after, new_text));
        }
        pen_json_push(differences, pen_json_string(pen_text_view(&text)));
        pen_text_deinit(&text);
        return;
    }
    const char *key = NULL;
    const pen_json *value = NULL;
    for (int64_t i = 0; pen_json_member(before, i, &key, &value); i++) {
        pen_text_reset(&text);
        pen_text_printf(&text, "%s%s%s", path, path[0] == '\0' ? "" : ".", key);
        compare(pen_text_view(&text), value, pen_json_get(after, key), differences);
    }
    for (int64_t i = 0; pen_json_member(after, i, &key, &value); i++) {
        if (pen_json_get(before, key) == NULL) {
            pen_text_reset(&text);
            pen_text_printf(&text, "%s%s%s", path, path[0] == '\0' ? "" : ".", key);
            compare(pen_text_view(&text), NULL, value, differences);
        }
    }
    pen_text_deinit(&text);
}

pen_json *pen_json_differences(const pen_json *before, const pen_json *after)
{
    pen_json *differences = pen_json_array();
    compare("", before, after, differences);
    return differences;
}
