/* Command lines: a table of options per verb, parsed into the verb's struct. Order never matters; --name=value and
 * --name value are the same; an unknown option names the nearest known one; nothing is abbreviated. */
#ifndef PEN_ORCHESTRATOR_CLI_ARGS_H
#define PEN_ORCHESTRATOR_CLI_ARGS_H

#include "core/config.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_arg_type {
    PEN_ARG_FLAG, /* bool */
    PEN_ARG_TEXT, /* const char *, the last one wins */
    PEN_ARG_INT,  /* int64_t */
    PEN_ARG_MANY, /* struct pen_config_strings: may be given several times */
    PEN_ARG_LIST  /* struct pen_config_strings: a,b,c */
};

struct pen_arg {
    const char *name; /* without dashes; NULL ends a table */
    char letter;      /* of a short form, or 0 */
    enum pen_arg_type type;
    size_t offset;     /* of the field in the verb's values */
    const char *value; /* for the help: "FILE"; NULL for flags */
    const char *help;
};

struct pen_args {
    struct pen_config_strings positionals;
    bool help, json, no_color; /* every verb has these */
    const char *root;          /* --root DIR, every verb has it */
};

/* values: zeroed struct of the verb. "--" ends the options; "-" is a positional. */
PEN_MUST_USE pen_status pen_args_parse(struct pen_arena *arena, int argc, char *const *argv,
                                       const struct pen_arg *table, struct pen_args *args, void *values,
                                       struct pen_error *err);

/* The options as help text, common ones last. */
void pen_args_help(const struct pen_arg *table, struct pen_text *out);

#ifdef __cplusplus
}
#endif

#endif
