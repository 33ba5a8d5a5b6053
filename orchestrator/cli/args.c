/* Parsing by table: the verb's own options first, then the common ones. */
#include "orchestrator/cli/args.h"

#include <string.h>

enum { MOST_NAMES = 64 };

static const struct pen_arg common[] = {
    {"json", 0, PEN_ARG_FLAG, offsetof(struct pen_args, json), NULL, "one JSON document on standard output"},
    {"root", 0, PEN_ARG_TEXT, offsetof(struct pen_args, root), "DIR", "pipeline root in place of the file's"},
    {"no-color", 0, PEN_ARG_FLAG, offsetof(struct pen_args, no_color), NULL, "no colours (also NO_COLOR=1)"},
    {"help", 'h', PEN_ARG_FLAG, offsetof(struct pen_args, help), NULL, "this text"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static const struct pen_arg *find(const struct pen_arg *table, const char *name, size_t size, char letter)
{
    for (; table != NULL && table->name != NULL; table++) {
        if (letter != '\0' ? table->letter == letter
                           : strlen(table->name) == size && memcmp(table->name, name, size) == 0) {
            return table;
        }
    }
    return NULL;
}

static pen_status unknown(const struct pen_arg *table, const char *given, struct pen_error *err)
{
    const char *known[MOST_NAMES];
    int64_t n = 0;
    for (; table != NULL && table->name != NULL && n < MOST_NAMES; table++) {
        known[n++] = table->name;
    }
    for (const struct pen_arg *arg = common; arg->name != NULL && n < MOST_NAMES; arg++) {
        known[n++] = arg->name;
    }
    const char *near = pen_nearest_name(given + strspn(given, "-"), known, n);
    PEN_FAIL(err, PEN_ERR_USAGE, "unknown option '%.80s'%s%s%s", given, near == NULL ? "" : "; did you mean '--",
             near == NULL ? "" : near, near == NULL ? "" : "'?");
}

static pen_status append(struct pen_arena *arena, struct pen_config_strings *list, const char *text,
                         struct pen_error *err)
{
    int64_t n = list->n_items;
    const char **items = (const char **)(uintptr_t)list->items;
    if ((n & (n - 1)) == 0) {
        items = pen_arena_alloc(arena, n == 0 ? 1 : 2 * n, sizeof *items);
        if (items == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading the command line");
        }
        for (int64_t i = 0; i < n; i++) {
            items[i] = list->items[i];
        }
    }
    items[n] = text;
    *list = (struct pen_config_strings){items, n + 1};
    return PEN_OK;
}

static pen_status append_list(struct pen_arena *arena, struct pen_config_strings *list, const char *text,
                              struct pen_error *err)
{
    while (true) {
        size_t size = strcspn(text, ",");
        char *item = pen_arena_strndup(arena, text, size);
        if (item == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading the command line");
        }
        PEN_TRY(append(arena, list, item, err));
        if (text[size] == '\0') {
            return PEN_OK;
        }
        text += size + 1;
    }
}

static pen_status store(struct pen_arena *arena, const struct pen_arg *arg, void *base, const char *value,
                        struct pen_error *err)
{
    void *field = (char *)base + arg->offset;
    switch (arg->type) {
    case PEN_ARG_FLAG:
        *(bool *)field = true;
        return PEN_OK;
    case PEN_ARG_TEXT:
        *(const char **)field = value;
        return PEN_OK;
    case PEN_ARG_INT:
        if (!pen_parse_int64(value, strlen(value), field)) {
            PEN_FAIL(err, PEN_ERR_USAGE, "option --%s: expected an integer, found '%.80s'", arg->name, value);
        }
        return PEN_OK;
    case PEN_ARG_MANY:
        return append(arena, field, value, err);
    case PEN_ARG_LIST:
    default:
        return append_list(arena, field, value, err);
    }
}

pen_status pen_args_parse(struct pen_arena *arena, int argc, char *const *argv, const struct pen_arg *table,
                          struct pen_args *args, void *values, struct pen_error *err)
{
    *args = (struct pen_args){0};
    bool options_end = false;
    for (int i = 0; i < argc; i++) {
        const char *text = argv[i];
        if (options_end || text[0] != '-' || text[1] == '\0') {
            PEN_TRY(append(arena, &args->positionals, text, err));
            continue;
        }
        if (strcmp(text, "--") == 0) {
            options_end = true;
            continue;
        }
        bool is_long = text[1] == '-';
        const char *name = text + (is_long ? 2 : 1);
        size_t size = is_long ? strcspn(name, "=") : 1;
        char letter = is_long ? '\0' : name[0];
        const struct pen_arg *arg = find(table, name, size, letter);
        void *base = values;
        if (arg == NULL) {
            arg = find(common, name, size, letter);
            base = args;
        }
        if (arg == NULL || (!is_long && name[1] != '\0')) {
            return unknown(table, text, err);
        }
        const char *value = name[size] == '=' ? name + size + 1 : NULL;
        if (arg->type == PEN_ARG_FLAG && value != NULL) {
            PEN_FAIL(err, PEN_ERR_USAGE, "option --%s: expected no value, found '%.80s'", arg->name, value);
        }
        if (arg->type != PEN_ARG_FLAG && value == NULL) {
            if (i + 1 == argc) {
                PEN_FAIL(err, PEN_ERR_USAGE, "option --%s: expected %s after it", arg->name, arg->value);
            }
            value = argv[++i];
        }
        PEN_TRY(store(arena, arg, base, value, err));
    }
    return PEN_OK;
}

static void help_rows(const struct pen_arg *table, struct pen_text *out)
{
    for (; table != NULL && table->name != NULL; table++) {
        struct pen_text left = {0};
        pen_text_printf(&left, "  --%s%s%s", table->name, table->value == NULL ? "" : " ",
                        table->value == NULL ? "" : table->value);
        if (table->letter != '\0') {
            pen_text_printf(&left, ", -%c", table->letter);
        }
        pen_text_printf(out, "%-28s %s\n", pen_text_view(&left), table->help);
        pen_text_deinit(&left);
    }
}

void pen_args_help(const struct pen_arg *table, struct pen_text *out)
{
    help_rows(table, out);
    help_rows(common, out);
}
