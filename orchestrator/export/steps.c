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
    char *base = dns_of(&export->arena, step->node);
    step->dns = base;
    for (int n = 2; step->dns != NULL && is_taken(export, index, step->dns); n++) {
        step->dns = pen_arena_printf(&export->arena, "%.*s-%d", DNS_BYTES - 8, base, n);
    }
    return step->dns == NULL ? out_of_memory(err) : PEN_OK;
}

static bool takes_from(const struct pen_pipeline *pipeline, int64_t index, int64_t before)
{
    const struct pen_node *node = &pipeline->nodes[index];
    for (int64_t i = 0; i < node->n_inputs; i++) {
        const struct pen_node_input *input = &node->inputs[i];
        if (before == (input->node >= 0 ? input->node : pen_provided_after(pipeline, input->port->key))) {
            return true;
        }
    }
    return false;
}

static bool is_taken_from(const struct pen_pipeline *pipeline, int64_t index)
{
    for (int64_t i = index + 1; i < pipeline->n_nodes; i++) {
        if (takes_from(pipeline, i, index)) {
            return true;
        }
    }
    return false;
}

static pen_status find_edges(struct pen_export *export, const struct pen_pipeline *pipeline, int64_t index,
                             struct pen_error *err)
{
    int64_t *after = pen_arena_alloc(&export->arena, index + 1, sizeof *after);
    int64_t n = 0;
    if (after == NULL) {
        return out_of_memory(err);
    }
    for (int64_t before = 0; before < index; before++) {
        if (takes_from(pipeline, index, before) || (before + 1 == index && !is_taken_from(pipeline, before))) {
            after[n++] = before;
        }
    }
    export->steps[index].after = after;
    export->steps[index].n_after = n;
    return PEN_OK;
}

static pen_status add_step(struct pen_export *export, const struct pen_pipeline *pipeline, int64_t index,
                           const char *const words[3], int64_t n_gpus, struct pen_error *err)
{
    const struct pen_node *node = &pipeline->nodes[index];
    const char *name = pen_arena_strdup(&export->arena, node->name);
    const char **command = pen_arena_alloc(&export->arena, N_COMMAND + 1, sizeof *command);
    if (command == NULL || name == NULL) {
        return out_of_memory(err);
    }
    const char *const all[N_COMMAND] = {words[0], "component", name, "--pipeline", words[1], "--root", words[2]};
    memcpy(command, all, sizeof all);
    export->steps[index] = (struct pen_export_step){
        .node = name,
        .description = node->component->description,
        .command = command,
        .n_command = N_COMMAND,
        .n_gpus = node->component->on_device ? n_gpus : 0,
        .looks_outside = node->component->fingerprint != NULL || node->component->never_cached,
    };
    PEN_TRY(name_step(export, index, err));
    return find_edges(export, pipeline, index, err);
}

static pen_status copy_names(struct pen_export *export, const struct pen_pipeline *pipeline,
                             const struct pen_export_options *options, struct pen_error *err)
{
    struct pen_arena *arena = &export->arena;
    const char *slash = strrchr(pipeline->file, '/');
    const char *folder = options->at == NULL ? pipeline->base_directory : options->at;
    export->name = pen_arena_strdup(arena, pipeline->name);
    export->dns = dns_of(arena, pipeline->name);
    export->folder = pen_arena_strdup(arena, folder);
    export->file = pen_arena_printf(arena, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder,
                                    slash == NULL ? pipeline->file : slash + 1);
    export->image = pen_arena_strdup(arena, options->image == NULL ? "penstock:" PEN_VERSION : options->image);
    export->volume = options->volume == NULL ? NULL : pen_arena_strdup(arena, options->volume);
    export->steps = pen_arena_alloc(arena, pipeline->n_nodes, sizeof *export->steps);
    return export->name == NULL || export->dns == NULL || export->folder == NULL || export->file == NULL ||
                   export->image == NULL || (export->volume == NULL && options->volume != NULL) || export->steps == NULL
               ? out_of_memory(err)
               : PEN_OK;
}

pen_status pen_export_describe(struct pen_export *export, const struct pen_pipeline *pipeline,
                               const struct pen_export_target *target, const struct pen_export_options *options,
                               struct pen_error *err)
{
    const char *words[3] = {NULL, NULL, NULL}; /* program, file, root */
    *export = (struct pen_export){.n_steps = pipeline->n_nodes};
    pen_status status = find_program(export, target, options, &words[0], err);
    PEN_TRY_GOTO(failed, status);
    PEN_TRY_GOTO(failed, find_root(export, pipeline, options->at, &words[2], err));
    PEN_TRY_GOTO(failed, copy_names(export, pipeline, options, err));
    words[1] = export->file;
    for (int64_t i = 0; i < pipeline->n_nodes; i++) {
        PEN_TRY_GOTO(failed, add_step(export, pipeline, i, words, options->n_gpus, err));
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
