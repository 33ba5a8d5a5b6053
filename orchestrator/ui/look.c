/* A root as it is now, read without its lock. */
#include "core/files.h"
#include "orchestrator/daemon/process.h"
#include "orchestrator/ui/ui_internal.h"

#include <string.h>

enum { NEAR = 50 }; /* runs that are looked at before the whole history is */

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* Is the run there, and every execution that its nodes took their outputs from? */
static bool has_run(struct pen_metadata *metadata, const char *run)
{
    const struct pen_metadata_query query = {.run = run};
    if (pen_metadata_find_run(metadata, run) == NULL) {
        return false;
    }
    for (int64_t i = pen_metadata_seek(metadata, 0, 1, &query); i >= 0;
         i = pen_metadata_seek(metadata, i + 1, 1, &query)) {
        const pen_json *execution = pen_metadata_execution(metadata, i);
        if (strcmp(text_of(execution, "status"), "cached") == 0 &&
            pen_metadata_find_execution(metadata, pen_metadata_number(metadata, i)) == NULL) {
            return false;
        }
    }
    return true;
}

pen_status pen_ui_look(struct pen_ui_call *call, struct pen_metadata *metadata, const char *run, int64_t n,
                       struct pen_error *err)
{
    const char *root = call->pipeline->root;
    char mark[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(mark, root, "metadata/ROOT.json", err));
    if (!pen_path_exists(mark)) {
        pen_metadata_init(metadata, root);
        return PEN_OK;
    }
    PEN_TRY(pen_metadata_open_recent(metadata, root, run == NULL ? n : NEAR, err));
    if (run == NULL || has_run(metadata, run)) {
        return PEN_OK;
    }
    pen_metadata_close(metadata);
    return pen_metadata_open(metadata, root, false, err);
}

bool pen_ui_is_busy(const struct pen_ui_call *call)
{
    int64_t pid = 0;
    return pen_process_writer(call->pipeline->root, &pid, NULL) == PEN_OK && pid != 0;
}

const char *pen_ui_run_status(const struct pen_ui_call *call, const pen_json *run)
{
    const char *status = text_of(run, "status");
    return strcmp(status, "running") == 0 && !pen_ui_is_busy(call) ? "abandoned" : status;
}
