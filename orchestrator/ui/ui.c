/* From an address to its page. */
#include "orchestrator/ui/ui.h"

#include "core/files.h"
#include "orchestrator/pipeline/pipeline.h"
#include "orchestrator/report/html.h"
#include "orchestrator/ui/ui_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PARTS = 8 };

static pen_status style_sheet(struct pen_ui_call *call, struct pen_error *err)
{
    (void)err;
    call->response->type = "text/css; charset=utf-8";
    pen_text_append(call->out, pen_html_style);
    pen_text_append(call->out, pen_ui_style);
    return PEN_OK;
}

static pen_status script(struct pen_ui_call *call, struct pen_error *err)
{
    (void)err;
    call->response->type = "text/javascript; charset=utf-8";
    pen_text_append(call->out, pen_ui_script);
    return PEN_OK;
}

/* The first * is a pipeline. */
static const struct route {
    const char *pattern;
    bool is_post;
    pen_ui_page *page;
} routes[] = {
    {"", false, pen_ui_home},
    {"ui.css", false, style_sheet},
    {"ui.js", false, script},
    {"p/*", false, pen_ui_runs},
    {"p/*/run/*", false, pen_ui_run},
    {"p/*/run/*/show/*", false, pen_ui_section},
    {"p/*/run/*/log/*", false, pen_ui_log},
    {"p/*/run/*/log/*/text", false, pen_ui_log_text},
    {"p/*/artifact/*", false, pen_ui_artifact},
    {"p/*/compare", false, pen_ui_compare},
    {"p/*/start", true, pen_ui_start},
    {"p/*/stop", true, pen_ui_stop},
    {"p/*/pause", true, pen_ui_pause},
    {"p/*/unpause", true, pen_ui_unpause},
    {"p/*/trigger", true, pen_ui_trigger},
    {"api/pipelines", false, pen_ui_api_pipelines},
    {"api/p/*/*", false, pen_ui_api},
    {"api/p/*/*/*", false, pen_ui_api},
};

/* ---- answers ---- */

static void send_text(struct pen_http_response *response, int status, const char *text)
{
    response->status = status;
    response->type = "text/plain; charset=utf-8";
    pen_text_reset(&response->body);
    pen_text_printf(&response->body, "%s\n", text);
}

/* Nothing is kept by a browser, framed, or loaded from elsewhere. The referrer stays within the UI: without one a form
 * would have no Origin. */
static void add_headers(struct pen_http_response *response)
{
    pen_http_header(
        response, "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
    pen_http_header(response, "X-Content-Type-Options", "nosniff");
    pen_http_header(response, "X-Frame-Options", "DENY");
    pen_http_header(response, "Referrer-Policy", "same-origin");
    pen_http_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    pen_http_header(response, "Cache-Control", "no-store");
}

static void send_problem(struct pen_ui_call *call, pen_status status, const struct pen_error *err)
{
    pen_text_reset(call->out);
    call->response->status = status == PEN_ERR_NOT_FOUND ? 404 : 500;
    call->response->type = "text/html; charset=utf-8";
    pen_ui_begin(call, status == PEN_ERR_NOT_FOUND ? "Not found" : "That did not work", NULL);
    pen_text_append(call->out, "<p class=\"note bad\" role=\"alert\">");
    pen_html_text(call->out, err->message);
    pen_text_append(call->out, "</p>");
    pen_ui_end(call);
}

/* ---- routes ---- */

/* Splits /a/b/c in place; -1: too many parts, or one that is no plain name. */
static int split(char *path, const char *parts[PARTS])
{
    int n = 0;
    if (*path++ != '/') {
        return -1;
    }
    while (*path != '\0') {
        char *end = path + strcspn(path, "/");
        bool is_last = *end == '\0';
        *end = '\0';
        if (n == PARTS || !pen_is_plain_name(path)) {
            return -1;
        }
        parts[n++] = path;
        path = is_last ? end : end + 1;
        if (!is_last && *path == '\0') {
            return -1;
        }
    }
    return n;
}

/* stars: what each * stands for. */
static bool fits(const char *pattern, const char *const parts[PARTS], int n, const char *stars[PEN_UI_NAMES + 1])
{
    int n_stars = 0;
    for (int i = 0; i < n; i++) {
        const size_t size = strcspn(pattern, "/");
        const bool is_star = size == 1 && *pattern == '*';
        if (!is_star && (strlen(parts[i]) != size || strncmp(parts[i], pattern, size) != 0)) {
            return false;
        }
        if (is_star) {
            stars[n_stars++] = parts[i];
        }
        pattern += size + (pattern[size] == '/');
    }
    return *pattern == '\0';
}

static struct pen_ui_pipeline *find_pipeline(struct pen_ui *ui, const char *id)
{
    for (int64_t i = 0; i < ui->n_pipelines; i++) {
        if (strcmp(ui->pipelines[i].id, id) == 0) {
            return &ui->pipelines[i];
        }
    }
    return NULL;
}

static pen_status find_page(struct pen_ui_call *call, char *path, pen_ui_page **page, struct pen_error *err)
{
    const char *parts[PARTS] = {NULL}, *stars[PEN_UI_NAMES + 1] = {NULL};
    const bool is_post = strcmp(call->request->method, "POST") == 0;
    const int n = split(path, parts);
    for (size_t i = 0; n >= 0 && i < sizeof routes / sizeof routes[0]; i++) {
        if (routes[i].is_post != is_post || !fits(routes[i].pattern, parts, n, stars)) {
            continue;
        }
        if (stars[0] != NULL) {
            call->pipeline = find_pipeline(call->ui, stars[0]);
            if (call->pipeline == NULL) {
                PEN_FAIL(err, PEN_ERR_NOT_FOUND, "there is no pipeline '%.80s' here", stars[0]);
            }
            pen_ui_reap(call->pipeline);
        }
        memcpy(call->names, stars + 1, sizeof call->names);
        *page = routes[i].page;
        return PEN_OK;
    }
    PEN_FAIL(err, PEN_ERR_NOT_FOUND, "there is no such page");
}

/* POST: the form's token first. */
static bool is_asked_by_form(struct pen_ui_call *call)
{
    struct pen_http_fields fields;
    const char *body = call->request->body;
    return pen_http_read_fields(&call->arena, body, strlen(body), &fields) &&
           pen_guard_is_form(&call->ui->guard, pen_http_field(&fields, "form"));
}

static void answer_known(struct pen_ui_call *call, char *path)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_ui_page *page = NULL;
    if (strcmp(call->request->method, "POST") == 0 && !is_asked_by_form(call)) {
        send_text(call->response, 403, "this form was not made by this server, or before it was started anew");
        return;
    }
    pen_status status = find_page(call, path, &page, &err);
    if (status == PEN_OK) {
        status = page(call, &err);
    }
    if (status == PEN_OK) {
        status = pen_text_check(call->out, &err);
    }
    if (status != PEN_OK) {
        send_problem(call, status, &err);
    }
}

static void login(struct pen_ui_call *call)
{
    if (!pen_guard_is_token(&call->ui->guard, pen_http_field(&call->query, "token"))) {
        send_text(call->response, 403, "open the address that penstock ui printed when it started: it has the token");
        return;
    }
    pen_guard_give_cookie(&call->ui->guard, call->response);
    pen_http_header(call->response, "Location", "/");
    send_text(call->response, 303, "welcome");
}

static bool is_method(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "POST") == 0;
}

static void answer(struct pen_ui_call *call)
{
    const struct pen_http_request *request = call->request;
    const char *question = strchr(request->target, '?');
    const size_t path_size = question == NULL ? strlen(request->target) : (size_t)(question - request->target);
    char *path = pen_arena_strndup(&call->arena, request->target, path_size);
    const char *refusal = pen_guard_refuses(&call->ui->guard, request);
    if (!is_method(request->method)) {
        pen_http_header(call->response, "Allow", "GET, HEAD, POST");
        send_text(call->response, 405, "expected GET, HEAD or POST");
    } else if (refusal != NULL) {
        send_text(call->response, 403, refusal);
    } else if (path == NULL || (question != NULL && !pen_http_read_fields(&call->arena, question + 1,
                                                                          strlen(question + 1), &call->query))) {
        send_text(call->response, 400, "this address cannot be read");
    } else if (strcmp(path, "/") == 0 && pen_http_field(&call->query, "token")[0] != '\0' &&
               strcmp(request->method, "GET") == 0) {
        login(call);
    } else if (!pen_guard_knows(&call->ui->guard, request)) {
        send_text(call->response, 403, "open the address that penstock ui printed when it started: it has the token");
    } else {
        answer_known(call, path);
    }
}

void pen_ui_answer(void *user, const struct pen_http_request *request, struct pen_http_response *response)
{
    struct pen_ui_call call = {.ui = user, .request = request, .response = response, .out = &response->body};
    *response = (struct pen_http_response){.status = 200, .type = "text/html; charset=utf-8"};
    answer(&call);
    add_headers(response);
    pen_arena_deinit(&call.arena);
}

/* ---- the pipelines ---- */

/* Plain, and no other's. */
static const char *new_id(struct pen_ui *ui, const char *name)
{
    const char *plain = pen_is_plain_name(name) ? name : "pipeline";
    const char *id = plain;
    for (int number = 2; id != NULL && find_pipeline(ui, id) != NULL; number++) {
        id = pen_arena_printf(&ui->arena, "%s-%d", plain, number);
    }
    return id == NULL ? NULL : pen_arena_strdup(&ui->arena, id);
}

static pen_status add_pipeline(struct pen_ui *ui, const char *name, const char *file, const char *root,
                               struct pen_error *err)
{
    const struct pen_ui_pipeline added = {.id = new_id(ui, name),
                                          .name = pen_arena_strdup(&ui->arena, name),
                                          .file = file == NULL ? NULL : pen_arena_strdup(&ui->arena, file),
                                          .root = pen_arena_strdup(&ui->arena, root),
                                          .said = -1};
    if (added.id == NULL || added.name == NULL || added.root == NULL || (file != NULL && added.file == NULL)) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: the list of pipelines");
    }
    ui->pipelines[ui->n_pipelines++] = added;
    return PEN_OK;
}

static pen_status add_file(struct pen_ui *ui, const char *file, const char *root, struct pen_error *err)
{
    struct pen_pipeline pipeline;
    PEN_TRY(pen_pipeline_read(&pipeline, file, NULL, 0, pen_components, err));
    pen_status status = add_pipeline(ui, pipeline.name, file, root == NULL ? pipeline.root : root, err);
    pen_pipeline_deinit(&pipeline);
    return status;
}

static pen_status add_all(struct pen_ui *ui, const struct pen_ui_options *options, struct pen_error *err)
{
    ui->pipelines = pen_arena_alloc(&ui->arena, options->n_files + 1, sizeof *ui->pipelines);
    if (ui->pipelines == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: the list of pipelines");
    }
    for (int64_t i = 0; i < options->n_files; i++) {
        PEN_TRY(add_file(ui, options->files[i], options->root, err));
    }
    if (options->n_files > 0) {
        return PEN_OK;
    }
    const char *slash = strrchr(options->root, '/');
    return add_pipeline(ui, slash == NULL || slash[1] == '\0' ? options->root : slash + 1, NULL, options->root, err);
}

pen_status pen_ui_open(struct pen_ui **ui, const struct pen_ui_options *options, struct pen_error *err)
{
    *ui = NULL;
    struct pen_ui *opened = NULL;
    PEN_ASSERT(options->n_files > 0 || options->root != NULL);
    PEN_ALLOC(opened, 1, err);
    opened->program = options->program;
    pen_status status = pen_guard_init(&opened->guard, options->is_loopback, err);
    if (status == PEN_OK) {
        status = add_all(opened, options, err);
    }
    if (status != PEN_OK) {
        pen_ui_close(opened);
        return status;
    }
    *ui = opened;
    return PEN_OK;
}

void pen_ui_close(struct pen_ui *ui)
{
    if (ui == NULL) {
        return;
    }
    for (int64_t i = 0; i < ui->n_pipelines; i++) {
        if (ui->pipelines[i].said >= 0) {
            (void)close(ui->pipelines[i].said);
        }
    }
    pen_arena_deinit(&ui->arena);
    pen_free(ui);
}

void pen_ui_set_port(struct pen_ui *ui, int port)
{
    ui->guard.port = port;
}

const char *pen_ui_token(const struct pen_ui *ui)
{
    return ui->guard.token;
}
