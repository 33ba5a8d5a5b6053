/* Nodes of a pipeline: standard ones and more, their options and policy, their wiring, their order. */
#include "orchestrator/pipeline/pipeline_internal.h"

#include <stdio.h>
#include <string.h>

static const struct pen_component *find_component(const struct pen_component *const *table, const char *name)
{
    for (int64_t i = 0; table[i] != NULL; i++) {
        if (strcmp(table[i]->name, name) == 0) {
            return table[i];
        }
    }
    return NULL;
}

pen_status pen_pipeline_unknown(const struct pen_config_node *map, int64_t index, const char *what,
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

int64_t pen_pipeline_index(const struct pen_pipeline *pipeline, const char *name)
{
    for (int64_t i = 0; i < pipeline->n_nodes; i++) {
        if (strcmp(pipeline->nodes[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static pen_status check_options(struct pen_pipeline *pipeline, const struct pen_node *node, struct pen_error *err)
{
    if (node->component->options == NULL) {
        return PEN_OK;
    }
    void *options = pen_arena_alloc(&pipeline->arena, 1, node->component->options_bytes);
    if (options == NULL) {
        return pen_pipeline_no_memory(err);
    }
    PEN_TRY(pen_config_options(&pipeline->arena, options, node->component->options_bytes, node->component->options,
                               node->options, node->name, err));
    if (node->component->check == NULL) {
        return PEN_OK;
    }
    const struct pen_component_context context = {.pipeline = pipeline->name,
                                                  .node = node->name,
                                                  .arena = &pipeline->arena,
                                                  .options = node->options,
                                                  .base_directory = pipeline->base_directory};
    return node->component->check(&context, err);
}

static pen_status check_entry(const struct pen_config_node *entry, struct pen_error *err)
{
    const char *known[MOST_NAMES] = {"component", "inputs", "options"};
    int64_t n = 3;
    for (int i = 0; pen_policy_keys[i] != NULL; i++) {
        known[n++] = pen_policy_keys[i];
    }
    for (int64_t i = 0; i < entry->n_children; i++) {
        bool found = false;
        for (int64_t k = 0; k < n; k++) {
            found = found || strcmp(entry->keys[i], known[k]) == 0;
        }
        if (!found) {
            return pen_pipeline_unknown(entry, i, "a node has no key", known, n, err);
        }
    }
    return PEN_OK;
}

/* A standard node's section without the keys of its policy: the component's options. NULL: nothing is left. */
static pen_status take_options(struct pen_pipeline *pipeline, struct pen_node *node,
                               const struct pen_config_node *section, struct pen_error *err)
{
    node->options = section;
    int64_t n_own = 0;
    for (int64_t i = 0; section != NULL && i < section->n_children; i++) {
        n_own += section->kind != PEN_CONFIG_MAP || !pen_policy_has_key(section->keys[i]);
    }
    if (section == NULL || n_own == section->n_children) {
        return PEN_OK;
    }
    struct pen_config_node *own = pen_arena_alloc(&pipeline->arena, 1, sizeof *own);
    struct pen_config_node **children = pen_arena_alloc(&pipeline->arena, n_own, sizeof *children);
    const char **keys = pen_arena_alloc(&pipeline->arena, n_own, sizeof *keys);
    int *places = pen_arena_alloc(&pipeline->arena, 2 * n_own, sizeof *places);
    if (own == NULL || children == NULL || keys == NULL || places == NULL) {
        return pen_pipeline_no_memory(err);
    }
    *own = (struct pen_config_node){.kind = PEN_CONFIG_MAP,
                                    .line = section->line,
                                    .column = section->column,
                                    .file = section->file,
                                    .children = children,
                                    .keys = keys,
                                    .key_lines = places,
                                    .key_columns = places + n_own};
    for (int64_t i = 0; i < section->n_children; i++) {
        if (!pen_policy_has_key(section->keys[i])) {
            int64_t k = own->n_children++;
            children[k] = section->children[i];
            keys[k] = section->keys[i];
            own->key_lines[k] = section->key_lines[i];
            own->key_columns[k] = section->key_columns[i];
        }
    }
    node->options = n_own == 0 ? NULL : own;
    return PEN_OK;
}

/* An option misspelt may also have been meant for the policy. */
static pen_status check_option_names(const struct pen_node *node, struct pen_error *err)
{
    const struct pen_config_node *map = node->options;
    const char *known[MOST_NAMES];
    int64_t n = 0;
    for (const struct pen_option *option = node->component->options; option != NULL && option->name != NULL; option++) {
        known[n++] = option->name;
    }
    for (int i = 0; pen_policy_keys[i] != NULL; i++) {
        known[n++] = pen_policy_keys[i];
    }
    for (int64_t i = 0; map != NULL && map->kind == PEN_CONFIG_MAP && i < map->n_children; i++) {
        bool found = false;
        for (int64_t k = 0; k < n; k++) {
            found = found || strcmp(map->keys[i], known[k]) == 0;
        }
        if (!found) {
            char what[160];
            (void)snprintf(what, sizeof what, "%.128s has no option", node->name);
            return pen_pipeline_unknown(map, i, what, known, n, err);
        }
    }
    return PEN_OK;
}

static pen_status add_standard_node(struct pen_pipeline *pipeline, const struct pen_config_node *root,
                                    const struct pen_component *component, const struct pen_policy *defaults,
                                    struct pen_error *err)
{
    struct pen_node *node = &pipeline->nodes[pipeline->n_nodes++];
    const struct pen_config_node *section = pen_config_get(root, component->name);
    *node = (struct pen_node){.name = component->name, .component = component, .policy = *defaults};
    PEN_TRY(take_options(pipeline, node, section, err));
    PEN_TRY(check_option_names(node, err));
    return pen_policy_read(&node->policy, section, false, err);
}

/* One entry of `nodes:` gets its place; its wiring follows when all nodes are known. */
static pen_status add_extra_node(struct pen_pipeline *pipeline, const struct pen_config_node *extras, int64_t index,
                                 const struct pen_component *const *table, const struct pen_policy *defaults,
                                 struct pen_error *err)
{
    const struct pen_config_node *entry = extras->children[index];
    const char *name = extras->keys[index];
    if (entry->kind != PEN_CONFIG_MAP) {
        return pen_config_error(entry, err, "node %.80s: expected a map with 'component'", name);
    }
    if (!pen_is_plain_name(name) || pen_pipeline_index(pipeline, name) >= 0) {
        return pen_config_error(entry, err, "node %.80s: expected a new name of letters, digits, '_', '.' and '-'",
                                name);
    }
    if (strcmp(name, "runs") == 0 || strcmp(name, "metadata") == 0 || strcmp(name, "checkpoints") == 0) {
        return pen_config_error(entry, err, "node %s: that folder of the root is taken; use another name", name);
    }
    PEN_TRY(check_entry(entry, err));
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
    node->policy = *defaults;
    return pen_policy_read(&node->policy, entry, false, err);
}

int64_t pen_pipeline_property(const struct pen_pipeline *pipeline, const char *name, const char **property)
{
    int64_t best = -1;
    size_t length = 0;
    for (int64_t i = 0; i < pipeline->n_nodes; i++) {
        size_t size = strlen(pipeline->nodes[i].name);
        if (size > length && strncmp(pipeline->nodes[i].name, name, size) == 0 && name[size] == '.' &&
            name[size + 1] != '\0') {
            best = i;
            length = size;
        }
    }
    *property = best < 0 ? "" : name + length + 1;
    return best;
}

/* The nodes a condition reads come before the node that has it. */
static pen_status read_condition(struct pen_pipeline *pipeline, struct pen_node *node, struct pen_error *err)
{
    const struct pen_config_node *place = node->policy.when;
    struct pen_error problem = PEN_ERROR_INIT;
    if (place == NULL) {
        return PEN_OK;
    }
    struct pen_condition *when = pen_arena_alloc(&pipeline->arena, 1, sizeof *when);
    if (when == NULL) {
        return pen_pipeline_no_memory(err);
    }
    if (pen_condition_parse(&pipeline->arena, place->scalar, when, &problem) != PEN_OK) {
        return pen_config_error(place, err, "when: %s", problem.message);
    }
    node->when = when;
    node->after = pen_arena_alloc(&pipeline->arena, when->n_names, sizeof *node->after);
    if (node->after == NULL) {
        return pen_pipeline_no_memory(err);
    }
    for (int64_t i = 0; i < when->n_names; i++) {
        const char *property = NULL;
        int64_t producer = pen_pipeline_property(pipeline, when->names[i], &property);
        if (producer < 0) {
            const char *known[MOST_NAMES];
            int64_t n = 0;
            for (; n < pipeline->n_nodes && n < MOST_NAMES; n++) {
                known[n] = pipeline->nodes[n].name;
            }
            char first[128];
            (void)snprintf(first, sizeof first, "%.*s", (int)strcspn(when->names[i], "."), when->names[i]);
            const char *near = pen_nearest_name(first, known, n);
            return pen_config_error(place, err, "when: expected NODE.PROPERTY, found '%.80s'%s%s%s", when->names[i],
                                    near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                                    near == NULL ? "" : ".'?");
        }
        node->after[node->n_after++] = producer;
    }
    return PEN_OK;
}

pen_status pen_pipeline_build(struct pen_pipeline *pipeline, const struct pen_config_node *root,
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
        return pen_pipeline_no_memory(err);
    }
    struct pen_policy defaults = PEN_POLICY_DEFAULT;
    const struct pen_config_node *shared = pen_config_get(root, "defaults");
    PEN_TRY(shared == NULL ? PEN_OK : pen_policy_read(&defaults, shared, true, err));
    for (int64_t i = 0; table[i] != NULL; i++) {
        PEN_TRY(add_standard_node(pipeline, root, table[i], &defaults, err));
    }
    int64_t n_standard = pipeline->n_nodes;
    for (int64_t i = 0; extras != NULL && i < extras->n_children; i++) {
        PEN_TRY(add_extra_node(pipeline, extras, i, table, &defaults, err));
    }
    for (int64_t i = 0; i < pipeline->n_nodes; i++) {
        PEN_TRY(pen_pipeline_wire(pipeline, &pipeline->nodes[i], err));
        PEN_TRY(check_options(pipeline, &pipeline->nodes[i], err));
        PEN_TRY(read_condition(pipeline, &pipeline->nodes[i], err));
    }
    for (int64_t i = n_standard; i < pipeline->n_nodes; i++) {
        PEN_ASSERT(extras != NULL);
        const struct pen_config_node *inputs = pen_config_get(extras->children[i - n_standard], "inputs");
        if (inputs != NULL && inputs->kind != PEN_CONFIG_MAP && inputs->kind != PEN_CONFIG_NULL) {
            return pen_config_error(inputs, err, "inputs: expected a map {port: node.output}");
        }
        for (int64_t k = 0; inputs != NULL && k < inputs->n_children; k++) {
            PEN_TRY(pen_pipeline_wire_input(pipeline, &pipeline->nodes[i], inputs, k, err));
        }
    }
    return pen_pipeline_sort(pipeline, root, err);
}
