/* Configuration: a YAML file as a tree of nodes that know their line and column, and option tables that turn a map
 * into a struct.
 *
 * The YAML accepted is the plain kind: block and flow maps, lists, scalars; one document; no anchors, aliases, tags
 * or merge keys; duplicate keys refused; at most 16 MiB, a schema of 100,000 columns, and 32 levels. One liberty: a
 * value on one line that is a call may hold ": " and start with a backquote (company: vocab(company, top_k: 10)).
 * libyaml parses; only config.c sees it. */
#ifndef PEN_CORE_CONFIG_H
#define PEN_CORE_CONFIG_H

#include "core/json.h"
#include "core/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_CONFIG_LIMIT_BYTES = 16 << 20 };

enum pen_config_kind { PEN_CONFIG_NULL, PEN_CONFIG_SCALAR, PEN_CONFIG_LIST, PEN_CONFIG_MAP };

struct pen_config_node {
    enum pen_config_kind kind;
    bool quoted;        /* a scalar in quotes is a string, whatever it looks like */
    int line, column;   /* from 1 */
    const char *file;   /* as given to the parser */
    const char *scalar; /* SCALAR: text, NUL-terminated */
    int64_t n_children; /* LIST: items; MAP: members */
    struct pen_config_node **children;
    const char **keys; /* MAP: key of children[i], in file order */
    int *key_lines, *key_columns;
};

/* Everything lives in the caller's arena. An empty document is a NULL node. */
PEN_API PEN_MUST_USE pen_status pen_config_parse(struct pen_arena *arena, const char *text, size_t size_bytes,
                                                 const char *file, struct pen_config_node **root,
                                                 struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_config_read_file(struct pen_arena *arena, const char *path,
                                                     struct pen_config_node **root, struct pen_error *err);

/* The member called key, or NULL (also when map is NULL or not a map). */
PEN_API const struct pen_config_node *pen_config_get(const struct pen_config_node *map, const char *key);

/* Sets the scalar, list or map written in `value` (YAML text) at a dotted path, making maps on the way:
 * --set trainer.steps=500. Errors speak of the file "--set". */
PEN_API PEN_MUST_USE pen_status pen_config_set(struct pen_arena *arena, struct pen_config_node *root, const char *path,
                                               const char *value, struct pen_error *err);

/* Typed scalars; the error says "file:line:column: option NAME: expected ..., found ...". */
PEN_API PEN_MUST_USE pen_status pen_config_string(const struct pen_config_node *node, const char *name,
                                                  const char **value, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_config_int(const struct pen_config_node *node, const char *name, int64_t *value,
                                               struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_config_double(const struct pen_config_node *node, const char *name, double *value,
                                                  struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_config_bool(const struct pen_config_node *node, const char *name, bool *value,
                                                struct pen_error *err);
/* A time: "90s", "15m", "2h", "30d", or a plain number of seconds. */
PEN_API PEN_MUST_USE pen_status pen_config_seconds(const struct pen_config_node *node, const char *name, double *value,
                                                   struct pen_error *err);

/* Fails at a node's place: "pipeline.yaml:4:9: " and the message. */
PEN_API pen_status pen_config_error(const struct pen_config_node *node, struct pen_error *err, const char *format, ...)
    PEN_PRINTF(3, 4);

/* The node as JSON (unquoted scalars typed as YAML's core schema: null, true/false, int, float; else string). */
PEN_API pen_json *pen_config_to_json(const struct pen_config_node *node);

/* Appends the value as a YAML document in block style that reads back as the same value. */
PEN_API PEN_MUST_USE pen_status pen_config_print(const pen_json *value, struct pen_text *out, struct pen_error *err);

/* The reverse, for a component started with JSON options: file and line numbers come from the hidden keys that
 * pen_config_to_json_marked writes, so that errors in a child process still point into the pipeline file. */
PEN_API pen_json *pen_config_to_json_marked(const struct pen_config_node *node);
PEN_API PEN_MUST_USE pen_status pen_config_from_json_marked(struct pen_arena *arena, const pen_json *value,
                                                            struct pen_config_node **root, struct pen_error *err);

/* ---- option tables ---- */

enum pen_option_type {
    PEN_OPTION_BOOL,    /* bool */
    PEN_OPTION_INT,     /* int64_t, within [minimum, maximum] */
    PEN_OPTION_DOUBLE,  /* double, within [minimum, maximum] */
    PEN_OPTION_STRING,  /* const char *, in the arena; NULL when absent and no default */
    PEN_OPTION_ENUM,    /* int: index into `choices`, a NULL-terminated list of names */
    PEN_OPTION_INTS,    /* struct pen_config_ints: a list, or one number */
    PEN_OPTION_STRINGS, /* struct pen_config_strings: a list, or one string */
    PEN_OPTION_NODE     /* const struct pen_config_node *: the component reads it itself; NULL when absent */
};

struct pen_config_ints {
    const int64_t *items;
    int64_t n_items;
};

struct pen_config_strings {
    const char *const *items;
    int64_t n_items;
};

struct pen_option {
    const char *name;
    enum pen_option_type type;
    size_t offset;              /* of the field in the options struct */
    const char *default_text;   /* YAML text; NULL: the field stays zero */
    double minimum, maximum;    /* numbers (each item of INTS); both 0: no bound */
    const char *const *choices; /* ENUM */
    const char *help;           /* one line */
};

/* Fills `options` (zeroed first) from defaults and map (NULL or a NULL node: defaults alone). The table ends with a row
 * whose name is NULL. An unknown key names the nearest known one. */
PEN_API PEN_MUST_USE pen_status pen_config_options(struct pen_arena *arena, void *options, size_t options_bytes,
                                                   const struct pen_option *table, const struct pen_config_node *map,
                                                   const char *section, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
