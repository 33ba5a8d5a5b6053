/* The skin over jansson: building, reading and parsing. Printing: json_print.c; only these two see it. */
#include "core/json.h"

#include "core/files.h"
#include "core/json_internal.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { JSON_LIMIT_BYTES = 1 << 30, DEPTH_LIMIT = 64 };

pen_json *pen_json_object(void)
{
    return json_object();
}

pen_json *pen_json_array(void)
{
    return json_array();
}

/* Text with every invalid UTF-8 byte as U+FFFD. */
static pen_json *repaired(const char *text, size_t size_bytes)
{
    struct pen_text clean = {0};
    size_t at = 0;
    while (at < size_bytes) {
        size_t valid = pen_utf8_valid_prefix(text + at, size_bytes - at);
        pen_text_append_bytes(&clean, text + at, valid);
        at += valid;
        if (at < size_bytes) {
            pen_text_append(&clean, "\xef\xbf\xbd");
            at++;
        }
    }
    pen_json *value = clean.failed ? NULL : json_stringn(pen_text_view(&clean), clean.size_bytes);
    pen_text_deinit(&clean);
    return value;
}

pen_json *pen_json_string_bytes(const char *text, size_t size_bytes)
{
    if (pen_utf8_valid_prefix(text, size_bytes) == size_bytes) {
        return json_stringn_nocheck(text, size_bytes);
    }
    return repaired(text, size_bytes);
}

pen_json *pen_json_string(const char *text)
{
    return pen_json_string_bytes(text, strlen(text));
}

pen_json *pen_json_int(int64_t value)
{
    return json_integer(value);
}

pen_json *pen_json_double(double value)
{
    if (isnan(value)) {
        return json_string("nan");
    }
    if (isinf(value)) {
        return json_string(value < 0 ? "-inf" : "inf");
    }
    return json_real(value);
}

pen_json *pen_json_bool(bool value)
{
    return json_boolean(value);
}

pen_json *pen_json_null(void)
{
    return json_null();
}

pen_json *pen_json_copy(const pen_json *value)
{
    return json_deep_copy(value);
}

void pen_json_free(pen_json *root)
{
    json_decref(root);
}

/* A member that could not be stored leaves PEN_JSON_FAILURE_KEY behind, which printing refuses. */
static void mark_failed(pen_json *container)
{
    (void)json_object_set_new_nocheck(container, PEN_JSON_FAILURE_KEY, json_null());
}

void pen_json_set(pen_json *object, const char *key, pen_json *value)
{
    int failed = value == NULL ? -1 : json_object_set_new(object, key, value);
    if (failed != 0) {
        mark_failed(object);
    }
}

void pen_json_set_string(pen_json *object, const char *key, const char *text)
{
    pen_json_set(object, key, text == NULL ? json_null() : pen_json_string(text));
}

void pen_json_set_int(pen_json *object, const char *key, int64_t value)
{
    pen_json_set(object, key, json_integer(value));
}

void pen_json_set_double(pen_json *object, const char *key, double value)
{
    pen_json_set(object, key, pen_json_double(value));
}

void pen_json_set_bool(pen_json *object, const char *key, bool value)
{
    pen_json_set(object, key, json_boolean(value));
}

void pen_json_push(pen_json *array, pen_json *value)
{
    (void)json_array_append_new(array, value == NULL ? json_null() : value);
}

const pen_json *pen_json_get(const pen_json *object, const char *key)
{
    return json_object_get(object, key);
}

pen_json *pen_json_edit(pen_json *object, const char *key)
{
    return json_object_get(object, key);
}

int64_t pen_json_size(const pen_json *value)
{
    return json_is_array(value) ? (int64_t)json_array_size(value) : (int64_t)json_object_size(value);
}

const pen_json *pen_json_at(const pen_json *array, int64_t index)
{
    return index < 0 ? NULL : json_array_get(array, (size_t)index);
}

bool pen_json_is_object(const pen_json *value)
{
    return json_is_object(value);
}

bool pen_json_is_array(const pen_json *value)
{
    return json_is_array(value);
}

bool pen_json_is_string(const pen_json *value)
{
    return json_is_string(value);
}

static bool special_double(const pen_json *value, double *number)
{
    static const struct {
        const char *text;
        double number;
    } specials[] = {{"nan", (double)NAN}, {"inf", (double)INFINITY}, {"-inf", -(double)INFINITY}};
    const char *text = json_string_value(value);
    for (int i = 0; text != NULL && i < 3; i++) {
        if (strcmp(text, specials[i].text) == 0) {
            *number = specials[i].number;
            return true;
        }
    }
    return false;
}

bool pen_json_is_number(const pen_json *value)
{
    double unused = 0;
    return json_is_number(value) || special_double(value, &unused);
}

bool pen_json_is_int(const pen_json *value)
{
    return json_is_integer(value);
}

bool pen_json_is_bool(const pen_json *value)
{
    return json_is_boolean(value);
}

bool pen_json_is_null(const pen_json *value)
{
    return json_is_null(value);
}

const char *pen_json_string_or(const pen_json *value, const char *fallback)
{
    return json_is_string(value) ? json_string_value(value) : fallback;
}

size_t pen_json_string_size(const pen_json *value)
{
    return json_is_string(value) ? json_string_length(value) : 0;
}

int64_t pen_json_int_or(const pen_json *value, int64_t fallback)
{
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}

double pen_json_number_or(const pen_json *value, double fallback)
{
    double special = 0;
    if (special_double(value, &special)) {
        return special;
    }
    return json_is_number(value) ? json_number_value(value) : fallback;
}

bool pen_json_bool_or(const pen_json *value, bool fallback)
{
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

/* jansson's iterator is a position in its insertion-ordered list; walking from the start would be quadratic, so the
 * position last given is kept beside its object and index. */
bool pen_json_member(const pen_json *object, int64_t index, const char **key, const pen_json **value)
{
    static _Thread_local struct {
        const pen_json *object;
        int64_t index;
        void *position;
    } last;
    pen_json *shared = json_incref((pen_json *)(uintptr_t)object);
    void *position = NULL;
    if (object != NULL && index > 0 && last.object == object && last.index == index - 1) {
        position = json_object_iter_next(shared, last.position);
    } else {
        position = json_object_iter(shared);
        for (int64_t i = 0; i < index && position != NULL; i++) {
            position = json_object_iter_next(shared, position);
        }
    }
    json_decref(shared);
    last.object = position == NULL ? NULL : object;
    last.index = index;
    last.position = position;
    if (position == NULL) {
        return false;
    }
    *key = json_object_iter_key(position);
    *value = json_object_iter_value(position);
    return true;
}

static const char *kind_name(const pen_json *value)
{
    if (value == NULL) {
        return "nothing";
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
    default:
        return "null";
    }
}

static pen_status need_failed(const char *where, const char *key, const char *expected, const pen_json *found,
                              struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_DATA, "%s: member '%s': expected %s, found %s", where, key, expected, kind_name(found));
}

pen_status pen_json_need_string(const pen_json *object, const char *key, const char *where, const char **value,
                                struct pen_error *err)
{
    const pen_json *found = json_object_get(object, key);
    if (!json_is_string(found)) {
        return need_failed(where, key, "a string", found, err);
    }
    *value = json_string_value(found);
    return PEN_OK;
}

pen_status pen_json_need_int(const pen_json *object, const char *key, const char *where, int64_t *value,
                             struct pen_error *err)
{
    const pen_json *found = json_object_get(object, key);
    if (!json_is_integer(found)) {
        return need_failed(where, key, "an integer", found, err);
    }
    *value = (int64_t)json_integer_value(found);
    return PEN_OK;
}

pen_status pen_json_need_double(const pen_json *object, const char *key, const char *where, double *value,
                                struct pen_error *err)
{
    const pen_json *found = json_object_get(object, key);
    if (!pen_json_is_number(found)) {
        return need_failed(where, key, "a number", found, err);
    }
    *value = pen_json_number_or(found, 0);
    return PEN_OK;
}

pen_status pen_json_need_array(const pen_json *object, const char *key, const char *where, const pen_json **value,
                               struct pen_error *err)
{
    *value = json_object_get(object, key);
    return json_is_array(*value) ? PEN_OK : need_failed(where, key, "an array", *value, err);
}

pen_status pen_json_need_object(const pen_json *object, const char *key, const char *where, const pen_json **value,
                                struct pen_error *err)
{
    *value = json_object_get(object, key);
    return json_is_object(*value) ? PEN_OK : need_failed(where, key, "an object", *value, err);
}

/* Depth counted before jansson recurses: its own limit is far above ours. */
static bool too_deep(const char *text, size_t size_bytes)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < size_bytes; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > DEPTH_LIMIT) {
                return true;
            }
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return false;
}

pen_status pen_json_parse(const char *text, size_t size_bytes, const char *where, pen_json **root,
                          struct pen_error *err)
{
    if (too_deep(text, size_bytes)) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected JSON nested at most %d deep, found more", where, DEPTH_LIMIT);
    }
    json_error_t problem;
    *root = json_loadb(text, size_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &problem);
    if (*root == NULL) {
        char quoted[PEN_QUOTE_BYTES];
        PEN_FAIL(err, PEN_ERR_DATA, "%s:%d:%d: not valid JSON: %s", where, problem.line, problem.column,
                 pen_quote(quoted, problem.text, strlen(problem.text)));
    }
    return PEN_OK;
}

pen_status pen_json_read_file(const char *path, pen_json **root, struct pen_error *err)
{
    struct pen_text text = {0};
    pen_status status = pen_file_read(path, JSON_LIMIT_BYTES, &text, err);
    if (status == PEN_OK) {
        status = pen_json_parse(pen_text_view(&text), text.size_bytes, path, root, err);
    }
    pen_text_deinit(&text);
    return status;
}

pen_status pen_json_write_file(const pen_json *value, const char *path, struct pen_error *err)
{
    struct pen_text text = {0};
    pen_status status = pen_json_print(value, PEN_JSON_INDENT, &text, err);
    if (status == PEN_OK) {
        pen_text_append_char(&text, '\n');
        status = pen_text_check(&text, err);
    }
    if (status == PEN_OK) {
        status = pen_file_write_atomic(path, text.data, text.size_bytes, err);
    }
    pen_text_deinit(&text);
    return status;
}
