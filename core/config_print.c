/* JSON values as YAML, through libyaml's emitter. A text stands plain only when no version of YAML reads it as anything
 * else; lists of scalars stand on one line. */
#include "core/config.h"

#include <string.h>
#include <yaml.h>

static int append(void *user, unsigned char *bytes, size_t size_bytes)
{
    pen_text_append_bytes(user, (const char *)bytes, size_bytes);
    return 1;
}

/* Words that YAML 1.1 or 1.2 takes for a value that is no text. */
static bool is_word_of_yaml(const char *text)
{
    static const char *const words[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool stands_plain(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static const char rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-";
    return text[0] != '\0' && strchr(letters, text[0]) != NULL && strspn(text, rest) == strlen(text) &&
           !is_word_of_yaml(text);
}

static bool emit_text(yaml_emitter_t *emitter, const char *text, size_t size_bytes, bool plain)
{
    yaml_event_t event;
    yaml_scalar_style_t style = plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    return yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)size_bytes, 1, 1, style) &&
           yaml_emitter_emit(emitter, &event);
}

static bool emit_scalar(yaml_emitter_t *emitter, const pen_json *value)
{
    const char *string = pen_json_string_or(value, NULL);
    if (string != NULL) {
        return emit_text(emitter, string, pen_json_string_size(value), stands_plain(string));
    }
    struct pen_text text = {0};
    bool done = pen_json_print(value, PEN_JSON_CANONICAL, &text, NULL) == PEN_OK &&
                emit_text(emitter, text.data, text.size_bytes, true);
    pen_text_deinit(&text);
    return done;
}

static bool is_flat(const pen_json *list)
{
    for (int64_t i = 0; i < pen_json_size(list); i++) {
        const pen_json *item = pen_json_at(list, i);
        if (pen_json_is_object(item) || pen_json_is_array(item)) {
            return false;
        }
    }
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the value, which pen_json bounds */
static bool emit(yaml_emitter_t *emitter, const pen_json *value)
{
    yaml_event_t event;
    bool done = true;
    if (pen_json_is_object(value)) {
        const char *key = NULL;
        const pen_json *member = NULL;
        done = yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE) &&
               yaml_emitter_emit(emitter, &event);
        for (int64_t i = 0; done && pen_json_member(value, i, &key, &member); i++) {
            done = emit_text(emitter, key, strlen(key), stands_plain(key)) && emit(emitter, member);
        }
        return done && yaml_mapping_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
    }
    if (pen_json_is_array(value)) {
        yaml_sequence_style_t style = is_flat(value) ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
        done = yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style) && yaml_emitter_emit(emitter, &event);
        for (int64_t i = 0; done && i < pen_json_size(value); i++) {
            done = emit(emitter, pen_json_at(value, i));
        }
        return done && yaml_sequence_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
    }
    return emit_scalar(emitter, value);
}

static bool emit_document(yaml_emitter_t *emitter, const pen_json *value)
{
    yaml_event_t event;
    return yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) && yaml_emitter_emit(emitter, &event) &&
           yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1) && yaml_emitter_emit(emitter, &event) &&
           emit(emitter, value) && yaml_document_end_event_initialize(&event, 1) &&
           yaml_emitter_emit(emitter, &event) && yaml_stream_end_event_initialize(&event) &&
           yaml_emitter_emit(emitter, &event);
}

pen_status pen_config_print(const pen_json *value, struct pen_text *out, struct pen_error *err)
{
    yaml_emitter_t emitter;
    struct pen_text probe = {0};
    pen_status status = pen_json_print(value, PEN_JSON_COMPACT, &probe, err); /* finds what could not be built */
    pen_text_deinit(&probe);
    PEN_TRY(status);
    if (!yaml_emitter_initialize(&emitter)) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: writing YAML");
    }
    yaml_emitter_set_output(&emitter, append, out);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, -1);
    bool done = emit_document(&emitter, value);
    const char *problem = emitter.problem;
    if (!done) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_INTERNAL, "writing YAML: %s",
                               problem == NULL ? "out of memory" : problem);
    }
    yaml_emitter_delete(&emitter);
    return status == PEN_OK ? pen_text_check(out, err) : status;
}
