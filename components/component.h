/* What a component is: a name, what it consumes and produces, an option table and one function.
 *
 * The orchestrator gives a component paths of complete input artifacts and of empty folders for its outputs. What it
 * writes there becomes visible only when it returns PEN_OK: the orchestrator then writes the manifest and publishes
 * by one rename. A component knows nothing of runs, journal or cache. Artifact folders and their files:
 *
 *   Examples            split-<name>.h5 per split; examples.json {splits: {name: rows}, span, version, ...}
 *   ExampleStatistics   statistics.json
 *   Schema              schema.yaml
 *   ExampleAnomalies    anomalies.json
 *   TransformGraph      graph.json (and vocabulary files beside it)
 *   Model               model.json, weights.bin, transform/ (a copy of the transform graph)
 *   ModelRun            curves.json
 *   ModelEvaluation     evaluation.json
 *   ModelBlessing       blessing.json {blessed: bool, reasons: [...]}
 *   PushedModel         pushed.json {pushed: bool, path, version, reason}
 *   ResolvedModel       resolved.json {model: path or null, reason} */
#ifndef PEN_COMPONENTS_COMPONENT_H
#define PEN_COMPONENTS_COMPONENT_H

#include "core/config.h"
#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_communicator;
struct pen_exec;

struct pen_component_port {
    const char *key;  /* "examples" */
    const char *type; /* "Examples" */
    bool optional;    /* inputs only */
    const char *node; /* inputs: the standard node it comes from; NULL: given by the orchestrator */
    const char *help;
};

struct pen_component_input {
    const char *key;
    const char *path; /* artifact folder; NULL: an optional input that is not there */
};

struct pen_component_output {
    const char *key;
    const char *path;     /* existing, empty folder */
    pen_json *properties; /* object; the component may set members (blessed, span, ...): shown and queried */
};

struct pen_component_context {
    const char *pipeline; /* its name */
    const char *node;     /* name of the node that runs */
    struct pen_arena *arena;
    const struct pen_config_node *options; /* the node's section of the pipeline file; NULL: all defaults */
    const char *base_directory;            /* relative paths in options are relative to it (the pipeline file's) */
    struct pen_exec *exec;                 /* of `device`; NULL until the node runs: made in its own process */
    const char *device;                    /* the run's when the component is on_device, else "cpu" */
    int64_t n_ranks;                       /* how many the node gets; 0 and 1: one */
    struct pen_communicator *ranks;        /* of this process; NULL: one rank. Rank 0 alone writes outputs */
    /* For a component that can go on where an execution was interrupted. */
    const char *checkpoints; /* folder that outlives an execution that did not succeed; may not exist; NULL: none */
    const pen_json *configuration; /* what the cache key was made of; NULL outside a run */
    bool resume;                   /* the user asked to continue: checkpoints of another configuration are an error */
    int64_t n_inputs;
    const struct pen_component_input *inputs;
    int64_t n_outputs;
    struct pen_component_output *outputs;
};

struct pen_component {
    const char *name;                 /* "example_gen" */
    int version;                      /* part of the cache key: raise it when the same input gives another output */
    const char *description;          /* one line */
    const struct pen_option *options; /* ends with a NULL name */
    size_t options_bytes;             /* sizeof its options struct */
    const struct pen_component_port *inputs;  /* ends with a NULL key */
    const struct pen_component_port *outputs; /* ends with a NULL key */
    bool over_ranks;                          /* it can work on several ranks at once (pen_component_ranks) */
    bool rounds_by_ranks;                     /* the number of ranks shows in the last bits of its results */
    bool never_cached;                        /* it acts on the outside world: pusher */
    bool on_device;                           /* its ops run on the run's device; else the CPU's, none is opened */

    pen_status (*run)(struct pen_component_context *context, struct pen_error *err);

    /* Optional. Refuses, before anything of a pipeline runs, what the option table alone cannot: the context has
     * pipeline, node, arena, options and base_directory. */
    pen_status (*check)(const struct pen_component_context *context, struct pen_error *err);

    /* Optional. Outside inputs that belong to the cache key (CSV files, an imported schema): appends their identity
     * to `key` as JSON. Must be fast: names, sizes, times in ns; content only where small. */
    pen_status (*fingerprint)(const struct pen_component_context *context, pen_json *key, struct pen_error *err);
};

/* All of them, in pipeline order; ends with NULL. components/table.c */
PEN_API extern const struct pen_component *const pen_components[];
PEN_API const struct pen_component *pen_component_find(const char *name); /* NULL: none */

/* Path of an input / output folder by key; NULL when an optional input is absent. Unknown keys assert. */
PEN_API const char *pen_component_input(const struct pen_component_context *context, const char *key);
PEN_API const char *pen_component_output(const struct pen_component_context *context, const char *key);
PEN_API pen_json *pen_component_properties(const struct pen_component_context *context, const char *output_key);

/* The ranks that run the node together; one when the context says nothing. */
PEN_API struct pen_communicator *pen_component_ranks(const struct pen_component_context *context);

/* A path from the options: absolute, or relative to the pipeline file. In the arena. */
PEN_API const char *pen_component_path(const struct pen_component_context *context, const char *path);

/* The splits of an Examples artifact, in order ("train" first), from its examples.json. */
PEN_API PEN_MUST_USE pen_status pen_component_splits(const struct pen_component_context *context, const char *examples,
                                                     const char *const **names, int64_t *n_names,
                                                     struct pen_error *err);
/* Refuses what the option of this name says (or its default) where it is none of the splits. */
PEN_API PEN_MUST_USE pen_status pen_component_check_split(const struct pen_component_context *context,
                                                          const char *option, const char *split,
                                                          const char *const *names, int64_t n_names,
                                                          struct pen_error *err);
/* "<examples>/split-<name>.h5" in the arena. */
PEN_API const char *pen_component_split_path(const struct pen_component_context *context, const char *examples,
                                             const char *split);

#ifdef __cplusplus
}
#endif

#endif
