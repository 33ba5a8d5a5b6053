/* Status names, the error record and the assertion that stays on in release builds. */
#include "core/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int exit_code;
    const char *text;
} status_table[] = {
#define PEN_STATUS_ROW(name, exit_code, text) {#name, exit_code, text},
    PEN_STATUS_LIST(PEN_STATUS_ROW)
#undef PEN_STATUS_ROW
};

static bool is_known(pen_status status)
{
    return (int)status >= 0 && status < PEN_STATUS_COUNT;
}

const char *pen_status_name(pen_status status)
{
    return is_known(status) ? status_table[status].name : "PEN_STATUS_UNKNOWN";
}

const char *pen_status_text(pen_status status)
{
    return is_known(status) ? status_table[status].text : "unknown status";
}

int pen_status_exit_code(pen_status status)
{
    return is_known(status) ? status_table[status].exit_code : 70;
}

/* Cuts an over-long UTF-8 message where a character begins. */
static void end_at_character(char *message, size_t capacity, int wanted)
{
    if (wanted < 0 || (size_t)wanted < capacity) {
        return;
    }
    size_t end = capacity - 1;
    while (end > 0 && ((unsigned char)message[end - 1] & 0xC0) == 0x80) {
        end--;
    }
    if (end > 0 && ((unsigned char)message[end - 1] & 0xC0) == 0xC0) {
        end--;
    }
    message[end] = '\0';
}

pen_status pen_error_set(struct pen_error *err, const char *file, int line, pen_status status, const char *format, ...)
{
    if (err == NULL) {
        return status;
    }
    err->status = status;
    err->file = file;
    err->line = line;
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    end_at_character(err->message, sizeof err->message, wanted);
    return status;
}

void pen_error_prefix(struct pen_error *err, const char *format, ...)
{
    if (err == NULL) {
        return;
    }
    char prefixed[PEN_ERROR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(prefixed, sizeof prefixed, format, arguments);
    va_end(arguments);
    if (length < 0) {
        return;
    }
    size_t used = (size_t)length < sizeof prefixed ? (size_t)length : sizeof prefixed - 1;
    int rest = snprintf(prefixed + used, sizeof prefixed - used, "%s", err->message);
    end_at_character(prefixed, sizeof prefixed, rest < 0 ? -1 : (int)used + rest);
    memcpy(err->message, prefixed, sizeof prefixed);
}

pen_status pen_status_from_errno(int error_number)
{
    switch (error_number) {
    case ENOENT:
    case ENOTDIR:
        return PEN_ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return PEN_ERR_PERMISSION;
    case ENOMEM:
        return PEN_ERR_MEMORY;
    case EEXIST:
    case ENOTEMPTY:
        return PEN_ERR_EXISTS;
    default:
        return PEN_ERR_IO;
    }
}

void pen_assert_failed(const char *file, int line, const char *expression)
{
    (void)fprintf(stderr, "penstock: internal error: %s:%d: expected %s\n", file, line, expression);
    abort();
}
