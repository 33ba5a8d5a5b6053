/* What a rank says, and its work. */
#include "orchestrator/run/rank.h"

#include "core/communicator.h"
#include "core/files.h"
#include "core/log.h"
#include "kernels/exec.h"
#include "orchestrator/run/live.h"
#include "orchestrator/run/pace.h"

#include <signal.h>
#include <stdio.h>

enum { PROGRESS_INTERVAL_MS = 50 };

struct reporter {
    int fd; /* -1: a rank that does not report */
    int rank;
    double last_progress;
    struct pen_pace pace;
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

static void child_progress(void *user, const struct pen_progress_report *report)
{
    struct reporter *reporter = user;
    struct pen_progress_report full = *report;
    double now = pen_clock_seconds();
    pen_pace_take(&reporter->pace, &full, now);
    if (report->done < report->total && (now - reporter->last_progress) * 1000 < PROGRESS_INTERVAL_MS) {
        return;
    }
    reporter->last_progress = now;
    pen_json *line = pen_json_object();
    pen_json *progress = pen_json_object();
    pen_live_add(progress, &full);
    pen_json_set(line, "p", progress);
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

static pen_status run_component(const struct pen_component *component, struct pen_component_context *context,
                                struct pen_error *err)
{
    char device[PEN_DEVICE_NAME_BYTES];
    PEN_TRY(pen_device_of_rank(device, context->device, context->ranks, err));
    PEN_TRY(pen_exec_create(&context->exec, device, err));
    pen_status status = component->run(context, err);
    pen_exec_destroy(context->exec);
    return status;
}

int pen_rank_work(const struct pen_component *component, struct pen_component_context *context, int report_fd)
{
    int rank = context->ranks->rank;
    struct reporter reporter = {.fd = report_fd, .rank = rank};
    struct pen_log_sink sink = {&reporter, rank == 0 ? PEN_LOG_INFO : PEN_LOG_WARNING, child_record,
                                rank == 0 ? child_progress : NULL};
    struct pen_error error = PEN_ERROR_INIT;
    set_handlers(rank);
    pen_log_install(&sink);
    pen_log(PEN_LOG_INFO, "%s starts", component->name);
    pen_status status = run_component(component, context, &error);
    pen_log(rank > 0 && status != PEN_OK ? PEN_LOG_WARNING : PEN_LOG_INFO, "%s ends: %s%s%s", component->name,
            pen_status_name(status), status == PEN_OK ? "" : ": ", status == PEN_OK ? "" : error.message);
    if (rank == 0) {
        send_result(&reporter, context, status, error.message);
    }
    (void)fflush(NULL);
    if (status != PEN_OK) { /* last, for a launcher may end this process with the others */
        pen_communicator_abort(context->ranks, error.message);
    }
    pen_communicator_close(context->ranks);
    return pen_status_exit_code(status);
}
