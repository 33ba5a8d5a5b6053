/* Reading the settings, each section by its table. */
#include "orchestrator/pipeline/settings.h"

#include "orchestrator/metadata/notes.h"

#include <string.h>

const char *const pen_settings_keys[] = {"description", "tags",    "timeout", "on_success",
                                         "on_failure",  "on_exit", "notify",  NULL};

/* A text, or a list of them, none of them empty. */
static pen_status read_texts(struct pen_arena *arena, const struct pen_config_node *root, const char *key,
                             const char *what, struct pen_config_strings *texts, struct pen_error *err)
{
    const struct pen_config_node *node = pen_config_get(root, key);
    *texts = (struct pen_config_strings){NULL, 0};
    if (node == NULL || node->kind == PEN_CONFIG_NULL) {
        return PEN_OK;
    }
    int64_t n = node->kind == PEN_CONFIG_LIST ? node->n_children : 1;
    const char **items = pen_arena_alloc(arena, n, sizeof *items);
    if (items == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading the pipeline file");
    }
    for (int64_t i = 0; i < n; i++) {
        const struct pen_config_node *item = node->kind == PEN_CONFIG_LIST ? node->children[i] : node;
        PEN_TRY(pen_config_string(item, key, &items[i], err));
        if (items[i][0] == '\0') {
            return pen_config_error(item, err, "%s: expected %s, found an empty text", key, what);
        }
    }
    *texts = (struct pen_config_strings){items, n};
    return PEN_OK;
}

/* ---- notify ---- */

struct mail_options {
    const struct pen_config_node *to;
    const char *from, *smtp, *user, *password_file;
};

static const struct pen_option mail_table[] = {
    {"to", PEN_OPTION_NODE, offsetof(struct mail_options, to), NULL, 0, 0, NULL, "addresses"},
    {"from", PEN_OPTION_STRING, offsetof(struct mail_options, from), NULL, 0, 0, NULL, "the sender's address"},
    {"smtp", PEN_OPTION_STRING, offsetof(struct mail_options, smtp), NULL, 0, 0, NULL, "smtp://HOST or smtps://HOST"},
    {"user", PEN_OPTION_STRING, offsetof(struct mail_options, user), NULL, 0, 0, NULL, "at the SMTP server"},
    {"password_file", PEN_OPTION_STRING, offsetof(struct mail_options, password_file), NULL, 0, 0, NULL,
     "holds the password on its first line"},
    {.name = NULL}};

static bool has_scheme(const char *url, const char *first, const char *second)
{
    size_t size = strncmp(url, first, strlen(first)) == 0     ? strlen(first)
                  : strncmp(url, second, strlen(second)) == 0 ? strlen(second)
                                                              : 0;
    return size > 0 && url[size] != '\0' && strpbrk(url, " \t\r\n") == NULL;
}

/* One that can stand in a header and on a command line: no spaces, no leading dash, one part on each side of an @. */
static bool is_address(const char *text)
{
    const char *at = strchr(text, '@');
    return at != NULL && at != text && at[1] != '\0' && text[0] != '-' && strchr(at + 1, '@') == NULL &&
           strpbrk(text, " \t\r\n<>\"',;") == NULL;
}

static pen_status read_mail(struct pen_arena *arena, const struct pen_config_node *node, struct pen_mail *mail,
                            struct pen_error *err)
{
    struct mail_options options;
    PEN_TRY(pen_config_options(arena, &options, sizeof options, mail_table, node, "mail", err));
    PEN_TRY(read_texts(arena, node, "to", "an address", &mail->to, err));
    if (mail->to.n_items == 0) {
        return pen_config_error(node, err, "mail: expected 'to: ADDRESS'");
    }
    for (int64_t i = 0; i < mail->to.n_items; i++) {
        if (!is_address(mail->to.items[i])) {
            return pen_config_error(options.to, err, "mail: expected an address such as me@example.org, found '%.80s'",
                                    mail->to.items[i]);
        }
    }
    if (options.from != NULL && !is_address(options.from)) {
        return pen_config_error(pen_config_get(node, "from"), err,
                                "mail: expected an address such as me@example.org, found '%.80s'", options.from);
    }
    if (options.smtp != NULL && !has_scheme(options.smtp, "smtp://", "smtps://")) {
        return pen_config_error(pen_config_get(node, "smtp"), err,
                                "mail: smtp: expected smtp://HOST or smtps://HOST, found '%.80s'", options.smtp);
    }
    if (options.smtp != NULL && options.from == NULL) {
        return pen_config_error(node, err, "mail: expected 'from: ADDRESS' with smtp");
    }
    if ((options.user == NULL) != (options.password_file == NULL)) {
        return pen_config_error(node, err, "mail: expected user and password_file together");
    }
    mail->from = options.from;
    mail->smtp = options.smtp;
    mail->user = options.user;
    mail->password_file = options.password_file;
    return PEN_OK;
}

struct webhook_options {
    const char *url, *headers_file;
};

static const struct pen_option webhook_table[] = {
    {"url", PEN_OPTION_STRING, offsetof(struct webhook_options, url), NULL, 0, 0, NULL, "where to post"},
    {"headers_file", PEN_OPTION_STRING, offsetof(struct webhook_options, headers_file), NULL, 0, 0, NULL,
     "holds header lines, a token say"},
    {.name = NULL}};

static pen_status read_webhook(struct pen_arena *arena, const struct pen_config_node *node, struct pen_notify *notify,
                               struct pen_error *err)
{
    struct webhook_options options;
    PEN_TRY(pen_config_options(arena, &options, sizeof options, webhook_table, node, "webhook", err));
    if (options.url == NULL || !has_scheme(options.url, "https://", "http://")) {
        return pen_config_error(node, err, "webhook: expected 'url: https://...', found '%.80s'",
                                options.url == NULL ? "" : options.url);
    }
    notify->webhook = options.url;
    notify->headers_file = options.headers_file;
    return PEN_OK;
}

struct notify_options {
    const struct pen_config_node *on, *mail, *webhook, *command;
};

static const struct pen_option notify_table[] = {
    {"on", PEN_OPTION_NODE, offsetof(struct notify_options, on), NULL, 0, 0, NULL, "failure, success or both"},
    {"mail", PEN_OPTION_NODE, offsetof(struct notify_options, mail), NULL, 0, 0, NULL, "whom to write to"},
    {"webhook", PEN_OPTION_NODE, offsetof(struct notify_options, webhook), NULL, 0, 0, NULL, "where to post"},
    {"command", PEN_OPTION_NODE, offsetof(struct notify_options, command), NULL, 0, 0, NULL, "what to start"},
    {.name = NULL}};

static pen_status read_notify(struct pen_arena *arena, const struct pen_config_node *node, struct pen_notify *notify,
                              struct pen_error *err)
{
    struct notify_options options;
    struct pen_config_strings on;
    if (node == NULL || node->kind == PEN_CONFIG_NULL) {
        return PEN_OK;
    }
    PEN_TRY(pen_config_options(arena, &options, sizeof options, notify_table, node, "notify", err));
    PEN_TRY(read_texts(arena, node, "on", "failure or success", &on, err));
    notify->on_failure = on.n_items == 0;
    for (int64_t i = 0; i < on.n_items; i++) {
        bool is_success = strcmp(on.items[i], "success") == 0;
        if (!is_success && strcmp(on.items[i], "failure") != 0) {
            return pen_config_error(options.on, err, "notify: on: expected failure or success, found '%.80s'",
                                    on.items[i]);
        }
        notify->on_success = notify->on_success || is_success;
        notify->on_failure = notify->on_failure || !is_success;
    }
    PEN_TRY(read_texts(arena, node, "command", "a command", &notify->commands, err));
    PEN_TRY(options.mail == NULL ? PEN_OK : read_mail(arena, options.mail, &notify->mail, err));
    PEN_TRY(options.webhook == NULL ? PEN_OK : read_webhook(arena, options.webhook, notify, err));
    if (options.mail == NULL && options.webhook == NULL && notify->commands.n_items == 0) {
        return pen_config_error(node, err, "notify: expected mail, webhook or command");
    }
    return PEN_OK;
}

pen_status pen_settings_read(struct pen_arena *arena, const struct pen_config_node *root, struct pen_settings *settings,
                             struct pen_error *err)
{
    *settings = (struct pen_settings){.description = ""};
    const struct pen_config_node *description = pen_config_get(root, "description");
    const struct pen_config_node *timeout = pen_config_get(root, "timeout");
    if (description != NULL && description->kind != PEN_CONFIG_NULL) {
        PEN_TRY(pen_config_string(description, "description", &settings->description, err));
    }
    if (timeout != NULL && timeout->kind != PEN_CONFIG_NULL) {
        PEN_TRY(pen_config_seconds(timeout, "timeout", &settings->timeout_s, err));
    }
    PEN_TRY(read_texts(arena, root, "tags", "a tag", &settings->tags, err));
    for (int64_t i = 0; i < settings->tags.n_items; i++) {
        const char *refusal = pen_run_tag_refusal(settings->tags.items[i]);
        if (refusal != NULL) {
            return pen_config_error(pen_config_get(root, "tags"), err, "tags: tag %lld: %s", (long long)i + 1, refusal);
        }
    }
    PEN_TRY(read_texts(arena, root, "on_success", "a command", &settings->on_success, err));
    PEN_TRY(read_texts(arena, root, "on_failure", "a command", &settings->on_failure, err));
    PEN_TRY(read_texts(arena, root, "on_exit", "a command", &settings->on_exit, err));
    return read_notify(arena, pen_config_get(root, "notify"), &settings->notify, err);
}
