/* The two ends of a child process. Lines in the pipe are JSON: {"p": [phase, done, total, unit, detail]},
 * {"w": text}, and last {"status": n, "message": text, "properties": {port: {...}}}. */
#include "orchestrator/run/child.h"

#include "core/files.h"
#include "core/log.h"
#include "kernels/exec.h"
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

enum { GRACE_SECONDS = 10, PROGRESS_INTERVAL_MS = 50 };

/* ---- the child's side ---- */

struct reporter {
    int fd; /* -1: a rank that does not report */
    int rank;
    double last_progress;
};

static void send_line(const struct reporter *reporter, pen_json *line)
{
    struct pen_text text = {0};
    if (pen_json_print(line, PEN_JSON_COMPACT, &text, NULL) == PEN_OK) {
        pen_text_append_char(&text, '\n');
        /* A parent that is gone is no reason to fail: the child dies with it. */
        if (!text.failed && pen_fd_write(reporter->fd, text.data, text.size_bytes, "pipe", NULL) != PEN_OK) {
            (void)fputs("the runner does not listen\n", stderr);
        }
    }
    pen_text_deinit(&text);
    pen_json_free(line);
}

static void child_record(void *user, enum pen_log_level level, const char *text)
{
    const struct reporter *reporter = user;
    static const char *const names[] = {"debug", "info", "warning", "error"};
    char now[PEN_TIME_BYTES];
    if (reporter->rank > 0) {
        (void)fprintf(stderr, "%s %s rank %d: %s\n", pen_clock_utc(now), names[level], reporter->rank, text);
        return;
    }
    (void)fprintf(stderr, "%s %s %s\n", pen_clock_utc(now), names[level], text);
    if (level >= PEN_LOG_WARNING) {
        pen_json *line = pen_json_object();
        pen_json_set_string(line, "w", text);
        send_line(reporter, line);
    }
}

static void child_progress(void *user, const char *phase, int64_t done, int64_t total, const char *unit,
                           const char *detail)
{
    struct reporter *reporter = user;
    double now = pen_clock_seconds();
    if (done < total && (now - reporter->last_progress) * 1000 < PROGRESS_INTERVAL_MS) {
        return;
    }
    reporter->last_progress = now;
    pen_json *line = pen_json_object();
    pen_json *values = pen_json_array();
    pen_json_push(values, pen_json_string(phase));
    pen_json_push(values, pen_json_int(done));
    pen_json_push(values, pen_json_int(total));
    pen_json_push(values, pen_json_string(unit));
    pen_json_push(values, pen_json_string(detail));
    pen_json_set(line, "p", values);
    send_line(reporter, line);
}

static void on_signal(int number)
{
    (void)number;
    pen_cancel_request();
}

/* Rank 0 hears a request to stop and ends the others. */
static void set_handlers(int rank)
{
    struct sigaction action = {.sa_handler = rank == 0 ? on_signal : SIG_IGN};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

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

static pen_status run_component(const struct child *child, int rank, struct pen_error *err)
{
    struct pen_component_context *context = child->context;
    context->ranks = pen_communicator_one();
    if (child->mesh != NULL) {
        PEN_TRY(pen_local_mesh_join(&context->ranks, child->mesh, rank, child->options->ranks_timeout_s, err));
    }
    pen_status status = pen_exec_create(&context->exec, context->device, err);
    if (status == PEN_OK) {
        status = child->component->run(context, err);
    }
    pen_exec_destroy(context->exec);
    if (status != PEN_OK) {
        pen_communicator_abort(context->ranks, err->message);
    }
    pen_communicator_close(context->ranks);
    return status;
}

static void send_result(const struct reporter *reporter, const struct pen_component_context *context, pen_status status,
                        const char *message)
{
    pen_json *result = pen_json_object();
    pen_json *properties = pen_json_object();
    for (int64_t i = 0; i < context->n_outputs; i++) {
        pen_json_set(properties, context->outputs[i].key, pen_json_copy(context->outputs[i].properties));
    }
    pen_json_set_int(result, "status", status);
    pen_json_set_string(result, "message", message);
    pen_json_set(result, "properties", properties);
    send_line(reporter, result);
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
    set_handlers(rank);
    struct reporter reporter = {.fd = rank == 0 ? child->pipe_fd : -1, .rank = rank};
    struct pen_log_sink sink = {&reporter, rank == 0 ? PEN_LOG_INFO : PEN_LOG_WARNING, child_record,
                                rank == 0 ? child_progress : NULL};
    pen_log_install(&sink);
    struct pen_error error = PEN_ERROR_INIT;
    const char *name = child->component->name;
    pen_log(PEN_LOG_INFO, "%s starts", name);
    pen_status status = run_component(child, rank, &error);
    pen_log(rank > 0 && status != PEN_OK ? PEN_LOG_WARNING : PEN_LOG_INFO, "%s ends: %s%s%s", name,
            pen_status_name(status), status == PEN_OK ? "" : ": ", status == PEN_OK ? "" : error.message);
    if (rank == 0) {
        send_result(&reporter, child->context, status, error.message);
    }
    (void)fflush(NULL);
    _exit(pen_status_exit_code(status));
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
        listener->watch->progress(
            listener->watch->user, pen_json_string_or(pen_json_at(progress, 0), ""),
            pen_json_int_or(pen_json_at(progress, 1), 0), pen_json_int_or(pen_json_at(progress, 2), 0),
            pen_json_string_or(pen_json_at(progress, 3), ""), pen_json_string_or(pen_json_at(progress, 4), ""));
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

/* Rank 0 has to end soon after the request to stop, and after another rank was lost. */
static void watch_over(struct pen_team *team, double *cancelled_at, double *lost_at)
{
    double now = pen_clock_seconds();
    pid_t first = team->members[0].process;
    if (*cancelled_at == 0 && pen_cancel_requested()) {
        *cancelled_at = now;
        (void)kill(first, SIGTERM);
    }
    if (*lost_at == 0 && team->n > 1 && pen_team_lost(team) > 0) {
        *lost_at = now;
    }
    if ((*cancelled_at > 0 && now - *cancelled_at > GRACE_SECONDS) ||
        (*lost_at > 0 && now - *lost_at > GRACE_SECONDS)) {
        (void)kill(first, SIGKILL);
    }
}

/* Until rank 0 closes the pipe. */
static void listen_to(struct listener *listener, int fd, struct pen_team *team)
{
    double cancelled_at = 0, lost_at = 0;
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, 200);
        watch_over(team, &cancelled_at, &lost_at);
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

static void last_log_line(const char *path, char out[256])
{
    struct pen_text text = {0};
    out[0] = '\0';
    if (pen_file_read(path, 64 << 20, &text, NULL) == PEN_OK && text.size_bytes > 0) {
        while (text.size_bytes > 0 && text.data[text.size_bytes - 1] == '\n') {
            text.data[--text.size_bytes] = '\0';
        }
        const char *line = strrchr(text.data, '\n');
        (void)snprintf(out, 256, "%s", line == NULL ? text.data : line + 1);
    }
    pen_text_deinit(&text);
}

static pen_status judge(const struct listener *listener, const struct pen_team *team, int lost, const char *log_path,
                        struct pen_error *err)
{
    int state = team->members[0].state;
    if (pen_cancel_requested() && (!listener->has_result || listener->status != PEN_OK)) {
        return pen_cancel_check(err);
    }
    if (lost > 0 && WIFSIGNALED(team->members[lost].state)) {
        const struct pen_team_member *m = &team->members[lost];
        PEN_FAIL(err, PEN_ERR_FAILED, "rank %d of %d (process %lld) died of signal %d (%s)", lost, team->n,
                 (long long)m->process, WTERMSIG(m->state), strsignal(WTERMSIG(m->state)));
    }
    if (WIFSIGNALED(state)) {
        char line[256];
        last_log_line(log_path, line);
        PEN_FAIL(err, PEN_ERR_FAILED, "the node's process died of signal %d (%s); last line of its log: %s",
                 WTERMSIG(state), strsignal(WTERMSIG(state)), line);
    }
    if (!listener->has_result) {
        char line[256];
        last_log_line(log_path, line);
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
    int n = (int)child->context->n_ranks, ends[2];
    PEN_TRY(make_log(child->options->log_path, err));
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
    listen_to(&listener, fd, &team);
    (void)close(fd);
    pen_text_deinit(&listener.buffer);
    bool well = listener.has_result && listener.status == PEN_OK;
    pen_team_finish(&team, well || team.n == 1 ? GRACE_SECONDS : 0.5);
    return judge(&listener, &team, well ? 0 : pen_team_lost(&team), options->log_path, err);
}
