/* A pipeline for other runners: one file a target, all over the same description of steps.
 *
 * Each step is `penstock component NODE --pipeline FILE --root DIR --run NAME`, NAME being what the other runner calls
 * its run: so the cache, the metadata and the rule of one writer a root stay penstock's, whoever starts the steps. A
 * command carries paths, a node and that name, never an option of the pipeline. Retries are the other runner's, where
 * it has them.
 *
 * An edge stands for every input that a node of the pipeline makes, for what the run looks up of an earlier node
 * (provided.h) and for what a condition reads. A node from which no other takes anything is waited for by the one that
 * comes next in our order: so anomalies stop what follows in every runner as they do in ours.
 *
 * What a target cannot say (a line break in a makefile's recipe, say) is an error that names it. */
#ifndef PEN_ORCHESTRATOR_EXPORT_EXPORT_H
#define PEN_ORCHESTRATOR_EXPORT_EXPORT_H

#include "orchestrator/pipeline/pipeline.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_export_options {
    const char *program;  /* NULL: this one; "penstock" where steps run in containers */
    const char *at;       /* where the steps find the pipeline file's folder; NULL: where it is here */
    const char *image;    /* of containers; NULL: penstock:<version> */
    const char *volume;   /* of containers: a claim that is mounted at the pipeline's folder; NULL: none */
    int64_t n_gpus;       /* for each node whose ops run on the device */
    const char *gpu_type; /* of containers; NULL: nvidia.com/gpu */
};

struct pen_export_step {
    const struct pen_node *node;
    const char *dns;            /* its name for runners that want [a-z0-9-]: unique, at most 50 bytes */
    const char *const *command; /* without the run's name; [4] the pipeline file, [6] the root */
    int64_t n_command;
    const int64_t *after; /* indices of steps, rising */
    int64_t n_after;
    int64_t n_gpus;
    bool looks_outside; /* reads or changes what no artifact holds: only running it tells whether something changed */
};

struct pen_export {
    struct pen_arena arena;
    const struct pen_pipeline *pipeline;
    const char *dns;           /* its name for runners that want [a-z0-9-]; no step has it */
    const char *folder, *file; /* of the pipeline, where the steps run */
    const char *image, *volume, *gpu_type;
    int64_t n_steps;
    struct pen_export_step *steps; /* each after those it needs */
};

struct pen_export_target {
    const char *name, *summary;
    const char *next; /* what to type then; FILE stands for the file */
    bool in_containers;
    pen_status (*write)(const struct pen_export *export, struct pen_text *out, struct pen_error *err);
};

extern const struct pen_export_target *const pen_export_targets[]; /* ends with NULL */

/* pipeline and options are borrowed. PEN_ERR_CONFIG: a node takes what skip_for_export leaves out. */
PEN_MUST_USE pen_status pen_export_describe(struct pen_export *export, const struct pen_pipeline *pipeline,
                                            const struct pen_export_target *target,
                                            const struct pen_export_options *options, struct pen_error *err);
void pen_export_deinit(struct pen_export *export);

/* Appends the command as a POSIX shell takes it, then ` --run ` and run as it is, when not NULL. */
void pen_export_shell(const struct pen_export_step *step, const char *run, struct pen_text *out);

/* Appends the names of the nodes before, as a list of Python. */
void pen_export_python_before(const struct pen_export *export, const struct pen_export_step *step,
                              struct pen_text *out);

/* PEN_ERR_UNSUPPORTED when a word of any command holds the mark, which the target would read as something else. */
PEN_MUST_USE pen_status pen_export_refuse(const struct pen_export *export, const char *target, const char *mark,
                                          const char *why, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
