/* The lexer: numbers, strings with escapes, names, symbols. */
#include "components/transform/language/lexer.h"

#include "core/text.h"

#include <math.h>
#include <string.h>

static bool is_name_start(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool pen_lexer_is_word(const char *text, size_t size_bytes)
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
    if (size == 0 || !is_name_start(name[0]) || pen_lexer_is_word(name, size)) {
        return false;
    }
    for (size_t i = 1; i < size; i++) {
        if (!is_name_start(name[i]) && !is_digit(name[i])) {
            return false;
        }
    }
    return true;
}

static pen_status lex_number(struct pen_lexer *l)
{
    const char *text = l->source->text;
    int64_t start = l->position, end = start;
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
        return pen_syntax_error(l->source, start, l->err, "expected a number, found '%s'",
                                pen_quote(quoted, text + start, size + 1));
    }
    l->token.kind = whole ? PEN_TOKEN_INT : PEN_TOKEN_FLOAT;
    if (!pen_parse_double(text + start, size, &l->token.number) || !isfinite(l->token.number)) {
        return pen_syntax_error(l->source, start, l->err, "expected a number a double can hold, found '%s'",
                                pen_quote(quoted, text + start, size));
    }
    if (whole && !pen_parse_int64(text + start, size, &l->token.integer)) {
        l->token.kind = PEN_TOKEN_FLOAT; /* beyond int64 */
    }
    l->position = end;
    return PEN_OK;
}

/* A string in ' or ", with escapes, or a column in `, doubled inside. */
static pen_status lex_quoted(struct pen_lexer *l)
{
    const char *text = l->source->text;
    char quote = text[l->position];
    int64_t i = l->position + 1;
    char *out = pen_arena_alloc(l->arena, (int64_t)strlen(text + i) + 1, 1);
    if (out == NULL) {
        PEN_FAIL(l->err, PEN_ERR_MEMORY, "out of memory: parsing an expression");
    }
    size_t n = 0;
    for (;; i++) {
        if (text[i] == '\0') {
            return pen_syntax_error(l->source, l->position, l->err, "expected a closing %c", quote);
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
                return pen_syntax_error(l->source, i, l->err, "expected one of the escapes \\\\ \\' \\\" \\n \\r \\t");
            }
            out[n++] = to[escape - from];
            i++;
            continue;
        }
        out[n++] = text[i];
    }
    if (quote == '`' && n == 0) {
        return pen_syntax_error(l->source, l->position, l->err, "expected the name of a column between backquotes");
    }
    l->token.kind = quote == '`' ? PEN_TOKEN_QUOTED : PEN_TOKEN_STRING;
    l->token.text = out;
    l->token.size_bytes = n;
    l->position = i + 1;
    return PEN_OK;
}

static pen_status lex_symbol(struct pen_lexer *l)
{
    static const char *const symbols[] = {"==", "!=", "<=", ">=", "<", ">", "+", "-", "*",
                                          "/",  "%",  "(",  ")",  "[", "]", ",", ":"};
    const char *at = l->source->text + l->position;
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        size_t size = strlen(symbols[i]);
        if (strncmp(at, symbols[i], size) == 0) {
            l->token.kind = PEN_TOKEN_SYMBOL;
            l->token.text = symbols[i];
            l->token.size_bytes = size;
            l->position += (int64_t)size;
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
    return pen_syntax_error(l->source, l->position, l->err, "unexpected character '%s'%s", pen_quote(quoted, at, size),
                            hint);
}

pen_status pen_lexer_next(struct pen_lexer *l)
{
    const char *text = l->source->text;
    while (text[l->position] == ' ' || text[l->position] == '\t' || text[l->position] == '\n' ||
           text[l->position] == '\r') {
        l->position++;
    }
    l->token = (struct pen_token){.offset = l->position};
    char c = text[l->position];
    pen_status status = PEN_OK;
    if (c == '\0') {
        l->token.kind = PEN_TOKEN_END;
    } else if (is_digit(c) || (c == '.' && is_digit(text[l->position + 1]))) {
        status = lex_number(l);
    } else if (c == '\'' || c == '"' || c == '`') {
        status = lex_quoted(l);
    } else if (is_name_start(c)) {
        int64_t end = l->position;
        while (is_name_start(text[end]) || is_digit(text[end])) {
            end++;
        }
        l->token.kind = PEN_TOKEN_NAME;
        l->token.text = text + l->position;
        l->token.size_bytes = (size_t)(end - l->position);
        l->position = end;
    } else {
        status = lex_symbol(l);
    }
    l->token.end = l->position;
    return status;
}
