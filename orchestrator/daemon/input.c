/* The fingerprints of source nodes. */
#include "orchestrator/daemon/input.h"

#include "core/json.h"

#include <string.h>

static bool is_source(const struct pen_node *node)
{
    return node->n_inputs == 0 && node->component->fingerprint != NULL;
}

static pen_status fingerprint(const struct pen_pipeline *pipeline, const struct pen_node *node, pen_json *all,
                              struct pen_error *err)
{
    struct pen_arena arena = {0};
    pen_json *key = pen_json_object();
    const struct pen_component_context context = {
        .pipeline = pipeline->name,
        .node = node->name,
        .arena = &arena,
        .options = node->options,
        .base_directory = pipeline->base_directory,
        .device = "cpu",
    };
    pen_status status = node->component->fingerprint(&context, key, err);
    pen_json_set(all, node->name, key);
    pen_arena_deinit(&arena);
    return status;
}

pen_status pen_schedule_input(const struct pen_pipeline *pipeline, char hex[PEN_SHA256_HEX_BYTES],
                              struct pen_error *err)
{
    pen_json *all = pen_json_object();
    struct pen_text text = {0};
    pen_status status = PEN_OK;
    for (int64_t i = 0; status == PEN_OK && i < pipeline->n_nodes; i++) {
        if (is_source(&pipeline->nodes[i])) {
            status = fingerprint(pipeline, &pipeline->nodes[i], all, err);
        }
    }
    status = status == PEN_OK ? pen_json_print(all, PEN_JSON_CANONICAL, &text, err) : status;
    if (status == PEN_OK) {
        pen_sha256_of(pen_text_view(&text), text.size_bytes, hex);
    }
    pen_text_deinit(&text);
    pen_json_free(all);
    return status;
}
