/* Quoting. */
#include "orchestrator/export/quote.h"

#include <string.h>

void pen_quote_shell(const char *text, struct pen_text *out)
{
    static const char bare[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+,-";
    size_t size = strlen(text);
    if (size > 0 && strspn(text, bare) == size) {
        pen_text_append(out, text);
        return;
    }
    pen_text_append_char(out, '\'');
    pen_quote_replace(text, "'", "'\\''", out);
    pen_text_append_char(out, '\'');
}

void pen_quote_python(const char *text, struct pen_text *out)
{
    size_t size = strlen(text);
    pen_text_append_char(out, '"');
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') {
            pen_text_append_char(out, '\\');
            pen_text_append_char(out, (char)c);
        } else if (c == '\n') {
            pen_text_append(out, "\\n");
        } else if (c < 0x20 || c == 0x7f) {
            pen_text_printf(out, "\\x%02x", c);
        } else if (c < 0x80) {
            pen_text_append_char(out, (char)c);
        } else {
            size_t n_valid = pen_utf8_valid_prefix(text + i, size - i);
            size_t n = 1;
            while (n < n_valid && ((unsigned char)text[i + n] & 0xc0) == 0x80) {
                n++;
            }
            if (n_valid == 0) {
                pen_text_printf(out, "\\udc%02x", c); /* what os.fsencode turns back into this byte */
            } else {
                pen_text_append_bytes(out, text + i, n);
                i += n - 1;
            }
        }
    }
    pen_text_append_char(out, '"');
}

void pen_quote_python_list(const char *const *texts, int64_t n, struct pen_text *out)
{
    pen_text_append_char(out, '[');
    for (int64_t i = 0; i < n; i++) {
        pen_text_append(out, i == 0 ? "" : ", ");
        pen_quote_python(texts[i], out);
    }
    pen_text_append_char(out, ']');
}

/* Jinja's marks begin with { and one of {%#: the first byte comes from an expression then. */
void pen_quote_jinja(const char *text, struct pen_text *out)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '{' && c[1] != '\0' && strchr("{%#", c[1]) != NULL) {
            pen_text_append(out, "{{ '{' }}");
        } else {
            pen_text_append_char(out, *c);
        }
    }
}

void pen_quote_replace(const char *text, const char *mark, const char *to, struct pen_text *out)
{
    for (const char *next = strstr(text, mark); next != NULL; next = strstr(text, mark)) {
        pen_text_append_bytes(out, text, (size_t)(next - text));
        pen_text_append(out, to);
        text = next + strlen(mark);
    }
    pen_text_append(out, text);
}
