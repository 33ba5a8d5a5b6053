/* Building a key's parts. */
#include "orchestrator/run/cache_key.h"

pen_status pen_cache_key(const struct pen_component *component, const struct pen_component_context *context,
                         const pen_json *inputs, pen_json **parts, char key[PEN_SHA256_HEX_BYTES],
                         struct pen_error *err)
{
    struct pen_text canonical = {0};
    pen_json *object = pen_json_object();
    pen_json *outside = pen_json_object();
    pen_status status = PEN_OK;
    if (component->fingerprint != NULL) {
        status = component->fingerprint(context, outside, err);
    }
    pen_json_set_string(object, "component", component->name);
    pen_json_set_int(object, "version", component->version);
    pen_json_set_string(object, "device", context->device);
    if (context->n_ranks > 1 && component->rounds_by_ranks) {
        pen_json_set_int(object, "ranks", context->n_ranks);
    }
    pen_json_set(object, "options", pen_config_to_json(context->options));
    pen_json_set(object, "inputs", pen_json_copy(inputs));
    pen_json_set(object, "outside", outside);
    if (status == PEN_OK) {
        status = pen_json_print(object, PEN_JSON_CANONICAL, &canonical, err);
    }
    if (status == PEN_OK) {
        pen_sha256_of(canonical.data, canonical.size_bytes, key);
        *parts = object;
    } else {
        pen_json_free(object);
    }
    pen_text_deinit(&canonical);
    return status;
}
