/* SMTP and HTTP by libcurl, loaded when it is first needed: linked, it would cost every start some milliseconds. Only
 * this file sees its header. */
#include "orchestrator/hooks/hooks_internal.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <string.h>

enum { CONNECT_SECONDS = 10, WHOLE_SECONDS = 30 };

#undef curl_easy_setopt /* the header's checking macro would bypass the pointer */

struct library {
    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *handle, CURLoption option, ...);
    CURLcode (*easy_perform)(CURL *handle);
    const char *(*easy_strerror)(CURLcode code);
    void (*easy_cleanup)(CURL *handle);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
    void (*slist_free_all)(struct curl_slist *list);
};

static pen_status load(struct library *library, struct pen_error *err)
{
    const struct {
        const char *name;
        void *pointer;
    } symbols[] = {{"curl_global_init", &library->global_init},     {"curl_easy_init", &library->easy_init},
                   {"curl_easy_setopt", &library->easy_setopt},     {"curl_easy_perform", &library->easy_perform},
                   {"curl_easy_strerror", &library->easy_strerror}, {"curl_easy_cleanup", &library->easy_cleanup},
                   {"curl_slist_append", &library->slist_append},   {"curl_slist_free_all", &library->slist_free_all}};
    void *handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) { /* Debian's build with GnuTLS */
        handle = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
    }
    if (handle == NULL) {
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "libcurl cannot be loaded: %s", dlerror());
    }
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *found = dlsym(handle, symbols[i].name);
        if (found == NULL) {
            PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "libcurl has no %s", symbols[i].name);
        }
        memcpy(symbols[i].pointer, &found, sizeof found);
    }
    CURLcode code = library->global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) {
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "libcurl does not start: %s", library->easy_strerror(code));
    }
    return PEN_OK;
}

struct reader {
    const char *text;
    size_t left;
    bool in_newline; /* "\r" was given, "\n" is to come */
};

/* Lines that end in \n, as SMTP wants them. */
static size_t give(char *buffer, size_t size, size_t n, void *user)
{
    struct reader *reader = user;
    size_t room = size * n;
    size_t used = 0;
    while (used < room && reader->left > 0) {
        if (*reader->text == '\n' && !reader->in_newline) {
            buffer[used++] = '\r';
            reader->in_newline = true;
            continue;
        }
        reader->in_newline = false;
        buffer[used++] = *reader->text++;
        reader->left--;
    }
    return used;
}

static size_t ignore(char *bytes, size_t size, size_t n, void *user)
{
    (void)bytes;
    (void)user;
    return size * n;
}

static CURLcode set_common(const struct library *library, CURL *handle, const char *url)
{
    CURLcode code = library->easy_setopt(handle, CURLOPT_URL, url);
    code = code == CURLE_OK ? library->easy_setopt(handle, CURLOPT_NOSIGNAL, 1L) : code;
    code = code == CURLE_OK ? library->easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS) : code;
    code = code == CURLE_OK ? library->easy_setopt(handle, CURLOPT_TIMEOUT, (long)WHOLE_SECONDS) : code;
    return code == CURLE_OK ? library->easy_setopt(handle, CURLOPT_WRITEFUNCTION, ignore) : code;
}

static pen_status perform(const struct library *library, CURL *handle, CURLcode code, const char *url,
                          struct pen_error *err)
{
    char words[CURL_ERROR_SIZE] = "";
    code = code == CURLE_OK ? library->easy_setopt(handle, CURLOPT_ERRORBUFFER, words) : code;
    code = code == CURLE_OK ? library->easy_perform(handle) : code;
    if (code != CURLE_OK) {
        PEN_FAIL(err, PEN_ERR_IO, "%s: %s", url, words[0] != '\0' ? words : library->easy_strerror(code));
    }
    return PEN_OK;
}

/* A list of texts, each between the two others; NULL when memory is short. */
static struct curl_slist *make_list(const struct library *library, const struct pen_config_strings *texts,
                                    const char *before, const char *after)
{
    struct curl_slist *list = NULL;
    struct pen_text item = {0};
    for (int64_t i = 0; i < texts->n_items; i++) {
        pen_text_reset(&item);
        pen_text_printf(&item, "%s%s%s", before, texts->items[i], after);
        struct curl_slist *longer = item.failed ? NULL : library->slist_append(list, pen_text_view(&item));
        if (longer == NULL) {
            library->slist_free_all(list);
            list = NULL;
            break;
        }
        list = longer;
    }
    pen_text_deinit(&item);
    return list;
}

/* A password goes over an encrypted connection or not at all. */
static CURLcode set_mail(const struct library *library, CURL *handle, const struct pen_mail *mail, const char *password,
                         struct curl_slist *to, struct reader *reader)
{
    struct pen_text from = {0};
    pen_text_printf(&from, "<%s>", mail->from);
    CURLcode code = set_common(library, handle, mail->smtp);
    code = code == CURLE_OK ? library->easy_setopt(handle, CURLOPT_MAIL_FROM, pen_text_view(&from)) : code;
    code = code == CURLE_OK ? library->easy_setopt(handle, CURLOPT_MAIL_RCPT, to) : code;
    code = code == CURLE_OK ? library->easy_setopt(handle, CURLOPT_UPLOAD, 1L) : code;
    code = code == CURLE_OK ? library->easy_setopt(handle, CURLOPT_READFUNCTION, give) : code;
    code = code == CURLE_OK ? library->easy_setopt(handle, CURLOPT_READDATA, reader) : code;
    code = code == CURLE_OK ? library->easy_setopt(handle, CURLOPT_USE_SSL,
                                                   (long)(mail->user != NULL ? CURLUSESSL_ALL : CURLUSESSL_TRY))
                            : code;
    if (mail->user != NULL) {
        code = code == CURLE_OK ? library->easy_setopt(handle, CURLOPT_USERNAME, mail->user) : code;
        code = code == CURLE_OK ? library->easy_setopt(handle, CURLOPT_PASSWORD, password) : code;
    }
    pen_text_deinit(&from);
    return code;
}

pen_status pen_transfer_mail(const struct pen_mail *mail, const char *password, const char *message,
                             struct pen_error *err)
{
    struct library library;
    struct reader reader = {message, strlen(message), false};
    PEN_TRY(load(&library, err));
    CURL *handle = library.easy_init();
    struct curl_slist *to = make_list(&library, &mail->to, "<", ">");
    pen_status status = PEN_OK;
    if (handle == NULL || to == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: sending a mail");
    }
    status = perform(&library, handle, set_mail(&library, handle, mail, password, to, &reader), mail->smtp, err);
cleanup:
    library.slist_free_all(to);
    library.easy_cleanup(handle);
    return status;
}

pen_status pen_transfer_post(const char *url, const struct pen_config_strings *headers, const char *body,
                             struct pen_error *err)
{
    struct library library;
    PEN_TRY(load(&library, err));
    CURL *handle = library.easy_init();
    struct curl_slist *list = make_list(&library, headers, "", "");
    pen_status status = PEN_OK;
    if (handle == NULL || list == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: posting to a webhook");
    }
    CURLcode code = set_common(&library, handle, url);
    code = code == CURLE_OK ? library.easy_setopt(handle, CURLOPT_HTTPHEADER, list) : code;
    code = code == CURLE_OK ? library.easy_setopt(handle, CURLOPT_POSTFIELDS, body) : code;
    code = code == CURLE_OK ? library.easy_setopt(handle, CURLOPT_FAILONERROR, 1L) : code;
    status = perform(&library, handle, code, url, err);
cleanup:
    library.slist_free_all(list);
    library.easy_cleanup(handle);
    return status;
}
