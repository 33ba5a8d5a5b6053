/* Text: a growing buffer, strict number parsing and printing, near names and safe quoting for messages. */
#ifndef PEN_CORE_TEXT_H
#define PEN_CORE_TEXT_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A growing, always NUL-terminated buffer; zero-initialise. Appending never fails at once: `failed` is set when
 * memory ran out and pen_text_check reports it, so that a writer of many pieces checks once. */
struct pen_text {
    char *data; /* NULL while empty */
    size_t size_bytes;
    size_t capacity;
    bool failed;
};

PEN_API void pen_text_append(struct pen_text *text, const char *string);
PEN_API void pen_text_append_bytes(struct pen_text *text, const char *bytes, size_t size_bytes);
PEN_API void pen_text_append_char(struct pen_text *text, char c);
PEN_API void pen_text_printf(struct pen_text *text, const char *format, ...) PEN_PRINTF(2, 3);
PEN_API PEN_MUST_USE pen_status pen_text_check(const struct pen_text *text, struct pen_error *err);
PEN_API const char *pen_text_view(const struct pen_text *text); /* "" while empty */
PEN_API void pen_text_reset(struct pen_text *text);             /* empty, keeps its memory */
PEN_API void pen_text_deinit(struct pen_text *text);

/* The whole of [text, text + size) as a decimal int64 / a double (strtod's decimal forms, nan, inf, infinity in any
 * case; no hex, no surrounding spaces). False when it is not one, or an integer does not fit. */
PEN_API bool pen_parse_int64(const char *text, size_t size_bytes, int64_t *value);
PEN_API bool pen_parse_double(const char *text, size_t size_bytes, double *value);
/* The whole as a time of at most 1e9 seconds: "90s", "15m", "2h", "30d", or a number of seconds. */
PEN_API bool pen_parse_duration(const char *text, size_t size_bytes, double *seconds);

/* The shortest decimal that reads back as the same double: 0.1, 3, 1e+30, nan, inf, -inf. At most 32 bytes. */
enum { PEN_NUMBER_BYTES = 32 };
PEN_API const char *pen_format_double(char out[PEN_NUMBER_BYTES], double value);

/* The candidate nearest to `name` (edit distance at most a third of its length, at least 1, upper and lower case
 * alike; two neighbours swapped are one edit), else the first that begins with it, or NULL: for "did you mean". */
PEN_API const char *pen_nearest_name(const char *name, const char *const *candidates, int64_t n_candidates);

/* At most 80 bytes of text for a message, control bytes and invalid UTF-8 escaped as \xNN, "..." when cut. */
enum { PEN_QUOTE_BYTES = 360 };
PEN_API const char *pen_quote(char out[PEN_QUOTE_BYTES], const char *text, size_t size_bytes);

/* Offset of the first invalid UTF-8 byte (overlong forms and surrogates included), or size_bytes when all is valid. */
PEN_API size_t pen_utf8_valid_prefix(const char *text, size_t size_bytes);

/* Names of features, nodes, splits: [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}. */
PEN_API bool pen_is_plain_name(const char *name);

#ifdef __cplusplus
}
#endif

#endif
