/* Files of vocabularies (vocabulary.h). */
#include "components/statistics_gen/vocabulary.h"

#include "core/files.h"
#include "core/text.h"

#include <ctype.h>
#include <string.h>

static void append_file_name(struct pen_text *text, const char *feature)
{
    for (const char *c = feature; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte < 0x80 && (isalnum(byte) || strchr("_-.", byte) != NULL)) {
            pen_text_append_char(text, *c);
        } else {
            pen_text_printf(text, "%%%02X", byte);
        }
    }
    pen_text_append(text, ".txt");
}

static void append_line(struct pen_text *text, const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\\' || *c == '\n' || *c == '\r') {
            pen_text_append_char(text, '\\');
            pen_text_append_char(text, *c == '\\' ? '\\' : *c == '\n' ? 'n' : 'r');
        } else {
            pen_text_append_char(text, *c);
        }
    }
    pen_text_append_char(text, '\n');
}

static pen_status write_one(const char *folder, const struct pen_split_statistics *split, const char *feature,
                            struct pen_error *err)
{
    const struct pen_feature_statistics *found = pen_statistics_find_feature(split, feature);
    struct pen_text path = {0}, lines = {0};
    pen_status status = PEN_OK;
    pen_text_printf(&path, "%s/vocabularies/%s", folder, split->split);
    PEN_TRY_GOTO(cleanup, pen_text_check(&path, err));
    PEN_TRY_GOTO(cleanup, pen_directory_create(pen_text_view(&path), err));
    pen_text_append_char(&path, '/');
    append_file_name(&path, feature);
    PEN_TRY_GOTO(cleanup, pen_text_check(&path, err));
    for (int64_t i = 0; found != NULL && i < found->string.vocabulary.n_items; i++) {
        append_line(&lines, found->string.vocabulary.items[i].value);
    }
    PEN_TRY_GOTO(cleanup, pen_text_check(&lines, err));
    PEN_TRY_GOTO(cleanup, pen_file_write_atomic(pen_text_view(&path), pen_text_view(&lines), lines.size_bytes, err));
cleanup:
    pen_text_deinit(&path);
    pen_text_deinit(&lines);
    return status;
}

pen_status pen_vocabularies_write(const char *folder, const struct pen_statistics *statistics,
                                  const struct pen_config_strings *features, struct pen_error *err)
{
    for (int64_t i = 0; i < statistics->n_splits; i++) {
        for (int64_t k = 0; k < features->n_items && statistics->splits[i].slice[0] == '\0'; k++) {
            PEN_TRY(write_one(folder, &statistics->splits[i], features->items[k], err));
        }
    }
    return PEN_OK;
}
