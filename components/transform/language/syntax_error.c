/* Errors of an expression point at the character. */
#include "components/transform/language/syntax.h"

#include "core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
