/* Between the files of hooks. Each way of telling gives PEN_OK when it was taken over by whom it went to. */
#ifndef PEN_ORCHESTRATOR_HOOKS_INTERNAL_H
#define PEN_ORCHESTRATOR_HOOKS_INTERNAL_H

#include "orchestrator/hooks/hooks.h"

enum { PEN_HOOK_SECONDS = 60 };

/* A shell command. input: a file for its standard input, or NULL. */
PEN_MUST_USE pen_status pen_hook_command(const struct pen_event *event, const char *command, const char *input,
                                         struct pen_error *err);

/* The message as mail programs take it: headers, an empty line, text; lines end in \n. */
void pen_hook_message(const struct pen_event *event, const struct pen_mail *mail, struct pen_text *message);
/* The body of a webhook: {text, pipeline, run, status, seconds, node, message, blessed, pushed}. */
pen_json *pen_hook_document(const struct pen_event *event);
/* Through sendmail ($PENSTOCK_SENDMAIL, or the one of the PATH and /usr/sbin), or an SMTP server. */
PEN_MUST_USE pen_status pen_hook_mail(const struct pen_event *event, const struct pen_mail *mail,
                                      struct pen_error *err);
PEN_MUST_USE pen_status pen_hook_webhook(const struct pen_event *event, const struct pen_notify *notify,
                                         struct pen_error *err);

/* ---- by libcurl; transfer_none.c where penstock was built without it ---- */

PEN_MUST_USE pen_status pen_transfer_mail(const struct pen_mail *mail, const char *password, const char *message,
                                          struct pen_error *err);
/* headers: lines "Name: value" */
PEN_MUST_USE pen_status pen_transfer_post(const char *url, const struct pen_config_strings *headers, const char *body,
                                          struct pen_error *err);

#endif
