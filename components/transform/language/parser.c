/* Lexer and recursive-descent parser of the transform language: the grammar is in syntax.h.
 *
 * One token of lookahead, and one more where a name may be an option (`top_k:`) or a call (`vocab(`). Every rule
 * that can recurse counts the nesting; chains of operators are loops, whose trees are limited by their depth. */
#include "components/transform/language/syntax.h"
#include "core/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum token_kind {
    TOKEN_END,
    TOKEN_INT,
    TOKEN_FLOAT,
    TOKEN_STRING,
    TOKEN_NAME,   /* identifier or word of the language */
    TOKEN_QUOTED, /* a column in backquotes */
    TOKEN_SYMBOL  /* operator or punctuation; text has it */
};

struct token {
    enum token_kind kind;
    const char *text;
    size_t size_bytes;
    int64_t offset, end;
    int64_t integer;
    double number;
};

struct parser {
    struct pen_arena *arena;
    const struct pen_syntax_source *source;
    struct token token; /* the current one */
    int64_t position;   /* behind it */
    int nesting;
    struct pen_error *err;
};

static pen_status parse_or(struct parser *p, const struct pen_syntax **out);

static bool is_name_start(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(const char *text, size_t size_bytes)
{
    static const char *const words[] = {"and", "or", "not", "true", "false", "if"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i]) == size_bytes && memcmp(words[i], text, size_bytes) == 0) {
            return true;
        }
    }
    return false;
}

bool pen_syntax_is_identifier(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || !is_name_start(name[0]) || is_word(name, size)) {
        return false;
    }
    for (size_t i = 1; i < size; i++) {
        if (!is_name_start(name[i]) && !is_digit(name[i])) {
            return false;
        }
    }
    return true;
}

pen_status pen_syntax_error(const struct pen_syntax_source *source, int64_t offset, struct pen_error *err,
                            const char *format, ...)
{
    char message[PEN_ERROR_MESSAGE_BYTES / 2];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    char place[48] = "";
    if (source->line > 0) {
        (void)snprintf(place, sizeof place, "%d:%lld:", source->line, (long long)source->column + (long long)offset);
    }
    char whole[PEN_QUOTE_BYTES], rest[PEN_QUOTE_BYTES];
    size_t size = strlen(source->text);
    size_t left = size - (size_t)offset;
    if (left == 0) {
        return pen_error_set(err, __FILE__, __LINE__, PEN_ERR_CONFIG, "%s:%s %s: %s (at the end of '%s')", source->file,
                             place, source->what, message, pen_quote(whole, source->text, size));
    }
    return pen_error_set(err, __FILE__, __LINE__, PEN_ERR_CONFIG, "%s:%s %s: %s (at '%s' in '%s')", source->file, place,
                         source->what, message, pen_quote(rest, source->text + offset, left < 24 ? left : 24),
                         pen_quote(whole, source->text, size));
}

/* ---- lexer ---- */

static pen_status lex_number(struct parser *p)
{
    const char *text = p->source->text;
    int64_t start = p->position, end = start;
    bool whole = true;
    while (is_digit(text[end])) {
        end++;
    }
    if (text[end] == '.') {
        whole = false;
        end++;
        while (is_digit(text[end])) {
            end++;
        }
    }
    if (text[end] == 'e' || text[end] == 'E') {
        int64_t digits = end + 1 + (text[end + 1] == '+' || text[end + 1] == '-');
        if (is_digit(text[digits])) {
            whole = false;
            end = digits;
            while (is_digit(text[end])) {
                end++;
            }
        }
    }
    char quoted[PEN_QUOTE_BYTES];
    size_t size = (size_t)(end - start);
    if (is_name_start(text[end])) {
        return pen_syntax_error(p->source, start, p->err, "expected a number, found '%s'",
                                pen_quote(quoted, text + start, size + 1));
    }
    p->token.kind = whole ? TOKEN_INT : TOKEN_FLOAT;
    if (!pen_parse_double(text + start, size, &p->token.number) || !isfinite(p->token.number)) {
        return pen_syntax_error(p->source, start, p->err, "expected a number a double can hold, found '%s'",
                                pen_quote(quoted, text + start, size));
    }
    if (whole && !pen_parse_int64(text + start, size, &p->token.integer)) {
        p->token.kind = TOKEN_FLOAT; /* beyond int64 */
    }
    p->position = end;
    return PEN_OK;
}

/* A string in ' or ", with escapes, or a column in `, doubled inside. */
static pen_status lex_quoted(struct parser *p)
{
    const char *text = p->source->text;
    char quote = text[p->position];
    int64_t i = p->position + 1;
    char *out = pen_arena_alloc(p->arena, (int64_t)strlen(text + i) + 1, 1);
    if (out == NULL) {
        PEN_FAIL(p->err, PEN_ERR_MEMORY, "out of memory: parsing an expression");
    }
    size_t n = 0;
    for (;; i++) {
        if (text[i] == '\0') {
            return pen_syntax_error(p->source, p->position, p->err, "expected a closing %c", quote);
        }
        if (text[i] == quote) {
            if (quote != '`' || text[i + 1] != '`') {
                break;
            }
            i++;
        } else if (text[i] == '\\' && quote != '`') {
            static const char from[] = "\\'\"nrt", to[] = "\\'\"\n\r\t";
            const char *escape = text[i + 1] == '\0' ? NULL : strchr(from, text[i + 1]);
            if (escape == NULL) {
                return pen_syntax_error(p->source, i, p->err, "expected one of the escapes \\\\ \\' \\\" \\n \\r \\t");
            }
            out[n++] = to[escape - from];
            i++;
            continue;
        }
        out[n++] = text[i];
    }
    if (quote == '`' && n == 0) {
        return pen_syntax_error(p->source, p->position, p->err, "expected the name of a column between backquotes");
    }
    p->token.kind = quote == '`' ? TOKEN_QUOTED : TOKEN_STRING;
    p->token.text = out;
    p->token.size_bytes = n;
    p->position = i + 1;
    return PEN_OK;
}

static pen_status lex_symbol(struct parser *p)
{
    static const char *const symbols[] = {"==", "!=", "<=", ">=", "<", ">", "+", "-", "*",
                                          "/",  "%",  "(",  ")",  "[", "]", ",", ":"};
    const char *at = p->source->text + p->position;
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        size_t size = strlen(symbols[i]);
        if (strncmp(at, symbols[i], size) == 0) {
            p->token.kind = TOKEN_SYMBOL;
            p->token.text = symbols[i];
            p->token.size_bytes = size;
            p->position += (int64_t)size;
            return PEN_OK;
        }
    }
    const char *hint = *at == '='   ? "; equality is written =="
                       : *at == '&' ? "; write 'and'"
                       : *at == '|' ? "; write 'or'"
                       : *at == '!' ? "; write 'not'"
                       : *at == '^' ? "; multiply instead"
                                    : "";
    char quoted[PEN_QUOTE_BYTES];
    size_t size = 1;
    while ((at[size] & 0xC0) == 0x80) {
        size++;
    }
    return pen_syntax_error(p->source, p->position, p->err, "unexpected character '%s'%s", pen_quote(quoted, at, size),
                            hint);
}

static pen_status next(struct parser *p)
{
    const char *text = p->source->text;
    while (text[p->position] == ' ' || text[p->position] == '\t' || text[p->position] == '\n' ||
           text[p->position] == '\r') {
        p->position++;
    }
    p->token = (struct token){.offset = p->position};
    char c = text[p->position];
    pen_status status = PEN_OK;
    if (c == '\0') {
        p->token.kind = TOKEN_END;
    } else if (is_digit(c) || (c == '.' && is_digit(text[p->position + 1]))) {
        status = lex_number(p);
    } else if (c == '\'' || c == '"' || c == '`') {
        status = lex_quoted(p);
    } else if (is_name_start(c)) {
        int64_t end = p->position;
        while (is_name_start(text[end]) || is_digit(text[end])) {
            end++;
        }
        p->token.kind = TOKEN_NAME;
        p->token.text = text + p->position;
        p->token.size_bytes = (size_t)(end - p->position);
        p->position = end;
    } else {
        status = lex_symbol(p);
    }
    p->token.end = p->position;
    return status;
}

/* ---- parser ---- */

static bool at_symbol(const struct parser *p, const char *symbol)
{
    return p->token.kind == TOKEN_SYMBOL && strcmp(p->token.text, symbol) == 0;
}

static bool at_word(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_NAME && p->token.size_bytes == strlen(word) &&
           memcmp(p->token.text, word, p->token.size_bytes) == 0;
}

static pen_status unexpected(const struct parser *p, const char *wanted)
{
    char quoted[PEN_QUOTE_BYTES];
    if (p->token.kind == TOKEN_END) {
        return pen_syntax_error(p->source, p->token.offset, p->err, "expected %s, found the end", wanted);
    }
    return pen_syntax_error(
        p->source, p->token.offset, p->err, "expected %s, found '%s'", wanted,
        pen_quote(quoted, p->source->text + p->token.offset, (size_t)(p->token.end - p->token.offset)));
}

static pen_status expect(struct parser *p, const char *symbol, const char *wanted)
{
    if (!at_symbol(p, symbol)) {
        return unexpected(p, wanted);
    }
    return next(p);
}

static pen_status make(struct parser *p, enum pen_syntax_kind kind, int64_t offset, struct pen_syntax **out)
{
    *out = pen_arena_alloc(p->arena, 1, sizeof **out);
    if (*out == NULL) {
        PEN_FAIL(p->err, PEN_ERR_MEMORY, "out of memory: parsing an expression");
    }
    (*out)->kind = kind;
    (*out)->offset = offset;
    (*out)->depth = 1;
    return PEN_OK;
}

static pen_status adopt(struct parser *p, struct pen_syntax *node, const struct pen_syntax *const *children,
                        int64_t n_children)
{
    const struct pen_syntax **copy = pen_arena_alloc(p->arena, n_children + 1, sizeof *copy);
    if (copy == NULL) {
        PEN_FAIL(p->err, PEN_ERR_MEMORY, "out of memory: parsing an expression");
    }
    for (int64_t i = 0; i < n_children; i++) {
        copy[i] = children[i];
        node->depth = children[i]->depth >= node->depth ? children[i]->depth + 1 : node->depth;
    }
    node->children = copy;
    node->n_children = n_children;
    if (node->depth > PEN_SYNTAX_MAX_DEPTH) {
        return pen_syntax_error(p->source, node->offset, p->err, "expected at most %d operators one after another",
                                PEN_SYNTAX_MAX_DEPTH);
    }
    return PEN_OK;
}

static pen_status enter(struct parser *p)
{
    if (++p->nesting > PEN_SYNTAX_MAX_NESTING) {
        return pen_syntax_error(p->source, p->token.offset, p->err, "expected at most %d levels of nesting",
                                PEN_SYNTAX_MAX_NESTING);
    }
    return PEN_OK;
}

static bool at_option_name(const struct parser *p)
{
    if (p->token.kind != TOKEN_NAME) {
        return false;
    }
    const char *after = p->source->text + p->position;
    while (*after == ' ' || *after == '\t') {
        after++;
    }
    return *after == ':';
}

/* Arguments up to the closing symbol; named ones only in calls. */
static pen_status parse_arguments(struct parser *p, struct pen_syntax *node, const char *close, bool is_call)
{
    const struct pen_syntax **items = NULL;
    const char **names = NULL;
    int64_t n = 0, capacity = 0;
    PEN_TRY(enter(p));
    while (!at_symbol(p, close)) {
        if (n == capacity) {
            int64_t larger = capacity == 0 ? 8 : 2 * capacity;
            const struct pen_syntax **grown = pen_arena_alloc(p->arena, larger, sizeof *grown);
            const char **grown_names = pen_arena_alloc(p->arena, larger, sizeof *grown_names);
            if (grown == NULL || grown_names == NULL) {
                PEN_FAIL(p->err, PEN_ERR_MEMORY, "out of memory: parsing an expression");
            }
            for (int64_t i = 0; i < n; i++) {
                grown[i] = items[i];
                grown_names[i] = names[i];
            }
            items = grown;
            names = grown_names;
            capacity = larger;
        }
        if (n == PEN_SYNTAX_MAX_ARGUMENTS) {
            return pen_syntax_error(p->source, p->token.offset, p->err, "expected at most %d items",
                                    PEN_SYNTAX_MAX_ARGUMENTS);
        }
        if (is_call && at_option_name(p)) {
            names[n] = pen_arena_strndup(p->arena, p->token.text, p->token.size_bytes);
            PEN_TRY(next(p));
            PEN_TRY(next(p));
        }
        PEN_TRY(parse_or(p, &items[n]));
        n++;
        if (!at_symbol(p, ",")) {
            break;
        }
        PEN_TRY(next(p));
        if (at_symbol(p, close)) {
            return unexpected(p, is_call ? "an argument" : "an item");
        }
    }
    PEN_TRY(expect(p, close, is_call ? "',' or ')'" : "',' or ']'"));
    p->nesting--;
    node->options = names;
    return adopt(p, node, items, n);
}

static pen_status parse_name(struct parser *p, const struct pen_syntax **out)
{
    struct token name = p->token;
    struct pen_syntax *node = NULL;
    bool truth = at_word(p, "true"), is_if = at_word(p, "if");
    if (truth || at_word(p, "false")) {
        PEN_TRY(make(p, PEN_SYNTAX_BOOL, name.offset, &node));
        node->integer = truth;
        *out = node;
        return next(p);
    }
    if (!is_if && is_word(name.text, name.size_bytes)) {
        return unexpected(p, "a value");
    }
    PEN_TRY(next(p));
    bool is_call = at_symbol(p, "(");
    if (is_if && !is_call) {
        return unexpected(p, "'(' after 'if'");
    }
    PEN_TRY(make(p, is_call ? PEN_SYNTAX_CALL : PEN_SYNTAX_COLUMN, name.offset, &node));
    node->text = pen_arena_strndup(p->arena, name.text, name.size_bytes);
    if (node->text == NULL) {
        PEN_FAIL(p->err, PEN_ERR_MEMORY, "out of memory: parsing an expression");
    }
    if (is_call) {
        PEN_TRY(next(p));
        PEN_TRY(parse_arguments(p, node, ")", true));
    }
    *out = node;
    return PEN_OK;
}

static pen_status parse_primary(struct parser *p, const struct pen_syntax **out)
{
    struct pen_syntax *node = NULL;
    struct token token = p->token;
    switch (token.kind) {
    case TOKEN_INT:
    case TOKEN_FLOAT:
        PEN_TRY(make(p, token.kind == TOKEN_INT ? PEN_SYNTAX_INT : PEN_SYNTAX_FLOAT, token.offset, &node));
        node->integer = token.integer;
        node->number = token.number;
        break;
    case TOKEN_STRING:
    case TOKEN_QUOTED:
        PEN_TRY(make(p, token.kind == TOKEN_STRING ? PEN_SYNTAX_STRING : PEN_SYNTAX_COLUMN, token.offset, &node));
        node->text = token.text;
        break;
    case TOKEN_NAME:
        return parse_name(p, out);
    case TOKEN_SYMBOL:
    case TOKEN_END:
        if (at_symbol(p, "(")) {
            PEN_TRY(enter(p));
            PEN_TRY(next(p));
            PEN_TRY(parse_or(p, out));
            PEN_TRY(expect(p, ")", "')'"));
            p->nesting--;
            return PEN_OK;
        }
        if (at_symbol(p, "[")) {
            PEN_TRY(make(p, PEN_SYNTAX_LIST, token.offset, &node));
            PEN_TRY(next(p));
            PEN_TRY(parse_arguments(p, node, "]", false));
            *out = node;
            return PEN_OK;
        }
        return unexpected(p, "a value");
    }
    *out = node;
    return next(p);
}

static pen_status parse_unary(struct parser *p, const char *word,
                              pen_status (*inner)(struct parser *, const struct pen_syntax **),
                              const struct pen_syntax **out)
{
    struct pen_syntax *node = NULL;
    PEN_TRY(make(p, PEN_SYNTAX_UNARY, p->token.offset, &node));
    PEN_TRY(enter(p));
    PEN_TRY(next(p));
    const struct pen_syntax *child = NULL;
    PEN_TRY(inner(p, &child));
    p->nesting--;
    node->text = word;
    PEN_TRY(adopt(p, node, &child, 1));
    *out = node;
    return PEN_OK;
}

static pen_status parse_negation(struct parser *p, const struct pen_syntax **out)
{
    return at_symbol(p, "-") ? parse_unary(p, "-", parse_negation, out) : parse_primary(p, out);
}

/* The operator of `level` the parser stands at, or NULL. */
static const char *operator_at(const struct parser *p, int level)
{
    static const char *const operators[][7] = {
        {"or"}, {"and"}, {"==", "!=", "<", "<=", ">", ">="}, {"+", "-"}, {"*", "/", "%"}};
    for (int i = 0; i < 6 && operators[level][i] != NULL; i++) {
        const char *text = operators[level][i];
        if (level <= 1 ? at_word(p, text) : at_symbol(p, text)) {
            return text;
        }
    }
    return NULL;
}

enum { LEVEL_OR, LEVEL_AND, LEVEL_COMPARE, LEVEL_SUM, LEVEL_TERM };

static pen_status parse_level(struct parser *p, int level, const struct pen_syntax **out);

static pen_status parse_not(struct parser *p, const struct pen_syntax **out)
{
    return at_word(p, "not") ? parse_unary(p, "not", parse_not, out) : parse_level(p, LEVEL_COMPARE, out);
}

static pen_status parse_operand(struct parser *p, int level, const struct pen_syntax **out)
{
    return level == LEVEL_TERM  ? parse_negation(p, out)
           : level == LEVEL_AND ? parse_not(p, out)
                                : parse_level(p, level + 1, out);
}

static pen_status parse_level(struct parser *p, int level, const struct pen_syntax **out)
{
    PEN_TRY(parse_operand(p, level, out));
    for (const char *text = operator_at(p, level); text != NULL; text = operator_at(p, level)) {
        const struct pen_syntax *sides[2] = {*out, NULL};
        struct pen_syntax *node = NULL;
        PEN_TRY(make(p, PEN_SYNTAX_BINARY, p->token.offset, &node));
        node->text = text;
        PEN_TRY(next(p));
        PEN_TRY(parse_operand(p, level, &sides[1]));
        PEN_TRY(adopt(p, node, sides, 2));
        *out = node;
        if (level == LEVEL_COMPARE && operator_at(p, level) != NULL) {
            return pen_syntax_error(p->source, p->token.offset, p->err,
                                    "expected one comparison, found a chain; join two with 'and'");
        }
    }
    return PEN_OK;
}

static pen_status parse_or(struct parser *p, const struct pen_syntax **out)
{
    return parse_level(p, LEVEL_OR, out);
}

pen_status pen_syntax_parse(struct pen_arena *arena, const struct pen_syntax_source *source,
                            const struct pen_syntax **root, struct pen_error *err)
{
    struct parser p = {.arena = arena, .source = source, .err = err};
    size_t size = strlen(source->text);
    if (size > PEN_SYNTAX_MAX_BYTES) {
        return pen_syntax_error(source, 0, err, "expected an expression of at most %d bytes, found %zu",
                                PEN_SYNTAX_MAX_BYTES, size);
    }
    PEN_TRY(next(&p));
    if (p.token.kind == TOKEN_END) {
        return pen_syntax_error(source, 0, err, "expected an expression, found nothing");
    }
    PEN_TRY(parse_or(&p, root));
    if (p.token.kind != TOKEN_END) {
        return unexpected(&p, "an operator or the end");
    }
    return PEN_OK;
}
