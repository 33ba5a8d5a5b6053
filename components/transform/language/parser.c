/* Recursive-descent parser of the transform language: the grammar is in syntax.h.
 *
 * One token of lookahead, and one more where a name may be an option (`top_k:`) or a call (`vocab(`). Every rule
 * that can recurse counts the nesting; chains of operators are loops, whose trees are limited by their depth. */
#include "components/transform/language/lexer.h"
#include "components/transform/language/syntax.h"
#include "core/text.h"

#include <string.h>

struct parser {
    struct pen_lexer lexer;
    int nesting;
};

static pen_status parse_or(struct parser *p, const struct pen_syntax **out);

static pen_status next(struct parser *p)
{
    return pen_lexer_next(&p->lexer);
}

static bool at_symbol(const struct parser *p, const char *symbol)
{
    return p->lexer.token.kind == PEN_TOKEN_SYMBOL && strcmp(p->lexer.token.text, symbol) == 0;
}

static bool at_word(const struct parser *p, const char *word)
{
    return p->lexer.token.kind == PEN_TOKEN_NAME && p->lexer.token.size_bytes == strlen(word) &&
           memcmp(p->lexer.token.text, word, p->lexer.token.size_bytes) == 0;
}

static pen_status unexpected(const struct parser *p, const char *wanted)
{
    char quoted[PEN_QUOTE_BYTES];
    if (p->lexer.token.kind == PEN_TOKEN_END) {
        return pen_syntax_error(p->lexer.source, p->lexer.token.offset, p->lexer.err, "expected %s, found the end",
                                wanted);
    }
    return pen_syntax_error(p->lexer.source, p->lexer.token.offset, p->lexer.err, "expected %s, found '%s'", wanted,
                            pen_quote(quoted, p->lexer.source->text + p->lexer.token.offset,
                                      (size_t)(p->lexer.token.end - p->lexer.token.offset)));
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
    *out = pen_arena_alloc(p->lexer.arena, 1, sizeof **out);
    if (*out == NULL) {
        PEN_FAIL(p->lexer.err, PEN_ERR_MEMORY, "out of memory: parsing an expression");
    }
    (*out)->kind = kind;
    (*out)->offset = offset;
    (*out)->depth = 1;
    return PEN_OK;
}

static pen_status adopt(struct parser *p, struct pen_syntax *node, const struct pen_syntax *const *children,
                        int64_t n_children)
{
    const struct pen_syntax **copy = pen_arena_alloc(p->lexer.arena, n_children + 1, sizeof *copy);
    if (copy == NULL) {
        PEN_FAIL(p->lexer.err, PEN_ERR_MEMORY, "out of memory: parsing an expression");
    }
    for (int64_t i = 0; i < n_children; i++) {
        copy[i] = children[i];
        node->depth = children[i]->depth >= node->depth ? children[i]->depth + 1 : node->depth;
    }
    node->children = copy;
    node->n_children = n_children;
    if (node->depth > PEN_SYNTAX_MAX_DEPTH) {
        return pen_syntax_error(p->lexer.source, node->offset, p->lexer.err,
                                "expected at most %d operators one after another", PEN_SYNTAX_MAX_DEPTH);
    }
    return PEN_OK;
}

static pen_status enter(struct parser *p)
{
    if (++p->nesting > PEN_SYNTAX_MAX_NESTING) {
        return pen_syntax_error(p->lexer.source, p->lexer.token.offset, p->lexer.err,
                                "expected at most %d levels of nesting", PEN_SYNTAX_MAX_NESTING);
    }
    return PEN_OK;
}

static bool at_option_name(const struct parser *p)
{
    if (p->lexer.token.kind != PEN_TOKEN_NAME) {
        return false;
    }
    const char *after = p->lexer.source->text + p->lexer.position;
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
            const struct pen_syntax **grown = pen_arena_alloc(p->lexer.arena, larger, sizeof *grown);
            const char **grown_names = pen_arena_alloc(p->lexer.arena, larger, sizeof *grown_names);
            if (grown == NULL || grown_names == NULL) {
                PEN_FAIL(p->lexer.err, PEN_ERR_MEMORY, "out of memory: parsing an expression");
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
            return pen_syntax_error(p->lexer.source, p->lexer.token.offset, p->lexer.err, "expected at most %d items",
                                    PEN_SYNTAX_MAX_ARGUMENTS);
        }
        if (is_call && at_option_name(p)) {
            names[n] = pen_arena_strndup(p->lexer.arena, p->lexer.token.text, p->lexer.token.size_bytes);
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
    struct pen_token name = p->lexer.token;
    struct pen_syntax *node = NULL;
    bool truth = at_word(p, "true"), is_if = at_word(p, "if");
    if (truth || at_word(p, "false")) {
        PEN_TRY(make(p, PEN_SYNTAX_BOOL, name.offset, &node));
        node->integer = truth;
        *out = node;
        return next(p);
    }
    if (!is_if && pen_lexer_is_word(name.text, name.size_bytes)) {
        return unexpected(p, "a value");
    }
    PEN_TRY(next(p));
    bool is_call = at_symbol(p, "(");
    if (is_if && !is_call) {
        return unexpected(p, "'(' after 'if'");
    }
    PEN_TRY(make(p, is_call ? PEN_SYNTAX_CALL : PEN_SYNTAX_COLUMN, name.offset, &node));
    node->text = pen_arena_strndup(p->lexer.arena, name.text, name.size_bytes);
    if (node->text == NULL) {
        PEN_FAIL(p->lexer.err, PEN_ERR_MEMORY, "out of memory: parsing an expression");
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
    struct pen_token token = p->lexer.token;
    switch (token.kind) {
    case PEN_TOKEN_INT:
    case PEN_TOKEN_FLOAT:
        PEN_TRY(make(p, token.kind == PEN_TOKEN_INT ? PEN_SYNTAX_INT : PEN_SYNTAX_FLOAT, token.offset, &node));
        node->integer = token.integer;
        node->number = token.number;
        break;
    case PEN_TOKEN_STRING:
    case PEN_TOKEN_QUOTED:
        PEN_TRY(make(p, token.kind == PEN_TOKEN_STRING ? PEN_SYNTAX_STRING : PEN_SYNTAX_COLUMN, token.offset, &node));
        node->text = token.text;
        break;
    case PEN_TOKEN_NAME:
        return parse_name(p, out);
    case PEN_TOKEN_SYMBOL:
    case PEN_TOKEN_END:
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
    PEN_TRY(make(p, PEN_SYNTAX_UNARY, p->lexer.token.offset, &node));
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
        PEN_TRY(make(p, PEN_SYNTAX_BINARY, p->lexer.token.offset, &node));
        node->text = text;
        PEN_TRY(next(p));
        PEN_TRY(parse_operand(p, level, &sides[1]));
        PEN_TRY(adopt(p, node, sides, 2));
        *out = node;
        if (level == LEVEL_COMPARE && operator_at(p, level) != NULL) {
            return pen_syntax_error(p->lexer.source, p->lexer.token.offset, p->lexer.err,
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
    struct parser p = {.lexer = {.arena = arena, .source = source, .err = err}};
    size_t size = strlen(source->text);
    if (size > PEN_SYNTAX_MAX_BYTES) {
        return pen_syntax_error(source, 0, err, "expected an expression of at most %d bytes, found %zu",
                                PEN_SYNTAX_MAX_BYTES, size);
    }
    PEN_TRY(next(&p));
    if (p.lexer.token.kind == PEN_TOKEN_END) {
        return pen_syntax_error(source, 0, err, "expected an expression, found nothing");
    }
    PEN_TRY(parse_or(&p, root));
    if (p.lexer.token.kind != PEN_TOKEN_END) {
        return unexpected(&p, "an operator or the end");
    }
    return PEN_OK;
}
