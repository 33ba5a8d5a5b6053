/* Reads the `csv` option and finds its files. */
#include "components/example_gen/inputs.h"

#include "core/text.h"

#include <string.h>

const char *const pen_dialect_headers[] = {"auto", "true", "false", NULL};
_Static_assert(PEN_CSV_HEADER_AUTO == 0 && PEN_CSV_HEADER_YES == 1 && PEN_CSV_HEADER_NO == 2,
               "pen_dialect_headers follows enum pen_csv_header");

struct one_input {
    struct pen_config_strings path;
    struct pen_dialect dialect;
};

static const struct pen_option one_input_table[] = {
    {"path", PEN_OPTION_STRINGS, offsetof(struct one_input, path), NULL, 0, 0, NULL, "files or patterns"},
    PEN_DIALECT_OPTIONS(struct one_input),
    {NULL, PEN_OPTION_BOOL, 0, NULL, 0, 0, NULL, NULL},
};

static pen_status out_of_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading option csv");
}

pen_status pen_dialect_character(const struct pen_config_node *options, const char *name, const char *text,
                                 const char *none_word, char *character, struct pen_error *err)
{
    *character = '\0';
    if (text == NULL || strcmp(text, none_word) == 0) {
        return PEN_OK;
    }
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0) {
        *character = '\t';
        return PEN_OK;
    }
    if (strlen(text) != 1 || text[0] == '\n' || text[0] == '\r') {
        char quoted[PEN_QUOTE_BYTES];
        return pen_config_error(pen_config_get(options, name), err,
                                "option %s: expected one character, tab or %s, found '%s'", name, none_word,
                                pen_quote(quoted, text, strlen(text)));
    }
    *character = text[0];
    return PEN_OK;
}

/* The dialect keys of the section, overridden by those of one split's map. */
static struct pen_config_node *merge(struct pen_arena *arena, const struct pen_config_node *section,
                                     const struct pen_config_node *own)
{
    int64_t n_section = section != NULL && section->kind == PEN_CONFIG_MAP ? section->n_children : 0;
    int64_t n_own = own != NULL && own->kind == PEN_CONFIG_MAP ? own->n_children : 0;
    struct pen_config_node *merged = pen_arena_alloc(arena, 1, sizeof *merged);
    if (merged == NULL) {
        return NULL;
    }
    *merged = n_own > 0 ? *own : n_section > 0 ? *section : (struct pen_config_node){.file = ""};
    merged->kind = PEN_CONFIG_MAP;
    merged->n_children = 0;
    merged->children = pen_arena_alloc(arena, n_section + n_own + 1, sizeof *merged->children);
    merged->keys = pen_arena_alloc(arena, n_section + n_own + 1, sizeof *merged->keys);
    merged->key_lines = pen_arena_alloc(arena, n_section + n_own + 1, sizeof *merged->key_lines);
    merged->key_columns = pen_arena_alloc(arena, n_section + n_own + 1, sizeof *merged->key_columns);
    if (!merged->children || !merged->keys || !merged->key_lines || !merged->key_columns) {
        return NULL;
    }
    for (int64_t i = 0; i < n_section + n_own; i++) {
        const struct pen_config_node *from = i < n_own ? own : section;
        int64_t child = i < n_own ? i : i - n_own;
        bool is_dialect = i < n_own;
        for (const struct pen_option *row = one_input_table + 1; i >= n_own && row->name != NULL; row++) {
            is_dialect = is_dialect || strcmp(row->name, from->keys[child]) == 0;
        }
        if (is_dialect && (i < n_own || pen_config_get(own, from->keys[child]) == NULL)) {
            int64_t to = merged->n_children++;
            merged->children[to] = from->children[child];
            merged->keys[to] = from->keys[child];
            merged->key_lines[to] = from->key_lines[child];
            merged->key_columns[to] = from->key_columns[child];
        }
    }
    return merged;
}

/* Every pattern of one input, expanded and put one after another. */
static pen_status expand(const struct pen_component_context *context, const struct pen_config_node *node,
                         const struct pen_config_strings *patterns, struct pen_span *span,
                         struct pen_example_input *input, struct pen_error *err)
{
    const char **all = NULL;
    int64_t n_all = 0;
    for (int64_t i = 0; i < patterns->n_items; i++) {
        const char *pattern = pen_component_path(context, patterns->items[i]);
        const char *const *found = NULL;
        int64_t n_found = 0;
        struct pen_span none = {-1, -1};
        if (pattern == NULL) {
            return out_of_memory(err);
        }
        PEN_TRY(pen_span_find(context->arena, node, pattern, pen_span_has_placeholder(pattern) ? span : &none, &found,
                              &n_found, err));
        const char **longer = pen_arena_alloc(context->arena, n_all + n_found, sizeof *longer);
        if (longer == NULL) {
            return out_of_memory(err);
        }
        for (int64_t k = 0; k < n_all + n_found; k++) {
            longer[k] = k < n_all ? all[k] : found[k - n_all];
        }
        all = longer;
        n_all += n_found;
    }
    if (n_all == 0) {
        return pen_config_error(node, err, "option csv: expected a file or a pattern, found none");
    }
    input->paths = all;
    input->n_paths = n_all;
    return PEN_OK;
}

/* patterns: a scalar, a list, or a map with `path` and dialect keys. */
static pen_status resolve_one(const struct pen_component_context *context, const struct pen_config_node *patterns,
                              const struct pen_config_node *section, struct pen_span *span,
                              struct pen_example_input *input, struct pen_error *err)
{
    struct one_input options;
    bool is_map = patterns->kind == PEN_CONFIG_MAP;
    const struct pen_config_node *merged = merge(context->arena, section, is_map ? patterns : NULL);
    if (merged == NULL) {
        return out_of_memory(err);
    }
    PEN_TRY(pen_config_options(context->arena, &options, sizeof options, one_input_table, merged, "csv", err));
    input->options = merged;
    input->dialect = options.dialect;
    if (is_map) {
        if (options.path.n_items == 0) {
            return pen_config_error(patterns, err, "option csv: expected `path:` in the map of a split, found none");
        }
        return expand(context, patterns, &options.path, span, input, err);
    }
    struct pen_config_strings strings = {NULL, 0};
    int64_t n = patterns->kind == PEN_CONFIG_LIST ? patterns->n_children : 1;
    const char **items = pen_arena_alloc(context->arena, n + 1, sizeof *items);
    if (items == NULL) {
        return out_of_memory(err);
    }
    for (int64_t i = 0; i < n; i++) {
        PEN_TRY(pen_config_string(patterns->kind == PEN_CONFIG_LIST ? patterns->children[i] : patterns, "csv",
                                  &items[i], err));
    }
    strings = (struct pen_config_strings){items, n};
    return expand(context, patterns, &strings, span, input, err);
}

pen_status pen_example_inputs_resolve(const struct pen_component_context *context, const struct pen_config_node *csv,
                                      const struct pen_config_node *section, struct pen_example_inputs *inputs,
                                      struct pen_error *err)
{
    struct pen_span span = {-1, -1};
    if (csv == NULL || csv->kind == PEN_CONFIG_NULL) {
        PEN_FAIL(err, PEN_ERR_CONFIG,
                 "example_gen: expected option csv (a file, a pattern, a list of them, or a map from split to them), "
                 "found none");
    }
    bool given = csv->kind == PEN_CONFIG_MAP;
    int64_t n = given ? csv->n_children : 1;
    inputs->n_inputs = n;
    inputs->inputs = pen_arena_alloc(context->arena, n + 1, sizeof *inputs->inputs);
    if (inputs->inputs == NULL) {
        return out_of_memory(err);
    }
    if (given && n == 0) {
        return pen_config_error(csv, err, "option csv: expected at least one split, found an empty map");
    }
    for (int64_t i = 0; i < n; i++) {
        if (given && !pen_is_plain_name(csv->keys[i])) {
            return pen_config_error(csv->children[i], err,
                                    "option csv: expected a split name of letters, digits, '_', '.' and '-', found "
                                    "'%.60s'",
                                    csv->keys[i]);
        }
        inputs->inputs[i].split = given ? csv->keys[i] : NULL;
        PEN_TRY(resolve_one(context, given ? csv->children[i] : csv, section, &span, &inputs->inputs[i], err));
    }
    inputs->span = span.span;
    inputs->version = span.version;
    return PEN_OK;
}
