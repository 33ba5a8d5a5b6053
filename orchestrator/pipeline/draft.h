/* A pipeline file written from a look at the data: what `penstock init` gives a person to edit.
 *
 * The text is the answer to "what would somebody who knows the tool have written for this table": dialect options only
 * where they differ from the defaults, one line a feature with its reason, columns the label reads commented out, so
 * that one character puts them back. */
#ifndef PEN_ORCHESTRATOR_PIPELINE_DRAFT_H
#define PEN_ORCHESTRATOR_PIPELINE_DRAFT_H

#include "components/transform/defaults.h"
#include "core/text.h"
#include "datasets/statistics/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_draft {
    const char *name;                        /* of the pipeline */
    const char *root;                        /* "out/<name>" */
    const char *csv;                         /* as it is to stand in the file */
    const char *label;                       /* expression */
    const char *split;                       /* YAML, or NULL: the default 2:1 hash */
    const char *dialect;                     /* YAML lines below example_gen, indented by two, or "" */
    const struct pen_statistics *statistics; /* of the whole table, one split */
    const char *const *label_columns;
    int64_t n_label_columns;
    const struct pen_transform_default *features; /* of all columns but the label's */
    int64_t n_features;
    const struct pen_transform_default *label_features; /* the label columns', written as comments */
    int64_t n_label_features;
    bool rows_were_sampled;
};

/* Appends the whole file to out. */
PEN_MUST_USE pen_status pen_draft_write(const struct pen_draft *draft, struct pen_text *out, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
