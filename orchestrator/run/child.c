/* The two ends of a child process. Lines in the pipe are JSON: {"p": [phase, done, total, unit, detail]},
 * {"w": text}, and last {"status": n, "message": text, "properties": {port: {...}}}. */
#include "orchestrator/run/child.h"

#include "core/files.h"
#include "core/log.h"
#include "kernels/exec.h"

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
    int fd;
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
    static const char *const names[] = {"debug", "info", "warning", "error"};
    char now[PEN_TIME_BYTES];
    (void)fprintf(stderr, "%s %s %s\n", pen_clock_utc(now), names[level], text);
    if (level >= PEN_LOG_WARNING) {
        pen_json *line = pen_json_object();
        pen_json_set_string(line, "w", text);
        send_line(user, line);
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

static void set_handlers(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* Descriptors above standard error, but the pipe's: the runner's lock and journal among them. */
static void close_inherited(int keep)
{
    for (int fd = 3; fd < 256; fd++) {
        if (fd != keep) {
            (void)close(fd);
        }
    }
}

_Noreturn static void child_main(const struct pen_component *component, struct pen_component_context *context,
                                 const char *log_path, int pipe_fd, pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(70);
    }
    int log_fd = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (log_fd < 0 || null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(log_fd, 1) < 0 || dup2(log_fd, 2) < 0) {
        _exit(73);
    }
    close_inherited(pipe_fd);
    set_handlers();
    struct reporter reporter = {.fd = pipe_fd};
    struct pen_log_sink sink = {&reporter, PEN_LOG_INFO, child_record, child_progress};
    pen_log_install(&sink);
    struct pen_error error = PEN_ERROR_INIT;
    pen_log(PEN_LOG_INFO, "%s starts", component->name);
    pen_status status = pen_exec_create(&context->exec, context->device, &error);
    if (status == PEN_OK) {
        status = component->run(context, &error);
    }
    pen_exec_destroy(context->exec);
    pen_log(PEN_LOG_INFO, "%s ends: %s%s%s", component->name, pen_status_name(status), status == PEN_OK ? "" : ": ",
            status == PEN_OK ? "" : error.message);
    pen_json *result = pen_json_object();
    pen_json *properties = pen_json_object();
    for (int64_t i = 0; i < context->n_outputs; i++) {
        pen_json_set(properties, context->outputs[i].key, pen_json_copy(context->outputs[i].properties));
    }
    pen_json_set_int(result, "status", status);
    pen_json_set_string(result, "message", error.message);
    pen_json_set(result, "properties", properties);
    send_line(&reporter, result);
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

/* Until the child closes the pipe; passes a cancel request on once, kills after the grace. */
static void listen_to(struct listener *listener, int fd, pid_t child)
{
    double cancelled_at = 0;
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, 200);
        if (pen_cancel_requested()) {
            double now = pen_clock_seconds();
            if (cancelled_at == 0) {
                cancelled_at = now;
                (void)kill(child, SIGTERM);
            } else if (now - cancelled_at > GRACE_SECONDS) {
                (void)kill(child, SIGKILL);
            }
        }
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

static pen_status judge(const struct listener *listener, int state, const char *log_path, struct pen_error *err)
{
    if (pen_cancel_requested() && (!listener->has_result || listener->status != PEN_OK)) {
        return pen_cancel_check(err);
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

pen_status pen_child_run(const struct pen_component *component, struct pen_component_context *context,
                         const char *log_path, const struct pen_child_watch *watch, struct pen_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        PEN_FAIL(err, PEN_ERR_IO, "cannot make a pipe: %s", strerror(errno));
    }
    (void)fflush(NULL);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        child_main(component, context, log_path, ends[1], parent);
    }
    int number = errno;
    (void)close(ends[1]);
    if (child < 0) {
        (void)close(ends[0]);
        PEN_FAIL(err, PEN_ERR_IO, "cannot start a process: %s", strerror(number));
    }
    struct listener listener = {.context = context, .watch = watch, .err = err};
    listen_to(&listener, ends[0], child);
    (void)close(ends[0]);
    pen_text_deinit(&listener.buffer);
    int state = 0;
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
    }
    return judge(&listener, state, log_path, err);
}
