/* The description all exports share: which steps, after which others, by which commands. */
#include "core/files.h"
#include "orchestrator/export/export.h"
#include "orchestrator/export/quote.h"
#include "orchestrator/run/provided.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DNS_BYTES = 50, N_COMMAND = 7 };

static pen_status out_of_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: describing the steps");
}

/* Path of this program; "penstock" for containers, whose images have it on their path. */
static pen_status find_program(struct pen_export *export, const struct pen_export_target *target,
                               const struct pen_export_options *options, const char **program, struct pen_error *err)
{
    char path[PEN_PATH_BYTES] = "penstock";
    if (options->program != NULL) {
        *program = options->program;
        return PEN_OK;
    }
    if (!target->in_containers && realpath("/proc/self/exe", path) == NULL) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "expected --program PATH, as this system does not tell where this one is");
    }
    *program = pen_arena_strdup(&export->arena, path);
    return *program == NULL ? out_of_memory(err) : PEN_OK;
}

/* A relative root stands in the folder penstock is started in; with --at, in that. */
static pen_status find_root(struct pen_export *export, const struct pen_pipeline *pipeline, const char *at,
                            const char **root, struct pen_error *err)
{
    char here[PEN_PATH_BYTES];
    *root = pipeline->root;
    if (pipeline->root[0] == '/') {
        return PEN_OK;
    }
    if (at == NULL && getcwd(here, sizeof here) == NULL) {
        PEN_FAIL(err, PEN_ERR_IO, "cannot tell the folder penstock was started in; give --root DIR in full");
    }
    *root = pen_arena_printf(&export->arena, "%s/%s", at == NULL ? here : at, pipeline->root);
    return *root == NULL ? out_of_memory(err) : PEN_OK;
}

/* Lower case, everything else a '-', none at the ends, at most DNS_BYTES. */
static char *dns_of(struct pen_arena *arena, const char *name)
{
    char *dns = pen_arena_strndup(arena, name, strnlen(name, DNS_BYTES));
    size_t size = dns == NULL ? 0 : strlen(dns);
    for (size_t i = 0; i < size; i++) {
        bool plain = isalnum((unsigned char)dns[i]) != 0;
        dns[i] = (char)(plain ? tolower((unsigned char)dns[i]) : '-');
    }
    while (size > 0 && dns[size - 1] == '-') {
        dns[--size] = '\0';
    }
    while (dns != NULL && dns[0] == '-') {
        dns++;
    }
    return dns == NULL || dns[0] != '\0' ? dns : pen_arena_strdup(arena, "step");
}

static bool is_taken(const struct pen_export *export, int64_t n, const char *dns)
{
    bool taken = strcmp(dns, export->dns) == 0; /* kfp takes a pipeline named like its task for a component */
    for (int64_t i = 0; i < n; i++) {
        taken = taken || strcmp(export->steps[i].dns, dns) == 0;
    }
    return taken;
}

static pen_status name_step(struct pen_export *export, int64_t index, struct pen_error *err)
{
    struct pen_export_step *step = &export->steps[index];
    char *base = dns_of(&export->arena, step->node->name);
    step->dns = base;
    for (int n = 2; step->dns != NULL && is_taken(export, index, step->dns); n++) {
        step->dns = pen_arena_printf(&export->arena, "%.*s-%d", DNS_BYTES - 8, base, n);
    }
    return step->dns == NULL ? out_of_memory(err) : PEN_OK;
}

/* Does the node need what an earlier one made: as an input, for what is looked up, or in its condition? */
static bool takes_from(const struct pen_pipeline *pipeline, const struct pen_node *node, int64_t before)
{
    for (int64_t i = 0; i < node->n_inputs; i++) {
        const struct pen_node_input *input = &node->inputs[i];
        if (before == (input->node >= 0 ? input->node : pen_provided_after(pipeline, input->port->key))) {
            return true;
        }
    }
    for (int64_t i = 0; i < node->n_after; i++) {
        if (node->after[i] == before) {
            return true;
        }
    }
    return false;
}

static bool is_taken_from(const struct pen_export *export, int64_t index)
{
    const struct pen_pipeline *pipeline = export->pipeline;
    for (int64_t i = index + 1; i < export->n_steps; i++) {
        if (takes_from(pipeline, export->steps[i].node, export->steps[index].node - pipeline->nodes)) {
            return true;
        }
    }
    return false;
}

static pen_status refuse_missing(const struct pen_export *export, const struct pen_node *node, struct pen_error *err)
{
    const struct pen_node *nodes = export->pipeline->nodes;
    for (int64_t i = 0; i < node->n_inputs; i++) {
        const struct pen_node_input *input = &node->inputs[i];
        if (input->node >= 0 && nodes[input->node].policy.skip_for_export && !input->port->optional) {
            PEN_FAIL(err, PEN_ERR_CONFIG, "%s: node %s takes its %s from %s, which skip_for_export leaves out",
                     export->pipeline->file, node->name, input->port->key, nodes[input->node].name);
        }
    }
    for (int64_t i = 0; i < node->n_after; i++) {
        if (nodes[node->after[i]].policy.skip_for_export) {
            PEN_FAIL(err, PEN_ERR_CONFIG, "%s: the condition of node %s reads %s, which skip_for_export leaves out",
                     export->pipeline->file, node->name, nodes[node->after[i]].name);
        }
    }
    return PEN_OK;
}

static pen_status find_edges(struct pen_export *export, int64_t index, struct pen_error *err)
{
    const struct pen_pipeline *pipeline = export->pipeline;
    struct pen_export_step *step = &export->steps[index];
    int64_t *after = pen_arena_alloc(&export->arena, index + 1, sizeof *after);
    if (after == NULL) {
        return out_of_memory(err);
    }
    for (int64_t before = 0; before < index; before++) {
        if (takes_from(pipeline, step->node, export->steps[before].node - pipeline->nodes) ||
            (before + 1 == index && !is_taken_from(export, before))) {
            after[step->n_after++] = before;
        }
    }
    step->after = after;
    return refuse_missing(export, step->node, err);
}

static pen_status add_step(struct pen_export *export, const struct pen_node *node, const char *program,
                           const char *root, int64_t n_gpus, struct pen_error *err)
{
    const char **command = pen_arena_alloc(&export->arena, N_COMMAND, sizeof *command);
    if (command == NULL) {
        return out_of_memory(err);
    }
    const char *const words[N_COMMAND] = {program, "component", node->name, "--pipeline", export->file, "--root", root};
    memcpy(command, words, sizeof words);
    export->steps[export->n_steps] = (struct pen_export_step){
        .node = node,
        .command = command,
        .n_command = N_COMMAND,
        .n_gpus = node->component->on_device ? n_gpus : 0,
        .looks_outside = node->component->fingerprint != NULL || node->component->never_cached,
    };
    PEN_TRY(name_step(export, export->n_steps, err));
    export->n_steps++;
    return PEN_OK;
}

static pen_status find_names(struct pen_export *export, const struct pen_export_options *options, struct pen_error *err)
{
    const struct pen_pipeline *pipeline = export->pipeline;
    const char *slash = strrchr(pipeline->file, '/');
    export->folder = options->at == NULL ? pipeline->base_directory : options->at;
    export->image = options->image == NULL ? "penstock:" PEN_VERSION : options->image;
    export->volume = options->volume;
    export->gpu_type = options->gpu_type == NULL ? "nvidia.com/gpu" : options->gpu_type;
    export->dns = dns_of(&export->arena, pipeline->name);
    export->file = pen_arena_printf(&export->arena, "%s/%s", strcmp(export->folder, "/") == 0 ? "" : export->folder,
                                    slash == NULL ? pipeline->file : slash + 1);
    export->steps = pen_arena_alloc(&export->arena, pipeline->n_nodes, sizeof *export->steps);
    return export->dns == NULL || export->file == NULL || export->steps == NULL ? out_of_memory(err) : PEN_OK;
}

pen_status pen_export_describe(struct pen_export *export, const struct pen_pipeline *pipeline,
                               const struct pen_export_target *target, const struct pen_export_options *options,
                               struct pen_error *err)
{
    const char *program = NULL;
    const char *root = NULL;
    *export = (struct pen_export){.pipeline = pipeline};
    pen_status status = find_names(export, options, err);
    PEN_TRY_GOTO(failed, status);
    PEN_TRY_GOTO(failed, find_program(export, target, options, &program, err));
    PEN_TRY_GOTO(failed, find_root(export, pipeline, options->at, &root, err));
    for (int64_t i = 0; i < pipeline->n_nodes; i++) {
        if (!pipeline->nodes[i].policy.skip_for_export) {
            PEN_TRY_GOTO(failed, add_step(export, &pipeline->nodes[i], program, root, options->n_gpus, err));
        }
    }
    for (int64_t i = 0; i < export->n_steps; i++) {
        PEN_TRY_GOTO(failed, find_edges(export, i, err));
    }
    return PEN_OK;
failed:
    pen_export_deinit(export);
    return status;
}

void pen_export_deinit(struct pen_export *export)
{
    pen_arena_deinit(&export->arena);
}

void pen_export_shell(const struct pen_export_step *step, const char *run, struct pen_text *out)
{
    for (int64_t i = 0; i < step->n_command; i++) {
        pen_text_append(out, i == 0 ? "" : " ");
        pen_quote_shell(step->command[i], out);
    }
    if (run != NULL) {
        pen_text_printf(out, " --run %s", run);
    }
}

void pen_export_python_before(const struct pen_export *export, const struct pen_export_step *step, struct pen_text *out)
{
    pen_text_append_char(out, '[');
    for (int64_t i = 0; i < step->n_after; i++) {
        pen_text_append(out, i == 0 ? "" : ", ");
        pen_quote_python(export->steps[step->after[i]].node->name, out);
    }
    pen_text_append_char(out, ']');
}

pen_status pen_export_refuse(const struct pen_export *export, const char *target, const char *mark, const char *why,
                             struct pen_error *err)
{
    for (int64_t i = 0; i < export->n_steps; i++) {
        for (int64_t k = 0; k < export->steps[i].n_command; k++) {
            const char *word = export->steps[i].command[k];
            char quoted[PEN_QUOTE_BYTES];
            if (strstr(word, mark) != NULL) {
                PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "%s: %s: '%s'; name the file or folder otherwise, or give --at",
                         target, why, pen_quote(quoted, word, strlen(word)));
            }
        }
    }
    return PEN_OK;
}
