/* Which output feeds which input, and the order that follows. */
#include "orchestrator/pipeline/pipeline_internal.h"

#include <string.h>

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

pen_status pen_pipeline_wire(struct pen_pipeline *pipeline, struct pen_node *node, struct pen_error *err)
{
    int64_t n = 0;
    while (node->component->inputs != NULL && node->component->inputs[n].key != NULL) {
        n++;
    }
    node->inputs = pen_arena_alloc(&pipeline->arena, n, sizeof *node->inputs);
    if (node->inputs == NULL) {
        return pen_pipeline_no_memory(err);
    }
    node->n_inputs = n;
    for (int64_t i = 0; i < n; i++) {
        const struct pen_component_port *port = &node->component->inputs[i];
        node->inputs[i] = (struct pen_node_input){.port = port, .node = -1};
        int64_t producer = port->node == NULL ? -1 : pen_pipeline_index(pipeline, port->node);
        if (producer >= 0) {
            node->inputs[i].output = output_of_type(pipeline->nodes[producer].component, port->type);
            PEN_ASSERT(node->inputs[i].output != NULL);
            node->inputs[i].node = producer;
        }
    }
    return PEN_OK;
}

pen_status pen_pipeline_wire_input(struct pen_pipeline *pipeline, struct pen_node *node,
                                   const struct pen_config_node *map, int64_t index, struct pen_error *err)
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
        return pen_pipeline_unknown(map, index, "the component has no input", known, n, err);
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
    from = pen_pipeline_index(pipeline, producer);
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

/* Kahn's algorithm, always taking the first node in the file's order that is ready. */
pen_status pen_pipeline_sort(struct pen_pipeline *pipeline, const struct pen_config_node *root, struct pen_error *err)
{
    int64_t n = pipeline->n_nodes;
    struct pen_node *sorted = pen_arena_alloc(&pipeline->arena, n, sizeof *sorted);
    int64_t *place = pen_arena_alloc(&pipeline->arena, n, sizeof *place);
    if (sorted == NULL || place == NULL) {
        return pen_pipeline_no_memory(err);
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
            for (int64_t k = 0; ready && k < pipeline->nodes[i].n_after; k++) {
                ready = place[pipeline->nodes[i].after[k]] >= 0;
            }
            chosen = ready ? i : -1;
        }
        if (chosen < 0) {
            const struct pen_config_node *extras = pen_config_get(root, "nodes");
            return pen_config_error(extras == NULL ? root : extras, err,
                                    "nodes: expected no cycle, found one through inputs and conditions");
        }
        place[chosen] = done;
        sorted[done] = pipeline->nodes[chosen];
    }
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < sorted[i].n_inputs; k++) {
            struct pen_node_input *input = &sorted[i].inputs[k];
            input->node = input->node < 0 ? -1 : place[input->node];
        }
        for (int64_t k = 0; k < sorted[i].n_after; k++) {
            sorted[i].after[k] = place[sorted[i].after[k]];
        }
    }
    pipeline->nodes = sorted;
    return PEN_OK;
}
