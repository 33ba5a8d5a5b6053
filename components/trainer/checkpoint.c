/* The folder of checkpoints: which is the newest, which may go. */
#include "components/trainer/checkpoint.h"

#include "core/files.h"
#include "core/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char front[] = "step-", suffix[] = ".checkpoint", unfinished[] = ".tmp";

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static bool is_checkpoint(const char *name)
{
    return strncmp(name, front, sizeof front - 1) == 0 && ends_with(name, suffix);
}

static pen_status rename_file(const char *from, const char *to, struct pen_error *err)
{
    if (rename(from, to) != 0) {
        PEN_FAIL(err, pen_status_from_errno(errno), "%s: cannot rename to %s: %s", from, to, strerror(errno));
    }
    return PEN_OK;
}

static pen_status remove_file(const char *folder, const char *name, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(path, folder, name, err));
    if (unlink(path) != 0) {
        PEN_FAIL(err, pen_status_from_errno(errno), "%s: cannot remove: %s", path, strerror(errno));
    }
    return PEN_OK;
}

/* Names sort as their steps do. */
static pen_status prune(const struct pen_checkpoints *c, struct pen_error *err)
{
    struct pen_arena arena = {0};
    char **names = NULL;
    int64_t n_names = 0, n_kept = 0;
    pen_status status = pen_directory_list(&arena, c->folder, &names, &n_names, err);
    for (int64_t i = n_names - 1; i >= 0 && status == PEN_OK; i--) {
        bool old = is_checkpoint(names[i]) && n_kept++ >= c->keep;
        if (old || ends_with(names[i], unfinished)) {
            status = remove_file(c->folder, names[i], err);
        }
    }
    pen_arena_deinit(&arena);
    return status;
}

static pen_status write_and_check(const char *path, const pen_json *about, const struct pen_checkpoint_array *arrays,
                                  int64_t n_arrays, struct pen_exec *exec, struct pen_error *err)
{
    pen_json *found = NULL;
    PEN_TRY(pen_checkpoint_file_write(path, about, arrays, n_arrays, exec, err));
    pen_status status = pen_checkpoint_file_check(path, &found, err);
    pen_json_free(found);
    return status;
}

pen_status pen_checkpoints_save(const struct pen_checkpoints *c, int64_t step, const pen_json *state,
                                const struct pen_checkpoint_array *arrays, int64_t n_arrays, struct pen_exec *exec,
                                struct pen_error *err)
{
    char name[64], path[PEN_PATH_BYTES], temporary[PEN_PATH_BYTES + sizeof unfinished];
    PEN_TRY(pen_directory_create(c->folder, err));
    (void)snprintf(name, sizeof name, "%s%012lld%s", front, (long long)step, suffix);
    PEN_TRY(pen_path_join(path, c->folder, name, err));
    (void)snprintf(temporary, sizeof temporary, "%s%s", path, unfinished);
    pen_json *about = pen_json_object();
    pen_json_set(about, "configuration", pen_json_copy(c->configuration));
    pen_json_set(about, "state", pen_json_copy(state));
    pen_status status = write_and_check(temporary, about, arrays, n_arrays, exec, err);
    pen_json_free(about);
    if (status != PEN_OK) {
        (void)unlink(temporary);
        return status;
    }
    PEN_TRY(rename_file(temporary, path, err));
    PEN_TRY(pen_directory_sync(c->folder, err));
    return prune(c, err);
}

/* The newest whole one among names; *about NULL: none. Damaged ones are set aside. */
static pen_status find_whole(const struct pen_checkpoints *c, char *const *names, int64_t n_names,
                             char path[PEN_PATH_BYTES], pen_json **about, struct pen_error *err)
{
    char damaged[PEN_PATH_BYTES + 16];
    struct pen_error problem = PEN_ERROR_INIT;
    damaged[0] = '\0';
    for (int64_t i = n_names - 1; i >= 0; i--) {
        if (!is_checkpoint(names[i])) {
            continue;
        }
        PEN_TRY(pen_path_join(path, c->folder, names[i], err));
        if (damaged[0] != '\0') {
            pen_log(PEN_LOG_WARNING, "checkpoint rejected, trying %s instead: %s", names[i], problem.message);
        }
        pen_status status = pen_checkpoint_file_check(path, about, &problem);
        if (status == PEN_OK) {
            return PEN_OK;
        }
        if (status != PEN_ERR_DATA && status != PEN_ERR_IO) {
            return pen_error_set(err, __FILE__, __LINE__, status, "%s", problem.message);
        }
        (void)snprintf(damaged, sizeof damaged, "%s.damaged", path);
        PEN_TRY(rename_file(path, damaged, err));
    }
    if (damaged[0] != '\0') {
        pen_log(PEN_LOG_WARNING, "checkpoint rejected and none is left, training starts again: %s", problem.message);
    }
    return PEN_OK;
}

/* *same: it is of the configuration that is to go on. */
static pen_status check_configuration(const struct pen_checkpoints *c, const char *path, const pen_json *about,
                                      bool *same, struct pen_error *err)
{
    pen_json *differences = pen_json_differences(pen_json_get(about, "configuration"), c->configuration);
    int64_t n = pen_json_size(differences);
    char what[512];
    (void)snprintf(what, sizeof what, "%.400s%s", pen_json_string_or(pen_json_at(differences, 0), ""),
                   n > 1 ? " (and more)" : "");
    pen_json_free(differences);
    *same = n == 0;
    if (n > 0 && c->resume) {
        PEN_FAIL(err, PEN_ERR_CONFIG,
                 "%s: expected a checkpoint of this training, found one of another: %s; undo the change, or run "
                 "without --resume to train from the start",
                 path, what);
    }
    if (n > 0) {
        pen_log(PEN_LOG_WARNING, "checkpoints of an interrupted training are removed, for it was another: %s", what);
        return pen_directory_remove(c->folder, err);
    }
    return PEN_OK;
}

static pen_status load(const struct pen_checkpoints *c, char *const *names, int64_t n_names, pen_json **state,
                       const struct pen_checkpoint_array *arrays, int64_t n_arrays, struct pen_exec *exec,
                       struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    pen_json *about = NULL;
    bool same = false;
    PEN_TRY(find_whole(c, names, n_names, path, &about, err));
    if (about == NULL) {
        return PEN_OK;
    }
    pen_status status = check_configuration(c, path, about, &same, err);
    if (status == PEN_OK && same) {
        status = pen_checkpoint_file_read(path, about, arrays, n_arrays, exec, err);
        *state = status == PEN_OK ? pen_json_copy(pen_json_get(about, "state")) : NULL;
    }
    pen_json_free(about);
    return status;
}

pen_status pen_checkpoints_load(const struct pen_checkpoints *c, pen_json **state,
                                const struct pen_checkpoint_array *arrays, int64_t n_arrays, struct pen_exec *exec,
                                struct pen_error *err)
{
    struct pen_arena arena = {0};
    char **names = NULL;
    int64_t n_names = 0;
    *state = NULL;
    if (!pen_path_is_directory(c->folder)) {
        return PEN_OK;
    }
    pen_status status = pen_directory_list(&arena, c->folder, &names, &n_names, err);
    if (status == PEN_OK) {
        status = load(c, names, n_names, state, arrays, n_arrays, exec, err);
    }
    pen_arena_deinit(&arena);
    return status;
}
