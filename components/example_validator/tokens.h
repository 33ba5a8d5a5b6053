/* Tokens of a text, by the rule of the transform language's tokens(): runs of letters, digits and bytes from 0x80 on.
 */
#ifndef PEN_COMPONENTS_EXAMPLE_VALIDATOR_TOKENS_H
#define PEN_COMPONENTS_EXAMPLE_VALIDATOR_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pen_tokens {
    const char *text;
    size_t size_bytes, at;
};

static inline bool pen_is_token_byte(char c)
{
    unsigned char byte = (unsigned char)c;
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte >= 0x80;
}

/* The next token, as a part of the text; false at its end. */
static inline bool pen_tokens_next(struct pen_tokens *tokens, const char **token, size_t *size_bytes)
{
    while (tokens->at < tokens->size_bytes && !pen_is_token_byte(tokens->text[tokens->at])) {
        tokens->at++;
    }
    *token = tokens->text + tokens->at;
    while (tokens->at < tokens->size_bytes && pen_is_token_byte(tokens->text[tokens->at])) {
        tokens->at++;
    }
    *size_bytes = (size_t)(tokens->text + tokens->at - *token);
    return *size_bytes > 0;
}

/* Characters of UTF-8 text; bytes that continue one do not count. */
static inline int64_t pen_count_characters(const char *text, size_t size_bytes)
{
    int64_t n = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        n += ((unsigned char)text[i] & 0xC0) != 0x80;
    }
    return n;
}

#endif
