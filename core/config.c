/* YAML text to a tree of nodes (libyaml's event parser; only this file sees it), and typed reading of scalars. */
#include "core/config.h"

#include "core/config_internal.h"
#include "core/files.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { CONFIG_DEPTH_LIMIT = 32 };

struct config_parser {
    yaml_parser_t yaml;
    struct pen_arena *arena;
    const char *file;
    const struct pen_text *text;
    const bool *call_lines; /* lines whose value got quotes from pen_config_quote_calls */
    struct pen_error *err;
};

static pen_status fail_at(const struct config_parser *parser, yaml_mark_t mark, const char *message)
{
    PEN_FAIL(parser->err, PEN_ERR_CONFIG, "%s:%zu:%zu: %s", parser->file, mark.line + 1, mark.column + 1, message);
}

static pen_status out_of_memory(struct pen_error *err, const char *file)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "%s: out of memory while reading", file);
}

/* libyaml gives the place of bytes it cannot read as an offset only. */
static pen_status fail_at_byte(const struct config_parser *parser, size_t offset, const char *message)
{
    const char *text = pen_text_view(parser->text);
    yaml_mark_t mark = {.line = 0, .column = 0};
    for (size_t i = 0; i < offset && i < parser->text->size_bytes; i++) {
        bool starts_character = ((unsigned char)text[i] & 0xC0) != 0x80;
        mark.line += text[i] == '\n';
        mark.column = text[i] == '\n' ? 0 : mark.column + starts_character;
    }
    PEN_FAIL(parser->err, PEN_ERR_CONFIG, "%s:%zu:%zu: expected UTF-8 text without control characters: %s",
             parser->file, mark.line + 1, mark.column + 1, message);
}

static pen_status next_event(struct config_parser *parser, yaml_event_t *event)
{
    if (yaml_parser_parse(&parser->yaml, event) == 0) {
        yaml_mark_t mark = parser->yaml.problem_mark;
        const char *problem = parser->yaml.problem == NULL ? "not valid YAML" : parser->yaml.problem;
        if (parser->yaml.error == YAML_READER_ERROR) {
            return fail_at_byte(parser, parser->yaml.problem_offset, problem);
        }
        PEN_FAIL(parser->err, PEN_ERR_CONFIG, "%s:%zu:%zu: not valid YAML: %s", parser->file, mark.line + 1,
                 mark.column + 1, problem);
    }
    return PEN_OK;
}

static struct pen_config_node *new_node(struct pen_arena *arena, enum pen_config_kind kind, const char *file, int line,
                                        int column)
{
    struct pen_config_node *node = pen_arena_alloc(arena, 1, sizeof *node);
    if (node != NULL) {
        *node = (struct pen_config_node){.kind = kind, .line = line, .column = column, .file = file};
    }
    return node;
}

/* Room for one more child; arrays double, the old ones stay in the arena. */
static bool add_child(struct pen_arena *arena, struct pen_config_node *node, const char *key, int key_line,
                      int key_column, struct pen_config_node *child)
{
    int64_t n = node->n_children;
    bool full = (n & (n - 1)) == 0;
    if (full) {
        int64_t room = n == 0 ? 1 : 2 * n;
        struct pen_config_node **children = pen_arena_alloc(arena, room, sizeof *children);
        const char **keys = pen_arena_alloc(arena, room, sizeof *keys);
        int *lines = pen_arena_alloc(arena, room, sizeof *lines);
        int *columns = pen_arena_alloc(arena, room, sizeof *columns);
        if (children == NULL || keys == NULL || lines == NULL || columns == NULL) {
            return false;
        }
        for (int64_t i = 0; i < n; i++) {
            children[i] = node->children[i];
            keys[i] = node->keys[i];
            lines[i] = node->key_lines[i];
            columns[i] = node->key_columns[i];
        }
        node->children = children;
        node->keys = keys;
        node->key_lines = lines;
        node->key_columns = columns;
    }
    node->children[n] = child;
    node->keys[n] = key;
    node->key_lines[n] = key_line;
    node->key_columns[n] = key_column;
    node->n_children = n + 1;
    return true;
}

static bool is_null_text(const char *text)
{
    return text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0 || strcmp(text, "Null") == 0 ||
           strcmp(text, "NULL") == 0;
}

static pen_status build_node(struct config_parser *parser, yaml_event_t *event, int depth,
                             struct pen_config_node **out);

static pen_status build_scalar(struct config_parser *parser, const yaml_event_t *event, struct pen_config_node **out)
{
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length) {
        return fail_at(parser, event->start_mark, "expected text without NUL bytes");
    }
    bool quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE && !parser->call_lines[event->start_mark.line];
    enum pen_config_kind kind = !quoted && is_null_text(text) ? PEN_CONFIG_NULL : PEN_CONFIG_SCALAR;
    struct pen_config_node *node =
        new_node(parser->arena, kind, parser->file, (int)event->start_mark.line + 1, (int)event->start_mark.column + 1);
    char *copy = pen_arena_strdup(parser->arena, text);
    if (node == NULL || copy == NULL) {
        return out_of_memory(parser->err, parser->file);
    }
    node->quoted = quoted;
    node->scalar = copy;
    *out = node;
    return PEN_OK;
}

/* One key of a map; the caller frees the event. */
static pen_status build_key(struct config_parser *parser, const yaml_event_t *event, const char **key)
{
    if (event->type != YAML_SCALAR_EVENT || event->data.scalar.anchor != NULL) {
        return fail_at(parser, event->start_mark, "expected a plain key");
    }
    const char *text = (const char *)event->data.scalar.value;
    if (strcmp(text, "<<") == 0) {
        return fail_at(parser, event->start_mark, "expected no merge key (<<): write the members out");
    }
    *key = pen_arena_strdup(parser->arena, text);
    return *key == NULL ? out_of_memory(parser->err, parser->file) : PEN_OK;
}

struct numbered_key {
    const char *key;
    int64_t index;
};

static int by_key_then_index(const void *a, const void *b)
{
    const struct numbered_key *left = a, *right = b;
    int order = strcmp(left->key, right->key);
    return order != 0 ? order : (left->index > right->index) - (left->index < right->index);
}

/* Sorted, since a schema of 10,000 columns is one map of 10,000 keys. */
static pen_status refuse_repeated_keys(const struct config_parser *parser, const struct pen_config_node *map)
{
    struct numbered_key *keys = pen_calloc(map->n_children + 1, sizeof *keys);
    if (keys == NULL) {
        return out_of_memory(parser->err, parser->file);
    }
    for (int64_t i = 0; i < map->n_children; i++) {
        keys[i] = (struct numbered_key){map->keys[i], i};
    }
    qsort(keys, (size_t)map->n_children, sizeof *keys, by_key_then_index);
    int64_t first = -1, again = -1;
    for (int64_t i = 1; i < map->n_children; i++) {
        if (strcmp(keys[i - 1].key, keys[i].key) == 0 && (again < 0 || keys[i].index < again)) {
            first = keys[i - 1].index;
            again = keys[i].index;
        }
    }
    pen_free(keys);
    if (again >= 0) {
        PEN_FAIL(parser->err, PEN_ERR_CONFIG, "%s:%d:%d: key '%.80s' stands here again; first on line %d", parser->file,
                 map->key_lines[again], map->key_columns[again], map->keys[again], map->key_lines[first]);
    }
    return PEN_OK;
}

static pen_status build_collection(struct config_parser *parser, const yaml_event_t *start, int depth,
                                   struct pen_config_node **out)
{
    bool map = start->type == YAML_MAPPING_START_EVENT;
    if (depth >= CONFIG_DEPTH_LIMIT) {
        return fail_at(parser, start->start_mark, "expected nesting at most 32 deep");
    }
    struct pen_config_node *node = new_node(parser->arena, map ? PEN_CONFIG_MAP : PEN_CONFIG_LIST, parser->file,
                                            (int)start->start_mark.line + 1, (int)start->start_mark.column + 1);
    if (node == NULL) {
        return out_of_memory(parser->err, parser->file);
    }
    for (;;) {
        yaml_event_t event;
        PEN_TRY(next_event(parser, &event));
        if (event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            *out = node;
            return map ? refuse_repeated_keys(parser, node) : PEN_OK;
        }
        const char *key = NULL;
        int line = (int)event.start_mark.line + 1;
        int column = (int)event.start_mark.column + 1;
        pen_status status = PEN_OK;
        if (map) {
            status = build_key(parser, &event, &key);
            yaml_event_delete(&event);
            if (status == PEN_OK) {
                status = next_event(parser, &event);
            }
            if (status != PEN_OK) {
                return status;
            }
        }
        struct pen_config_node *child = NULL;
        status = build_node(parser, &event, depth + 1, &child);
        yaml_event_delete(&event);
        if (status != PEN_OK) {
            return status;
        }
        if (!add_child(parser->arena, node, key, line, column, child)) {
            return out_of_memory(parser->err, parser->file);
        }
    }
}

/* libyaml writes each event variant's anchor and tag in another place. */
static bool has_anchor_or_tag(const yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT) {
        return event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
    }
    if (event->type == YAML_SEQUENCE_START_EVENT) {
        return event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL;
    }
    return event->type == YAML_MAPPING_START_EVENT &&
           (event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL);
}

static pen_status build_node(struct config_parser *parser, yaml_event_t *event, int depth, struct pen_config_node **out)
{
    if (event->type == YAML_ALIAS_EVENT || has_anchor_or_tag(event)) {
        return fail_at(parser, event->start_mark, "expected no anchors, aliases or tags: write the value out");
    }
    if (event->type == YAML_SCALAR_EVENT) {
        return build_scalar(parser, event, out);
    }
    if (event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT) {
        return build_collection(parser, event, depth, out);
    }
    return fail_at(parser, event->start_mark, "expected a value");
}

static pen_status build_document(struct config_parser *parser, struct pen_config_node **root)
{
    bool seen = false;
    for (;;) {
        yaml_event_t event;
        PEN_TRY(next_event(parser, &event));
        pen_status status = PEN_OK;
        bool end = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_DOCUMENT_START_EVENT && seen) {
            status = fail_at(parser, event.start_mark, "expected one document, found a second");
        } else if (event.type == YAML_SCALAR_EVENT || event.type == YAML_MAPPING_START_EVENT ||
                   event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_ALIAS_EVENT) {
            seen = true;
            status = build_node(parser, &event, 0, root);
        }
        yaml_event_delete(&event);
        if (status != PEN_OK || end) {
            return status;
        }
    }
}

static int64_t count_lines(const char *text, size_t size_bytes)
{
    int64_t lines = 2;
    for (size_t i = 0; i < size_bytes; i++) {
        lines += text[i] == '\n' || text[i] == '\r';
    }
    return lines;
}

pen_status pen_config_parse(struct pen_arena *arena, const char *text, size_t size_bytes, const char *file,
                            struct pen_config_node **root, struct pen_error *err)
{
    if (size_bytes > PEN_CONFIG_LIMIT_BYTES) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "%s: expected at most 16 MiB, found %zu bytes", file, size_bytes);
    }
    struct config_parser parser = {.arena = arena, .err = err};
    struct pen_text quoted = {0};
    int64_t n_lines = count_lines(text, size_bytes);
    bool *call_lines = pen_calloc(n_lines, sizeof *call_lines);
    parser.file = pen_arena_strdup(arena, file);
    *root = new_node(arena, PEN_CONFIG_NULL, parser.file, 1, 1);
    if (call_lines != NULL) {
        pen_config_quote_calls(text, size_bytes, call_lines, n_lines, &quoted);
    }
    parser.text = &quoted;
    parser.call_lines = call_lines;
    pen_status status = PEN_OK;
    if (call_lines == NULL || quoted.failed || parser.file == NULL || *root == NULL ||
        yaml_parser_initialize(&parser.yaml) == 0) {
        status = out_of_memory(err, file);
        goto cleanup;
    }
    (*root)->scalar = "";
    yaml_parser_set_input_string(&parser.yaml, (const unsigned char *)pen_text_view(&quoted), quoted.size_bytes);
    status = build_document(&parser, root);
    yaml_parser_delete(&parser.yaml);
cleanup:
    pen_text_deinit(&quoted);
    pen_free(call_lines);
    return status;
}

pen_status pen_config_read_file(struct pen_arena *arena, const char *path, struct pen_config_node **root,
                                struct pen_error *err)
{
    struct pen_text text = {0};
    pen_status status = pen_file_read(path, PEN_CONFIG_LIMIT_BYTES, &text, err);
    if (status == PEN_OK) {
        status = pen_config_parse(arena, pen_text_view(&text), text.size_bytes, path, root, err);
    }
    pen_text_deinit(&text);
    return status;
}

const struct pen_config_node *pen_config_get(const struct pen_config_node *map, const char *key)
{
    if (map == NULL || map->kind != PEN_CONFIG_MAP) {
        return NULL;
    }
    for (int64_t i = 0; i < map->n_children; i++) {
        if (strcmp(map->keys[i], key) == 0) {
            return map->children[i];
        }
    }
    return NULL;
}

pen_status pen_config_set(struct pen_arena *arena, struct pen_config_node *root, const char *path, const char *value,
                          struct pen_error *err)
{
    struct pen_config_node *line = NULL;
    const char *text = pen_arena_printf(arena, "value: %s", value);
    if (text == NULL) {
        return out_of_memory(err, "--set");
    }
    PEN_TRY(pen_config_parse(arena, text, strlen(text), "--set", &line, err));
    const struct pen_config_node *leaf = pen_config_get(line, "value");
    if (leaf == NULL || line->n_children != 1) {
        PEN_FAIL(err, PEN_ERR_USAGE, "--set %.80s: expected one value on one line", path);
    }
    char *rest = pen_arena_strdup(arena, path);
    struct pen_config_node *at = root;
    while (rest != NULL) {
        char *dot = strchr(rest, '.');
        if (dot != NULL) {
            *dot = '\0';
        }
        if (rest[0] == '\0') {
            PEN_FAIL(err, PEN_ERR_USAGE, "--set %.80s: expected key=value with a dotted key such as trainer.steps",
                     path);
        }
        if (at->kind == PEN_CONFIG_NULL) {
            at->kind = PEN_CONFIG_MAP;
        }
        if (at->kind != PEN_CONFIG_MAP) {
            PEN_FAIL(err, PEN_ERR_CONFIG, "--set %.80s: '%.80s' lies below a value that is no map (%s:%d)", path, rest,
                     at->file, at->line);
        }
        struct pen_config_node *child = NULL;
        for (int64_t i = 0; i < at->n_children && child == NULL; i++) {
            if (strcmp(at->keys[i], rest) == 0) {
                child = at->children[i];
            }
        }
        if (child == NULL) {
            child = new_node(arena, PEN_CONFIG_NULL, "--set", 1, 1);
            if (child == NULL || !add_child(arena, at, rest, 1, 1, child)) {
                return out_of_memory(err, "--set");
            }
        }
        if (dot == NULL) {
            *child = *leaf;
            return PEN_OK;
        }
        at = child;
        rest = dot + 1;
    }
    return out_of_memory(err, "--set");
}

pen_status pen_config_error(const struct pen_config_node *node, struct pen_error *err, const char *format, ...)
{
    if (err == NULL) {
        return PEN_ERR_CONFIG;
    }
    char message[PEN_ERROR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (node == NULL) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "%s", message);
    }
    PEN_FAIL(err, PEN_ERR_CONFIG, "%s:%d:%d: %s", node->file, node->line, node->column, message);
}

static const char *found_text(const struct pen_config_node *node, char out[PEN_QUOTE_BYTES + 2])
{
    static const char *const kinds[] = {"nothing", "", "a list", "a map"};
    char quoted[PEN_QUOTE_BYTES];
    if (node->kind == PEN_CONFIG_NULL && node->scalar != NULL && node->scalar[0] != '\0') {
        (void)snprintf(out, PEN_QUOTE_BYTES + 2, "nothing, which %s without quotes is in YAML", node->scalar);
        return out;
    }
    if (node->kind != PEN_CONFIG_SCALAR) {
        return kinds[node->kind];
    }
    (void)snprintf(out, PEN_QUOTE_BYTES + 2, "'%.356s'", pen_quote(quoted, node->scalar, strlen(node->scalar)));
    return out;
}

static pen_status expected(const struct pen_config_node *node, const char *name, const char *what,
                           struct pen_error *err)
{
    char text[PEN_QUOTE_BYTES + 2];
    return pen_config_error(node, err, "option %s: expected %s, found %s", name, what, found_text(node, text));
}

pen_status pen_config_string(const struct pen_config_node *node, const char *name, const char **value,
                             struct pen_error *err)
{
    if (node->kind != PEN_CONFIG_SCALAR) {
        return expected(node, name, "a text", err);
    }
    *value = node->scalar;
    return PEN_OK;
}

pen_status pen_config_int(const struct pen_config_node *node, const char *name, int64_t *value, struct pen_error *err)
{
    if (node->kind != PEN_CONFIG_SCALAR || node->quoted ||
        !pen_parse_int64(node->scalar, strlen(node->scalar), value)) {
        return expected(node, name, "an integer", err);
    }
    return PEN_OK;
}

pen_status pen_config_double(const struct pen_config_node *node, const char *name, double *value, struct pen_error *err)
{
    if (node->kind != PEN_CONFIG_SCALAR || node->quoted ||
        !pen_parse_double(node->scalar, strlen(node->scalar), value)) {
        return expected(node, name, "a number", err);
    }
    return PEN_OK;
}

pen_status pen_config_bool(const struct pen_config_node *node, const char *name, bool *value, struct pen_error *err)
{
    bool is_true = node->kind == PEN_CONFIG_SCALAR && strcmp(node->scalar, "true") == 0;
    bool is_false = node->kind == PEN_CONFIG_SCALAR && strcmp(node->scalar, "false") == 0;
    if (node->quoted || (!is_true && !is_false)) {
        return expected(node, name, "true or false", err);
    }
    *value = is_true;
    return PEN_OK;
}

pen_status pen_config_seconds(const struct pen_config_node *node, const char *name, double *value,
                              struct pen_error *err)
{
    if (node->kind != PEN_CONFIG_SCALAR || !pen_parse_duration(node->scalar, strlen(node->scalar), value)) {
        return expected(node, name, "a time such as 90s, 15m, 2h or 30d", err);
    }
    return PEN_OK;
}
