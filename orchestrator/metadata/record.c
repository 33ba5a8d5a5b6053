/* A walk over the members of a line. Keys are sorted, and what is large in a record (outputs, parts) stands before
 * "run", after which only scalars come: so the walk jumps there from the end of the line. */
#include "orchestrator/metadata/record.h"

#include "core/hash.h"

#include <string.h>

enum { TAIL_BYTES = 512 };

uint64_t pen_record_name(const char *text, size_t size_bytes)
{
    return size_bytes == 0 ? 0 : pen_hash64(text, size_bytes) | 1;
}

struct span {
    const char *text;
    size_t size;
};

static bool is(struct span span, const char *word)
{
    return strlen(word) == span.size && memcmp(span.text, word, span.size) == 0;
}

static void set(struct pen_record *record, struct span key, struct span value)
{
    static const struct {
        const char *word;
        int number;
    } kinds[] = {{"run", PEN_RECORD_RUN},
                 {"run_start", PEN_RECORD_RUN_START},
                 {"run_end", PEN_RECORD_RUN_END},
                 {"run_join", PEN_RECORD_RUN_JOIN},
                 {"run_note", PEN_RECORD_RUN_NOTE},
                 {"exec_start", PEN_RECORD_EXEC_START},
                 {"execution", PEN_RECORD_EXECUTION}},
      statuses[] = {{"running", PEN_RECORD_RUNNING},
                    {"succeeded", PEN_RECORD_SUCCEEDED},
                    {"cached", PEN_RECORD_CACHED},
                    {"skipped", PEN_RECORD_SKIPPED}};
    if (is(key, "kind")) {
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            record->kind = is(value, kinds[i].word) ? (enum pen_record_kind)kinds[i].number : record->kind;
        }
    } else if (is(key, "status")) {
        record->status = PEN_RECORD_ENDED;
        for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
            record->status = is(value, statuses[i].word) ? (enum pen_record_status)statuses[i].number : record->status;
        }
    } else if (is(key, "run")) {
        record->run = pen_record_name(value.text, value.size);
    } else if (is(key, "node")) {
        record->node = pen_record_name(value.text, value.size);
    } else if (is(key, "key")) {
        record->key = pen_record_name(value.text, value.size);
    } else if (is(key, "execution")) {
        (void)pen_parse_int64(value.text, value.size, &record->execution);
    } else if (is(key, "name")) {
        record->title = pen_record_name(value.text, value.size);
    } else if (is(key, "seq")) {
        (void)pen_parse_int64(value.text, value.size, &record->seq);
    }
}

/* The string that begins at its quote; false when it is cut or holds an escape. */
static bool take_string(const char **at, const char *end, struct span *string)
{
    const char *quote = *at < end && **at == '"' ? memchr(*at + 1, '"', (size_t)(end - *at - 1)) : NULL;
    if (quote == NULL || quote[-1] == '\\') {
        return false;
    }
    *string = (struct span){*at + 1, (size_t)(quote - *at - 1)};
    *at = quote + 1;
    return true;
}

/* Past an object or array; false also at a quote that may be an escaped one. */
static bool skip_nested(const char **at, const char *end)
{
    int depth = 0;
    for (const char *c = *at; c < end; c++) {
        if (*c == '"') {
            c = memchr(c + 1, '"', (size_t)(end - c - 1));
            if (c == NULL || c[-1] == '\\') {
                return false;
            }
        } else if (*c == '{' || *c == '[') {
            depth++;
        } else if ((*c == '}' || *c == ']') && --depth == 0) {
            *at = c + 1;
            return true;
        }
    }
    return false;
}

/* To the comma before "run", which is the last member of that name in the line. */
static bool jump(const char **at, const char *end)
{
    static const char mark[] = ",\"run\":\"";
    const char *begin = end - *at > TAIL_BYTES ? end - TAIL_BYTES : *at;
    for (const char *c = end - sizeof mark; c >= begin; c--) {
        if (*c == ',' && memcmp(c, mark, sizeof mark - 1) == 0) {
            *at = c;
            return true;
        }
    }
    return false;
}

static bool walk(struct pen_record *record, const char *at, const char *end)
{
    if (at == end || *at++ != '{') {
        return false;
    }
    while (at < end && *at != '}') {
        struct span key;
        struct span value;
        if (!take_string(&at, end, &key) || at == end || *at++ != ':' || at == end) {
            return false;
        }
        if (*at == '"') {
            if (!take_string(&at, end, &value)) {
                return false;
            }
            set(record, key, value);
        } else if (*at == '{' || *at == '[') {
            bool large = is(key, "outputs") || is(key, "parts");
            if (!(large && jump(&at, end)) && !skip_nested(&at, end)) {
                return false;
            }
        } else {
            const char *begin = at;
            while (at < end && *at != ',' && *at != '}') {
                at++;
            }
            set(record, key, (struct span){begin, (size_t)(at - begin)});
        }
        at += at < end && *at == ',';
    }
    return at + 1 == end;
}

/* The same by parsing: for lines the walk does not like, with escapes say. */
static pen_status parse(struct pen_record *record, const char *json, size_t size_bytes, struct pen_error *err)
{
    pen_json *object = NULL;
    const char *key = NULL;
    const pen_json *value = NULL;
    PEN_TRY(pen_json_parse(json, size_bytes, "a record of the journal", &object, err));
    for (int64_t i = 0; pen_json_member(object, i, &key, &value); i++) {
        const char *text = pen_json_string_or(value, NULL);
        struct span name = {key, strlen(key)};
        if (text != NULL) {
            set(record, name, (struct span){text, pen_json_string_size(value)});
        }
    }
    record->execution = pen_json_int_or(pen_json_get(object, "execution"), 0);
    record->seq = pen_json_int_or(pen_json_get(object, "seq"), 0);
    pen_json_free(object);
    return PEN_OK;
}

pen_status pen_record_look(struct pen_record *record, const char *json, size_t size_bytes, struct pen_error *err)
{
    *record = (struct pen_record){0};
    if (walk(record, json, json + size_bytes)) {
        return PEN_OK;
    }
    *record = (struct pen_record){0};
    return parse(record, json, size_bytes, err);
}
