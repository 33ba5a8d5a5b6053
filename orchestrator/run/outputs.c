/* Staging folders, manifests, the rename. */
#include "orchestrator/run/outputs.h"

#include "core/files.h"
#include "orchestrator/run/manifest.h"

static pen_status out_of_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: publishing outputs");
}

pen_status pen_outputs_stage(struct pen_run *run, struct pen_component_context *context, const char *node,
                             struct pen_error *err)
{
    for (int64_t i = 0; i < context->n_outputs; i++) {
        struct pen_component_output *output = &context->outputs[i];
        output->path = pen_arena_printf(&run->arena, "%s/%s/%s", run->folder, node, output->key);
        if (output->path == NULL) {
            return out_of_memory(err);
        }
        PEN_TRY(pen_directory_create(output->path, err));
    }
    return PEN_OK;
}

pen_status pen_outputs_publish(struct pen_run *run, const struct pen_node *node,
                               const struct pen_component_context *context, int64_t number, pen_json *outputs,
                               struct pen_error *err)
{
    for (int64_t i = 0; i < context->n_outputs; i++) {
        const struct pen_component_output *output = &context->outputs[i];
        const char *type = node->component->outputs[i].type;
        char hash[PEN_SHA256_HEX_BYTES];
        PEN_TRY(pen_manifest_write(output->path, type, hash, err));
        const char *folder = pen_arena_printf(&run->arena, "%s/%s/%s", run->metadata.root, node->name, output->key);
        const char *uri = pen_arena_printf(&run->arena, "%s/%s/%lld", node->name, output->key, (long long)number);
        const char *final = pen_arena_printf(&run->arena, "%s/%s", run->metadata.root, uri);
        const char *id = pen_arena_printf(&run->arena, "%s.%s.%lld", node->name, output->key, (long long)number);
        if (folder == NULL || uri == NULL || final == NULL || id == NULL) {
            return out_of_memory(err);
        }
        PEN_TRY(pen_directory_create(folder, err));
        PEN_TRY(pen_publish(output->path, final, err));
        pen_json *object = pen_json_object();
        pen_json_set_string(object, "id", id);
        pen_json_set_string(object, "type", type);
        pen_json_set_string(object, "uri", uri);
        pen_json_set_string(object, "hash", hash);
        pen_json_set_int(object, "execution", number);
        pen_json_set(object, "properties", pen_json_copy(output->properties));
        pen_json_set(outputs, output->key, object);
    }
    const char *staging = pen_arena_printf(&run->arena, "%s/%s", run->folder, node->name);
    return staging == NULL ? out_of_memory(err) : pen_directory_remove(staging, err);
}
