/* The tokens of the transform language, one at a time. */
#ifndef PEN_COMPONENTS_TRANSFORM_LANGUAGE_LEXER_H
#define PEN_COMPONENTS_TRANSFORM_LANGUAGE_LEXER_H

#include "components/transform/language/syntax.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_token_kind {
    PEN_TOKEN_END,
    PEN_TOKEN_INT,
    PEN_TOKEN_FLOAT,
    PEN_TOKEN_STRING,
    PEN_TOKEN_NAME,   /* identifier or word of the language */
    PEN_TOKEN_QUOTED, /* a column in backquotes */
    PEN_TOKEN_SYMBOL  /* operator or punctuation; text has it */
};

struct pen_token {
    enum pen_token_kind kind;
    const char *text;
    size_t size_bytes;
    int64_t offset, end;
    int64_t integer;
    double number;
};

struct pen_lexer {
    struct pen_arena *arena; /* of strings with their escapes undone */
    const struct pen_syntax_source *source;
    struct pen_token token; /* the current one */
    int64_t position;       /* behind it */
    struct pen_error *err;
};

PEN_MUST_USE pen_status pen_lexer_next(struct pen_lexer *lexer);
/* and or not true false if */
bool pen_lexer_is_word(const char *text, size_t size_bytes);

#ifdef __cplusplus
}
#endif

#endif
