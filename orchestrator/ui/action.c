/* What a person can do here: start and stop a run, steer the schedule. Each ends on the page it was asked from, which
 * says what came of it. */
#include "core/files.h"
#include "orchestrator/daemon/process.h"
#include "orchestrator/daemon/state.h"
#include "orchestrator/ui/ui_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(struct pen_ui_pipeline *pipeline, bool is_bad, const char *format, ...) PEN_PRINTF(3, 4);

static void say(struct pen_ui_pipeline *pipeline, bool is_bad, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(pipeline->message, sizeof pipeline->message, format, arguments);
    va_end(arguments);
    pipeline->is_bad = is_bad;
}

/* The last line that the run said, into out. */
static void last_line(int fd, char *out, size_t capacity)
{
    const off_t size = lseek(fd, 0, SEEK_END);
    const off_t from = size > (off_t)capacity - 1 ? size - (off_t)capacity + 1 : 0;
    ssize_t got = size < 0 ? 0 : pread(fd, out, capacity - 1, from);
    got = got < 0 ? 0 : got;
    while (got > 0 && (out[got - 1] == '\n' || out[got - 1] == '\r')) {
        got--;
    }
    out[got] = '\0';
    const char *start = strrchr(out, '\n');
    if (start != NULL) {
        memmove(out, start + 1, strlen(start + 1) + 1);
    }
}

void pen_ui_reap(struct pen_ui_pipeline *pipeline)
{
    int state = 0;
    if (pipeline->child == 0 || waitpid(pipeline->child, &state, WNOHANG) == 0) {
        return;
    }
    const pen_status status = pen_process_status(state);
    char line[PEN_UI_SAID_BYTES / 2] = "";
    last_line(pipeline->said, line, sizeof line);
    (void)close(pipeline->said);
    pipeline->said = -1;
    pipeline->child = 0;
    if (status == PEN_OK) {
        say(pipeline, false, "The run that was started here has ended well.");
    } else {
        say(pipeline, status != PEN_ERR_CANCELLED, "The run that was started here has ended: %s. %s",
            pen_status_text(status), line);
    }
}

static pen_status back(struct pen_ui_call *call)
{
    pen_http_header(call->response, "Location", "/p/%s", call->pipeline->id);
    call->response->status = 303;
    return PEN_OK;
}

pen_status pen_ui_start(struct pen_ui_call *call, struct pen_error *err)
{
    struct pen_ui_pipeline *pipeline = call->pipeline;
    if (pipeline->file == NULL) {
        PEN_FAIL(err, PEN_ERR_USAGE, "%s is shown without a pipeline file: penstock ui PIPELINE.yaml can start it",
                 pipeline->root);
    }
    if (pipeline->child != 0 || pen_ui_is_busy(call)) {
        say(pipeline, true, "Nothing was started: a run is going on already.");
        return back(call);
    }
    const char *const line[] = {"penstock", "run", "--root", pipeline->root, "--", pipeline->file, NULL};
    const int said = memfd_create("penstock-run", MFD_CLOEXEC);
    if (said < 0) {
        PEN_FAIL(err, PEN_ERR_INTERNAL, "no place for what the run says: %s", strerror(errno));
    }
    const struct pen_process run = {
        .program = call->ui->program, .line = line, .out = said, .err = said, .outlives = true};
    pen_status status = pen_process_start(&run, &pipeline->child, err);
    if (status != PEN_OK) {
        (void)close(said);
        pipeline->child = 0;
        return status;
    }
    pipeline->said = said;
    say(pipeline, false, "A run was started.");
    return back(call);
}

/* What was done, or why it was not. */
static pen_status tell(struct pen_ui_call *call, pen_status status, const struct pen_error *why, const char *done)
{
    say(call->pipeline, status != PEN_OK, "%s", status == PEN_OK ? done : why->message);
    return back(call);
}

pen_status pen_ui_stop(struct pen_ui_call *call, struct pen_error *err)
{
    (void)err;
    struct pen_error why = PEN_ERROR_INIT;
    return tell(call, pen_process_stop_writer(call->pipeline->root, &why), &why, "The run was asked to stop.");
}

pen_status pen_ui_pause(struct pen_ui_call *call, struct pen_error *err)
{
    (void)err;
    struct pen_error why = PEN_ERROR_INIT;
    return tell(call, pen_schedule_set_mark(call->pipeline->root, "paused", true, &why), &why,
                "The schedule is paused: it starts nothing.");
}

pen_status pen_ui_unpause(struct pen_ui_call *call, struct pen_error *err)
{
    (void)err;
    struct pen_error why = PEN_ERROR_INIT;
    return tell(call, pen_schedule_set_mark(call->pipeline->root, "paused", false, &why), &why,
                "The schedule goes on.");
}

pen_status pen_ui_trigger(struct pen_ui_call *call, struct pen_error *err)
{
    (void)err;
    struct pen_error why = PEN_ERROR_INIT;
    return tell(call, pen_schedule_set_mark(call->pipeline->root, "trigger", true, &why), &why,
                "The scheduler was told to run it now.");
}
