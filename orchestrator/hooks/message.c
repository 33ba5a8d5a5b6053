/* What is told of a run, and by which way. */
#include "orchestrator/hooks/hooks_internal.h"

#include "core/files.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SECRET_LIMIT_BYTES = 16 << 10, MOST_HEADERS = 32 };

/* In words: "taxi run-12 failed in trainer". */
static void summarise(const struct pen_event *event, struct pen_text *text)
{
    pen_text_printf(text, "%s %s %s", event->pipeline, event->run, event->status);
    if (event->node[0] != '\0') {
        pen_text_printf(text, " in %s", event->node);
    }
}

static void append_body(const struct pen_event *event, struct pen_text *text)
{
    const struct {
        const char *name, *value;
    } lines[] = {{"pipeline", event->pipeline}, {"run", event->run},         {"status", event->status},
                 {"node", event->node},         {"message", event->message}, {"blessed", event->blessed},
                 {"pushed", event->pushed},     {"root", event->root},       {"logs", event->folder},
                 {"file", event->file}};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (lines[i].value[0] != '\0') {
            pen_text_printf(text, "%-9s %s\n", lines[i].name, lines[i].value);
        }
    }
    pen_text_printf(text, "%-9s %.3f\n", "seconds", event->seconds);
}

void pen_hook_message(const struct pen_event *event, const struct pen_mail *mail, struct pen_text *message)
{
    char date[64];
    time_t now = time(NULL);
    struct tm parts;
    if (mail->from != NULL) {
        pen_text_printf(message, "From: %s\n", mail->from);
    }
    for (int64_t i = 0; i < mail->to.n_items; i++) {
        pen_text_printf(message, "%s%s", i == 0 ? "To: " : ", ", mail->to.items[i]);
    }
    pen_text_append(message, "\nSubject: penstock: ");
    summarise(event, message);
    if (gmtime_r(&now, &parts) != NULL && strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &parts) > 0) {
        pen_text_printf(message, "\nDate: %s", date);
    }
    pen_text_append(message, "\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                             "Content-Transfer-Encoding: 8bit\n\n");
    append_body(event, message);
}

pen_json *pen_hook_document(const struct pen_event *event)
{
    struct pen_text text = {0};
    pen_json *document = pen_json_object();
    pen_text_append(&text, "penstock: ");
    summarise(event, &text);
    pen_text_printf(&text, "%s%s", event->message[0] == '\0' ? "" : ": ", event->message);
    pen_json_set_int(document, "schema", 1);
    pen_json_set_string(document, "text", pen_text_view(&text));
    pen_json_set_string(document, "pipeline", event->pipeline);
    pen_json_set_string(document, "run", event->run);
    pen_json_set_string(document, "status", event->status);
    pen_json_set_double(document, "seconds", event->seconds);
    pen_json_set_string(document, "node", event->node);
    pen_json_set_string(document, "message", event->message);
    pen_json_set_string(document, "blessed", event->blessed);
    pen_json_set_string(document, "pushed", event->pushed);
    pen_text_deinit(&text);
    return document;
}

/* A file beside the pipeline file, or anywhere by its whole path. */
static pen_status read_secret(const struct pen_event *event, const char *name, struct pen_text *text,
                              struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    if (name[0] == '/') {
        return pen_file_read(name, SECRET_LIMIT_BYTES, text, err);
    }
    PEN_TRY(pen_path_join(path, event->directory, name, err));
    return pen_file_read(path, SECRET_LIMIT_BYTES, text, err);
}

static pen_status through_sendmail(const struct pen_event *event, const char *message, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(path, event->folder, "mail.txt", err));
    PEN_TRY(pen_file_write_atomic(path, message, strlen(message), err));
    pen_status status = pen_hook_command(
        event, "PATH=$PATH:/usr/sbin:/usr/lib; exec \"${PENSTOCK_SENDMAIL:-sendmail}\" -t -i", path, err);
    if (status != PEN_OK) {
        pen_error_prefix(err, "sendmail (set PENSTOCK_SENDMAIL, or mail.smtp): ");
    }
    return status;
}

pen_status pen_hook_mail(const struct pen_event *event, const struct pen_mail *mail, struct pen_error *err)
{
    struct pen_text message = {0};
    struct pen_text password = {0};
    pen_hook_message(event, mail, &message);
    pen_status status = pen_text_check(&message, err);
    if (status == PEN_OK && mail->password_file != NULL) {
        status = read_secret(event, mail->password_file, &password, err);
        if (password.size_bytes > 0) {
            password.data[strcspn(password.data, "\r\n")] = '\0';
        }
    }
    if (status == PEN_OK && mail->smtp != NULL) {
        status = pen_transfer_mail(mail, pen_text_view(&password), pen_text_view(&message), err);
    } else if (status == PEN_OK) {
        status = through_sendmail(event, pen_text_view(&message), err);
    }
    pen_text_deinit(&message);
    pen_text_deinit(&password);
    return status;
}

/* Lines of the file, in place; empty ones are left out. */
static pen_status split_headers(struct pen_text *text, const char *name, const char **items, int64_t *n,
                                struct pen_error *err)
{
    char *rest = NULL;
    *n = 0;
    for (char *line = text->data == NULL ? NULL : strtok_r(text->data, "\r\n", &rest); line != NULL;
         line = strtok_r(NULL, "\r\n", &rest)) {
        if (strchr(line, ':') == NULL || *n == MOST_HEADERS) {
            PEN_FAIL(err, PEN_ERR_CONFIG, "%s: expected at most %d lines such as 'Authorization: Bearer ...'", name,
                     MOST_HEADERS);
        }
        items[(*n)++] = line;
    }
    return PEN_OK;
}

pen_status pen_hook_webhook(const struct pen_event *event, const struct pen_notify *notify, struct pen_error *err)
{
    const char *items[MOST_HEADERS + 1] = {"Content-Type: application/json"};
    struct pen_config_strings headers = {items, 1};
    struct pen_text secret = {0};
    struct pen_text body = {0};
    pen_json *document = pen_hook_document(event);
    pen_status status = pen_json_print(document, PEN_JSON_COMPACT, &body, err);
    if (status == PEN_OK && notify->headers_file != NULL) {
        int64_t n = 0;
        status = read_secret(event, notify->headers_file, &secret, err);
        status = status == PEN_OK ? split_headers(&secret, notify->headers_file, items + 1, &n, err) : status;
        headers.n_items += n;
    }
    if (status == PEN_OK) {
        status = pen_transfer_post(notify->webhook, &headers, pen_text_view(&body), err);
    }
    pen_json_free(document);
    pen_text_deinit(&secret);
    pen_text_deinit(&body);
    return status;
}
