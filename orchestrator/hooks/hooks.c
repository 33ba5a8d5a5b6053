/* Which hooks follow a run. */
#include "orchestrator/hooks/hooks_internal.h"

#include <stdio.h>
#include <string.h>

struct ran {
    const struct pen_event *event;
    pen_json *results;
    void (*warning)(void *user, const char *text);
    void *user;
};

static void note(const struct ran *ran, const char *hook, pen_status status, const struct pen_error *err)
{
    pen_json *result = pen_json_object();
    pen_json_set_string(result, "hook", hook);
    pen_json_set_bool(result, "ok", status == PEN_OK);
    pen_json_set_string(result, "message", status == PEN_OK ? "" : err->message);
    pen_json_push(ran->results, result);
    if (status != PEN_OK && ran->warning != NULL) {
        char text[PEN_ERROR_MESSAGE_BYTES + 64];
        (void)snprintf(text, sizeof text, "%s: %s; the run stays %s", hook, err->message, ran->event->status);
        ran->warning(ran->user, text);
    }
}

static void run_commands(const struct ran *ran, const char *hook, const struct pen_config_strings *commands)
{
    for (int64_t i = 0; i < commands->n_items; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        pen_status status = pen_hook_command(ran->event, commands->items[i], NULL, &err);
        note(ran, hook, status, &err);
    }
}

static void run_notify(const struct ran *ran, const struct pen_notify *notify)
{
    struct pen_error err = PEN_ERROR_INIT;
    if (notify->mail.to.n_items > 0) {
        pen_status status = pen_hook_mail(ran->event, &notify->mail, &err);
        note(ran, "notify.mail", status, &err);
    }
    if (notify->webhook != NULL) {
        pen_status status = pen_hook_webhook(ran->event, notify, &err);
        note(ran, "notify.webhook", status, &err);
    }
    run_commands(ran, "notify.command", &notify->commands);
}

void pen_hooks_run(const struct pen_settings *settings, const struct pen_event *event, pen_json *results,
                   void (*warning)(void *user, const char *text), void *user)
{
    const struct ran ran = {event, results, warning, user};
    bool failed = strcmp(event->status, "failed") == 0;
    bool succeeded = strcmp(event->status, "succeeded") == 0 || strcmp(event->status, "cached") == 0;
    if (succeeded) {
        run_commands(&ran, "on_success", &settings->on_success);
    }
    if (failed) {
        run_commands(&ran, "on_failure", &settings->on_failure);
    }
    if ((succeeded && settings->notify.on_success) || (failed && settings->notify.on_failure)) {
        run_notify(&ran, &settings->notify);
    }
    run_commands(&ran, "on_exit", &settings->on_exit);
}
