/* Reading a pipeline file: what is said of all of it. Its nodes: nodes.c. */
#include "core/communicator_local.h"
#include "core/files.h"
#include "orchestrator/pipeline/pipeline_internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const general_keys[] = {"pipeline", "root",   "device",   "launcher",
                                           "schedule", "params", "defaults", "nodes"};
enum { N_GENERAL = sizeof general_keys / sizeof general_keys[0] };

pen_status pen_pipeline_no_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading the pipeline file");
}

static pen_status check_keys(const struct pen_config_node *root, const struct pen_component *const *table,
                             struct pen_error *err)
{
    const char *known[MOST_NAMES];
    int64_t n = 0;
    for (; n < N_GENERAL; n++) {
        known[n] = general_keys[n];
    }
    for (int i = 0; pen_settings_keys[i] != NULL; i++) {
        known[n++] = pen_settings_keys[i];
    }
    for (int64_t i = 0; table[i] != NULL && n < MOST_NAMES; i++) {
        known[n++] = table[i]->name;
    }
    for (int64_t i = 0; i < root->n_children; i++) {
        bool found = false;
        for (int64_t k = 0; k < n; k++) {
            found = found || strcmp(known[k], root->keys[i]) == 0;
        }
        if (!found) {
            return pen_pipeline_unknown(root, i, "a pipeline has no section", known, n, err);
        }
    }
    return PEN_OK;
}

struct launcher_options {
    int64_t ranks;
    struct pen_config_strings command;
    const struct pen_config_node *timeout;
};

static const struct pen_option launcher_table[] = {
    {"ranks", PEN_OPTION_INT, offsetof(struct launcher_options, ranks), "1", 1, 4096, NULL,
     "processes of each node that can work on several"},
    {"command", PEN_OPTION_STRINGS, offsetof(struct launcher_options, command), NULL, 0, 0, NULL,
     "what starts them, with options: mpirun, srun; none: penstock itself, on this machine"},
    {"timeout", PEN_OPTION_NODE, offsetof(struct launcher_options, timeout), NULL, 0, 0, NULL,
     "how long ranks wait for each other"},
    {.name = NULL}};

static pen_status read_launcher(struct pen_pipeline *pipeline, const struct pen_config_node *node,
                                struct pen_error *err)
{
    struct launcher_options options;
    PEN_TRY(pen_config_options(&pipeline->arena, &options, sizeof options, launcher_table, node, "launcher", err));
    if (options.command.n_items == 0 && options.ranks > PEN_LOCAL_RANKS_MAX) {
        return pen_config_error(pen_config_get(node, "ranks"), err,
                                "ranks: expected at most %d on one machine, found %lld; give launcher.command, such "
                                "as mpirun",
                                PEN_LOCAL_RANKS_MAX, (long long)options.ranks);
    }
    pipeline->n_ranks = options.ranks;
    pipeline->launcher = options.command;
    pipeline->ranks_timeout_s = 300;
    return options.timeout == NULL ? PEN_OK
                                   : pen_config_seconds(options.timeout, "timeout", &pipeline->ranks_timeout_s, err);
}

static pen_status read_schedule(struct pen_pipeline *pipeline, const struct pen_config_node *node,
                                struct pen_error *err)
{
    if (node == NULL || node->kind == PEN_CONFIG_NULL) {
        return PEN_OK;
    }
    struct pen_schedule *schedule = pen_arena_alloc(&pipeline->arena, 1, sizeof *schedule);
    pipeline->schedule = schedule;
    return schedule == NULL ? pen_pipeline_no_memory(err) : pen_schedule_read(&pipeline->arena, node, schedule, err);
}

static pen_status read_general(struct pen_pipeline *pipeline, const struct pen_config_node *root, struct pen_error *err)
{
    const struct pen_config_node *name = pen_config_get(root, "pipeline");
    const struct pen_config_node *folder = pen_config_get(root, "root");
    const struct pen_config_node *device = pen_config_get(root, "device");
    if (name == NULL) {
        return pen_config_error(root, err, "expected a name for the pipeline: add the line 'pipeline: my_pipeline'");
    }
    PEN_TRY(pen_config_string(name, "pipeline", &pipeline->name, err));
    if (!pen_is_plain_name(pipeline->name)) {
        return pen_config_error(name, err, "pipeline: expected a name of letters, digits, '_', '.' and '-'");
    }
    pipeline->root = pen_arena_printf(&pipeline->arena, "out/%s", pipeline->name);
    pipeline->device = "auto";
    if (folder != NULL) {
        PEN_TRY(pen_config_string(folder, "root", &pipeline->root, err));
        if (pipeline->root[0] == '\0') {
            return pen_config_error(folder, err, "root: expected a folder, found an empty text");
        }
    }
    if (device != NULL) {
        PEN_TRY(pen_config_string(device, "device", &pipeline->device, err));
    }
    PEN_TRY(read_launcher(pipeline, pen_config_get(root, "launcher"), err));
    PEN_TRY(read_schedule(pipeline, pen_config_get(root, "schedule"), err));
    return pipeline->root == NULL ? pen_pipeline_no_memory(err) : PEN_OK;
}

static pen_status find_base(struct pen_pipeline *pipeline, struct pen_error *err)
{
    char *absolute = realpath(pipeline->file, NULL);
    if (absolute == NULL) {
        return pen_pipeline_no_memory(err);
    }
    char *slash = strrchr(absolute, '/');
    *slash = '\0';
    pipeline->base_directory = pen_arena_strdup(&pipeline->arena, absolute[0] == '\0' ? "/" : absolute);
    free(absolute);
    return pipeline->base_directory == NULL ? pen_pipeline_no_memory(err) : PEN_OK;
}

static pen_status apply_sets(struct pen_pipeline *pipeline, struct pen_config_node *root,
                             const struct pen_config_strings *sets, struct pen_error *err)
{
    for (int64_t i = 0; i < sets->n_items; i++) {
        const char *text = sets->items[i];
        const char *equals = strchr(text, '=');
        char *key = pen_arena_strdup(&pipeline->arena, text);
        if (equals == NULL || equals == text || key == NULL) {
            PEN_FAIL(err, PEN_ERR_USAGE, "--set: expected key=value, such as trainer.steps=500; found '%.80s'", text);
        }
        key[equals - text] = '\0';
        PEN_TRY(pen_config_set(&pipeline->arena, root, key, equals + 1, err));
    }
    return PEN_OK;
}

pen_status pen_pipeline_read_changed(struct pen_pipeline *pipeline, const char *path,
                                     const struct pen_pipeline_changes *changes,
                                     const struct pen_component *const *table, struct pen_error *err)
{
    *pipeline = (struct pen_pipeline){.file = path};
    struct pen_config_node *root = NULL;
    pen_status status = PEN_OK;
    PEN_TRY_GOTO(failed, pen_config_read_file(&pipeline->arena, path, &root, err));
    PEN_TRY_GOTO(failed, apply_sets(pipeline, root, &changes->sets, err));
    if (root->kind != PEN_CONFIG_MAP) {
        status = pen_config_error(root, err, "expected a map with 'pipeline: NAME' and a section per node");
        goto failed;
    }
    PEN_TRY_GOTO(failed, check_keys(root, table, err));
    PEN_TRY_GOTO(failed, pen_params_apply(&pipeline->arena, root, changes->params.items, changes->params.n_items,
                                          &pipeline->params, err));
    PEN_TRY_GOTO(failed, read_general(pipeline, root, err));
    PEN_TRY_GOTO(failed, pen_settings_read(&pipeline->arena, root, &pipeline->settings, err));
    PEN_TRY_GOTO(failed, find_base(pipeline, err));
    PEN_TRY_GOTO(failed, pen_pipeline_build(pipeline, root, table, err));
    return PEN_OK;
failed:
    pen_pipeline_deinit(pipeline);
    return status;
}

pen_status pen_pipeline_read(struct pen_pipeline *pipeline, const char *path, const char *const *sets, int64_t n_sets,
                             const struct pen_component *const *table, struct pen_error *err)
{
    const struct pen_pipeline_changes changes = {.sets = {sets, n_sets}};
    return pen_pipeline_read_changed(pipeline, path, &changes, table, err);
}

void pen_pipeline_deinit(struct pen_pipeline *pipeline)
{
    pen_arena_deinit(&pipeline->arena);
}

pen_status pen_pipeline_find(const struct pen_pipeline *pipeline, const char *name, int64_t *node,
                             struct pen_error *err)
{
    *node = pen_pipeline_index(pipeline, name);
    if (*node >= 0) {
        return PEN_OK;
    }
    const char *known[MOST_NAMES];
    int64_t n = 0;
    for (; n < pipeline->n_nodes && n < MOST_NAMES; n++) {
        known[n] = pipeline->nodes[n].name;
    }
    const char *near = pen_nearest_name(name, known, n);
    PEN_FAIL(err, PEN_ERR_USAGE, "there is no node '%.80s'%s%s%s", name, near == NULL ? "" : "; did you mean '",
             near == NULL ? "" : near, near == NULL ? "" : "'?");
}
