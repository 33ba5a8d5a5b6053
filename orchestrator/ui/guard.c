/* The checks. */
#include "orchestrator/ui/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static pen_status draw(char secret[PEN_SECRET_BYTES], struct pen_error *err)
{
    unsigned char bytes[(PEN_SECRET_BYTES - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        PEN_FAIL(err, PEN_ERR_INTERNAL, "cannot draw a random token: %s", strerror(errno));
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        (void)snprintf(secret + 2 * i, 3, "%02x", bytes[i]);
    }
    return PEN_OK;
}

pen_status pen_guard_init(struct pen_guard *guard, bool is_loopback, struct pen_error *err)
{
    *guard = (struct pen_guard){.is_loopback = is_loopback};
    PEN_TRY(draw(guard->token, err));
    PEN_TRY(draw(guard->session, err));
    return draw(guard->form, err);
}

/* The time does not tell how much of it was right. */
static bool same(const char secret[PEN_SECRET_BYTES], const char *given)
{
    if (strlen(given) != PEN_SECRET_BYTES - 1) {
        return false;
    }
    unsigned char difference = 0;
    for (int i = 0; i < PEN_SECRET_BYTES - 1; i++) {
        difference |= (unsigned char)(secret[i] ^ given[i]);
    }
    return difference == 0;
}

static bool is_address(const char *name, size_t size)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[16];
    const bool is_six = size > 2 && name[0] == '[' && name[size - 1] == ']';
    name += is_six;
    size -= is_six ? 2 : 0;
    if (size == 0 || size >= sizeof text) {
        return false;
    }
    memcpy(text, name, size);
    text[size] = '\0';
    return inet_pton(is_six ? AF_INET6 : AF_INET, text, address) == 1;
}

static bool is_name(const char *name, size_t size, const char *wanted)
{
    return strlen(wanted) == size && strncmp(name, wanted, size) == 0;
}

/* Names of other sites never pass: an address is none, and this machine's name is its owner's. */
static bool is_our_host(const struct pen_guard *guard, const char *host)
{
    char port[16], machine[256] = "";
    (void)snprintf(port, sizeof port, ":%d", guard->port);
    const char *colon = strrchr(host, ':');
    if (colon == NULL || strcmp(colon, port) != 0) {
        return false;
    }
    const size_t size = (size_t)(colon - host);
    if (is_name(host, size, "127.0.0.1") || is_name(host, size, "localhost") || is_name(host, size, "[::1]")) {
        return true;
    }
    (void)gethostname(machine, sizeof machine - 1);
    return !guard->is_loopback && (is_address(host, size) || is_name(host, size, machine));
}

const char *pen_guard_refuses(const struct pen_guard *guard, const struct pen_http_request *request)
{
    const bool is_post = strcmp(request->method, "POST") == 0;
    if (request->host == NULL || !is_our_host(guard, request->host)) {
        return "this server does not go by that name: use the address that penstock ui printed";
    }
    if (request->origin == NULL) {
        return is_post ? "a POST without an Origin" : NULL;
    }
    return strncmp(request->origin, "http://", 7) == 0 && strcmp(request->origin + 7, request->host) == 0
               ? NULL
               : "a request from another site";
}

static void cookie_name(const struct pen_guard *guard, char out[32])
{
    (void)snprintf(out, 32, "penstock_%d", guard->port); /* browsers keep cookies apart by host, not by port */
}

bool pen_guard_knows(const struct pen_guard *guard, const struct pen_http_request *request)
{
    char name[32], value[PEN_SECRET_BYTES];
    cookie_name(guard, name);
    pen_http_cookie(request->cookie, name, value, sizeof value);
    return same(guard->session, value);
}

bool pen_guard_is_token(const struct pen_guard *guard, const char *token)
{
    return same(guard->token, token);
}

bool pen_guard_is_form(const struct pen_guard *guard, const char *form)
{
    return same(guard->form, form);
}

void pen_guard_give_cookie(const struct pen_guard *guard, struct pen_http_response *response)
{
    char name[32];
    cookie_name(guard, name);
    pen_http_header(response, "Set-Cookie", "%s=%s; HttpOnly; SameSite=Strict; Path=/", name, guard->session);
}
