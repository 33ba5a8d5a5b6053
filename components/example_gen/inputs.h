/* The `csv` option: which files are read, how, and for which split.
 *
 *   csv: data/trips-*.csv                              a pattern
 *   csv: [a.csv, b.csv]                                several, read in this order
 *   csv: data/span-{SPAN}/v{VERSION}/t-*.csv          the newest span, its newest version
 *   csv: {train: adult.data, eval: {path: adult.test, skip_lines: 1}}     given splits, with a dialect of their own
 *
 * {SPAN} and {VERSION} may have a width: {SPAN:5}. {YYYY}, {MM} and {DD} together make the span the number of days
 * since 1970-01-01. {VERSION} needs a span. All patterns of a pipeline share one span and version. */
#ifndef PEN_COMPONENTS_EXAMPLE_GEN_INPUTS_H
#define PEN_COMPONENTS_EXAMPLE_GEN_INPUTS_H

#include "components/component.h"
#include "datasets/csv/csv.h"

struct pen_dialect {
    const char *delimiter, *quote, *comment;
    int header; /* enum pen_csv_header */
    struct pen_config_strings columns, nulls;
    int64_t skip_lines;
    bool trim;
};

/* Rows of an option table for a struct with a member `dialect`. */
#define PEN_DIALECT_OPTIONS(type)                                                                                  \
    {"delimiter",                                                                                                  \
     PEN_OPTION_STRING,                                                                                            \
     offsetof(type, dialect.delimiter),                                                                            \
     "auto",                                                                                                       \
     0,                                                                                                            \
     0,                                                                                                            \
     NULL,                                                                                                         \
     "one character, tab, or auto"},                                                                               \
        {"quote", PEN_OPTION_STRING, offsetof(type, dialect.quote), "'\"'", 0, 0, NULL, "one character, or none"}, \
        {"comment",                                                                                                \
         PEN_OPTION_STRING,                                                                                        \
         offsetof(type, dialect.comment),                                                                          \
         "none",                                                                                                   \
         0,                                                                                                        \
         0,                                                                                                        \
         NULL,                                                                                                     \
         "rows that begin with this character are skipped"},                                                       \
        {"header", PEN_OPTION_ENUM,     offsetof(type, dialect.header),       "auto", 0,                           \
         0,        pen_dialect_headers, "is the first row the columns' names"},                                    \
        {"columns",                                                                                                \
         PEN_OPTION_STRINGS,                                                                                       \
         offsetof(type, dialect.columns),                                                                          \
         NULL,                                                                                                     \
         0,                                                                                                        \
         0,                                                                                                        \
         NULL,                                                                                                     \
         "names of the columns where there is no header"},                                                         \
        {"nulls",                                                                                                  \
         PEN_OPTION_STRINGS,                                                                                       \
         offsetof(type, dialect.nulls),                                                                            \
         NULL,                                                                                                     \
         0,                                                                                                        \
         0,                                                                                                        \
         NULL,                                                                                                     \
         "texts that mean a missing cell, besides the empty one"},                                                 \
        {"skip_lines",                                                                                             \
         PEN_OPTION_INT,                                                                                           \
         offsetof(type, dialect.skip_lines),                                                                       \
         "0",                                                                                                      \
         0,                                                                                                        \
         1000000,                                                                                                  \
         NULL,                                                                                                     \
         "lines at the top of every file that are no data"},                                                       \
    {                                                                                                              \
        "trim", PEN_OPTION_BOOL, offsetof(type, dialect.trim), "false", 0, 0, NULL,                                \
            "drop spaces and tabs around cells"                                                                    \
    }
extern const char *const pen_dialect_headers[];

struct pen_example_input {
    const char *split; /* NULL: the split rule decides */
    const char *const *paths;
    int64_t n_paths;
    struct pen_dialect dialect;
    const struct pen_config_node *options; /* where the dialect's keys stand; for messages */
};

struct pen_example_inputs {
    int64_t n_inputs;
    struct pen_example_input *inputs;
    int64_t span, version; /* -1: no such placeholder */
};

/* Everything lives in the context's arena. `dialect` is what the section says outside `csv`. */
PEN_MUST_USE pen_status pen_example_inputs_resolve(const struct pen_component_context *context,
                                                   const struct pen_config_node *csv,
                                                   const struct pen_config_node *section,
                                                   struct pen_example_inputs *inputs, struct pen_error *err);

/* Option `name` of those options: one character, "tab" or the `none_word` ('\0'). */
PEN_MUST_USE pen_status pen_dialect_character(const struct pen_config_node *options, const char *name, const char *text,
                                              const char *none_word, char *character, struct pen_error *err);

/* ---- span.c ---- */

struct pen_span {
    int64_t span, version; /* -1: no such placeholder */
};

/* Is there a placeholder in the pattern? */
bool pen_span_has_placeholder(const char *pattern);

/* The files that match `pattern`; with placeholders, those of *wanted, which is filled with the newest span and
 * version when its span is -1. Paths in the arena, sorted. */
PEN_MUST_USE pen_status pen_span_find(struct pen_arena *arena, const struct pen_config_node *node, const char *pattern,
                                      struct pen_span *wanted, const char *const **paths, int64_t *n_paths,
                                      struct pen_error *err);

#endif
