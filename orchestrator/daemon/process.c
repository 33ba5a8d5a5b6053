/* Starting and stopping. A lock's text names its holder, yet a number may belong to another process by now: only one
 * that has the lock file open is told to stop. */
#include "orchestrator/daemon/process.h"

#include "core/files.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: only what is safe after fork. */
static void become(const struct pen_process *process, const char *program)
{
    bool ok = (process->out < 0 || dup2(process->out, STDOUT_FILENO) >= 0) &&
              (process->err < 0 || dup2(process->err, STDERR_FILENO) >= 0);
    if (ok) {
        (void)close_range(STDERR_FILENO + 1, ~0U, 0);
        if (process->outlives) {
            (void)setsid();
        }
        (void)execv(program, (char **)(uintptr_t)process->line);
    }
    _exit(70);
}

pen_status pen_process_start(const struct pen_process *process, pid_t *child, struct pen_error *err)
{
    const char *program = process->program == NULL ? "/proc/self/exe" : process->program;
    *child = fork();
    if (*child < 0) {
        PEN_FAIL(err, PEN_ERR_INTERNAL, "cannot start %s: %s", program, strerror(errno));
    }
    if (*child == 0) {
        become(process, program);
    }
    return PEN_OK;
}

pen_status pen_process_status(int state)
{
    int code = WIFEXITED(state) ? WEXITSTATUS(state) : 70;
    for (int status = 0; status < PEN_STATUS_COUNT; status++) {
        if (pen_status_exit_code((pen_status)status) == code) {
            return (pen_status)status;
        }
    }
    return PEN_ERR_FAILED;
}

static pen_status lock_path(char out[PEN_PATH_BYTES], const char *root, struct pen_error *err)
{
    return pen_path_join(out, root, "metadata/lock", err);
}

pen_status pen_process_writer(const char *root, int64_t *pid, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    *pid = 0;
    PEN_TRY(lock_path(path, root, err));
    return pen_lock_holder(path, pid, err);
}

static bool has_open(int64_t pid, const char *path)
{
    char wanted[PEN_PATH_BYTES], folder[64], found[PEN_PATH_BYTES], link[PEN_PATH_BYTES];
    bool is_there = false;
    (void)snprintf(folder, sizeof folder, "/proc/%lld/fd", (long long)pid);
    DIR *open_files = realpath(path, wanted) == NULL ? NULL : opendir(folder);
    for (struct dirent *entry = NULL; open_files != NULL && !is_there && (entry = readdir(open_files)) != NULL;) {
        if (pen_path_join(link, folder, entry->d_name, NULL) != PEN_OK) {
            continue;
        }
        ssize_t size = readlink(link, found, sizeof found - 1);
        found[size < 0 ? 0 : size] = '\0';
        is_there = strcmp(found, wanted) == 0;
    }
    if (open_files != NULL) {
        (void)closedir(open_files);
    }
    return is_there;
}

pen_status pen_process_stop_writer(const char *root, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    int64_t pid = 0;
    PEN_TRY(lock_path(path, root, err));
    PEN_TRY(pen_lock_holder(path, &pid, err));
    if (pid <= 1 || !has_open(pid, path)) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "no run on this machine holds %s", root);
    }
    if (kill((pid_t)pid, SIGTERM) != 0) {
        int number = errno;
        PEN_FAIL(err, pen_status_from_errno(number), "process %lld, which holds %s, cannot be told to stop: %s",
                 (long long)pid, root, strerror(number));
    }
    return PEN_OK;
}
