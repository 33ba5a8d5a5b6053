/* `penstock init` and `penstock train` without their command lines: data and label in, pipeline text out. */
#ifndef PEN_ORCHESTRATOR_PIPELINE_INIT_H
#define PEN_ORCHESTRATOR_PIPELINE_INIT_H

#include "core/config.h"
#include "core/text.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_init_request {
    const char *csv;                    /* path or pattern, as the user gave it */
    const char *label;                  /* expression */
    const char *output;                 /* the pipeline file to be: paths in it are relative to its folder */
    const char *name;                   /* NULL: from the file's name */
    const char *root;                   /* NULL: out/<name> */
    const char *split;                  /* YAML; NULL: the default */
    struct pen_config_strings columns;  /* names for files without a header line */
    struct pen_config_strings features; /* only these columns; empty: all */
    struct pen_config_strings exclude;  /* never these */
};

/* Looks at the data and appends the pipeline file's text to out. Wrong column names are errors with the nearest one. */
PEN_MUST_USE pen_status pen_init_pipeline(const struct pen_init_request *request, struct pen_text *out,
                                          struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
