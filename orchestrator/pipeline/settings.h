/* What a pipeline says of its runs as a whole: who and what for, how long, and whom to tell.
 *
 *   description: fares of Chicago taxis
 *   tags: [taxi, nightly]
 *   timeout: 2h                             # of a run; a node's own: policy.h
 *   on_failure: ./clean.sh "$PENSTOCK_RUN"  # a command or a list of them, for /bin/sh, in the file's folder
 *   on_success: ./use.sh
 *   on_exit: ./always.sh                    # after either, however the run ended
 *   notify:
 *     on: [failure]                         # and success; failure when left out
 *     mail: {to: [me@example.org], from: penstock@example.org, smtp: smtps://mail.example.org, user: me,
 *            password_file: secrets/mail}   # through sendmail without smtp
 *     webhook: {url: https://chat.example.org/hook, headers_file: secrets/headers}
 *     command: ./tell.sh
 *
 * No secret stands in the file: those are read from files of their own. A hook's environment: hooks/hooks.h. */
#ifndef PEN_ORCHESTRATOR_PIPELINE_SETTINGS_H
#define PEN_ORCHESTRATOR_PIPELINE_SETTINGS_H

#include "core/config.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_mail {
    struct pen_config_strings to;     /* none: no mail */
    const char *from;                 /* NULL: sendmail's own */
    const char *smtp;                 /* smtp://host[:port] or smtps://...; NULL: through sendmail */
    const char *user, *password_file; /* of the SMTP server; NULL: none */
};

struct pen_notify {
    bool on_success, on_failure; /* neither: there is no `notify:` */
    struct pen_mail mail;
    const char *webhook, *headers_file; /* NULL: none; a file of header lines */
    struct pen_config_strings commands;
};

struct pen_settings {
    const char *description; /* "" without */
    struct pen_config_strings tags;
    double timeout_s; /* 0: none */
    struct pen_config_strings on_success, on_failure, on_exit;
    struct pen_notify notify;
};

extern const char *const pen_settings_keys[]; /* ends with NULL */

/* All is in the arena. */
PEN_MUST_USE pen_status pen_settings_read(struct pen_arena *arena, const struct pen_config_node *root,
                                          struct pen_settings *settings, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
