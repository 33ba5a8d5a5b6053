/* Small JSON values. */
#include "orchestrator/export/document.h"

pen_json *pen_document_joined(const char *prefix, const char *text)
{
    struct pen_text joined = {0};
    pen_text_printf(&joined, "%s%s", prefix, text);
    pen_json *json = joined.failed ? NULL : pen_json_string(pen_text_view(&joined));
    pen_text_deinit(&joined);
    return json;
}

pen_json *pen_document_count(int64_t count)
{
    struct pen_text digits = {0};
    pen_text_printf(&digits, "%lld", (long long)count);
    pen_json *json = digits.failed ? NULL : pen_json_string(pen_text_view(&digits));
    pen_text_deinit(&digits);
    return json;
}

pen_json *pen_document_member(const char *key, pen_json *value)
{
    pen_json *object = pen_json_object();
    pen_json_set(object, key, value);
    return object;
}

pen_json *pen_document_list(pen_json *item)
{
    pen_json *list = pen_json_array();
    pen_json_push(list, item);
    return list;
}

pen_json *pen_document_command(const struct pen_export_step *step)
{
    return pen_document_list(pen_json_string(step->command[0]));
}

pen_json *pen_document_args(const struct pen_export_step *step, const char *run)
{
    pen_json *args = pen_json_array();
    for (int64_t i = 1; i < step->n_command; i++) {
        pen_json_push(args, pen_json_string(step->command[i]));
    }
    pen_json_push(args, pen_json_string("--run"));
    pen_json_push(args, pen_json_string(run));
    return args;
}

pen_json *pen_document_container(const struct pen_export *export, int64_t n_gpus)
{
    pen_json *container = pen_document_member("image", pen_json_string(export->image));
    if (n_gpus > 0) {
        pen_json *limits = pen_document_member(export->gpu_type, pen_document_count(n_gpus));
        pen_json_set(container, "resources", pen_document_member("limits", limits));
    }
    if (export->volume != NULL) {
        pen_json *mount = pen_document_member("name", pen_json_string("pipeline"));
        pen_json_set_string(mount, "mountPath", export->folder);
        pen_json_set(container, "volumeMounts", pen_document_list(mount));
    }
    return container;
}

pen_json *pen_document_volumes(const struct pen_export *export)
{
    pen_json *volume = pen_document_member("name", pen_json_string("pipeline"));
    pen_json *claim = pen_document_member("claimName", pen_json_string(export->volume));
    pen_json_set(volume, "persistentVolumeClaim", claim);
    return pen_document_list(volume);
}

pen_status pen_document_refuse(const struct pen_export *export, const char *target, struct pen_error *err)
{
    PEN_TRY(pen_export_refuse(export, target, "{{", "'{{' begins a placeholder", err));
    PEN_TRY(pen_export_refuse(export, target, "$(", "Kubernetes replaces '$('", err));
    return pen_export_refuse(export, target, "$$", "Kubernetes replaces '$$'", err);
}

pen_json *pen_document_before(const struct pen_export *export, const struct pen_export_step *step)
{
    pen_json *before = pen_json_array();
    for (int64_t i = 0; i < step->n_after; i++) {
        pen_json_push(before, pen_json_string(export->steps[step->after[i]].dns));
    }
    return before;
}
