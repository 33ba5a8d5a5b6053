/* Documents for programs: what the verbs print with --json, by the verbs themselves.
 *
 *   /api/pipelines                      {pipelines: [{id, pipeline, file, root, running, paused}]}
 *   /api/p/PIPELINE/VERB[/ARGUMENT]     runs, status[/RUN], logs[/NODE], artifacts, lineage/ARTIFACT, why/NODE,
 *                                       show/KIND, schedule
 *
 * A verb that fails is {error}, with 404 when what it was asked for is not there. */
#include "core/files.h"
#include "orchestrator/daemon/process.h"
#include "orchestrator/daemon/state.h"
#include "orchestrator/ui/ui_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DOCUMENT_BYTES = 64 << 20, LINE_WORDS = 9 };

static const struct verb {
    const char *name;
    bool takes_argument, needs_argument, takes_file; /* instead of a root alone */
    const char *option;                              /* or NULL */
} verbs[] = {
    {"runs", false, false, false, NULL},  {"status", true, false, false, NULL},
    {"logs", true, false, false, NULL},   {"artifacts", false, false, false, NULL},
    {"lineage", true, true, false, NULL}, {"why", true, true, false, NULL},
    {"show", true, true, false, NULL},    {"schedule", false, false, true, "--show"},
};

static pen_status print(struct pen_ui_call *call, pen_json *document, struct pen_error *err)
{
    call->response->type = "application/json";
    pen_text_reset(call->out);
    pen_json_set_int(document, "schema", 1);
    pen_status status = pen_json_print(document, PEN_JSON_INDENT, call->out, err);
    pen_json_free(document);
    return status;
}

pen_status pen_ui_api_pipelines(struct pen_ui_call *call, struct pen_error *err)
{
    pen_json *document = pen_json_object(), *list = pen_json_array();
    for (int64_t i = 0; i < call->ui->n_pipelines; i++) {
        const struct pen_ui_pipeline *pipeline = call->pipeline = &call->ui->pipelines[i];
        pen_json *entry = pen_json_object();
        pen_json_set_string(entry, "id", pipeline->id);
        pen_json_set_string(entry, "pipeline", pipeline->name);
        pen_json_set_string(entry, "file", pipeline->file);
        pen_json_set_string(entry, "root", pipeline->root);
        pen_json_set_bool(entry, "running", pen_ui_is_busy(call));
        pen_json_set_bool(entry, "paused", pen_schedule_has_mark(pipeline->root, "paused"));
        pen_json_push(list, entry);
    }
    pen_json_set(document, "pipelines", list);
    return print(call, document, err);
}

/* All of a stream; false: it cannot be read, or is too long. */
static bool read_all(int fd, struct pen_text *text)
{
    char piece[1 << 16];
    for (;;) {
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0;
        }
        pen_text_append_bytes(text, piece, (size_t)got);
        if (text->size_bytes > DOCUMENT_BYTES) {
            return false;
        }
    }
}

/* Runs the line; its document is the answer, or what it said instead. */
static pen_status ask(struct pen_ui_call *call, const char *const *line, int said, struct pen_error *err)
{
    int ends[2], state = 0;
    pid_t child = 0;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        PEN_FAIL(err, PEN_ERR_INTERNAL, "no pipe for the document: %s", strerror(errno));
    }
    const struct pen_process process = {.program = call->ui->program, .line = line, .out = ends[1], .err = said};
    pen_status status = pen_process_start(&process, &child, err);
    (void)close(ends[1]);
    bool is_whole = status == PEN_OK && read_all(ends[0], call->out);
    (void)close(ends[0]); /* one that has more to say dies of it */
    PEN_TRY(status);
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
    }
    status = pen_process_status(state);
    if (status == PEN_OK && is_whole) {
        call->response->type = "application/json";
        return PEN_OK;
    }
    struct pen_text why = {0};
    (void)lseek(said, 0, SEEK_SET);
    (void)read_all(said, &why);
    call->response->status = status == PEN_ERR_NOT_FOUND ? 404 : 500;
    pen_json *document = pen_json_object();
    pen_json_set_string(document, "error", pen_text_view(&why));
    pen_text_deinit(&why);
    return print(call, document, err);
}

pen_status pen_ui_api(struct pen_ui_call *call, struct pen_error *err)
{
    const char *name = call->names[0], *argument = call->names[1];
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        const struct verb *verb = &verbs[i];
        if (strcmp(verb->name, name) != 0 || (argument != NULL && !verb->takes_argument) ||
            (argument == NULL && verb->needs_argument) || (verb->takes_file && call->pipeline->file == NULL)) {
            continue;
        }
        const char *words[LINE_WORDS] = {"penstock", name, "--json", "--root", call->pipeline->root};
        int n = 5;
        if (verb->option != NULL) {
            words[n++] = verb->option;
        }
        words[n++] = "--";
        words[n] = verb->takes_file ? call->pipeline->file : argument;
        const int said = memfd_create("penstock-api", MFD_CLOEXEC);
        if (said < 0) {
            PEN_FAIL(err, PEN_ERR_INTERNAL, "no place for messages: %s", strerror(errno));
        }
        pen_status status = ask(call, words, said, err);
        (void)close(said);
        return status;
    }
    PEN_FAIL(err, PEN_ERR_NOT_FOUND, "there is no such document");
}
