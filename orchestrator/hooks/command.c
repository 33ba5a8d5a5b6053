/* A command in a process group of its own, stopped as a whole when its minute is over. */
#include "orchestrator/hooks/hooks_internal.h"

#include "core/log.h"
#include "core/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { OWN_VARIABLES = 10 };

/* The environment with the event's variables in place of any of their names; in the arena, NULL when memory is short.
 */
static char **make_environment(struct pen_arena *arena, const struct pen_event *event)
{
    char seconds[PEN_NUMBER_BYTES];
    const char *const own[OWN_VARIABLES][2] = {
        {"PENSTOCK_PIPELINE", event->pipeline}, {"PENSTOCK_FILE", event->file},
        {"PENSTOCK_ROOT", event->root},         {"PENSTOCK_RUN", event->run},
        {"PENSTOCK_STATUS", event->status},     {"PENSTOCK_SECONDS", pen_format_double(seconds, event->seconds)},
        {"PENSTOCK_NODE", event->node},         {"PENSTOCK_MESSAGE", event->message},
        {"PENSTOCK_BLESSED", event->blessed},   {"PENSTOCK_PUSHED", event->pushed},
    };
    int64_t n = 0;
    while (environ[n] != NULL) {
        n++;
    }
    char **all = pen_arena_alloc(arena, n + OWN_VARIABLES + 1, sizeof *all);
    if (all == NULL) {
        return NULL;
    }
    int64_t used = 0;
    for (int64_t i = 0; i < n; i++) {
        bool is_own = false;
        for (int k = 0; k < OWN_VARIABLES; k++) {
            size_t size = strlen(own[k][0]);
            is_own = is_own || (strncmp(environ[i], own[k][0], size) == 0 && environ[i][size] == '=');
        }
        if (!is_own) {
            all[used++] = environ[i];
        }
    }
    for (int k = 0; k < OWN_VARIABLES; k++) {
        all[used] = pen_arena_printf(arena, "%s=%s", own[k][0], own[k][1]);
        if (all[used++] == NULL) {
            return NULL;
        }
    }
    return all;
}

/* Signals as a program expects them, whatever ours are. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all;
    sigset_t none;
    (void)sigfillset(&all);
    (void)sigemptyset(&none);
    int failed =
        posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    failed = failed != 0 ? failed : posix_spawnattr_setpgroup(attributes, 0);
    failed = failed != 0 ? failed : posix_spawnattr_setsigdefault(attributes, &all);
    return failed != 0 ? failed : posix_spawnattr_setsigmask(attributes, &none);
}

static int start(const struct pen_event *event, const char *command, const char *input, const char *log,
                 char *const *environment, pid_t *process)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *const arguments[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", (char *)(uintptr_t)command, NULL};
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0) {
        return failed;
    }
    failed = posix_spawnattr_init(&attributes);
    if (failed != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return failed;
    }
    failed = set_attributes(&attributes);
    failed = failed != 0
                 ? failed
                 : posix_spawn_file_actions_addopen(&actions, 0, input == NULL ? "/dev/null" : input, O_RDONLY, 0);
    failed =
        failed != 0 ? failed : posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_APPEND | O_CREAT, 0666);
    failed = failed != 0 ? failed : posix_spawn_file_actions_adddup2(&actions, 1, 2);
    failed = failed != 0 ? failed : posix_spawn_file_actions_addchdir_np(&actions, event->directory);
    failed = failed != 0 ? failed : posix_spawn(process, "/bin/sh", &actions, &attributes, arguments, environment);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed;
}

/* Its state, once it ended by itself or was made to. */
static int finish(pid_t process, bool *stopped)
{
    static const struct timespec nap = {.tv_nsec = 5000000};
    double end = pen_clock_seconds() + PEN_HOOK_SECONDS;
    int state = 0;
    *stopped = false;
    while (waitpid(process, &state, WNOHANG) == 0) {
        if (pen_clock_seconds() > end) {
            (void)kill(-process, *stopped ? SIGKILL : SIGTERM);
            end = pen_clock_seconds() + 2;
            *stopped = true;
        }
        (void)nanosleep(&nap, NULL);
    }
    return state;
}

pen_status pen_hook_command(const struct pen_event *event, const char *command, const char *input,
                            struct pen_error *err)
{
    struct pen_arena arena = {0};
    pid_t process = -1;
    bool stopped = false;
    pen_status status = PEN_OK;
    char quoted[PEN_QUOTE_BYTES];
    char **environment = make_environment(&arena, event);
    const char *log = pen_arena_printf(&arena, "%s/hooks.log", event->folder);
    if (environment == NULL || log == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: starting a command");
    }
    (void)pen_quote(quoted, command, strlen(command));
    int failed = start(event, command, input, log, environment, &process);
    if (failed != 0) {
        PEN_FAIL_GOTO(cleanup, err, pen_status_from_errno(failed), "'%s': cannot start: %s", quoted, strerror(failed));
    }
    int state = finish(process, &stopped);
    if (stopped) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_TIMEOUT, "'%s' took longer than %d s and was stopped", quoted,
                      PEN_HOOK_SECONDS);
    }
    if (WIFSIGNALED(state)) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_FAILED, "'%s' died of signal %d (%s); what it said: %s", quoted,
                      WTERMSIG(state), strsignal(WTERMSIG(state)), log);
    }
    if (WEXITSTATUS(state) != 0) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_FAILED, "'%s' ended with code %d; what it said: %s", quoted,
                      WEXITSTATUS(state), log);
    }
cleanup:
    pen_arena_deinit(&arena);
    return status;
}
