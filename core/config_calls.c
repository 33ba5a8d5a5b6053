/* Expressions as plain YAML values.
 *
 * People write `company: vocab(company, top_k: 1000)`; YAML reads ": " inside a plain value as another key, and a
 * backquote as an error. Before libyaml sees the text, such values get single quotes. Only block values on one line
 * are touched: nothing inside flow collections, quoted values or block scalars. */
#include "core/config_internal.h"

#include <string.h>

struct scan {
    int flow_depth;    /* open [ and { so far */
    long block_indent; /* lines indented deeper belong to a | or > value; -1: none */
};

static size_t indent_of(const char *line, size_t size)
{
    size_t i = 0;
    while (i < size && line[i] == ' ') {
        i++;
    }
    return i;
}

/* Where a value starts after "key: " (and list dashes), or 0 when the line has none. */
static size_t value_start(const char *line, size_t size)
{
    size_t i = indent_of(line, size);
    while (i + 1 < size && line[i] == '-' && line[i + 1] == ' ') {
        i += 2;
        i += indent_of(line + i, size - i);
    }
    if (i == size || strchr("\"'#[{|>&*!%@`", line[i]) != NULL) {
        return 0;
    }
    for (; i + 1 < size; i++) {
        if (line[i] == '#' && line[i - (i > 0)] == ' ') {
            return 0;
        }
        if (line[i] == ':' && line[i + 1] == ' ') {
            i += 2;
            i += indent_of(line + i, size - i);
            return i < size ? i : 0;
        }
    }
    return 0;
}

/* End of the value: before a comment or trailing space; quotes and backquotes hide '#'. */
static size_t value_end(const char *line, size_t start, size_t size)
{
    char quote = '\0';
    size_t end = size;
    for (size_t i = start; i < size; i++) {
        char c = line[i];
        if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'' || c == '`') {
            quote = c;
        } else if (c == '#' && i > start && line[i - 1] == ' ') {
            end = i;
            break;
        }
    }
    while (end > start && (line[end - 1] == ' ' || line[end - 1] == '\r' || line[end - 1] == '\t')) {
        end--;
    }
    return end;
}

static bool wants_quotes(const char *value, size_t size)
{
    if (size == 0 || strchr("\"'[{|>&*!%@#", value[0]) != NULL) {
        return false;
    }
    if (value[0] == '`') {
        return true;
    }
    if (memchr(value, '(', size) == NULL) {
        return false;
    }
    for (size_t i = 0; i + 1 < size; i++) {
        if ((value[i] == ':' && value[i + 1] == ' ') || (value[i] == ' ' && value[i + 1] == '#')) {
            return true;
        }
    }
    return false;
}

/* Follows [ ] { } outside quotes and comments, and notices the start of a block scalar. */
static void follow(struct scan *scan, const char *line, size_t start, size_t size)
{
    char quote = '\0';
    for (size_t i = 0; i < size; i++) {
        char c = line[i];
        if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
        } else if ((c == '"' || c == '\'') && (i == 0 || strchr(" ,[{:", line[i - 1]) != NULL)) {
            quote = c;
        } else if (c == '#' && (i == 0 || line[i - 1] == ' ')) {
            break;
        } else if ((c == '[' || c == '{') && (scan->flow_depth > 0 || i == start)) {
            scan->flow_depth++;
        } else if ((c == ']' || c == '}') && scan->flow_depth > 0) {
            scan->flow_depth--;
        }
    }
    if (scan->flow_depth == 0 && start > 0 && (line[start] == '|' || line[start] == '>')) {
        scan->block_indent = (long)indent_of(line, size);
    }
}

static void append_quoted(const char *value, size_t size, struct pen_text *out)
{
    pen_text_append_char(out, '\'');
    for (size_t i = 0; i < size; i++) {
        if (value[i] == '\'') {
            pen_text_append_char(out, '\'');
        }
        pen_text_append_char(out, value[i]);
    }
    pen_text_append_char(out, '\'');
}

void pen_config_quote_calls(const char *text, size_t size_bytes, bool *lines, int64_t n_lines, struct pen_text *out)
{
    struct scan scan = {0, -1};
    size_t at = 0;
    for (int64_t number = 0; at < size_bytes && number < n_lines; number++) {
        const char *line = text + at;
        const char *newline = memchr(line, '\n', size_bytes - at);
        size_t size = newline == NULL ? size_bytes - at : (size_t)(newline - line);
        size_t whole = newline == NULL ? size : size + 1;
        size_t indent = indent_of(line, size);
        bool in_block = scan.block_indent >= 0 && (indent == size || (long)indent > scan.block_indent);
        size_t start = 0;
        size_t end = 0;
        if (!in_block) {
            scan.block_indent = -1;
            start = scan.flow_depth == 0 ? value_start(line, size) : 0;
            end = start > 0 ? value_end(line, start, size) : 0;
        }
        if (start > 0 && wants_quotes(line + start, end - start)) {
            lines[number] = true;
            pen_text_append_bytes(out, line, start);
            append_quoted(line + start, end - start, out);
            pen_text_append_bytes(out, line + end, whole - end);
        } else {
            pen_text_append_bytes(out, line, whole);
            if (!in_block) {
                follow(&scan, line, start, size);
            }
        }
        at += whole;
    }
}
