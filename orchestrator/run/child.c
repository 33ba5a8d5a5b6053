/* The two ends of a child process. Lines in the pipe are JSON: {"p": progress (live.h)},
 * {"w": text}, and last {"status": n, "message": text, "properties": {port: {...}}}. */
#include "orchestrator/run/child.h"

#include "core/files.h"
#include "core/log.h"
#include "orchestrator/run/rank.h"
#include "orchestrator/run/task.h"
#include "orchestrator/run/team.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FINISH_SECONDS = 10 };

/* ---- the child's side ---- */

struct child {
    const struct pen_component *component;
    struct pen_component_context *context;
    const struct pen_child_options *options;
    struct pen_local_mesh *mesh; /* NULL: one rank */
    int pipe_fd;                 /* rank 0's end */
    pid_t parent;
};

static bool is_of_mesh(const struct pen_local_mesh *mesh, int fd)
{
    for (int r = 0; mesh != NULL && r < mesh->size; r++) {
        for (int peer = 0; peer < mesh->size; peer++) {
            if (mesh->fds[r][peer] == fd) {
                return true;
            }
        }
    }
    return false;
}

/* Descriptors above standard error, but the pipe's and the mesh's: the runner's lock and journal among them. */
static void close_inherited(const struct child *child, int rank)
{
    for (int fd = 3; fd < 256; fd++) {
        if (!(fd == child->pipe_fd && rank == 0) && !is_of_mesh(child->mesh, fd)) {
            (void)close(fd);
        }
    }
}

static void join(const struct child *child, int rank)
{
    struct pen_error error = PEN_ERROR_INIT;
    child->context->ranks = pen_communicator_one();
    if (child->mesh != NULL && pen_local_mesh_join(&child->context->ranks, child->mesh, rank,
                                                   child->options->ranks_timeout_s, &error) != PEN_OK) {
        (void)fprintf(stderr, "%s\n", error.message);
        _exit(pen_status_exit_code(error.status));
    }
}

/* Becomes the launcher, whose ranks are penstock again; the standard output that it gathers from them is the pipe. */
static void launch(const struct child *child)
{
    enum { MORE = 6, MOST = 64 };
    char *arguments[MOST + MORE] = {NULL}, number[32], self[PEN_PATH_BYTES], verb[] = "rank", count[] = "-n";
    int64_t n = child->options->launcher.n_items;
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0 || n > MOST || dup2(child->pipe_fd, STDOUT_FILENO) < 0) {
        _exit(73);
    }
    self[length] = '\0';
    (void)snprintf(number, sizeof number, "%lld", (long long)child->context->n_ranks);
    for (int64_t i = 0; i < n; i++) {
        arguments[i] = strdup(child->options->launcher.items[i]);
    }
    char *const more[] = {count, number, self, verb, strdup(child->options->task_path)};
    memcpy(arguments + n, more, sizeof more);
    (void)setenv("OMPI_MCA_odls_base_sigkill_timeout", "5", 0); /* time to write a checkpoint */
    (void)execvp(arguments[0], arguments);
    (void)fprintf(stderr, "launcher %s: cannot start: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

static void child_main(void *user, int rank)
{
    const struct child *child = user;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != child->parent) {
        _exit(70);
    }
    int log_fd = open(child->options->log_path, O_WRONLY | O_APPEND | O_CLOEXEC);
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (log_fd < 0 || null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(log_fd, 1) < 0 || dup2(log_fd, 2) < 0) {
        _exit(73);
    }
    close_inherited(child, rank);
    if (child->options->launcher.n_items > 0) {
        launch(child);
    }
    join(child, rank);
    _exit(pen_rank_work(child->component, child->context, rank == 0 ? child->pipe_fd : -1));
}

/* ---- the runner's side ---- */

struct listener {
    struct pen_component_context *context;
    const struct pen_child_watch *watch;
    struct pen_text buffer;
    bool has_result;
    pen_status status;
    struct pen_error *err;
};

static void take_result(struct listener *listener, const pen_json *line)
{
    listener->has_result = true;
    int64_t status = pen_json_int_or(pen_json_get(line, "status"), PEN_ERR_INTERNAL);
    listener->status = status >= 0 && status < PEN_STATUS_COUNT ? (pen_status)status : PEN_ERR_INTERNAL;
    if (listener->status != PEN_OK) {
        (void)pen_error_set(listener->err, __FILE__, __LINE__, listener->status, "%s",
                            pen_json_string_or(pen_json_get(line, "message"), ""));
    }
    const pen_json *properties = pen_json_get(line, "properties");
    for (int64_t i = 0; i < listener->context->n_outputs; i++) {
        struct pen_component_output *output = &listener->context->outputs[i];
        const pen_json *own = pen_json_get(properties, output->key);
        const char *key = NULL;
        const pen_json *value = NULL;
        for (int64_t m = 0; pen_json_member(own, m, &key, &value); m++) {
            pen_json_set(output->properties, key, pen_json_copy(value));
        }
    }
}

static void take_line(struct listener *listener, const char *text, size_t size)
{
    pen_json *line = NULL;
    if (pen_json_parse(text, size, "the node's pipe", &line, NULL) != PEN_OK) {
        return; /* a line cut by a dying child */
    }
    const pen_json *progress = pen_json_get(line, "p");
    const pen_json *warning = pen_json_get(line, "w");
    if (progress != NULL && listener->watch != NULL && listener->watch->progress != NULL) {
        listener->watch->progress(listener->watch->user, progress);
    } else if (warning != NULL && listener->watch != NULL && listener->watch->warning != NULL) {
        listener->watch->warning(listener->watch->user, pen_json_string_or(warning, ""));
    } else if (pen_json_get(line, "status") != NULL) {
        take_result(listener, line);
    }
    pen_json_free(line);
}

static void take_bytes(struct listener *listener, const char *bytes, size_t size)
{
    pen_text_append_bytes(&listener->buffer, bytes, size);
    char *start = listener->buffer.data;
    size_t left = listener->buffer.size_bytes;
    char *newline = NULL;
    while (start != NULL && (newline = memchr(start, '\n', left)) != NULL) {
        size_t length = (size_t)(newline - start);
        take_line(listener, start, length);
        start = newline + 1;
        left -= length + 1;
    }
    if (start != NULL && start != listener->buffer.data) {
        memmove(listener->buffer.data, start, left);
        listener->buffer.size_bytes = left;
        listener->buffer.data[left] = '\0';
    }
}

/* What has made rank 0 stop, and since when it should; 0: nothing. */
struct stopping {
    double began, told_at, lost_at;
    bool timed_out;
};

/* Rank 0 has to end soon after it was told to stop, and after another rank was lost. */
static void watch_over(struct pen_team *team, const struct pen_child_options *options, struct stopping *stopping)
{
    double now = pen_clock_seconds();
    pid_t first = team->members[0].process;
    bool too_long = options->timeout_s > 0 && now - stopping->began > options->timeout_s;
    if (stopping->told_at == 0 && (pen_cancel_requested() || too_long)) {
        stopping->timed_out = !pen_cancel_requested();
        stopping->told_at = now;
        (void)kill(first, SIGTERM);
    }
    if (stopping->lost_at == 0 && team->n > 1 && pen_team_lost(team) > 0) {
        stopping->lost_at = now;
    }
    if ((stopping->told_at > 0 && now - stopping->told_at > options->grace_s) ||
        (stopping->lost_at > 0 && now - stopping->lost_at > options->grace_s)) {
        (void)kill(first, SIGKILL);
    }
}

/* Until rank 0 closes the pipe. */
static void listen_to(struct listener *listener, int fd, struct pen_team *team, const struct pen_child_options *options,
                      struct stopping *stopping)
{
    stopping->began = pen_clock_seconds();
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, 200);
        watch_over(team, options, stopping);
        if (ready <= 0) {
            continue;
        }
        char piece[16384];
        ssize_t got = read(fd, piece, sizeof piece);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return;
        }
        if (got > 0) {
            take_bytes(listener, piece, (size_t)got);
        }
    }
}

/* The last line that holds the words, or the last of all. */
static void last_log_line(const char *path, const char *words, char out[256])
{
    struct pen_text text = {0};
    out[0] = '\0';
    if (pen_file_read(path, 64 << 20, &text, NULL) == PEN_OK && text.size_bytes > 0) {
        while (text.size_bytes > 0 && text.data[text.size_bytes - 1] == '\n') {
            text.data[--text.size_bytes] = '\0';
        }
        char *line = strrchr(text.data, '\n'), *last = line;
        while (words != NULL && line != NULL && strstr(line + 1, words) == NULL) {
            *line = '\0';
            line = strrchr(text.data, '\n');
        }
        line = line != NULL ? line : last;
        (void)snprintf(out, 256, "%s", line == NULL ? text.data : line + 1);
    }
    pen_text_deinit(&text);
}

static pen_status judge(const struct listener *listener, const struct pen_team *team, int lost,
                        const struct pen_child_options *options, const struct stopping *stopping, struct pen_error *err)
{
    int state = team->members[0].state;
    const char *log_path = options->log_path;
    bool unfinished = !listener->has_result || listener->status != PEN_OK;
    if (stopping->timed_out && unfinished) {
        const char *node = listener->context->node;
        if (listener->has_result) {
            PEN_FAIL(err, PEN_ERR_TIMEOUT, "node %s: stopped at %s", node, options->timeout_words);
        }
        PEN_FAIL(err, PEN_ERR_TIMEOUT, "node %s: did not stop within %g s at %s and was killed", node, options->grace_s,
                 options->timeout_words);
    }
    if (pen_cancel_requested() && unfinished) {
        return pen_cancel_check(err);
    }
    if (lost > 0 && WIFSIGNALED(team->members[lost].state)) {
        const struct pen_team_member *m = &team->members[lost];
        PEN_FAIL(err, PEN_ERR_FAILED, "rank %d of %d (process %lld) died of signal %d (%s)", lost, team->n,
                 (long long)m->process, WTERMSIG(m->state), strsignal(WTERMSIG(m->state)));
    }
    if (WIFSIGNALED(state)) {
        char line[256];
        last_log_line(log_path, NULL, line);
        PEN_FAIL(err, PEN_ERR_FAILED, "the node's process died of signal %d (%s); last line of its log: %s",
                 WTERMSIG(state), strsignal(WTERMSIG(state)), line);
    }
    if (!listener->has_result) {
        char line[256];
        last_log_line(log_path, listener->context->n_ranks > 1 ? "rank " : NULL, line); /* mpirun says which died */
        PEN_FAIL(err, PEN_ERR_FAILED,
                 "the node's process ended with exit code %d and no result; last line of its log: %s",
                 WEXITSTATUS(state), line);
    }
    return listener->status;
}

static pen_status make_log(const char *path, struct pen_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        PEN_FAIL(err, PEN_ERR_CREATE, "%s: cannot create: %s", path, strerror(errno));
    }
    (void)close(fd);
    return PEN_OK;
}

static pen_status start(struct pen_team *team, struct child *child, int *listen_fd, struct pen_error *err)
{
    int n = child->options->launcher.n_items > 0 ? 1 : (int)child->context->n_ranks, ends[2];
    PEN_TRY(make_log(child->options->log_path, err));
    if (child->options->launcher.n_items > 0) {
        PEN_TRY(pen_task_write(child->options->task_path, child->component, child->context,
                               child->options->ranks_timeout_s, err));
    }
    if (pipe2(ends, O_CLOEXEC) != 0) {
        PEN_FAIL(err, PEN_ERR_IO, "cannot make a pipe: %s", strerror(errno));
    }
    child->pipe_fd = ends[1];
    pen_status status = n > 1 ? pen_local_mesh_create(&child->mesh, n, err) : PEN_OK;
    if (status == PEN_OK) {
        status = pen_team_start(team, n > 1 ? n : 1, child_main, child, err);
    }
    pen_local_mesh_destroy(child->mesh);
    (void)close(ends[1]);
    if (status != PEN_OK) {
        (void)close(ends[0]);
    }
    *listen_fd = ends[0];
    return status;
}

pen_status pen_child_run(const struct pen_component *component, struct pen_component_context *context,
                         const struct pen_child_options *options, struct pen_error *err)
{
    struct child child = {component, context, options, NULL, -1, getpid()};
    struct listener listener = {.context = context, .watch = options->watch, .err = err};
    struct pen_team team;
    int fd = -1;
    PEN_TRY(start(&team, &child, &fd, err));
    struct stopping stopping = {.timed_out = false};
    listen_to(&listener, fd, &team, options, &stopping);
    (void)close(fd);
    pen_text_deinit(&listener.buffer);
    bool well = listener.has_result && listener.status == PEN_OK;
    pen_team_finish(&team, well || team.n == 1 ? FINISH_SECONDS : 0.5);
    return judge(&listener, &team, well ? 0 : pen_team_lost(&team), options, &stopping, err);
}
