/* Who may ask.
 *
 * A browser that a person pointed here sends pages of other sites along: they may guess the port, send forms, and by
 * DNS rebinding even read the answers under a name of their own. So
 *   - Host must name this server by a loopback name, or, when it listens elsewhere, by an address or this machine's
 *     name, always with the port;
 *   - Origin, when it is sent, must be that host, and must be sent with a POST;
 *   - every request but the login needs the session's cookie (HttpOnly, SameSite=Strict), which the login gives to who
 *     knows the token that was printed at the start;
 *   - a POST needs the session's form token too.
 * The three secrets are 256 random bits each and compared in constant time. */
#ifndef PEN_ORCHESTRATOR_UI_GUARD_H
#define PEN_ORCHESTRATOR_UI_GUARD_H

#include "orchestrator/ui/http.h"

enum { PEN_SECRET_BYTES = 65 };

struct pen_guard {
    int port;
    bool is_loopback; /* it listens on a loopback address alone */
    char token[PEN_SECRET_BYTES], session[PEN_SECRET_BYTES], form[PEN_SECRET_BYTES];
};

PEN_MUST_USE pen_status pen_guard_init(struct pen_guard *guard, bool is_loopback, struct pen_error *err);

/* NULL: the request is served from here; else why it is not. */
const char *pen_guard_refuses(const struct pen_guard *guard, const struct pen_http_request *request);
bool pen_guard_knows(const struct pen_guard *guard, const struct pen_http_request *request); /* by its cookie */
bool pen_guard_is_token(const struct pen_guard *guard, const char *token);
bool pen_guard_is_form(const struct pen_guard *guard, const char *form);
void pen_guard_give_cookie(const struct pen_guard *guard, struct pen_http_response *response);

#endif
