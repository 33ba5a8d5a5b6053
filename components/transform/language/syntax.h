/* The transform language as text: lexer and parser, from an expression to a tree.
 *
 *   expression := or;  or := and ('or' and)*;  and := not ('and' not)*;  not := 'not' not | comparison
 *   comparison := sum (('==' | '!=' | '<' | '<=' | '>' | '>=') sum)?
 *   sum := term (('+' | '-') term)*;  term := unary (('*' | '/' | '%') unary)*;  unary := '-' unary | primary
 *   primary := number | string | 'true' | 'false' | column | call | '(' expression ')' | '[' list ']'
 *   call := name '(' [argument (',' argument)*] ')';  argument := [name ':'] expression
 *   column := identifier | '`' any name, backquotes doubled '`'
 *
 * Strings stand in '...' or "..." with the escapes \\ \' \" \n \r \t. Nesting is limited to 64 levels and a tree to
 * 256, so no input can exhaust the stack. Errors are one line and point at the character. */
#ifndef PEN_COMPONENTS_TRANSFORM_LANGUAGE_SYNTAX_H
#define PEN_COMPONENTS_TRANSFORM_LANGUAGE_SYNTAX_H

#include "core/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PEN_SYNTAX_MAX_NESTING = 64,
    PEN_SYNTAX_MAX_DEPTH = 256,
    PEN_SYNTAX_MAX_BYTES = 65536,
    PEN_SYNTAX_MAX_ARGUMENTS = 4096
};

enum pen_syntax_kind {
    PEN_SYNTAX_INT,
    PEN_SYNTAX_FLOAT,
    PEN_SYNTAX_STRING,
    PEN_SYNTAX_BOOL,
    PEN_SYNTAX_COLUMN,
    PEN_SYNTAX_UNARY,  /* text: "-" or "not" */
    PEN_SYNTAX_BINARY, /* text: the operator */
    PEN_SYNTAX_CALL,   /* text: the function's name */
    PEN_SYNTAX_LIST    /* [a, b, ...] */
};

struct pen_syntax {
    enum pen_syntax_kind kind;
    const char *text; /* COLUMN, STRING, UNARY, BINARY, CALL */
    int64_t integer;  /* INT; BOOL: 0 or 1 */
    double number;    /* FLOAT, and INT's value */
    int64_t offset;   /* of its first (an operator's own) character in the text */
    int depth;        /* 1 for a leaf */
    int64_t n_children;
    const struct pen_syntax **children;
    const char **options; /* CALL: options[i] is the name given to children[i], or NULL */
};

/* Where an expression stands, for messages: "file:line:column: what: ...". line 0: only "file: what: ...". */
struct pen_syntax_source {
    const char *text;
    const char *file;
    int line, column; /* of the text's first character, from 1 */
    const char *what; /* "feature 'miles'", "label" */
};

/* The tree lives in the arena. */
PEN_MUST_USE pen_status pen_syntax_parse(struct pen_arena *arena, const struct pen_syntax_source *source,
                                         const struct pen_syntax **root, struct pen_error *err);

/* "pipeline.yaml:14:23: feature 'miles': <message> (at 'trip_mile)' in 'zscore(trip_mile)')" */
pen_status pen_syntax_error(const struct pen_syntax_source *source, int64_t offset, struct pen_error *err,
                            const char *format, ...) PEN_PRINTF(4, 5);

/* Can it stand as a column without backquotes: [A-Za-z_][A-Za-z0-9_]*, and no word of the language. */
bool pen_syntax_is_identifier(const char *name);

#ifdef __cplusplus
}
#endif

#endif
