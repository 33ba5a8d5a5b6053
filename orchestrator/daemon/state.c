/* Files of a schedule. */
#include "orchestrator/daemon/state.h"

#include "core/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pen_status path_of(char out[PEN_PATH_BYTES], const char *root, const char *name, struct pen_error *err)
{
    char folder[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(folder, root, "metadata/schedule", err));
    return pen_path_join(out, folder, name, err);
}

pen_status pen_schedule_path(char out[PEN_PATH_BYTES], const char *root, const char *name, struct pen_error *err)
{
    char folder[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(folder, root, "metadata/schedule", err));
    PEN_TRY(pen_directory_create(folder, err));
    return pen_path_join(out, folder, name, err);
}

pen_status pen_schedule_state_read(const char *root, struct pen_schedule_state *state, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    pen_json *document = NULL;
    *state = (struct pen_schedule_state){.is_new = true};
    PEN_TRY(path_of(path, root, "state.json", err));
    if (!pen_path_exists(path)) {
        return PEN_OK;
    }
    PEN_TRY(pen_json_read_file(path, &document, err));
    state->is_new = false;
    pen_status status = pen_json_need_int(document, "handled", path, &state->handled, err);
    (void)snprintf(state->input, sizeof state->input, "%s", pen_json_string_or(pen_json_get(document, "input"), ""));
    pen_json_free(document);
    return status;
}

pen_status pen_schedule_state_write(const char *root, const struct pen_schedule_state *state, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_schedule_path(path, root, "state.json", err));
    pen_json *document = pen_json_object();
    pen_json_set_int(document, "schema", 1);
    pen_json_set_int(document, "handled", state->handled);
    pen_json_set_string(document, "input", state->input);
    pen_status status = pen_json_write_file(document, path, err);
    pen_json_free(document);
    return status;
}

bool pen_schedule_has_mark(const char *root, const char *name)
{
    char path[PEN_PATH_BYTES];
    return path_of(path, root, name, NULL) == PEN_OK && pen_path_exists(path);
}

bool pen_schedule_is_served(const char *root)
{
    char path[PEN_PATH_BYTES];
    int64_t pid = 0;
    return path_of(path, root, "lock", NULL) == PEN_OK && pen_lock_holder(path, &pid, NULL) == PEN_OK && pid != 0;
}

pen_status pen_schedule_set_mark(const char *root, const char *name, bool is_set, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_schedule_path(path, root, name, err));
    if (is_set) {
        return pen_file_write_atomic(path, "", 0, err);
    }
    if (unlink(path) != 0 && errno != ENOENT) {
        int number = errno;
        PEN_FAIL(err, pen_status_from_errno(number), "%s: cannot remove it: %s", path, strerror(number));
    }
    return PEN_OK;
}
