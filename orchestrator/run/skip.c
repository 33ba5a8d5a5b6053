/* Deciding about a node from what was made before it. */
#include "orchestrator/run/skip.h"

#include <string.h>

static const pen_json *in_properties(const pen_json *properties, const char *name)
{
    const pen_json *own = pen_json_get(properties, name);
    const char *key = NULL;
    const pen_json *value = NULL;
    for (int64_t i = 0; own == NULL && pen_json_member(properties, i, &key, &value); i++) {
        own = pen_json_get(value, name);
    }
    return own;
}

static const pen_json *find_property(const pen_json *outputs, const char *name)
{
    const char *port = NULL;
    const pen_json *output = NULL;
    for (int64_t i = 0; pen_json_member(outputs, i, &port, &output); i++) {
        const pen_json *found = in_properties(pen_json_get(output, "properties"), name);
        if (found != NULL) {
            return found;
        }
    }
    for (int64_t i = 0; pen_json_member(outputs, i, &port, &output); i++) {
        size_t size = strlen(port);
        if (strncmp(port, name, size) == 0 && name[size] == '.') {
            return in_properties(pen_json_get(output, "properties"), name + size + 1);
        }
    }
    return NULL;
}

static bool was_skipped(const struct pen_run *run, int64_t node)
{
    return pen_json_get(run->skipped, run->pipeline->nodes[node].name) != NULL;
}

static const pen_json *look_up(void *user, const char *name)
{
    const struct pen_run *run = user;
    const char *property = NULL;
    int64_t node = pen_pipeline_property(run->pipeline, name, &property);
    return node < 0 ? NULL : find_property(pen_json_get(run->outputs, run->pipeline->nodes[node].name), property);
}

static pen_status say(struct pen_run *run, const char **reason, struct pen_error *err, const char *before,
                      const char *name)
{
    *reason = pen_arena_printf(&run->arena, "%s%s", before, name);
    return *reason == NULL ? pen_error_set(err, __FILE__, __LINE__, PEN_ERR_MEMORY, "out of memory: skipping a node")
                           : PEN_OK;
}

pen_status pen_skip_reason(struct pen_run *run, const struct pen_node *node, const char **reason, struct pen_error *err)
{
    *reason = NULL;
    for (int64_t i = 0; i < node->n_inputs; i++) {
        int64_t producer = node->inputs[i].node;
        if (producer >= 0 && !node->inputs[i].port->optional && was_skipped(run, producer)) {
            return say(run, reason, err, "it takes what was skipped, from ", run->pipeline->nodes[producer].name);
        }
    }
    for (int64_t i = 0; node->when != NULL && i < node->when->n_names; i++) {
        const char *property = NULL;
        const int64_t read = pen_pipeline_property(run->pipeline, node->when->names[i], &property);
        if (read >= 0 && was_skipped(run, read)) {
            return say(run, reason, err, "its condition reads what was skipped, ", run->pipeline->nodes[read].name);
        }
    }
    bool holds = true;
    if (node->when != NULL) {
        pen_status status = pen_condition_holds(node->when, look_up, run, &holds, err);
        if (status != PEN_OK) {
            pen_error_prefix(err, "node %s: ", node->name);
            return status;
        }
    }
    return holds ? PEN_OK : say(run, reason, err, "not when ", node->when->text);
}

pen_status pen_skip_plan(struct pen_run *run, const struct pen_node *node, const char **reason, bool *open,
                         struct pen_error *err)
{
    *reason = NULL;
    *open = false;
    for (int64_t i = 0; node->when != NULL && i < node->when->n_names; i++) {
        const char *property = NULL;
        const int64_t read = pen_pipeline_property(run->pipeline, node->when->names[i], &property);
        const pen_json *made = read < 0 ? NULL : pen_json_get(run->outputs, run->pipeline->nodes[read].name);
        *open = *open || (made != NULL && pen_json_is_null(made));
    }
    PEN_TRY(*open ? PEN_OK : pen_skip_reason(run, node, reason, err));
    if (*reason != NULL) {
        pen_json_set_bool(run->skipped, node->name, true);
    }
    return PEN_OK;
}

pen_status pen_skip(struct pen_run *run, const struct pen_node *node, const char *reason, bool by_condition,
                    pen_json **record, struct pen_error *err)
{
    pen_json *skipped = pen_json_object();
    pen_json_set_string(skipped, "run", run->name);
    pen_json_set_string(skipped, "node", node->name);
    pen_json_set_string(skipped, "component", node->component->name);
    pen_json_set_string(skipped, "status", "skipped");
    pen_json_set_double(skipped, "seconds", 0);
    pen_json_set_string(skipped, "message", reason);
    if (by_condition) {
        pen_json_set_bool(skipped, "condition", true);
    }
    pen_json_set_bool(run->skipped, node->name, true);
    *record = pen_json_copy(skipped);
    pen_status status = pen_metadata_record(&run->metadata, "execution", skipped, err);
    if (status != PEN_OK) {
        pen_json_free(*record);
        *record = NULL;
    }
    return status;
}
