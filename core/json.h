/* JSON values (a thin skin over jansson, which only json.c sees).
 *
 * A pen_json is owned by the tree it was put in; only a root is freed, with pen_json_free. Setters take ownership of
 * the value they are given, also when they fail. Building never fails at once: a NULL value (out of memory) put
 * anywhere makes pen_json_print fail, so a builder checks once, at the end. Doubles that JSON cannot hold are written
 * as the strings "nan", "inf" and "-inf" and read back by pen_json_number. */
#ifndef PEN_CORE_JSON_H
#define PEN_CORE_JSON_H

#include "core/text.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct json_t pen_json;

PEN_API pen_json *pen_json_object(void);
PEN_API pen_json *pen_json_array(void);
PEN_API pen_json *pen_json_string(const char *text); /* invalid UTF-8 bytes become U+FFFD */
PEN_API pen_json *pen_json_string_bytes(const char *text, size_t size_bytes);
PEN_API pen_json *pen_json_int(int64_t value);
PEN_API pen_json *pen_json_double(double value);
PEN_API pen_json *pen_json_bool(bool value);
PEN_API pen_json *pen_json_null(void);
PEN_API pen_json *pen_json_copy(const pen_json *value); /* deep */
PEN_API void pen_json_free(pen_json *root);

PEN_API void pen_json_set(pen_json *object, const char *key, pen_json *value);         /* replaces */
PEN_API void pen_json_set_string(pen_json *object, const char *key, const char *text); /* NULL: null */
PEN_API void pen_json_set_int(pen_json *object, const char *key, int64_t value);
PEN_API void pen_json_set_double(pen_json *object, const char *key, double value);
PEN_API void pen_json_set_bool(pen_json *object, const char *key, bool value);
PEN_API void pen_json_push(pen_json *array, pen_json *value);

/* Borrowed; NULL when absent or of another type. The lenient getters return the fallback then. */
PEN_API const pen_json *pen_json_get(const pen_json *object, const char *key);
PEN_API pen_json *pen_json_edit(pen_json *object, const char *key);
PEN_API int64_t pen_json_size(const pen_json *array_or_object);
PEN_API const pen_json *pen_json_at(const pen_json *array, int64_t index);
PEN_API bool pen_json_is_object(const pen_json *value);
PEN_API bool pen_json_is_array(const pen_json *value);
PEN_API bool pen_json_is_string(const pen_json *value);
PEN_API bool pen_json_is_number(const pen_json *value);
PEN_API bool pen_json_is_int(const pen_json *value);
PEN_API bool pen_json_is_bool(const pen_json *value);
PEN_API bool pen_json_is_null(const pen_json *value);
PEN_API const char *pen_json_string_or(const pen_json *value, const char *fallback);
PEN_API size_t pen_json_string_size(const pen_json *value); /* bytes; strings may hold NUL */
PEN_API int64_t pen_json_int_or(const pen_json *value, int64_t fallback);
PEN_API double pen_json_number_or(const pen_json *value, double fallback);
PEN_API bool pen_json_bool_or(const pen_json *value, bool fallback);

/* Members in insertion order: for (i = 0; pen_json_member(object, i, &key, &value); i++). O(1) a step. */
PEN_API bool pen_json_member(const pen_json *object, int64_t index, const char **key, const pen_json **value);

/* Required members: the error names `where` (a file, say), the key and the type found. */
PEN_API PEN_MUST_USE pen_status pen_json_need_string(const pen_json *object, const char *key, const char *where,
                                                     const char **value, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_json_need_int(const pen_json *object, const char *key, const char *where,
                                                  int64_t *value, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_json_need_double(const pen_json *object, const char *key, const char *where,
                                                     double *value, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_json_need_array(const pen_json *object, const char *key, const char *where,
                                                    const pen_json **value, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_json_need_object(const pen_json *object, const char *key, const char *where,
                                                     const pen_json **value, struct pen_error *err);

/* Strict: one value, no duplicate keys, no trailing bytes, depth at most 64; errors name `where`, line and column. */
PEN_API PEN_MUST_USE pen_status pen_json_parse(const char *text, size_t size_bytes, const char *where, pen_json **root,
                                               struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_json_read_file(const char *path, pen_json **root, struct pen_error *err);

/* What differs, one text a difference, as an array of strings: "options.steps: 100 -> 200", of two SHA-256 digests
 * "inputs.model: other content". Either may be NULL. */
PEN_API pen_json *pen_json_differences(const pen_json *before, const pen_json *after);

enum pen_json_style {
    PEN_JSON_COMPACT,  /* one line, insertion order */
    PEN_JSON_INDENT,   /* two spaces, insertion order, for people */
    PEN_JSON_CANONICAL /* one line, sorted keys: what is hashed */
};
PEN_API PEN_MUST_USE pen_status pen_json_print(const pen_json *value, enum pen_json_style style, struct pen_text *out,
                                               struct pen_error *err);
/* Indented, plus a newline, published atomically. */
PEN_API PEN_MUST_USE pen_status pen_json_write_file(const pen_json *value, const char *path, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
