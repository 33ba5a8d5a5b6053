/* Vocabulary files: the format is in graph_file.h. */
#include "components/transform/graph_file.h"

#include "core/files.h"
#include "core/text.h"

#include <string.h>

enum { MAX_VOCABULARY_BYTES = 1 << 30 };

pen_status pen_vocabulary_write(const struct pen_string_table *table, const char *path, struct pen_error *err)
{
    struct pen_text text = {0};
    for (int64_t i = 0; i < pen_string_table_size(table); i++) {
        size_t size = 0;
        const char *entry = pen_string_table_text(table, i, &size);
        for (size_t k = 0; k < size; k++) {
            char c = entry[k];
            if (c == '\\' || c == '\n' || c == '\r') {
                pen_text_append_char(&text, '\\');
                c = (char)(c == '\n' ? 'n' : c == '\r' ? 'r' : '\\');
            }
            pen_text_append_char(&text, c);
        }
        pen_text_append_char(&text, '\n');
    }
    pen_status status = pen_text_check(&text, err);
    status = status == PEN_OK ? pen_file_write_atomic(path, pen_text_view(&text), text.size_bytes, err) : status;
    pen_text_deinit(&text);
    return status;
}

/* One line of a vocabulary file with its escapes undone, in place. */
static bool unescape(char *line, size_t size, size_t *out_size)
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        if (line[i] == '\\') {
            i++;
            if (i == size || (line[i] != '\\' && line[i] != 'n' && line[i] != 'r')) {
                return false;
            }
            line[n++] = (char)(line[i] == 'n' ? '\n' : line[i] == 'r' ? '\r' : '\\');
        } else {
            line[n++] = line[i];
        }
    }
    *out_size = n;
    return true;
}

static pen_status read_lines(const char *path, struct pen_text *text, struct pen_string_table *table,
                             struct pen_error *err)
{
    int64_t line_number = 1;
    for (size_t at = 0; at < text->size_bytes; line_number++) {
        char *line = text->data + at;
        char *end = memchr(line, '\n', text->size_bytes - at);
        if (end == NULL) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s line %lld: expected a newline at its end; the file is cut short", path,
                     (long long)line_number);
        }
        size_t size = 0;
        int64_t index = 0, before = pen_string_table_size(table);
        if (!unescape(line, (size_t)(end - line), &size)) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s line %lld: expected \\\\, \\n or \\r after a backslash", path,
                     (long long)line_number);
        }
        PEN_TRY(pen_string_table_add(table, line, size, 1, &index, err));
        if (index != before) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s line %lld: expected distinct entries, found that of line %lld again", path,
                     (long long)line_number, (long long)index + 1);
        }
        at = (size_t)(end - text->data) + 1;
    }
    return PEN_OK;
}

pen_status pen_vocabulary_read(struct pen_string_table **table, const char *path, struct pen_error *err)
{
    struct pen_text text = {0};
    *table = NULL;
    pen_status status = pen_file_read(path, MAX_VOCABULARY_BYTES, &text, err);
    status = status == PEN_OK ? pen_string_table_create(table, err) : status;
    status = status == PEN_OK ? read_lines(path, &text, *table, err) : status;
    pen_text_deinit(&text);
    return status;
}
