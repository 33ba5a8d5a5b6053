/* A build without libcurl's headers: no SMTP, no webhooks. Commands and sendmail need neither. */
#include "orchestrator/hooks/hooks_internal.h"

pen_status pen_transfer_mail(const struct pen_mail *mail, const char *password, const char *message,
                             struct pen_error *err)
{
    (void)password;
    (void)message;
    PEN_FAIL(err, PEN_ERR_UNSUPPORTED,
             "%s: this penstock was built without libcurl (libcurl4-openssl-dev); leave smtp out for sendmail",
             mail->smtp);
}

pen_status pen_transfer_post(const char *url, const struct pen_config_strings *headers, const char *body,
                             struct pen_error *err)
{
    (void)headers;
    (void)body;
    PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "%s: this penstock was built without libcurl (libcurl4-openssl-dev)", url);
}
