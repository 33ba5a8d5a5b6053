/* Gathering what came of the nodes. */
#include "orchestrator/run/outcome.h"

#include <string.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static void add_outputs(pen_json *node, const pen_json *outputs)
{
    const char *port = NULL;
    const pen_json *output = NULL;
    pen_json *made = pen_json_object();
    for (int64_t i = 0; pen_json_member(outputs, i, &port, &output); i++) {
        pen_json *artifact = pen_json_object();
        pen_json_set_string(artifact, "id", text_of(output, "id"));
        pen_json_set_string(artifact, "hash", text_of(output, "hash"));
        pen_json_set(made, port, artifact);
    }
    pen_json_set(node, "outputs", made);
}

void pen_outcome_add(struct pen_run *run, const pen_json *record)
{
    pen_json *node = pen_json_object();
    pen_json_set_string(node, "node", text_of(record, "node"));
    pen_json_set_string(node, "status", text_of(record, "status"));
    pen_json_set_double(node, "seconds", pen_json_number_or(pen_json_get(record, "seconds"), 0));
    if (text_of(record, "message")[0] != '\0') {
        pen_json_set_string(node, "message", text_of(record, "message"));
    }
    if (run->attempt > 1) {
        pen_json_set_int(node, "attempts", run->attempt);
    }
    add_outputs(node, pen_json_get(record, "outputs"));
    pen_json_push(run->nodes, node);
    if (run->options->watch != NULL) {
        run->options->watch->node_ends(run->options->watch->user, record);
    }
}

static bool took_part(const struct pen_run *run, const char *node)
{
    if (run->options->run != NULL) {
        return true; /* what stands in was made by earlier steps of this run */
    }
    for (int64_t i = 0; i < pen_json_size(run->nodes); i++) {
        if (strcmp(text_of(pen_json_at(run->nodes, i), "node"), node) == 0) {
            return true;
        }
    }
    return false;
}

/* Of an artifact of this run, not of one that stands in for a node left out. */
static const pen_json *property(const struct pen_run *run, const char *type, const char *name)
{
    const char *node = NULL;
    const pen_json *outputs = NULL;
    const pen_json *found = NULL;
    for (int64_t i = 0; pen_json_member(run->outputs, i, &node, &outputs); i++) {
        const char *port = NULL;
        const pen_json *output = NULL;
        for (int64_t k = 0; took_part(run, node) && pen_json_member(outputs, k, &port, &output); k++) {
            if (strcmp(text_of(output, "type"), type) == 0) {
                found = pen_json_get(pen_json_get(output, "properties"), name);
            }
        }
    }
    return found;
}

pen_json *pen_outcome_make(struct pen_run *run, const char *status, double seconds)
{
    const pen_json *blessed = property(run, "ModelBlessing", "blessed");
    const pen_json *pushed = property(run, "PushedModel", "path");
    bool was_pushed = pen_json_bool_or(property(run, "PushedModel", "pushed"), false);
    pen_json *outcome = pen_json_object();
    pen_json_set_int(outcome, "schema", 1);
    pen_json_set_string(outcome, "run", run->name);
    pen_json_set_string(outcome, "status", status);
    pen_json_set_double(outcome, "seconds", seconds);
    pen_json_set_string(outcome, "device", run->device);
    pen_json_set_string(outcome, "root", run->metadata.root);
    pen_json_set(outcome, "nodes", pen_json_copy(run->nodes));
    pen_json_set(outcome, "blessed", blessed == NULL ? pen_json_null() : pen_json_copy(blessed));
    pen_json_set(outcome, "pushed", was_pushed && pushed != NULL ? pen_json_copy(pushed) : pen_json_null());
    return outcome;
}

bool pen_outcome_is_cached(const struct pen_run *run)
{
    for (int64_t i = 0; i < pen_json_size(run->nodes); i++) {
        const char *status = text_of(pen_json_at(run->nodes, i), "status");
        if (strcmp(status, "cached") != 0 && strcmp(status, "skipped") != 0) {
            return false;
        }
    }
    return true;
}
