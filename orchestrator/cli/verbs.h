/* Verbs of the command line: one file each, one row each in verb_list.h. */
#ifndef PEN_ORCHESTRATOR_CLI_VERBS_H
#define PEN_ORCHESTRATOR_CLI_VERBS_H

#include "orchestrator/cli/args.h"
#include "orchestrator/cli/verb_list.h"
#include "orchestrator/metadata/metadata.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a verb gets: its parsed command line and the terminal's manners. */
struct pen_cli {
    struct pen_arena arena;
    struct pen_args args;
    const void *values; /* the verb's own struct */
    bool color;         /* standard output may be coloured */
    bool live;          /* standard error is a terminal: progress may redraw a line */
    int exit_code;      /* set by verbs whose success has several codes (plan --detailed-exitcode) */
};

struct pen_verb {
    const char *name;
    const char *arguments;      /* "PIPELINE.yaml"; "" when none */
    const char *summary;        /* one line */
    const char *examples;       /* lines, each ending in a newline */
    const struct pen_arg *args; /* NULL: only the common ones */
    size_t values_bytes;
    int n_positionals_min, n_positionals_max;
    bool computes; /* it goes through data itself, in threads */
    pen_status (*run)(struct pen_cli *cli, struct pen_error *err);
    void (*add_help)(const struct pen_cli *cli, struct pen_text *out); /* behind the options; NULL: nothing */
};

extern const struct pen_verb *const pen_verbs[]; /* in the order of `penstock --help`; ends with NULL */

#define PEN_VERB_DECLARE(name) extern const struct pen_verb pen_verb_##name;
PEN_VERB_LIST(PEN_VERB_DECLARE)

/* ---- manners shared by verbs ---- */

/* Writes to standard output; PEN_ERR_IO when it cannot. */
PEN_MUST_USE pen_status pen_cli_print(const char *text, struct pen_error *err);
/* The document of --json: indented, with a newline. */
PEN_MUST_USE pen_status pen_cli_print_json(const pen_json *document, struct pen_error *err);
/* What a verb found: the document with --json, else the text. */
PEN_MUST_USE pen_status pen_cli_answer(const struct pen_cli *cli, const pen_json *document, const struct pen_text *text,
                                       struct pen_error *err);

/* What people say of a run: '  "baseline"  #lr #wide' behind its line, and its notes as lines below. */
void pen_cli_say_run(const pen_json *run, struct pen_text *out);
void pen_cli_say_notes(const pen_json *run, struct pen_text *out);

/* The root a verb speaks of: --root; else that of ./pipeline.yaml; else the only root below ./out. */
PEN_MUST_USE pen_status pen_cli_root(struct pen_cli *cli, const char **root, struct pen_error *err);
/* Its metadata, to be read. */
PEN_MUST_USE pen_status pen_cli_open_root(struct pen_cli *cli, struct pen_metadata *metadata, struct pen_error *err);
/* Closes the metadata; answers, when `status` is PEN_OK and all that was asked of it could be read; lets go of both. */
PEN_MUST_USE pen_status pen_cli_finish(const struct pen_cli *cli, struct pen_metadata *metadata, pen_status status,
                                       pen_json *document, struct pen_text *text, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
