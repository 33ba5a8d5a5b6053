/* From the outcome to an event. */
#include "orchestrator/run/tell.h"

#include "core/files.h"
#include "core/log.h"
#include "orchestrator/hooks/hooks.h"

#include <string.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* The node that ended the run, or NULL. */
static const pen_json *failed_node(const pen_json *outcome)
{
    const pen_json *nodes = pen_json_get(outcome, "nodes");
    for (int64_t i = 0; i < pen_json_size(nodes); i++) {
        const char *status = text_of(pen_json_at(nodes, i), "status");
        if (strcmp(status, "failed") == 0 || strcmp(status, "cancelled") == 0) {
            return pen_json_at(nodes, i);
        }
    }
    return NULL;
}

static void keep(const struct pen_run *run, const pen_json *hooks)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    pen_status status = pen_path_join(path, run->folder, "hooks.json", &err);
    status = status == PEN_OK ? pen_json_write_file(hooks, path, &err) : status;
    if (status != PEN_OK) {
        pen_log(PEN_LOG_WARNING, "what came of the hooks could not be kept: %s", err.message);
    }
}

void pen_run_tell(const struct pen_run *run, pen_json *outcome)
{
    const struct pen_run_watch *watch = run->options->watch;
    const pen_json *failed = failed_node(outcome);
    const pen_json *blessed = pen_json_get(outcome, "blessed");
    const struct pen_event event = {
        .pipeline = run->pipeline->name,
        .file = run->pipeline->file,
        .root = text_of(outcome, "root"),
        .run = text_of(outcome, "run"),
        .status = text_of(outcome, "status"),
        .node = text_of(failed, "node"),
        .message = text_of(failed, "message"),
        .blessed = !pen_json_is_bool(blessed)         ? ""
                   : pen_json_bool_or(blessed, false) ? "true"
                                                      : "false",
        .pushed = text_of(outcome, "pushed"),
        .seconds = pen_json_number_or(pen_json_get(outcome, "seconds"), 0),
        .directory = run->pipeline->base_directory,
        .folder = run->folder,
    };
    pen_json *hooks = pen_json_array();
    pen_hooks_run(&run->pipeline->settings, &event, hooks, watch == NULL ? NULL : watch->warning,
                  watch == NULL ? NULL : watch->user);
    if (pen_json_size(hooks) > 0) {
        keep(run, hooks);
        pen_json_set(outcome, "hooks", hooks);
    } else {
        pen_json_free(hooks);
    }
}
