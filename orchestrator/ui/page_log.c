/* What a node said, and goes on saying. */
#include "core/files.h"
#include "orchestrator/report/gather.h"
#include "orchestrator/report/html.h"
#include "orchestrator/ui/ui_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TAIL_BYTES = 64 << 10, PIECE_BYTES = 256 << 10 };

struct log {
    int fd;
    int64_t size_bytes;
    bool is_growing; /* its run goes on, and its node runs */
};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* The run has to be one of the root's, then the node's name is plain: nothing else becomes part of the path. */
static pen_status open_log(struct pen_ui_call *call, struct log *log, struct pen_error *err)
{
    struct pen_metadata metadata;
    const char *run = call->names[0], *node = call->names[1];
    struct stat about = {0};
    *log = (struct log){.fd = -1};
    PEN_TRY(pen_ui_look(call, &metadata, run, 0, err));
    const pen_json *found = pen_metadata_find_run(&metadata, run);
    pen_json *started = pen_metadata_started(&metadata);
    const char *path = pen_arena_printf(&call->arena, "%s/runs/%s/%s.log", call->pipeline->root, run, node);
    if (found != NULL && path != NULL) {
        log->is_growing = strcmp(pen_ui_run_status(call, found), "running") == 0 &&
                          strcmp(text_of(started, "run"), run) == 0 && strcmp(text_of(started, "node"), node) == 0;
        log->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    }
    pen_json_free(started);
    pen_metadata_close(&metadata);
    if (log->fd >= 0 && fstat(log->fd, &about) == 0 && S_ISREG(about.st_mode)) {
        log->size_bytes = about.st_size;
        return PEN_OK;
    }
    if (log->fd >= 0) {
        (void)close(log->fd);
    }
    PEN_FAIL(err, PEN_ERR_NOT_FOUND, "%s has no log of a node '%s': it did not run there", run, node);
}

static pen_status read_piece(struct pen_ui_call *call, const struct log *log, int64_t from, int64_t size, char **text,
                             struct pen_error *err)
{
    *text = pen_arena_alloc(&call->arena, size + 1, 1);
    if (*text == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: %lld bytes of a log", (long long)size);
    }
    return pen_fd_pread(log->fd, *text, (size_t)size, from, call->names[1], err);
}

static void show(struct pen_ui_call *call, const struct log *log, const char *text, bool is_cut)
{
    struct pen_text *out = call->out;
    pen_ui_begin(call, call->names[1], call->names[0]);
    pen_text_printf(out, "<p id=\"say\" role=\"status\">%s</p>\n%s<pre id=\"log\" tabindex=\"0\" aria-label=\"log\"",
                    log->is_growing ? "It is running." : "It has ended.",
                    is_cut ? "<p class=\"soft\">the end of a longer log</p>\n" : "");
    if (log->is_growing) {
        pen_text_append(out, " data-follow=\"/p/");
        pen_html_text(out, call->pipeline->id);
        pen_text_printf(out, "/run/%s/log/%s/text\" data-from=\"%lld\"", call->names[0], call->names[1],
                        (long long)log->size_bytes);
    }
    pen_text_append(out, ">\n");
    pen_html_text(out, text);
    pen_text_append(out, "</pre>\n");
    pen_ui_end(call);
}

pen_status pen_ui_log(struct pen_ui_call *call, struct pen_error *err)
{
    struct log log;
    char *text = NULL;
    PEN_TRY(open_log(call, &log, err));
    const int64_t size = log.size_bytes < TAIL_BYTES ? log.size_bytes : TAIL_BYTES;
    pen_status status = read_piece(call, &log, log.size_bytes - size, size, &text, err);
    (void)close(log.fd);
    if (status == PEN_OK) {
        show(call, &log, text, size < log.size_bytes);
    }
    return status;
}

/* The bytes from ?from= on, and in headers where the next piece begins and whether there will be one. */
pen_status pen_ui_log_text(struct pen_ui_call *call, struct pen_error *err)
{
    struct log log;
    int64_t from = 0;
    char *text = NULL;
    const char *asked = pen_http_field(&call->query, "from");
    if (asked[0] != '\0' && (!pen_parse_int64(asked, strlen(asked), &from) || from < 0)) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "from: expected a number of bytes, found '%.40s'", asked);
    }
    PEN_TRY(open_log(call, &log, err));
    from = from < log.size_bytes ? from : log.size_bytes;
    const int64_t size = log.size_bytes - from < PIECE_BYTES ? log.size_bytes - from : PIECE_BYTES;
    pen_status status = read_piece(call, &log, from, size, &text, err);
    (void)close(log.fd);
    if (status == PEN_OK) {
        call->response->type = "text/plain; charset=utf-8";
        pen_http_header(call->response, "X-Penstock-Next", "%lld", (long long)(from + size));
        pen_http_header(call->response, "X-Penstock-Ended", "%d", !log.is_growing && from + size == log.size_bytes);
        pen_text_append_bytes(call->out, text, (size_t)size);
    }
    return status;
}
