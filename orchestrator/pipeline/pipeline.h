/* A pipeline: the file a person writes, checked in full before anything runs, as a graph of nodes.
 *
 * Top-level keys: pipeline (name, needed), root (default out/<pipeline>), device (auto), launcher ({ranks: 4, command:
 * [mpirun, --oversubscribe], timeout: 300s}: processes of each node that can work on several, what starts them
 * (without: penstock itself, on this machine), how long they wait for each other), schedule (when it runs by itself:
 * schedule/schedule.h), params (params.h), defaults (retries and the like, of all nodes: policy.h), those of settings.h
 * (description, tags, timeout, on_failure, notify, ...), one section of options per standard node, and `nodes:` for
 * more nodes of any component:
 *
 *   nodes:
 *     second_evaluator:
 *       component: evaluator
 *       inputs: {model: trainer.model}      # port: node.output; ports left out get the standard node's
 *       options: {slices: [[]]}
 *       retries: 2                          # and the other keys of policy.h
 *
 * The standard nodes are always there, in the table's order, wired by their ports. Paths in the file are relative to
 * its folder, except root, which is relative to where penstock is started, as the shell's user expects. */
#ifndef PEN_ORCHESTRATOR_PIPELINE_PIPELINE_H
#define PEN_ORCHESTRATOR_PIPELINE_PIPELINE_H

#include "components/component.h"
#include "orchestrator/pipeline/condition.h"
#include "orchestrator/pipeline/params.h"
#include "orchestrator/pipeline/policy.h"
#include "orchestrator/pipeline/settings.h"
#include "orchestrator/schedule/schedule.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_node_input {
    const struct pen_component_port *port;
    int64_t node;       /* index of the producing node; -1: given by the runner, or absent */
    const char *output; /* its port */
};

struct pen_node {
    const char *name;
    const struct pen_component *component;
    const struct pen_config_node *options; /* NULL: all defaults */
    int64_t n_inputs;
    struct pen_node_input *inputs;
    struct pen_policy policy;
    const struct pen_condition *when; /* over NODE.PROPERTY; NULL: always */
    int64_t n_after;
    int64_t *after; /* nodes that `when` reads, besides the inputs' */
};

struct pen_pipeline {
    struct pen_arena arena;
    const char *name, *root, *device, *file;
    const char *base_directory; /* of the file, absolute */
    int64_t n_ranks;            /* of each node that can work on several; 1 without `launcher:` */
    struct pen_config_strings
        launcher; /* a command that starts them, such as mpirun; none: processes of this machine */
    double ranks_timeout_s;
    const struct pen_schedule *schedule; /* NULL: it does not run by itself */
    struct pen_params params;
    struct pen_settings settings;
    int64_t n_nodes;
    struct pen_node *nodes; /* in an order in which each comes after its producers */
};

/* What the command line says on top of the file. */
struct pen_pipeline_changes {
    struct pen_config_strings sets;   /* --set "trainer.steps=500" */
    struct pen_config_strings params; /* --param "rows=5" */
};

/* table ends with NULL: pen_components, or a test's. */
PEN_MUST_USE pen_status pen_pipeline_read_changed(struct pen_pipeline *pipeline, const char *path,
                                                  const struct pen_pipeline_changes *changes,
                                                  const struct pen_component *const *table, struct pen_error *err);
/* With sets alone. */
PEN_MUST_USE pen_status pen_pipeline_read(struct pen_pipeline *pipeline, const char *path, const char *const *sets,
                                          int64_t n_sets, const struct pen_component *const *table,
                                          struct pen_error *err);
void pen_pipeline_deinit(struct pen_pipeline *pipeline);

/* Index of the node that a name of a condition, NODE.PROPERTY, begins with; *property is behind its dot. -1: none. */
int64_t pen_pipeline_property(const struct pen_pipeline *pipeline, const char *name, const char **property);

/* Index of the node, or an error with the nearest name. */
PEN_MUST_USE pen_status pen_pipeline_find(const struct pen_pipeline *pipeline, const char *name, int64_t *node,
                                          struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
