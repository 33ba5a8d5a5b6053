/* Reading a pipeline file: keys, nodes, wiring, order. */
#include "orchestrator/pipeline/pipeline.h"

#include "core/communicator_local.h"
#include "core/files.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_NAMES = 256 };

static const char *const general_keys[] = {"pipeline", "root", "device", "launcher", "schedule", "nodes"};
enum { N_GENERAL = sizeof general_keys / sizeof general_keys[0] };

static pen_status out_of_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading the pipeline file");
}

static const struct pen_component *find_component(const struct pen_component *const *table, const char *name)
{
    for (int64_t i = 0; table[i] != NULL; i++) {
        if (strcmp(table[i]->name, name) == 0) {
            return table[i];
        }
    }
    return NULL;
}

/* An error at a key of a map, with the nearest known name. */
static pen_status unknown_name(const struct pen_config_node *map, int64_t index, const char *what,
                               const char *const *known, int64_t n_known, struct pen_error *err)
{
    struct pen_config_node place = *map->children[index];
    place.line = map->key_lines[index];
    place.column = map->key_columns[index];
    const char *near = pen_nearest_name(map->keys[index], known, n_known);
    char quoted[PEN_QUOTE_BYTES];
    return pen_config_error(&place, err, "%s '%s'%s%s%s", what,
                            pen_quote(quoted, map->keys[index], strlen(map->keys[index])),
                            near == NULL ? "" : "; did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?");
}

static pen_status check_keys(const struct pen_config_node *root, const struct pen_component *const *table,
                             struct pen_error *err)
{
    const char *known[MOST_NAMES];
    int64_t n = 0;
    for (; n < N_GENERAL; n++) {
        known[n] = general_keys[n];
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
            return unknown_name(root, i, "a pipeline has no section", known, n, err);
        }
    }
    return PEN_OK;
}

struct launcher_options {
    int64_t ranks;
    const struct pen_config_node *timeout;
};

static const struct pen_option launcher_table[] = {
    {"ranks", PEN_OPTION_INT, offsetof(struct launcher_options, ranks), "1", 1, PEN_LOCAL_RANKS_MAX, NULL,
     "processes of each node that can work on several"},
    {"timeout", PEN_OPTION_NODE, offsetof(struct launcher_options, timeout), NULL, 0, 0, NULL,
     "how long ranks wait for each other"},
    {.name = NULL}};

static pen_status read_launcher(struct pen_pipeline *pipeline, const struct pen_config_node *node,
                                struct pen_error *err)
{
    struct launcher_options options;
    PEN_TRY(pen_config_options(&pipeline->arena, &options, sizeof options, launcher_table, node, "launcher", err));
    pipeline->n_ranks = options.ranks;
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
    return schedule == NULL ? out_of_memory(err) : pen_schedule_read(&pipeline->arena, node, schedule, err);
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
    return pipeline->root == NULL ? out_of_memory(err) : PEN_OK;
}

static int64_t find_node(const struct pen_pipeline *pipeline, const char *name)
{
    for (int64_t i = 0; i < pipeline->n_nodes; i++) {
        if (strcmp(pipeline->nodes[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* The first output of the component whose type is wanted. */
static const char *output_of_type(const struct pen_component *component, const char *type)
{
    for (const struct pen_component_port *port = component->outputs; port != NULL && port->key != NULL; port++) {
        if (strcmp(port->type, type) == 0) {
            return port->key;
        }
    }
    return NULL;
}

static const struct pen_component_port *find_port(const struct pen_component_port *ports, const char *key)
{
    for (; ports != NULL && ports->key != NULL; ports++) {
        if (strcmp(ports->key, key) == 0) {
            return ports;
        }
    }
    return NULL;
}

static pen_status wire_standard(struct pen_pipeline *pipeline, struct pen_node *node, struct pen_error *err)
{
    int64_t n = 0;
    while (node->component->inputs != NULL && node->component->inputs[n].key != NULL) {
        n++;
    }
    node->inputs = pen_arena_alloc(&pipeline->arena, n, sizeof *node->inputs);
    if (node->inputs == NULL) {
        return out_of_memory(err);
    }
    node->n_inputs = n;
    for (int64_t i = 0; i < n; i++) {
        const struct pen_component_port *port = &node->component->inputs[i];
        node->inputs[i] = (struct pen_node_input){.port = port, .node = -1};
        int64_t producer = port->node == NULL ? -1 : find_node(pipeline, port->node);
        if (producer >= 0) {
            node->inputs[i].output = output_of_type(pipeline->nodes[producer].component, port->type);
            PEN_ASSERT(node->inputs[i].output != NULL);
            node->inputs[i].node = producer;
        }
    }
    return PEN_OK;
}

static pen_status wire_input(struct pen_pipeline *pipeline, struct pen_node *node, const struct pen_config_node *map,
                             int64_t index, struct pen_error *err)
{
    const char *key = map->keys[index];
    const struct pen_config_node *value = map->children[index];
    struct pen_node_input *input = NULL;
    for (int64_t i = 0; i < node->n_inputs; i++) {
        if (strcmp(node->inputs[i].port->key, key) == 0) {
            input = &node->inputs[i];
        }
    }
    if (input == NULL) {
        const char *known[MOST_NAMES];
        int64_t n = 0;
        for (; n < node->n_inputs && n < MOST_NAMES; n++) {
            known[n] = node->inputs[n].port->key;
        }
        return unknown_name(map, index, "the component has no input", known, n, err);
    }
    const char *text = NULL;
    PEN_TRY(pen_config_string(value, key, &text, err));
    char *producer = pen_arena_strdup(&pipeline->arena, text);
    char *dot = producer == NULL ? NULL : strrchr(producer, '.');
    if (dot == NULL) {
        return pen_config_error(value, err, "input %s: expected node.output, found '%.80s'", key, text);
    }
    *dot = '\0';
    int64_t from = -1;
    PEN_TRY(pen_pipeline_find(pipeline, producer, &from, NULL) == PEN_OK
                ? PEN_OK
                : pen_config_error(value, err, "input %s: there is no node '%.80s'", key, producer));
    from = find_node(pipeline, producer);
    const struct pen_component_port *output = find_port(pipeline->nodes[from].component->outputs, dot + 1);
    if (output == NULL) {
        return pen_config_error(value, err, "input %s: node %s has no output '%.80s'", key, producer, dot + 1);
    }
    if (strcmp(output->type, input->port->type) != 0) {
        return pen_config_error(value, err, "input %s: expected an artifact of type %s, found %s (%s)", key,
                                input->port->type, output->type, text);
    }
    input->node = from;
    input->output = output->key;
    return PEN_OK;
}

static pen_status check_options(struct pen_pipeline *pipeline, const struct pen_node *node, struct pen_error *err)
{
    if (node->component->options == NULL) {
        return PEN_OK;
    }
    void *options = pen_arena_alloc(&pipeline->arena, 1, node->component->options_bytes);
    if (options == NULL) {
        return out_of_memory(err);
    }
    return pen_config_options(&pipeline->arena, options, node->component->options_bytes, node->component->options,
                              node->options, node->name, err);
}

/* One entry of `nodes:` gets its place; its wiring follows when all nodes are known. */
static pen_status add_extra_node(struct pen_pipeline *pipeline, const struct pen_config_node *extras, int64_t index,
                                 const struct pen_component *const *table, struct pen_error *err)
{
    static const char *const keys[] = {"component", "inputs", "options"};
    const struct pen_config_node *entry = extras->children[index];
    const char *name = extras->keys[index];
    if (entry->kind != PEN_CONFIG_MAP) {
        return pen_config_error(entry, err, "node %.80s: expected a map with 'component'", name);
    }
    if (!pen_is_plain_name(name) || find_node(pipeline, name) >= 0) {
        return pen_config_error(entry, err, "node %.80s: expected a new name of letters, digits, '_', '.' and '-'",
                                name);
    }
    if (strcmp(name, "runs") == 0 || strcmp(name, "metadata") == 0 || strcmp(name, "checkpoints") == 0) {
        return pen_config_error(entry, err, "node %s: that folder of the root is taken; use another name", name);
    }
    for (int64_t i = 0; i < entry->n_children; i++) {
        if (strcmp(entry->keys[i], keys[0]) != 0 && strcmp(entry->keys[i], keys[1]) != 0 &&
            strcmp(entry->keys[i], keys[2]) != 0) {
            return unknown_name(entry, i, "a node has no key", keys, 3, err);
        }
    }
    const struct pen_config_node *component = pen_config_get(entry, "component");
    const char *component_name = NULL;
    if (component == NULL) {
        return pen_config_error(entry, err, "node %s: expected 'component: NAME'", name);
    }
    PEN_TRY(pen_config_string(component, "component", &component_name, err));
    struct pen_node *node = &pipeline->nodes[pipeline->n_nodes];
    node->name = name;
    node->component = find_component(table, component_name);
    node->options = pen_config_get(entry, "options");
    if (node->component == NULL) {
        const char *known[MOST_NAMES];
        int64_t n = 0;
        for (; table[n] != NULL && n < MOST_NAMES; n++) {
            known[n] = table[n]->name;
        }
        const char *near = pen_nearest_name(component_name, known, n);
        return pen_config_error(component, err, "there is no component '%.80s'%s%s%s", component_name,
                                near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                                near == NULL ? "" : "'?");
    }
    pipeline->n_nodes++;
    return PEN_OK;
}

/* Kahn's algorithm, always taking the first node in the file's order that is ready. */
static pen_status sort_nodes(struct pen_pipeline *pipeline, const struct pen_config_node *root, struct pen_error *err)
{
    int64_t n = pipeline->n_nodes;
    struct pen_node *sorted = pen_arena_alloc(&pipeline->arena, n, sizeof *sorted);
    int64_t *place = pen_arena_alloc(&pipeline->arena, n, sizeof *place);
    if (sorted == NULL || place == NULL) {
        return out_of_memory(err);
    }
    for (int64_t i = 0; i < n; i++) {
        place[i] = -1;
    }
    for (int64_t done = 0; done < n; done++) {
        int64_t chosen = -1;
        for (int64_t i = 0; i < n && chosen < 0; i++) {
            bool ready = place[i] < 0;
            for (int64_t k = 0; ready && k < pipeline->nodes[i].n_inputs; k++) {
                int64_t producer = pipeline->nodes[i].inputs[k].node;
                ready = producer < 0 || place[producer] >= 0;
            }
            chosen = ready ? i : -1;
        }
        if (chosen < 0) {
            return pen_config_error(pen_config_get(root, "nodes"), err,
                                    "nodes: expected no cycle, found one through these inputs");
        }
        place[chosen] = done;
        sorted[done] = pipeline->nodes[chosen];
    }
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < sorted[i].n_inputs; k++) {
            struct pen_node_input *input = &sorted[i].inputs[k];
            input->node = input->node < 0 ? -1 : place[input->node];
        }
    }
    pipeline->nodes = sorted;
    return PEN_OK;
}

static pen_status build_nodes(struct pen_pipeline *pipeline, const struct pen_config_node *root,
                              const struct pen_component *const *table, struct pen_error *err)
{
    const struct pen_config_node *extras = pen_config_get(root, "nodes");
    if (extras != NULL && extras->kind == PEN_CONFIG_NULL) {
        extras = NULL;
    }
    if (extras != NULL && extras->kind != PEN_CONFIG_MAP) {
        return pen_config_error(extras, err, "nodes: expected a map of node names");
    }
    int64_t n = extras == NULL ? 0 : extras->n_children;
    for (int64_t i = 0; table[i] != NULL; i++) {
        n++;
    }
    pipeline->nodes = pen_arena_alloc(&pipeline->arena, n, sizeof *pipeline->nodes);
    if (pipeline->nodes == NULL) {
        return out_of_memory(err);
    }
    for (int64_t i = 0; table[i] != NULL; i++) {
        pipeline->nodes[pipeline->n_nodes++] = (struct pen_node){
            .name = table[i]->name, .component = table[i], .options = pen_config_get(root, table[i]->name)};
    }
    int64_t n_standard = pipeline->n_nodes;
    for (int64_t i = 0; extras != NULL && i < extras->n_children; i++) {
        PEN_TRY(add_extra_node(pipeline, extras, i, table, err));
    }
    for (int64_t i = 0; i < pipeline->n_nodes; i++) {
        PEN_TRY(wire_standard(pipeline, &pipeline->nodes[i], err));
        PEN_TRY(check_options(pipeline, &pipeline->nodes[i], err));
    }
    for (int64_t i = n_standard; i < pipeline->n_nodes; i++) {
        PEN_ASSERT(extras != NULL);
        const struct pen_config_node *inputs = pen_config_get(extras->children[i - n_standard], "inputs");
        if (inputs != NULL && inputs->kind != PEN_CONFIG_MAP && inputs->kind != PEN_CONFIG_NULL) {
            return pen_config_error(inputs, err, "inputs: expected a map {port: node.output}");
        }
        for (int64_t k = 0; inputs != NULL && k < inputs->n_children; k++) {
            PEN_TRY(wire_input(pipeline, &pipeline->nodes[i], inputs, k, err));
        }
    }
    return sort_nodes(pipeline, root, err);
}

static pen_status find_base(struct pen_pipeline *pipeline, struct pen_error *err)
{
    char *absolute = realpath(pipeline->file, NULL);
    if (absolute == NULL) {
        return out_of_memory(err);
    }
    char *slash = strrchr(absolute, '/');
    *slash = '\0';
    pipeline->base_directory = pen_arena_strdup(&pipeline->arena, absolute[0] == '\0' ? "/" : absolute);
    free(absolute);
    return pipeline->base_directory == NULL ? out_of_memory(err) : PEN_OK;
}

pen_status pen_pipeline_read(struct pen_pipeline *pipeline, const char *path, const char *const *sets, int64_t n_sets,
                             const struct pen_component *const *table, struct pen_error *err)
{
    *pipeline = (struct pen_pipeline){.file = path};
    struct pen_config_node *root = NULL;
    pen_status status = PEN_OK;
    PEN_TRY_GOTO(failed, pen_config_read_file(&pipeline->arena, path, &root, err));
    for (int64_t i = 0; i < n_sets; i++) {
        const char *equals = strchr(sets[i], '=');
        char *key = pen_arena_strdup(&pipeline->arena, sets[i]);
        if (equals == NULL || equals == sets[i] || key == NULL) {
            PEN_FAIL_GOTO(failed, err, PEN_ERR_USAGE,
                          "--set: expected key=value, such as trainer.steps=500; found '%.80s'", sets[i]);
        }
        key[equals - sets[i]] = '\0';
        PEN_TRY_GOTO(failed, pen_config_set(&pipeline->arena, root, key, equals + 1, err));
    }
    if (root->kind != PEN_CONFIG_MAP) {
        status = pen_config_error(root, err, "expected a map with 'pipeline: NAME' and a section per node");
        goto failed;
    }
    PEN_TRY_GOTO(failed, check_keys(root, table, err));
    PEN_TRY_GOTO(failed, read_general(pipeline, root, err));
    PEN_TRY_GOTO(failed, find_base(pipeline, err));
    PEN_TRY_GOTO(failed, build_nodes(pipeline, root, table, err));
    return PEN_OK;
failed:
    pen_pipeline_deinit(pipeline);
    return status;
}

void pen_pipeline_deinit(struct pen_pipeline *pipeline)
{
    pen_arena_deinit(&pipeline->arena);
}

pen_status pen_pipeline_find(const struct pen_pipeline *pipeline, const char *name, int64_t *node,
                             struct pen_error *err)
{
    *node = find_node(pipeline, name);
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
