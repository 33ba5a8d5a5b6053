/* Parameters of a run: named values with a type and a default, given anew by `--param NAME=VALUE`.
 *
 *   params:
 *     rows:  {type: int, default: 1000, description: rows to read}     # int, float, bool, string, list or map
 *     model: {type: string, default: dnn, choices: [linear, dnn]}
 *   trainer:
 *     steps: ${params.rows}              # the value, with its type; inside {...} and [...] in quotes, which YAML needs
 *     name: model-${params.model}        # in a longer text: its text
 *
 * They stand anywhere below any key but `params`; a value is what it would be had it been written there, so a cache key
 * sees its effect alone. $${params.x} stands for the text ${params.x}. */
#ifndef PEN_ORCHESTRATOR_PIPELINE_PARAMS_H
#define PEN_ORCHESTRATOR_PIPELINE_PARAMS_H

#include "core/config.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_param_type { PEN_PARAM_INT, PEN_PARAM_FLOAT, PEN_PARAM_BOOL, PEN_PARAM_STRING, PEN_PARAM_LIST, PEN_PARAM_MAP };
extern const char *const pen_param_type_names[]; /* by type; ends with NULL */

struct pen_param {
    const char *name, *description; /* "" without */
    enum pen_param_type type;
    const struct pen_config_node *standard; /* the default */
    const struct pen_config_node *value;    /* what this run has: given, or the default */
    const struct pen_config_node *choices;  /* a list, or NULL: any value of the type */
};

struct pen_params {
    int64_t n;
    struct pen_param *items;
};

/* Reads `params:` of the root and puts the values in their places. given: "rows=5", n_given of them. All is in the
 * arena. */
PEN_MUST_USE pen_status pen_params_apply(struct pen_arena *arena, struct pen_config_node *root,
                                         const char *const *given, int64_t n_given, struct pen_params *params,
                                         struct pen_error *err);

/* {name: value} of what the run has. */
pen_json *pen_params_to_json(const struct pen_params *params);

#ifdef __cplusplus
}
#endif

#endif
